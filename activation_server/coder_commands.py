"""`tdb train-sae` and `tdb eval-sae`: train sparse coders on a model's activations, and judge them.

    tdb train-sae --model demo --corpus text.jsonl --site resid_delta_mlp --layers 0,1 --latents 1024 --k 16 --out sae
    tdb eval-sae  --model demo --coder sae --corpus held-out.jsonl --json

Training goes on from its last checkpoint when it is started again. `torchrun -m activation_server.cli train-sae ...`
shares it among processes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from activation_server.options import Device, Dtype, ModelName, Threads, load_named
from activation_server.progress_lines import ProgressOption, Report, reporting

if TYPE_CHECKING:
    from neuron_explainer.autoencoders.judging import Judgement
    from neuron_explainer.autoencoders.nonlinearities import NonlinearityKind
    from neuron_explainer.autoencoders.recipe import Point
    from neuron_explainer.models.corpus import Corpus
    from neuron_explainer.models.transformer import Transformer

CorpusOption = Annotated[
    str,
    typer.Option(help='A text file, JSON lines {"text"}, Parquet, a folder, or a hub dataset.'),
]
SiteOption = Annotated[
    list[str],
    typer.Option(
        "--site", "--sites", help="resid_delta_mlp, resid_delta_attn, ...; may be repeated."
    ),
]


def train_sae(
    corpus: CorpusOption,
    site: SiteOption,
    latents: Annotated[int, typer.Option(min=1, help="Latents of each coder.")],
    out: Annotated[Path, typer.Option(help="Folder of the run and its coders.")],
    layers: Annotated[str, typer.Option(help='"0,1", "2-5" or "all".')] = "all",
    k: Annotated[int | None, typer.Option(help="Active latents per token: TopK.")] = None,
    l1: Annotated[float | None, typer.Option(help="Weight of an L1 penalty: ReLU.")] = None,
    l0: Annotated[float | None, typer.Option(help="Weight of an L0 penalty: JumpReLU.")] = None,
    batch_top_k: Annotated[
        bool, typer.Option("--batch-top-k", help="With --k: k on average over a batch.")
    ] = False,
    tokens: Annotated[int, typer.Option(min=1, help="Tokens to train on.")] = 1_000_000,
    batch_tokens: Annotated[int, typer.Option(min=1, help="Tokens in a step.")] = 2048,
    window: Annotated[int, typer.Option(min=1, help="Tokens the model sees at once.")] = 128,
    apart: Annotated[
        bool, typer.Option("--apart", help="Read each document alone, as prompts are.")
    ] = False,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's, at its height.")] = None,
    revival: Annotated[
        Literal["auxiliary", "resample", "both", "none"] | None,
        typer.Option(help="What brings dead latents back; by default what suits the kind."),
    ] = None,
    dead_after: Annotated[
        int | None,
        typer.Option(min=1, help="Tokens without being active: dead; by default a fiftieth."),
    ] = None,
    held_out: Annotated[
        str | None, typer.Option(help="Another corpus, to judge the coders on at the end.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is random.")] = 0,
    model: ModelName = None,
    dtype: Dtype = "float32",
    device: Device = None,
    threads: Threads = None,
    progress: ProgressOption = "bar",
) -> None:
    """Train sparse autoencoders on a model's activations, all sites and layers in one pass."""
    from neuron_explainer.autoencoders.recipe import Recipe
    from neuron_explainer.autoencoders.training import train_coders
    from neuron_explainer.models.corpus import open_corpus

    with reporting(progress, "Training") as report:
        recipe = Recipe(
            n_latents=latents,
            nonlinearity=_sparsity(k, l1, l0, batch_top_k),
            k=k,
            l1=l1,
            l0=l0,
            tokens=tokens,
            batch_tokens=batch_tokens,
            window=window,
            join_documents=not apart,
            learning_rate=Recipe.learning_rate if learning_rate is None else learning_rate,
            revival=revival or ("resample" if k is None else "auxiliary"),
            dead_after=dead_after,
            seed=seed,
        )
        texts = open_corpus(corpus, seed=seed)
        held = None if held_out is None else open_corpus(held_out)
        loaded = load_named(model, dtype, device, threads)
        points = _points(site, layers, loaded.config.n_layers)
        train_coders(loaded, texts, points, recipe, out, on_progress=report)
        result: dict[str, object] = {"out": str(out), "points": [str(point) for point in points]}
        if held is not None:
            folders = _folders(out, points)
            result["coders"] = [_as_json(j) for j in _judged(loaded, folders, held, report)]
        report.finish(result, f"Trained {len(points)} coders into {out}.")


def eval_sae(
    corpus: CorpusOption,
    coder: Annotated[
        list[str],
        typer.Option(help="A folder, a published name or NAME:SITE=PATH; may be repeated."),
    ],
    tokens: Annotated[int, typer.Option(min=2, help="Tokens to judge on.")] = 65_536,
    window: Annotated[int, typer.Option(min=2, help="Tokens the model sees at once.")] = 128,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    model: ModelName = None,
    dtype: Dtype = "float32",
    device: Device = None,
    threads: Threads = None,
    progress: ProgressOption = "bar",
) -> None:
    """Judge sparse autoencoders on a text; our own coders, but for the bundled, keep the figures in their card."""
    import json

    from activation_server.terminal import print_judgements
    from neuron_explainer.models.corpus import open_corpus

    with reporting(progress, "Judging") as report:
        texts = open_corpus(corpus)
        loaded = load_named(model, dtype, device, threads)
        found = _judged(loaded, coder, texts, report, tokens, window)
        coders = [_as_json(judgement) for judgement in found]
        result = {"corpus": corpus, "model": loaded.config.name, "coders": coders}
        report.finish(result)
    if progress == "json":
        return
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    else:
        print_judgements(found)


def _sparsity(
    k: int | None, l1: float | None, l0: float | None, batch_top_k: bool
) -> "NonlinearityKind":
    """The nonlinearity that the options ask for. Raises ValueError unless one of k, l1, l0 is given."""
    given = [name for name, value in (("--k", k), ("--l1", l1), ("--l0", l0)) if value is not None]
    if len(given) != 1:
        raise ValueError(
            f"{' and '.join(given) or 'Nothing'} was given; sparsity needs one of --k (TopK), --l1 (ReLU) "
            "and --l0 (JumpReLU)."
        )
    if batch_top_k and k is None:
        raise ValueError("--batch-top-k needs --k: how many latents are active on average.")
    if k is not None:
        return "batchtopk" if batch_top_k else "topk"
    return "relu" if l1 is not None else "jumprelu"


def _points(sites: list[str], layers: str, n_layers: int) -> "tuple[Point, ...]":
    """Every site at every layer. Raises ValueError for a name or range that cannot be read."""
    from neuron_explainer.autoencoders.recipe import Point, check_points
    from neuron_explainer.models.hooks import parse_site

    numbers: list[int] = list(range(n_layers)) if layers == "all" else []
    for part in [] if layers == "all" else layers.split(","):
        first, _, last = part.strip().partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise ValueError(f'--layers {layers!r} cannot be read: write "0,1", "2-5" or "all".')
        numbers += range(int(first), int(last or first) + 1)
    names = [name for site in sites for name in site.split(",")]
    points = tuple(Point(parse_site(name)[0], number) for name in names for number in numbers)
    check_points(points, n_layers)
    return points


def _folders(out: Path, points: "tuple[Point, ...]") -> list[str]:
    from neuron_explainer.autoencoders.training import coder_folder

    sites = {point.site for point in points}
    return [str(coder_folder(out, site, sites)) for site in sorted(sites)]


def _judged(
    model: "Transformer",
    specs: list[str],
    corpus: "Corpus",
    report: Report,
    tokens: int = 65_536,
    window: int = 128,
) -> "list[Judgement]":
    """Judge every coder of some sets; those in our own format keep it in their card, but for the bundled."""
    from neuron_explainer.autoencoders.cards import write_card
    from neuron_explainer.autoencoders.coder_set import load_coder_set
    from neuron_explainer.autoencoders.judging import judge
    from neuron_explainer.autoencoders.recipe import Point

    found: list[Judgement] = []
    for spec in specs:
        coder_set = load_coder_set(spec, model.config)
        coders = {Point(coder_set.site, layer): c for layer, c in coder_set.coders.items()}
        judged = judge(model, coders, corpus, tokens=tokens, window=window, on_progress=report)
        folder = Path(spec.rpartition("=")[2]).expanduser()
        for point, judgement in judged.items():
            if (folder / "coders.json").is_file() and not _is_bundled(folder):
                write_card(
                    folder / f"L{point.layer}",
                    model=model.config.name,
                    judgement=judgement,
                    judged_on=corpus.spec,
                )
        found += judged.values()
    return found


def _is_bundled(folder: Path) -> bool:
    """Whether coders came with the program: their cards stay as they were published."""
    from activation_server.assets import demo_dir

    demo = demo_dir()
    return demo is not None and folder.resolve().is_relative_to(demo.resolve())


def _as_json(judgement: "Judgement") -> dict[str, object]:
    from dataclasses import asdict

    return asdict(judgement)

"""Train the sparse coders that are bundled with the demo model: each layer's MLP output and attention output.

    python -m scripts.demo.coders --out datasets/demo/coders

All are trained on text of the demo's generator, from a seed of its own, and judged on the bundled
text, which is of another. What is written is float16, and it is that which is judged. Called again after a kill, it
goes on from its last checkpoint. With `--only attn/L5` (repeatable), that coder alone is trained anew.
"""

import argparse
import json
from pathlib import Path

import torch
from rich.console import Console

from activation_server.progress_lines import reporting
from neuron_explainer import load_model
from neuron_explainer.autoencoders.cards import training_curve, write_card
from neuron_explainer.autoencoders.coder_set import CoderSet, load_coder_set
from neuron_explainer.autoencoders.formats import load_coders
from neuron_explainer.autoencoders.judging import Judgement, judge
from neuron_explainer.autoencoders.nonlinearities import NonlinearityKind
from neuron_explainer.autoencoders.recipe import Point, Recipe
from neuron_explainer.autoencoders.sparse_coder import SparseCoder
from neuron_explainer.autoencoders.training import train_coders
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.hooks import Site
from neuron_explainer.models.precision import use_fast_float32
from neuron_explainer.models.transformer import Transformer
from scripts.demo.mixture import corpus as generated

TEXT_SEED = 4242
"""Of the text that coders are trained on; the model's and the bundled text have others."""
CORPUS = f"scripts.demo.mixture, seed {TEXT_SEED}"
NAMES: dict[Site, str] = {"resid_delta_mlp": "mlp", "resid_delta_attn": "attn"}
MLP, ATTENTION = NAMES


def _recipe(
    n_latents: int,
    k: int,
    nonlinearity: NonlinearityKind = "topk",
    dead_after: int = 20_000,
    auxiliary_weight: float = 1 / 32,
    join_documents: bool = True,
) -> Recipe:
    return Recipe(
        n_latents,
        nonlinearity,
        k=k,
        tokens=800_000,
        batch_tokens=1024,
        buffer_batches=32,
        learning_rate=3e-3,
        dead_after=dead_after,
        auxiliary_weight=auxiliary_weight,
        join_documents=join_documents,
        seed=1,
    )


GROUPS: dict[Recipe, tuple[Point, ...]] = {
    _recipe(1536, 46): (*(Point(MLP, layer) for layer in (1, 2, 3, 4)), Point(ATTENTION, 4)),
    _recipe(1408, 42, dead_after=5_000): (Point(ATTENTION, 4),),
    _recipe(1280, 38): (Point(ATTENTION, 3),),
    _recipe(1024, 30): (Point(MLP, 0), Point(ATTENTION, 2)),
    _recipe(896, 26): (Point(ATTENTION, 1),),
    _recipe(704, 21, "batchtopk", auxiliary_weight=1 / 4, join_documents=False): (
        Point(ATTENTION, 5),
    ),
    _recipe(512, 15): (Point(ATTENTION, 0),),
    _recipe(384, 11): (Point(MLP, 5),),
}
"""Which places share a recipe: where less is to be told apart, more latents would only be dead. A place that is named
twice keeps its last coder: with 1,536 latents, one in twenty of attention's in layer 4 was dead. Attention of layer 5
needs many latents at some tokens and few at others, and reads documents apart, as the judge does."""


def write_text(path: Path, n_tokens: int) -> None:
    """Enough documents for so many tokens."""
    n_characters = 0
    with path.open("w", encoding="utf-8") as file:
        for text in generated(TEXT_SEED):
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
            n_characters += len(text)
            if n_characters > 5 * n_tokens:
                return


def train_group(
    model: Transformer, text: Path, recipe: Recipe, points: tuple[Point, ...], work: Path
) -> dict[Point, SparseCoder]:
    """Coders of one recipe, in one pass over the model."""
    run = work / f"run-{recipe.n_latents}"
    with reporting("bar", f"Training {len(points)} of {recipe.n_latents} latents") as report:
        sets = train_coders(model, open_corpus(str(text)), points, recipe, run, on_progress=report)
    return {point: sets[point.site].coders[point.layer] for point in points}


def write_coders(work: Path, out: Path, coders: dict[Point, SparseCoder]) -> None:
    """A set for each site in float16, with the cards of its training; other coders there stay as they are."""
    recipes = {point: recipe for recipe, points in GROUPS.items() for point in points}
    for site, name in NAMES.items():
        new = {point.layer: coder for point, coder in coders.items() if point.site == site}
        kept = load_coders(out / name, site=site) if (out / name).is_dir() else {}
        own = kept | new
        shared = {"corpus": CORPUS, "script": "scripts/demo/coders.py"}
        named = CoderSet(f"demo-{name}", site, dict(sorted(own.items())))
        named.save(out / name, model="demo", recipe=shared, dtype=torch.float16)
        for layer in new:
            recipe = recipes[Point(site, layer)]
            write_card(
                out / name / f"L{layer}",
                model="demo",
                recipe=recipe.to_json() | shared,
                curve=training_curve(work / f"run-{recipe.n_latents}", Point(site, layer)),
            )


def judge_written(out: Path, model: Transformer, held_out: Path, tokens: int) -> list[Judgement]:
    """Judge the coders as they are loaded, and keep the figures in their cards."""
    found: list[Judgement] = []
    for name in NAMES.values():
        coder_set = load_coder_set(str(out / name), model.config)
        coders = {Point(coder_set.site, layer): c for layer, c in coder_set.coders.items()}
        judged = judge(model, coders, open_corpus(str(held_out)), tokens=tokens)
        for point, judgement in judged.items():
            folder = out / name / f"L{point.layer}"
            write_card(
                folder, model="demo", judgement=judgement, judged_on="datasets/demo/corpus.jsonl"
            )
        found += judged.values()
    return found


def reaches_goals(j: Judgement) -> bool:
    """Whether a coder is as good as was asked for."""
    explains = j.explained_variance >= 0.93 and j.loss_recovered >= 0.9
    return explains and j.l0_share <= 0.03 and j.dead_fraction < 0.05


def page(judged: list[Judgement]) -> str:
    """The README of the folder."""
    n_tokens = next(iter(GROUPS)).tokens
    lines = [
        "# Coders of the demo model",
        "",
        "Sparse autoencoders of each layer's MLP output (`mlp/`) and attention output (`attn/`), trained on",
        f"{n_tokens:,} tokens of generated text by `python -m scripts.demo.coders`, kept in float16. Judged on",
        f"{judged[0].n_tokens:,} tokens of `corpus.jsonl`, which they were not trained on. Where there is less to be",
        "told apart there are fewer latents: more would only be dead.",
        "",
        "| site | layer | latents | variance explained | L0 | L0, share of latents | dead | loss recovered |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{j.site}` | {j.layer} | {j.n_latents:,} | {j.explained_variance:.3f} | {j.l0:.1f} "
        f"| {j.l0_share:.2%} | {j.dead_fraction:.2%} | {j.loss_recovered:.3f} |"
        for j in judged
    ]
    lines += [
        "",
        "Loss recovered: where the next-token loss with the reconstruction in place lies between that with zero in its",
        "place (0) and the bare model's (1). Dead: active at none of these tokens. Each `card.json` has more.",
        "",
        "The goals were: at least 0.93 of the variance, L0 at most 3% of the latents, under 5% dead, 0.9 recovered.",
    ]
    short = [f"`{j.site}` of layer {j.layer}" for j in judged if not reaches_goals(j)]
    lines += [f"Short of them: {', '.join(short)}." if short else "All reach them.", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("datasets/demo/coders"))
    parser.add_argument("--work", type=Path, default=Path("datasets/demo/.build/coders"))
    parser.add_argument("--held-out", type=Path, default=Path("datasets/demo/corpus.jsonl"))
    parser.add_argument("--judged", type=int, default=60_000, help="held-out tokens")
    parser.add_argument("--only", action="append", default=[], metavar="attn/L5", help="repeatable")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    use_fast_float32()
    args.work.mkdir(parents=True, exist_ok=True)
    text = args.work / "text.jsonl"
    if not text.is_file():
        write_text(text, next(iter(GROUPS)).tokens)
    model = load_model("demo")
    coders: dict[Point, SparseCoder] = {}
    for recipe, points in GROUPS.items():
        asked = tuple(
            p for p in points if not args.only or f"{NAMES[p.site]}/L{p.layer}" in args.only
        )
        if asked:
            coders |= train_group(model, text, recipe, asked, args.work)
    write_coders(args.work, args.out, coders)
    judged = judge_written(args.out, model, args.held_out, args.judged)
    (args.out / "README.md").write_text(page(judged), encoding="utf-8")
    Console().print(page(judged))


if __name__ == "__main__":
    main()

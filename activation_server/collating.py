"""`tdb collate`: make a dataset of what every component of a model responds to.

    tdb collate --model smollm2 --corpus FILE.jsonl --out DIR

A killed collation goes on where it was when the same command is given again.
"""

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from activation_server.options import Device, Dtype, ModelName, Threads, load_named
from activation_server.progress_lines import ProgressOption, reporting

if TYPE_CHECKING:
    from neuron_explainer.exemplars import Recipe
    from neuron_explainer.exemplars.cluster import RayPool
    from neuron_explainer.models.transformer import Transformer


def collate(
    corpus: Annotated[
        str, typer.Option(help="Text, JSON lines, Parquet, a folder of them, or OWNER/NAME.")
    ],
    out: Annotated[Path, typer.Option(help="Folder that becomes the dataset.")],
    model: ModelName = None,
    coder: Annotated[
        list[str] | None,
        typer.Option(help="NAME:SITE=PATH or a known name: collate its latents; may be repeated."),
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after the shard that reaches so many; by default all."),
    ] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Excerpts on each side.")] = 20,
    window: Annotated[int, typer.Option(min=1, help="Tokens of an excerpt.")] = 64,
    random: Annotated[int, typer.Option(min=0, max=500, help="Excerpts drawn at random.")] = 10,
    per_band: Annotated[
        int, typer.Option(min=0, max=100, help="Excerpts of each quantile band.")
    ] = 3,
    precision: Annotated[
        Literal["float16", "int8"], typer.Option(help="How excerpts' activations are kept.")
    ] = "float16",
    seed: Annotated[int, typer.Option(min=0, help="Of the random excerpts.")] = 0,
    name: Annotated[str, typer.Option(help="Of the dataset; by default its folder's.")] = "",
    description: Annotated[str, typer.Option(help="A sentence for the dataset's card.")] = "",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another dataset that is there.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Run on a Ray cluster: its address; auto: the one at hand, or this machine; local: this machine."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="With --ray: models at work; by default one a core.")
    ] = None,
    dtype: Dtype = "float32",
    device: Device = None,
    threads: Threads = None,
    progress: ProgressOption = "bar",
) -> None:
    """Record what every head, neuron and latent responds to, over a corpus."""
    with reporting(progress, "Collating") as report:
        from neuron_explainer.autoencoders.coder_set import load_coder_set
        from neuron_explainer.exemplars import Recipe
        from neuron_explainer.exemplars.collate import collate as run
        from neuron_explainer.models.corpus import open_corpus

        opened = open_corpus(corpus)
        loaded = load_named(model, dtype, device, threads)
        coder_sets = [load_coder_set(spec, loaded.config) for spec in coder or []]
        recipe = Recipe(window, top, random, per_band, precision, seed)
        pool = None
        if ray is not None:
            pool = _pool(loaded, recipe, threads or 1, coder or [], address=ray, n_workers=workers)
        started = time.monotonic()
        with contextlib.closing(pool) if pool is not None else contextlib.nullcontext():
            dataset = run(
                loaded,
                opened,
                out,
                recipe=recipe,
                coder_sets=coder_sets,
                name=name,
                description=description,
                max_tokens=tokens,
                pool=pool,
                overwrite=overwrite,
                on_progress=report,
            )
        card = dataset.card
        report.finish(
            {
                "out": str(out),
                "name": card.name,
                "n_tokens": card.n_tokens,
                "n_components": card.n_components,
                "n_bytes": card.n_bytes,
                "seconds": round(time.monotonic() - started, 1),
            },
            f"{card.n_components:,} components over {card.n_tokens:,} tokens, in {out}. "
            f"Look at it with `tdb serve --model {card.model} --dataset {out}`.",
        )


def _pool(
    model: "Transformer",
    recipe: "Recipe",
    threads: int,
    coders: Sequence[str],
    *,
    address: str,
    n_workers: int | None,
) -> "RayPool":
    """Workers that each load the model from its folder, at the precision of this process."""
    from dataclasses import replace

    import torch

    from neuron_explainer.exemplars.cluster import Equipment, RayPool, specs_of

    equipment = Equipment(
        model=model.config.name if model.folder is None else str(model.folder),
        recipe=replace(recipe, window=min(recipe.window, model.config.n_ctx)),
        dtype=model.dtype,
        device=str(model.device),
        threads=threads,
        float32_precision=torch.get_float32_matmul_precision(),
        coders=specs_of(coders),
    )
    return RayPool(equipment, address=address, n_workers=n_workers)

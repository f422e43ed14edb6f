"""Collates the demo's corpus into its bundled dataset: heads, neurons, and its coders' latents.

    .venv/bin/python scripts/demo/exemplars.py

Small enough to ship: activations of excerpts are kept as int8, and fewer excerpts than by default.
"""

import os
import sys
from pathlib import Path

from neuron_explainer import load_model
from neuron_explainer.autoencoders.coder_set import load_coder_set
from neuron_explainer.exemplars import Recipe
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.precision import use_fast_float32
from neuron_explainer.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
DEMO = Path("datasets/demo")
"""From the root, so that the card names the corpus as every checkout has it."""
RECIPE = Recipe(window=64, n_top=12, n_random=8, n_per_band=2, precision="int8")


def main() -> None:
    os.chdir(ROOT)
    use_fast_float32()
    model = load_model("demo")
    folders = [path.parent for path in sorted(DEMO.glob("coders/*/coders.json"))]
    dataset = collate(
        model,
        open_corpus(str(DEMO / "corpus.jsonl")),
        DEMO / "exemplars",
        recipe=RECIPE,
        coder_sets=[load_coder_set(str(folder), model.config) for folder in folders],
        name="demo",
        description="Text like that the demo model was trained on, which it has not seen.",
        overwrite=True,
        on_progress=show,
    )
    card = dataset.card
    print(f"\n{card.n_components:,} components, {card.n_tokens:,} tokens, {card.n_bytes:,} bytes")


def show(progress: Progress) -> None:
    print(f"\r{progress.message} {progress.done:,} {progress.unit}", end="", file=sys.stderr)


if __name__ == "__main__":
    main()

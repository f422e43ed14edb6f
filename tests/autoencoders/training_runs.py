"""Small training runs on a tiny model: what the tests of training share."""

import json
from pathlib import Path
from typing import Any

from neuron_explainer.autoencoders.recipe import Point, Recipe
from neuron_explainer.models.corpus import Corpus, open_corpus
from tests.tiny_models import CORPUS

POINTS = (Point("resid_delta_mlp", 0), Point("resid_delta_mlp", 1), Point("resid_delta_attn", 1))


def small_recipe(**changes: Any) -> Recipe:
    """24 steps of 64 tokens in blocks of 4 batches."""
    fields: dict[str, Any] = {
        "n_latents": 96,
        "k": 8,
        "tokens": 24 * 64,
        "batch_tokens": 64,
        "buffer_batches": 4,
        "window": 16,
        "learning_rate": 3e-3,
        "dead_after": 512,
    }
    return Recipe(**fields | changes)


def write_text(folder: Path, n_documents: int = 300) -> Path:
    """A corpus of different lines."""
    path = folder / "text.jsonl"
    lines = (CORPUS[i % 97 : i % 97 + 60 + i % 50] for i in range(n_documents))
    path.write_text("".join(json.dumps({"text": line}) + "\n" for line in lines))
    return path


def small_corpus(folder: Path) -> Corpus:
    return open_corpus(str(write_text(folder)))


def metrics(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]

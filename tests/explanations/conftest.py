"""A tiny model with a small dataset collated on it."""

from pathlib import Path

import pytest

from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.layout import Recipe
from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from tests.exemplars.small_corpus import small_corpus
from tests.tiny_fixtures import tiny, varied
from tests.tiny_models import TinyModels

__all__ = ["dataset", "subject", "tiny", "varied"]


@pytest.fixture(scope="session")
def subject(tiny_models: TinyModels) -> Transformer:
    """The model whose components are explained."""
    return tiny_models("gpt2").ours


@pytest.fixture(scope="session")
def dataset(subject: Transformer, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """What each of its components responds to."""
    folder = tmp_path_factory.mktemp("exemplars")
    corpus = open_corpus(str(small_corpus(folder / "corpus.jsonl", 200)))
    recipe = Recipe(window=16, n_top=12, n_random=8, n_per_band=2)
    return collate(subject, corpus, Path(folder / "dataset"), recipe=recipe)

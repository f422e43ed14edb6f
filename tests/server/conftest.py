"""A tiny model with a real tokenizer, the session that serves it, and a client."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from activation_server.app import create_app
from activation_server.jobs import JobRunner
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer import load_model
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.layout import Recipe
from neuron_explainer.explanations.encoders import word_vectors
from neuron_explainer.explanations.explanation import Explanation, Score
from neuron_explainer.explanations.rule_explainer import GroupToExplain, explain_group
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import update_vectors
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.exemplars.small_corpus import small_corpus
from tests.server.job_client import PROGRAM
from tests.server.sample import BASE_URL, MARKUP, PROMPT

_TEXT = [PROMPT, "Mary and John gave a drink to Mary and to John in the store."] * 4


def _byte_level_tokenizer() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(_TEXT, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of 3 layers, 2 heads and 64 neurons with random weights, as Hugging Face saves it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    tokenizer = _byte_level_tokenizer()
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_positions=64, n_embd=16, n_layer=3, n_head=2, n_inner=64
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def model(checkpoint: Path) -> Transformer:
    return load_model(checkpoint)


@pytest.fixture
def viewer_dir(tmp_path: Path) -> Path:
    """A built viewer of three files."""
    folder = tmp_path / "viewer"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>viewer</title>")
    (folder / "assets" / "index-3f9a.js").write_text("export {}")
    (folder / "icon.svg").write_text("<svg/>")
    return folder


@pytest.fixture
def settings(viewer_dir: Path) -> Settings:
    return Settings(viewer_dir=viewer_dir)


@pytest.fixture
def session(model: Transformer, settings: Settings) -> Iterator[ModelSession]:
    session = ModelSession(model, settings)
    yield session
    session.close()


@pytest.fixture
def client(session: ModelSession, settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings, session)
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def explained_folder(model: Transformer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset and a store of explanations."""
    folder = tmp_path_factory.mktemp("explained")
    corpus = open_corpus(str(small_corpus(folder / "corpus.jsonl", 120)))
    recipe = Recipe(window=16, n_top=6, n_random=6, n_per_band=1)
    dataset = collate(model, corpus, folder / "dataset", recipe=recipe)
    with ExplanationStore.open(folder / "e.sqlite", writable=True) as store:
        group = GroupToExplain(model, dataset, "mlp", 0)
        for explanation in explain_group(group, components=dataset.components("mlp", 0)[:2]):
            store.add(explanation)
        score = {"correlation": Score(0.9, 0.8, 0.95, 100)}
        store.add(Explanation(Component("mlp", 2, 5), MARKUP, "negative", "human", "now", score))
        update_vectors(store, word_vectors())
    return folder


@pytest.fixture
def explained(model: Transformer, explained_folder: Path, tmp_path: Path) -> Iterator[TestClient]:
    settings = Settings(
        datasets=(str(explained_folder / "dataset"),),
        explanations=(str(explained_folder / "e.sqlite"),),
        data_dir=tmp_path,
    )
    session = ModelSession(model, settings)
    with TestClient(create_app(settings, session), base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def job_settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", model="tiny")


@pytest.fixture
def runner(job_settings: Settings) -> Iterator[JobRunner]:
    runner = JobRunner(job_settings, PROGRAM)
    yield runner
    runner.close()


@pytest.fixture
def jobs(session: ModelSession, job_settings: Settings, runner: JobRunner) -> Iterator[TestClient]:
    app = create_app(job_settings, session, runner)
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def anyio_backend() -> str:
    """What asynchronous tests run on."""
    return "asyncio"

"""End to end with a real language model: SmolLM2 behind `transformers serve`, and in this process."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuron_explainer import load_model
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.layout import Recipe
from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.careful import Budget, Careful, Manners
from neuron_explainer.explanations.evidence import evidence, sides_of
from neuron_explainer.explanations.explain import Plan
from neuron_explainer.explanations.explain_job import JobResult, explain_all
from neuron_explainer.explanations.local_provider import LocalProvider
from neuron_explainer.explanations.openai_provider import Endpoint, OpenAIProvider
from neuron_explainer.explanations.prompts import all_at_once_prompt
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.explanations.simulate import NUMBERS, simulate, unknown_slots
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from tests.exemplars.small_corpus import small_corpus

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def smollm2(smollm2_folder: Path) -> Transformer:
    return load_model(smollm2_folder)


class Server:
    """`transformers serve` with SmolLM2 on a port of its own; may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        program = Path(sys.executable).with_name("transformers")
        self.process = subprocess.Popen(
            [program, "serve", self.folder, "--host", "127.0.0.1", "--port", str(self.port)],
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait(self) -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5)
                return
            except OSError:
                time.sleep(0.2)
        raise TimeoutError("transformers serve does not answer")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def server(smollm2_folder: Path) -> Iterator[Server]:
    server = Server(smollm2_folder)
    server.start()
    server.wait()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def small(subject: Transformer, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Few and short excerpts, since a core writes slowly."""
    folder = tmp_path_factory.mktemp("small")
    corpus = open_corpus(str(small_corpus(folder / "corpus.jsonl", 100)))
    recipe = Recipe(window=6, n_top=3, n_random=3, n_per_band=0)
    return collate(subject, corpus, folder / "dataset", recipe=recipe)


def test_a_real_model_behind_a_real_server_explains_and_every_failure_is_seen(
    server: Server, small: Dataset, tmp_path: Path
) -> None:
    every = small.components("mlp", 1)
    component = next(it for it in every if len(sides_of(small.record(it))) == 1)

    def run(store: Path, budget: Budget) -> JobResult:
        async def job() -> JobResult:
            provider = OpenAIProvider(Endpoint(str(server.folder), server.url))
            manners = Manners(concurrency=2, first_wait=0.2, longest_wait=1.0)
            careful = Careful(provider, ReplyCache(tmp_path / "r.sqlite"), budget, manners)
            with ExplanationStore.open(store, writable=True) as opened:
                try:
                    plan = Plan(judge=False)
                    return await explain_all(small, [component], opened, careful, careful, plan)
                finally:
                    await careful.close()

        return asyncio.run(job())

    stopped, whole = Budget(max_tokens=1), Budget()
    assert "budget of 1 tokens" in run(tmp_path / "e.sqlite", stopped).stopped
    assert stopped.calls >= 1  # what was in the air is counted, and nothing more is asked

    server.kill()
    back = threading.Timer(1.0, server.start)
    back.start()
    found = run(tmp_path / "e.sqlite", whole)  # the server is gone when the job starts
    back.join()
    sides = sides_of(small.record(component))
    assert found.explained + found.failed == len(sides)
    assert whole.cached >= stopped.calls
    with ExplanationStore.open(tmp_path / "e.sqlite") as store:
        explanations, failures = list(store.all()), store.failures()
    assert len(explanations) == found.explained
    for it in explanations:
        measure = it.measures["correlation"]
        assert measure.value is not None or measure.reason
        if measure.value is None:
            assert failures

    again = Budget()
    run(tmp_path / "other.sqlite", again)
    assert (again.calls, again.tokens) == (0, 0)
    assert again.cached == stopped.calls + whole.calls
    with ExplanationStore.open(tmp_path / "other.sqlite") as store:
        assert [(it.text, it.score) for it in store.all()] == [
            (it.text, it.score) for it in explanations
        ]
    sys.stdout.write(
        f"{whole.calls + stopped.calls} calls, {whole.tokens + stopped.tokens} tokens; "
        f"{[(it.text, it.score) for it in explanations]}; {failures}\n"
    )


def test_the_all_at_once_simulator_is_the_expected_value_of_the_models_own_softmax(
    smollm2: Transformer, dataset: Dataset
) -> None:
    import torch

    record = dataset.record(dataset.components("mlp", 1)[0])
    tokens = evidence(record, sides_of(record)[0]).held_out[0].tokens
    provider = LocalProvider(smollm2)
    found = asyncio.run(simulate(provider, "all_at_once", "names of people", tokens))
    assert len(found) == len(tokens)
    assert all(0 <= value <= 10 for value in found)
    prompt = all_at_once_prompt("names of people", tokens, top=9)  # 10 is two tokens to it
    prompt_tokens, _ = asyncio.run(provider.prompt_tokens(prompt, NUMBERS[:10]))
    slot = unknown_slots(prompt_tokens, len(tokens))[-1]
    ids = smollm2.tokenizer.encode(prompt)
    with torch.no_grad():
        probabilities = smollm2(torch.tensor([ids[:slot]]))[0, -1].float().softmax(-1)
    weight = {}
    for number in NUMBERS[:10]:
        (spelt,) = smollm2.tokenizer.encode(number, add_special_tokens=False)
        weight[int(number)] = float(probabilities[spelt])
    expected = 10 / 9 * sum(n * p for n, p in weight.items()) / sum(weight.values())
    assert found[-1] == pytest.approx(expected, abs=0.02)

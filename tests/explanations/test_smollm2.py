"""End to end with a real language model: SmolLM2 behind HTTP, and in this process."""

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from neuron_explainer import load_model
from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.careful import Budget, Careful, Manners
from neuron_explainer.explanations.evidence import evidence, sides_of
from neuron_explainer.explanations.explain import Plan
from neuron_explainer.explanations.explain_job import explain_all
from neuron_explainer.explanations.local_provider import LocalProvider
from neuron_explainer.explanations.openai_provider import Endpoint, OpenAIProvider
from neuron_explainer.explanations.prompts import all_at_once_prompt
from neuron_explainer.explanations.providers import Question
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.explanations.simulate import NUMBERS, simulate, unknown_slots
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.models.chat import Message
from neuron_explainer.models.transformer import Transformer
from tests.explanations.endpoint import Script, endpoint

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def smollm2(smollm2_folder: Path) -> Transformer:
    return load_model(smollm2_folder)


def serving(model: Transformer) -> Script:
    """The model behind the API that OpenAI's clients speak."""
    local = LocalProvider(model)
    turn = threading.Lock()

    def answer(body: dict[str, Any]) -> str:
        messages = tuple(Message(it["role"], it["content"]) for it in body["messages"])
        asked = Question(messages, min(body["max_tokens"], 48), body["temperature"])
        with turn:
            return asyncio.run(local.complete(asked)).text

    return Script(answer)


def test_a_real_model_over_http_explains_and_every_failure_is_seen(
    smollm2: Transformer, dataset: Dataset, tmp_path: Path
) -> None:
    script = serving(smollm2)
    component = dataset.components("mlp", 1)[0]
    store = ExplanationStore.open(tmp_path / "e.sqlite", writable=True)

    async def run(url: str, budget: Budget) -> Any:
        provider = OpenAIProvider(Endpoint("smollm2", url, timeout_seconds=120.0))
        manners = Manners(concurrency=2, first_wait=0.2, longest_wait=1.0, patience=300.0)
        careful = Careful(provider, ReplyCache(tmp_path / "r.sqlite"), budget, manners)
        try:
            return await explain_all(dataset, [component], store, careful, careful, Plan())
        finally:
            await careful.close()

    with endpoint(script) as url:
        port = int(url.rsplit(":", 1)[1].partition("/")[0])
        small = asyncio.run(run(url, Budget(max_tokens=1)))
    assert "budget" in small.stopped
    # The server is gone now, and comes back while the job waits for it.
    back = threading.Event()

    def revive() -> None:
        time.sleep(1.5)
        with endpoint(script, port):
            back.wait(600)

    thread = threading.Thread(target=revive)
    thread.start()
    try:
        budget = Budget()
        found = asyncio.run(run(f"http://127.0.0.1:{port}/v1", budget))
    finally:
        back.set()
        thread.join()
    sides = len(sides_of(dataset.record(component)))
    assert found.explained + found.failed == sides
    assert budget.cached >= 1  # what the first run was answered before its budget was spent
    explanations = list(store.all())
    assert len(explanations) == found.explained
    for it in explanations:
        measure = it.measures["correlation"]
        assert measure.value is not None or measure.reason
        if measure.value is None:
            assert store.failures()
    asked = [str(body) for body in script.requests]
    assert len(asked) == len(set(asked))


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

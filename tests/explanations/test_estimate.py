"""What a job is said to take beforehand is what it takes."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.careful import Careful
from neuron_explainer.explanations.estimate import N_SAMPLED, Estimate, estimate
from neuron_explainer.explanations.evidence import sides_of
from neuron_explainer.explanations.explain import Plan
from neuron_explainer.explanations.explain_job import explain_all
from neuron_explainer.explanations.providers import Fake, Question
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.explanations.store import ExplanationStore


def answer(question: Question) -> str:
    last = question.messages[-1].content
    if '{"activations"' in question.messages[0].content:
        n = len(re.findall(r"^\d+: ", last, re.MULTILINE))
        return json.dumps({"activations": [number % 3 for number in range(n)]})
    if '{"ratings"' in last:
        n = len(re.findall(r"^\d+\. ", last, re.MULTILINE))
        return json.dumps({"ratings": [number % 9 for number in range(n)]})
    return f"a phrase of draw {question.sample} about {hash(last) % 1000}"


@pytest.mark.parametrize("kind", ["mlp", "attn"])
@pytest.mark.parametrize("candidates", [1, 3])
def test_calls_are_told_exactly_and_tokens_rather_too_many(
    dataset: Dataset, tmp_path: Path, kind: str, candidates: int
) -> None:
    components = dataset.components(kind, 1)[:3]  # type: ignore[arg-type]  # a Kind
    plan = Plan(candidates=candidates)
    told = estimate(dataset, components, plan)
    careful = Careful(Fake(answer), ReplyCache(None))
    with ExplanationStore.open(tmp_path / "e.sqlite", writable=True) as store:
        asyncio.run(explain_all(dataset, components, store, careful, careful, plan))
        assert store.failures() == ()
    spent = careful.budget
    assert told.n_sides == sum(len(sides_of(dataset.record(it))) for it in components)
    assert told.n_calls == spent.calls + spent.cached
    assert spent.tokens <= told.n_tokens <= 3 * spent.tokens


def test_many_components_are_told_from_a_few(dataset: Dataset) -> None:
    every = dataset.components("mlp", 1)
    told, alone = estimate(dataset, every, Plan()), estimate(dataset, every[:1], Plan())
    assert told.n_calls > len(every) / 2
    assert told.n_tokens > alone.n_tokens
    assert estimate(dataset, [], Plan()) == Estimate(0, 0, 0)


def test_sides_are_counted_and_not_guessed_from_a_few(dataset: Dataset) -> None:
    every = [it for group in dataset.groups for it in dataset.components(group.kind, group.layer)]
    sides = [len(sides_of(dataset.record(it))) for it in every]
    assert len(every) > N_SAMPLED and {1, 2} <= set(sides)
    assert estimate(dataset, every, Plan()).n_sides == sum(sides)

"""Local models on a Ray cluster of two workers: the same answers as one process gives, even if one is killed."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.careful import Careful, Manners
from neuron_explainer.explanations.evidence import sides_of
from neuron_explainer.explanations.explain import Plan
from neuron_explainer.explanations.explain_job import JobResult, explain_all
from neuron_explainer.explanations.local_provider import LocalProvider
from neuron_explainer.explanations.providers import Provider, ProviderError, Question
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.workers import RayProvider, WorkerModel
from neuron_explainer.models.chat import Message
from neuron_explainer.models.transformer import Transformer
from tests.tiny_models import TinyModels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def helper(tiny_models: TinyModels) -> Transformer:
    """The model that explains: any that answers will do, since its words are not judged here."""
    return tiny_models("llama").ours


@pytest.fixture(scope="module")
def cluster(helper: Transformer) -> Iterator[RayProvider]:
    pytest.importorskip("ray")
    precision = torch.get_float32_matmul_precision()
    equipment = WorkerModel(str(helper.folder), helper.config.name, float32_precision=precision)
    provider = RayProvider(equipment, n_workers=2)
    yield provider
    asyncio.run(provider.close())


def explained(provider: Provider, dataset: Dataset, folder: Path) -> JobResult:
    """A job with this provider."""
    plan = Plan(candidates=2, judge=False)
    careful = Careful(provider, ReplyCache(None), manners=Manners(concurrency=4, first_wait=0.1))
    with ExplanationStore.open(folder / "e.sqlite", writable=True) as store:
        components = dataset.components("mlp", 1)[:3]
        return asyncio.run(explain_all(dataset, components, store, careful, careful, plan))


def outcome(folder: Path) -> tuple[set[tuple[object, ...]], set[tuple[object, ...]]]:
    """What was said, and what failed and why."""
    with ExplanationStore.open(folder / "e.sqlite") as store:
        said = {(str(it.component), it.side, it.text, it.score) for it in store.all()}
        failed = {(str(it.component), it.side, it.reason) for it in store.failures()}
    return said, failed


def test_two_workers_explain_as_one_process_does_even_if_one_is_killed(
    cluster: RayProvider, helper: Transformer, dataset: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "alone").mkdir()
    (tmp_path / "cluster").mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected = explained(LocalProvider(helper), dataset, tmp_path / "alone")
    finally:
        torch.set_num_threads(threads)
    victims = cluster.process_ids()
    assert len({*victims, os.getpid()}) == 3
    os.kill(victims[0], signal.SIGKILL)
    found = explained(cluster, dataset, tmp_path / "cluster")
    sides = sum(len(sides_of(dataset.record(it))) for it in dataset.components("mlp", 1)[:3])
    assert found.explained + found.failed == sides
    assert found == expected
    assert outcome(tmp_path / "cluster") == outcome(tmp_path / "alone")
    assert victims[0] not in cluster.process_ids()


def test_a_workers_refusal_is_told_as_in_one_process(cluster: RayProvider) -> None:
    async def both() -> None:
        tokens, usage = await cluster.prompt_tokens("Mary and John", ("a",))
        assert usage.prompt == len(tokens)
        with pytest.raises(ProviderError, match="tokens"):
            await cluster.complete(Question((Message("user", "the " * 500),)))

    asyncio.run(both())

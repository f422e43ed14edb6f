"""Collation on a local Ray cluster of two workers: the same, bit for bit, even if one is killed."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from neuron_explainer.exemplars import Dataset, Recipe
from neuron_explainer.exemplars.cluster import ClusterUnavailable, Equipment, RayPool
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.progress import Progress
from tests.exemplars.same_dataset import assert_same
from tests.exemplars.small_corpus import small_corpus
from tests.tiny_models import TinyModel, TinyModels

pytestmark = pytest.mark.slow
RECIPE = Recipe(window=16, n_top=5, n_random=3, n_per_band=1, shard_windows=16)


@pytest.fixture(scope="module")
def tiny(tiny_models: TinyModels) -> TinyModel:
    return tiny_models("gpt2")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus") / "small.jsonl", n_documents=200)


@pytest.fixture(scope="module")
def alone(tiny: TinyModel, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("alone") / "small"
    try:
        return collate(tiny.ours, open_corpus(str(corpus)), out, recipe=RECIPE)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture
def pool(tiny: TinyModel) -> Iterator[RayPool]:
    pytest.importorskip("ray")
    precision = torch.get_float32_matmul_precision()
    equipment = Equipment(str(tiny.folder), RECIPE, float32_precision=precision)
    pool = RayPool(equipment, address="local", n_workers=2)  # nobody else's cluster
    yield pool
    pool.close()


def test_two_workers_give_what_one_process_gives(
    pool: RayPool, tiny: TinyModel, corpus: Path, alone: Dataset, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    found = collate(
        tiny.ours,
        open_corpus(str(corpus)),
        tmp_path / "small",
        recipe=RECIPE,
        pool=pool,
        checkpoint_seconds=1.0,
        on_progress=seen.append,
    )
    assert_same(found, alone)
    assert len(set(pool.process_ids()) - {os.getpid()}) == 2


def test_a_killed_worker_changes_nothing(
    pool: RayPool, tiny: TinyModel, corpus: Path, alone: Dataset, tmp_path: Path
) -> None:
    victims = pool.process_ids()
    killed = threading.Event()

    def kill(progress: Progress) -> None:
        if progress.done > 0 and not killed.is_set():
            killed.set()
            os.kill(victims[0], signal.SIGKILL)
            time.sleep(0.2)

    found = collate(
        tiny.ours,
        open_corpus(str(corpus)),
        tmp_path / "small",
        recipe=RECIPE,
        pool=pool,
        checkpoint_seconds=0.5,
        on_progress=kill,
    )
    assert killed.is_set()
    assert_same(found, alone)
    assert victims[0] not in pool.process_ids()


def test_a_cluster_that_is_not_there() -> None:
    pytest.importorskip("ray")
    with pytest.raises(ClusterUnavailable, match="There is no Ray cluster at") as problem:
        RayPool(Equipment("demo", RECIPE), address="127.0.0.1:1")
    assert "ray start" in problem.value.hint

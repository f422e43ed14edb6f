"""States of parts of a corpus merge into that of the whole, bit for bit, however it was divided."""

from collections.abc import Sequence

import pytest
import torch

from neuron_explainer.exemplars import Recipe
from neuron_explainer.exemplars.observing import Observer
from neuron_explainer.exemplars.shards import Shard, shards_of
from neuron_explainer.exemplars.state import State
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.models.windows import token_windows
from tests.exemplars.small_corpus import small_corpus
from tests.tiny_models import TinyModels

RECIPE = Recipe(window=16, n_top=5, n_random=3, n_per_band=1, shard_windows=16)


@pytest.fixture(scope="module")
def model(tiny_models: TinyModels) -> Transformer:
    return tiny_models("gpt2").ours


@pytest.fixture(scope="module")
def shards(model: Transformer, tmp_path_factory: pytest.TempPathFactory) -> list[Shard]:
    corpus = open_corpus(str(small_corpus(tmp_path_factory.mktemp("corpus") / "small.jsonl", 80)))
    return list(shards_of(token_windows(corpus, model.tokenizer, 16), 16))


def run(model: Transformer, shards: Sequence[Shard]) -> State:
    observer = Observer(model, [])
    state = State.empty(observer.groups, RECIPE, model.device)
    for shard in shards:
        for batch in shard.batches(model.device):
            observer.run(batch, state.receive)
    return state


def assert_equal(one: State, other: State) -> None:
    mine, theirs = one.tensors(), other.tensors()
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if not mine[name].equal(theirs[name])] == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_parts_in_any_order_and_grouping(
    model: Transformer, shards: list[Shard], order: tuple[int, ...]
) -> None:
    assert len(shards) >= 6
    parts = [run(model, shards[first::3]) for first in order]
    left = State.empty(Observer(model, []).groups, RECIPE, model.device)
    for part in parts:
        left.merge(part)
    right = run(model, shards[order[1] :: 3])
    right.merge(run(model, shards[order[2] :: 3]))
    first = run(model, shards[order[0] :: 3])
    first.merge(right)
    whole = run(model, shards)
    assert_equal(left, whole)
    assert_equal(first, whole)


def test_a_state_survives_as_tensors(model: Transformer, shards: list[Shard]) -> None:
    state = run(model, shards[:2])
    again = State.of_tensors(
        {k: v.clone() for k, v in state.tensors().items()}, torch.device("cpu")
    )
    assert_equal(again, state)


def test_shards_in_reverse(model: Transformer, shards: list[Shard]) -> None:
    assert_equal(run(model, shards[::-1]), run(model, shards))


def test_a_value_that_is_not_finite_is_refused(model: Transformer, shards: list[Shard]) -> None:
    state = State.empty(Observer(model, []).groups, RECIPE, model.device)
    group = Observer(model, []).groups[-1]
    batch = next(shards[0].batches(model.device))
    values = torch.zeros(*batch.tokens.shape, group.n_components)
    values[0, 0, 3] = torch.nan
    with pytest.raises(ValueError, match=rf"{group.name}: component 3 .* not finite"):
        state.receive(group, batch, values)

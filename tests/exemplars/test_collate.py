"""Collation against brute force, and the same whatever cuts it off."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neuron_explainer.exemplars import Dataset, Recipe, open_dataset
from neuron_explainer.exemplars import collate as collating
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.distribution import LEVELS
from neuron_explainer.exemplars.observing import groups_of
from neuron_explainer.exemplars.workplace import Workplace
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from neuron_explainer.progress import Progress
from tests.autoencoders.random_coders import random_coder_set
from tests.exemplars.brute_force import Everything, everything
from tests.exemplars.same_dataset import assert_same
from tests.exemplars.small_corpus import small_corpus
from tests.tiny_models import TinyModels

RECIPE = Recipe(window=16, n_top=5, n_random=3, n_per_band=2, shard_windows=16)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus") / "small.jsonl")


@pytest.fixture(scope="module", params=["gpt2", "llama-grouped"])
def model(request: pytest.FixtureRequest, tiny_models: TinyModels) -> Transformer:
    return tiny_models(request.param).ours


@pytest.fixture(scope="module")
def coders(model: Transformer):
    return random_coder_set("random", "resid_delta_mlp", model.config.d_model)


@pytest.fixture(scope="module")
def dataset(model: Transformer, corpus: Path, coders, tmp_path_factory) -> Dataset:
    out = tmp_path_factory.mktemp("collated") / "small"
    return collate(model, open_corpus(str(corpus)), out, recipe=RECIPE, coder_sets=[coders])


@pytest.fixture(scope="module")
def truth(model: Transformer, corpus: Path, coders) -> Everything:
    return everything(model, open_corpus(str(corpus)), RECIPE.window, [coders])


def some_components(dataset: Dataset) -> list[Component]:
    return [g.component(i) for g in dataset.groups for i in range(0, g.n_components, 11)]


def group_name(component: Component) -> str:
    return str(component).rpartition("_")[0]


def test_every_kind_is_there(dataset: Dataset, model: Transformer, coders) -> None:
    assert list(dataset.groups) == groups_of(model, [coders])
    assert dataset.verify() == []


def test_leaders_are_those_of_brute_force(dataset: Dataset, truth: Everything) -> None:
    n_negative = 0
    for component in some_components(dataset):
        record = dataset.record(component)
        sides = [(record.top_positive, 1)]
        if component.kind == "mlp":
            sides.append((record.top_negative, -1))
            n_negative += len(record.top_negative)
        for exemplars, sign in sides:
            group, index = group_name(component), component.index or 0
            expected = truth.leaders(group, index, 5, sign)
            assert np.allclose([e.value for e in exemplars], expected, rtol=1e-5, atol=1e-6)
            for exemplar in exemplars:
                number = truth.sources.index(exemplar.source)
                while truth.texts[number] != exemplar.token_ids:  # further windows of the document
                    number += 1
                own = truth.best(group, index, number, sign)
                assert exemplar.value == pytest.approx(own, rel=1e-5, abs=1e-6)
            prefixes = {e.token_ids[: e.peak + 1] for e in exemplars}
            assert len(prefixes) == len(exemplars)
    assert n_negative > 30


def test_an_exemplar_shows_its_whole_window(dataset: Dataset, truth: Everything) -> None:
    for component in some_components(dataset):
        exemplar = (*dataset.record(component).top_positive, None)[0]
        if exemplar is None:
            continue
        number = truth.texts.index(exemplar.token_ids)
        expected = truth.values[group_name(component)][number][component.index or 0]
        rows = exemplar.activations
        flat = torch.tensor([a for row in rows for a in row] if component.kind == "attn" else rows)
        assert torch.allclose(flat, expected.float(), atol=float(expected.abs().max()) / 1000)
        peak = exemplar.peak
        if exemplar.peak_key is not None:
            peak = peak * (peak + 1) // 2 + exemplar.peak_key
        assert peak == int(expected.argmax())


def test_statistics_are_those_of_brute_force(dataset: Dataset, truth: Everything) -> None:
    for component in some_components(dataset):
        found = dataset.record(component).statistics
        values = truth.flat(group_name(component), component.index or 0)
        assert found.n_values == len(values)
        assert found.n_tokens == sum(map(len, truth.texts))
        assert found.mean == pytest.approx(float(values.mean()), rel=1e-6, abs=1e-6)
        assert found.std == pytest.approx(float(values.std(correction=0)), rel=1e-6, abs=1e-6)
        assert found.min == pytest.approx(float(values.min()), rel=1e-6, abs=1e-6)
        assert found.max == pytest.approx(float(values.max()), rel=1e-6, abs=1e-6)
        assert found.fraction_active == pytest.approx(
            float((values > 2**-21).double().mean()), abs=2e-4
        )


def test_quantiles_are_exact_to_their_bin(dataset: Dataset, truth: Everything) -> None:
    for component in some_components(dataset):
        values = truth.flat(group_name(component), component.index or 0).numpy()
        exact = np.quantile(values, LEVELS, method="inverted_cdf")
        found = list(dataset.record(component).statistics.quantiles.values())
        assert np.all(np.abs(found - exact) <= np.abs(exact) / 8 + 2**-20), component


def test_the_histogram_counts_every_value(dataset: Dataset, truth: Everything) -> None:
    for component in some_components(dataset):
        histogram = dataset.record(component).histogram
        values = truth.flat(group_name(component), component.index or 0).numpy()
        edges = np.array(histogram.edges)
        expected, _ = np.histogram(values, np.concatenate(([-np.inf], edges[1:-1], [np.inf])))
        assert sum(histogram.counts) == len(values)
        # A value within rounding of an edge may lie on its other side.
        assert np.abs(expected - np.array(histogram.counts)).sum() <= 0.01 * len(values) + 2


def test_no_two_bands_of_a_component_show_the_same_window(dataset: Dataset) -> None:
    n_bands = 0
    for group in dataset.groups:
        for index in range(group.n_components):
            bands = dataset.record(group.component(index)).quantiles
            windows = [(e.source, e.token_ids) for band in bands for e in band.exemplars]
            assert len(set(windows)) == len(windows)
            n_bands += len(bands)
    assert n_bands > 30


def test_band_excerpts_lie_in_their_band(dataset: Dataset, truth: Everything) -> None:
    n_bands = 0
    for component in some_components(dataset):
        record = dataset.record(component)
        quantiles = {float(level): value for level, value in record.statistics.quantiles.items()}
        for band in record.quantiles:
            lower = quantiles.get(band.lower, -np.inf)
            upper = quantiles.get(band.upper, np.inf)
            assert 1 <= len(band.exemplars) <= 2
            for exemplar in band.exemplars:
                assert lower < exemplar.value <= upper
                number = truth.texts.index(exemplar.token_ids)
                window = truth.values[group_name(component)][number][component.index or 0]
                place = exemplar.peak
                if exemplar.peak_key is not None:
                    place = place * (place + 1) // 2 + exemplar.peak_key
                assert exemplar.value == pytest.approx(float(window[place]), rel=1e-4, abs=1e-5)
            n_bands += 1
    assert n_bands > 30


def test_the_random_sample_is_shared_and_has_no_text_twice(dataset: Dataset) -> None:
    samples = {
        tuple(e.token_ids for e in dataset.record(c).random) for c in some_components(dataset)
    }
    (sample,) = samples
    assert len(set(sample)) == 3


def test_collating_again_gives_the_same(
    dataset: Dataset, model: Transformer, corpus: Path, coders, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    out = tmp_path / "small"
    again = collate(
        model,
        open_corpus(str(corpus)),
        out,
        recipe=RECIPE,
        coder_sets=[coders],
        checkpoint_seconds=0.0,
        on_progress=seen.append,
    )
    assert_same(again, dataset)
    assert [p.done for p in seen] == sorted(p.done for p in seen)
    assert seen[-1].done == again.card.n_tokens
    assert [p.name for p in tmp_path.iterdir()] == ["small"]


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


@pytest.mark.parametrize("damage", [cut_short, Path.unlink])
def test_collating_again_repairs_a_damaged_file(
    model: Transformer, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    corpus = open_corpus(str(small_corpus(tmp_path / "small.jsonl", n_documents=5)))
    whole = collate(model, corpus, tmp_path / "small", recipe=RECIPE)
    damage(tmp_path / "small" / "mlp_L1.safetensors")
    assert open_dataset(tmp_path / "small").verify() == ["mlp_L1.safetensors"]
    again = collate(model, corpus, tmp_path / "small", recipe=RECIPE)
    assert again.verify() == []
    assert_same(again, whole)


def test_what_another_process_finished_meanwhile_is_not_overwritten(
    model: Transformer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = open_corpus(str(small_corpus(tmp_path / "small.jsonl", n_documents=5)))

    def run(n_top: int) -> Dataset:
        return collate(model, corpus, tmp_path / "small", recipe=replace(RECIPE, n_top=n_top))

    class SecondToCome(Workplace):
        """Another process has the place, and is done, just before this one gets it."""

        def __init__(self, *given) -> None:
            with monkeypatch.context() as patched:
                patched.setattr(collating, "Workplace", Workplace)
                run(2)
            super().__init__(*given)

    with monkeypatch.context() as patched:
        patched.setattr(collating, "Workplace", SecondToCome)
        with pytest.raises(collating.AnotherDataset):
            run(1)
        assert open_dataset(tmp_path / "small").card.recipe.n_top == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small", "small.jsonl"]


class Stopped(Exception):
    """What a test raises in the middle of a collation."""


@pytest.mark.parametrize("n_shards", [1, 3, 7])
def test_a_collation_goes_on_where_it_was_cut_off(
    dataset: Dataset, model: Transformer, corpus: Path, coders, tmp_path: Path, n_shards: int
) -> None:
    calls: list[int] = []

    def stop(progress: Progress) -> None:
        calls.append(progress.done)
        if len(calls) == n_shards:
            raise Stopped

    def run(on_progress) -> Dataset:
        return collate(
            model,
            open_corpus(str(corpus)),
            tmp_path / "small",
            recipe=RECIPE,
            coder_sets=[coders],
            checkpoint_seconds=0.0,
            on_progress=on_progress,
        )

    with pytest.raises(Stopped):
        run(stop)
    before = calls[-2] if n_shards > 1 else 0
    first: list[int] = []
    assert_same(run(lambda progress: first.append(progress.done)), dataset)
    assert first[0] > before  # what was kept is not run again
    assert open_dataset(tmp_path / "small").card.n_tokens == dataset.card.n_tokens


def test_two_coder_sets_of_one_stream_are_refused(
    model: Transformer, corpus: Path, coders, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="share a stream"):
        collate(model, open_corpus(str(corpus)), tmp_path / "x", coder_sets=[coders, coders])

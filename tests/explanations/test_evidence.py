"""What is known of a side of a component, beside its excerpts."""

from dataclasses import replace

import pytest

from neuron_explainer.exemplars.records import Histogram
from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.evidence import density, evidence


def test_each_side_has_the_density_of_its_own_sign(dataset: Dataset) -> None:
    record = dataset.record(dataset.components("mlp", 0)[0])
    edges = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
    by_hand = replace(
        record,
        histogram=Histogram(edges, (10, 5, 65, 15, 5)),
        statistics=replace(record.statistics, fraction_active=0.25),
    )
    assert evidence(by_hand, "positive").density == 0.25
    assert evidence(by_hand, "negative").density == pytest.approx(0.15)
    never_below = replace(by_hand, histogram=Histogram((0.0, 0.5, 1.0), (80, 20)))
    assert density(never_below, "negative") == 0
    untold = replace(
        by_hand,
        histogram=Histogram((), ()),
        statistics=replace(record.statistics, fraction_active=None),
    )
    assert density(untold, "negative") is None


def test_the_two_densities_of_a_neuron_are_all_of_its_values_but_the_silent_ones(
    dataset: Dataset,
) -> None:
    for component in dataset.components("mlp", 0)[:20]:
        record = dataset.record(component)
        both = [density(record, "positive"), density(record, "negative")]
        assert 0.95 < sum(it or 0.0 for it in both) <= 1.0001

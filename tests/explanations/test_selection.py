"""Which components a spec means, and what it says of one that means none."""

import pytest

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.selection import select_components


def test_ranges_hold_both_ends(dataset: Dataset) -> None:
    chosen = select_components(dataset, ["mlp_L1_2-4, mlp_L1_3", "attn_L0_0-0"])
    assert [str(it) for it in chosen] == ["attn_L0_0", "mlp_L1_2", "mlp_L1_3", "mlp_L1_4"]
    n = len(dataset.components("mlp", 1))
    assert select_components(dataset, [f"mlp_L1_0-{n - 1}"]) == dataset.components("mlp", 1)


@pytest.mark.parametrize("spec", ["mlp_L1_9-1", "mlp_L1_0-100000", "mlp_L1_100000-100001"])
def test_a_range_that_names_nothing_says_what_is_allowed(dataset: Dataset, spec: str) -> None:
    last = len(dataset.components("mlp", 1)) - 1
    with pytest.raises(LookupError, match=f"{spec} .* counts up, within 0-{last} in mlp_L1"):
        select_components(dataset, ["mlp_L0_1", spec])


@pytest.mark.parametrize("spec", ["", " , "])
def test_no_component_at_all_is_an_error_too(dataset: Dataset, spec: str) -> None:
    with pytest.raises(LookupError, match=r"mlp_L1.* or all"):
        select_components(dataset, [spec])

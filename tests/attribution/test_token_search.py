"""Which components promote a token: what may be found, and in which order."""

import torch

from neuron_explainer.attribution.token_search import top_promotions
from neuron_explainer.nodes import Component

BY_GROUP = {
    ("mlp", 0, None): torch.tensor([1.0, 9.0, -2.0]),
    ("latent", 0, "mlp"): torch.tensor([8.0, -7.0]),
    ("latent", 0, "attn"): torch.tensor([3.0, 4.0]),
}


def names(**asked: object) -> list[str]:
    return [str(it.component) for it in top_promotions(BY_GROUP, 2, **asked)]  # type: ignore[arg-type]  # as given


def test_the_strongest_of_all_groups_come_first() -> None:
    assert names() == ["mlp_L0_1", "mlp_ae_L0_0"]
    assert names(suppress=True) == ["mlp_ae_L0_1", "mlp_L0_2"]


def test_latents_are_those_of_the_stream_that_is_asked_for() -> None:
    assert names(kind="latent", stream="attn") == ["attn_ae_L0_1", "attn_ae_L0_0"]
    assert names(stream="mlp") == ["mlp_ae_L0_0", "mlp_ae_L0_1"]


def test_what_is_not_admitted_takes_no_place() -> None:
    weak = [Component("mlp", 0, 0), Component("latent", 0, 0, "attn")]
    assert names(among=weak) == ["attn_ae_L0_0", "mlp_L0_0"]
    assert names(among=[]) == []

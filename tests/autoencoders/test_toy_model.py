"""Superposition with a known answer: the true features are found, and fewer of them without resampling."""

import pytest
import torch
import torch.nn.functional as F

from neuron_explainer.autoencoders.recipe import Recipe
from neuron_explainer.autoencoders.sparse_coder import SparseCoderConfig, coder_from_tensors
from neuron_explainer.autoencoders.toy_model import ToyModel, recovery, train_on_toy


def test_samples_are_sparse_sums_of_the_features() -> None:
    toy = ToyModel(40, 64, n_active=3.0, rarest=0.2)
    assert torch.allclose(toy.features.norm(dim=1), torch.ones(40))
    assert toy.chances.sum().item() == pytest.approx(3.0)
    assert (toy.chances[-1] / toy.chances[0]).item() == pytest.approx(0.2)
    # With fewer features than dimensions, each sample has one decomposition: look at it.
    sizes = torch.linalg.lstsq(toy.features.T, toy.sample(20_000).T).solution.T
    is_active = sizes > 0.25
    assert is_active.float().mean(dim=0).numpy() == pytest.approx(toy.chances.numpy(), abs=0.01)
    assert sizes[is_active].min() > 0.49
    assert sizes[is_active].max() < 1.51
    assert sizes[~is_active].abs().max() < 0.01


def test_recovery_on_a_case_worked_out_by_hand() -> None:
    features = torch.eye(3)
    columns = torch.tensor([[1.0, 0.0], [0.0, 0.8], [0.0, 0.6]])  # the second: cosines 0, 0.8, 0.6
    config = SparseCoderConfig("resid_post", 0, d_in=3, n_latents=2)
    tensors = {
        "w_enc": torch.zeros(2, 3),
        "b_enc": torch.zeros(2),
        "w_dec": 7.0 * columns,  # lengths do not matter
        "b_dec": torch.zeros(3),
    }
    found = recovery(features, coder_from_tensors(config, tensors, "test"))
    assert found.mean_max_cosine == pytest.approx((1 + 0.8 + 0.6) / 3)
    assert found.share_recovered == pytest.approx(1 / 3)


def test_random_directions_recover_nothing() -> None:
    toy = ToyModel(512, 128, n_active=5.0)
    config = SparseCoderConfig("resid_post", 0, d_in=128, n_latents=768)
    columns = F.normalize(torch.randn(128, 768, generator=torch.Generator().manual_seed(7)), dim=0)
    tensors = {
        "w_enc": columns.T.contiguous(),
        "b_enc": torch.zeros(768),
        "w_dec": columns,
        "b_dec": torch.zeros(128),
    }
    found = recovery(toy.features, coder_from_tensors(config, tensors, "random"))
    assert found.share_recovered == 0.0
    assert found.mean_max_cosine < 0.5


@pytest.mark.slow
def test_512_features_are_recovered_and_fewer_without_resampling() -> None:
    found = {}
    for revival in ("resample", "none"):
        recipe = Recipe(
            768,
            k=8,
            tokens=1_000_000,
            window=1,
            learning_rate=3e-3,
            dead_after=50_000,
            revival=revival,
        )
        toy = ToyModel(512, 128, n_active=5.0, rarest=0.1)
        found[revival] = recovery(toy.features, train_on_toy(toy, recipe))
    print(found)  # noqa: T201 - shown by pytest -s
    with_it, without = found["resample"], found["none"]
    assert with_it.share_recovered >= 0.95
    assert with_it.share_recovered > without.share_recovered + 0.005
    assert with_it.mean_max_cosine > without.mean_max_cosine + 0.003

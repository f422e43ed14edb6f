"""One coder in training: its steps, its constraints, and the coder that comes out."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from neuron_explainer.autoencoders.learner import Learner
from neuron_explainer.autoencoders.recipe import Point, Recipe
from tests.autoencoders.training_runs import small_recipe

D = 12
KINDS: dict[str, dict[str, Any]] = {
    "topk": {},
    "batchtopk": {"nonlinearity": "batchtopk"},
    "relu": {"nonlinearity": "relu", "k": None, "l1": 1.0},
    "jumprelu": {"nonlinearity": "jumprelu", "k": None, "l0": 0.1},
}


def inputs(n: int = 512, seed: int = 3) -> Tensor:
    """Sparse combinations of 24 directions, off centre and not of unit scale."""
    generator = torch.Generator().manual_seed(seed)
    directions = F.normalize(torch.randn(24, D, generator=torch.Generator().manual_seed(9)))
    sizes = torch.rand(n, 24, generator=generator) * (torch.rand(n, 24, generator=generator) < 0.1)
    return 5.0 * sizes @ directions + torch.arange(D) / 3


def started(recipe: Recipe) -> Learner:
    learner = Learner(Point("resid_post", 0), recipe, D, torch.device("cpu"))
    learner.start(inputs(), torch.Generator().manual_seed(0))
    return learner


@pytest.mark.parametrize("kind", KINDS)
def test_every_nonlinearity_learns(kind: str) -> None:
    learner = started(small_recipe(tokens=64 * 400, **KINDS[kind]))
    x = inputs(4096, seed=4)
    losses = []
    for step in range(400):
        learner.step(x[(step * 64) % 4096 :][:64], step)
        if step % 50 == 49:
            losses.append(learner.figures()["fvu"])
    assert losses[-1] < losses[0], losses
    coder = learner.coder("test")
    held_out = inputs(seed=5)
    error = (held_out - coder(held_out)).square().sum()
    variance = (held_out - held_out.mean(dim=0)).square().sum()
    assert error / variance < 0.25


@pytest.mark.parametrize("kind", KINDS)
def test_the_coder_reconstructs_as_the_learner_does(kind: str) -> None:
    learner = started(small_recipe(**KINDS[kind]))
    x = inputs(64)
    for step in range(3):
        learner.step(x, step)
    coded = learner._code(x * learner.scale)
    coder = learner.coder("test")
    if kind == "batchtopk":  # outside training: one threshold, not the largest of this batch
        assert coder.threshold is not None
        learned = learner.batch_threshold / learner.scale
        assert torch.allclose(coder.threshold, learned)
        return
    assert torch.allclose(coder(x), coded.recon.detach() / learner.scale, atol=1e-4)
    assert int((coder.encode(x) > 0).sum()) == coded.n_active


def test_decoder_columns_keep_unit_norm_and_their_gradient_is_tangent() -> None:
    learner = started(small_recipe())
    for step in range(5):
        before = learner.weights["w_dec"].detach().clone()
        learner.step(inputs(64, seed=step), step)
        grad = learner.weights["w_dec"].grad
        assert grad is not None
        assert torch.allclose((grad * before).sum(dim=1), torch.zeros(96), atol=1e-6)
        norms = learner.weights["w_dec"].norm(dim=1)
        assert torch.allclose(norms, torch.ones(96), atol=1e-6)
    assert torch.allclose(learner.coder("x").decoder.norm(dim=0), torch.ones(96), atol=1e-5)


def test_the_gradient_is_that_of_the_loss_as_it_is_written() -> None:
    """One step against the same step with dense products, torch.topk and torch's own Adam."""
    recipe = small_recipe(revival="none")
    learner = started(recipe)
    own = {n: w.detach().clone().requires_grad_() for n, w in learner.weights.items()}
    x = inputs(64) * learner.scale
    pre = F.linear(x - own["b_dec"], own["w_enc"], own["b_enc"])
    index = pre.topk(8, dim=1).indices
    z = (pre * torch.zeros_like(pre).scatter(1, index, 1.0)).relu()
    recon = z @ own["w_dec"] + own["b_dec"]
    (x - recon).square().mean().backward()
    grad, rows = own["w_dec"].grad, own["w_dec"].detach()
    assert grad is not None
    grad -= (grad * rows).sum(dim=1, keepdim=True) * rows
    optimizer = torch.optim.Adam(own.values(), lr=recipe.rate(0))
    optimizer.step()
    with torch.no_grad():
        own["w_dec"] /= own["w_dec"].norm(dim=1, keepdim=True)
    learner.step(inputs(64), 0)
    for name, weight in learner.weights.items():
        assert torch.allclose(weight, own[name], atol=1e-5), name


def test_the_mean_reconstructs_at_first_and_the_scale_is_that_of_the_activations() -> None:
    learner = started(small_recipe())
    x = inputs()
    spread = (x * learner.scale - learner.weights["b_dec"]).square().sum(dim=1).mean()
    assert spread.item() == pytest.approx(D, rel=1e-4)
    assert torch.allclose(learner.weights["b_dec"] / learner.scale, x.mean(dim=0), atol=1e-4)


def silenced(recipe: Recipe) -> Learner:
    """A learner whose first 80 latents are too faint to be among the largest; 16 remain for 24 directions."""
    learner = started(recipe)
    with torch.no_grad():
        learner.weights["w_enc"][:80] *= 1e-3
    return learner


def train(learner: Learner, n_steps: int) -> None:
    x, generator = inputs(4096), torch.Generator().manual_seed(1)
    for step in range(n_steps):
        learner.step(x[(step * 64) % 4096 :][:64], step)
        if step + 1 in learner.recipe.resample_steps:
            learner.resample(x[:512], generator)


@pytest.mark.parametrize("revival", ["auxiliary", "resample", "both"])
def test_dead_latents_are_brought_back(revival: Any) -> None:
    n_dead = {}
    for way in (revival, "none"):
        learner = silenced(small_recipe(k=4, tokens=64 * 300, dead_after=1280, revival=way))
        train(learner, 300)
        n_dead[way] = int((learner.silence.dead < 80).sum())
    assert n_dead["none"] > 70
    assert n_dead[revival] < n_dead["none"] - 10, n_dead


def test_the_auxiliary_loss_moves_dead_latents_only() -> None:
    moved = {}
    for way in ("auxiliary", "none"):
        learner = silenced(small_recipe(k=2, revival=way))
        learner.silence.tokens[:80] = learner.recipe.silence
        before = learner.weights["w_enc"].detach().clone()
        learner.step(inputs(64), 0)
        moved[way] = (learner.weights["w_enc"].detach() - before).abs().sum(dim=1)
    assert (moved["none"][:80] == 0).all()
    assert (moved["auxiliary"][:80] > 0).any()
    assert torch.equal(moved["auxiliary"][80:], moved["none"][80:])


def test_a_state_that_is_loaded_goes_on_as_the_original() -> None:
    recipe = small_recipe()
    first = started(recipe)
    for step in range(6):
        first.step(inputs(64, seed=step), step)
    state = {name: value.clone() for name, value in first.state().items()}
    second = Learner(Point("resid_post", 0), recipe, D, torch.device("cpu"))
    second.load_state(state)
    for learner in (first, second):
        for step in range(6, 12):
            learner.step(inputs(64, seed=step), step)
    for name, value in first.state().items():
        assert torch.equal(value, second.state()[name]), name

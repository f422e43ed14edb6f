"""Dead latents: when they count as dead, and the new start that resampling gives them."""

import torch

from neuron_explainer.autoencoders.dead_latents import Silence, resample

CPU = torch.device("cpu")


def test_a_latent_is_dead_after_so_many_silent_tokens() -> None:
    silence = Silence(3, dead_after=20, device=CPU)
    silence.add(10, torch.tensor([True, False, False]))
    silence.add(10, torch.tensor([False, True, False]))
    assert silence.dead.tolist() == [2]
    assert silence.dead_fraction == torch.tensor(1 / 3).item()


def test_resampling_points_dead_latents_at_badly_explained_inputs() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = {
        "w_enc": torch.randn(6, 4, generator=generator),
        "b_enc": torch.randn(6, generator=generator),
        "w_dec": torch.nn.functional.normalize(torch.randn(6, 4, generator=generator)),
    }
    before = {name: value.clone() for name, value in weights.items()}
    moments = {name: (torch.ones_like(v), torch.ones_like(v)) for name, v in weights.items()}
    inputs = torch.randn(50, 4, generator=generator)
    losses = torch.zeros(50)
    losses[17] = 1.0  # the only input with any loss: it must be drawn
    resample(torch.tensor([1, 4]), inputs, losses, weights, moments, generator, 0.2)

    live = torch.tensor([0, 2, 3, 5])
    direction = inputs[17] / inputs[17].norm()
    length = 0.2 * before["w_enc"][live].norm(dim=1).mean()
    for latent in (1, 4):
        assert torch.allclose(weights["w_dec"][latent], direction)
        assert torch.allclose(weights["w_enc"][latent], direction * length)
        assert weights["b_enc"][latent] == 0
        assert all((m[latent] == 0).all() for pair in moments.values() for m in pair)
    for name, value in weights.items():
        assert torch.equal(value[live], before[name][live])
        assert all((moment[live] == 1).all() for moment in moments[name])


def test_inputs_are_drawn_by_the_square_of_their_loss() -> None:
    inputs = torch.eye(2)
    losses = torch.tensor([1.0, 3.0])
    n = 4000
    weights = {
        "w_enc": torch.ones(n + 1, 2),
        "b_enc": torch.zeros(n + 1),
        "w_dec": torch.ones(n + 1, 2),
    }
    moments = {name: (torch.zeros_like(v), torch.zeros_like(v)) for name, v in weights.items()}
    generator = torch.Generator().manual_seed(0)
    resample(torch.arange(n), inputs, losses, weights, moments, generator, 0.2)
    share = weights["w_dec"][:n, 1].mean().item()
    assert abs(share - 0.9) < 0.02  # 9 / (1 + 9); four standard deviations

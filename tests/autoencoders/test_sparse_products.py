"""Encoding and decoding of active latents only, against dense products and torch's own gradients."""

import torch
from torch import Tensor

from neuron_explainer.autoencoders.selection import largest_of_batch
from neuron_explainer.autoencoders.sparse_products import (
    count_by_latent,
    decode_selected,
    encode_selected,
)

N_TOKENS, N_LATENTS, D = 30, 70, 11


def weights() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    shapes = [(N_TOKENS, D), (N_LATENTS, D), (N_LATENTS,), (N_LATENTS, D)]
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes
    ]


def test_results_and_gradients_are_those_of_dense_products() -> None:
    x, w_enc, b_enc, w_dec = weights()
    target = torch.randn(N_TOKENS, D, generator=torch.Generator().manual_seed(2)).double()
    pre = x @ w_enc.T + b_enc
    selected = largest_of_batch(pre.detach(), 5 * N_TOKENS)
    mask = torch.zeros_like(pre)
    mask[selected.token, selected.latent] = 1.0
    dense = (pre * mask) @ w_dec

    values = encode_selected(x, w_enc, b_enc, selected.values(pre.detach()), selected)
    sparse = decode_selected(values, w_dec, selected)
    assert torch.allclose(sparse, dense, rtol=0, atol=1e-12)

    wanted = [x, w_enc, b_enc, w_dec]
    expected = torch.autograd.grad((dense - target).square().sum(), wanted)
    found = torch.autograd.grad((sparse - target).square().sum(), wanted)
    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def test_active_latents_are_counted() -> None:
    x, w_enc, b_enc, _ = weights()
    pre = (x @ w_enc.T + b_enc).detach()
    selected = largest_of_batch(pre, 40)
    kept = (pre >= pre.flatten().topk(40).values[-1]) & (pre > 0)
    assert torch.equal(count_by_latent(selected), kept.sum(dim=0))

"""A coder computes its equations, keeps what it is given, and says what is wrong with what it is not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from neuron_explainer.autoencoders.sparse_coder import (
    SparseCoder,
    SparseCoderConfig,
    coder_from_tensors,
)

CONFIG = SparseCoderConfig("resid_post", layer=1, d_in=5, n_latents=12, nonlinearity="topk", k=3)


def make(config: SparseCoderConfig) -> SparseCoder:
    generator = torch.Generator().manual_seed(0)
    shapes = {name: p.shape for name, p in SparseCoder(config).named_parameters()}
    tensors = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    return coder_from_tensors(config, tensors, "here")


def inputs() -> torch.Tensor:
    return torch.randn(7, 5, generator=torch.Generator().manual_seed(1))


def test_latents_and_reconstruction_follow_the_equations() -> None:
    coder, x = make(replace(CONFIG, nonlinearity="relu", k=None)), inputs()
    for i in range(len(x)):
        pre = coder.w_enc @ (x[i] - coder.b_dec) + coder.b_enc
        z = pre.clamp(min=0)
        torch.testing.assert_close(coder.encode(x[i]), z)
        torch.testing.assert_close(coder(x[i]), coder.decoder @ z + coder.b_dec)


def test_a_layer_normed_coder_takes_its_norm_back() -> None:
    coder, x = make(replace(CONFIG, input_norm="layer")), inputs()
    mean, std = x.mean(-1, keepdim=True), x.std(-1, keepdim=True) + 1e-5
    z = coder.encode(x)
    pre = ((x - mean) / std - coder.b_dec) @ coder.w_enc.T + coder.b_enc
    assert torch.allclose(z[z > 0], pre[z > 0], atol=1e-5)
    torch.testing.assert_close(coder(x), (z @ coder.decoder.T + coder.b_dec) * std + mean)
    with pytest.raises(ValueError, match="beside its input"):
        coder.decode(z)


def test_active_latents_are_the_dense_ones_without_zeros() -> None:
    coder, x = make(CONFIG), inputs()
    found = coder.encode_active(x, chunk=2)
    dense = torch.zeros(7, 12)
    dense[found.token, found.latent] = found.value
    torch.testing.assert_close(dense, coder.encode(x))  # other batch sizes, other last bits
    assert torch.equal(dense > 0, coder.encode(x) > 0)
    assert len(found.value) <= 7 * 3


def test_a_tied_decoder_is_the_encoder_transposed() -> None:
    coder = make(replace(CONFIG, tied_decoder=True))
    assert coder.w_dec is None
    assert torch.equal(coder.decoder, coder.w_enc.T)


def test_saving_and_loading_changes_nothing(tmp_path: Path) -> None:
    coder = make(replace(CONFIG, nonlinearity="jumprelu", k=None))
    coder.save(tmp_path)
    again = SparseCoder.load(tmp_path)
    assert again.config == coder.config
    assert torch.equal(again.encode(inputs()), coder.encode(inputs()))
    assert not any(p.requires_grad for p in again.parameters())


def test_a_coder_of_the_wrong_width_is_refused_with_both_numbers(tmp_path: Path) -> None:
    make(CONFIG).save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"d_in": 6}))
    with pytest.raises(ValueError, match=r"\(12, 5\).*\(12, 6\)"):
        SparseCoder.load(tmp_path)


def test_nan_weights_are_refused(tmp_path: Path) -> None:
    make(CONFIG).save(tmp_path)
    tensors = load_file(tmp_path / "coder.safetensors")
    tensors["w_enc"][0, 0] = float("nan")
    save_file(tensors, tmp_path / "coder.safetensors")
    with pytest.raises(ValueError, match="w_enc holds 1 NaN or infinite values among 60"):
        SparseCoder.load(tmp_path)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    make(CONFIG).save(tmp_path)
    whole = (tmp_path / "coder.safetensors").read_bytes()
    (tmp_path / "coder.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="cannot be read"):
        SparseCoder.load(tmp_path)


def test_a_folder_without_a_coder_is_a_lookup_error(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"config\.json is missing"):
        SparseCoder.load(tmp_path)


@pytest.mark.parametrize("wrong", [{"site": "logits"}, {"d_out": 4}, {"k": None}])
def test_a_config_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="logits|d_out|k="):
        replace(CONFIG, **wrong)  # type: ignore[arg-type]

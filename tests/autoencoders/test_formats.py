"""Coders in other people's layouts, written here to their schemas, encode as their equations say."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from neuron_explainer.autoencoders import load_coder, load_coders

D, N = 6, 10


def numbers(*shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(sum(shape) + len(shape))
    return torch.randn(*shape, generator=generator)


X = numbers(4, D)


def saelens(folder: Path, tensors: dict[str, torch.Tensor], **cfg: Any) -> Path:
    folder.mkdir(exist_ok=True)
    plain = {"W_enc": numbers(D, N), "W_dec": numbers(N, D), "b_dec": numbers(D)}
    save_file(plain | tensors, folder / "sae_weights.safetensors")
    cfg = {"metadata": {"hook_name": "blocks.3.mlp.hook_post"}} | cfg
    (folder / "cfg.json").write_text(json.dumps(cfg))
    return folder


def test_a_saelens_standard_coder_encodes_as_its_equations_say(tmp_path: Path) -> None:
    b_enc = numbers(N)
    coder = load_coder(saelens(tmp_path, {"b_enc": b_enc}, architecture="standard"))
    assert (coder.config.site, coder.config.layer) == ("mlp_post_act", 3)
    expected = ((X - numbers(D)) @ numbers(D, N) + b_enc).relu()
    torch.testing.assert_close(coder.encode(X), expected)
    torch.testing.assert_close(coder(X), expected @ numbers(N, D) + numbers(D))


def test_apply_b_dec_to_input_is_respected(tmp_path: Path) -> None:
    path = saelens(tmp_path, {"b_enc": numbers(N)}, apply_b_dec_to_input=False)
    expected = (X @ numbers(D, N) + numbers(N)).relu()
    torch.testing.assert_close(load_coder(path).encode(X), expected)


def test_a_saelens_gated_coder_becomes_an_equal_jumprelu(tmp_path: Path) -> None:
    gate, magnitude, stretch = numbers(N), numbers(N).flip(0), 0.3 * numbers(N).roll(2)
    tensors = {"b_gate": gate, "b_mag": magnitude, "r_mag": stretch}
    coder = load_coder(saelens(tmp_path, tensors, architecture="gated"))
    h = (X - numbers(D)) @ numbers(D, N)
    expected = (h + gate > 0) * (h * stretch.exp() + magnitude).relu()
    torch.testing.assert_close(coder.encode(X), expected)
    assert (expected > 0).any()


def test_a_saelens_topk_counts_its_decoder_as_normalised_when_it_says_so(tmp_path: Path) -> None:
    cfg = {"architecture": "topk", "k": 3, "rescale_acts_by_decoder_norm": True}
    coder = load_coder(saelens(tmp_path, {"b_enc": numbers(N)}, **cfg))
    norms = numbers(N, D).norm(dim=1)
    pre = ((X - numbers(D)) @ numbers(D, N) + numbers(N)) * norms
    top = pre.topk(3)
    expected = torch.zeros(4, N).scatter(1, top.indices, top.values.relu())
    torch.testing.assert_close(coder.encode(X), expected)
    torch.testing.assert_close(coder(X), expected / norms @ numbers(N, D) + numbers(D))


def test_saelens_jumprelu_and_gemma_scope_hold_the_same_coder(tmp_path: Path) -> None:
    tensors = {"b_enc": numbers(N), "threshold": numbers(N).abs()}
    cfg = {"architecture": "jumprelu", "apply_b_dec_to_input": False}
    theirs = load_coder(saelens(tmp_path / "saelens", tensors, **cfg))
    arrays = {"W_enc": numbers(D, N), "W_dec": numbers(N, D), "b_dec": numbers(D)} | tensors
    file = tmp_path / "layer_7.npz"
    np.savez(file, **{name: value.numpy() for name, value in arrays.items()})
    ours = load_coder(file, site="resid_post", layer=7)
    assert ours.config.layer == 7
    assert torch.equal(ours.encode(X), theirs.encode(X))


@pytest.mark.parametrize("field", ["transcode", "signed", "skip_connection"])
def test_a_sparsify_folder_of_what_is_no_plain_autoencoder_is_refused(
    tmp_path: Path, field: str
) -> None:
    folder = tmp_path / "layers.5.mlp"
    folder.mkdir()
    tensors = {"encoder.weight": numbers(N, D), "encoder.bias": numbers(N)}
    save_file(tensors | {"W_dec": numbers(N, D), "b_dec": numbers(D)}, folder / "sae.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"k": 2, field: True}))
    with pytest.raises(ValueError, match=f"{field}=true are not supported"):
        load_coder(folder)


def test_a_finetuned_saelens_coder_decodes_with_its_factors(tmp_path: Path) -> None:
    factor = numbers(N).abs()
    tensors = {"b_enc": numbers(N), "scaling_factor": factor}
    coder = load_coder(saelens(tmp_path, tensors, finetuning_scaling_factor=True))
    z = ((X - numbers(D)) @ numbers(D, N) + numbers(N)).relu()
    torch.testing.assert_close(coder(X), (factor * z) @ numbers(N, D) + numbers(D))


def test_a_sparsify_folder_is_read_by_its_hook_points_name(tmp_path: Path) -> None:
    folder = tmp_path / "layers.5.mlp"
    folder.mkdir()
    encoder, decoder = numbers(N, D), numbers(N, D).flip(0)
    tensors = {"encoder.weight": encoder, "encoder.bias": numbers(N)}
    save_file(tensors | {"W_dec": decoder, "b_dec": numbers(D)}, folder / "sae.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"k": 2, "activation": "topk", "d_in": D}))
    coder = load_coder(folder)
    assert (coder.config.site, coder.config.layer) == ("resid_delta_mlp", 5)
    top = ((X - numbers(D)) @ encoder.T + numbers(N)).relu().topk(2)
    expected = torch.zeros(4, N).scatter(1, top.indices, top.values)
    torch.testing.assert_close(coder.encode(X), expected)
    torch.testing.assert_close(coder(X), expected @ decoder + numbers(D))


def openai_state(**more: Any) -> dict[str, Any]:
    return {
        "pre_bias": numbers(D),
        "encoder.weight": numbers(N, D),
        "latent_bias": numbers(N),
        "decoder.weight": numbers(D, N),
        "stats_last_nonzero": torch.zeros(N, dtype=torch.int64),
    } | more


def test_openais_public_relu_layout_keeps_dead_latents_and_layers(tmp_path: Path) -> None:
    for layer in (0, 11):
        torch.save(openai_state(), tmp_path / f"{layer}.pt")
    coders = load_coders(tmp_path, site="mlp_post_act")
    assert sorted(coders) == [0, 11]
    expected = ((X - numbers(D)) @ numbers(N, D).T + numbers(N)).relu()
    torch.testing.assert_close(coders[11].encode(X), expected)


def test_openais_public_topk_layout_layer_norms_its_input(tmp_path: Path) -> None:
    file = tmp_path / "4.pt"
    torch.save(openai_state(activation="TopK", activation_state_dict={"k": 4}), file)
    coder = load_coder(file, site="resid_delta_attn")
    normed = (X - X.mean(-1, keepdim=True)) / (X.std(-1, keepdim=True) + 1e-5)
    top = ((normed - numbers(D)) @ numbers(N, D).T + numbers(N)).topk(4)
    expected = torch.zeros(4, N).scatter(1, top.indices, top.values.relu())
    torch.testing.assert_close(coder.encode(X), expected)


class Malicious:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (open, (str(self.path), "w"))


def test_a_malicious_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"
    file = tmp_path / "3.pt"
    file.write_bytes(pickle.dumps(Malicious(trace), protocol=2))
    with pytest.raises(ValueError, match="refused"):
        load_coder(file, site="mlp_post_act")
    torch.save({"pre_bias": Malicious(trace)}, file)
    with pytest.raises(ValueError, match="refused"):
        load_coder(file, site="mlp_post_act")
    assert not trace.exists()


@pytest.mark.parametrize(
    ("cfg", "named"),
    [
        ({"architecture": "temporal"}, "temporal"),
        ({"normalize_activations": "constant_norm_rescale"}, "constant_norm_rescale"),
        ({"normalize_activations": "expected_average_only_in"}, "factor"),
        ({"metadata": {"hook_name": "blocks.3.mlp.hook_nothing"}}, "hook_nothing"),
        ({"architecture": "transcoder"}, "hook_name_out"),
        ({"finetuning_scaling_factor": True}, "the factors are missing"),
    ],
)
def test_what_is_not_supported_is_named(tmp_path: Path, cfg: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        load_coder(saelens(tmp_path, {"b_enc": numbers(N)}, **cfg))


def test_nothing_readable_is_a_lookup_error_that_lists_what_is(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="SAELens"):
        load_coder(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"junk", b"", b"\x80\x02}q\x00", torch.ones(3), [torch.ones(3)], {"pre_bias": [0.0]}],
)
def test_a_pt_file_of_something_else_is_a_sentence_that_names_it(
    tmp_path: Path, content: Any
) -> None:
    file = tmp_path / "3.pt"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    with pytest.raises(ValueError, match=r"3\.pt"):
        load_coder(file, site="mlp_post_act")


@pytest.mark.parametrize("text", ["[]", '{"architec', "5", b"\xff\xfe"])
def test_a_damaged_cfg_json_is_named(tmp_path: Path, text: str | bytes) -> None:
    folder = saelens(tmp_path, {"b_enc": numbers(N)})
    (folder / "cfg.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=r"cfg\.json cannot be read"):
        load_coder(folder)


def test_weights_of_another_rank_are_a_sentence(tmp_path: Path) -> None:
    folder = saelens(tmp_path, {"b_enc": numbers(N), "W_enc": numbers(N)})
    with pytest.raises(ValueError, match="is not what its format says"):
        load_coder(folder)

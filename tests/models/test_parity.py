"""Our forward pass against Hugging Face's, family by family, on the same checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close
from transformers import AutoModelForCausalLM

from neuron_explainer import load_model
from tests.hooked_hf import hooked_run
from tests.tiny_models import (
    N_CTX,
    WITH_ROPE_SCALING,
    TinyModel,
    hf_config,
    hf_model,
    save,
    some_tokens,
)

TOKENS = some_tokens(N_CTX)


def ours(folder: Path, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return load_model(folder, dtype=dtype)(torch.tensor([TOKENS]))[0]


def theirs(hf: Any) -> torch.Tensor:
    with torch.no_grad():
        return hf(torch.tensor([TOKENS])).logits[0]


def test_logits_equal_hugging_face(tiny: TinyModel) -> None:
    logits = tiny.ours(torch.tensor([TOKENS]))[0]
    # Float32 sums of about 50 terms in another order, through three layers.
    assert_close(logits, tiny.hf_logits(TOKENS), atol=1e-4, rtol=0)


def test_a_single_token_is_a_prompt(tiny: TinyModel) -> None:
    logits = tiny.ours(torch.tensor([TOKENS[:1]]))[0]
    assert_close(logits, tiny.hf_logits(TOKENS[:1]), atol=1e-4, rtol=0)


def test_bfloat16_is_as_close_to_float32_as_hugging_face_is(tiny: TinyModel) -> None:
    """bfloat16 keeps 8 bits, so no two orders of summation agree: compare distances to truth."""
    exact = tiny.hf_logits(TOKENS)
    bf16 = AutoModelForCausalLM.from_pretrained(
        tiny.folder, dtype=torch.bfloat16, attn_implementation="eager"
    )
    their_error = (theirs(bf16).float() - exact).abs()
    our_error = (ours(tiny.folder, torch.bfloat16).float() - exact).abs()
    assert our_error.mean() < 1.3 * their_error.mean()
    assert our_error.mean() < 0.02 * exact.abs().max()


@pytest.mark.parametrize("scaling", WITH_ROPE_SCALING)
@pytest.mark.parametrize("kind", ["llama-grouped", "gpt_neox"])
def test_scaled_rotary_positions_equal_hugging_face(
    kind: str, scaling: str, tmp_path: Path
) -> None:
    plain = hf_config(kind).rope_parameters
    hf = hf_model(hf_config(kind, rope_parameters=plain | WITH_ROPE_SCALING[scaling]))
    assert_close(ours(save(hf, tmp_path)), theirs(hf), atol=1e-4, rtol=0)
    unscaled = hf_model(hf_config(kind))
    assert (theirs(unscaled) - theirs(hf)).abs().max() > 0.1, "the scaling must matter here"


@pytest.mark.parametrize(
    ("kind", "nonlinearity"),
    [
        ("gpt2", "relu"),
        ("gpt2", "gelu"),
        ("gpt2", "gelu_pytorch_tanh"),
        ("gpt_neox", "gelu_fast"),
        ("llama", "gelu"),
    ],
)
def test_every_nonlinearity_equals_hugging_face(
    kind: str, nonlinearity: str, tmp_path: Path
) -> None:
    field = "activation_function" if kind == "gpt2" else "hidden_act"
    hf = hf_model(hf_config(kind, **{field: nonlinearity}))
    assert_close(ours(save(hf, tmp_path)), theirs(hf), atol=1e-4, rtol=0)


def test_unscaled_attention_equals_hugging_face(tmp_path: Path) -> None:
    hf = hf_model(hf_config("gpt2", scale_attn_weights=False))
    assert_close(ours(save(hf, tmp_path)), theirs(hf), atol=1e-4, rtol=0)


def test_a_window_as_long_as_the_context_is_no_window(tmp_path: Path) -> None:
    hf = hf_model(hf_config("mistral", sliding_window=N_CTX))
    model = load_model(save(hf, tmp_path))
    assert model.config.attention_window is None
    assert_close(model(torch.tensor([TOKENS]))[0], theirs(hf), atol=1e-4, rtol=0)


def test_a_prompt_longer_than_the_window_is_cut_off(tiny_models: Any) -> None:
    """Three layers of window 4 see ten tokens back: token 0 cannot matter at token 10."""
    model = tiny_models("mistral").ours
    changed = (TOKENS[0] + 1, *TOKENS[1:])
    logits = model(torch.tensor([TOKENS, changed]))
    assert (logits[0, 9] - logits[1, 9]).abs().max() > 1e-4
    assert_close(logits[0, 10:], logits[1, 10:], atol=0, rtol=0)


def test_the_hooked_truth_is_hugging_face_itself(tiny: TinyModel) -> None:
    """What other tests compare with: without edits it is the eager model."""
    tokens = some_tokens(9)
    assert_close(hooked_run(tiny.hf, tokens).logits, tiny.hf_logits(tokens), atol=1e-5, rtol=0)

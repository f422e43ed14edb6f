"""Our forward pass against Hugging Face's, family by family, on the same checkpoint."""

import pytest
import torch
from torch.testing import assert_close

from neuron_explainer import load_model
from tests.hooked_hf import hooked_run
from tests.tiny_models import N_CTX, TinyModel, some_tokens


def test_logits_equal_hugging_face(tiny: TinyModel) -> None:
    tokens = some_tokens(N_CTX)
    logits = tiny.ours(torch.tensor([tokens]))[0]
    assert_close(logits, tiny.hf_logits(tokens), atol=1e-4, rtol=0)


def test_the_hooked_truth_is_hugging_face_itself(tiny: TinyModel) -> None:
    """What later tests compare with: without edits it is the eager model."""
    tokens = some_tokens(9)
    assert_close(hooked_run(tiny.hf, tokens).logits, tiny.hf_logits(tokens), atol=1e-5, rtol=0)

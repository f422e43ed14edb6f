"""The self-check: it passes on sound models, and fails where something is broken."""

import pytest
import torch

from neuron_explainer import load_model
from neuron_explainer.attribution import effects, measured
from neuron_explainer.attribution.self_check import Claim, self_check
from neuron_explainer.models import run as runs
from neuron_explainer.models.transformer import Norm, Transformer
from tests.tiny_models import TinyModel, TinyModels


def outcome(model: Transformer) -> dict[str, Claim]:
    return {claim.name: claim for claim in self_check(model)}


def failing(model: Transformer) -> set[str]:
    return {name for name, claim in outcome(model).items() if not claim.passed}


@pytest.fixture(autouse=True)
def few_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two neurons and two pairs are enough for models as small as these."""
    monkeypatch.setattr("neuron_explainer.attribution.self_check.N_SAMPLED", 2)


@pytest.fixture
def model(tiny_models: TinyModels) -> Transformer:
    return tiny_models("llama-grouped").ours


def test_every_claim_holds_on_sound_models(varied: TinyModel) -> None:
    claims = outcome(varied.ours)
    assert set(claims) == {"logits", "sum", "total", "measured", "identity"}
    for claim in claims.values():
        assert claim.passed, claim
        assert claim.skipped is None
        assert claim.command == f"tdb self-check --model {varied.folder}"


@pytest.mark.parametrize("kind", ["gpt2", "llama", "llama-grouped"])
def test_in_bfloat16_what_it_can_resolve_holds(kind: str, tiny_models: TinyModels) -> None:
    model = load_model(tiny_models(kind).folder, dtype=torch.bfloat16)
    claims = outcome(model)
    assert {claim.tolerance.split()[0] for claim in claims.values()} == {"0.1"}
    assert all(claim.passed for claim in claims.values()), claims
    assert {name for name, claim in claims.items() if claim.skipped} == {"total", "measured"}


def test_a_wrong_weight_fails_in_bfloat16_too(tiny_models: TinyModels) -> None:
    model = load_model(tiny_models("llama").folder, dtype=torch.bfloat16)
    model.block(1).attn.w_o.mul_(2.0)
    assert failing(model) == {"logits"}


def test_a_model_without_a_folder_is_not_compared(model: Transformer) -> None:
    folder, model.folder = model.folder, None
    try:
        claim = outcome(model)["logits"]
    finally:
        model.folder = folder
    assert claim.passed
    assert "not loaded from a folder" in (claim.skipped or "")


def test_a_wrong_weight_fails_against_hugging_face(tiny_models: TinyModels) -> None:
    """It is sound in itself, so only the comparison tells."""
    model = load_model(tiny_models("llama-grouped").folder)
    model.block(1).attn.w_o.mul_(1.02)
    assert failing(model) == {"logits"}


def test_a_wrong_sum_fails(model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = effects.Effects._neuron_direct
    monkeypatch.setattr(effects.Effects, "_neuron_direct", lambda *a: 1.01 * plain(*a))
    assert failing(model) == {"sum"}


def test_a_wrong_gradient_fails(model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = runs.Run.grad

    def wrong(self: runs.Run, site: str, layer: int) -> torch.Tensor | None:
        grad = plain(self, site, layer)
        return None if grad is None else 1.05 * grad

    monkeypatch.setattr(runs.Run, "grad", wrong)
    assert failing(model) == {"total"}


def test_a_wrong_measurement_fails(model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = measured.read_out_values
    monkeypatch.setattr(
        measured, "read_out_values", lambda *a: [value + 0.01 for value in plain(*a)]
    )
    assert failing(model) == {"measured"}


def test_a_wrong_read_out_fails(model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is wrong in the same way wherever it is used: only the model's own logits tell."""
    plain = Norm.scale
    monkeypatch.setattr(Norm, "scale", lambda self, x: 1.01 * plain(self, x))
    assert failing(model) == {"sum"}

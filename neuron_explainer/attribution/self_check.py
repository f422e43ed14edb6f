"""Claims about the numbers that anyone can check on the model at hand.

logits      equal Hugging Face's on the same checkpoint folder
sum         direct effects of all nodes, embeddings and biases add up to the objective
total       a total effect is the derivative of the objective as the node's write is scaled (central difference)
measured    a measured effect is the objective less that of a run with the node ablated in place
identity    scaling a component by 1 changes nothing
splice      with coders in the place of neurons and heads, direct effects of latents, errors and the rest still add up
latent      setting a latent moves its site by its decoder column, and nothing else there
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from neuron_explainer.attribution.effects import Effects
from neuron_explainer.attribution.investigation import Investigation
from neuron_explainer.autoencoders import CoderSet
from neuron_explainer.autoencoders.coder_set import bases_of
from neuron_explainer.models.interventions import Ablate, Scale, Set
from neuron_explainer.models.objectives import TokenObjective
from neuron_explainer.models.run import Case
from neuron_explainer.models.tokens import encode
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Node

PROMPT = "When Mary and John went to the store, John gave a drink to"
N_SAMPLED = 6
"""Neurons, and as many pairs, whose effects are compared with interventions."""
STEP = 0.02
"""Relative step of the central difference: small enough for curvature, large enough for float32."""


@dataclass(frozen=True)
class Claim:
    name: str
    claim: str
    expected: str
    found: str
    tolerance: str
    passed: bool
    command: str
    skipped: str | None = None


def self_check(model: Transformer, coder_sets: Sequence[CoderSet] = ()) -> list[Claim]:
    """Check each claim on a short prompt and report what was expected and found.

    Claims about coders are made of each set by itself.
    """
    tokens = encode(model, PROMPT)
    with torch.no_grad():
        best = model(torch.tensor([tokens], device=model.device))[0, -1].topk(2).indices.tolist()
    case = Case(tokens, TokenObjective("logit_diff", (best[0],), (best[1],)))
    inv = Investigation(model, coder_sets)
    checks: Sequence[Callable[[Transformer, Investigation, Case], Claim]] = (
        _logits,
        _sum,
        _total,
        _measured,
        _identity,
    )
    coded = [replace(case, bases=bases_of([each])) for each in coder_sets]
    return [
        *(check(model, inv, case) for check in checks),
        *(check(model, inv, each) for each in coded for check in (_splice, _latent)),
    ]


def _claim(model: Transformer, name: str, claim: str, expected: str, found: str) -> dict[str, str]:
    command = f"tdb self-check --model {model.config.name}"
    return {
        "name": name,
        "claim": claim,
        "expected": expected,
        "found": found,
        "command": command,
    }


_TOO_COARSE = "bfloat16 rounds off what two runs differ by: check this in float32."


def _is_coarse(model: Transformer) -> bool:
    return model.dtype != torch.float32


def _tolerance(model: Transformer, float32: float) -> float:
    """Tolerances are for float32; bfloat16 keeps 8 bits, so there a tenth is all that can be
    asked."""
    return 0.1 if _is_coarse(model) else float32


def _not_checked(claim: dict[str, str], tolerance: float, why: str) -> Claim:
    plain = claim | {"found": "not checked"}
    return Claim(**plain, tolerance=f"{tolerance:g}", passed=True, skipped=why)


def _logits(model: Transformer, _: Investigation, case: Case) -> Claim:
    tolerance = _tolerance(model, 1e-3)
    about = "Logits equal Hugging Face's on the same checkpoint, at every token."
    if model.folder is None:
        plain = _claim(model, "logits", about, "largest difference 0", "")
        why = "The model was not loaded from a folder that Hugging Face could read."
        return _not_checked(plain, tolerance, why)
    from transformers import AutoModelForCausalLM  # takes seconds to import

    tokens = torch.tensor([case.tokens])
    reference = AutoModelForCausalLM.from_pretrained(
        model.folder, dtype=model.dtype, attn_implementation="eager", local_files_only=True
    )
    with torch.no_grad():
        theirs = reference(tokens).logits.float()
        ours = model(tokens.to(model.device)).float().cpu()
    found = float((ours - theirs).abs().max())
    if _is_coarse(model):  # one step between two bfloat16 numbers grows with the number
        found /= max(1.0, float(theirs.abs().max()))
    plain = _claim(model, "logits", about, "largest difference 0", f"{found:.2e}")
    relative = " of the largest logit" if _is_coarse(model) else ""
    return Claim(**plain, tolerance=f"{tolerance:g}{relative}", passed=found <= tolerance)


def _sum(model: Transformer, inv: Investigation, case: Case) -> Claim:
    return _adds_up(
        model,
        inv,
        case,
        "sum",
        "Direct effects of all nodes, embeddings and biases add up to the logit difference.",
    )


def _splice(model: Transformer, inv: Investigation, case: Case) -> Claim:
    coded = case.bases.sites[0]
    about = (
        f"With {coded.name} at {coded.site}, direct effects of latents, errors and all else add up "
        "to the logit difference of the bare model."
    )
    return _adds_up(model, inv, case, "splice", about)


def _adds_up(model: Transformer, inv: Investigation, case: Case, name: str, about: str) -> Claim:
    effects = Effects(inv.read([case]), inv.norms)
    nodes = sum(
        float(layer.double().sum())
        for kind, metric in effects.kinds().items()
        if not kind.startswith("resid")  # those describe again what is there
        for layer in metric("direct_effect").layers
    )
    found = nodes + effects.bias.direct_effect
    value = _difference(model, case)
    tolerance = _tolerance(model, 1e-4)
    plain = _claim(model, name, about, f"{value:.5f}", f"{found:.5f}")
    passed = abs(found - value) <= tolerance * max(1.0, abs(value))
    return Claim(**plain, tolerance=f"{tolerance:g} relative", passed=passed)


def _latent(model: Transformer, inv: Investigation, case: Case) -> Claim:
    """On the last token's most active latent of the set's last layer, at twice its value."""
    coded = case.bases.sites[-1]
    run = inv.read([case])
    reading = run.reading(coded)
    last = reading.active.token == len(case.tokens) - 1
    tolerance = _tolerance(model, 1e-5)
    about = f"Setting a latent of {coded.name} moves {coded.site} by its decoder column, and by nothing else."
    plain = _claim(model, "latent", about, "largest difference 0", "")
    if not last.any():
        return _not_checked(plain, tolerance, "No latent is active at the last token.")
    best = reading.active.value.where(last, 0.0).argmax()
    latent, z = reading.active.latent[best], float(reading.active.value[best])
    component = Component("latent", coded.layer, int(latent), coded.stream)
    edit = Set(component, (-1,), value=2 * z)
    moved = inv.read([replace(case, interventions=(edit,))]).value(coded.site, coded.layer)
    wanted = run.value(coded.site, coded.layer).clone()
    wanted[-1] += (reading.unit[-1] * z * coded.directions(latent[None])[0]).to(wanted.dtype)
    worst = float((moved - wanted).abs().max() / wanted.abs().max())
    plain |= {"found": f"{worst:.2e}"}
    return Claim(**plain, tolerance=f"{tolerance:g} relative", passed=worst <= tolerance)


def _difference(model: Transformer, case: Case) -> float:
    """The objective from the model's own logits, by no read-out of ours."""
    assert isinstance(case.objective, TokenObjective)
    with torch.no_grad():
        logits = model(torch.tensor([case.tokens], device=model.device))[0, -1].float()
    (target,), (distractor,) = case.objective.target, case.objective.distractor
    return float(logits[target] - logits[distractor])


def _sampled(inv: Investigation, case: Case) -> list[tuple[Node, float]]:
    """Leading neurons and pairs by total effect, read-out norm live, in a fixed random order."""
    rows = [
        row
        for row in inv.debug([case], read_out_norm="live").nodes
        if row.kind in ("attn", "mlp") and row.values[0] is not None
    ]
    rows.sort(key=lambda row: -abs(row.values[0].total_effect if row.values[0] else 0.0))
    chosen = [
        row for kind in ("attn", "mlp") for row in [r for r in rows if r.kind == kind][:N_SAMPLED]
    ]
    random.Random(0).shuffle(chosen)
    return [(Node.parse(row.node), row.values[0].total_effect) for row in chosen if row.values[0]]


def _scaled(inv: Investigation, case: Case, node: Node, value: float) -> float:
    """The objective with one node's activation scaled, every later layer responding."""
    keys = None if node.key_position is None else (node.key_position,)
    edit = Scale(node.component, (node.position or 0,), keys, value=value)
    return inv.read([Case(case.tokens, case.objective, (edit,))]).read_out.value


def _total(model: Transformer, inv: Investigation, case: Case) -> Claim:
    tolerance = _tolerance(model, 0.01)
    about = "A total effect is the derivative of the objective as the node's write is scaled."
    plain = _claim(model, "total", about, "relative difference 0", "")
    if _is_coarse(model):
        return _not_checked(plain, tolerance, _TOO_COARSE)
    worst = 0.0
    for node, total in _sampled(inv, case):
        up, down = (_scaled(inv, case, node, 1 + sign * STEP) for sign in (1, -1))
        worst = max(worst, abs((up - down) / (2 * STEP) - total) / max(abs(total), 0.1))
    plain |= {"found": f"{worst:.2e}"}
    return Claim(**plain, tolerance=f"{tolerance:g}", passed=worst <= tolerance)


def _measured(model: Transformer, inv: Investigation, case: Case) -> Claim:
    tolerance = _tolerance(model, 1e-3)
    about = "A measured effect is the objective less that of a full run with the node ablated."
    plain = _claim(model, "measured", about, "largest difference 0", "")
    if _is_coarse(model):
        return _not_checked(plain, tolerance, _TOO_COARSE)
    nodes = [node for node, _ in _sampled(inv, case)]
    value, batches = inv.measure([case], nodes)
    effects = [effect for batch in batches for _, effect in batch]
    worst = max(
        abs(effect - (value - _scaled(inv, case, node, 0.0)))
        for node, effect in zip(nodes, effects, strict=True)
    )
    plain |= {"found": f"{worst:.2e}"}
    return Claim(**plain, tolerance=f"{tolerance:g}", passed=worst <= tolerance)


def _identity(model: Transformer, inv: Investigation, case: Case) -> Claim:
    edits = tuple(
        Scale(Component(kind, layer, 0), value=1.0)
        for kind in ("attn", "mlp")
        for layer in range(model.config.n_layers)
    )
    value = inv.read([case]).read_out.value
    edited = inv.read([Case(case.tokens, case.objective, edits)]).read_out.value
    kept = inv.read([Case(case.tokens, case.objective, (Ablate(Component("attn", 0, 0)),))])
    tolerance = _tolerance(model, 1e-5)
    plain = _claim(
        model,
        "identity",
        "Scaling components by 1 changes nothing, while ablating one does.",
        f"{value:.6f}",
        f"{edited:.6f}; ablated {kept.read_out.value:.6f}",
    )
    passed = abs(edited - value) <= tolerance * max(1.0, abs(value))
    return Claim(
        **plain,
        tolerance=f"{tolerance:g}",
        passed=passed and kept.read_out.value != value,
    )

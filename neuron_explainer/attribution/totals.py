"""What all nodes of a kind did together, listed or not; and what no node did: the constant writes, as the node `bias`.

What a layer adds to the stream at a token is the sum of its nodes' writes, a constant and an error:

    described by             nodes                    constant                   error
    heads, neurons           pairs, neurons           output bias                0
    coder at resid_delta_*   latents                  c                          e
    coder at mlp_post_act    latents through W_out    c W_out + output bias      e W_out

c being the reconstruction with no latent active: the decoder's bias, taken back through the coder's input norm. At
resid_delta_* the layer's own output bias is part of what the coder reads, so it is in the latents, c and e already.
Coders of the residual stream describe again what is there, and add nothing; what edits of them put into the stream is
`edit`, as is what takes the place of a head's pairs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.coded_writes import in_stream, lands
from neuron_explainer.models.hooks import Site
from neuron_explainer.models.interventions import replaced_heads
from neuron_explainer.models.readings import splice_of
from neuron_explainer.models.run import Run

Sublayer = Literal["attn", "mlp"]
_DELTA: Mapping[Sublayer, Site] = {"attn": "resid_delta_attn", "mlp": "resid_delta_mlp"}


@dataclass(frozen=True)
class BiasEffect:
    """The sum of all constant writes, as one node."""

    write_magnitude: float
    """At the read-out's token; only layer-normed coders write another constant at another token."""
    direct_effect: float
    total_effect: float


def bias_effect(run: Run) -> BiasEffect:
    """Constants upstream of the read-out; the direct effect holds the read-out's own constant as well."""
    total = 0.0
    for sublayer, layer, constant in _constants(run):
        grad = run.grad(_DELTA[sublayer], layer)
        total += 0.0 if grad is None else float((grad.float() * constant).sum())
    write = bias_write(run)
    direct = along(run, write) + run.read_out.constant
    return BiasEffect(float(write[run.read_out.position].norm()), direct, total)


def bias_write(run: Run) -> Float[Tensor, "seq d_model"]:
    """The sum of all constant writes upstream of the read-out."""
    write = torch.zeros(run.embed.shape, device=run.embed.device)
    for _, _, constant in _constants(run):
        write += constant
    return write


def _constants(run: Run) -> Iterator[tuple[Sublayer, int, Tensor]]:
    """Each constant that is written upstream of the read-out, with the sublayer that writes it."""
    for layer in range(run.model.config.n_layers):
        for sublayer in _upstream(run, layer):
            constant, _ = _beside_nodes(run, sublayer, layer)
            if constant is not None:
                yield sublayer, layer, constant


def _upstream(run: Run, layer: int) -> Iterator[Sublayer]:
    place = run.read_out.place
    if place.sees_attn(layer):
        yield "attn"
    if place.sees_mlp(layer):
        yield "mlp"


def _beside_nodes(
    run: Run, sublayer: Sublayer, layer: int
) -> tuple[Float[Tensor, "seq d_model"] | None, Float[Tensor, "seq d_model"] | None]:
    """The constant and the error of a layer's attention or MLP; None where there is none."""
    block = run.model.block(layer)
    bias = block.attn.b_o if sublayer == "attn" else block.mlp.b_out
    own = None if bias is None else bias.float().expand(len(run.tokens), -1)
    coded = run.case.bases.find(sublayer, layer)
    if coded is None:
        return own, None
    reading = run.reading(coded)
    constant = in_stream(run.model, coded, reading.offset)
    if coded.site == "mlp_post_act" and own is not None:
        constant = constant + own
    return constant, in_stream(run.model, coded, reading.error)


def along(run: Run, writes: Float[Tensor, "seq d_model"] | None) -> float:
    """Direct effect of a write at every token."""
    if writes is None:
        return 0.0
    return sum(
        float(writes[position].float() @ direction.float())
        for position, direction in run.read_out.direction.items()
    )


@dataclass(frozen=True)
class Totals:
    """Direct effects of all nodes, listed or not."""

    by_kind: Mapping[str, float]
    """embed, attn, mlp, bias, error, edit; their sum is the objective when it adds up."""
    attn_by_layer: tuple[float, ...]
    mlp_by_layer: tuple[float, ...]
    error_by_layer: tuple[float, ...]


def totals_of(run: Run, bias: BiasEffect) -> Totals:
    """Direct effects by kind and layer, from what each layer really added less its constant and error; what an
    edit put in place of a head's pairs, or into the stream itself, is `edit`."""
    n_layers = run.model.config.n_layers
    own: dict[Sublayer, list[float]] = {"attn": [0.0] * n_layers, "mlp": [0.0] * n_layers}
    errors = [0.0] * n_layers
    edit = _edited_stream(run)
    for layer in range(n_layers):
        for sublayer in _upstream(run, layer):
            constant, error = _beside_nodes(run, sublayer, layer)
            missed = along(run, error)
            written = along(run, run.value(_DELTA[sublayer], layer)) - along(run, constant) - missed
            in_place = 0.0 if sublayer == "mlp" or error is not None else _edited_pairs(run, layer)
            own[sublayer][layer] = written - in_place
            errors[layer] += missed
            edit += in_place
    by_kind = {
        "embed": along(run, run.embed),
        "attn": sum(own["attn"]),
        "mlp": sum(own["mlp"]),
        "bias": bias.direct_effect,
        "error": sum(errors),
        "edit": edit,
    }
    return Totals(by_kind, tuple(own["attn"]), tuple(own["mlp"]), tuple(errors))


def _edited_pairs(run: Run, layer: int) -> float:
    """Direct effect of the mixed values that edits put in place of a layer's pairs."""
    replaced = replaced_heads(run.case.interventions, layer, len(run.tokens))
    z, w_o = run.value("attn_z", layer), run.model.block(layer).attn.head_w_o()
    effects = (
        float((z[head, position] @ w_o[head]).float() @ direction.float())
        for head, tokens in replaced.items()
        for position, direction in run.read_out.direction.items()
        if position in tokens
    )
    return sum(effects, 0.0)


def _edited_stream(run: Run) -> float:
    """Direct effect of what edits of residual-stream latents put into the stream."""
    effect = 0.0
    for coded in run.case.bases.of("resid"):
        is_edited = splice_of(run.batch, run.row, coded) is not None
        if is_edited and lands(coded) <= run.read_out.place:
            effect += along(run, run.value(coded.site, coded.layer) - run.reading(coded).entered)
    return effect

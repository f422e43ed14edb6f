"""What a coder makes of its site in a run, the run's own edits of it included.

    x = u (sum_j z_j D_j) + c + e          exactly, token by token

Unedited, the latents are those of the recorded value. Where they are edited, the coder read what entered the splice,
and the recorded value is what left it: z are then the latents after the edits.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import Active, CodedSite
from neuron_explainer.models.forward_pass import Pass
from neuron_explainer.models.splice import Splice


@dataclass(frozen=True)
class Reading:
    """A coded site of one row, token by token."""

    coded: CodedSite
    entered: Float[Tensor, "seq d"]
    """What the coder read."""
    active: Active
    unit: Float[Tensor, "seq 1"]
    """u"""
    offset: Float[Tensor, "seq d"]
    """c"""
    error: Float[Tensor, "seq d"]
    """e"""

    def latent(self, index: int) -> Float[Tensor, " seq"]:
        """One latent at every token."""
        mine = self.active.latent == index
        values = torch.zeros(len(self.error), device=self.error.device)
        return values.index_put((self.active.token[mine],), self.active.value[mine])


def splice_of(batch: Pass, row: int, coded: CodedSite) -> Splice | None:
    """The edits of a coder in a row of a pass, if there are any."""
    for hook in batch.hooks.at(coded.site):
        if isinstance(hook, Splice) and hook.coded is coded and hook.row in (None, row):
            return hook
    return None


@torch.no_grad()
def read_coded(batch: Pass, row: int, coded: CodedSite) -> Reading:
    """What the coder makes of its site; worked out once for each pass."""
    if batch.base is not None and coded.layer < batch.first_layer:
        return read_coded(batch.base, row, coded)
    if (coded, row) not in batch.readings:
        batch.readings[coded, row] = _read(batch, row, coded)
    reading = batch.readings[coded, row]
    assert isinstance(reading, Reading)
    return reading


def _read(batch: Pass, row: int, coded: CodedSite) -> Reading:
    n_tokens = batch.lengths[row]
    x = batch.value(coded.site, coded.layer).detach()[row, :n_tokens].float()
    splice = splice_of(batch, row, coded)
    entered = (
        x if splice is None else splice.entered[0][0 if splice.row is not None else row].float()
    )
    active = coded.active(entered)
    if splice is not None:
        active = _edited(active, splice, entered)
    unit, offset = coded.unit(entered), coded.offset(entered)
    error = x - (unit * coded.sums(active, n_tokens) + offset)
    return Reading(coded, entered, active, unit, offset, error)


def _edited(active: Active, splice: Splice, entered: Float[Tensor, "seq d"]) -> Active:
    """The active latents with those that are edited as the edits left them."""
    which = splice.which.to(entered.device)
    new = splice.new_latents(splice.coded.latents(entered[None], which))[0]
    kept = ~torch.isin(active.latent, which)
    token, column = new.nonzero(as_tuple=True)
    parts = (
        (active.token[kept], token),
        (active.latent[kept], which[column]),
        (active.value[kept], new[token, column]),
    )
    merged = Active(*(torch.cat(pair) for pair in parts))
    order = (merged.token * splice.coded.n_latents + merged.latent).argsort()
    return Active(*(part[order] for part in merged))

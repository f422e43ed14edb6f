"""Edits of latents: the coder spliced into the forward, where there is anything to change.

    z  = encode(x)                              once, from what all other edits at the site left
    x <- x + u sum_j (z'_j - z_j) D_j + (e' - e)

z' and e' are the latents and the error after all edits of this coder at this layer, in the order given. That is
decode(z') + (x - decode(z)): an edit of latent j moves x by exactly its decoder column.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.models.bases import Bases, CodedSite
from neuron_explainer.models.edited_values import Resolved, edit_tokens
from neuron_explainer.models.edits import Patch
from neuron_explainer.models.extent import Extent
from neuron_explainer.models.patching import Source, patched_part


@dataclass(frozen=True, eq=False)
class Splice:
    """The hook of all edits of one coder at a layer."""

    coded: CodedSite
    edits: tuple[Resolved, ...]
    extent: Extent
    source: Source | None
    row: int | None
    entered: list[Tensor] = field(default_factory=list)
    """What last came in, "row token d", without padding."""

    def __call__(self, value: Float[Tensor, "batch seq d"], layer: int) -> Tensor:
        if layer != self.coded.layer:
            return value
        rows = slice(None) if self.row is None else slice(self.row, self.row + 1)
        n_tokens = self.extent.stop - self.extent.start
        x = value[rows, :n_tokens]
        self.entered[:] = [x.detach()]
        value = value.clone()
        value[rows, :n_tokens] = x + self.change(x)
        return value

    def change(self, x: Float[Tensor, "row token d"]) -> Float[Tensor, "row token d"]:
        """What the edits add to x."""
        which = self.which.to(x.device)
        z = self.coded.latents(x, which)
        moved = (self.new_latents(z) - z) @ self.coded.directions(which)
        change = self.coded.unit(x) * moved
        if any(each.edit.component.kind == "error" for each in self.edits):
            error = x - self.coded.reconstruction(x)
            change = change + (self._new_error(error) - error)
        return change.to(x.dtype)

    @property
    def which(self) -> Int[Tensor, " n"]:
        """The edited latents, by index."""
        found = {each.edit.component.index for each in self.edits} - {None}
        return torch.tensor(sorted(found), dtype=torch.long)

    def new_latents(self, z: Float[Tensor, "row token n"]) -> Float[Tensor, "row token n"]:
        """The edited latents, given what they were, in the order of `which`."""
        column = {latent: i for i, latent in enumerate(self.which.tolist())}
        new = z.clone()
        for each in self.edits:
            if each.edit.component.kind == "latent":
                part = new[..., column[each.edit.component.index or 0]]
                edit_tokens(each, part, self.extent, partial(self._theirs, each))
        return new

    def _new_error(self, error: Float[Tensor, "row token d"]) -> Float[Tensor, "row token d"]:
        new = error.clone()
        for each in self.edits:
            if each.edit.component.kind == "error":
                edit_tokens(each, new, self.extent, partial(self._theirs, each))
        return new

    def _theirs(self, resolved: Resolved) -> Tensor:
        edit, coded = resolved.edit, self.coded
        assert isinstance(edit, Patch)
        return patched_part(
            edit.component, edit.from_case, self.source, coded.site, coded.layer, coded
        )


def splices(
    edits: Sequence[Resolved],
    extent: Extent,
    source: Source | None,
    row: int | None,
    bases: Bases,
) -> list[Splice]:
    """One splice for each coder that is edited."""
    by_site: dict[CodedSite, list[Resolved]] = {}
    for each in edits:
        by_site.setdefault(bases.at(each.edit.component), []).append(each)
    return [
        Splice(coded, tuple(members), extent, source, row) for coded, members in by_site.items()
    ]

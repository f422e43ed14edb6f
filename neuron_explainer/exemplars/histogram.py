"""The histogram that is kept and shown: half an octave a bin, ten octaves from the largest value down.

It is cut from the fine one (`distribution.py`), each side from its own largest value; what is
smaller than all bins counts as silent, in the bin around zero.
"""

import torch
from jaxtyping import Int
from torch import Tensor

from neuron_explainer.exemplars.distribution import N_SIDE, side_edges
from neuron_explainer.exemplars.records import Histogram

FINE_PER_SHOWN = 4
N_SHOWN = 20
"""Shown bins on either side of zero."""


def shown_counts(
    counts: Int[Tensor, "component bin"],
) -> tuple[Int[Tensor, "component shown"], Int[Tensor, "component side"]]:
    """Counts of the shown bins, and the fine edge at which each side (negative, positive) ends."""
    total = counts.sum(1)
    sides, tops = [], []
    for side in (counts[:, :N_SIDE].flip(1), counts[:, N_SIDE + 1 :]):
        used = (side > 0) * torch.arange(1, N_SIDE + 1)
        octaves = (used.amax(1) + FINE_PER_SHOWN) // FINE_PER_SHOWN * FINE_PER_SHOWN
        top = octaves.clamp(min=FINE_PER_SHOWN * (N_SHOWN + 1)) - 1  # edges at half octaves
        running = torch.nn.functional.pad(side.cumsum(1), (1, 0))
        sides.append(running.gather(1, _edges(top)).diff(dim=1))
        tops.append(top)
    negative, positive = sides
    silent = total - negative.sum(1) - positive.sum(1)
    shown = torch.cat((negative.flip(1), silent[:, None], positive), dim=1)
    fits = int(shown.max()) < 2**31
    return shown.int() if fits else shown, torch.stack(tops, dim=1).short()


def shown_histogram(counts: Int[Tensor, " shown"], tops: Int[Tensor, " side"]) -> Histogram:
    """A component's histogram, without the negative side where nothing is negative."""
    fine = side_edges(nominal=True)
    negative, positive = (fine[row].tolist() for row in _edges(tops.long()).numpy())
    if not counts[:N_SHOWN].any():
        return Histogram((0.0, *positive), tuple(counts[N_SHOWN:].tolist()))
    edges = (*(-edge for edge in reversed(negative)), *positive)
    return Histogram(edges, tuple(counts.tolist()))


def _edges(top: Int[Tensor, " row"]) -> Int[Tensor, "row edge"]:
    """Fine edges between which the shown bins of a side lie, ascending."""
    steps = torch.arange(-N_SHOWN, 1) * FINE_PER_SHOWN
    return top[:, None] + steps

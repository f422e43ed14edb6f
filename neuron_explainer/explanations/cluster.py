"""Groups explanations that mean the same.

Average linkage on cosine distance of vectors of what each explanation says beyond what most of them say
(`group_names.py`, `Phrases.essence`), cut at a distance; groups of a few members or more are kept. The settings
are those of Transluce's Monitor: 0.6 and 3. `group_names.py` names the groups.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import fcluster, linkage
from torch import Tensor

CUT = 0.6
"""Cosine distance at which groups are kept apart."""
MIN_MEMBERS = 3
LOOSE = 0.55
"""Mean cosine of two members below which a group is called loose. Average linkage at the cut lets groups of many
words with little in common grow; on the demo, groups of one class of word lie above this, mixed ones below."""


@dataclass(frozen=True)
class Group:
    """Explanations that mean the same: their numbers in the given order, the most typical first."""

    members: tuple[int, ...]
    similarities: tuple[float, ...]
    """Cosine of each member with the group's mean."""

    @property
    def tightness(self) -> float:
        """Mean cosine of two members. With n unit vectors of mean m: (n |m|^2 - 1) / (n - 1)."""
        n = len(self.members)
        length = sum(self.similarities) / n  # |m|: the mean cosine with its own direction
        return (n * length**2 - 1) / (n - 1) if n > 1 else 1.0

    @property
    def is_loose(self) -> bool:
        return self.tightness < LOOSE


def grouped(
    vectors: Float[Tensor, "text d"], *, cut: float = CUT, min_members: int = MIN_MEMBERS
) -> list[Group]:
    """The groups, largest first. A text whose vector is zero means nothing known and is in none."""
    lengths = vectors.double().norm(dim=1)
    known = (lengths > 0).nonzero()[:, 0].tolist()
    if len(known) < max(min_members, 1):
        return []
    unit = (vectors[known].double() / lengths[known, None]).numpy()
    labels = _labels(unit, cut)
    groups = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        if len(rows) < min_members:
            continue
        similarity = _similarities(unit[rows])
        order = np.lexsort((rows, -similarity))
        groups.append(
            Group(tuple(known[rows[i]] for i in order), tuple(float(similarity[i]) for i in order))
        )
    return sorted(groups, key=lambda group: (-len(group.members), min(group.members)))


def _labels(unit: Float[np.ndarray, "text d"], cut: float) -> np.ndarray:
    if len(unit) == 1:
        return np.ones(1, dtype=int)
    distance = np.clip(1 - unit @ unit.T, 0, 2)
    condensed = distance[np.triu_indices(len(unit), 1)]
    labels: np.ndarray = fcluster(linkage(condensed, "average"), cut, "distance")
    return labels


def _similarities(unit: Float[np.ndarray, "member d"]) -> Float[np.ndarray, " member"]:
    mean = unit.mean(0)
    length = float(np.linalg.norm(mean))
    similarity: np.ndarray = unit @ mean / (length if length > 0 else 1.0)
    return similarity

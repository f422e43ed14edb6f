"""The largest sizes of many lists, kept while the lists go by."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Leaders:
    """The k largest sizes so far, so that a sheet looks no further than what may be among them."""

    def __init__(self, k: int) -> None:
        self.k = k
        self._sizes = torch.empty(0)

    def among(self, sizes: Float[Tensor, " n"]) -> Int[Tensor, " kept"]:
        """Places of those that may be among the k largest of all, in order."""
        least = float(self._sizes[-1]) if len(self._sizes) == self.k else 0.0
        kept = (sizes >= least).nonzero()[:, 0] if least > 0 else None
        if kept is None or len(kept) > self.k:
            kept = sizes.topk(min(self.k, len(sizes))).indices.sort().values
        if not len(kept):
            return kept
        both = torch.cat((self._sizes, sizes[kept].float().cpu()))
        self._sizes = both.sort(descending=True).values[: self.k]
        return kept

"""Tokens by number: those of a text, and those of it that one pass computes."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

Where = Literal["everything", "prompt", "generated"]
"""With no positions named, and where text is generated: which tokens an edit acts on."""


@dataclass(frozen=True)
class Extent:
    """The tokens that a pass computes: a whole text, or while generating its newest ones."""

    n_prompt: int
    """Tokens of the prompt: -1 names the last of them, and means are taken over them."""
    start: int
    """First token computed; earlier ones are known by their keys and values."""
    stop: int
    """Tokens so far, those computed now included."""
    limit: int
    """Tokens that the text may grow to: positions below it may be named."""
    means: dict[Hashable, Tensor] = field(default_factory=dict, compare=False)
    """Means over the prompt, kept for the tokens that follow."""

    @staticmethod
    def whole(n_tokens: int) -> "Extent":
        return Extent(n_tokens, 0, n_tokens, n_tokens)

    def places(self, where: Where) -> range:
        """The tokens of this pass that lie in the prompt, or after it."""
        first = max(self.start, self.n_prompt) if where == "generated" else self.start
        return range(first, min(self.stop, self.n_prompt) if where == "prompt" else self.stop)


def check_position(position: int, n_tokens: int, what: str) -> int:
    """A position from 0, with -1 meaning the last token. Raises ValueError naming the range."""
    if not -1 <= position < n_tokens:
        raise ValueError(
            f"{what} {position} is out of range: the prompt has tokens 0-{n_tokens - 1} "
            "(-1 is the last)."
        )
    return position % n_tokens

"""Everything that decides a training run beside the code, the model and the text.

Activations are scaled so that their mean squared distance from the mean is their width d; weights of penalties are
in that scale, where 5 is a usual L1 weight (Conerly et al., Anthropic, April 2024).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from neuron_explainer.autoencoders.nonlinearities import Nonlinearity, NonlinearityKind
from neuron_explainer.autoencoders.sparse_coder import CODER_SITES
from neuron_explainer.models.hooks import Site

Revival = Literal["auxiliary", "resample", "both", "none"]


@dataclass(frozen=True, order=True)
class Point:
    """Where a coder sits."""

    site: Site
    layer: int

    def __str__(self) -> str:
        return f"{self.site}/L{self.layer}"


@dataclass(frozen=True)
class Recipe:
    """How coders are trained; the same for all that share a run."""

    n_latents: int
    nonlinearity: NonlinearityKind = "topk"
    k: int | None = None
    """Active latents per token, for topk and batchtopk."""
    l1: float | None = None
    """Weight of the sum of latents, for relu."""
    l0: float | None = None
    """Weight of the number of active latents, for jumprelu."""
    tokens: int = 1_000_000
    """Tokens to train on; the text is read again where it is shorter."""
    batch_tokens: int = 2048
    """Tokens in a step, over all processes."""
    buffer_batches: int = 16
    """Batches whose tokens are shuffled together."""
    window: int = 128
    """Tokens the model sees at once."""
    join_documents: bool = True
    """Whether short documents share a window, with the end-of-text token between them; else each is read from its
    start, alone, as prompts are: nearer to their use, but part of a window stays empty."""
    learning_rate: float = 3e-3
    warmup: float = 0.02
    """Share of the run in which the learning rate rises from 0, linearly."""
    decay: float = 0.3
    """Share of the run, at its end, in which the learning rate falls to 0, linearly."""
    penalty_warmup: float = 0.1
    """Share of the run in which the penalty on latents rises from 0, linearly."""
    revival: Revival = "auxiliary"
    """What brings dead latents back: a loss on what the others missed, re-initialisation, both, nothing."""
    dead_after: int | None = None
    """Tokens without being active after which a latent counts as dead; None means a fiftieth of the run, between 8
    batches and ten million."""
    auxiliary_weight: float = 1 / 32
    auxiliary_k: int | None = None
    """Dead latents that take part at a token; None means half the width of the site."""
    resample_at: tuple[float, ...] = (0.125, 0.25, 0.375, 0.5)
    """Shares of the run after which dead latents are re-initialised."""
    bandwidth: float = 0.1
    """Width of the kernel through which the gradient of jumprelu's threshold is seen."""
    seed: int = 0

    def __post_init__(self) -> None:
        Nonlinearity(self.nonlinearity, self.k)
        if self.k is not None and self.k > self.n_latents:
            raise ValueError(f"k={self.k} is more than all n_latents={self.n_latents}.")
        for name, kind in (("l1", "relu"), ("l0", "jumprelu")):
            weight = getattr(self, name)
            if (weight is not None) != (self.nonlinearity == kind):
                raise ValueError(
                    f"nonlinearity={self.nonlinearity!r} clashes with {name}={weight}."
                )
            if weight is not None and not (math.isfinite(weight) and weight >= 0):
                raise ValueError(f"{name}={weight}: a penalty's weight is 0 or more.")
        for name in (
            "n_latents",
            "tokens",
            "batch_tokens",
            "buffer_batches",
            "window",
            "dead_after",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}={value}: at least 1 is needed.")
        if self.batch_tokens % self.window:
            raise ValueError(
                f"batch_tokens={self.batch_tokens} is no multiple of window={self.window}: "
                "a batch holds whole windows."
            )
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ValueError(f"learning_rate={self.learning_rate}: a positive number is needed.")

    @property
    def n_steps(self) -> int:
        return math.ceil(self.tokens / self.batch_tokens)

    @property
    def silence(self) -> int:
        """Tokens without being active after which a latent counts as dead."""
        if self.dead_after is not None:
            return self.dead_after
        return min(10_000_000, max(8 * self.batch_tokens, self.tokens // 50))

    @property
    def resample_steps(self) -> frozenset[int]:
        """Steps after which dead latents are re-initialised."""
        if self.revival not in ("resample", "both"):
            return frozenset()
        return frozenset(max(1, round(share * self.n_steps)) for share in self.resample_at)

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        rise = (step + 1) / max(1.0, self.warmup * self.n_steps)
        fall = (self.n_steps - step) / max(1.0, self.decay * self.n_steps)
        return self.learning_rate * min(1.0, rise, fall)

    def penalty(self, step: int) -> float:
        """Weight of the penalty on latents at a step; 0 where the nonlinearity bounds them."""
        rise = min(1.0, (step + 1) / max(1.0, self.penalty_warmup * self.n_steps))
        return (self.l1 or self.l0 or 0.0) * rise

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def check_points(points: tuple[Point, ...], n_layers: int) -> None:
    """Raise ValueError for a site that carries no coder, a layer that is not there, or a point named twice."""
    if not points:
        raise ValueError("Name at least one site and one layer to train a coder at.")
    for point in points:
        if point.site not in CODER_SITES:
            raise ValueError(f"site {point.site!r} cannot carry a coder; allowed: {CODER_SITES}")
        if not 0 <= point.layer < n_layers:
            raise ValueError(
                f"layer {point.layer} is out of range: the model has layers 0-{n_layers - 1}."
            )
        if points.count(point) > 1:
            raise ValueError(f"{point} is named twice; each place is trained once in a run.")

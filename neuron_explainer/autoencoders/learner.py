"""One coder in training: its weights, its optimiser, and a step on a batch of activations.

    x     = s a                     a: the activation; s makes the mean squared distance from the mean d
    pre   = W (x - b) + b_enc,  z = nonlinearity(pre),  r = sum_j z_j D_j + b

Decoder rows D_j have unit norm: the gradient loses its part along them, and they are normalised after each step. At
the start b is the mean, D_j are directions of random inputs from there, and W = c D with the c that fits best. For
topk and batchtopk all but one matrix product touch active latents only (`sparse_products.py`). `coder()` takes the
scale s out again: the same W and D, with biases and thresholds divided by s.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from neuron_explainer.autoencoders.dead_latents import Silence, resample
from neuron_explainer.autoencoders.losses import (
    auxiliary_loss,
    jumprelu,
    l0_penalty,
    l1_penalty,
    reconstruction_loss,
    without_parallel,
)
from neuron_explainer.autoencoders.peers import ALONE, Peers
from neuron_explainer.autoencoders.recipe import Point, Recipe
from neuron_explainer.autoencoders.selection import (
    Selection,
    largest_of_batch,
    largest_per_token,
)
from neuron_explainer.autoencoders.sparse_coder import (
    SparseCoder,
    SparseCoderConfig,
    coder_from_tensors,
)
from neuron_explainer.autoencoders.sparse_products import (
    count_by_latent,
    decode_selected,
    encode_selected,
)

FITTED_TOKENS = 4096
THRESHOLD_MEMORY = 0.99
"""Share of a batchtopk threshold that stays at each step."""
AUXILIARY_SHARE = 4
"""One token in this many takes part in the auxiliary loss: an unbiased estimate, at a quarter of the cost."""


@dataclass
class Tally:
    """Sums over steps, from which the figures of a stretch of training come."""

    squared_error: float = 0.0
    variance: float = 0.0
    n_active: int = 0
    loss: float = 0.0
    n_tokens: int = 0
    n_steps: int = 0

    def figures(self) -> dict[str, float]:
        """FVU (share of variance unexplained), L0 (active latents per token) and the loss."""
        return {
            "fvu": self.squared_error / max(self.variance, 1e-30),
            "l0": self.n_active / max(self.n_tokens, 1),
            "loss": self.loss / max(self.n_steps, 1),
        }


@dataclass(frozen=True)
class _Coded:
    """A batch, encoded and decoded."""

    recon: Float[Tensor, "token d"]
    penalty: Float[Tensor, ""] | None
    """Of the sparsity, not weighted."""
    n_active: int
    active: Bool[Tensor, " latent"]


class Learner:
    def __init__(
        self,
        point: Point,
        recipe: Recipe,
        d: int,
        device: torch.device,
        peers: Peers = ALONE,
    ) -> None:
        """A coder without weights: call `start` or `load_state` next."""
        self.point, self.recipe, self.d, self.peers = point, recipe, d, peers
        n = recipe.n_latents
        self.scale = 1.0
        self.weights = {
            "w_enc": torch.zeros(n, d, device=device, requires_grad=True),
            "b_enc": torch.zeros(n, device=device, requires_grad=True),
            "w_dec": torch.zeros(n, d, device=device, requires_grad=True),
            "b_dec": torch.zeros(d, device=device, requires_grad=True),
        }
        if recipe.nonlinearity == "jumprelu":
            self.weights["log_threshold"] = torch.zeros(n, device=device, requires_grad=True)
        self.batch_threshold = torch.zeros(1, device=device)
        """batchtopk: a running mean of the smallest active number."""
        # Fused: one pass over the numbers. It has no effect on the result.
        self.optimizer = torch.optim.Adam(list(self.weights.values()), fused=True)
        self.silence = Silence(n, recipe.silence, device)
        self.tally = Tally()

    @torch.no_grad()
    def start(self, inputs: Float[Tensor, "token d"], generator: torch.Generator) -> None:
        """First weights, from a block of activations; every process ends up with the first one's."""
        mean = inputs.mean(dim=0)
        self.scale = (
            (self.d / (inputs - mean).square().sum(dim=1).mean().clamp(min=1e-12)).sqrt().item()
        )
        drawn = torch.randint(len(inputs), (self.recipe.n_latents,), generator=generator)
        rows = (inputs[drawn.to(inputs.device)] - mean) * self.scale
        # Some noise, or a token that is drawn twice would make twins.
        rows += 0.1 * torch.randn(rows.shape, generator=generator).to(rows.device)
        rows /= rows.norm(dim=1, keepdim=True)
        self.weights["w_dec"].copy_(rows)
        self.weights["w_enc"].copy_(rows)
        self.weights["b_dec"].copy_(mean * self.scale)
        if "log_threshold" in self.weights:
            self.weights["log_threshold"].fill_(-2.3)  # a threshold of 0.1 deviations
        self._fit_encoder(inputs[:FITTED_TOKENS] * self.scale)
        scale = torch.tensor([self.scale], device=inputs.device)
        self.peers.broadcast([*self.weights.values(), scale])
        self.scale = scale.item()

    def _fit_encoder(self, x: Float[Tensor, "token d"]) -> None:
        """Scale the encoder so that reconstructions have the size that fits best."""
        offset = self.weights["b_dec"]
        recon = self._code(x).recon - offset
        fit = (recon * (x - offset)).sum() / recon.square().sum().clamp(min=1e-12)
        self.weights["w_enc"].mul_(fit)
        self.batch_threshold.zero_()

    def step(self, activations: Float[Tensor, "token d"], step: int) -> None:
        """One step of Adam on a batch."""
        x = activations * self.scale
        coded = self._code(x)
        loss = reconstruction_loss(x, coded.recon)
        if coded.penalty is not None:
            loss = loss + self.recipe.penalty(step) * coded.penalty
        extra = self._auxiliary(x, coded.recon)
        total = loss if extra is None else loss + extra
        grads = list(torch.autograd.grad(total, list(self.weights.values())))
        active = self.peers.combine(grads, coded.active)
        self._apply(grads, self.recipe.rate(step))
        self.silence.add(len(x) * self.peers.size, active)
        self._count(x, coded, float(loss.detach()))

    def _code(self, x: Float[Tensor, "token d"]) -> _Coded:
        w = self.weights
        centred = x - w["b_dec"]
        if self.recipe.k is None:
            return self._code_densely(centred)
        with torch.no_grad():
            pre = F.linear(centred, w["w_enc"], w["b_enc"])
            selected = self._select(pre)
            known = selected.values(pre)
        # Every known number is positive, where relu is the identity.
        z = encode_selected(centred, w["w_enc"], w["b_enc"], known, selected)
        recon = decode_selected(z, w["w_dec"], selected) + w["b_dec"]
        if self.recipe.nonlinearity == "batchtopk" and known.numel():
            self._remember_threshold(known.min())
        return _Coded(recon, None, known.numel(), count_by_latent(selected) > 0)

    def _remember_threshold(self, smallest: Float[Tensor, ""]) -> None:
        is_first = not bool(self.batch_threshold)
        memory = 0.0 if is_first else THRESHOLD_MEMORY
        self.batch_threshold.lerp_(smallest[None], 1 - memory)

    def _select(self, pre: Float[Tensor, "token latent"]) -> Selection:
        k = self.recipe.k or 1
        if self.recipe.nonlinearity == "topk":
            return largest_per_token(pre, k)
        return largest_of_batch(pre, k * len(pre))

    def _code_densely(self, centred: Float[Tensor, "token d"]) -> _Coded:
        w, recipe = self.weights, self.recipe
        pre = F.linear(centred, w["w_enc"], w["b_enc"])
        if recipe.nonlinearity == "relu":
            z = pre.relu()
            penalty = l1_penalty(z, self.d)
        else:
            threshold = w["log_threshold"].exp()
            z = jumprelu(pre, threshold, recipe.bandwidth)
            penalty = l0_penalty(pre, threshold, recipe.bandwidth, self.d)
        is_active = z.detach() > 0
        recon = z @ w["w_dec"] + w["b_dec"]
        return _Coded(recon, penalty, int(is_active.sum()), is_active.any(dim=0))

    def _auxiliary(self, x: Tensor, recon: Tensor) -> Float[Tensor, ""] | None:
        if self.recipe.revival not in ("auxiliary", "both"):
            return None
        dead = self.silence.dead
        if dead.numel() == 0:
            return None
        w, n = self.weights, max(1, len(x) // AUXILIARY_SHARE)
        k = self.recipe.auxiliary_k or max(1, self.d // 2)
        loss = auxiliary_loss(
            (x - w["b_dec"])[:n],
            (x - recon)[:n],
            w["w_enc"][dead],
            w["b_enc"][dead],
            w["w_dec"][dead],
            k,
        )
        return self.recipe.auxiliary_weight * loss

    @torch.no_grad()
    def _apply(self, grads: list[Tensor], rate: float) -> None:
        for (name, weight), grad in zip(self.weights.items(), grads, strict=True):
            weight.grad = without_parallel(grad, weight) if name == "w_dec" else grad
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.step()
        rows = self.weights["w_dec"]
        rows /= rows.norm(dim=1, keepdim=True).clamp(min=1e-8)

    @torch.no_grad()
    def _count(self, x: Tensor, coded: _Coded, loss: float) -> None:
        tally = self.tally
        tally.squared_error += float((x - coded.recon).square().sum())
        tally.variance += float((x - x.mean(dim=0)).square().sum())
        tally.n_active += coded.n_active
        tally.loss += loss
        tally.n_tokens += len(x)
        tally.n_steps += 1

    @torch.no_grad()
    def resample(self, activations: Float[Tensor, "token d"], generator: torch.Generator) -> int:
        """Re-initialise dead latents from inputs that are reconstructed badly. Returns how many."""
        dead = self.silence.dead
        if dead.numel():
            x = activations * self.scale
            losses = (x - self._code(x).recon).square().sum(dim=1)
            moments = {name: self._moments(name) for name in ("w_enc", "b_enc", "w_dec")}
            inputs = x - self.weights["b_dec"]
            share = 0.2 if self.recipe.k is None else 1.0
            resample(dead, inputs, losses, self.weights, moments, generator, share)
            self.silence.tokens[dead] = 0
            self.peers.broadcast(list(self.weights.values()))
        return int(dead.numel())

    def _moments(self, name: str) -> tuple[Tensor, Tensor]:
        state = self.optimizer.state[self.weights[name]]
        return state["exp_avg"], state["exp_avg_sq"]

    def coder(self, source: str) -> SparseCoder:
        """The coder as it is used: without the scale, frozen."""
        w, recipe = {k: v.detach() for k, v in self.weights.items()}, self.recipe
        config = SparseCoderConfig(
            site=self.point.site,
            layer=self.point.layer,
            d_in=self.d,
            n_latents=recipe.n_latents,
            nonlinearity=recipe.nonlinearity,
            k=recipe.k,
            source=source,
        )
        tensors = {
            "w_enc": w["w_enc"],
            "b_enc": w["b_enc"] / self.scale,
            "w_dec": w["w_dec"].T,
            "b_dec": w["b_dec"] / self.scale,
        }
        if recipe.nonlinearity == "jumprelu":
            tensors["threshold"] = w["log_threshold"].exp() / self.scale
        elif recipe.nonlinearity == "batchtopk":
            tensors["threshold"] = self.batch_threshold / self.scale
        return coder_from_tensors(config, tensors, source)

    def figures(self) -> dict[str, float]:
        """FVU, L0, loss and dead fraction since the last time they were asked for."""
        figures = self.tally.figures() | {"dead": self.silence.dead_fraction}
        self.tally = Tally()
        return figures

    def state(self) -> dict[str, Tensor]:
        """Everything that a later step depends on, by name."""
        state = {name: value.detach() for name, value in self.weights.items()}
        for name, value in self.weights.items():
            for moment, held in self.optimizer.state[value].items():
                state[f"adam.{name}.{moment}"] = held
        state |= {"silence": self.silence.tokens, "batch_threshold": self.batch_threshold}
        return state | {"scale": torch.tensor([self.scale], dtype=torch.float64)}

    @torch.no_grad()
    def load_state(self, state: dict[str, Tensor]) -> None:
        for name, value in self.weights.items():
            value.copy_(state[name])
            moments = ("step", "exp_avg", "exp_avg_sq")
            self.optimizer.state[value] = {
                moment: state[f"adam.{name}.{moment}"].to(value.device).clone()
                for moment in moments
            }
        self.silence.tokens.copy_(state["silence"])
        self.batch_threshold.copy_(state["batch_threshold"])
        self.scale = state["scale"].item()
        self.tally = Tally()

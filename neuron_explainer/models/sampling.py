"""Text from the one forward pass: a key-value cache, a choice among the logits, and edits in force.

    first step     the prompt, in pieces of at most `PIECE` tokens; each layer's keys and values are kept
    further steps  the newest token alone, which reads the kept keys and values
    each step      logits of the last token only -> temperature -> top-k -> top-p (Holtzman et al.
                   2020, section 3.1) -> one token, drawn with a seeded generator

Edits act on a step's own tokens; their positions are those of the whole text (`Extent`). Tokens
come one by one, so whoever stops asking has stopped the model.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neuron_explainer.models.bases import PLAIN, Bases
from neuron_explainer.models.chat import Message, Text, chat_text, continued, end_tokens, plain_text
from neuron_explainer.models.extent import Extent
from neuron_explainer.models.hooks import NO_HOOKS, Hooks
from neuron_explainer.models.interventions import Ablate, Intervention, intervention_hooks
from neuron_explainer.models.precision import products_for
from neuron_explainer.models.tokens import PromptTooLong, token_text
from neuron_explainer.models.transformer import Transformer

Finish = Literal["end_token", "stop_string", "length", "context"]
"""Why a text ended: the model's own end token, a stop string, as long as asked, the context is full."""

PIECE = 512
"""Prompt tokens of one forward; bounds the memory of attention patterns."""


class Overflow(ValueError):
    """The run produced values that are no numbers."""


@dataclass(frozen=True)
class Sampling:
    """How each token is chosen, and when to stop."""

    max_new_tokens: int = 64
    temperature: float = 0.0
    """0 takes the likeliest token."""
    top_p: float = 1.0
    """Keep the likeliest tokens that together make up this probability."""
    top_k: int | None = None
    """Keep this many of the likeliest tokens."""
    seed: int = 0
    stop: tuple[str, ...] = ()
    """The text ends before the first of these that it contains."""
    n_top: int = 5
    """Alternatives reported with each token."""

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ValueError(f"max_new_tokens is {self.max_new_tokens}: ask for at least 1.")
        if self.temperature < 0:
            raise ValueError(f"temperature is {self.temperature}: it is 0 (greedy) or more.")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p is {self.top_p}: it is above 0 and at most 1.")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k is {self.top_k}: keep at least 1 token, or None for all.")
        if any(not text for text in self.stop):
            raise ValueError("A stop string is empty: it would end every text at once.")


@dataclass(frozen=True)
class Alternative:
    """A token that might have come, with its log-probability in nats."""

    id: int
    text: str
    logprob: float


@dataclass(frozen=True)
class SampledToken:
    """A new token, and what the model (edits in force, before temperature) thought of it."""

    id: int
    text: str
    position: int
    """Index in the whole text, prompt included."""
    logprob: float
    rank: int
    """0 is the likeliest."""
    top: tuple[Alternative, ...]


class KeyValueCache:
    """Keys and values of all tokens so far, in buffers made once."""

    def __init__(self, model: Transformer, capacity: int) -> None:
        config = model.config
        shape = (2, config.n_layers, 1, config.n_kv_heads, capacity, config.d_head)
        k, v = torch.empty(shape, device=model.device, dtype=model.dtype)
        self._buffers = list(zip(k.unbind(), v.unbind(), strict=True))
        self.start = 0

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = self._buffers[layer]
        n_new = k.shape[2]
        keys.narrow(2, self.start, n_new).copy_(k)
        values.narrow(2, self.start, n_new).copy_(v)
        stop = self.start + n_new
        return keys.narrow(2, 0, stop), values.narrow(2, 0, stop)


class Continuation:
    """A text that grows: each call runs the tokens that are new and returns the last one's logits."""

    def __init__(
        self,
        model: Transformer,
        n_prompt: int,
        limit: int,
        interventions: Sequence[Intervention] = (),
        bases: Bases = PLAIN,
    ) -> None:
        self.model = model
        self.interventions, self.bases = tuple(interventions), bases
        self._cache = KeyValueCache(model, limit)
        self._whole = Extent(n_prompt, 0, 0, limit)
        needs_mean = any(isinstance(e, Ablate) and e.value == "mean" for e in interventions)
        self._piece = max(PIECE, n_prompt) if needs_mean else PIECE

    @torch.inference_mode()
    def logits(self, tokens: Sequence[int]) -> Float[Tensor, " vocab"]:
        """Logits after the last of these tokens, in float32. Raises Overflow."""
        x = torch.empty(0)
        for first in range(0, len(tokens), self._piece):
            piece = tokens[first : first + self._piece]
            with products_for(len(piece)):
                x = self._resid(piece)
        with products_for(1):
            return self._last(x)

    def _last(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, " vocab"]:
        return finite(self.model.unembed(x[:, -1:], NO_HOOKS)[0, 0].float())

    @torch.inference_mode()
    def all_logits(self, tokens: Sequence[int]) -> Iterator[Float[Tensor, "piece vocab"]]:
        """Logits after each of these tokens, a piece at a time: large."""
        for first in range(0, len(tokens), self._piece):
            x = self._resid(tokens[first : first + self._piece])
            for some in torch.split(x[0], PIECE):
                yield finite(self.model.unembed(some[None], NO_HOOKS)[0].float())

    def _resid(self, tokens: Sequence[int]) -> Float[Tensor, "batch seq d_model"]:
        start = self._cache.start
        stop = start + len(tokens)
        hooks = self._hooks(start, stop)
        ids = torch.tensor([list(tokens)], device=self.model.device)
        x = self.model.layers(self.model.embed(ids, hooks, start), hooks, store=self._cache)
        self._cache.start = stop
        return x

    def _hooks(self, start: int, stop: int) -> Hooks:
        if not self.interventions:
            return NO_HOOKS
        whole = self._whole
        extent = Extent(whole.n_prompt, start, stop, whole.limit, whole.means)
        return intervention_hooks(self.interventions, self.model.config, extent, bases=self.bases)


def finite(logits: Float[Tensor, "*batch vocab"]) -> Float[Tensor, "*batch vocab"]:
    """The logits themselves. Raises Overflow when one is no number."""
    # A sum is a fast look at all of them; it may overflow where they do not.
    if bool(torch.isfinite(logits.sum())) or bool(torch.isfinite(logits).all()):
        return logits
    raise Overflow(
        "The result is not finite: the interventions made values overflow. "
        "Use smaller values or strengths."
    )


class Generation:
    """A text being written. Iterate for its tokens; `text` and `finish` are complete at the end."""

    def __init__(
        self,
        model: Transformer,
        prompt: Text,
        sampling: Sampling,
        interventions: Sequence[Intervention] = (),
        bases: Bases = PLAIN,
    ) -> None:
        n_tokens, n_ctx = len(prompt.tokens), model.config.n_ctx
        if n_tokens >= n_ctx:
            raise PromptTooLong(
                f"The text has {n_tokens} tokens; {model.config.name} sees at most {n_ctx}, and "
                "none is left for new ones."
            )
        self.model, self.prompt, self.sampling = model, prompt, sampling
        self.interventions, self.bases = tuple(interventions), bases
        self.limit = min(n_tokens + sampling.max_new_tokens, n_ctx)
        self.tokens: list[SampledToken] = []
        self.finish: Finish | None = None
        """None while it grows."""
        self.stop: str | None = None
        """The stop string that ended it."""
        self._continuation = Continuation(model, prompt.n_prompt, self.limit, interventions, bases)
        self._end = end_tokens(model)
        # Checks the edits before anything runs.
        whole = Extent(prompt.n_prompt, 0, n_tokens, self.limit)
        intervention_hooks(interventions, model.config, whole, bases=bases)
        self._iterator = self._run()

    def __iter__(self) -> Iterator[SampledToken]:
        return self._iterator

    @property
    def text(self) -> str:
        """The new text so far, without the end token, and cut before a stop string."""
        text = _said(self.model, self.prompt.tokens, [token.id for token in self.tokens])
        return text if self.stop is None else text[: text.index(self.stop)]

    def run(self) -> "Generation":
        """Write it to the end."""
        for _ in self._iterator:
            pass
        return self

    def _run(self) -> Iterator[SampledToken]:
        generator = torch.Generator().manual_seed(self.sampling.seed)
        position = len(self.prompt.tokens)
        new: Sequence[int] = self.prompt.tokens
        while self.finish is None:
            logits = self._continuation.logits(new)
            chosen = choose(logits, self.sampling, generator)
            token = described(self.model, logits, chosen, position, self.sampling.n_top)
            self.tokens.append(token)
            position += 1
            self.finish = self._finish(token, position)
            yield token
            new = (chosen,)

    def _finish(self, token: SampledToken, position: int) -> Finish | None:
        if token.id in self._end:
            return "end_token"
        if self.sampling.stop:
            text = self.text
            found = [stop for stop in self.sampling.stop if stop in text]
            if found:
                self.stop = min(found, key=text.index)
                return "stop_string"
        if len(self.tokens) == self.sampling.max_new_tokens:
            return "length"
        return "context" if position == self.model.config.n_ctx else None


def generate(
    model: Transformer,
    prompt: str | Sequence[Message] | Text,
    *,
    max_new_tokens: int = 64,
    temperature: float = 0.0,
    top_p: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
    stop: Sequence[str] = (),
    n_top: int = 5,
    interventions: Sequence[Intervention] = (),
    prefix_tokens: Sequence[int] = (),
    bases: Bases = PLAIN,
) -> Generation:
    """Continue a text, or answer a chat.

        for token in generate(model, "When Mary and John"):
            print(token.text, end="")
        reply = generate(model, [Message("user", "Hello")], temperature=0.7).run()
        print(reply.text)

    Args:
        prompt: a text, or messages if the model has a chat template.
        prefix_tokens: the reply so far, exactly; generation goes on after it.
        interventions: edits in force at the prompt's tokens and the new ones.
        bases: what the latents among them belong to (`Investigation.bases`).

    Raises:
        LookupError, ValueError: an argument or an edit that this model does not have room for.
    """
    if isinstance(prompt, str):
        text = plain_text(model, prompt)
    else:
        text = prompt if isinstance(prompt, Text) else chat_text(model, prompt)
    sampling = Sampling(max_new_tokens, temperature, top_p, top_k, seed, tuple(stop), n_top)
    return Generation(model, continued(model, text, prefix_tokens), sampling, interventions, bases)


def choose(logits: Float[Tensor, " vocab"], sampling: Sampling, generator: torch.Generator) -> int:
    """One token id. Drawn on the CPU, so that a seed means the same on every device."""
    if sampling.temperature == 0:
        return int(logits.argmax())
    kept, ids = kept_tokens(logits.cpu(), sampling)
    return int(ids[torch.multinomial(kept, 1, generator=generator)])


def kept_tokens(
    logits: Float[Tensor, " vocab"], sampling: Sampling
) -> tuple[Float[Tensor, " kept"], Float[Tensor, " kept"] | Tensor]:
    """Probabilities and ids of the tokens that temperature, top-k and top-p leave, likeliest first."""
    # In float64, where even the smallest temperature is above zero.
    scaled = (logits.double() - logits.max()) / sampling.temperature
    n_kept = min(sampling.top_k or len(scaled), len(scaled))
    values, ids = scaled.sort(descending=True, stable=True)
    probs = values[:n_kept].softmax(-1)
    before = probs.cumsum(-1) - probs
    is_kept = before < sampling.top_p
    is_kept[0] = True
    return probs[is_kept], ids[:n_kept][is_kept]


def described(
    model: Transformer, logits: Float[Tensor, " vocab"], token: int, position: int, n_top: int
) -> SampledToken:
    """A token as the logits before it saw it."""
    total = logits.logsumexp(-1)
    return SampledToken(
        id=token,
        text=token_text(model, token),
        position=position,
        logprob=float(logits[token] - total),
        rank=int((logits > logits[token]).sum()),
        top=likeliest(model, logits, n_top, total),
    )


def likeliest(
    model: Transformer,
    logits: Float[Tensor, " vocab"],
    n: int,
    total: Float[Tensor, ""] | None = None,
) -> tuple[Alternative, ...]:
    """The n likeliest tokens. `total` is the logits' logsumexp, if it is known."""
    top = logits.topk(min(n, len(logits)))
    logprobs = (top.values - (logits.logsumexp(-1) if total is None else total)).tolist()
    return tuple(
        Alternative(token, token_text(model, token), logprob)
        for token, logprob in zip(top.indices.tolist(), logprobs, strict=True)
    )


def reply_text(model: Transformer, text: Text) -> str:
    """What follows the prompt, without end tokens."""
    return _said(model, text.tokens[: text.n_prompt], text.tokens[text.n_prompt :])


def _said(model: Transformer, before: Sequence[int], ids: Sequence[int]) -> str:
    ends = end_tokens(model)
    return new_text(model, before, [token for token in ids if token not in ends])


def new_text(model: Transformer, before: Sequence[int], ids: Sequence[int]) -> str:
    """What tokens add to a text: decoded after it, since some decoders treat a first token apart."""
    decode = model.tokenizer.decode
    anchor = list(before[-4:])
    whole = str(decode(anchor + list(ids), clean_up_tokenization_spaces=False))
    first = str(decode(anchor, clean_up_tokenization_spaces=False))
    if whole.startswith(first):
        return whole[len(first) :]
    return str(decode(list(ids), clean_up_tokenization_spaces=False))

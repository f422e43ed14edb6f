"""What the components of one layer do on many windows of text, and at the end of altered ones.

    neuron    mlp_post_act
    latent    what its coder makes of its site
    head      the write magnitude of each token pair, |A v W_O|

A *probe* asks for one component's value at the last token of a text whose last few tokens were changed. Probes of
one text share everything before those: it is run once, and its keys and values serve all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.models.forward_pass import RecordedKeys
from neuron_explainer.models.hooks import Recorder, Site
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component

BATCH_TOKENS = 8192
"""Tokens that are run at once."""


@dataclass(frozen=True)
class Subjects:
    """All components of a kind in a layer."""

    model: Transformer
    kind: str
    """`mlp` or `latent`."""
    layer: int
    coders: CoderSet | None = None
    """For latents."""

    @property
    def site(self) -> Site:
        return "mlp_post_act" if self.coders is None else self.coders.site

    @property
    def count(self) -> int:
        if self.coders is None:
            return self.model.config.d_mlp
        return self.coders.coders[self.layer].config.n_latents

    def component(self, index: int) -> Component:
        if self.coders is None:
            return Component("mlp", self.layer, index)
        return Component("latent", self.layer, index, self.coders.stream)

    def read(self, value: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch component"]:
        """Components' values from their site's."""
        return (
            value.float() if self.coders is None else self.coders.coders[self.layer].encode(value)
        )


@dataclass(frozen=True)
class Observations:
    """Values of all subjects on windows of text."""

    tokens: Int[Tensor, "window seq"]
    valid: Bool[Tensor, "window seq"]
    values: Float[Tensor, "component token"]
    """At every token that is no padding, in the windows' order; half precision."""

    @property
    def text(self) -> Int[Tensor, " token"]:
        """Every token, without padding."""
        return self.tokens[self.valid]


@torch.inference_mode()
def observe(subjects: Subjects, windows: Sequence[tuple[int, ...]]) -> Observations:
    """Run the model over windows of tokens."""
    tokens, valid = padded(windows)
    n, seq = tokens.shape
    values = torch.zeros(subjects.count, int(valid.sum()), dtype=torch.float16)
    per_batch, done = max(1, BATCH_TOKENS // seq), 0
    for first in range(0, n, per_batch):
        some = slice(first, first + per_batch)
        found = _values(subjects, tokens[some].to(subjects.model.device)).cpu()[valid[some]]
        values[:, done : done + len(found)] = found.T
        done += len(found)
    return Observations(tokens, valid, values)


@torch.inference_mode()
def write_magnitudes(
    model: Transformer, layer: int, tokens: Int[Tensor, "batch seq"]
) -> Float[Tensor, "batch head seq key"]:
    """|A v W_O| of every head of a layer at every token pair."""
    sites: tuple[Site, ...] = ("attn_pattern", "attn_v")
    recorder = Recorder(sites)
    model.layers(model.embed(tokens), recorder.hooks(), stop=layer + 1)
    attn = model.block(layer).attn
    v = recorder.values["attn_v"][layer].repeat_interleave(attn.n_heads // attn.n_kv_heads, dim=1)
    norms = torch.einsum("bhkd,hdm->bhkm", v.float(), attn.head_w_o().float()).norm(dim=-1)
    pattern = recorder.values["attn_pattern"][layer].float()
    magnitudes: Tensor = pattern * norms[:, :, None, :]
    return magnitudes


def padded(
    windows: Sequence[tuple[int, ...]],
) -> tuple[Int[Tensor, "window seq"], Bool[Tensor, "window seq"]]:
    """Windows as one tensor, and where it holds text."""
    width = max(map(len, windows), default=1)
    tokens = torch.zeros(len(windows), width, dtype=torch.long)
    valid = torch.zeros(len(windows), width, dtype=torch.bool)
    for row, window in enumerate(windows):
        tokens[row, : len(window)] = torch.tensor(window)
        valid[row, : len(window)] = True
    return tokens, valid


def _values(
    subjects: Subjects, tokens: Int[Tensor, "batch seq"]
) -> Float[Tensor, "batch seq component"]:
    recorder = Recorder([subjects.site])
    model = subjects.model
    model.layers(model.embed(tokens), recorder.hooks(), stop=subjects.layer + 1)
    return subjects.read(recorder.values[subjects.site][subjects.layer])


class SharedPrefix:
    """Key-value store of probes: each row continues one of a few texts that were run before."""

    def __init__(self, keys: RecordedKeys, start: int, rows: Int[Tensor, " row"]) -> None:
        self.start = start
        self._keys, self._rows = keys, rows

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        old_k, old_v = self._keys.layers[layer]
        return torch.cat((old_k[self._rows], k), 2), torch.cat((old_v[self._rows], v), 2)


@torch.inference_mode()
def probe(
    subjects: Subjects,
    prefixes: Int[Tensor, "text prefix"],
    endings: Int[Tensor, "row ending"],
    text: Int[Tensor, " row"],
    components: Int[Tensor, " row"],
) -> Float[Tensor, " row"]:
    """One component's value at the last token of each row.

    Args:
        prefixes: what the texts begin with; run once each.
        endings: the last tokens of each row.
        text: which prefix each row continues.
        components: which component each row is about.
    """
    model, layer = subjects.model, subjects.layer
    start = prefixes.shape[1]
    keys = RecordedKeys()
    if start:
        model.layers(model.embed(prefixes.to(model.device)), stop=layer + 1, store=keys)
    result = torch.zeros(len(endings))
    per_batch = max(1, BATCH_TOKENS // (endings.shape[1] + start // 4))
    for first in range(0, len(endings), per_batch):
        some = slice(first, first + per_batch)
        recorder = Recorder([subjects.site])
        model.layers(
            model.embed(endings[some].to(model.device), start=start),
            recorder.hooks(),
            stop=layer + 1,
            store=SharedPrefix(keys, start, text[some]) if start else None,
        )
        last = subjects.read(recorder.values[subjects.site][layer][:, -1])
        result[some] = last.cpu().gather(1, components[some, None])[:, 0]
    return result

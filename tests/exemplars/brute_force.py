"""What collation must find, by holding every value in memory: one window at a time, no batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.models.corpus import Corpus
from neuron_explainer.models.hooks import Recorder
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.models.windows import token_windows


@dataclass(frozen=True)
class Everything:
    """Every value of every window, by group name: a list of "component place", one per window."""

    values: dict[str, list[Tensor]]
    texts: list[tuple[int, ...]]
    sources: list[str]

    def flat(self, group: str, index: int) -> Tensor:
        """All values of one component."""
        return torch.cat([window[index].double() for window in self.values[group]])

    def best(self, group: str, index: int, number: int, sign: int) -> float:
        """The largest value, or the smallest, in one window."""
        return sign * float((sign * self.values[group][number][index]).max())

    def leaders(self, group: str, index: int, k: int, sign: int) -> list[float]:
        """The k leading values, of windows that differ up to their peak."""
        best = [
            (self.best(group, index, number, sign), self._up_to_peak(group, index, number, sign))
            for number in range(len(self.texts))
        ]
        found: dict[tuple[int, ...], float] = {}
        for value, text in sorted(best, key=lambda pair: -sign * pair[0]):
            if sign * value > 0:
                found.setdefault(text, value)
        return list(found.values())[:k]

    def _up_to_peak(self, group: str, index: int, number: int, sign: int) -> tuple[int, ...]:
        place = int((sign * self.values[group][number][index]).argmax())
        n = len(self.texts[number])
        token = int(torch.tril_indices(n, n)[0][place]) if group.startswith("attn_L") else place
        return self.texts[number][: token + 1]


def everything(
    model: Transformer, corpus: Corpus, window: int, coder_sets: Sequence[CoderSet] = ()
) -> Everything:
    """Run each window on its own and keep all."""
    found = Everything({}, [], [])
    for tokens, n_valid, source in token_windows(corpus, model.tokenizer, window):
        found.texts.append(tuple(tokens[:n_valid].tolist()))
        found.sources.append(source)
        sites = {"attn_v", "attn_pattern", "mlp_post_act", *(c.site for c in coder_sets)}
        recorder = Recorder(sites)
        model(tokens[None, :n_valid], recorder.hooks())
        for layer in range(model.config.n_layers):
            at = {site: values[layer][0] for site, values in recorder.values.items()}
            _keep(found, f"mlp_L{layer}", at["mlp_post_act"].T)
            _keep(found, f"attn_L{layer}", _write_norms(model, layer, at))
            for coders in coder_sets:
                latents = coders.coders[layer].encode(at[coders.site])
                _keep(found, f"{coders.stream}_ae_L{layer}", latents.T)
    return found


def _write_norms(model: Transformer, layer: int, at: dict[str, Tensor]) -> Tensor:
    """|A v W_O| of each pair, every write spelled out."""
    attn = model.block(layer).attn
    n = at["attn_pattern"].shape[-1]
    query, key = torch.tril_indices(n, n)
    rows = []
    for head in range(attn.n_heads):
        v = at["attn_v"][head * attn.n_kv_heads // attn.n_heads]
        writes = at["attn_pattern"][head][:, :, None] * (v @ attn.head_w_o()[head])
        rows.append(writes.norm(dim=-1)[query, key])
    return torch.stack(rows)


def _keep(found: Everything, group: str, values: Tensor) -> None:
    found.values.setdefault(group, []).append(values)

"""The named tensors of the forward pass, and the functions a run puts on them.

A hook is a function `(value, layer) -> value`. Hooks are an argument of `forward`, never state on
the model: nothing to remove afterwards, nothing to forget. They act in the order given.

    site               shape                          what it is
    embed              batch seq d_model              token plus position embedding
    resid_pre          batch seq d_model              residual stream entering the layer
    attn_norm_scale    batch seq 1                    denominator of the norm before attention
    attn_q, attn_k     batch head seq d_head          queries and keys, before rotary positions
    attn_v             batch head seq d_head          values (k and v: one per key-value head)
    attn_scores        batch head seq key             scaled query . key, before mask and softmax
    attn_pattern       batch head seq key             after softmax
    attn_z             batch head seq d_head          pattern-weighted values
    resid_delta_attn   batch seq d_model              what attention adds, output bias included
    resid_mid          batch seq d_model              after attention, parallel or not
    mlp_norm_scale     batch seq 1                    denominator of the norm before the MLP
    mlp_pre            batch seq d_mlp                before the nonlinearity (if gated, the gate)
    mlp_post_act       batch seq d_mlp                input of the down-projection
    resid_delta_mlp    batch seq d_model              what the MLP adds, output bias included
    resid_post         batch seq d_model              residual stream leaving the layer
    final_norm_scale   batch seq 1                    denominator of the norm before the unembedding
    logits             batch seq vocab
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Literal, get_args

from torch import Tensor

Site = Literal[
    "embed",
    "resid_pre",
    "attn_norm_scale",
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_scores",
    "attn_pattern",
    "attn_z",
    "resid_delta_attn",
    "resid_mid",
    "mlp_norm_scale",
    "mlp_pre",
    "mlp_post_act",
    "resid_delta_mlp",
    "resid_post",
    "final_norm_scale",
    "logits",
]
SITES: tuple[Site, ...] = get_args(Site)
ENDS: frozenset[Site] = frozenset({"embed", "final_norm_scale", "logits"})
"""Sites that exist once, not once for each layer; hooks see them as layer 0."""

Hook = Callable[[Tensor, int], Tensor]

_TRANSFORMER_LENS: Mapping[str, Site] = {
    "hook_resid_pre": "resid_pre",
    "ln1.hook_scale": "attn_norm_scale",
    "attn.hook_q": "attn_q",
    "attn.hook_k": "attn_k",
    "attn.hook_v": "attn_v",
    "attn.hook_attn_scores": "attn_scores",
    "attn.hook_pattern": "attn_pattern",
    "attn.hook_z": "attn_z",
    "hook_attn_out": "resid_delta_attn",
    "hook_resid_mid": "resid_mid",
    "ln2.hook_scale": "mlp_norm_scale",
    "mlp.hook_pre": "mlp_pre",
    "mlp.hook_post": "mlp_post_act",
    "hook_mlp_out": "resid_delta_mlp",
    "hook_resid_post": "resid_post",
}


class Hooks:
    """An immutable map from site to the functions that act there."""

    def __init__(self, hooks: Iterable[tuple[Site, Hook]] = ()) -> None:
        by_site: defaultdict[Site, tuple[Hook, ...]] = defaultdict(tuple)
        for site, hook in hooks:
            by_site[site] += (hook,)
        self._by_site: Mapping[Site, tuple[Hook, ...]] = dict(by_site)

    def __call__(self, site: Site, layer: int, value: Tensor) -> Tensor:
        for hook in self._by_site.get(site, ()):
            value = hook(value, layer)
        return value

    def __contains__(self, site: Site) -> bool:
        return site in self._by_site

    def at(self, site: Site) -> tuple[Hook, ...]:
        """What acts on a site, in order."""
        return self._by_site.get(site, ())

    def __add__(self, other: "Hooks") -> "Hooks":
        """These hooks first, then the others."""
        return Hooks([*self._pairs(), *other._pairs()])

    def _pairs(self) -> Iterable[tuple[Site, Hook]]:
        return ((site, hook) for site, hooks in self._by_site.items() for hook in hooks)


NO_HOOKS = Hooks()


class Recorder:
    """Keeps the tensors that pass chosen sites, uncopied: gradients can be taken to them."""

    def __init__(self, sites: Iterable[Site]) -> None:
        self.values: dict[Site, dict[int, Tensor]] = {site: {} for site in sites}

    def hooks(self) -> Hooks:
        return Hooks((site, partial(self._keep, site)) for site in self.values)

    def _keep(self, site: Site, value: Tensor, layer: int) -> Tensor:
        self.values[site][layer] = value
        return value


def parse_site(name: str) -> tuple[Site, int | None]:
    """Read a site's name, ours (`mlp_post_act`) or TransformerLens's (`blocks.3.mlp.hook_post`).

    Returns the site and the layer that the name carries, if any. Raises ValueError otherwise.
    """
    if name in SITES:
        return name, None
    found = re.fullmatch(r"blocks\.(\d+)\.(.+)", name)
    if found and found[2] in _TRANSFORMER_LENS:
        return _TRANSFORMER_LENS[found[2]], int(found[1])
    if name == "hook_embed":
        return "embed", None
    raise ValueError(f"{name!r} is not a site. Sites: {', '.join(SITES)}.")

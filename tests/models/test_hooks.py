"""Sites: each is passed once in each layer with its documented shape, and hooks act there."""

import pytest
import torch
from torch.testing import assert_close

from neuron_explainer.models.hooks import ENDS, NO_HOOKS, SITES, Hooks, Recorder, parse_site
from tests.tiny_models import TinyModel, TinyModels, some_tokens

TOKENS = torch.tensor([some_tokens(7, 1), some_tokens(7, 2)])


def test_every_site_has_its_documented_shape_in_every_layer(tiny: TinyModel) -> None:
    config = tiny.ours.config
    recorder = Recorder(SITES)
    logits = tiny.ours(TOKENS, recorder.hooks())
    resid, scale = (2, 7, config.d_model), (2, 7, 1)
    heads, shared = ((2, n, 7, config.d_head) for n in (config.n_heads, config.n_kv_heads))
    pairs, neurons = (2, config.n_heads, 7, 7), (2, 7, config.d_mlp)
    shapes = {"attn_q": heads, "attn_k": shared, "attn_v": shared, "attn_z": heads}
    shapes |= {"attn_scores": pairs, "attn_pattern": pairs, "logits": (2, 7, config.n_vocab)}
    shapes |= {"mlp_pre": neurons, "mlp_post_act": neurons, "embed": resid}
    for site in SITES:
        layers = range(1) if site in ENDS else range(config.n_layers)
        assert list(recorder.values[site]) == list(layers), site
        wanted = scale if site.endswith("norm_scale") else shapes.get(site, resid)
        assert all(recorder.values[site][i].shape == wanted for i in layers), site
    # Recorded scales and patterns are applied by hand, otherwise by fused kernels.
    assert_close(logits, tiny.ours(TOKENS), atol=1e-5, rtol=0)


@pytest.mark.parametrize("site", SITES)
def test_a_hook_at_any_site_changes_the_logits(site: str, tiny_models: TinyModels) -> None:
    model = tiny_models("llama-grouped").ours
    hooks = Hooks([(site, lambda value, layer: value * 1.5)])
    assert (model(TOKENS, hooks) - model(TOKENS)).abs().max() > 1e-3


def test_hooks_act_in_the_order_given() -> None:
    add = Hooks([("embed", lambda value, layer: value + 1)])
    double = Hooks([("embed", lambda value, layer: value * 2)])
    one = torch.ones(1)
    assert (add + double)("embed", 0, one).item() == 4
    assert (double + add)("embed", 0, one).item() == 3
    assert NO_HOOKS("embed", 0, one) is one
    assert "embed" in add
    assert "logits" not in add


@pytest.mark.parametrize(
    ("name", "site", "layer"),
    [
        ("mlp_post_act", "mlp_post_act", None),
        ("blocks.3.mlp.hook_post", "mlp_post_act", 3),
        ("blocks.11.hook_resid_pre", "resid_pre", 11),
        ("blocks.0.attn.hook_z", "attn_z", 0),
        ("hook_embed", "embed", None),
    ],
)
def test_sites_go_by_transformer_lens_names_too(name: str, site: str, layer: int | None) -> None:
    assert parse_site(name) == (site, layer)


@pytest.mark.parametrize("name", ["mlp_out", "blocks.x.hook_resid_pre", "blocks.1.hook_nothing"])
def test_an_unknown_site_names_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}' is not a site.*mlp_post_act"):
        parse_site(name)

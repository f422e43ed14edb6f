"""How much memory a question about a prompt takes, so that a prompt too long is refused, not fatal."""

from collections.abc import Sequence

from neuron_explainer.models.bases import CodedSite
from neuron_explainer.models.config import ModelConfig

ENCODED_AT_ONCE = 64
"""Tokens whose latents a coder holds dense while it looks for the active ones."""


def estimated_bytes(config: ModelConfig, n_tokens: int, coded: Sequence[CodedSite] = ()) -> int:
    """Memory that one question about a prompt takes, beside the weights: its graph, gradients and latents.

    The factors were fitted to the measured peaks of GPT-2 small and SmolLM2-135M at 128 to 1000 tokens, and
    rounded up: four copies of every attention pattern, nine vectors per token of each layer's width. Each coded
    site adds six vectors per token, and for each active latent its place (two int64) and eight numbers.
    """
    per_token = 4 * config.n_heads * n_tokens + 9 * (config.d_mlp + config.d_model)
    kept = sum(4 * 6 * site.width + (2 * 8 + 8 * 4) * site.n_active for site in coded)
    dense = max((4 * 3 * site.n_latents for site in coded), default=0)
    at_once = min(ENCODED_AT_ONCE, n_tokens)
    return 4 * config.n_layers * n_tokens * per_token + n_tokens * kept + at_once * dense

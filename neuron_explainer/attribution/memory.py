"""How much memory a question about a prompt takes, so that a prompt too long is refused, not fatal."""

from neuron_explainer.models.config import ModelConfig


def estimated_bytes(config: ModelConfig, n_tokens: int) -> int:
    """Memory that one question about a prompt takes, beside the weights: its graph and gradients.

    The factors were fitted to the measured peaks of GPT-2 small and SmolLM2-135M at 128 to 1000 tokens, and
    rounded up: four copies of every attention pattern, nine vectors per token of each layer's width.
    """
    per_token = 4 * config.n_heads * n_tokens + 9 * (config.d_mlp + config.d_model)
    return 4 * config.n_layers * n_tokens * per_token

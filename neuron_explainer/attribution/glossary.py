"""One sentence for each term on screen, served by `/api/model`, so that viewer, docs and library
cannot differ."""

GLOSSARY: dict[str, str] = {
    "component": "Weights with a name: a neuron, an attention head, or a latent of an autoencoder.",
    "node": "A component at work at a token; a head works at a pair of tokens, from (query) and to (key).",
    "objective": "The number being explained, such as the logit of the target minus that of the distractor.",
    "logit_diff": "Mean logit of the targets minus mean logit of the distractors, in logits.",
    "logit_minus_mean": "Mean logit of the targets minus the mean logit over the vocabulary, in logits.",
    "logprob": "Logarithm of the probability of the targets, in nats.",
    "prob": "Probability of the targets.",
    "direction": "Gradient of the objective at the residual stream just above the read-out, its norm's "
    "scale held fixed.",
    "activation": "How active is it here? A neuron's value after the nonlinearity; for a head, how much of its "
    "attention goes from the one token to the other.",
    "write_magnitude": "How large a vector does it add to the residual stream here? The norm of its "
    "write, never negative.",
    "direct_effect": "How much of the objective does its write make up, going straight to the read-out? Writes times "
    "direction; all of them sum to the objective.",
    "total_effect": "How fast would the objective change as its write is scaled, every later layer responding? "
    "A first-order estimate: activation times gradient.",
    "measured_effect": "How much does the objective fall when its write is really replaced by zero and the model run "
    "again? Objective minus objective without it.",
    "disagrees": "Estimate and measured effect have opposite signs, both beyond 0.05, or differ by more than 0.2 "
    "and by more than half of the larger.",
    "rank_correlation": "Spearman correlation of estimate and measured effect over the rows measured so far.",
    "direct_effect_by_kind": "Direct effects of all nodes of a kind, listed or not; they sum to the objective.",
    "listed_direct_effect": "Direct effect held by the rows of the table; the rest is spread over nodes not listed.",
    "embed": "Token embedding plus, in models that learn them, position embedding.",
    "attn": "Attention heads.",
    "mlp": "MLP neurons.",
    "latent": "A unit of an autoencoder trained on the activations at one place.",
    "bias": "The sum of all output biases and of the read-out norm's own bias.",
    "error": "What an autoencoder missed: the activation less its reconstruction.",
    "edit": "What interventions wrote that no node accounts for.",
    "target": "The token whose prediction is explained; blue pushes toward it.",
    "distractor": "The token it is compared with; orange pushes toward it.",
    "ablate": "Replace a component's activation by zero, or by its mean over the prompt.",
    "set": "Set a component's activation to a number.",
    "scale": "Multiply a component's activation; 1 changes nothing.",
    "patch": "Take a component's activation from the other case.",
    "trace": "Explain a node's own pre-activation or attention score instead of the next token.",
    "query": "Explain the attention score through what the looking token asks for, its key held fixed.",
    "key": "Explain the attention score through what the token looked at offers, the query held fixed.",
    "query_and_key": "Explain the attention score through both sides; effects of the two sides do not add up to it.",
    "value": "Explain what the head moves, its attention held fixed, as judged by what lies downstream; or what a "
    "coder missed, likewise.",
    "attn_from": "Total effect of attention, by the token that looks (query).",
    "attn_to": "Total effect of attention, by the token looked at (key).",
    "logit_lens": "What the model would predict if the residual stream after a layer were read out as it is.",
    "promotes": "Tokens whose logit a write raises most, through the final norm's gain and the unembedding, centred.",
    "suppresses": "Tokens whose logit a write lowers most.",
    "responds_to": "Tokens whose embedding excites the component most, by its weights alone.",
    "copying": "Share of sampled tokens that a head's OV circuit promotes among its five strongest.",
    "left": "The first case, which carries the interventions.",
    "right": "The second case: the baseline, or the second prompt.",
    "diff": "Left minus right.",
    "top_k": "Rows taken per kind and metric at either end; the table is their union.",
    "read_out_norm": "Whether total effects hold the scale of the norm at the read-out fixed, or differentiate it.",
    "rank": "How many tokens the model finds likelier here; 0 is its first choice.",
    "logit": "The model's score for a token before the softmax.",
    "logprob_change": "How much likelier steering makes this token after the same text, in nats; blue is likelier.",
    "influence_attribution": "How much of the explained number goes through it? Activation times gradient, signed; "
    "a first-order estimate.",
    "joint_effect": "How much does the explained number fall when all members, each on its own side, are set to zero "
    "together and the model is run again?",
    "controls": "The same for random sets of components of the same size and layers, of like activation on this text. "
    "A concept no stronger than 95% of them is called no better than chance.",
    "side": "The sign of the activation here; a neuron can mean different things on either side.",
    "relative_activation": "Activation over the component's own extreme quantile on that side, from the dataset.",
    "similarity": "Cosine of the concept's meaning and the explanation's; 1 is the same.",
    "sweep_kl": "How far steering moves the model's predictions on unrelated text, in nats per token.",
    "repetition": "Share of the steered reply's three-token sequences that it had said before.",
    "coder": "A sparse autoencoder: it writes the activations at one place as a sum of few of many directions.",
    "explained_variance": "Share of the activations' variance that a coder's reconstruction holds, on text it was not "
    "trained on.",
    "normalized_mse": "Squared error of the reconstruction over the squared size of the activations.",
    "l0": "How many latents are active at a token, on average; beside it the share of all latents.",
    "dead_fraction": "Share of the latents that are active at no token of the text.",
    "loss_recovered": "How far the reconstruction brings the next-token loss back from zeroing the site: 1 where it is "
    "as good as the activations themselves.",
    "loss": "How surprised the model is by the next token, on average: minus the logarithm of its "
    "probability, in nats.",
    "basis": "What stands for the MLPs and attention: their own neurons and heads, or the latents of a coder.",
    "latent_pairs": "How much each pair of tokens, through each head, adds to an attention latent's "
    "pre-activation; with the biases they sum to it.",
}

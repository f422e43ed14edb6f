"""Text to token ids and back, one token at a time."""

from neuron_explainer.models.transformer import Transformer

_SENTENCEPIECE_SPACE = "\u2581"
"""How SentencePiece vocabularies (original Llama and Mistral) spell a space."""


class PromptTooLong(ValueError):
    """A prompt holds more tokens than the model can see."""


def encode(model: Transformer, text: str) -> tuple[int, ...]:
    """Token ids of a prompt, with the special tokens its tokenizer adds by itself (often none).

    Raises ValueError for a text without tokens, PromptTooLong past the context.
    """
    ids = tuple(model.tokenizer.encode(text))
    if not ids:
        raise ValueError("The prompt is empty: type at least one token.")
    if len(ids) > model.config.n_ctx:
        raise PromptTooLong(
            f"The prompt has {len(ids)} tokens; {model.config.name} sees at most "
            f"{model.config.n_ctx}."
        )
    return ids


def encode_one(model: Transformer, text: str) -> int:
    """The id of a string that is exactly one token; else a ValueError shows the tokens it is."""
    ids = model.tokenizer.encode(text, add_special_tokens=False)
    if len(ids) == 1:
        return int(ids[0])
    if text.startswith(" ") and len(ids) > 1:
        # SentencePiece puts a space before a text by itself, so a second one is a token of its own.
        bare = model.tokenizer.encode(text[1:], add_special_tokens=False)
        if len(bare) == 1 and _piece(model, int(bare[0])).startswith(_SENTENCEPIECE_SPACE):
            return int(bare[0])
    if not ids:
        raise ValueError("A target or distractor is empty: write one token, such as ' Mary'.")
    parts = " ".join(repr(token_text(model, i)) for i in ids[:8])
    spaced = model.tokenizer.encode(" " + text.strip(), add_special_tokens=False)
    fix = f" With a leading space, {' ' + text.strip()!r} is one token." if len(spaced) == 1 else ""
    raise ValueError(
        f"{text[:40]!r} is {len(ids)} tokens ({parts}); a target or distractor is exactly one.{fix}"
    )


def token_text(model: Transformer, token: int) -> str:
    """A token as text, spaces kept; bytes that are no valid text on their own show as U+FFFD."""
    text = str(model.tokenizer.decode([token], clean_up_tokenization_spaces=False))
    # SentencePiece decoders drop the space of a first token.
    is_spaced = _piece(model, token).startswith(_SENTENCEPIECE_SPACE)
    return f" {text}" if is_spaced and not text.startswith(" ") else text


def _piece(model: Transformer, token: int) -> str:
    """A token as its vocabulary spells it."""
    return str(model.tokenizer.convert_ids_to_tokens(token))

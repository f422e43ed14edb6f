"""Text to tokens: what is one token, and what is said about what is not."""

import pytest
import torch

from neuron_explainer.models.tokens import PromptTooLong, encode, encode_one, token_text
from neuron_explainer.models.transformer import Transformer
from tests.tiny_models import N_CTX, TinyModels


@pytest.fixture
def model(tiny_models: TinyModels) -> Transformer:
    return tiny_models("gpt2").ours


def test_tokens_join_to_the_prompt(model: Transformer) -> None:
    prompt = "When Mary\n gave  é to John"
    tokens = encode(model, prompt)
    assert model.tokenizer.decode(tokens) == prompt
    ascii_only = encode(model, "Mary gave  a drink")
    assert "".join(token_text(model, token) for token in ascii_only) == "Mary gave  a drink"


def test_part_of_a_character_shows_as_such(model: Transformer) -> None:
    tokens = encode(model, "é")
    assert len(tokens) == 2
    assert [token_text(model, token) for token in tokens] == ["\ufffd", "\ufffd"]


def test_an_empty_prompt_is_refused(model: Transformer) -> None:
    with pytest.raises(ValueError, match="The prompt is empty"):
        encode(model, "")


def test_a_prompt_past_the_context_says_both_lengths(model: Transformer) -> None:
    assert len(encode(model, "!" * N_CTX)) == N_CTX
    with pytest.raises(PromptTooLong, match=f"has {N_CTX + 1} tokens; .* at most {N_CTX}"):
        encode(model, "!" * (N_CTX + 1))


def test_the_model_itself_refuses_too_many_tokens_and_none(model: Transformer) -> None:
    with pytest.raises(ValueError, match=f"{N_CTX + 1} tokens are too many"):
        model(torch.zeros(1, N_CTX + 1, dtype=torch.long))
    with pytest.raises(ValueError, match="tokens is empty"):
        model(torch.zeros(1, 0, dtype=torch.long))


def test_one_token_is_one_id(model: Transformer) -> None:
    assert token_text(model, encode_one(model, " John")) == " John"


def test_several_tokens_are_shown_with_the_fix(model: Transformer) -> None:
    with pytest.raises(ValueError, match=r"'John' is 2 tokens \('Jo' 'hn'\)") as caught:
        encode_one(model, "John")
    assert "With a leading space, ' John' is one token." in str(caught.value)
    with pytest.raises(ValueError, match="is 12 tokens") as caught:
        encode_one(model, "QQQQQQQQQQQQ")
    assert "leading space" not in str(caught.value)


def test_an_empty_target_is_refused(model: Transformer) -> None:
    with pytest.raises(ValueError, match="target or distractor is empty"):
        encode_one(model, "")

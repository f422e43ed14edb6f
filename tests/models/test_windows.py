"""Token windows: nothing lost, nothing mixed, every window as a prompt would look."""

import pytest
import torch

from neuron_explainer.models.corpus import Document
from neuron_explainer.models.windows import token_windows
from tests.tiny_models import CORPUS, tiny_tokenizer

DOCUMENTS = [Document(CORPUS[:300], "a"), Document(CORPUS[300:340], "b"), Document("The cat", "c")]


def ids(text: str) -> list[int]:
    return list(tiny_tokenizer()(text)["input_ids"])


def test_windows_of_a_document_join_to_its_tokens() -> None:
    windows = list(token_windows(DOCUMENTS, tiny_tokenizer(), 16))
    for document in DOCUMENTS:
        own = [w for w in windows if w.source == document.source]
        joined = [t for w in own for t in w.tokens[: w.n_valid].tolist()]
        assert joined == ids(document.text)
        assert all(w.n_valid == 16 for w in own[:-1])


def test_padding_is_marked_as_such() -> None:
    *_, last = token_windows(DOCUMENTS, tiny_tokenizer(), 64)
    assert last.tokens.shape == (64,)
    assert last.n_valid == len(ids("The cat"))
    assert (last.tokens[last.n_valid :] == tiny_tokenizer().eos_token_id).all()


def test_packed_windows_join_documents_with_end_of_text() -> None:
    end = tiny_tokenizer().eos_token_id
    windows = list(token_windows(DOCUMENTS, tiny_tokenizer(), 16, pack=True))
    joined = [t for w in windows for t in w.tokens[: w.n_valid].tolist()]
    assert joined == [t for d in DOCUMENTS for t in (*ids(d.text), end)]
    assert all(w.n_valid == 16 for w in windows[:-1])
    assert windows[0].source == "a"
    assert windows[-1].source in ("b", "c")


def test_short_windows_can_be_left_out() -> None:
    windows = token_windows(DOCUMENTS, tiny_tokenizer(), 64, min_tokens=4)
    assert {w.source for w in windows} == {d.source for d in DOCUMENTS if len(ids(d.text)) >= 4}


def test_every_window_starts_with_what_the_tokenizer_puts_first() -> None:
    class WithBegin:
        """A tokenizer that puts token 7 before every text, as Llama's does."""

        eos_token_id = None

        def __call__(
            self, text: str | list[str], add_special_tokens: bool = True, **_: object
        ) -> object:
            if isinstance(text, str):
                return {"input_ids": [7] * add_special_tokens + [len(w) for w in text.split()]}
            return {"input_ids": [[len(w) for w in t.split()] for t in text]}

    windows = list(token_windows([Document("a bb ccc dddd eeeee", "x")], WithBegin(), 3))
    expected = torch.tensor([[7, 1, 2], [7, 3, 4], [7, 5, 0]])
    assert torch.equal(torch.stack([w.tokens for w in windows]), expected)
    assert [w.n_valid for w in windows] == [3, 3, 2]
    with pytest.raises(ValueError, match="no room for text"):
        next(token_windows(DOCUMENTS, WithBegin(), 1))

"""Sentences as vectors, so that explanations can be searched by meaning.

    words      built in: the mean of word vectors distilled from all-MiniLM-L6-v2 (below), over the words that carry
               meaning (`content_words.py`). No network, no model to load, microseconds a sentence; it knows words, not
               their order.
    minilm     all-MiniLM-L6-v2 itself (Wang et al. 2020, "MiniLM"; Reimers and Gurevych 2019, "Sentence-BERT"):
               mean of the last hidden states, normalised. From a folder, a PyPI package or the hub.
    endpoint   the embeddings of any OpenAI-compatible server.

Word vectors are the encoder's own output for each entry of its vocabulary alone, reduced to 128 principal
components, and weighted a / (a + p(word)) with a = 0.001 (Arora et al. 2017, "A Simple but Tough-to-Beat
Baseline for Sentence Embeddings"); the first step is model2vec's (Tulkens and van Dongen 2024).
`scripts/word_vectors.py` made them. An index holds vectors of one encoder, whose name it records.
"""

import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor

from neuron_explainer.explanations.content_words import content
from neuron_explainer.models.sources import resolve

RETIRED = ("words-128",)
"""Built-in encoders of earlier versions. `words-128` weighed quotation marks and "fires on" like any word."""
WORDS_FILE = Path(__file__).with_name("words.safetensors")
BATCH = 64
ENDPOINT = "endpoint:"
MIN_PIECE = 3
"""Letters that the first piece of a word must have, and its pieces on average, to say something. One in a thousand
strings of random letters passes, and half of the words of real texts that are not in the vocabulary."""
MAX_ENCODED_TOKENS = 256
"""What all-MiniLM-L6-v2 was trained on; the rest of a longer text is not read."""


@runtime_checkable
class Encoder(Protocol):
    """Turns sentences into vectors of length 1."""

    @property
    def name(self) -> str:
        """Recorded with every index that it makes."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Float[Tensor, "text d"]: ...

    def knows(self, text: str, /) -> bool:
        """Whether the vector of a text says anything of its meaning: one of its words is known."""
        ...


class WordVectors:
    """The built-in encoder: a weighted mean of the vectors of a text's content words (`content_words.py`).

    A text of unknown words is a zero vector.
    """

    name = "words-128-content"

    def __init__(self, path: Path = WORDS_FILE) -> None:
        from tokenizers import Tokenizer
        from tokenizers.models import WordPiece
        from tokenizers.normalizers import BertNormalizer
        from tokenizers.pre_tokenizers import BertPreTokenizer

        with safe_open(path, framework="pt") as file:
            vocabulary = json.loads(file.metadata()["vocabulary"])
            table, scale = file.get_tensor("vectors"), file.get_tensor("scale")
        self.vectors: Float[Tensor, "word d"] = table.float() * scale.float()[:, None]
        self.index = {word: row for row, word in enumerate(vocabulary)}
        self._tokenizer = Tokenizer(WordPiece(self.index, unk_token="[UNK]"))
        self._tokenizer.normalizer = BertNormalizer(lowercase=True)
        self._tokenizer.pre_tokenizer = BertPreTokenizer()
        self._unknown = self.index["[UNK]"]

    @property
    def dimensions(self) -> int:
        return self.vectors.shape[1]

    def encode(self, texts: Sequence[str]) -> Float[Tensor, "text d"]:
        """One vector for each text."""
        cut = [content(text[:20_000]) for text in texts]
        found = self._tokenizer.encode_batch(cut, add_special_tokens=False)
        known = [[word for word in it.ids if word != self._unknown] for it in found]
        words = torch.tensor([word for some in known for word in some], dtype=torch.long)
        starts = torch.tensor([0, *(len(some) for some in known[:-1])]).cumsum(0)
        means = F.embedding_bag(words, self.vectors, starts[: len(known)], mode="mean")
        return F.normalize(means, dim=-1)

    def knows(self, text: str, /) -> bool:
        """Whether a word is in the vocabulary, or made of pieces long enough to mean something.

        "tuesday ##s", "java ##script" do; "z ##x ##q ##q" do not, though each piece has a vector.
        """
        found = self._tokenizer.encode(content(text[:20_000]), add_special_tokens=False)
        words: dict[int, list[str]] = {}
        for piece, word, number in zip(found.tokens, found.word_ids, found.ids, strict=True):
            if word is not None and number != self._unknown:
                words.setdefault(word, []).append(piece.removeprefix("##"))
        return any(_says_something(pieces) for pieces in words.values())


def _says_something(pieces: Sequence[str]) -> bool:
    if len(pieces) == 1 or pieces[0].isdecimal():
        return True
    lengths = [len(piece) for piece in pieces]
    return lengths[0] >= MIN_PIECE and sum(lengths) >= MIN_PIECE * len(pieces)


class SentenceEncoder:
    """A BERT-like sentence encoder from a folder: mean of the last hidden states, normalised."""

    def __init__(self, folder: Path, name: str) -> None:
        from transformers import AutoModel, AutoTokenizer

        self.name = name
        # Hugging Face's classes share no useful static type.
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._model: Any = AutoModel.from_pretrained(folder).eval().requires_grad_(False)

    @property
    def dimensions(self) -> int:
        return int(self._model.config.hidden_size)

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Float[Tensor, "text d"]:
        """One vector for each text; texts of like length are batched together."""
        result = torch.zeros(len(texts), self.dimensions)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            inputs = self._tokenizer(
                [texts[i] for i in batch],
                return_tensors="pt",
                padding=True,
                truncation=True,
                max_length=MAX_ENCODED_TOKENS,
            )
            hidden = self._model(**inputs).last_hidden_state
            mask = inputs["attention_mask"][..., None].to(hidden.dtype)
            result[batch] = F.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1).float()
        return result

    def knows(self, _: str, /) -> bool:
        """Any text: its pieces are read in context."""
        return True


class EndpointEncoder:
    """Embeddings of an OpenAI-compatible server: OPENAI_BASE_URL, OPENAI_API_KEY."""

    # client: an `openai.OpenAI`, which is imported only by those who use it.
    def __init__(self, client: Any, model: str) -> None:
        self._client, self._model = client, model
        self.name = f"{ENDPOINT}{model}"
        self._dimensions: int | None = None

    @property
    def dimensions(self) -> int:
        """Known once something was encoded; asks for one word if need be."""
        if self._dimensions is None:
            self.encode(["word"])
        return self._dimensions or 0

    def encode(self, texts: Sequence[str]) -> Float[Tensor, "text d"]:
        """One vector for each text. Raises LookupError, with the reason, if the server gives none."""
        import openai

        found: list[list[float]] = []
        for first in range(0, len(texts), BATCH):
            batch = list(texts[first : first + BATCH])
            try:
                answer = self._client.embeddings.create(model=self._model, input=batch)
            except openai.OpenAIError as problem:
                raise LookupError(
                    f"The embedding endpoint gave nothing: {problem}. Check OPENAI_BASE_URL and "
                    "OPENAI_API_KEY."
                ) from problem
            found += [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        self._dimensions = len(found[0]) if found else self._dimensions
        return F.normalize(torch.tensor(found, dtype=torch.float32), dim=-1)

    def knows(self, _: str, /) -> bool:
        """Any text, as far as can be told."""
        return True


@cache
def word_vectors() -> WordVectors:
    """The built-in encoder, read once."""
    return WordVectors()


def load_encoder(name: str = "words") -> Encoder:
    """The encoder behind a name: `words`, `minilm`, `endpoint:MODEL`, a folder or a hub repository.

    Raises ModelUnavailable (a LookupError) that says how to get it, LookupError for one that is no more.
    """
    if name in RETIRED:
        raise LookupError(
            f"The encoder {name} is of an earlier version, and what it encoded cannot be searched by another: "
            "run `tdb search --explanations FILE --reindex words` once."
        )
    if name.startswith(ENDPOINT):
        return EndpointEncoder(_client(), name.removeprefix(ENDPOINT))
    if name in ("words", WordVectors.name):
        return word_vectors()
    short = {"all-MiniLM-L6-v2": "minilm"}.get(name, name)
    folder = resolve(short)
    return SentenceEncoder(folder, "all-MiniLM-L6-v2" if short == "minilm" else folder.name)


# An `openai.OpenAI`.
def _client() -> Any:
    from openai import OpenAI

    # The package insists on a key; servers of one's own need none.
    return OpenAI(api_key=os.environ.get("OPENAI_API_KEY") or "none")

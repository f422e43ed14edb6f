"""A few hundred short documents for the tiny models, some of them repeated word for word."""

import json
from pathlib import Path
from random import Random

_WORDS = [
    "Mary",
    "John",
    "cat",
    "dog",
    "mat",
    "store",
    "drink",
    "gave",
    "went",
    "sat",
    "the",
    "on",
    "to",
    "and",
    "a",
    "When",
]


def small_corpus(path: Path, n_documents: int = 60, seed: int = 0) -> Path:
    """JSON lines; every tenth document repeats the one before, and lengths vary widely."""
    random = Random(seed)
    texts: list[str] = []
    for number in range(n_documents):
        if number % 10 == 9:
            texts.append(texts[-1])
            continue
        n_words = random.choice((1, 3, 8, 20, 60))
        texts.append(" ".join(random.choice(_WORDS) for _ in range(n_words)) + ".")
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return path

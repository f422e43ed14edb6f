"""Turn a trained checkpoint into what is bundled: weights in float16, a page and a corpus of text.

python -m scripts.demo.export datasets/demo/.build/run/model --out datasets/demo
"""

import argparse
import json
import textwrap
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

from scripts.demo.mixture import corpus

TEXT_SEED = 77
"""The bundled text's seed; a step of training draws from a seed made of its number and the run's."""


def write_model(trained: Path, out: Path) -> None:
    """Weights and config beside the tokenizer that is there already."""
    model = GPT2LMHeadModel.from_pretrained(trained, dtype=torch.float32).to(torch.float16)
    model.config.use_cache = True
    model.save_pretrained(out)
    (out / "generation_config.json").unlink(missing_ok=True)


def write_corpus(path: Path, n_bytes: int) -> None:
    """Documents as JSON lines, up to a size."""
    written = 0
    with path.open("w", encoding="utf-8") as file:
        for text in corpus(TEXT_SEED):
            line = json.dumps({"text": text}, ensure_ascii=False) + "\n"
            written += len(line.encode())
            if written > n_bytes:
                return
            file.write(line)


def write_page(path: Path, n_documents: int) -> None:
    """The first documents, wrapped for reading."""
    texts = corpus(TEXT_SEED)
    page = [
        "\n".join(textwrap.fill(line, 100) for line in next(texts).split("\n"))
        for _ in range(n_documents)
    ]
    path.write_text("\n\n----\n\n".join(page) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trained", type=Path)
    parser.add_argument("--out", type=Path, default=Path("datasets/demo"))
    parser.add_argument("--corpus-bytes", type=int, default=1_000_000)
    parser.add_argument("--page-documents", type=int, default=24)
    args = parser.parse_args()
    write_model(args.trained, args.out / "model")
    write_corpus(args.out / "corpus.jsonl", args.corpus_bytes)
    write_page(args.out / "sample.txt", args.page_documents)


if __name__ == "__main__":
    main()

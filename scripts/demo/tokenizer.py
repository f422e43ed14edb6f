"""Build the demo model's tokenizer: byte-level BPE in GPT-2's own format.

    python -m scripts.demo.tokenizer --out datasets/demo/model

1. Learn merges from generated text and from the word lists, with digits apart and without acronyms
   and brackets, so that `(CEO)` stays letters.
2. Append merges of digits: a space with one digit, with a second, then two digits. A year such as
   ` 1732` thereby becomes ` 17` and `32` under GPT-2's ordinary pre-tokenisation.
3. Write vocab.json and merges.txt, and the same as tokenizer.json.
"""

import argparse
import json
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from scripts.demo.mixture import SHARES, documents
from scripts.demo.words import all_words, names, past, plain, table, third, words

END_OF_TEXT = "<|endoftext|>"
N_TOKENS = 5632
N_DIGIT_MERGES = 10 + 100 + 100
ONE_TOKEN = (
    "places", "gifts", "foods", "drinks", "clothes", "furniture", "vehicles", "tools", "animals",
    "professions", "colors", "people", "qualities", "traits", "feelings",
    "identifiers", "days", "months", "events", "nature",
)  # fmt: skip
"""Sections whose words are one token with the space before them."""


def training_lines(n_documents: int, seed: int) -> list[str]:
    """Generated text, and each word that should become one token often enough that it does."""
    unsuited = {"acronym", "brackets", "invented_name"}
    shares = {name: share for name, share in SHARES.items() if name not in unsuited}
    lines = [plain(text) for text in islice(documents(seed, shares), n_documents)]
    wanted = [
        *words(*ONE_TOKEN),
        *names(),
        *(part for entry in table("countries") for part in entry[:2]),
    ]
    lines += [" " + word for word in wanted] * 400
    lines += list(names()) * 2000
    lines += [" " + word for word in words("acronym")] * 400
    lines += [" " + word for word in all_words() if word.isalpha()] * 40
    verbs = words("intransitive")
    return lines + [f" {past(verb)} {third(verb)}" for verb in verbs] * 8


def learn_merges(lines: list[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=N_TOKENS - 1 - N_DIGIT_MERGES,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learner.train_from_iterator(lines, trainer)
    model = json.loads(learner.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def digit_merges() -> list[tuple[str, str]]:
    space, digits = "\u0120", "0123456789"
    return [
        *((space, d) for d in digits),
        *((space + d, e) for d in digits for e in digits),
        *((d, e) for d in digits for e in digits),
    ]


def build(n_documents: int, seed: int) -> Tokenizer:
    vocab, merges = learn_merges(training_lines(n_documents, seed))
    for left, right in digit_merges():
        vocab[left + right] = len(vocab)
        merges.append((left, right))
    vocab[END_OF_TEXT] = len(vocab)
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([END_OF_TEXT])
    return tokenizer


def write(tokenizer: Tokenizer, out: Path) -> None:
    """The four files that GPT-2's tokenizer is loaded from."""
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    model = json.loads(tokenizer.to_str())["model"]
    vocab = json.dumps(model["vocab"], ensure_ascii=False)
    (out / "vocab.json").write_text(vocab, encoding="utf-8")
    merges = "\n".join(" ".join(pair) for pair in model["merges"])
    (out / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    special = {f"{role}_token": END_OF_TEXT for role in ("bos", "eos", "unk")}
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_prefix_space": False,
        "model_max_length": 256,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(config | special, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    write(build(args.documents, args.seed), args.out)


if __name__ == "__main__":
    main()

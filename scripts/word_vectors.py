"""Makes the word vectors of the built-in sentence encoder from all-MiniLM-L6-v2.

1. every entry of the encoder's vocabulary that is written in Latin letters, digits or punctuation,
   alone between [CLS] and [SEP], through the encoder; mean of the last hidden states
2. centred, first 128 principal components
3. weighted a / (a + p), p from Zipf's law by rank in the vocabulary, which is sorted by frequency
4. to 8 bits, one scale for each word

    tdb fetch minilm && python scripts/word_vectors.py
"""

import json
import re

import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoTokenizer

from neuron_explainer.explanations.encoders import WORDS_FILE
from neuron_explainer.models.sources import fetch

N_COMPONENTS = 128
A = 1e-3
FIRST_WORD = 996
"""The vocabulary opens with special and unused entries; common ones follow in order of frequency."""
ZIPF_OFFSET = 2.7
PLAIN = re.compile(r"[\x21-\x7e\u00c0-\u024f]+")


@torch.no_grad()
def main() -> None:
    folder = fetch("minilm")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    words = sorted(tokenizer.get_vocab(), key=tokenizer.get_vocab().get)
    first, last = tokenizer.cls_token_id, tokenizer.sep_token_id
    rows = []
    for ids in torch.arange(len(words)).split(512):
        inputs = torch.stack([torch.full_like(ids, first), ids, torch.full_like(ids, last)], dim=1)
        rows.append(model(input_ids=inputs).last_hidden_state.mean(1))
    table = torch.cat(rows)
    rank = (torch.arange(len(words)) - FIRST_WORD).clamp(min=0)
    frequency = 1 / (rank + ZIPF_OFFSET)
    weight = A / (A + frequency / frequency.sum())
    kept = [
        i
        for i, word in enumerate(words)
        if word == "[UNK]" or (i >= FIRST_WORD and PLAIN.fullmatch(word))
    ]
    centred = table[kept] - table[kept].mean(0)
    axes = torch.linalg.svd(centred, full_matrices=False).Vh[:N_COMPONENTS]
    vectors = centred @ axes.T * weight[kept, None]
    scale = vectors.abs().amax(1) / 127
    save_file(
        {"vectors": (vectors / scale[:, None]).round().to(torch.int8), "scale": scale.half()},
        WORDS_FILE,
        {
            "vocabulary": json.dumps([words[i] for i in kept], ensure_ascii=False),
            "from": "sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0)",
        },
    )
    print(f"{len(kept)} words, {WORDS_FILE.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()

"""A small dataset written by hand: every number in it is known."""

from pathlib import Path

import torch

from neuron_explainer.exemplars.distribution import LEVELS, N_BINS, N_SIDE
from neuron_explainer.exemplars.histogram import shown_counts
from neuron_explainer.exemplars.layout import DatasetCard, Group, GroupFile, Recipe
from neuron_explainer.exemplars.writing import replacing_folder, write_card, write_group, write_text

RECIPE = Recipe(window=4, n_top=2, n_random=1, n_per_band=1, precision="int8")
VOCABULARY = ("<end>", " a", " b", "é", " d")


def hand_made(folder: Path, n_layers: int = 1, n_heads: int = 2, n_neurons: int = 3) -> Path:
    """Neuron i of a layer has the value i + 1 on the last token of both windows, and 1 elsewhere."""
    groups = [
        Group(kind, layer, n)
        for layer in range(n_layers)
        for kind, n in (("attn", n_heads), ("mlp", n_neurons))
    ]
    with replacing_folder(folder) as partial:
        files = tuple(_group(partial, group) for group in groups)
        tokens = torch.tensor([[1, 2, 3, 4], [2, 3, 0, 0]])
        text = write_text(partial, tokens, torch.tensor([4, 2]), ["a.txt:1", "b.txt:7"], VOCABULARY)
        card = DatasetCard("made", "tiny", "a.txt", 6, 4, RECIPE, files, text_sha256=text)
        write_card(partial, card)
    return folder


def _group(folder: Path, group: Group) -> GroupFile:
    n, slots = group.n_components, RECIPE.n_slots(group.is_signed)
    positions = group.n_positions(4)
    window = torch.full((n, slots), -1, dtype=torch.int32)
    window[:, :2] = torch.tensor([0, 1])
    peak = torch.zeros(n, slots, dtype=torch.int32)
    peak[:, :2] = torch.tensor([8, 2]) if group.kind == "attn" else torch.tensor([3, 1])
    value = torch.arange(1.0, n + 1)[:, None].repeat(1, slots)
    codes = torch.ones(n, slots, positions, dtype=torch.int8)
    for slot in range(2):
        codes[:, slot, int(peak[0, slot])] = torch.arange(1, n + 1, dtype=torch.int8)
    counts = torch.zeros(n, N_BINS, dtype=torch.long)
    counts[:, N_SIDE + 19 * 8] = 6  # values from 1 to 9/8
    shown, top = shown_counts(counts)
    one = torch.ones(n, dtype=torch.float64)
    tensors = {
        "mean": one * 1.5,
        "std": one * 0.5,
        "fraction_active": one.clone(),
        "min": one,
        "max": torch.arange(1.0, n + 1),
        "quantiles": torch.linspace(0, 1, len(LEVELS)).repeat(n, 1),
        "histogram_counts": shown,
        "histogram_top": top,
        "window": window,
        "peak": peak,
        "value": value,
        "scale": torch.ones(n, slots),
        "activations": codes,
    }
    return write_group(folder, group, 20 if group.kind == "attn" else 6, tensors)

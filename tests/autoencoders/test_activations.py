"""Activations: those of a plain forward, in an order that can be taken up anywhere."""

from itertools import islice
from pathlib import Path

import pytest
import torch

from neuron_explainer.autoencoders.activations import (
    ActivationBlocks,
    endless_windows,
    read_activations,
)
from neuron_explainer.autoencoders.recipe import Point
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.hooks import Recorder, Site
from tests.autoencoders.training_runs import POINTS, small_corpus, small_recipe
from tests.tiny_models import TinyModels, some_tokens

ALL_SITES: tuple[Site, ...] = (
    "resid_pre",
    "resid_delta_attn",
    "resid_mid",
    "mlp_post_act",
    "resid_delta_mlp",
    "resid_post",
)


@pytest.mark.parametrize("kind", ["gpt2", "llama-grouped", "gpt_neox"])
def test_activations_are_those_of_a_whole_forward(tiny_models: TinyModels, kind: str) -> None:
    model = tiny_models(kind).ours
    tokens = torch.tensor([some_tokens(9), some_tokens(9, seed=1)])
    recorder = Recorder(ALL_SITES)
    model(tokens, recorder.hooks())
    points = [Point(site, layer) for site in ALL_SITES for layer in (0, 1)]
    found = read_activations(model, tokens, points)
    assert set(found) == set(points)
    for point, value in found.items():
        assert torch.equal(value, recorder.values[point.site][point.layer])


def test_the_forward_ends_at_the_last_place(tiny_models: TinyModels) -> None:
    model = tiny_models("gpt2").ours
    ran: list[str] = []
    handles = [
        module.register_forward_hook(lambda *_, name=name: ran.append(name))
        for name, module in model.named_modules()
        if name.endswith((".attn", ".mlp"))
    ]
    try:
        read_activations(model, torch.tensor([some_tokens(5)]), [Point("resid_delta_attn", 1)])
    finally:
        for handle in handles:
            handle.remove()
    # The hook on the site itself ends the forward within layer 1's attention.
    assert ran == ["blocks.0.attn", "blocks.0.mlp"]


def test_a_block_holds_every_token_of_its_windows_once(
    tiny_models: TinyModels, tmp_path: Path
) -> None:
    model, corpus, recipe = tiny_models("gpt2").ours, small_corpus(tmp_path), small_recipe()
    blocks = ActivationBlocks(model, corpus, POINTS, recipe)
    block = next(blocks.starting_at(0))
    found = islice(endless_windows(model, corpus, 16), blocks.n_windows)
    windows = torch.stack([window.tokens for window in found])
    for point, value in read_activations(model, windows, POINTS).items():
        plain = value.flatten(0, 1)
        assert block[point].shape == plain.shape
        assert not torch.equal(block[point], plain)
        assert torch.allclose(block[point].sort(dim=0).values, plain.sort(dim=0).values, atol=1e-5)
    # The same order at every place: rows belong to the same tokens.
    value = read_activations(model, windows, POINTS)
    first, second = (value[point].flatten(0, 1) for point in POINTS[:2])
    row = (first - block[POINTS[0]][5]).abs().sum(dim=1).argmin()
    assert torch.allclose(second[row], block[POINTS[1]][5], atol=1e-5)


def test_documents_kept_apart_are_read_as_prompts_are(
    tiny_models: TinyModels, tmp_path: Path
) -> None:
    model, corpus = tiny_models("gpt2").ours, small_corpus(tmp_path)
    recipe = small_recipe(join_documents=False)
    blocks = ActivationBlocks(model, corpus, POINTS, recipe)
    block = next(blocks.starting_at(0))
    rows = []
    for document in corpus:
        ids = model.tokenizer.encode(document.text)
        rows += [ids[i : i + 16] for i in range(0, len(ids), 16) if len(ids[i : i + 16]) > 1]
    for point in POINTS:
        alone = [
            read_activations(model, torch.tensor([row]), [point])[point][0]
            for row in rows[: blocks.n_windows]
        ]
        expected = torch.cat(alone)
        assert block[point].shape == expected.shape
        sorted_rows = (value.sort(dim=0).values for value in (block[point], expected))
        assert torch.allclose(*sorted_rows, atol=1e-4)


def test_blocks_can_be_taken_up_anywhere(tiny_models: TinyModels, tmp_path: Path) -> None:
    model, corpus = tiny_models("gpt2").ours, small_corpus(tmp_path)
    blocks = ActivationBlocks(model, corpus, POINTS, small_recipe())
    straight = list(islice(blocks.starting_at(0), 4))
    later = list(islice(blocks.starting_at(2), 2))
    for first, second in zip(straight[2:], later, strict=True):
        assert all(torch.equal(first[point], second[point]) for point in POINTS)


def test_processes_share_a_block_without_overlap(tiny_models: TinyModels, tmp_path: Path) -> None:
    model, corpus, recipe = tiny_models("gpt2").ours, small_corpus(tmp_path), small_recipe()
    whole = next(ActivationBlocks(model, corpus, POINTS, recipe).starting_at(0))
    shares = [
        next(
            ActivationBlocks(model, corpus, POINTS, recipe, rank=rank, n_processes=2).starting_at(0)
        )
        for rank in (0, 1)
    ]
    for point in POINTS:
        joined = torch.cat([share[point] for share in shares])
        sorted_rows = (v.sort(dim=0).values for v in (joined, whole[point]))
        assert torch.allclose(*sorted_rows, atol=1e-5)


def test_a_short_corpus_is_read_again_and_a_shorter_one_refused(
    tiny_models: TinyModels, tmp_path: Path
) -> None:
    model = tiny_models("gpt2").ours
    path = tmp_path / "a.txt"
    path.write_text("The cat sat on the mat, and the dog sat on the cat. " * 2)
    windows = [w.tokens for w in islice(endless_windows(model, open_corpus(str(path)), 8), 12)]
    n_own = next(i for i in range(1, 12) if torch.equal(windows[i], windows[0]))
    assert torch.equal(windows[n_own + 1], windows[1])
    path.write_text("The cat")
    with pytest.raises(ValueError, match="shorter than one window of 30 tokens"):
        next(endless_windows(model, open_corpus(str(path)), 30))
    with pytest.raises(ValueError, match="window=64 is too long: .* at most 32 tokens"):
        next(endless_windows(model, open_corpus(str(path)), 64))


def test_a_batch_that_cannot_be_shared_is_refused(tiny_models: TinyModels, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be shared by 3 processes"):
        ActivationBlocks(
            tiny_models("gpt2").ours,
            small_corpus(tmp_path),
            POINTS,
            small_recipe(),
            n_processes=3,
        )

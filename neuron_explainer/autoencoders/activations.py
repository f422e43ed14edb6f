"""A model's activations at chosen places over a corpus: one forward for all of them, stopped at the last.

    windows   the corpus cut into windows, read again from the start where it ends: full ones, documents joined; or,
              if the recipe keeps documents apart, windows of one document each, whose padding is left out
    block     the windows of `buffer_batches` batches, run through the model; each process runs its share
    batches   the block's tokens in a random order that follows from the seed and the block's number

Nothing is kept between blocks. So a run can start at any block, and be the same from there on.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from neuron_explainer.autoencoders.recipe import Point, Recipe
from neuron_explainer.models.corpus import Corpus
from neuron_explainer.models.hooks import Hooks, Site
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.models.windows import TokenWindow, token_windows


class _AllRead(Exception):
    """Ends a forward whose remaining layers nobody asked for."""


def read_activations(
    model: Transformer, tokens: Int[Tensor, "batch seq"], points: Sequence[Point]
) -> Mapping[Point, Float[Tensor, "batch seq d"]]:
    """What passes the given places in one forward, which ends as soon as all is read."""
    wanted = set(points)
    found: dict[Point, Tensor] = {}

    def reader(site: Site) -> Any:
        def read(value: Tensor, layer: int) -> Tensor:
            if (point := Point(site, layer)) in wanted:
                found[point] = value
                if len(found) == len(wanted):
                    raise _AllRead
            return value

        return read

    hooks = Hooks((site, reader(site)) for site in sorted({point.site for point in wanted}))
    with torch.no_grad(), contextlib.suppress(_AllRead):
        model.layers(model.embed(tokens.to(model.device)), hooks)
    return found


def endless_windows(
    model: Transformer, corpus: Corpus, window: int, *, join_documents: bool = True
) -> Iterator[TokenWindow]:
    """The corpus's windows, again and again: full ones where documents are joined, else of two tokens or more.

    Raises ValueError where it holds not even one, or where the window is longer than the model's context.
    """
    if window > model.config.n_ctx:
        raise ValueError(
            f"window={window} is too long: {model.config.name} sees at most {model.config.n_ctx} tokens."
        )
    least = window if join_documents else 2
    while True:
        n_windows = 0
        for found in token_windows(corpus, model.tokenizer, window, pack=join_documents):
            if found.n_valid >= least:
                n_windows += 1
                yield found
        if n_windows == 0:
            raise ValueError(
                f"The corpus {corpus.spec} is shorter than one window of {least} tokens."
            )


class ActivationBlocks:
    """Blocks of activations, from any block on."""

    def __init__(
        self,
        model: Transformer,
        corpus: Corpus,
        points: Sequence[Point],
        recipe: Recipe,
        *,
        rank: int = 0,
        n_processes: int = 1,
    ) -> None:
        """Describe them; nothing runs yet.

        Raises ValueError where a batch cannot be shared evenly among the processes.
        """
        if recipe.batch_tokens % (recipe.window * n_processes):
            raise ValueError(
                f"batch_tokens={recipe.batch_tokens} cannot be shared by {n_processes} processes "
                f"in windows of {recipe.window} tokens."
            )
        self.model, self.corpus, self.points, self.recipe = model, corpus, tuple(points), recipe
        self.rank, self.n_processes = rank, n_processes
        self.n_windows = recipe.buffer_batches * recipe.batch_tokens // recipe.window
        self.batch_tokens = recipe.batch_tokens // n_processes

    def starting_at(self, first: int) -> Iterator[Mapping[Point, Float[Tensor, "token d"]]]:
        """Blocks first, first + 1, ..., each shuffled."""
        windows = endless_windows(
            self.model,
            self.corpus,
            self.recipe.window,
            join_documents=self.recipe.join_documents,
        )
        next(islice(windows, first * self.n_windows, first * self.n_windows), None)
        number = first
        while True:
            block = list(islice(windows, self.n_windows))
            yield self._shuffled(block[self.rank :: self.n_processes], number)
            number += 1

    def _shuffled(self, windows: list[TokenWindow], number: int) -> dict[Point, Tensor]:
        at_once = max(1, self.batch_tokens // self.recipe.window)
        parts: dict[Point, list[Tensor]] = {point: [] for point in self.points}
        for first in range(0, len(windows), at_once):
            group = windows[first : first + at_once]
            lengths = torch.tensor([window.n_valid for window in group])
            longest = int(lengths.max())
            tokens = torch.stack([window.tokens[:longest] for window in group])
            is_text = (torch.arange(longest) < lengths[:, None]).to(self.model.device)
            for point, value in read_activations(self.model, tokens, self.points).items():
                parts[point].append(value[is_text].float())
        n_tokens = sum(window.n_valid for window in windows)
        generator = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + number)
        order = torch.randperm(n_tokens, generator=generator).to(self.model.device)
        return {point: torch.cat(values)[order] for point, values in parts.items()}

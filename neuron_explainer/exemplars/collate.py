"""Collation: a corpus in, a dataset of what every component responds to out.

1. The corpus is cut into windows and shards (`shards.py`), which a pool of workers runs through the
   model (`observing.py`), without the unembedding, taking statistics (`tally.py`) and the leading
   excerpts of each side (`leaders.py`). One pass; what is known has the same size throughout.
2. Every now and then that is written down (`workplace.py`); a killed collation goes on from there.
3. A small sample of windows is run again for the random and quantile-band excerpts (`banding.py`).
4. Everything is written as a dataset (`layout.py`), which appears at once, complete.

The result depends on the corpus, the model and the recipe only: not on kills, nor on who ran which
shard, as long as the machines and their number of threads are alike.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.exemplars.banding import BATCH_WINDOWS, SAMPLE_WINDOWS, Sampling
from neuron_explainer.exemplars.layout import (
    CARD,
    DatasetCard,
    DatasetUnavailable,
    Group,
    Recipe,
)
from neuron_explainer.exemplars.observing import Batch, Observer
from neuron_explainer.exemplars.sampling import (
    prefix_hashes,
    sampled_windows,
    text_hashes,
    without_repeated,
)
from neuron_explainer.exemplars.shards import Shard, shards_of
from neuron_explainer.exemplars.state import State
from neuron_explainer.exemplars.store import Dataset, open_dataset
from neuron_explainer.exemplars.workplace import Reached, Workplace, sweep
from neuron_explainer.exemplars.writing import (
    check_replaceable,
    replacing_folder,
    write_card,
    write_group,
    write_text,
)
from neuron_explainer.models.corpus import Corpus
from neuron_explainer.models.tokens import token_text
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.models.windows import token_windows
from neuron_explainer.progress import OnProgress, Progress, ignore_progress

CHECKPOINT_SECONDS = 120.0


@runtime_checkable
class Pool(Protocol):
    """Who runs shards: this process (`Here`), or others (`cluster.py`)."""

    def begin(self, state: State) -> None:
        """Go on from a state."""

    def submit(self, shard: Shard) -> None:
        """Run a shard, now or soon."""

    def state(self) -> State:
        """What is known once everything submitted has been run."""

    @property
    def n_tokens(self) -> int:
        """Tokens run since `begin`."""


class Here:
    """Runs shards in this process, one after the other."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._state = State({})
        self.n_tokens = 0

    def begin(self, state: State) -> None:
        self._state = state

    def submit(self, shard: Shard) -> None:
        for batch in shard.batches(self._observer.model.device):
            self._observer.run(batch, self._state.receive)
        self.n_tokens += shard.n_tokens

    def state(self) -> State:
        return self._state


class AnotherDataset(ValueError):
    """The folder holds a dataset of something else."""

    def __init__(self, out: Path) -> None:
        super().__init__(f"{out} holds a dataset of another model, corpus or recipe.")
        self.hint = "Choose another --out, or add --overwrite."


@dataclass(frozen=True)
class Task:
    """What is to be collated."""

    model: Transformer
    corpus: Corpus
    out: Path
    recipe: Recipe
    coder_sets: Sequence[CoderSet] = ()
    name: str = ""
    """Of the dataset; by default that of its folder."""
    description: str = ""
    max_tokens: int | None = None
    """Read no more of the corpus than this, up to a shard."""

    @cached_property
    def hash(self) -> str:
        """Changes with everything that changes the result; reads every weight, once."""
        coders = [
            [coders.name, coders.site, layer, _digest(coder.state_dict())]
            for coders in self.coder_sets
            for layer, coder in sorted(coders.coders.items())
        ]
        parts = [
            self.model.config.to_json(),
            str(self.model.dtype),
            _digest(self.model.state_dict()),
            self.corpus.fingerprint,
            asdict(self.recipe),
            coders,
            self.max_tokens,
        ]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]


def collate(
    model: Transformer,
    corpus: Corpus,
    out: Path,
    *,
    recipe: Recipe | None = None,
    coder_sets: Sequence[CoderSet] = (),
    name: str = "",
    description: str = "",
    max_tokens: int | None = None,
    pool: Pool | None = None,
    overwrite: bool = False,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    on_progress: OnProgress = ignore_progress,
) -> Dataset:
    """Collate a corpus into the folder `out`; goes on where it was cut off.

    Args:
        recipe: how excerpts are chosen.
        coder_sets: also collate their latents; at most one set for each stream.
        max_tokens: read no more of the corpus than this, rounded up to a shard.
        pool: who runs the shards; by default this process.
        overwrite: replace a dataset that is there and is of something else.
        checkpoint_seconds: how often to write down what is known.

    Raises:
        ValueError: the corpus holds no text, a value is not finite, or two coder sets share a stream.
        AnotherAtWork: another process collates into the folder.
        AnotherDataset: the folder holds one, and it is not to be overwritten.
        NoDatasetThere: `out` is a file, or a folder of other things; these are never overwritten.
    """
    check_replaceable(out)
    streams = [coders.stream for coders in coder_sets]
    if len(set(streams)) < len(streams):
        raise ValueError("Two coder sets share a stream: collate them one after the other.")
    recipe = recipe or Recipe()
    recipe = replace(recipe, window=min(recipe.window, model.config.n_ctx))
    task = Task(model, corpus, out, recipe, coder_sets, name, description, max_tokens)
    finished = _finished(task, overwrite)
    if finished is not None:
        sweep(out, task.hash)
        return finished
    place = Workplace(out, task.hash, recipe.window)
    with closing(place), _kept_if_begun(place):
        # Another process may have been done since, before the place was ours.
        if _finished(task, overwrite) is None:
            _work(task, place, pool, checkpoint_seconds, on_progress)
        place.discard()
    return open_dataset(out)


def _work(
    task: Task,
    place: Workplace,
    pool: Pool | None,
    checkpoint_seconds: float,
    on_progress: OnProgress,
) -> None:
    observer = Observer(task.model, task.coder_sets)
    state = _read_corpus(task, place, observer, pool, checkpoint_seconds, on_progress)
    on_progress(_progress(place.reached, "Choosing excerpts"))
    sampling = _sample(task, place, observer, state)
    on_progress(_progress(place.reached, "Writing"))
    _write(task, place, observer.groups, state, sampling)


@contextmanager
def _kept_if_begun(place: Workplace) -> Iterator[None]:
    """What fails before its first step leaves nothing behind: there is nothing to go on from."""
    try:
        yield
    except BaseException:
        if place.reached.n_windows == 0:
            place.discard()
        raise


def _read_corpus(
    task: Task,
    place: Workplace,
    observer: Observer,
    pool: Pool | None,
    checkpoint_seconds: float,
    on_progress: OnProgress,
) -> State:
    pool = pool or Here(observer)
    before = place.reached
    found = place.load(task.model.device)
    pool.begin(found or State.empty(observer.groups, task.recipe, task.model.device))
    started = kept = time.monotonic()
    reached = before
    for shard in () if before.is_complete else _shards(task, before.n_windows):
        place.note(shard)
        pool.submit(shard)
        now = time.monotonic()
        reached = replace(
            reached,
            n_windows=shard.first_window + len(shard.lengths),
            n_tokens=reached.n_tokens + shard.n_tokens,
            sources_bytes=place.sources_bytes(),
            seconds=before.seconds + now - started,
        )
        done = replace(reached, n_tokens=before.n_tokens + pool.n_tokens)
        on_progress(_progress(done, "Collating", pool.n_tokens / (now - started), task.max_tokens))
        if now - kept >= checkpoint_seconds:
            place.keep(pool.state(), reached)
            kept = time.monotonic()
    state = pool.state()
    if not before.is_complete:
        seconds = before.seconds + time.monotonic() - started
        place.keep(state, replace(reached, seconds=seconds, is_complete=True))
    return state


def _shards(task: Task, skip_windows: int) -> Iterator[Shard]:
    windows = token_windows(task.corpus, task.model.tokenizer, task.recipe.window)
    size = task.recipe.shard_windows
    return shards_of(windows, size, skip_windows=skip_windows, max_tokens=task.max_tokens)


def _progress(
    reached: Reached, message: str, rate: float = 0.0, total: int | None = None
) -> Progress:
    metrics = {"tokens_per_second": rate} if rate else {}
    done = reached.n_tokens if total is None else min(reached.n_tokens, total)
    return Progress(done, total, "tokens", message, metrics)


def _sample(task: Task, place: Workplace, observer: Observer, state: State) -> Sampling:
    """Run the sampled windows once more, for the excerpts that are no extremes."""
    drawn = sampled_windows(place.reached.n_windows, 2 * SAMPLE_WINDOWS, task.recipe.seed)
    hashes = dict(zip(drawn, text_hashes(*place.windows(drawn)).tolist(), strict=True))
    chosen = without_repeated(drawn, hashes.__getitem__, SAMPLE_WINDOWS)
    sampling = Sampling(observer.groups, task.recipe, state)
    device = task.model.device
    for first in range(0, len(chosen), BATCH_WINDOWS):
        some = chosen[first : first + BATCH_WINDOWS]
        tokens, lengths = place.windows(some)
        batch = Batch(
            tokens=tokens[:, : int(lengths.max())].to(device),
            lengths=lengths.to(device),
            windows=torch.tensor(some, device=device),
            prefixes=prefix_hashes(tokens[:, : int(lengths.max())]).to(device),
        )
        observer.run(batch, sampling.receive)
    return sampling


def _write(
    task: Task, place: Workplace, groups: Sequence[Group], state: State, sampling: Sampling
) -> None:
    slots = {group.name: _slots(group, task.recipe, state, sampling) for group in groups}
    used = torch.unique(torch.cat([own["window"].flatten() for own in slots.values()]))
    numbers: list[int] = used[used >= 0].tolist()
    with replacing_folder(task.out) as folder:
        files = []
        for group in groups:
            own, tally = slots[group.name], state.groups[group.name].tally
            row = torch.searchsorted(used[used >= 0], own["window"].clamp(min=0))
            own["window"] = row.where(own["window"] >= 0, -1).int()
            tensors = {**tally.statistics(), **own}
            files.append(write_group(folder, group, int(tally.n_values), tensors))
        tokens, lengths = place.windows(numbers)
        vocabulary = [token_text(task.model, i) for i in range(task.model.config.n_vocab)]
        text = write_text(folder, tokens, lengths, place.sources(numbers), vocabulary)
        card = _card(task, place.reached)
        write_card(folder, replace(card, groups=tuple(files), text_sha256=text))


def _slots(group: Group, recipe: Recipe, state: State, sampling: Sampling) -> dict[str, Tensor]:
    """All exemplars of a group: its leaders, put before the sampled ones."""
    tensors = {name: value.cpu() for name, value in sampling.groups[group.name].tensors.items()}
    ranges = {name: slots for name, _, slots in recipe.slots(group.is_signed)}
    sides = state.groups[group.name].sides()
    for name, (leaders, sign) in zip(("top_positive", "top_negative"), sides, strict=False):
        at = slice(ranges[name].start, ranges[name].stop)
        leaders.tidy()
        tensors["value"][:, at] = (sign * leaders.value).nan_to_num(0, 0, 0).cpu()
        for tensor in ("window", "peak", "scale", "activations"):
            tensors[tensor][:, at] = getattr(leaders, tensor).cpu()
    return tensors


def _card(task: Task, reached: Reached) -> DatasetCard:
    return DatasetCard(
        name=task.name or task.out.name,
        model=task.model.config.name,
        corpus=task.corpus.spec,
        n_tokens=reached.n_tokens,
        window=task.recipe.window,
        recipe=task.recipe,
        groups=(),
        description=task.description,
        n_windows=reached.n_windows,
        n_parameters=task.model.n_parameters,
        dtype=str(task.model.dtype).removeprefix("torch."),
        corpus_fingerprint=task.corpus.fingerprint,
        tokenizer_hash=_tokenizer_hash(task.model),
        coders=tuple(coders.name for coders in task.coder_sets),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(reached.seconds, 1),
        task=task.hash,
    )


def _tokenizer_hash(model: Transformer) -> str:
    vocabulary = json.dumps(sorted(model.tokenizer.get_vocab().items()))
    return hashlib.sha256(vocabulary.encode()).hexdigest()[:16]


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """Of every byte: models that differ anywhere are different tasks."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().flatten().cpu().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _finished(task: Task, overwrite: bool) -> Dataset | None:
    """The dataset that is there, if it is this task's and whole: a damaged one is collated again.

    Raises AnotherDataset.
    """
    if not (task.out / CARD).exists():
        return None
    try:
        dataset = open_dataset(task.out)
    except DatasetUnavailable:
        dataset = None
    if dataset is not None and dataset.card.task == task.hash:
        return None if dataset.verify() else dataset
    if not overwrite:
        raise AnotherDataset(task.out)
    return None

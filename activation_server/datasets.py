"""The datasets that are served, each checked against the model: those of the start, and those made since."""

import threading
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from activation_server.assets import demo_dir
from activation_server.errors import Conflict, NotFound
from activation_server.schemas import DatasetGroup, DatasetInfo, DatasetRecipe
from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.exemplars import Dataset, DatasetUnavailable, open_dataset
from neuron_explainer.exemplars.blobs import is_remote
from neuron_explainer.exemplars.layout import CARD, Group
from neuron_explainer.exemplars.public import PUBLIC, PublicDataset, open_public
from neuron_explainer.models.config import ModelConfig
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Stream

MAKE_HINT = (
    "Make one with `tdb collate --model MODEL --corpus FILE --out DIR`, then serve with "
    "--dataset DIR."
)


class Datasets:
    """Opened datasets by name, in the order they were given.

    A latent is one of a coder, by default of the first coder set of its stream; a dataset of another
    coder's latents says nothing of it. Where none is loaded, whatever a dataset has is shown.

    Any thread may read while one is added: what there is is replaced as a whole, never changed. A dataset
    whose folder was deleted is served no more.
    """

    def __init__(
        self, opened: Sequence[Dataset | PublicDataset], coder_sets: Sequence[CoderSet] = ()
    ) -> None:
        self._by_name = {dataset.name: dataset for dataset in opened}
        self._stream = {coders.name: coders.stream for coders in coder_sets}
        self._first = {coders.stream: coders.name for coders in reversed(coder_sets)}
        self._coder_sets = coder_sets
        self._adding = threading.Lock()
        self.version = 0
        """Goes up with every dataset that is added: what was answered before may be answered otherwise."""

    @staticmethod
    def open(
        paths: Sequence[str], model: Transformer, coder_sets: Sequence[CoderSet] = ()
    ) -> "Datasets":
        """Open what was asked for, and the demo's own where the model is the demo.

        Raises DatasetUnavailable for a folder that holds none, ValueError for another model's or
        coder's, and for two of one name.
        """
        demo = demo_dir()
        own = [demo / "exemplars"] if demo is not None and model.folder == demo / "model" else []
        found: list[Dataset | PublicDataset] = [
            open_dataset(folder) for folder in own if (folder / "dataset.json").is_file()
        ]
        found += [open_public(p) if p.startswith(PUBLIC) else open_dataset(p) for p in paths]
        names = [dataset.name for dataset in found]
        for dataset in found:
            _check_fits(dataset, model.config, coder_sets)
            if names.count(dataset.name) > 1:
                raise ValueError(
                    f"Two datasets are called {dataset.name!r}: collate one of them with another --name, "
                    "or change the name in its dataset.json."
                )
        return Datasets(found, coder_sets)

    def add(self, folder: str, model: Transformer) -> None:
        """Serve one more, after the others, so that no default changes; one of the same folder is opened anew.

        Raises DatasetUnavailable for a folder that holds none, Conflict for another model's or coder's, and
        for a name that another folder's dataset has.
        """
        dataset = open_dataset(folder)
        made_by, served = dataset.card.model, model.config.name
        if made_by != served:
            raise Conflict(
                f"The dataset {dataset.name} is of the model {made_by}; served is {served}.",
                f"Serve it with `tdb serve --model {made_by} --dataset {folder}`.",
            )
        try:
            _check_fits(dataset, model.config, self._coder_sets)
        except ValueError as problem:
            raise Conflict(str(problem), f"Serve it alone: --dataset {folder}.") from problem
        with self._adding:
            known = self._by_name.get(dataset.name)
            if known is not None and not _is_gone(known) and _folder(known) != folder:
                raise Conflict(
                    f"Another dataset called {dataset.name} is served already, from {_folder(known)}.",
                    f'Change "name" in {folder}/{CARD}, then serve both with --dataset.',
                )
            self._by_name = {**self._by_name, dataset.name: dataset}
            self.version += 1

    def names(self) -> Collection[str]:
        """What they are called."""
        return [dataset.name for dataset in self._there()]

    def all(self) -> list[Dataset]:
        """Every collated one, in order."""
        return [d for d in self._there() if not isinstance(d, PublicDataset)]

    def cards(self) -> list[DatasetInfo]:
        """Their cards, for `GET /api/model`."""
        return [_info(dataset) for dataset in self._there()]

    def _there(self) -> list[Dataset | PublicDataset]:
        return [dataset for dataset in self._by_name.values() if not _is_gone(dataset)]

    def recorded(
        self, component: Component, name: str | None = None, coder: str | None = None
    ) -> Dataset | PublicDataset:
        """The dataset of a name or, without one, the first that knows a component.

        Raises NotFound that says what there is.
        """
        there = self._there()
        if name is not None and (there or name in self._by_name):
            named = self._named(name, there)
            self._check_coder(named, component, coder)
            return named
        if not there:
            raise NotFound("No dataset is loaded, so nothing is recorded here.", MAKE_HINT)
        for dataset in there:
            if self._knows(dataset, component, coder):
                return dataset
        for dataset in there:
            self._check_coder(dataset, component, coder)
        raise NotFound(f"No loaded dataset holds anything on {component}.", MAKE_HINT)

    def _named(
        self, name: str, there: Sequence[Dataset | PublicDataset]
    ) -> Dataset | PublicDataset:
        named = self._by_name.get(name)
        loaded = f"Loaded are: {', '.join(d.name for d in there) or 'none'}."
        if named is None:
            raise NotFound(f"There is no dataset {name[:80]!r}.", loaded)
        if _is_gone(named):
            raise NotFound(
                f"The dataset {name} was deleted: {_folder(named)} is gone.",
                f"Collate it again, or choose another. {loaded}",
            )
        return named

    def find(
        self, component: Component, name: str | None = None, coder: str | None = None
    ) -> Dataset:
        """The same among collated datasets, which have statistics of every component."""
        if name is None:
            found: Dataset | PublicDataset | None = self.first(component, coder)
        else:
            found = self.recorded(component, name, coder)
        if found is not None and not isinstance(found, PublicDataset):
            return found
        if found is None:
            self.recorded(component, None, coder)  # says what there is
        raise NotFound(
            "A public dataset holds excerpts only, without quantiles or means.", MAKE_HINT
        )

    def find_any(self, name: str | None = None) -> Dataset:
        """The dataset of a name or, without one, the first. Raises NotFound."""
        collated = self.all()
        if name is None and collated:
            return collated[0]
        return self.find(Component("embed"), name)

    def knowing(self, component: Component, name: str, coder: str | None = None) -> Dataset | None:
        """The collated dataset of a name, if it knows a component. Raises NotFound as `named`."""
        found = self.named(name)
        return found if self._knows(found, component, coder) else None

    def named(self, name: str) -> Dataset:
        """The collated dataset of a name. Raises NotFound that says what there is."""
        return self.find(Component("embed"), name)

    def first(self, component: Component, coder: str | None = None) -> Dataset | None:
        """The first collated dataset that knows a component, if one does."""
        return next((d for d in self.all() if self._knows(d, component, coder)), None)

    def _knows(
        self, dataset: Dataset | PublicDataset, component: Component, coder: str | None
    ) -> bool:
        return component in dataset and self._other_coder(dataset, component, coder) is None

    def _other_coder(
        self, dataset: Dataset | PublicDataset, component: Component, coder: str | None
    ) -> str | None:
        """The coder whose latents a dataset has in the place of those that are meant."""
        if component.kind != "latent" or component.stream is None:
            return None
        place = (component.kind, component.layer, component.stream)
        own = next((g.coder for g in dataset.groups if (g.kind, g.layer, g.stream) == place), None)
        meant = self._meant(component.stream, coder)
        return None if own is None or meant in (None, own) else own

    def _meant(self, stream: Stream, coder: str | None) -> str | None:
        """The named coder where it is one of the stream, else the first of it, if one is loaded."""
        is_of_it = coder is not None and self._stream.get(coder, stream) == stream
        return coder if is_of_it else self._first.get(stream)

    def _check_coder(
        self, dataset: Dataset | PublicDataset, component: Component, coder: str | None
    ) -> None:
        other = self._other_coder(dataset, component, coder)
        if other is not None:
            assert component.stream is not None
            raise NotFound(
                f"The dataset {dataset.name} holds the latents of the coder {other!r}, not of "
                f"{self._meant(component.stream, coder)!r}, which {component} is one of.",
                "Collate with `tdb collate --coder`, or serve that coder too and ask for it (?coder=).",
            )


def _folder(dataset: Dataset | PublicDataset) -> str:
    return dataset.folder if isinstance(dataset, Dataset) else dataset.source.folder


def _is_gone(dataset: Dataset | PublicDataset) -> bool:
    """Whether its folder was deleted since it was opened."""
    if isinstance(dataset, PublicDataset) or is_remote(dataset.folder):
        return False
    return not (Path(dataset.folder) / CARD).is_file()


def _check_fits(
    dataset: Dataset | PublicDataset, config: ModelConfig, coder_sets: Sequence[CoderSet] = ()
) -> None:
    sizes = {"attn": config.n_heads, "mlp": config.d_mlp}
    coders = {s.name: s.coders for s in coder_sets}
    for group in dataset.groups:
        coder = coders.get(group.coder or "", {}).get(group.layer)
        if coder is not None and coder.config.n_latents != group.n_components:
            raise ValueError(
                f"The dataset {dataset.name} was collated with another coder called {group.coder!r}: its "
                f"{group.name} has {group.n_components} latents, the coder that is loaded has "
                f"{coder.config.n_latents}. Name the coder otherwise (--coder NAME=PATH), or collate again."
            )
        expected = sizes.get(group.kind, group.n_components)
        if group.layer >= config.n_layers or group.n_components != expected:
            model = dataset.card.model if isinstance(dataset, Dataset) else dataset.source.model
            raise ValueError(
                f"The dataset {dataset.name} is of another model ({model}): its "
                f"{group.name} has {group.n_components} components, {config.name} has "
                f"{expected if group.layer < config.n_layers else 'no such layer'}."
            )


def _public_info(dataset: PublicDataset) -> DatasetInfo:
    source = dataset.source
    return DatasetInfo(
        name=source.name,
        description="Published by OpenAI; each record is fetched when it is first looked at.",
        model=source.model,
        corpus="",
        n_tokens=None,
        n_windows=None,
        n_components=source.n_layers * source.n_components,
        n_bytes=None,
        coders=[],
        created="",
        seconds=None,
        path=source.folder,
        recipe=None,
        groups=[_group(group) for group in dataset.groups],
        caveats=list(source.caveats),
    )


def _group(group: Group) -> DatasetGroup:
    return DatasetGroup(
        name=group.name,
        kind=group.kind,
        layer=group.layer,
        stream=group.stream,
        coder=group.coder,
        n_components=group.n_components,
    )


def _info(dataset: Dataset | PublicDataset) -> DatasetInfo:
    if isinstance(dataset, PublicDataset):
        return _public_info(dataset)
    card = dataset.card
    return DatasetInfo(
        name=card.name,
        description=card.description,
        model=card.model,
        corpus=card.corpus,
        n_tokens=card.n_tokens,
        n_windows=card.n_windows,
        n_components=card.n_components,
        n_bytes=card.n_bytes,
        coders=list(card.coders),
        created=card.created,
        seconds=card.seconds,
        path=dataset.folder,
        recipe=DatasetRecipe(**asdict(card.recipe)),
        groups=[_group(group) for group in dataset.groups],
        caveats=list(card.caveats),
    )


__all__ = ["DatasetUnavailable", "Datasets"]

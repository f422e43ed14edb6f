"""The stores of explanations that are served, read together: the demo's, those asked for, and one's own.

Sentences of one's own go to stores in the data folder, so that what came with the demo stays as it was made. A store
holds the latents of one coder for each stream; those of another one have a store of its name:

    DATA/explanations/own-MODEL.sqlite          neurons, heads, and the latents of the first coder of each stream
    DATA/explanations/own-MODEL@CODER.sqlite    latents of another coder of the same stream

An explanation is named by its store and its number there, as in 0:17.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

from activation_server.assets import demo_dir
from activation_server.errors import BadRequest, Conflict, NotFound
from activation_server.settings import Settings
from neuron_explainer.autoencoders.coder_set import CoderSet
from neuron_explainer.explanations.encoders import RETIRED, load_encoder
from neuron_explainer.explanations.explanation import Explanation, SimulatedExcerpt
from neuron_explainer.explanations.meant_coders import MeantCoders
from neuron_explainer.explanations.search import SearchIndex
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import (
    encoder_for,
    load_vectors,
    recorded_encoder,
    update_vectors,
)
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component, Stream

EXPLAIN_HINT = (
    "Make some with `tdb explain --dataset DIR --out FILE`, then serve with --explanations FILE."
)

# An explanation as `ExplanationRecord` has it.
Record = dict[str, Any]


class ExplanationShelf:
    """Open stores, the index of each, and the one that can be written to."""

    def __init__(
        self, model: Transformer, settings: Settings, coder_sets: Sequence[CoderSet] = ()
    ) -> None:
        self.coders = MeantCoders.of(coder_sets)
        paths = _store_paths(settings.explanations, model)
        self.stores = [_opened(path) for path in paths]
        name = "".join(it if it.isalnum() else "-" for it in model.config.name)
        folder = settings.data_dir
        self._own_path = None if folder is None else folder / "explanations" / f"own-{name}.sqlite"
        self.stores += [_opened_own(path) for path in self._own_paths()]
        self._model = model.config.name
        self._indices: dict[Path, SearchIndex] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._n_changes = 0

    def close(self) -> None:
        """Close the stores."""
        for store in self.stores:
            store.close()

    def add(self, path: Path) -> int:
        """Serve one more store, if it is not served already; gives how much it holds."""
        with self._lock:
            known = next((it for it in self.stores if it.path == path), None)
            if known is not None:
                return len(known)
            store = _opened(path)
            model = store.about.get("model", self._model)
            if model != self._model:
                store.close()
                raise Conflict(
                    f"{path.name} explains {model}; served is {self._model}.",
                    f"Serve it with `tdb serve --model {model} --explanations {path}`.",
                )
            self.stores = [*self.stores, store]
            return len(store)

    def needed(self) -> None:
        """Raise NotFound, with what to do, where there is no store at all."""
        if not self.stores:
            raise NotFound("No explanations are loaded.", EXPLAIN_HINT)

    @property
    def version(self) -> tuple[int, ...]:
        """Changes when an explanation is added or removed."""
        return (self._n_changes, *map(len, self.stores))

    def index(self, store: ExplanationStore) -> SearchIndex | None:
        """A store's index, opened once and again when the store has grown; None without vectors."""
        with self._lock:
            index = self._indices.get(store.path)
            if index is None or index.is_stale():
                table = load_vectors(store.path)
                if table is None:
                    return None
                encoder = index.encoder if index else load_encoder(table.encoder)
                index = self._indices[store.path] = SearchIndex(store, encoder, table, self.coders)
            return index

    def indices(self) -> list[SearchIndex]:
        """The stores that can be searched by meaning, opened now if they are not yet."""
        found = [self.index(store) for store in self.stores]
        return [index for index in found if index is not None]

    def records(
        self, components: Sequence[Component], coders: Collection[str] = ()
    ) -> dict[str, list[Record]]:
        """Every explanation of the components, the best first; of latents, those of the coders meant.

        Meant are the named ones, each for its stream, else the first of a stream.
        """
        found: dict[str, list[Record]] = {}
        for number, store in enumerate(self.stores):
            foreign = self.coders.foreign(store, coders)
            told = store.of(it for it in components if it.stream not in foreign)
            for component, explanations in told.items():
                of = found.setdefault(str(component), [])
                of.extend(record(it, number) for it in explanations)
        for records in found.values():
            records.sort(key=lambda it: (it["score"] is None, -(it["score"] or 0.0)))
        return found

    def find(
        self, component: Component, name: str | None, coder: str | None = None
    ) -> tuple[int, Explanation]:
        """An explanation of a component with its store; the best one, if none is named. Raises NotFound.

        Of a latent, one that is about the latent of the coder that is meant.
        """
        chosen = () if coder is None else (coder,)
        if name is None:
            best = self.records([component], chosen).get(str(component))
            if not best:
                raise NotFound(f"{component} has no explanation yet.", EXPLAIN_HINT)
            name = str(best[0]["id"])
        for number, store in enumerate(self.stores):
            for it in store.of([component]).get(component, ()):
                if name != f"{number}:{it.id}":
                    continue
                if component.stream in self.coders.foreign(store, chosen):
                    raise self._of_another_coder(component, name, store, chosen)
                return number, it
        raise NotFound(f"{component} has no explanation {name[:40]!r}.", EXPLAIN_HINT)

    def _of_another_coder(
        self, component: Component, name: str, store: ExplanationStore, chosen: Collection[str]
    ) -> NotFound:
        assert component.stream is not None, "only latents are of a coder"
        theirs = store.coders.get(component.stream, self.coders.first(component.stream))
        ours = self.coders.meant(component.stream, chosen)
        return NotFound(
            f"The explanation {name[:40]} is of the coder {theirs!r}'s {component}, not of {ours!r}'s.",
            f"Ask for that one: ?coder={theirs}.",
        )

    def keep(
        self,
        explanation: Explanation,
        simulations: Sequence[SimulatedExcerpt],
        coder: str | None = None,
    ) -> tuple[int, Explanation]:
        """Keep a sentence of one's own, of a latent as of the coder that is meant; gives it with its store."""
        stream = explanation.component.stream
        meant = self.coders.meant(stream, () if coder is None else (coder,))
        with self._writing:
            store = self._own(stream, meant)
            if stream and meant:
                store.note_coder(stream, meant)
            kept = store.add(explanation, simulations)
            self._changed(store)
        return self.stores.index(store), kept

    def remove(self, component: Component, name: str, coder: str | None = None) -> None:
        """Forget a sentence of one's own. Raises NotFound, or BadRequest where it is not one's own."""
        with self._writing:
            number, explanation = self.find(component, name, coder)
            store = self.stores[number]
            if store.path not in self._own_paths():
                raise BadRequest(
                    f"{name} is of {store.path.name}, which was given to the server to read.",
                    "Only explanations that were written in the viewer can be deleted.",
                )
            store.remove(explanation.id or 0)
            self._changed(store)

    def _changed(self, store: ExplanationStore) -> None:
        self._n_changes += 1
        update_vectors(store, encoder_for(store.path))

    def _own_paths(self) -> list[Path]:
        """Stores of one's own that are there."""
        if self._own_path is None:
            return []
        others = sorted(self._own_path.parent.glob(f"{self._own_path.stem}@*.sqlite"))
        return [path for path in (self._own_path, *others) if path.is_file()]

    def _own(self, stream: Stream | None, coder: str | None) -> ExplanationStore:
        """The store of one's own for a coder's latents, or for what is of no coder; made if it is not there."""
        if self._own_path is None:
            raise BadRequest(
                "This server keeps no data, so it cannot keep explanations.",
                "Serve with --data DIR.",
            )
        plain = self._served(self._own_path)
        if stream is None or coder in (None, plain.coders.get(stream, self.coders.first(stream))):
            return plain
        return self._served(
            self._own_path.with_name(f"{self._own_path.stem}@{quote(coder or '', safe='')}.sqlite")
        )

    def _served(self, own: Path) -> ExplanationStore:
        with self._lock:
            known = next((store for store in self.stores if store.path == own), None)
            if known is None:
                known = ExplanationStore.open(own, writable=True)
                self.stores = [*self.stores, known]
            return known


def record(explanation: Explanation, store: int) -> Record:
    """An explanation as `ExplanationRecord` has it."""
    return {
        "id": f"{store}:{explanation.id}",
        "text": explanation.text,
        "side": explanation.side,
        "score": explanation.score,
        "scores": dict(explanation.scores),
        "measures": {name: asdict(it) for name, it in explanation.measures.items()},
        "explainer": explanation.explainer,
        "created": explanation.created,
    }


def _opened(path: Path) -> ExplanationStore:
    """A store to read. Raises LookupError, with what to do, where an encoder that is no more made its vectors."""
    name = recorded_encoder(path)
    if name in RETIRED:
        load_encoder(name)
    return ExplanationStore.open(path)


def _opened_own(path: Path) -> ExplanationStore:
    own = ExplanationStore.open(path, writable=True)
    if recorded_encoder(path) in RETIRED:
        update_vectors(own, encoder_for(path))
    return own


def _store_paths(paths: Sequence[str], model: Transformer) -> list[Path]:
    """The demo's own store where the model is the demo, then those that were asked for."""
    demo = demo_dir()
    own = [] if demo is None or model.folder != demo / "model" else [demo / "explanations.sqlite"]
    return [path for path in own if path.is_file()] + [Path(path) for path in paths]

"""Explanations in one SQLite file: any number of readers beside one writer, and search by keyword.

Sentences with their scores, the excerpts they were scored on with true and simulated activations, and
what could not be explained and why: a failure is shown, never a zero. Vectors for search by meaning lie
beside it: `vectors.py`.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neuron_explainer.explanations.explanation import (
    PREFERRED_SCORE,
    Explanation,
    Score,
    Side,
    SimulatedExcerpt,
)
from neuron_explainer.explanations.store_layout import (
    open_file,
    pack,
    pack_measures,
    unpack,
    unpack_measures,
)
from neuron_explainer.nodes import Component, Stream

_CODER = "coder_"
_ORDER = "ORDER BY score IS NULL, score DESC, id"


@dataclass(frozen=True)
class Failure:
    """A component's side that got no explanation, and why."""

    component: Component
    side: Side
    explainer: str
    stage: str
    """What was being done: explain, simulate, score."""
    reason: str
    created: str


class ExplanationStore:
    """An open store. Safe to use from several threads."""

    def __init__(self, path: Path, connection: sqlite3.Connection, writable: bool) -> None:
        self.path = path
        self.writable = writable
        self._connection = connection
        self._lock = threading.RLock()

    @staticmethod
    def open(path: Path, *, writable: bool = False) -> "ExplanationStore":
        """Open a store; a writable one is made if it is not there.

        Raises LookupError if there is none, ValueError if the file is something else.
        """
        return ExplanationStore(path, open_file(path, writable), writable)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> "ExplanationStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- writing --------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is kept, or nothing of it; one inside another is part of it."""
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:  # commits, or rolls back on an error
                yield

    def add(
        self, explanation: Explanation, simulations: Sequence[SimulatedExcerpt] = ()
    ) -> Explanation:
        """Keep an explanation with its scores; an equal one by the same explainer is replaced."""
        component = explanation.component
        key = (str(component), explanation.side, explanation.explainer)
        with self.transaction():
            self._connection.execute(
                "DELETE FROM explanations WHERE component = ? AND side = ? AND explainer = ? "
                "AND text = ?",
                (*key, explanation.text),
            )
            self._connection.execute(
                "DELETE FROM failures WHERE component = ? AND side = ? AND explainer = ?", key
            )
            cursor = self._connection.execute(
                "INSERT INTO explanations (component, kind, stream, layer, number, side, text, "
                "explainer, created, score, density, rule, measures, prompt_hash) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    str(component),
                    component.kind,
                    component.stream,
                    -1 if component.layer is None else component.layer,
                    -1 if component.index is None else component.index,
                    explanation.side,
                    explanation.text,
                    explanation.explainer,
                    explanation.created,
                    explanation.score,
                    explanation.density,
                    None if explanation.rule is None else pack(explanation.rule),
                    pack_measures(explanation.measures),
                    explanation.prompt_hash,
                ),
            )
            number = int(cursor.lastrowid or 0)
            self._write_simulations(number, simulations)
        return Explanation(**{**_fields(explanation), "id": number})

    def set_scores(
        self,
        number: int,
        measures: Mapping[str, Score],
        simulations: Sequence[SimulatedExcerpt] | None = None,
    ) -> None:
        """Add scores to a stored explanation; those of the same name are replaced."""
        with self.transaction():
            known = {**self.get(number).measures, **measures}
            score = known.get(PREFERRED_SCORE)
            self._connection.execute(
                "UPDATE explanations SET measures = ?, score = ? WHERE id = ?",
                (pack_measures(known), None if score is None else score.value, number),
            )
            if simulations is not None:
                self._connection.execute("DELETE FROM simulations WHERE explanation = ?", (number,))
                self._write_simulations(number, simulations)

    def _write_simulations(self, number: int, simulations: Sequence[SimulatedExcerpt]) -> None:
        rows = [
            (number, index, it.sample, _to_json(it.tokens), _values(it.true), _values(it.simulated))
            for index, it in enumerate(simulations)
        ]
        self._connection.executemany("INSERT INTO simulations VALUES (?, ?, ?, ?, ?, ?)", rows)

    def fail(self, failure: Failure) -> None:
        """Keep that a component's side could not be explained."""
        with self.transaction():
            self._connection.execute(
                "INSERT OR REPLACE INTO failures VALUES (?, ?, ?, ?, ?, ?)",
                (str(failure.component), *list(asdict(failure).values())[1:]),
            )

    def forget_failure(self, component: Component, side: Side, explainer: str) -> None:
        """Forget that a side could not be explained: now it could."""
        with self.transaction():
            self._connection.execute(
                "DELETE FROM failures WHERE component = ? AND side = ? AND explainer = ?",
                (str(component), side, explainer),
            )

    def remove(self, number: int) -> None:
        """Forget an explanation."""
        with self.transaction():
            self._connection.execute("DELETE FROM explanations WHERE id = ?", (number,))

    def compact(self) -> None:
        """Make the file as small as it can be, and readable where nobody may write."""
        with self._lock:
            self._connection.execute("INSERT INTO words (words) VALUES ('optimize')")
            self._connection.commit()
            self._connection.execute("PRAGMA journal_mode = DELETE")
            # Wastes less than 4096 on such rows.
            self._connection.execute("PRAGMA page_size = 8192")
            self._connection.execute("VACUUM")

    # --- reading --------------------------------------------------------------------------------

    def of(self, components: Iterable[Component]) -> Mapping[Component, tuple[Explanation, ...]]:
        """The explanations of each component, the best first; a component without any is left out."""
        names = [str(component) for component in components]
        found: dict[Component, list[Explanation]] = {}
        for part in chunks(names):
            marks = ", ".join("?" * len(part))
            for explanation in self._read(f"WHERE component IN ({marks}) {_ORDER}", part):
                found.setdefault(explanation.component, []).append(explanation)
        return {component: tuple(rows) for component, rows in found.items()}

    def get(self, number: int) -> Explanation:
        """One explanation by its number. Raises LookupError if there is none."""
        found = list(self._read("WHERE id = ?", (number,)))
        if not found:
            raise LookupError(f"There is no explanation {number} in {self.path.name}.")
        return found[0]

    def many(self, numbers: Sequence[int]) -> list[Explanation]:
        """Explanations by their numbers, in that order; those that are gone are left out."""
        by_id: dict[int, Explanation] = {}
        for part in chunks(numbers):
            marks = ", ".join("?" * len(part))
            for explanation in self._read(f"WHERE id IN ({marks})", part):
                by_id[explanation.id or 0] = explanation
        return [by_id[number] for number in numbers if number in by_id]

    def all(self) -> Iterator[Explanation]:
        """Every explanation, in the order they were made."""
        yield from self._read("ORDER BY id", ())

    def _read(self, where: str, values: Sequence[object]) -> Iterator[Explanation]:
        rows = self.select(
            "SELECT id, component, side, text, explainer, created, density, rule, measures, prompt_hash "
            f"FROM explanations {where}",
            values,
        )
        for number, name, side, text, explainer, created, density, rule, measures, prompt in rows:
            yield Explanation(
                component=Component.parse(name),
                text=text,
                side=side,
                explainer=explainer,
                created=created,
                measures=unpack_measures(measures),
                density=density,
                rule=None if rule is None else unpack(rule),
                prompt_hash=prompt,
                id=number,
            )

    def simulations(self, number: int) -> tuple[SimulatedExcerpt, ...]:
        """The excerpts on which an explanation was scored; empty if they were not kept."""
        rows = self.select(
            "SELECT tokens, true, simulated, sample FROM simulations WHERE explanation = ? "
            "ORDER BY number",
            (number,),
        )
        return tuple(
            SimulatedExcerpt(
                tuple(json.loads(tokens)), json.loads(true), json.loads(simulated), sample
            )
            for tokens, true, simulated, sample in rows
        )

    def failures(self) -> tuple[Failure, ...]:
        """What could not be explained."""
        rows = self.select("SELECT * FROM failures ORDER BY component, side", ())
        return tuple(Failure(Component.parse(name), *rest) for name, *rest in rows)

    def done(self, explainer: str) -> set[tuple[str, Side]]:
        """The sides, as (component's name, side), that an explainer has explained already."""
        rows = self.select(
            "SELECT DISTINCT component, side FROM explanations WHERE explainer = ?", (explainer,)
        )
        return {(name, side) for name, side in rows}

    def select(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        """Rows of a query; for the parts of this package that count and search."""
        with self._lock:
            return self._connection.execute(statement, tuple(values)).fetchall()

    @property
    def version(self) -> tuple[int, int, int]:
        """Changes with what is explained: SQLite may give the number of what was removed to what is added next."""
        with self._lock:
            changes = self._connection.total_changes
            ((count, last),) = self.select(
                "SELECT count(*), coalesce(max(id), 0) FROM explanations", ()
            )
        return count, last, changes

    # --- what the store is about ----------------------------------------------------------------

    @property
    def about(self) -> Mapping[str, str]:
        """Model, dataset and whatever else its makers noted."""
        return dict(self.select("SELECT key, value FROM about", ()))

    def note(self, **facts: str) -> None:
        """Note facts about the store."""
        with self.transaction():
            self._connection.executemany(
                "INSERT OR REPLACE INTO about VALUES (?, ?)", list(facts.items())
            )

    @property
    def coders(self) -> Mapping[str, str]:
        """By stream, the coder whose latents are explained, where that was noted."""
        found = self.about.items()
        return {key.removeprefix(_CODER): name for key, name in found if key.startswith(_CODER)}

    def note_coder(self, stream: Stream, name: str) -> None:
        """Note whose latents are explained; numbers alone do not tell. Raises ValueError if another's are."""
        known = self.coders.get(stream, name)
        if known != name:
            raise ValueError(
                f"{self.path.name} explains latents of the coder {known!r}, not of {name!r}: "
                "name another store for these."
            )
        self.note(**{f"{_CODER}{stream}": name})

    def __len__(self) -> int:
        return int(self.select("SELECT count(*) FROM explanations", ())[0][0])


def _fields(explanation: Explanation) -> dict[str, Any]:
    # Not dataclasses.asdict, which would turn the component and the scores into dicts.
    return {name: getattr(explanation, name) for name in Explanation.__dataclass_fields__}


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _values(values: Sequence[float]) -> str:
    return _to_json([float(f"{value:.5g}") for value in values])


def chunks(values: Sequence[Any], size: int = 900) -> Iterator[Sequence[Any]]:
    """Parts of a sequence; by default as many values as SQLite surely allows in one statement."""
    for first in range(0, len(values), size):
        yield values[first : first + size]

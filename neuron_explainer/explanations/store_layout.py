"""The tables of a store of explanations, and how its file is opened.

    explanations   one row for each sentence: component, side, who made it, when, from which prompt, and its
                   measures, each with interval, count and, where undefined, the reason
    simulations    true and simulated activations of the excerpts it was scored on
    failures       what could not be explained, and why
    words          FTS5 index of the sentences (porter stemming): which words, not where, since no query asks that

A writer keeps a write-ahead log, so that readers see the last commit. A logged file in a folder that
nobody may write to is read as immutable, since SQLite could not keep its index of the log there.
"""

import json
import os
import sqlite3
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neuron_explainer.explanations.explanation import Score

SCHEMA_VERSION = 2

_SCHEMA = """
CREATE TABLE explanations (
    id INTEGER PRIMARY KEY,
    component TEXT NOT NULL,
    kind TEXT NOT NULL,
    stream TEXT,
    layer INTEGER NOT NULL,
    number INTEGER NOT NULL,
    side TEXT NOT NULL,
    text TEXT NOT NULL,
    explainer TEXT NOT NULL,
    created TEXT NOT NULL,
    score REAL,
    density REAL,
    rule BLOB,
    measures BLOB NOT NULL,
    prompt_hash TEXT NOT NULL
);
CREATE INDEX explanations_by_component ON explanations (component);
CREATE INDEX explanations_by_kind ON explanations (kind, stream, layer, number);
CREATE TABLE simulations (
    explanation INTEGER NOT NULL REFERENCES explanations (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    sample TEXT NOT NULL,
    tokens TEXT NOT NULL, true TEXT NOT NULL, simulated TEXT NOT NULL,
    PRIMARY KEY (explanation, number)
) WITHOUT ROWID;
CREATE TABLE failures (
    component TEXT NOT NULL, side TEXT NOT NULL, explainer TEXT NOT NULL,
    stage TEXT NOT NULL, reason TEXT NOT NULL, created TEXT NOT NULL,
    PRIMARY KEY (component, side, explainer)
) WITHOUT ROWID;
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
    text, content='explanations', content_rowid='id', tokenize='porter unicode61', detail=none
);
CREATE TRIGGER explanation_added AFTER INSERT ON explanations BEGIN
    INSERT INTO words (rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER explanation_removed AFTER DELETE ON explanations BEGIN
    INSERT INTO words (words, rowid, text) VALUES ('delete', old.id, old.text);
END;
"""


def open_file(path: Path, writable: bool) -> sqlite3.Connection:
    """Open a store's file; a writable one is made if it is not there.

    Raises LookupError if there is none, ValueError if the file is something else.
    """
    if not writable and not path.is_file():
        raise LookupError(f"There is no store of explanations at {path}.")
    if writable:
        path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.is_file() or path.stat().st_size == 0
    uri = path.absolute().as_uri() + ("" if writable else _read_mode(path))
    connection = sqlite3.connect(uri, uri=True, timeout=30, check_same_thread=False)
    try:
        if writable:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        if is_new:
            connection.executescript(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as problem:
        connection.close()
        raise ValueError(f"{path} is not a store of explanations: {problem}.") from problem
    if version != SCHEMA_VERSION:
        connection.close()
        raise ValueError(
            f"{path} has layout {version}; this version reads {SCHEMA_VERSION}. "
            "Make it anew with `tdb explain`."
        )
    return connection


_COMMON = (
    b'{"correlation":[0.1234567,0.1234,0.2345,640,""],"correlation_top":[0.3456789,0.3456,0.4567,320,""],'
    b'"correlation_random":[null,null,null,320,"the true activations do not vary"],"correlation_percentile":[0.5,0.5,'
    b'0.6,640,""],"r_squared":[0.6,0.6,0.7,640,""],"absolute_deviation":[0.7,0.7,0.8,640,""],"precision":[0.8,0.8,0.9,10,""],'
    b'"recall":[0.9,0.9,1.0,10,""],"lookup_correlation":[1.0,0.9,1.0,640,""],"auroc_pairs":[0.9,0.9,1.0,100,""]}'
    b'{"weights":[["previous:1",["first",["duplicate",["induction",0.0]],"mass":[["keys":[[],"tokens":[],"values":[],'
    b'"other":0.0,"patterns":[{"tokens":null,"context":[[2,[]],[1,[]]],"value":1.0,"share":0.1}],"threshold":0.5}'
)
"""What rules and measures have in common: the compressor's dictionary. Changing it makes stored ones unreadable."""


# Any JSON object: a rule, or measures by name.
def pack(data: Mapping[str, Any]) -> bytes:
    """Data as it is stored: there may be some for every component."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    deflate = zlib.compressobj(level=9, wbits=-15, zdict=_COMMON)
    return deflate.compress(text) + deflate.flush()


def unpack(packed: bytes) -> Mapping[str, Any]:
    """Stored data."""
    inflate = zlib.decompressobj(wbits=-15, zdict=_COMMON)
    data: Mapping[str, Any] = json.loads(inflate.decompress(packed) + inflate.flush())
    return data


def pack_measures(measures: Mapping[str, Score]) -> bytes:
    """Scores with their intervals; values to seven digits, ends of intervals to four."""
    return pack(
        {
            name: [_digits(it.value, 7), _digits(it.low, 4), _digits(it.high, 4), it.n, it.reason]
            for name, it in measures.items()
        }
    )


def unpack_measures(packed: bytes) -> dict[str, Score]:
    """Stored scores."""
    return {name: Score(*parts) for name, parts in unpack(packed).items()}


def _digits(value: float | None, count: int) -> float | None:
    return None if value is None else float(f"{value:.{count}g}")


def _read_mode(path: Path) -> str:
    return "?mode=ro" if os.access(path.parent, os.W_OK) else "?mode=ro&immutable=1"

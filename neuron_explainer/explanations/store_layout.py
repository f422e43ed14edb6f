"""The tables of a store of explanations, and how its file is opened.

    explanations   one row for each sentence: component, side, who made it, when, from which prompt
    scores         its measures, each with interval, count and, where undefined, the reason
    simulations    true and simulated activations of the excerpts it was scored on
    failures       what could not be explained, and why
    words          FTS5 index of the sentences (porter stemming)

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

SCHEMA_VERSION = 1

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
    prompt_hash TEXT NOT NULL,
    UNIQUE (component, side, explainer, text)
);
CREATE INDEX explanations_by_kind ON explanations (kind, stream, layer, number);
CREATE TABLE scores (
    explanation INTEGER NOT NULL REFERENCES explanations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    value REAL, low REAL, high REAL,
    n INTEGER NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (explanation, name)
) WITHOUT ROWID;
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
    text, content='explanations', content_rowid='id', tokenize='porter unicode61'
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
    b'{"weights":[["previous:1",["first",["duplicate",["induction",0.0]],"mass":[["keys":[[],"tokens":[],"values":[0.1,0.2,'
    b'0.3,0.4,1.0,2.0],"other":0.0,"patterns":[{"tokens":null,"context":[[2,[]],[1,[]]],"value":1.0,"share":0.1}],'
    b'"threshold":0.5}'
)
"""What rules have in common: the compressor's dictionary. Changing it makes stored rules unreadable."""


# A rule is any JSON object.
def pack(rule: Mapping[str, Any]) -> bytes:
    """A rule as it is stored: there may be one for every component."""
    text = json.dumps(rule, ensure_ascii=False, separators=(",", ":")).encode()
    deflate = zlib.compressobj(level=9, wbits=-15, zdict=_COMMON)
    return deflate.compress(text) + deflate.flush()


def unpack(data: bytes) -> Mapping[str, Any]:
    """A stored rule."""
    inflate = zlib.decompressobj(wbits=-15, zdict=_COMMON)
    rule: Mapping[str, Any] = json.loads(inflate.decompress(data) + inflate.flush())
    return rule


def _read_mode(path: Path) -> str:
    return "?mode=ro" if os.access(path.parent, os.W_OK) else "?mode=ro&immutable=1"

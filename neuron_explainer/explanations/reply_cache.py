"""Every reply of a language model, kept on disk by the content of its question.

One SQLite file; a reply is committed before it is used, so that a killed job asks nothing twice that was
answered. Also the record of what was spent.
"""

import hashlib
import json
import sqlite3
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from neuron_explainer.explanations.explanation import now
from neuron_explainer.explanations.providers import PromptToken, Question, Reply, Usage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    question TEXT NOT NULL,
    reply TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    created TEXT NOT NULL
) WITHOUT ROWID;
"""


class ReplyCache:
    """Replies by content. Safe from several threads and processes."""

    def __init__(self, path: Path | None) -> None:
        """None: keep them in memory only."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            ":memory:" if path is None else path, timeout=60, check_same_thread=False
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def get(self, provider: str, question: Question) -> Reply | None:
        """The reply to a question that was answered before."""
        found = self._find(content_hash(provider, question.to_json()))
        if found is None:
            return None
        data, usage = found
        return Reply(data["text"], usage, tuple(data["logprobs"]), cached=True)

    def put(self, provider: str, question: Question, reply: Reply) -> None:
        """Keep a reply."""
        data = {"text": reply.text, "logprobs": [dict(it) for it in reply.logprobs]}
        self._keep(provider, question.to_json(), data, reply.usage)

    def get_prompt(self, provider: str, prompt: str) -> list[PromptToken] | None:
        """What was expected in a prompt that was run before."""
        found = self._find(content_hash(provider, {"prompt": prompt}))
        return None if found is None else [PromptToken(**it) for it in found[0]["tokens"]]

    def put_prompt(
        self, provider: str, prompt: str, tokens: list[PromptToken], usage: Usage
    ) -> None:
        """Keep what was expected in a prompt."""
        data = {"tokens": [asdict(it) for it in tokens]}
        self._keep(provider, {"prompt": prompt}, data, usage)

    def __len__(self) -> int:
        with self._lock:
            return int(self._connection.execute("SELECT count(*) FROM replies").fetchone()[0])

    # Questions and replies are JSON objects of either of two shapes.
    def _find(self, key: str) -> tuple[dict[str, Any], Usage] | None:
        with self._lock:
            row = self._connection.execute(
                "SELECT reply, prompt_tokens, completion_tokens FROM replies WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else (json.loads(row[0]), Usage(row[1], row[2]))

    def _keep(
        self, provider: str, question: dict[str, Any], reply: dict[str, Any], usage: Usage
    ) -> None:
        row = (
            content_hash(provider, question),
            provider,
            json.dumps(question),
            json.dumps(reply),
            usage.prompt,
            usage.completion,
            now(),
        )
        with self._lock, self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO replies VALUES (?, ?, ?, ?, ?, ?, ?)", row
            )


def content_hash(provider: str, question: dict[str, Any]) -> str:
    """SHA-256 of who is asked and what."""
    content = json.dumps([provider, question], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()

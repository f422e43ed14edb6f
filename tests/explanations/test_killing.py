"""A job killed with SIGKILL again and again, at any moment: what was answered is not asked again, nothing is lost."""

import asyncio
import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from neuron_explainer.exemplars.store import Dataset
from neuron_explainer.explanations.careful import Careful, Manners
from neuron_explainer.explanations.evidence import sides_of
from neuron_explainer.explanations.explain import Plan
from neuron_explainer.explanations.explain_job import JobResult, explain_all
from neuron_explainer.explanations.openai_provider import Endpoint, OpenAIProvider
from neuron_explainer.explanations.reply_cache import ReplyCache
from neuron_explainer.explanations.store import ExplanationStore
from tests.explanations.endpoint import Script, endpoint

CONCURRENCY = 4


def answer(body: dict[str, Any]) -> str:
    last = body["messages"][-1]["content"]
    if "tokens:\n" in last:
        return json.dumps({"activations": [n % 4 for n in range(last.count("\n") - 2)]})
    return "names after a verb"


def run(dataset: Dataset, url: str, folder: Path) -> JobResult:
    """Explain a few neurons, as `tdb explain` does."""

    async def job() -> JobResult:
        provider = OpenAIProvider(Endpoint("m", url))
        manners = Manners(concurrency=CONCURRENCY)
        careful = Careful(provider, ReplyCache(folder / "replies.sqlite"), manners=manners)
        components = dataset.components("mlp", 1)[:6]
        try:
            with ExplanationStore.open(folder / "e.sqlite", writable=True) as store:
                plan = Plan(judge=False)
                return await explain_all(dataset, components, store, careful, careful, plan)
        finally:
            await careful.close()

    return asyncio.run(job())


def explained(folder: Path) -> list[tuple[object, ...]]:
    """What a store holds, but for its times."""
    with ExplanationStore.open(folder / "e.sqlite") as store:
        assert store.failures() == ()
        return sorted(
            (str(it.component), it.side, it.text, it.score, len(store.simulations(it.id or 0)))
            for it in store.all()
        )


def kept(folder: Path) -> int:
    """How many replies are on disk."""
    if not (folder / "replies.sqlite").exists():
        return 0
    connection = sqlite3.connect(folder / "replies.sqlite")
    try:
        return int(connection.execute("SELECT count(*) FROM replies").fetchone()[0])
    except sqlite3.OperationalError:  # the file is just being made
        return 0
    finally:
        connection.close()


def test_a_job_killed_again_and_again_is_the_same_in_the_end(
    dataset: Dataset, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    with endpoint(Script(answer)) as url:
        result = run(dataset, url, whole)
    components = dataset.components("mlp", 1)[:6]
    assert result.explained == sum(len(sides_of(dataset.record(it))) for it in components)

    # The endpoint gives so many answers and no more: all of them have come in when the signal does.
    permits, nobody_reads = threading.Semaphore(0), threading.Event()

    def held(body: dict[str, Any]) -> str:
        while not permits.acquire(timeout=0.02):
            if nobody_reads.is_set():
                return ""
        return answer(body)

    script = Script(held)
    n_answers = kept(whole)
    with endpoint(script) as url:
        for answered in (n_answers // 7, n_answers // 5, n_answers // 4):
            before = kept(killed)
            child = os.fork()
            if child == 0:
                try:
                    run(dataset, url, killed)
                finally:
                    os._exit(0)  # no clean-up of what belongs to the parent
            permits.release(answered)
            deadline = time.monotonic() + 60
            while kept(killed) < before + answered:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            nobody_reads.set()
            time.sleep(0.1)
            while script.at_once:
                time.sleep(0.02)
            nobody_reads.clear()
        n_kept, n_asked = kept(killed), len(script.requests)
        permits.release(10 * n_answers)
        run(dataset, url, killed)
    assert n_kept == n_answers // 7 + n_answers // 5 + n_answers // 4
    assert explained(killed) == explained(whole)
    # After the last kill exactly those calls are made that had no answer yet.
    assert len(script.requests) - n_asked == n_answers - n_kept

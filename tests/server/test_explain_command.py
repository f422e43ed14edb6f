"""`tdb explain` as a process: killed with SIGKILL and given again, it asks nothing twice and loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.layout import Recipe
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from tests.exemplars.small_corpus import small_corpus
from tests.explanations.endpoint import Script, endpoint

N_COMPONENTS = 4


def answer(body: dict[str, Any]) -> str:
    last = body["messages"][-1]["content"]
    if "tokens:\n" in last:
        return json.dumps({"activations": [n % 4 for n in range(last.count("\n") - 2)]})
    return "names after a verb"


@pytest.mark.slow
def test_a_killed_command_goes_on_where_it_was(
    model: Transformer, checkpoint: Path, tmp_path: Path
) -> None:
    corpus = open_corpus(str(small_corpus(tmp_path / "corpus.jsonl", 120)))
    recipe = Recipe(window=16, n_top=6, n_random=6, n_per_band=1)
    collate(model, corpus, tmp_path / "dataset", recipe=recipe)
    script = Script(answer, delay=0.1)
    out = tmp_path / "e.sqlite"

    def command(url: str) -> list[str]:
        return [
            *(sys.executable, "-m", "activation_server.cli", "explain", "--progress", "json"),
            *("--model", str(checkpoint), "--dataset", str(tmp_path / "dataset")),
            *("--component", f"mlp_L1_0-{N_COMPONENTS - 1}", "--out", str(out)),
            *("--method", "llm", "--llm", "m", "--base-url", url, "--no-judge"),
            *("--replies", str(tmp_path / "replies.sqlite"), "--concurrency", "2"),
        ]

    with endpoint(script) as url:
        killed = subprocess.Popen(command(url), stdout=subprocess.DEVNULL, start_new_session=True)
        while len(script.requests) < 9 and killed.poll() is None:
            time.sleep(0.02)
        os.killpg(killed.pid, signal.SIGKILL)
        killed.wait()
        time.sleep(0.5)
        before = list(script.requests)
        again = subprocess.run(command(url), capture_output=True, text=True, check=True)
    last = json.loads(again.stdout.splitlines()[-1])
    assert last["event"] == "done"
    result = last["result"]
    # What the killed process had no time to keep: at most the calls that were in the air.
    asked = [json.dumps(body, sort_keys=True) for body in script.requests]
    assert len(asked) - len(set(asked)) <= 2
    assert result["cached"] >= len(before) - 2
    assert result["n_failures"] == 0
    assert result["calls"] + result["cached"] == len(set(asked))
    with ExplanationStore.open(out) as store:
        found = {str(it.component) for it in store.all()}
        assert found == {f"mlp_L1_{n}" for n in range(N_COMPONENTS)}
        assert all(store.simulations(it.id or 0) for it in store.all())

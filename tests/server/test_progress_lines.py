"""How a command tells its progress: JSON lines that survive everything, or a bar."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from activation_server.progress_lines import JsonLines
from neuron_explainer.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def run(body: str, tmp_path: Path, style: str = "json") -> subprocess.CompletedProcess[str]:
    """Run a command of one `reporting` block, as the console command would be."""
    script = tmp_path / "command.py"
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    script.write_text(
        f"""
import time
import typer
from activation_server.errors import NotFound
from activation_server.progress_lines import ProgressOption, reporting
from neuron_explainer.progress import Progress

def command(progress: ProgressOption = "bar") -> None:
    with reporting(progress, "Working") as report:
{lines}

typer.run(command)
"""
    )
    command = [sys.executable, str(script), "--progress", style]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT
    )


def test_lines_are_spaced_and_the_last_is_never_dropped() -> None:
    out, clock = io.StringIO(), Clock()
    lines = JsonLines(out, clock)
    for done in range(1, 101):
        clock.now += 0.01
        lines(Progress(done, 100, "steps"))
    lines.finish({"out": "here"})
    *progress, last = events(out.getvalue())
    assert 4 <= len(progress) <= 7
    assert progress[-1]["done"] == 100
    assert last == {"event": "done", "result": {"out": "here"}}


def test_a_metric_told_between_two_lines_is_in_the_next() -> None:
    out, clock = io.StringIO(), Clock()
    lines = JsonLines(out, clock)
    lines(Progress(1, 100, "steps", metrics={"loss": 3.0}))
    clock.now += 0.01
    lines(Progress(2, 100, "steps", metrics={"loss": 2.5, "explained_variance": 0.9}))
    clock.now += 0.01
    lines(Progress(3, 100, "steps", metrics={"loss": 2.0}))
    lines.finish({})
    first, second, _ = events(out.getvalue())
    assert first["metrics"] == {"loss": 3.0}
    assert (second["done"], second["metrics"]) == (3, {"loss": 2.0, "explained_variance": 0.9})


def test_a_long_work_writes_a_few_thousand_lines() -> None:
    out, clock = io.StringIO(), Clock()
    lines = JsonLines(out, clock)
    for done in range(100_000):  # a day, one update each 0.86 s
        clock.now += 0.864
        lines(Progress(done, None, "steps"))
    assert 2_000 < len(out.getvalue().splitlines()) < 15_000


def test_numbers_that_json_lacks_are_null() -> None:
    out = io.StringIO()
    lines = JsonLines(out)
    lines(Progress(1, 1, "steps", metrics={"loss": float("nan")}))
    lines.finish({"worst": [float("inf"), 1.0]})
    first, second = events(out.getvalue())
    assert first["metrics"] == {"loss": None}
    assert second["result"] == {"worst": [None, 1.0]}


def test_a_command_ends_with_what_came_out_and_prints_nothing_else(tmp_path: Path) -> None:
    done = run(
        'print("a library talks")\nreport(Progress(1, 2, "tokens"))\nreport.finish({"n": 2})',
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert [event["event"] for event in events(done.stdout)] == ["progress", "done"]
    assert "a library talks" in done.stderr


def test_a_command_that_tells_no_result_still_says_that_it_is_done(tmp_path: Path) -> None:
    assert events(run("pass", tmp_path).stdout) == [{"event": "done", "result": {}}]


@pytest.mark.parametrize(
    ("problem", "message", "hint"),
    [
        ('ValueError("width 3 is no multiple of 2")', "width 3 is no multiple of 2", "as the"),
        ('NotFound("no such model", "tdb models lists them")', "no such model", "tdb models"),
        ('FileNotFoundError(2, "No such file", "text.jsonl")', "text.jsonl", ""),
    ],
)
def test_a_mistake_is_the_last_line_with_status_2(
    problem: str, message: str, hint: str, tmp_path: Path
) -> None:
    done = run(f"raise {problem}", tmp_path)
    last = events(done.stdout)[-1]
    assert done.returncode == 2
    assert last["event"] == "error"
    assert message in last["message"]
    assert hint in last["hint"]


def test_a_bug_is_told_as_one_with_its_traceback(tmp_path: Path) -> None:
    done = run("1 / 0", tmp_path)
    assert done.returncode == 1
    assert "This is a bug" in events(done.stdout)[-1]["message"]
    assert "ZeroDivisionError" in done.stderr


def test_a_command_ends_when_nobody_reads_it_any_more(tmp_path: Path) -> None:
    marker = tmp_path / "finished"
    run("pass", tmp_path)  # writes the script
    script = tmp_path / "command.py"
    body = f'report(Progress(1, 2, "steps"))\n        time.sleep(30)\n        open({str(marker)!r}, "w")'
    script.write_text(script.read_text().replace("        pass", f"        {body}"))
    command = [sys.executable, str(script), "--progress", "json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 1
    assert not marker.exists()


def test_people_get_the_sentence_and_the_hint(tmp_path: Path) -> None:
    done = run(
        'report(Progress(1, 2, "tokens"))\nreport.finish({}, "Saved in here.")', tmp_path, "bar"
    )
    assert done.stdout == "Saved in here.\n"
    failed = run('raise NotFound("no such model", "tdb models lists them")', tmp_path, "bar")
    assert failed.returncode == 2
    assert "no such model" in failed.stderr
    assert "tdb models" in failed.stderr

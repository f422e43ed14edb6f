"""How a long command tells how far it is: a bar for people, or JSON lines for a program.

    with reporting("json", "Collating") as report:
        dataset = collate(model, corpus, on_progress=report)
        report.finish({"out": str(out)}, f"Collated into {out}.")

With `json` each line of stdout is one event:

    {"event": "progress", "time", "done", "total", "unit", "message", "metrics"}   any number of them
    {"event": "done", "result": {...}}                                             or, exit status 2,
    {"event": "error", "message", "hint"}

Whatever else is printed meanwhile goes to stderr. When nobody reads the lines any more, the process
ends: work that is watched by a server does not outlive it.
"""

import contextlib
import json
import math
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal, Protocol, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from activation_server.errors import ApiError, as_api_error, callers_mistake
from neuron_explainer.progress import Progress

ProgressStyle = Literal["bar", "json"]
ProgressOption = Annotated[
    ProgressStyle,
    typer.Option("--progress", help="A bar, or one JSON object a line on stdout."),
]

MIN_INTERVAL = 0.2
"""Seconds between two progress lines in short work."""
LINES_PER_SPAN = 2000
"""In long work lines become rarer: one for each 2000th of the time that has passed."""

# Any value that JSON has.
Result = Mapping[str, object]


class Report(Protocol):
    """What a command holds while it works: an `OnProgress` that can also tell the result."""

    def __call__(self, progress: Progress) -> None: ...

    def finish(self, result: Result, sentence: str = "") -> None:
        """Tell what came out: `result` to a program, `sentence` to people."""


@contextlib.contextmanager
def reporting(style: ProgressStyle, title: str) -> Iterator[Report]:
    """Tell how work goes and how it ends. A mistake is told with its hint, and exits with 2."""
    chosen = _json_lines() if style == "json" else _bar(title)
    with chosen as report:
        yield report


# --- JSON lines -----------------------------------------------------------------------------------


class JsonLines:
    """Progress as JSON lines, at most one in `MIN_INTERVAL`; no metric's last value is lost."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._started = clock()
        self._written = -math.inf
        self._waiting: Progress | None = None
        self._metrics: dict[str, float] = {}
        self.is_finished = False

    def __call__(self, progress: Progress) -> None:
        now = self._clock()
        self._waiting = progress
        self._metrics |= progress.metrics
        interval = max(MIN_INTERVAL, (now - self._started) / LINES_PER_SPAN)
        if now - self._written >= interval or progress.done == progress.total:
            self._flush(now)

    def finish(self, result: Result, sentence: str = "") -> None:  # noqa: ARG002 - for people
        """The last line of work that went well."""
        self._end({"event": "done", "result": dict(result)})

    def fail(self, error: ApiError) -> None:
        """The last line of work that failed."""
        self._end({"event": "error", "message": error.message, "hint": error.hint})

    def _flush(self, now: float) -> None:
        progress, self._waiting = self._waiting, None
        if progress is None:
            return
        self._print(
            {
                "event": "progress",
                "time": time.time(),
                "done": progress.done,
                "total": progress.total,
                "unit": progress.unit,
                "message": progress.message,
                "metrics": self._metrics,
            }
        )
        self._metrics = {}
        self._written = now

    def _end(self, event: dict[str, object]) -> None:
        if not self.is_finished:
            self._flush(self._clock())
            self._print(event)
        self.is_finished = True

    def _print(self, event: dict[str, object]) -> None:
        try:
            self._out.write(json.dumps(_finite(event), default=str) + "\n")
            self._out.flush()
        except BrokenPipeError:
            os._exit(1)  # nobody reads, and flushing at exit would fail once more


@contextlib.contextmanager
def _json_lines() -> Iterator[Report]:
    lines = JsonLines(sys.stdout)
    stop = _end_when_unread(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # a library's print is no event
            yield lines
        lines.finish({})
    except (KeyboardInterrupt, GeneratorExit, typer.Exit):
        raise
    except BaseException as problem:
        mistake = callers_mistake(problem)
        lines.fail(mistake or as_api_error(problem))
        if mistake is None:
            raise
        raise typer.Exit(2) from problem
    finally:
        stop.set()


def _end_when_unread(out: TextIO) -> threading.Event:
    """End the process soon after the pipe it writes into has lost its reader."""
    stop = threading.Event()

    def watch(descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, 0)  # errors are always reported
        while not stop.wait(1):
            if any(flags & (select.POLLERR | select.POLLHUP) for _, flags in poll.poll(0)):
                os._exit(1)

    try:
        descriptor = out.fileno()
        is_pipe = not out.isatty()
    except (OSError, ValueError):  # not a real file, as in tests
        return stop
    if is_pipe and hasattr(select, "poll"):
        threading.Thread(target=watch, args=(descriptor,), daemon=True).start()
    return stop


# Any value that JSON has.
def _finite(value: object) -> object:
    """With null for what JSON has no number for."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


# --- a bar ----------------------------------------------------------------------------------------


class _BarReport:
    """Progress as a bar on stderr."""

    def __init__(self, bar: Bar, title: str) -> None:
        self._bar = bar
        self._title = title
        self._task = bar.add_task(escape(title), total=None, detail="")
        self._sentence = ""

    def __call__(self, progress: Progress) -> None:
        metrics = (f"{name} {value:.4g}" for name, value in progress.metrics.items())
        self._bar.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            description=escape(progress.message or self._title),
            detail=escape("  ".join((f"{progress.done:,} {progress.unit}", *metrics))),
        )

    def finish(self, result: Result, sentence: str = "") -> None:  # noqa: ARG002 - for programs
        self._sentence = sentence

    def conclude(self) -> None:
        """Say what came out, once the bar is gone."""
        if self._sentence:
            Console(highlight=False).print(escape(self._sentence), soft_wrap=True)


@contextlib.contextmanager
def _bar(title: str) -> Iterator[Report]:
    from activation_server.terminal import print_error

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}", style="dim"),
    )
    try:
        with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
            report = _BarReport(bar, title)
            yield report
        report.conclude()
    except Exception as problem:
        mistake = callers_mistake(problem)
        if mistake is None:
            raise
        print_error(mistake.message, mistake.hint)
        raise typer.Exit(2) from problem

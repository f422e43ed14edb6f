"""What several commands of `tdb` share: options, loading the model they name, and answering mistakes.

Importing it loads nothing heavy, so that `tdb --help` stays instant.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from neuron_explainer.models.transformer import Transformer

ModelName = Annotated[
    str | None,
    typer.Option("--model", "-m", help="A short name (tdb models), a folder, a .gguf, a hub name."),
]
Coders = Annotated[
    list[str] | None,
    typer.Option(
        "--coder",
        help="NAME:SITE=PATH, a path, or a known name (tdb models); may be repeated.",
    ),
]
Dtype = Annotated[
    Literal["float32", "bfloat16"], typer.Option(help="Precision of the weights and the run.")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda or mps; by default the fastest here.")]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; by default all cores.")]


def load_named(
    name: str | None, dtype: str, device: str | None, threads: int | None
) -> "Transformer":
    """Load a model, the default one if none is named, saying so meanwhile."""
    from activation_server.loading import default_model, load, needs_fetching
    from activation_server.terminal import fetch_with_progress, working

    chosen = name or default_model()
    if needs_fetching(chosen):
        fetch_with_progress(chosen)
    with working(f"Loading {chosen}"):
        return load(chosen, dtype=dtype, device=device, threads=threads)


@contextlib.contextmanager
def clear_errors() -> Iterator[None]:
    """Turn a caller's mistake into one sentence with a hint."""
    from activation_server.errors import callers_mistake
    from activation_server.terminal import print_error

    try:
        yield
    except Exception as problem:
        mistake = callers_mistake(problem)
        if mistake is None:
            raise
        print_error(mistake.message, mistake.hint)
        raise typer.Exit(2) from problem

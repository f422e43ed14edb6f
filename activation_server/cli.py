"""The console command `tdb`: serve, debug, collate, explain, score, search, train-sae, eval-sae, and
fetch, models, self-check.

Each command loads what it needs when it runs, so that `tdb --help` is instant. A mistake is
answered with one sentence and a hint, and exit status 2.
"""

import contextlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from activation_server.coder_commands import eval_sae, train_sae
from activation_server.collating import collate
from activation_server.explaining import explain
from activation_server.options import (
    Coders,
    Device,
    Dtype,
    ModelName,
    Threads,
    clear_errors,
    load_named,
)
from activation_server.searching import score, search

app = typer.Typer(
    name="tdb",
    help="Why a transformer language model says what it says.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.command()
def serve(
    model: ModelName = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8000,
    dtype: Dtype = "float32",
    device: Device = None,
    threads: Threads = None,
    memory: Annotated[
        float, typer.Option(min=0.1, help="GB that one question may take beside the weights.")
    ] = 4,
    dataset: Annotated[
        list[str] | None,
        typer.Option(
            help="A folder of `tdb collate`, a blob path, or openai:gpt2-small and the like."
        ),
    ] = None,
    coder: Coders = None,
    explanations: Annotated[
        list[str] | None, typer.Option(help="A file that `tdb explain` made; may be repeated.")
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="Asked of every client; needed beyond this machine.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Where jobs put datasets and coders; by default the cache.")
    ] = None,
    max_jobs: Annotated[int, typer.Option(min=1, help="Jobs that run at a time.")] = 1,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the browser.")] = False,
) -> None:
    """Start the debugger: the viewer and its REST interface, on one address."""
    from activation_server.assets import viewer_dir
    from activation_server.loading import default_model
    from activation_server.serving import listen, serve_forever
    from activation_server.settings import Settings
    from neuron_explainer.models.model_folder import cache_dir

    with clear_errors():
        folder = viewer_dir()
        settings = Settings(
            host=host,
            port=port,
            token=token,
            viewer_dir=folder,
            warm_up=True,
            datasets=tuple(dataset or ()),
            coders=tuple(coder or ()),
            explanations=tuple(explanations or ()),
            max_question_bytes=int(memory * 2**30),
            model=model or default_model(),
            data_dir=(data or cache_dir() / "data").absolute(),
            jobs_dir=None if data else cache_dir() / "jobs",
            max_jobs=max_jobs,
        )
        socket = listen(host, port)
        with contextlib.closing(socket):
            loaded = load_named(model, dtype, device, threads)
            serve_forever(settings, loaded, socket, open_browser=open_browser)


@app.command()
def debug(
    prompt: Annotated[str, typer.Argument(help="The text to explain the continuation of.")],
    target: Annotated[list[str], typer.Option("--target", "-t", help='As in " Mary".')],
    distractor: Annotated[
        list[str] | None, typer.Option("--distractor", "-d", help='As in " John".')
    ] = None,
    objective: Annotated[
        Literal["logit_diff", "logit_minus_mean", "logprob", "prob"],
        typer.Option(help="What is explained."),
    ] = "logit_diff",
    position: Annotated[int, typer.Option(help="Token whose prediction is explained.")] = -1,
    ablate: Annotated[
        list[str] | None,
        typer.Option(
            help="attn_L9_9, attn_L9_9@13, attn_L9_9@13:1, mlp_L3_117@5; may be repeated."
        ),
    ] = None,
    top_k: Annotated[int, typer.Option(min=1, max=1000, help="Rows per kind and metric.")] = 10,
    rows: Annotated[int, typer.Option(min=1, help="Rows printed.")] = 25,
    measure: Annotated[
        bool, typer.Option("--measure", help="Run the model without each printed node.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the REST answer.")] = False,
    coder: Coders = None,
    mlp_basis: Annotated[
        str, typer.Option(help="neuron, or a coder set whose latents stand in their place.")
    ] = "neuron",
    attention_basis: Annotated[
        str, typer.Option(help="head, or a coder set whose latents stand in their place.")
    ] = "head",
    resid_basis: Annotated[
        str | None, typer.Option(help="A coder set of the residual stream.")
    ] = None,
    model: ModelName = None,
    dtype: Dtype = "float32",
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Print which heads and neurons push the model toward the target token."""
    from activation_server.asking import ask, edited_question
    from activation_server.terminal import print_table
    from activation_server.wire import to_bytes

    with clear_errors():
        bases = {
            "mlp_basis": mlp_basis,
            "attention_basis": attention_basis,
            "resid_basis": resid_basis,
        }
        request = edited_question(
            prompt, target, distractor or [], objective, position, ablate or [], top_k, bases
        )
        loaded = load_named(model, dtype, device, threads)
        asked = ask(loaded, request, coder or [], n_leading=rows, measure=measure)
        if as_json:
            typer.echo(to_bytes(asked.table).decode())
        else:
            print_table(asked)


@app.command()
def models() -> None:
    """List the models and coders that have a short name, and which models are on this machine."""
    from activation_server.terminal import print_models

    print_models()


@app.command()
def fetch(name: Annotated[str, typer.Argument(help="A short name or a hub repository.")]) -> None:
    """Download a model once; later starts need no network."""
    from activation_server.terminal import fetch_with_progress

    with clear_errors():
        typer.echo(fetch_with_progress(name))


@app.command("self-check")
def self_check(
    model: ModelName = None,
    coder: Coders = None,
    dtype: Dtype = "float32",
    device: Device = None,
    threads: Threads = None,
) -> None:
    """Check the claims about the numbers on a model; exit status 1 when one fails."""
    from activation_server.coders import open_coder_sets
    from activation_server.terminal import print_claims
    from neuron_explainer.attribution.self_check import self_check as check

    with clear_errors():
        loaded = load_named(model, dtype, device, threads)
        claims = check(loaded, open_coder_sets(coder or [], loaded))
    if not print_claims(claims):
        raise typer.Exit(1)


app.command()(collate)
app.command()(explain)
app.command()(score)
app.command()(search)
app.command("train-sae")(train_sae)
app.command("eval-sae")(eval_sae)

if __name__ == "__main__":
    app()

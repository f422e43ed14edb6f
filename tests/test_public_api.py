"""Each package's __init__ is its public list, and importing it does nothing heavy."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(
    ".".join(path.parent.relative_to(ROOT).parts)
    for top in ("neuron_explainer", "activation_server")
    for path in (ROOT / top).rglob("__init__.py")
)


@pytest.mark.parametrize("package", PACKAGES)
def test_an_init_holds_only_imports_and_a_sorted_list(package: str) -> None:
    source = ROOT.joinpath(*package.split("."), "__init__.py").read_text()
    body = ast.parse(source).body
    docstring, *rest = body
    assert isinstance(docstring, ast.Expr), f"{package} says nothing of itself"
    for statement in rest:
        listing = (
            isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__"
        )
        assert listing or isinstance(statement, ast.Import | ast.ImportFrom), (
            f"{package}/__init__.py:{statement.lineno} is code"
        )
    if rest:
        names = importlib.import_module(package).__all__
        assert list(names) == sorted(names)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_resolves(package: str) -> None:
    module = importlib.import_module(package)
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), f"{package}.__all__ names {name}, which is not there"


def test_importing_the_library_does_not_import_transformers() -> None:
    """Nor the hub's client: they take seconds, and are needed only when a model is loaded."""
    heavy = "{'transformers', 'huggingface_hub'}"
    code = f"import sys, neuron_explainer; print({heavy} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "set()"

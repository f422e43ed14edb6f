"""The documents agree with the code: named tests exist, the notebook runs, the glossary is covered."""

import re
from pathlib import Path
from typing import Any, get_args

import nbformat
import pytest

from activation_server.schemas import MAX_INTERVENTIONS, MAX_MEASURED, MAX_TOP_K, CaseSpec
from activation_server.settings import Settings
from neuron_explainer.attribution.effects import METRICS
from neuron_explainer.models.objectives import Through, TokenKind

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = (ROOT / "docs/numbers.md").read_text()
REST = (ROOT / "docs/rest.md").read_text()
NOTEBOOK = ROOT / "docs/investigation.ipynb"


def named_tests() -> list[tuple[str, str]]:
    """(file, test) for each `tests/file.py::test` of numbers.md; `::test` is in the file before it."""
    found, file = [], ""
    for path, test in re.findall(r"`((?:neuron_viewer/)?tests/[\w/.-]+)?(?:::(\w+))?`", NUMBERS):
        file = path or file
        found += [(file, test)] if path or test else []
    return found


def test_tests_named_by_the_numbers_exist() -> None:
    named = named_tests()
    assert len(named) >= 20
    for file, test in named:
        assert (ROOT / file).is_file(), file
        assert not test or f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"


def test_every_number_and_objective_is_explained() -> None:
    for metric in METRICS:
        assert f"**{metric.replace('_', ' ').capitalize()}" in NUMBERS, metric
    for word in (*get_args(TokenKind), *get_args(Through)):
        assert f"`{word}`" in NUMBERS, word


def test_limits_are_those_of_the_code() -> None:
    settings = Settings()
    for limit in (
        f"`top_k` 1 to {MAX_TOP_K}",
        f"{MAX_INTERVENTIONS} interventions",
        f"{MAX_MEASURED} nodes",
        f"{settings.max_queue} requests waiting",
        f"{settings.max_body_bytes // 1_000_000} MB",
        f"({settings.max_question_bytes // 2**30} GB for one question)",
    ):
        assert limit in REST, limit
    assert CaseSpec.model_fields["position"].default == -1


def cells() -> list[Any]:
    return list(nbformat.read(NOTEBOOK, as_version=4).cells)


def test_the_notebook_is_small_and_was_run_without_errors() -> None:
    assert NOTEBOOK.stat().st_size < 60_000
    ran = [cell for cell in cells() if cell.cell_type == "code"]
    assert len(ran) >= 8
    for number, cell in enumerate(ran, start=1):
        assert cell.execution_count == number, "run the notebook from top to bottom"
        compile(cell.source.replace(";\n", "\n"), "investigation.ipynb", "exec")
        assert all(output.output_type != "error" for output in cell.outputs)
    assert "/work" not in NOTEBOOK.read_text()
    assert "/home" not in NOTEBOOK.read_text()


@pytest.mark.real_model
def test_the_notebook_runs_and_prints_what_it_shows(smollm2_folder: Path) -> None:
    """Printed lines as they are stored; tables only run, since a last digit may differ."""
    from nbclient import NotebookClient

    fresh = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(fresh, timeout=500, kernel_name="python3").execute()
    for stored, cell in zip(cells(), fresh.cells, strict=True):
        if cell.cell_type == "code":
            assert numbers_rounded(printed(cell)) == numbers_rounded(printed(stored))


def printed(cell: Any) -> str:
    return "".join(
        output.text
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )


def numbers_rounded(text: str) -> str:
    """Numbers to one decimal: processors differ in the last digits."""
    return re.sub(r"\d+\.\d+", lambda found: f"{float(found[0]):.1f}", text)

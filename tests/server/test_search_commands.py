"""`tdb search` and `tdb score` on the bundled demo: filters hold, and a sentence is taken at its word."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from activation_server.cli import app

runner = CliRunner()
DEMO = Path(__file__).resolve().parents[2] / "datasets/demo"


def tdb(*arguments: str) -> Any:
    return runner.invoke(app, arguments, env={"COLUMNS": "120"})


def found(*arguments: str) -> list[dict[str, Any]]:
    result = tdb("search", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("mode", ["meaning", "keyword"])
def test_filters_hold_in_both_modes(mode: str) -> None:
    asked = ("colours", "--mode", mode, "--limit", "40")
    assert len(found(*asked)) == 40
    for hit in found(*asked, "--kind", "mlp", "--side", "negative", "--min-score", "0.3"):
        assert hit["component"].startswith("mlp_L")
        assert hit["side"] == "negative"
        assert hit["score"] >= 0.3


def test_densities_divide_the_results() -> None:
    def names(*more: str) -> set[str]:
        return {hit["component"] for hit in found("colours", "--limit", "1000", *more)}

    rare, common = names("--max-density", "0.01"), names("--min-density", "0.2")
    assert rare and common
    assert not rare & common


def test_a_sentence_is_scored_at_its_word_without_a_model() -> None:
    result = tdb(
        *("score", "mlp_ae_L0_536", "fires on ' color' and ' colour'"),
        *("--dataset", str(DEMO / "exemplars"), "--simulator", "literal"),
    )
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["problems"] == []
    assert answer["scores"]["correlation"]["value"] > 0.9
    assert answer["scores"]["correlation"]["n"] > 100


def test_a_sentence_that_names_nothing_is_a_stated_problem() -> None:
    result = tdb(
        *("score", "mlp_ae_L0_536", "fires on some other tokens"),
        *("--dataset", str(DEMO / "exemplars"), "--simulator", "literal"),
    )
    answer = json.loads(result.stdout)
    assert answer["scores"]["correlation"]["value"] is None
    assert answer["problems"]

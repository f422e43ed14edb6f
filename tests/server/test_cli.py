"""The console command: answers on stdout, mistakes as one sentence with exit status 2."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from activation_server import schemas
from activation_server.cli import app
from activation_server.serving import listen
from neuron_explainer.models.transformer import Transformer
from tests.server.sample import PROMPT

runner = CliRunner()


@pytest.fixture(autouse=True)
def loaded(model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model stands for `tiny`; other names are looked up as always."""
    from activation_server import loading

    real = loading.load

    def load(name: str, **options: Any) -> Transformer:
        return model if name == "tiny" else real(name, **options)

    monkeypatch.setattr(loading, "load", load)


def tdb(*arguments: str) -> Any:
    return runner.invoke(app, arguments, env={"COLUMNS": "120", "TDB_CACHE": "/nonexistent"})


def debug(*more: str, prompt: str = PROMPT) -> Any:
    return tdb("debug", prompt, "-t", " Mary", "-d", " John", "-m", "tiny", *more)


def test_debug_prints_a_table() -> None:
    result = debug("--rows", "7")
    assert result.exit_code == 0, result.output
    assert "logits" in result.output
    assert "·Mary" in result.output
    assert "7 of" in result.output


def test_debug_measures_the_printed_rows() -> None:
    result = debug("--rows", "6", "--measure", "--ablate", "attn_L1_0")
    assert result.exit_code == 0, result.output
    assert "measured" in result.output


def test_debug_prints_the_rest_answer() -> None:
    result = debug("--json", "--top-k", "3")
    answer = schemas.DebugResponse.model_validate_json(result.stdout)
    assert len(answer.cases) == 1


def test_ablations_compare_with_the_baseline() -> None:
    result = debug("--ablate", "attn_L1_0@13", "--ablate", "mlp_L0_3", "--ablate", "attn_L2_0@9:1")
    assert result.exit_code == 0, result.output
    assert "edited" in result.output
    assert "baseline" in result.output
    both = json.loads(debug("--ablate", "attn_L1_0", "--json").stdout)
    values = [case["objective"]["value"] for case in both["cases"]]
    assert values[0] != values[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ablate", "attn_L9_0"], "layers 0-2"),
        (["--ablate", "attn"], "attn_L9_9"),
        (["--ablate", "attn_L1_0@x"], "attn_L9_9@13"),
        (["-t", "Mary and John"], "tokens"),
        (["--position", "99"], "position 99"),
        (["--top-k", "0"], "top-k"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], said: str) -> None:
    result = debug(*arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for name in (str(tmp_path), str(tmp_path / "nothing")):
        result = tdb("debug", PROMPT, "-t", " Mary", "-m", name)
        assert result.exit_code == 2
        assert "Error:" in result.output


def test_models_lists_short_names() -> None:
    result = tdb("models")
    assert result.exit_code == 0
    assert "smollm2" in result.output
    assert "gpt2-xl" in result.output


def test_self_check_passes_and_says_so() -> None:
    result = tdb("self-check", "-m", "tiny")
    assert result.exit_code == 0, result.output
    assert "pass" in result.output


def test_self_check_fails_with_exit_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from neuron_explainer.attribution import self_check

    wrong = self_check.Claim("sum", "They add up.", "1", "2", "0.1", False, "tdb self-check")
    monkeypatch.setattr(self_check, "self_check", lambda *_: [wrong])
    result = tdb("self-check", "-m", "tiny")
    assert result.exit_code == 1
    assert "FAIL" in result.output


def test_a_taken_port_is_said_before_the_model_is_loaded() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result = tdb("serve", "--port", str(port), "-m", "tiny")
    assert result.exit_code == 2
    assert f"Port {port} is taken" in result.output


def test_serving_beyond_this_machine_needs_a_token() -> None:
    result = tdb("serve", "--host", "0.0.0.0", "-m", "tiny")
    assert result.exit_code == 2
    assert "--token" in result.output


def test_small_packets_are_not_delayed() -> None:
    """asyncio sets TCP_NODELAY only on sockets that name their protocol; without it, 40 ms."""
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP

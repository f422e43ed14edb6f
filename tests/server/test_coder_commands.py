"""`tdb train-sae` and `tdb eval-sae`: what they print, write and refuse."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from activation_server.cli import app
from neuron_explainer.autoencoders.cards import read_card
from neuron_explainer.models.transformer import Transformer
from tests.autoencoders.random_coders import coder_config, random_coder, random_coder_set
from tests.autoencoders.training_runs import write_text
from tests.tiny_models import TinyModels

runner = CliRunner()


@pytest.fixture(autouse=True)
def loaded(tiny_models: TinyModels, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model stands for `tiny`."""
    from activation_server import loading

    def load(name: str, **_: Any) -> Transformer:
        assert name == "tiny"
        return tiny_models("gpt2").ours

    monkeypatch.setattr(loading, "load", load)


def tdb(*arguments: str) -> Any:
    return runner.invoke(app, arguments, env={"COLUMNS": "160", "TDB_CACHE": "/nonexistent"})


def train(tmp_path: Path, *more: str) -> Any:
    corpus = write_text(tmp_path)
    sizes = ("--latents", "96", "--tokens", "1536", "--batch-tokens", "64", "--window", "16")
    where = ("--corpus", str(corpus), "--out", str(tmp_path / "out"))
    return tdb("train-sae", "--model", "tiny", *where, *sizes, *more)


def events(result: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_train_then_judge(tmp_path: Path) -> None:
    trained = train(tmp_path, "--site", "resid_delta_mlp", "--layers", "0,1", "--k", "8")
    assert trained.exit_code == 0, trained.output
    assert json.loads((tmp_path / "out/coders.json").read_text())["layers"] == [0, 1]
    judge = ("eval-sae", "--model", "tiny", "--coder", str(tmp_path / "out"))
    corpus = ("--corpus", str(tmp_path / "text.jsonl"), "--tokens", "500", "--window", "16")
    judged = tdb(*judge, *corpus, "--json")
    assert judged.exit_code == 0, judged.output
    figures = json.loads(judged.stdout)
    assert [c["layer"] for c in figures["coders"]] == [0, 1]
    first = figures["coders"][0]
    assert first["l0"] == pytest.approx(8, rel=0.02)
    assert 0 < first["explained_variance"] < 1
    card = read_card(tmp_path / "out/L0")
    assert card is not None
    assert card["judgement"]["loss_recovered"] == first["loss_recovered"]
    assert card["curve"][-1]["tokens"] == 1536
    table = tdb(*judge, *corpus)
    assert "variance explained" in table.stdout
    assert f"{first['explained_variance']:.4f}" in table.stdout


def test_progress_as_json_ends_with_the_result(tmp_path: Path) -> None:
    sites = ("--site", "resid_delta_mlp", "--site", "blocks.1.hook_attn_out", "--layers", "1")
    held = ("--held-out", str(write_text(tmp_path, n_documents=40)))
    result = train(tmp_path, *sites, "--k", "8", *held, "--progress", "json")
    assert result.exit_code == 0, result.output
    *progress, last = events(result)
    assert progress and {p["event"] for p in progress} == {"progress"}
    assert any(p["unit"] == "tokens" and "fvu" in p["metrics"] for p in progress)
    assert last["event"] == "done"
    assert last["result"]["points"] == ["resid_delta_mlp/L1", "resid_delta_attn/L1"]
    assert len(last["result"]["coders"]) == 2
    for site in ("resid_delta_mlp", "resid_delta_attn"):
        card = read_card(tmp_path / "out" / site / "L1")
        assert card is not None
        assert card["judgement"]["site"] == site


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        (("--k", "8"), "topk"),
        (("--k", "8", "--batch-top-k"), "batchtopk"),
        (("--l1", "1"), "relu"),
        (("--l0", "0.1"), "jumprelu"),
    ],
)
def test_the_sparsity_option_chooses_the_nonlinearity(
    tmp_path: Path, options: tuple[str, ...], kind: str
) -> None:
    result = train(tmp_path, "--site", "resid_post", "--layers", "0", *options)
    assert result.exit_code == 0, result.output
    config = json.loads((tmp_path / "out/L0/config.json").read_text())
    assert config["nonlinearity"] == kind


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--site", "resid_post", "--layers", "0"), "sparsity needs one of --k"),
        (("--site", "resid_post", "--k", "8", "--l1", "1"), "--k and --l1 was given"),
        (("--site", "resid_post", "--k", "97"), "k=97 is more than all n_latents=96"),
        (("--site", "nowhere", "--k", "8"), "'nowhere' is not a site"),
        (("--site", "attn_q", "--k", "8"), "'attn_q' cannot carry a coder"),
        (("--site", "resid_post", "--k", "8", "--layers", "1,7"), "layer 7 is out of range"),
        (("--site", "resid_post", "--k", "8", "--layers", "one"), 'write "0,1", "2-5" or "all"'),
        (("--site", "resid_post", "--k", "8", "--corpus", "/nowhere.txt"), "There is no corpus"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    result = train(tmp_path, *options)
    assert result.exit_code == 2, result.output
    assert message in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_mistake_is_an_event_in_json(tmp_path: Path) -> None:
    result = train(tmp_path, "--site", "resid_post", "--k", "97", "--progress", "json")
    assert result.exit_code == 2
    assert events(result)[-1]["event"] == "error"
    assert "k=97" in events(result)[-1]["message"]


def narrow(folder: Path) -> None:
    random_coder_set("x", "resid_post", 24, layers=(0,)).save(folder, model="tiny")


def without_a_layer(folder: Path) -> None:
    random_coder_set("x", "resid_post", 16, layers=(0, 1)).save(folder, model="tiny")
    shutil.rmtree(folder / "L1")


def with_nan(folder: Path) -> None:
    coders = random_coder_set("x", "resid_post", 16, layers=(0,))
    with torch.no_grad():
        coders.coders[0].b_enc[3] = float("nan")
    coders.save(folder, model="tiny")


def cut_off(folder: Path) -> None:
    random_coder_set("x", "resid_post", 16, layers=(0,)).save(folder, model="tiny")
    file = folder / "L0/coder.safetensors"
    file.write_bytes(file.read_bytes()[:200])


def two_for_one_layer(folder: Path) -> None:
    for name in ("a", "b"):
        random_coder(coder_config("resid_post", 1, 16)).save(folder / name)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (narrow, "is 24 wide, but resid_post of {name} is {width} wide"),
        (without_a_layer, "lists layers [0, 1], but the folder L1 is missing"),
        (with_nan, "b_enc holds 1 NaN or infinite values among 48"),
        (cut_off, "coder.safetensors cannot be read"),
        (two_for_one_layer, "two coders for layer 1"),
        (None, "could not be fetched"),
    ],
)
def test_a_bad_coder_is_refused_in_a_sentence(
    spoil: Callable[[Path], None] | None, said: str, tmp_path: Path, tiny_models: TinyModels
) -> None:
    folder = tmp_path / "bad"
    if spoil is not None:
        spoil(folder)
    coder = "x:resid_post=http://127.0.0.1:9/0.pt" if spoil is None else str(folder)
    corpus = str(write_text(tmp_path))
    result = tdb("eval-sae", "--model", "tiny", "--coder", coder, "--corpus", corpus)
    assert result.exit_code == 2, result.output
    config = tiny_models("gpt2").ours.config
    shown = " ".join(result.stderr.replace("\n", " ").split())
    assert said.format(name=config.name, width=config.d_model) in shown


def test_judging_leaves_the_bundled_cards_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "demo/coders/mlp"
    random_coder_set("x", "resid_post", 32, layers=(0,)).save(folder, model="tiny")
    corpus = ("--corpus", str(write_text(tmp_path)), "--tokens", "100", "--window", "16", "--json")
    judge = ("eval-sae", "--model", "tiny", "--coder", str(folder), *corpus)
    monkeypatch.setattr("activation_server.assets.demo_dir", lambda: tmp_path / "demo")
    judged = tdb(*judge)
    assert judged.exit_code == 0, judged.output
    assert len(json.loads(judged.stdout)["coders"]) == 1
    assert read_card(folder / "L0") is None
    monkeypatch.setattr("activation_server.assets.demo_dir", lambda: tmp_path / "elsewhere")
    assert tdb(*judge).exit_code == 0
    assert read_card(folder / "L0") is not None

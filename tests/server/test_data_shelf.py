"""The shelf of datasets and coder sets: read from cards alone; a damaged one spoils no other."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from activation_server.app import create_app
from activation_server.data_shelf import DataShelf
from activation_server.datasets import Datasets
from activation_server.errors import BadRequest
from activation_server.job_commands import command_of
from activation_server.schemas import CoderSetInfo, CodersResponse, DatasetsResponse, JobRequest
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer.exemplars import open_dataset
from tests.exemplars.hand_made import hand_made
from tests.server.job_client import request
from tests.server.sample import BASE_URL

JUDGEMENT = {
    "site": "resid_delta_mlp",
    "layer": 1,
    "n_latents": 8,
    "n_tokens": 1000,
    "explained_variance": 0.95,
    "normalized_mse": 0.04,
    "l0": 2.5,
    "l0_share": 0.3125,
    "dead_fraction": 0.125,
    "density": {"edges": [-2.0, -1.0, 0.0], "counts": [3, 4]},
    "loss_bare": 2.0,
    "loss_zero": 4.0,
    "loss_spliced": 2.2,
    "loss_recovered": 0.9,
}
CURVE = [{"tokens": 100, "fvu": 0.5, "l0": 3.0, "dead": 0.0, "loss": 1.0}]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Two coder sets: one trained and judged, one of which a card is no JSON."""
    for name in ("good", "torn"):
        folder = tmp_path / "coders" / name
        (folder / "L1").mkdir(parents=True)
        about = {"name": name, "site": "resid_delta_mlp", "layers": [1], "model": "tiny"}
        write(folder / "coders.json", {**about, "recipe": {"tokens": 5000}})
        write(folder / "L1/config.json", {"n_latents": 8, "nonlinearity": "topk", "k": 2})
        card = {"curve": CURVE, "judgement": JUDGEMENT, "judged_on": "held-out.jsonl"}
        write(folder / "L1/card.json", card)
    (tmp_path / "coders/torn/L1/card.json").write_text('{"curve": [')
    (tmp_path / "coders/unfinished").mkdir()
    (tmp_path / "datasets/broken").mkdir(parents=True)
    (tmp_path / "datasets/broken/dataset.json").write_text('{"format": 1}')
    return tmp_path


def write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content))


@pytest.fixture
def shelf(session: ModelSession, data_dir: Path) -> Iterator[TestClient]:
    app = create_app(Settings(data_dir=data_dir), session)
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


def test_coder_sets_are_listed_with_how_good_they_are(shelf: TestClient, data_dir: Path) -> None:
    answer = CodersResponse.model_validate(shelf.get("/api/coders").json())
    (good,) = (one for one in answer.coder_sets if not one.is_bundled)
    assert (good.name, good.site, good.model) == ("good", "resid_delta_mlp", "tiny")
    assert good.serve_option == f"--coder good:resid_delta_mlp={data_dir}/coders/good"
    (coder,) = good.coders
    assert (coder.layer, coder.n_latents, coder.k, coder.curve) == (1, 8, 2, [])
    assert coder.judgement is not None
    assert coder.judgement.loss_recovered == 0.9
    (torn,) = answer.damaged
    assert torn.name == "torn"
    assert "cannot be read" in torn.message


def test_a_training_card_holds_the_curve(shelf: TestClient) -> None:
    card = CoderSetInfo.model_validate(shelf.get("/api/coders/good").json())
    (coder,) = card.coders
    assert [point.model_dump() for point in coder.curve] == CURVE
    assert coder.judged_on == "held-out.jsonl"
    assert card.recipe == {"tokens": 5000}


@pytest.mark.parametrize(
    ("name", "says"), [("torn", "cannot be read"), ("other", "no coder set"), ("..", "nothing")]
)
def test_a_card_that_is_not_there_is_not_found(shelf: TestClient, name: str, says: str) -> None:
    answer = shelf.get(f"/api/coders/{name}" if name != ".." else "/api/coders/%2e%2e%2f")
    assert answer.status_code == 404
    assert says in answer.json()["message"]


def test_a_damaged_dataset_is_told_as_such(shelf: TestClient) -> None:
    answer = DatasetsResponse.model_validate(shelf.get("/api/datasets").json())
    assert [one.name for one in answer.damaged] == ["broken"]


def test_a_judgement_without_a_field_is_damage_that_names_it(data_dir: Path) -> None:
    card = {"judgement": {**JUDGEMENT, "l0": float("nan")}}
    write(data_dir / "coders/good/L1/card.json", card)
    damaged = DataShelf(data_dir).coder_sets().damaged
    assert any(one.name == "good" and "l0" in one.message for one in damaged)


def test_a_job_finds_coders_of_the_shelf_by_name(data_dir: Path) -> None:
    job = request("steps:1")
    job = job.model_copy(
        update={"options": job.options.model_copy(update={"coders": ("good", "gpt2-mlp")})}
    )
    command = command_of(job, data_dir, "tiny")
    assert f"--coder={data_dir}/coders/good" in command.arguments
    assert "--coder=gpt2-mlp" in command.arguments


def test_coders_served_from_elsewhere_are_listed_by_the_name_they_are_served_by(
    data_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "good"
    shutil.copytree(data_dir / "coders/good", elsewhere)
    shelved = data_dir / "coders/good"
    own = [one for one in _sets(data_dir, f"mine={elsewhere}", str(shelved)) if not one.is_bundled]
    assert [(one.name, one.path) for one in own] == [
        ("mine", str(elsewhere)),
        ("good", str(shelved)),
    ]
    assert own[0].coders[0].judgement is not None
    shelf = DataShelf(data_dir, (f"mine={elsewhere}", "gpt2-mlp"))
    assert shelf.coder_set("mine").coders[0].judged_on == "held-out.jsonl"
    assert shelf.path_of("coders", "mine") == f"mine={elsewhere}"
    assert shelf.path_of("coders", "good") == str(shelved)


def _sets(data_dir: Path, *served: str) -> list[CoderSetInfo]:
    return DataShelf(data_dir, served).coder_sets().coder_sets


def test_files_that_cannot_be_read_are_told_of_shelved_and_of_served_datasets(
    tmp_path: Path, session: ModelSession
) -> None:
    shelved = hand_made(tmp_path / "datasets/mine", n_layers=2)
    elsewhere = hand_made(tmp_path / "elsewhere", n_layers=2)
    served = Datasets([open_dataset(elsewhere)])
    shelf = DataShelf(tmp_path, served=served)
    assert shelf.datasets().unreadable == []
    os.truncate(shelved / "mlp_L1.safetensors", 100)
    (elsewhere / "attn_L0.safetensors").unlink()
    found = [(one.path, one.file, one.groups) for one in shelf.datasets().unreadable]
    assert sorted(found) == [
        (str(shelved), "mlp_L1.safetensors", ["mlp_L1"]),
        (str(elsewhere), "attn_L0.safetensors", ["attn_L0"]),
    ]


def test_without_a_data_folder_there_is_what_came_with_the_demo() -> None:
    shelf = DataShelf(None)
    assert all(one.is_bundled for one in shelf.coder_sets().coder_sets)
    assert all(one.is_bundled for one in shelf.datasets().datasets)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("collate", {"name": "demo"}),
        (
            "train_sae",
            {
                "name": "demo-mlp",
                "site": "resid_post",
                "layers": [0],
                "latents": 8,
                "k": 2,
                "tokens": 100,
            },
        ),
    ],
)
def test_a_job_may_not_take_the_name_of_what_is_bundled(
    tmp_path: Path, kind: str, options: dict[str, Any]
) -> None:
    body = {"kind": kind, "options": {"corpus": "a.txt", **options}}
    job = TypeAdapter(JobRequest).validate_python(body)
    with pytest.raises(BadRequest, match=f"called {options['name']} already"):
        command_of(job, tmp_path, "tiny")

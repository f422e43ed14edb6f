"""GET /api/components/{component}: a dataset's record of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from activation_server import schemas
from activation_server.app import create_app
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer.models.transformer import Transformer
from tests.exemplars.hand_made import hand_made
from tests.server.sample import BASE_URL, PROMPT, debug_body


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return hand_made(tmp_path / "made", n_layers=3, n_heads=2, n_neurons=64)


@pytest.fixture
def with_dataset(model: Transformer, folder: Path) -> Iterator[TestClient]:
    settings = Settings(datasets=(str(folder),))
    app = create_app(settings, ModelSession(model, settings))
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize("name", ["mlp_L2_63", "attn_L0_1"])
def test_a_record_has_the_documented_shape(with_dataset: TestClient, name: str) -> None:
    response = with_dataset.get(f"/api/components/{name}")
    assert response.status_code == 200
    record = schemas.ComponentResponse.model_validate_json(response.content)
    assert record.component == name
    assert record.dataset == "made"
    assert record.explanations == []
    assert len(record.exemplars.top_positive) == 2


def test_the_model_lists_its_datasets(with_dataset: TestClient) -> None:
    (card,) = with_dataset.get("/api/model").json()["datasets"]
    assert card["name"] == "made"
    assert card["n_components"] == 3 * 66
    assert card["recipe"]["window"] == 4


def test_without_a_dataset_the_hint_says_how_to_make_one(client: TestClient) -> None:
    response = client.get("/api/components/mlp_L0_0")
    assert response.status_code == 404
    assert "tdb collate" in response.json()["hint"]


def test_an_unknown_dataset_and_an_unknown_component(with_dataset: TestClient) -> None:
    response = with_dataset.get("/api/components/mlp_L0_0", params={"dataset": "other"})
    assert response.status_code == 404
    assert "made" in response.json()["hint"]
    assert with_dataset.get("/api/components/mlp_L0_64").status_code == 404
    assert with_dataset.get("/api/components/embed").status_code == 404


def test_a_damaged_file_spoils_its_layer_only(with_dataset: TestClient, folder: Path) -> None:
    (folder / "mlp_L1.safetensors").write_bytes(b"no tensors")
    response = with_dataset.get("/api/components/mlp_L1_0")
    assert response.status_code == 404
    assert "mlp_L1.safetensors" in response.json()["message"]
    assert with_dataset.get("/api/components/mlp_L2_0").status_code == 200


def test_another_models_dataset_is_refused_at_start(model: Transformer, tmp_path: Path) -> None:
    folder = hand_made(tmp_path / "other", n_layers=3, n_heads=2, n_neurons=8)
    with pytest.raises(ValueError, match="another model"):
        ModelSession(model, Settings(datasets=(str(folder),)))


def test_rows_of_the_debugger_stand_in_their_own_distribution(with_dataset: TestClient) -> None:
    response = with_dataset.post("/api/debug", json=debug_body())
    answer = schemas.DebugResponse.model_validate_json(response.content)
    shares = {
        row.kind: [v.share_above for v in row.values if v is not None] for row in answer.nodes
    }
    assert shares["embed"] == [None]
    assert all(0 <= share <= 1 for share in (*shares["mlp"], *shares["attn"]))
    # The hand-made dataset's values are all 1 or more, and tiny models' are far less.
    assert shares["mlp"][0] == 1


def test_without_a_dataset_rows_stand_nowhere(client: TestClient) -> None:
    answer = client.post("/api/debug", json=debug_body()).json()
    assert all(v["share_above"] is None for row in answer["nodes"] for v in row["values"])


@pytest.mark.parametrize("by", ["output", "input", "coactivation"])
@pytest.mark.parametrize("name", ["mlp_L1_5", "attn_L0_1"])
def test_similar_components(with_dataset: TestClient, by: str, name: str) -> None:
    response = with_dataset.get(f"/api/components/{name}/similar", params={"by": by, "limit": 4})
    answer = schemas.SimilarResponse.model_validate_json(response.content)
    assert (answer.component, answer.by) == (name, by)
    assert len(answer.items) == 4
    assert all(-1.001 <= item.score <= 1.001 for item in answer.items)


def test_similar_to_what_is_no_unit_or_unrecorded(client: TestClient) -> None:
    assert client.get("/api/components/embed/similar").status_code == 404
    response = client.get("/api/components/mlp_L0_0/similar", params={"by": "coactivation"})
    assert response.status_code == 404
    assert "tdb collate" in response.json()["hint"]


def test_the_effect_of_ablating_a_component(client: TestClient) -> None:
    response = client.post("/api/components/attn_L0_1/ablation_effect", json={"prompt": PROMPT})
    answer = schemas.AblationEffectResponse.model_validate_json(response.content)
    assert len(answer.at_token) == len(answer.everywhere) == len(answer.tokens)
    assert answer.at_token[-1] is None
    assert any(answer.everywhere[:-1])
    long = {"prompt": "a" * 3000}
    assert client.post("/api/components/attn_L0_1/ablation_effect", json=long).status_code == 413
    assert (
        client.post("/api/components/embed/ablation_effect", json={"prompt": PROMPT}).status_code
        == 404
    )


def test_a_public_record_is_served_beside_a_collated_one(
    model: Transformer, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from neuron_explainer.exemplars import public

    source = replace(public.SOURCES["openai:gpt2-small"], n_layers=3, n_components=64)
    monkeypatch.setattr(public, "SOURCES", {"openai:gpt2-small": source})
    excerpt = {"tokens": [" a", " b"], "activations": [0.5, 2.0]}
    record = {"random_sample": [], "most_positive_activation_records": [excerpt]}
    (tmp_path / "1").mkdir()
    (tmp_path / "1/5.json").write_text(json.dumps(record))
    settings = Settings(datasets=(str(folder), f"openai:gpt2-small={tmp_path}"))
    app = create_app(settings, ModelSession(model, settings))
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        cards = client.get("/api/model").json()["datasets"]
        assert [card["name"] for card in cards] == ["made", "openai:gpt2-small"]
        assert cards[1]["recipe"] is None
        query = {"dataset": "openai:gpt2-small"}
        found = schemas.ComponentResponse.model_validate_json(
            client.get("/api/components/mlp_L1_5", params=query).content
        )
        assert found.exemplars.top_positive[0].value == 2.0
        assert any("GELU" in caveat for caveat in found.caveats)
        assert client.get("/api/components/mlp_L1_5").json()["dataset"] == "made"
        missing = client.get("/api/components/mlp_L1_6", params=query)
        assert missing.status_code == 404
        assert "tdb collate" in missing.json()["hint"]
        # What needs quantiles turns to a collated dataset, or says that it needs one.
        similar = {"by": "coactivation", **query}
        response = client.get("/api/components/mlp_L1_5/similar", params=similar)
        assert response.status_code == 404
        assert "excerpts only" in response.json()["message"]

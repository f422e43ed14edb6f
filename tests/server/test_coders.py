"""Coders over REST: chosen by name, edited, measured, traced, and refused where they do not fit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from activation_server import schemas
from activation_server.app import create_app
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer.exemplars import Recipe
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.explanations.encoders import word_vectors
from neuron_explainer.explanations.explanation import Explanation
from neuron_explainer.explanations.store import ExplanationStore
from neuron_explainer.explanations.vectors import update_vectors
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.autoencoders.random_coders import random_coder_set
from tests.exemplars.small_corpus import small_corpus
from tests.server.sample import BASE_URL, PROMPT, a_case, debug_body, measure_body

SITES = {
    "the-mlp": ("resid_delta_mlp", 16),
    "acts": ("mlp_post_act", 64),
    "heads": ("resid_delta_attn", 16),
    "stream": ("resid_mid", 16),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("coders")
    for name, (site, width) in SITES.items():
        random_coder_set(name, site, width).save(root / name, model="tiny")
    return {name: str(root / name) for name in SITES}


@pytest.fixture
def coded(model: Transformer, folders: dict[str, str]) -> Iterator[TestClient]:
    settings = Settings(coders=tuple(folders.values()))
    session = ModelSession(model, settings)
    app = create_app(settings, session)
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client


def post(client: TestClient, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    response = client.post(f"/api/{path}", json=body)
    assert response.status_code == status, response.text
    found: dict[str, Any] = response.json()
    return found


def test_the_model_card_lists_them(coded: TestClient) -> None:
    coders = coded.get("/api/model").json()["coders"]
    assert coders[0] == {
        "name": "the-mlp",
        "site": "resid_delta_mlp",
        "layers": [0, 1, 2],
        "n_latents": 48,
        "n_latents_by_layer": [48, 48, 48],
    }
    assert [each["name"] for each in coders] == list(SITES)


def test_latents_alone_are_those_of_the_first_coders(coded: TestClient) -> None:
    body = {"prompt": a_case()["prompt"], "kinds": ["latent"], "top_k": 200}
    alone = post(coded, "monitor/influence", body)["items"]
    bases = {"mlp_basis": "the-mlp", "attention_basis": "heads", "resid_basis": "stream"}
    assert alone == post(coded, "monitor/influence", body | bases)["items"]
    assert {item["component"].split("_L")[0] for item in alone} == {
        "mlp_ae",
        "attn_ae",
        "resid_ae",
    }


def test_a_basis_names_the_nodes_of_the_table(coded: TestClient) -> None:
    plain = post(coded, "debug", debug_body())
    body = debug_body(mlp_basis="acts", attention_basis="heads", resid_basis="stream")
    found = post(coded, "debug", body)
    schemas.DebugResponse.model_validate(found)
    case, bare = found["cases"][0], plain["cases"][0]
    assert case["objective"] == bare["objective"]
    assert case["next_tokens"] == bare["next_tokens"]
    assert {row["kind"] for row in found["nodes"]} >= {"embed", "latent", "error"}
    assert sum(case["direct_effect_by_kind"].values()) == pytest.approx(
        case["objective"]["value"], abs=1e-4
    )
    streams = {row["component"].split("_")[0] for row in found["nodes"] if row["kind"] == "latent"}
    assert streams == {"mlp", "attn", "resid"}


def test_latents_are_edited_measured_and_traced(coded: TestClient) -> None:
    edit = {"kind": "set", "component": "mlp_ae_L1_5", "positions": [-1], "value": 4.0}
    body = debug_body(a_case(interventions=[edit]), a_case(), mlp_basis="the-mlp")
    rows = {row["node"]: row for row in post(coded, "debug", body)["nodes"]}
    (row,) = [row for row in rows.values() if row["component"] == "mlp_ae_L1_5" and row["edited"]]
    assert row["values"][0]["activation"] == 4.0
    last = row["position"]
    nodes = (f"mlp_ae_L1_5@{last}", f"mlp_ae_error_L1@{last}", "mlp_ae_L1_5")
    measured = post(
        coded,
        "measure",
        measure_body(*nodes, mlp_basis="the-mlp") | {"case": a_case(interventions=[edit])},
    )
    assert [effect["node"] for effect in measured["effects"]] == list(nodes)
    assert measured["effects"][0]["measured_effect"] != 0
    lists = post(coded, "node_tokens", {"case": a_case(), "nodes": nodes[:2], "n": 2})
    assert [each["node"] for each in lists["nodes"]] == list(nodes[:2])
    trace = a_case(target_tokens=[], distractor_tokens=[], trace={"node": f"attn_ae_L1_3@{last}"})
    traced = post(coded, "debug", debug_body(trace, attention_basis="heads", mlp_basis="acts"))
    assert traced["cases"][0]["objective"]["unit"] == "pre-activation"
    spec = {"node": f"mlp_ae_error_L1@{last}", "through": "value"}
    missed = post(coded, "debug", debug_body(a_case(trace=spec), mlp_basis="the-mlp"))
    (row,) = [
        node
        for node in post(coded, "debug", debug_body(mlp_basis="the-mlp", top_k=100))["nodes"]
        if node["node"] == spec["node"]
    ]
    assert missed["cases"][0]["objective"]["value"] == pytest.approx(
        row["values"][0]["direct_effect"], abs=1e-5
    )
    pairs = post(coded, "latent_pairs", {"case": a_case(), "node": f"attn_ae_L1_3@{last}", "n": 5})
    schemas.LatentPairsResponse.model_validate(pairs)
    assert pairs["pre_activation"] == pytest.approx(
        traced["cases"][0]["objective"]["value"], abs=1e-4
    )
    assert sum(pairs["by_key"]) + pairs["rest"] == pytest.approx(pairs["pre_activation"], abs=1e-4)


def test_component_routes_know_the_first_coder_of_each_stream(coded: TestClient) -> None:
    found = post(coded, "components/attn_ae_L0_3/activations", {"prompts": ["Mary and John"]})
    assert len(found["results"][0]["activations"]) == len(found["results"][0]["tokens"])
    for name in ("mlp_ae_L0_3", "attn_ae_L0_3", "resid_ae_L2_3"):
        lists = coded.get(f"/api/components/{name}/tokens?n=3")
        assert lists.status_code == 200, lists.text
        assert len(lists.json()["responds_to"]) == 3


@pytest.mark.parametrize(
    ("path", "body", "where", "said"),
    [
        ("debug", debug_body(mlp_basis="x"), "mlp_basis", "'neuron' or 'the-mlp' or 'acts'"),
        ("debug", debug_body(mlp_basis="heads"), "mlp_basis", "'heads' codes resid_delta_attn"),
        ("debug", debug_body(resid_basis="neuron"), "resid_basis", "'stream'"),
        (
            "debug",
            debug_body(a_case(interventions=[{"kind": "ablate", "component": "mlp_ae_L0_1"}])),
            "cases[0].interventions[0].component",
            "no coder of the mlp stream is in use",
        ),
        ("measure", measure_body("attn_ae_L0_1@2"), "nodes[0]", "no coder of the attn stream"),
        (
            "measure",
            measure_body("mlp_ae_L0_99@2", mlp_basis="the-mlp"),
            "nodes[0]",
            "latent 99 is out of range",
        ),
        (
            "debug",
            debug_body(a_case(trace={"node": "mlp_ae_error_L1@2"}), mlp_basis="the-mlp"),
            "cases[0].trace",
            "trace through must be value, not None",
        ),
        (
            "latent_pairs",
            {"case": a_case(), "node": "mlp_L0_1@2"},
            "node",
            "no latent of attention",
        ),
    ],
)
def test_what_does_not_fit_is_a_422_that_says_where(
    path: str, body: dict[str, Any], where: str, said: str, coded: TestClient
) -> None:
    found = post(coded, path, body, 422)
    assert found["message"].startswith(where)
    assert said in found["message"]
    assert found["hint"]
    assert coded.get("/api/health").status_code == 200


def test_without_coders_a_basis_is_refused(client: TestClient) -> None:
    found = post(client, "debug", debug_body(mlp_basis="demo-mlp"), 422)
    assert "'neuron'" in found["message"]
    assert "--coder" in found["hint"]


def test_a_session_refuses_two_sets_of_one_name(
    model: Transformer, folders: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="Two coder sets are called 'acts'"):
        ModelSession(model, Settings(coders=(folders["acts"], f"acts={folders['the-mlp']}")))


def test_a_session_refuses_coders_of_another_width(model: Transformer, tmp_path: Path) -> None:
    random_coder_set("wide", "resid_post", 24).save(tmp_path, model="other")
    with pytest.raises(ValueError, match="24 wide, but resid_post .* is 16 wide"):
        ModelSession(model, Settings(coders=(str(tmp_path),)))


def test_the_self_check_has_claims_of_each_set(coded: TestClient) -> None:
    claims = coded.get("/api/self_check").json()["claims"]
    mine = [claim for claim in claims if claim["name"] in ("splice", "latent")]
    assert len(mine) == 2 * len(SITES)
    assert all(claim["passed"] for claim in mine), mine


@pytest.fixture(scope="module")
def rivals(
    model: Transformer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[TestClient, Path]]:
    """Two coders of one stream, and a dataset of the first one's latents."""
    root = tmp_path_factory.mktemp("rivals")
    first = random_coder_set("first", "resid_delta_mlp", 16)
    first.save(root / "first", model="tiny")
    random_coder_set("wide", "mlp_post_act", 64).save(root / "wide", model="tiny")
    corpus = open_corpus(str(small_corpus(root / "small.jsonl", n_documents=12)))
    collate(model, corpus, root / "data", recipe=Recipe(window=8, n_top=2), coder_sets=[first])
    settings = Settings(
        coders=(str(root / "first"), str(root / "wide")), datasets=(str(root / "data"),)
    )
    app = create_app(settings, ModelSession(model, settings))
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        yield client, root


@pytest.mark.parametrize(("basis", "is_known"), [("first", True), ("wide", False)])
def test_a_latent_stands_among_its_own_coders_values_only(
    rivals: tuple[TestClient, Path], basis: str, is_known: bool
) -> None:
    table = post(rivals[0], "debug", debug_body(mlp_basis=basis, top_k=500))
    rows = [row for row in table["nodes"] if row["kind"] == "latent"]
    shares = [row["values"][0]["share_above"] for row in rows]
    assert rows
    assert {share is not None for share in shares} == {is_known}
    asked = {"prompt": PROMPT, "mlp_basis": basis, "kinds": ["latent"], "top_k": 5}
    items = post(rivals[0], "monitor/influence", asked)["items"]
    assert {item["quantile"] is not None for item in items} == {is_known}


def test_edits_of_a_conversation_are_of_the_coder_that_is_named(
    rivals: tuple[TestClient, Path],
) -> None:
    edit = {"kind": "set", "component": "mlp_ae_L1_100", "value": 50.0}  # the first has 48 latents
    asked = {"prompt": PROMPT, "interventions": [edit]}
    refused = post(rivals[0], "monitor/influence", asked, 422)
    assert "mlp_ae_L1_100" in refused["message"]
    bases = {"mlp_basis": "wide", "kinds": ["latent"]}
    plain, edited = (
        post(rivals[0], "monitor/influence", body | bases)["objective"]["value"]
        for body in ({"prompt": PROMPT}, asked)
    )
    assert abs(plain - edited) > 1e-3


def test_the_pages_of_a_latent_are_those_of_the_coder_that_is_named(
    rivals: tuple[TestClient, Path],
) -> None:
    client = rivals[0]
    of = "/api/components/mlp_ae_L1_100"  # the first coder has 48 latents
    for path in ("", "/tokens", "/similar"):
        assert client.get(of + path).status_code == 404
    assert client.get(of + "/tokens", params={"coder": "wide"}).status_code == 200
    said = client.get(of, params={"coder": "wide"})
    assert said.status_code == 404
    assert "the latents of the coder 'first', not of 'wide'" in said.json()["message"]
    prompts = {"prompts": [PROMPT]}
    own, other = (
        client.post(f"/api/components/mlp_ae_L1_7/activations{query}", json=prompts).json()
        for query in ("", "?coder=wide")
    )
    assert own["results"] != other["results"]
    response = client.post(f"{of}/ablation_effect?coder=wide", json={"prompt": PROMPT})
    assert response.status_code == 200
    unknown = client.get(of, params={"coder": "none"})
    assert unknown.status_code == 404
    assert "first, wide" in unknown.json()["hint"]


def test_a_coder_of_another_stream_leaves_the_first_of_this_one(
    model: Transformer, folders: dict[str, str], rivals: tuple[TestClient, Path]
) -> None:
    root = rivals[1]
    settings = Settings(
        coders=(str(root / "first"), folders["heads"]), datasets=(str(root / "data"),)
    )
    app = create_app(settings, ModelSession(model, settings))
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        of = "/api/components/mlp_ae_L1_7"
        named = client.get(of, params={"coder": "heads"})
        assert named.status_code == 200
        assert named.json() == client.get(of).json()


@pytest.mark.parametrize("by", ["output", "coactivation"])
def test_latents_of_one_name_are_not_mixed_up(rivals: tuple[TestClient, Path], by: str) -> None:
    asked = {"by": by, "limit": 100}
    response = rivals[0].get("/api/components/mlp_ae_L1_7/similar", params=asked)
    names = [item["component"] for item in response.json()["items"]]
    assert len(names) == len(set(names)) == 100
    response = rivals[0].get("/api/search", params={"mode": "text", "q": PROMPT, "limit": 100})
    hits = [(hit["component"], hit["side"]) for hit in response.json()["hits"]]
    assert len(hits) == len(set(hits)) > 0


def test_a_dataset_of_another_coder_of_the_same_name_is_refused(
    rivals: tuple[TestClient, Path], model: Transformer, tmp_path: Path
) -> None:
    random_coder_set("first", "mlp_post_act", 64).save(tmp_path / "first", model="tiny")
    settings = Settings(coders=(str(tmp_path / "first"),), datasets=(str(rivals[1] / "data"),))
    with pytest.raises(ValueError, match="48 latents, the coder that is loaded has 192"):
        ModelSession(model, settings)


def test_two_datasets_of_one_name_are_refused(
    rivals: tuple[TestClient, Path], model: Transformer
) -> None:
    settings = Settings(datasets=(str(rivals[1] / "data"),) * 2)
    with pytest.raises(ValueError, match="Two datasets are called 'data'"):
        ModelSession(model, settings)


def test_what_is_said_of_a_latent_is_of_the_coder_that_is_meant(
    rivals: tuple[TestClient, Path], tmp_path: Path
) -> None:
    client, latent = rivals[0], Component("latent", 1, 7, "mlp")
    said = {"first": "rivers", "wide": "mountains"}
    shelf = client.app.state.session.explanations._shelf  # type: ignore[attr-defined]
    for coder, text in said.items():
        with ExplanationStore.open(tmp_path / f"{coder}.sqlite", writable=True) as store:
            store.note_coder("mlp", coder)
            store.add(Explanation(latent, text, "positive", "human", "now"))
            update_vectors(store, word_vectors())
        shelf.add(tmp_path / f"{coder}.sqlite")

    def labels(**coders: list[str]) -> list[str]:
        body = {"components": [str(latent)], **coders}
        found = post(client, "components/labels", body)["labels"].get(str(latent), [])
        return [it["text"] for it in found]

    assert labels() == labels(coders=["first"]) == ["rivers"]
    assert labels(coders=["wide"]) == ["mountains"]
    for query in (
        "?mode=keyword&q=rivers",
        "?q=mountains",
    ):  # a result opens the first coder's page
        hits = client.get(f"/api/search{query}").json()["hits"]
        assert {hit["explanation"]["text"] for hit in hits} <= {"rivers"}
    (own,) = client.get(f"/api/components/{latent}").json()["explanations"]
    assert own["text"] == "rivers"

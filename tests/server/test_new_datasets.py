"""A dataset that is made while the server runs: served without a restart, or the job says why it is not."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from activation_server.app import create_app
from activation_server.assets import demo_dir
from activation_server.datasets import Datasets
from activation_server.errors import Conflict
from activation_server.job_store import JobFile
from activation_server.jobs import JobRunner
from activation_server.new_datasets import NewDatasets
from activation_server.session import ModelSession
from activation_server.settings import Settings
from neuron_explainer import load_model
from neuron_explainer.exemplars import Recipe, open_dataset
from neuron_explainer.exemplars.collate import collate
from neuron_explainer.exemplars.writing import write_card
from neuron_explainer.models.corpus import open_corpus
from neuron_explainer.models.transformer import Transformer
from neuron_explainer.nodes import Component
from tests.exemplars.hand_made import hand_made
from tests.exemplars.small_corpus import small_corpus
from tests.server.job_client import over, start
from tests.server.sample import BASE_URL, PROMPT, debug_body


@pytest.fixture(scope="module")
def made(model: Transformer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of the served model, called stories."""
    root = tmp_path_factory.mktemp("made")
    corpus = open_corpus(str(small_corpus(root / "small.jsonl", n_documents=12)))
    collate(model, corpus, root / "stories", recipe=Recipe(window=8, n_top=2))
    return root / "stories"


@pytest.fixture
def leaves(made: Path, job_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Jobs of the fake command leave that dataset behind; gives where."""
    assert job_settings.data_dir is not None
    output = job_settings.data_dir / "datasets" / "stories"
    serve = NewDatasets.serve

    def after_the_command(new: NewDatasets, job: JobFile) -> None:
        shutil.copytree(made, output, dirs_exist_ok=True)
        serve(new, job)

    monkeypatch.setattr(NewDatasets, "serve", after_the_command)
    yield output


def named(folder: Path, **changes: object) -> Path:
    """The dataset with another card."""
    write_card(folder, replace(open_dataset(folder).card, **changes))  # type: ignore[arg-type]
    return folder


def test_a_dataset_collated_meanwhile_is_used_without_a_restart(tmp_path: Path) -> None:
    demo = demo_dir()
    assert demo is not None
    settings = Settings(data_dir=tmp_path, model="demo")
    session = ModelSession(load_model("demo"), settings)
    app = create_app(settings, session, JobRunner(settings))
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        before = client.get("/api/model").json()
        asked = {"q": "The coins behind the cupboard", "mode": "text", "limit": 3}
        with_first = client.get("/api/search", params=asked).json()
        options = {"name": "little", "corpus": str(demo / "sample.txt"), "tokens": 2000}
        body = {"kind": "collate", "options": {**options, "top": 2, "window": 16}}
        info = over(client, client.post("/api/jobs", json=body).json()["id"])
        assert (info["state"], info["not_served"]) == ("done", None), info

        after = client.get("/api/model").json()
        names = [it["name"] for it in before["datasets"]]
        assert [it["name"] for it in after["datasets"]] == [*names, "little"]
        assert after["datasets"][-1]["path"] == info["output"]
        assert before["data_version"] < after["data_version"]
        assert client.get("/api/health").json()["data_version"] == after["data_version"]

        chosen = {"dataset": "little"}
        record = client.get("/api/components/mlp_L0_3", params=chosen).json()
        assert (record["dataset"], len(record["exemplars"]["top_positive"])) == ("little", 2)
        assert client.get("/api/components/mlp_L0_3").json()["dataset"] == names[0]
        found = client.get("/api/search", params=asked | chosen).json()
        assert [it["value"] for it in found["hits"]] != [it["value"] for it in with_first["hits"]]
        assert client.get("/api/search", params=asked).json() == with_first
        concept = {"text": "animals", "k": 2, "kinds": ["mlp"]}
        previews = [
            client.post("/api/monitor/steer_preview", json=concept | more).json()["matches"]
            for more in ({}, chosen)
        ]
        extremes = [[match["extreme"] for match in matches] for matches in previews]
        assert None not in extremes[1] and extremes[0] != extremes[1]


def test_rows_and_steering_find_the_first_dataset_there_is(jobs: TestClient, leaves: Path) -> None:
    steer = {"kind": "steer", "component": "mlp_L1_5", "strength": 1, "method": "set"}
    generate = {"prompt": PROMPT, "max_new_tokens": 1, "interventions": [steer], "stream": False}
    assert "no dataset" in jobs.post("/api/generate", json=generate).json()["message"]

    def shares() -> set[bool]:
        nodes = jobs.post("/api/debug", json=debug_body()).json()["nodes"]
        return {it["values"][0]["share_above"] is None for it in nodes if it["kind"] == "mlp"}

    assert shares() == {True}
    assert over(jobs, start(jobs, "steps:1"))["not_served"] is None
    assert shares() == {False}
    assert jobs.post("/api/generate", json=generate).status_code == 200


def test_a_dataset_of_another_model_is_not_offered(
    jobs: TestClient, leaves: Path, made: Path
) -> None:
    kept = open_dataset(made).card
    try:
        named(made, model="another")
        info = over(jobs, start(jobs, "steps:1"))
    finally:
        write_card(made, kept)
    assert (info["state"], info["error"]) == ("done", None)
    assert "is of the model another; served is" in info["not_served"]["message"]
    assert f"tdb serve --model another --dataset {leaves}" in info["not_served"]["hint"]
    assert jobs.get("/api/model").json()["datasets"] == []


def test_a_command_that_left_no_dataset_says_so(jobs: TestClient) -> None:
    info = over(jobs, start(jobs, "steps:1"))
    assert (info["state"], info["error"]) == ("done", None)
    assert "holds no dataset" in info["not_served"]["message"]


def test_a_name_that_is_served_is_refused_before_the_work_and_after(
    model: Transformer, made: Path, tmp_path: Path, job_settings: Settings, runner: JobRunner
) -> None:
    settings = replace(job_settings, datasets=(str(made),))
    session = ModelSession(model, settings)
    app = create_app(settings, session, runner)
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        body = {"kind": "collate", "options": {"name": "stories", "corpus": "steps:1"}}
        refused = client.post("/api/jobs", json=body)
        assert refused.status_code == 422
        assert "There is a dataset called stories already" in refused.json()["message"]
        other = shutil.copytree(made, tmp_path / "stories")
        with pytest.raises(Conflict, match="is served already, from") as clash:
            Datasets.open([str(made)], model).add(str(other), model)
        assert str(made) in clash.value.message and str(other) in clash.value.hint
        assert [it["path"] for it in client.get("/api/model").json()["datasets"]] == [str(made)]


def test_a_dataset_that_was_deleted_is_not_found_and_may_be_made_again(
    jobs: TestClient, leaves: Path
) -> None:
    over(jobs, start(jobs, "steps:1"))
    debug = jobs.post("/api/debug", json=debug_body()).json()
    shutil.rmtree(leaves)
    chosen = {"dataset": "stories"}
    for path in ("", "/similar"):
        params = chosen | ({"by": "coactivation"} if path else {})
        answer = jobs.get(f"/api/components/mlp_L1_5{path}", params=params)
        assert answer.status_code == 404
        assert f"{leaves} is gone" in answer.json()["message"]
        assert "Collate it again" in answer.json()["hint"]
    search = {"q": PROMPT, "mode": "text"}
    for asked in (search, search | chosen):
        assert jobs.get("/api/search", params=asked).status_code == 404
    preview = {"text": "animals", "dataset": "stories"}
    assert jobs.post("/api/monitor/steer_preview", json=preview).status_code == 422
    assert jobs.get("/api/model").json()["datasets"] == []
    other = debug_body() | {"top_k": 3}
    nodes = jobs.post("/api/debug", json=other).json()["nodes"]
    assert all(value["share_above"] is None for it in nodes for value in it["values"])

    assert over(jobs, start(jobs, "steps:1"))["not_served"] is None
    assert jobs.get("/api/components/mlp_L1_5", params=chosen).status_code == 200
    assert jobs.post("/api/debug", json=debug_body()).json()["nodes"] == debug["nodes"]


def test_a_damaged_layer_leaves_the_table_of_nodes_alone(
    model: Transformer, made: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(made, tmp_path / "torn")
    (folder / "mlp_L1.safetensors").unlink()
    settings = Settings(datasets=(str(folder),))
    app = create_app(settings, ModelSession(model, settings))
    with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
        nodes = client.post("/api/debug", json=debug_body()).json()["nodes"]
    stands = {
        it["layer"]: it["values"][0]["share_above"] is not None
        for it in nodes
        if it["kind"] == "mlp"
    }
    assert stands == {0: True, 1: False, 2: True}


def test_datasets_are_read_while_others_are_added(model: Transformer, tmp_path: Path) -> None:
    datasets = Datasets([])
    folders = [
        named(hand_made(tmp_path / f"d{i}", 3, 2, 64), name=f"d{i}", model=model.config.name)
        for i in range(40)
    ]
    problems: list[BaseException] = []
    is_over = threading.Event()

    def read() -> None:
        neuron = Component("mlp", 1, 5)
        try:
            while not is_over.is_set():
                names = [card.name for card in datasets.cards()]
                assert names == [f"d{i}" for i in range(len(names))]
                if names:
                    assert datasets.recorded(neuron, names[-1]).name == names[-1]
        except BaseException as problem:
            problems.append(problem)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    adders = [
        threading.Thread(
            target=lambda some: [datasets.add(str(f), model) for f in some], args=(part,)
        )
        for part in (folders[:1], folders[1:])
    ]
    adders[0].start()
    adders[0].join()
    adders[1].start()
    adders[1].join()
    is_over.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert datasets.version == len(datasets.names()) == 40


def test_only_a_search_by_text_looks_at_a_dataset(jobs: TestClient) -> None:
    answer = jobs.get("/api/search", params={"q": "x", "mode": "token", "dataset": "stories"})
    assert answer.status_code == 422
    assert "dataset" in answer.json()["message"]

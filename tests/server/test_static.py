"""The built viewer is served at every path that is not the interface's."""

import pytest
from fastapi.testclient import TestClient

from activation_server.app import create_app
from activation_server.session import ModelSession
from activation_server.settings import Settings
from tests.server.sample import BASE_URL


@pytest.mark.parametrize("path", ["/", "/index.html", "/component/attn_L9_9", "/no/such/page"])
def test_pages_of_the_viewer_are_its_index(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert response.headers["cache-control"] == "no-cache"
    assert "viewer" in response.text


def test_files_are_served_as_what_they_are(client: TestClient) -> None:
    script = client.get("/assets/index-3f9a.js")
    assert "javascript" in script.headers["content-type"]
    assert "immutable" in script.headers["cache-control"]
    icon = client.get("/icon.svg")
    assert icon.headers["content-type"].startswith("image/svg")
    assert icon.headers["cache-control"] == "no-cache"
    assert client.head("/").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/../conftest.py", "/..%2f..%2fetc%2fpasswd", "/assets/../../x", "/%00", "//etc/passwd"],
)
def test_nothing_outside_the_folder_is_served(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404 or "viewer" in response.text


def test_a_missing_asset_is_not_the_index(client: TestClient) -> None:
    assert client.get("/assets/index-old.js").status_code == 404


def test_only_reading_is_possible(client: TestClient) -> None:
    response = client.post("/")
    assert response.status_code == 405
    assert set(response.json()) == {"error", "message", "hint"}


def test_a_viewer_that_is_not_built_says_how_to_build_it(session: ModelSession) -> None:
    app = create_app(Settings(), session)
    with TestClient(app, base_url=BASE_URL) as client:
        response = client.get("/component/attn_L9_9")
        assert response.status_code == 200
        assert "scripts/serve" in response.text

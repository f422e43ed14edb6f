"""Other sites' pages are refused; beyond this machine a token is asked for."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from activation_server.app import create_app
from activation_server.session import ModelSession
from activation_server.settings import Settings

Open = Callable[[str], TestClient]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:9999", "[::1]:8000", "LOCALHOST"])
def test_this_machine_is_let_in(client: TestClient, host: str) -> None:
    assert client.get("/api/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "10.0.0.3", "["])
def test_another_host_name_is_refused(client: TestClient, host: str) -> None:
    response = client.get("/api/health", headers={"host": host})
    assert response.status_code == 403
    assert set(response.json()) == {"error", "message", "hint"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://localhost:5173"}, 200),
        ({"origin": "http://127.0.0.1:8000"}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
    ],
)
def test_a_page_of_another_site_is_refused(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert client.get("/api/health", headers=headers).status_code == status


def test_a_link_from_another_site_opens_the_viewer(client: TestClient) -> None:
    assert client.get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_no_other_site_may_read_the_answers(client: TestClient) -> None:
    response = client.get("/api/health", headers={"origin": "http://localhost:5173"})
    assert "access-control-allow-origin" not in response.headers


def test_listening_beyond_this_machine_needs_a_token() -> None:
    with pytest.raises(ValueError, match="--token"):
        Settings(host="0.0.0.0")


@pytest.fixture
def guarded(session: ModelSession) -> Iterator[TestClient]:
    settings = Settings(host="0.0.0.0", token="secret")
    app = create_app(settings, session)
    with TestClient(app, base_url="http://box.example:8000") as client:
        yield client


def test_without_the_token_nothing_is_shown(guarded: TestClient) -> None:
    for path in ("/", "/api/health", "/?token=wrong", "/api/health?token="):
        response = guarded.get(path)
        assert response.status_code == 401
        assert set(response.json()) == {"error", "message", "hint"}
    assert guarded.get("/api/health", headers={"cookie": "tdb_token_8000=wrong"}).status_code == 401
    assert guarded.get("/api/health", headers={"authorization": "secret2"}).status_code == 401


def test_the_token_in_the_address_becomes_a_cookie(guarded: TestClient) -> None:
    opened = guarded.get("/?token=secret&prompt=a%20b", follow_redirects=False)
    assert opened.status_code == 303
    assert opened.headers["location"] == "/?prompt=a+b"
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert guarded.get("/api/health").status_code == 200


def test_the_token_may_be_a_bearer(guarded: TestClient) -> None:
    headers = {"authorization": "Bearer secret"}
    assert guarded.get("/api/health", headers=headers).status_code == 200


def test_another_site_is_refused_even_with_the_cookie(guarded: TestClient) -> None:
    guarded.get("/?token=secret")
    own = {"origin": "http://box.example:8000"}
    assert guarded.post("/api/tokenize", json={"text": "a"}, headers=own).status_code == 200
    other = {"origin": "http://evil.example"}
    assert guarded.post("/api/tokenize", json={"text": "a"}, headers=other).status_code == 403

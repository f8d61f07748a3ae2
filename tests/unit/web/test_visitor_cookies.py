"""The cookie of visitors: who gets which, and how it is sent."""

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.access import COOKIE, PROFILES, TOKEN_S, visits, workspace_of
from core.settings import Settings
from web import visitors
from web.visitors import VisitorCookies


@pytest.fixture
def client(monkeypatch):
    """A browser of a demo's server with a page, a text and a page that is not there."""
    monkeypatch.setattr(visits, "get_settings", lambda: Settings(visitor_secret="s" * 32))
    monkeypatch.setattr(visitors, "profile", lambda: PROFILES["demo"])
    pages = {
        "/": HTMLResponse("page", headers={"cache-control": "public, max-age=60"}),
        "/text": PlainTextResponse("text"),
        "/gone": HTMLResponse("gone", status_code=404),
    }

    async def answer(request):
        return pages[request.url.path]

    app = Starlette(routes=[Route(path, answer, methods=["GET", "HEAD", "POST"]) for path in pages])
    return TestClient(VisitorCookies(app), base_url="http://testserver")


def workspace(answer):
    return workspace_of(answer.cookies.get(COOKIE))


def test_the_first_page_sets_a_cookie_that_scripts_and_other_sites_do_not_get(client):
    answer = client.get("/")
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith(f"{COOKIE}=")
    assert attributes == ["Path=/", f"Max-Age={TOKEN_S}", "HttpOnly", "SameSite=Lax"]
    assert answer.headers["cache-control"] == "no-store"
    assert client.get("https://testserver/").headers["set-cookie"].endswith("; Secure")


def test_a_reload_keeps_the_workspace_and_another_browser_has_another(client):
    first = workspace(client.get("/"))
    assert first is not None
    assert workspace(client.get("/")) == first
    client.cookies.clear()
    assert workspace(client.get("/")) not in (None, first)


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "a" * 32 + token[32:], lambda _: "x"])
def test_a_cookie_that_is_not_ours_makes_a_new_visitor(client, change):
    token = client.get("/").cookies[COOKIE]
    client.cookies.clear()
    answer = client.get("/", headers={"cookie": f'bad"=;;; {COOKIE}={change(token)}; other=1'})
    assert workspace(answer) not in (None, workspace_of(token))


@pytest.mark.parametrize(("method", "path"), [("GET", "/text"), ("GET", "/gone"), ("HEAD", "/"), ("POST", "/")])
def test_nothing_but_a_page_sets_it(client, method, path):
    assert "set-cookie" not in client.request(method, path).headers


def test_other_profiles_set_none(client, monkeypatch):
    for name in ("local", "team"):
        monkeypatch.setattr(visitors, "profile", lambda name=name: PROFILES[name])
        answer = client.get("/")
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "public, max-age=60"

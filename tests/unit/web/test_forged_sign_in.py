"""Sign-in at a provider that forges: what the server makes of its tokens, of replays and of changed cookies."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from streamlit import auth_util
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from tests.browser.conftest import Server, start_server, stop_server
from tests.unit.web.forging_provider import CLIENT, FORGERIES, ForgingProvider, running
from tests.unit.web.page_visit import visit

pytestmark = pytest.mark.nightly

COOKIE = "_streamlit_user"
SECRET = secrets.token_hex(32)
SIGN_IN = "Sign in with Good"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def provider() -> Iterator[ForgingProvider]:
    with running() as provider:
        yield provider


@pytest.fixture(autouse=True)
def honest(provider: ForgingProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.person, provider.life_s, provider.forge = "ada@example.org", 3_600.0, ""
    monkeypatch.setattr(auth_util, "get_signing_secret", lambda: SECRET)


def team_server(provider: ForgingProvider, folder: Path, port: int, secret: str) -> Server:
    """Start a team's server that knows the provider and one that is down."""
    folder.mkdir(exist_ok=True)
    sections = "".join(
        f'[auth.{name}]\nclient_id = "{CLIENT}"\nclient_secret = "x"\n'
        f'server_metadata_url = "{url}/.well-known/openid-configuration"\n'
        for name, url in (("good", provider.url), ("down", f"http://127.0.0.1:{free_port()}"))
    )
    file = folder / "secrets.toml"
    file.write_text(
        f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{secret}"\n{sections}'
    )
    environment = {"PLUMBLINE_PROFILE": "team", "PLUMBLINE_SIGN_INS_PER_MINUTE": "6000"}
    return start_server(folder.parent / "home", port, options=(f"--secrets.files={file}",), environment=environment)


@pytest.fixture(scope="module")
def server(provider: ForgingProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = team_server(provider, tmp_path_factory.mktemp("team") / "first", free_port(), SECRET)
    yield server
    stop_server(server)


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def begin(client: httpx.Client, name: str = "good", more: str = "") -> httpx.Response:
    return client.get(f"/auth/login?provider={auth_util.encode_provider_token(name)}{more}")


def answer(client: httpx.Client) -> str:
    """Begin a sign-in, let the provider answer, and return the address that it sends the browser to."""
    return client.get(begin(client).headers["location"]).headers["location"]


def sign_in(client: httpx.Client) -> httpx.Response:
    return client.get(answer(client))


def says(server: Server, client: httpx.Client) -> str:
    with visit(server.url, {COOKIE: client.cookies.get(COOKIE, "")}) as page:
        return page.run()


def test_a_person_signs_in_and_has_a_workspace(server: Server, client: httpx.Client) -> None:
    done = sign_in(client)
    assert (done.status_code, done.headers["location"]) == (302, "/")
    cookie = next(line for line in done.headers.get_list("set-cookie") if line.startswith(f"{COOKIE}="))
    assert "httponly" in cookie.lower()
    assert "samesite=lax" in cookie.lower()
    page = says(server, client)
    assert "Sign out" in page
    assert SIGN_IN not in page
    assert SIGN_IN in says(server, httpx.Client(base_url=server.url))


@pytest.mark.parametrize("forge", [name for name in FORGERIES if name])
def test_forged_tokens_sign_nobody_in(
    server: Server, client: httpx.Client, provider: ForgingProvider, forge: str
) -> None:
    provider.forge = forge
    client.get("/data?dataset=0123")
    done = sign_in(client)
    assert (done.status_code, done.headers["location"]) == (302, "/?sign-in=refused")
    assert COOKIE not in client.cookies
    client.get(done.headers["location"])
    with visit(server.url, {}) as page:
        said = page.run("sign-in=refused")
    assert SIGN_IN in said
    assert "You could not be signed in" in said
    provider.forge = ""
    assert sign_in(client).headers["location"] == "/data?dataset=0123", "the next one that is right works"
    assert COOKIE in client.cookies


def test_replayed_codes_and_forged_states_sign_nobody_in(client: httpx.Client, server: Server) -> None:
    address = answer(client)
    with httpx.Client(base_url=server.url) as other:  # someone else got hold of the address
        other.get(address)
        assert COOKIE not in other.cookies
    client.get(address)
    assert COOKIE in client.cookies
    client.cookies.delete(COOKIE)
    client.get(address)
    assert COOKIE not in client.cookies, "it was used"
    state = parse_qs(urlsplit(answer(client)).query)["state"][0]
    client.get(answer(client).replace("state=", "state=x"))
    client.get(f"/oauth2callback?code=made-up&state={state}")
    assert COOKIE not in client.cookies


def test_the_session_of_an_attacker_gains_nothing_from_the_sign_in_of_another(
    client: httpx.Client, server: Server
) -> None:
    with httpx.Client(base_url=server.url, timeout=30) as attacker:
        begin(attacker)
        planted = dict(attacker.cookies)
        client.cookies.update(planted)
        sign_in(client)
        assert COOKIE in client.cookies
        assert COOKIE not in attacker.cookies
        assert SIGN_IN in says(server, attacker)
        address = answer(attacker)  # the attacker's own sign-in, finished in the browser of someone else
    with httpx.Client(base_url=server.url) as victim:
        victim.get(address)
        assert COOKIE not in victim.cookies


@pytest.mark.parametrize("more", ["&next=https://evil.example", "&redirect_uri=https://evil.example/oauth2callback"])
def test_no_address_of_others_is_led_to(client: httpx.Client, server: Server, more: str) -> None:
    login = begin(client, more=more)
    asked = parse_qs(urlsplit(login.headers["location"]).query)
    assert asked["redirect_uri"] == [f"{server.url}/oauth2callback"]
    assert asked["code_challenge_method"] == ["S256"]
    address = client.get(login.headers["location"]).headers["location"]
    assert client.get(address + more).headers["location"] == "/"
    for path in (f"/auth/logout?x=1{more}", f"/oauth2callback?error=x{more}", f"/auth/login?x=1{more}"):
        assert "evil" not in client.get(path).headers["location"], path


def test_people_come_back_to_where_they_wanted_to_go(client: httpx.Client, server: Server) -> None:
    for address in ("/data?dataset=0123&tab=Columns%20of%20it", "/?invitation=abc_-1", "/workspace"):
        assert client.get(address).status_code == 200
        assert sign_in(client).headers["location"] == address
        assert sign_in(client).headers["location"] == "/", "once"
    client.get("/data")
    client.get("/")
    assert sign_in(client).headers["location"] == "/", "the last page counts"
    for path in ("//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nset-cookie: x=1", "/" * 3_000):
        client.cookies.set("plumbline_return", quote(path, safe=""))
        done = sign_in(client)
        assert done.headers["location"] == "/", path
        assert "x" not in client.cookies
        client.cookies.delete("plumbline_return")


def test_changed_cookies_are_none(client: httpx.Client, server: Server, provider: ForgingProvider) -> None:
    sign_in(client)
    whole = client.cookies[COOKIE]
    assert "Sign out" in says(server, client)
    claims = json.dumps(
        {"email": "eve@example.org", "email_verified": True, "is_logged_in": True, "origin": server.url}
    )
    made_up = create_signed_value("x" * 64, COOKIE, claims).decode()
    payload, signature = made_up.rsplit(".", 2)[0], whole.rsplit(".", 2)[1:]
    middle = len(whole) // 2
    flipped = whole[:middle] + ("A" if whole[middle] != "A" else "B") + whole[middle + 1 :]
    for value in (made_up, ".".join([payload, *signature]), flipped, whole[:-1], payload, ""):
        with visit(server.url, {COOKIE: value}) as page:
            assert SIGN_IN in page.run(), value


def test_another_secret_signs_everybody_out(
    client: httpx.Client, server: Server, provider: ForgingProvider, tmp_path: Path
) -> None:
    sign_in(client)
    other = team_server(provider, tmp_path / "second", free_port(), secrets.token_hex(32))
    try:
        assert SIGN_IN in says(other, client)
    finally:
        stop_server(other)
    assert "Sign out" in says(server, client)


def test_an_open_page_asks_again_when_the_sign_in_expires(
    client: httpx.Client, server: Server, provider: ForgingProvider
) -> None:
    provider.life_s = 4
    sign_in(client)
    ends = time.time() + 4
    with visit(server.url, {COOKIE: client.cookies[COOKIE]}) as page:
        assert "Sign out" in page.run()
        time.sleep(max(0.0, ends - time.time()) + 1)
        late = page.run()
    assert "Your sign-in has expired." in late
    assert "Sign out" not in late


def test_a_provider_that_is_down_stops_no_other(client: httpx.Client, server: Server) -> None:
    assert begin(client, "down").status_code == 400
    sign_in(client)
    assert "Sign out" in says(server, client)
    page = says(server, httpx.Client(base_url=server.url))
    assert {SIGN_IN, "Sign in with Down"} == {name for name in (SIGN_IN, "Sign in with Down") if name in page}

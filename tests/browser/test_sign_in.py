"""Sign-in at a real provider of OpenID Connect, in a real browser, with the team's profile."""

from __future__ import annotations

import re
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Server, settled, start_server, stop_server

pytestmark = pytest.mark.nightly

COOKIE = "_streamlit_user"
ADA, BOB = "ada@example.org", "bob@example.org"
SHOWN = re.compile(r"ada@\W?example")  # pages break addresses up, so that they are no links


PROVIDER = f"""
import sys, time
from oidc_provider_mock import User, run_server_in_thread
people = [User(sub=name, claims={{"email": name, "email_verified": True}}) for name in {(ADA, BOB)!r}]
with run_server_in_thread(user_claims=people) as server:
    print(server.server_port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider in a process of its own, which ends with its input."""
    command = [sys.executable, "-W", "ignore", "-c", PROVIDER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://localhost:{process.stdout.readline().strip()}"
        process.terminate()


@pytest.fixture(scope="module")
def team(provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("team")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    file = folder / "secrets.toml"
    file.write_text(
        f"""[auth]
redirect_uri = "http://localhost:{port}/oauth2callback"
cookie_secret = "{secrets.token_hex(32)}"
client_id = "plumbline"
client_secret = "secret"
server_metadata_url = "{provider}/.well-known/openid-configuration"
client_kwargs = {{ code_challenge_method = "S256" }}
"""
    )
    server = start_server(
        folder / "home", port, options=(f"--secrets.files={file}",), environment={"PLUMBLINE_PROFILE": "team"}
    )
    server.url = f"http://localhost:{port}"
    yield server
    stop_server(server)


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context


def sign_in(context: BrowserContext, server: Server, person: str, address: str = "") -> Page:
    page = context.new_page()
    page.goto(f"{server.url}/{address}")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_placeholder("sub").fill(person)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/**")
    settled(page)
    return page


def test_people_sign_in_and_out(team: Server, visitor: BrowserContext) -> None:
    page = sign_in(visitor, team, ADA)
    expect(page.get_by_text(SHOWN)).to_be_visible()
    page.goto(f"{team.url}/data")
    settled(page)
    page.reload()
    settled(page)
    expect(page.get_by_text(SHOWN)).to_be_visible()
    with page.expect_navigation(url=lambda url: not url.startswith(team.url)):  # the provider asks, too
        page.get_by_role("button", name="Sign out").click()
    page.goto(team.url)
    settled(page)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_text(SHOWN)).to_have_count(0)


def test_a_cookie_that_was_changed_is_none(team: Server, visitor: BrowserContext) -> None:
    page = sign_in(visitor, team, BOB)
    (cookie,) = (item for item in visitor.cookies() if item["name"] == COOKIE)
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    value = cookie["value"]
    middle = len(value) // 2
    changed = value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
    visitor.add_cookies([cookie | {"value": changed}])
    page.goto(team.url)
    settled(page)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert Path(team.home, "server.log").read_text().count("Traceback") == 0


def test_an_invitation_outlives_the_sign_in_and_leaves_the_address(
    team: Server, browser: Browser, visitor: BrowserContext
) -> None:
    admin = sign_in(visitor, team, ADA, "workspace")
    expect(admin).to_have_url(re.compile("/workspace"))  # where she wanted to go
    admin.get_by_label("Name").fill("Sales")
    admin.get_by_role("button", name="Make workspace").click()
    expect(admin.get_by_role("heading", name="Sales")).to_be_visible()
    admin.get_by_role("button", name="Make a link").click()
    link = admin.get_by_test_id("stCode").inner_text().strip()
    assert link.startswith(f"{team.url}/?invitation=")
    with browser.new_context() as context:
        page = sign_in(context, team, BOB, link.removeprefix(f"{team.url}/"))
        expect(page.get_by_text("You are in the workspace Sales now, as editor.")).to_be_visible()
        expect(page).not_to_have_url(re.compile("invitation"))
        page.reload()
        settled(page)
        expect(page.get_by_role("combobox", name="Workspace")).to_have_value(re.compile("Sales"))
        page.goto(f"{team.url}/audit")
        settled(page)
        expect(page.get_by_text("Page not found")).to_be_visible()
    admin.reload()
    expect(admin.get_by_text("Shared by 2 people.")).to_be_visible()

"""Visitors of a demo, in a real browser: whose workspace it is, and what strangers cannot reach."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from core import wipe
from core.access import COOKIE, EXAMPLES, Access, workspace_of
from core.catalog import Run, RunState, runs, visitors
from tests.browser.conftest import Server, settled, start_server, stop_server

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap: apt-get install bubblewrap"),
]

SETTINGS = {"PROFILE": "demo", "SANDBOX": "bubblewrap", "MEMORY_LIMIT_MB": "4000", "MAX_STORED_MB": "50000"}


@pytest.fixture(scope="module")
def demo(
    installation: Callable[..., AbstractContextManager[Path]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A demo's server; this process uses the same installation."""
    home = tmp_path_factory.mktemp("demo") / "home"
    with installation(home, **SETTINGS, VISITOR_SECRET=secrets.token_hex(32)):
        server = start_server(home)
        visitors.add_examples()
        add_run(Access.engine(EXAMPLES), "Check of the example")
        yield server
        stop_server(server)


def add_run(access: Access, title: str) -> Run:
    run = Run(workspace=access.workspace, task="check", title=title, state=RunState.SUCCEEDED)
    return runs.add(run, access=access)


@pytest.fixture
def visitor(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context


@pytest.fixture
def stranger(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context


def token(context: BrowserContext) -> str:
    (cookie,) = (item for item in context.cookies() if item["name"] == COOKIE)
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    return cookie["value"]


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    settled(page)
    return page


def own_run(context: BrowserContext, title: str) -> Run:
    """Add a run to the workspace of a visitor who has loaded a page."""
    workspace = workspace_of(token(context))
    assert workspace is not None
    return add_run(visitors.visit(workspace), title)


def test_each_visitor_sees_their_own_workspace_and_keeps_it(
    demo: Server, visitor: BrowserContext, stranger: BrowserContext
) -> None:
    page = opened(visitor, demo.url)
    expect(page.get_by_text("removed 24 hours after your last visit")).to_be_visible()
    run = own_run(visitor, "Secret check")
    address = f"{demo.url}/runs?run={run.id}"
    for load in (lambda: page.goto(address), page.reload):
        load()
        settled(page)
        expect(page.get_by_text("Secret check").first).to_be_visible()

    other = opened(stranger, address)  # a stolen link, after its page was drawn for someone else
    expect(other.get_by_text(f"There is no run '{run.id}'.")).to_be_visible()
    expect(other.get_by_text("Secret check")).to_have_count(0)
    assert workspace_of(token(stranger)) != run.workspace

    said = page.content() + other.content() + Path(demo.home, "server.log").read_text()
    assert not any(part in said for part in (run.workspace, token(visitor), token(visitor).split(".")[0]))


def test_a_cookie_that_is_not_ours_leads_to_an_empty_workspace(
    demo: Server, visitor: BrowserContext, stranger: BrowserContext
) -> None:
    opened(visitor, demo.url)
    run = own_run(visitor, "Secret check")
    (cookie,) = (item for item in visitor.cookies() if item["name"] == COOKIE)
    end = "0" if cookie["value"][-1] != "0" else "1"
    for value in (cookie["value"][:-1] + end, run.workspace, ""):
        stranger.add_cookies([cookie | {"value": value}])
        page = opened(stranger, f"{demo.url}/runs?run={run.id}")
        expect(page.get_by_text(f"There is no run '{run.id}'.")).to_be_visible()
        assert workspace_of(token(stranger)) not in (None, run.workspace)


def test_a_browser_that_keeps_no_cookies_gets_no_workspace(demo: Server, visitor: BrowserContext) -> None:
    page = visitor.new_page()

    def forget(route: Route) -> None:
        """Drop the cookies between the page and its socket."""
        visitor.clear_cookies()
        route.continue_()

    page.route("**/_stcore/health", forget)
    before = len(visitors.find())
    page.goto(demo.url)
    settled(page)
    expect(page.get_by_text("Load this page again")).to_be_visible()
    expect(page.get_by_text("Load the Adult sample")).to_have_count(0)
    assert len(visitors.find()) == before


def test_the_example_can_be_looked_at_and_not_changed(demo: Server, visitor: BrowserContext) -> None:
    page = opened(visitor, f"{demo.url}/data")
    page.get_by_label("Workspace").click()
    page.get_by_text("Example (look only)").click()
    settled(page)
    expect(page.get_by_test_id("stFileUploader").locator("input")).to_be_disabled()
    page.get_by_role("button", name="Load", exact=True).click()
    expect(page.get_by_text("You may look at this workspace as viewer")).to_be_visible()
    expect(page.get_by_text("Choose your own workspace for that")).to_be_visible()
    page.get_by_role("link", name=re.compile("Runs")).click()
    settled(page)
    assert [run.title for run in runs.find(access=Access.engine(EXAMPLES))] == ["Check of the example"]


def test_a_visitor_who_was_wiped_begins_anew(demo: Server, visitor: BrowserContext) -> None:
    page = opened(visitor, demo.url)
    run = own_run(visitor, "Secret check")
    assert wipe.wipe(run.id) == run.workspace
    page.goto(f"{demo.url}/runs?run={run.id}")
    settled(page)
    expect(page.get_by_text(f"There is no run '{run.id}'.")).to_be_visible()
    assert workspace_of(token(visitor)) == run.workspace

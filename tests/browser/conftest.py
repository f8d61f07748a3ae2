"""A real server and a real browser. Without Chromium these tests are skipped with the command that installs it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.golden import Golden, copy_home

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WAIT_MS = 30_000  # for what takes a second or two where nothing else runs
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as a browser test; under CI a missing browser is an error, not a skip."""
    for item in items:
        if Path(item.fspath).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None and not os.environ.get("CI"):
                item.add_marker(pytest.mark.skip(reason="no Chromium: apt-get install chromium"))


@dataclass
class Server:
    """A running `streamlit run app.py` on a data folder of its own."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    port: int

    def page(self, path: str = "", *, dark: bool = False) -> str:
        """Return the address of a page."""
        theme = "embed_options=dark_theme" if dark else "embed_options=light_theme"
        return f"{self.url}/{path}{'&' if '?' in path else '?'}{theme}"


def start_server(
    home: Path,
    port: int | None = None,
    *,
    script: str | Path = "app.py",
    options: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    umask: int = -1,
) -> Server:
    """Start a server and wait until it is healthy."""
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    home.mkdir(parents=True, exist_ok=True)
    with open(home / "server.log", "ab") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "streamlit",
                "run",
                str(script),
                "--server.headless=true",
                f"--server.port={port}",
                "--server.fileWatcherType=none",
                *options,
            ],
            cwd=ROOT,
            env=os.environ | {"PLUMBLINE_HOME": str(home), "PYTHONPATH": str(ROOT)} | (environment or {}),
            umask=umask,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    server = Server(f"http://127.0.0.1:{port}", home, process, port)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2) as answer:
                if answer.read() == b"ok":
                    return server
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        if process.poll() is not None:
            break
    process.kill()
    raise RuntimeError((home / "server.log").read_text())


def stop_server(server: Server) -> None:
    """End a server that a test started."""
    server.process.terminate()
    try:
        server.process.wait(10)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="module")
def server(installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a module's own, with nothing in it."""
    home = tmp_path_factory.mktemp("home")
    running = start_server(home)
    yield running
    stop_server(running)
    with installation(home):  # its end cancels what is left
        pass


@pytest.fixture(scope="session")
def filled(golden: tuple[Path, Golden], installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all journeys that begin with something in it: a copy of the golden installation."""
    home = tmp_path_factory.mktemp("filled") / "home"
    copy_home(golden[0], home)
    running = start_server(home)
    yield running
    stop_server(running)
    with installation(home):  # its end cancels what is left
        pass


@pytest.fixture
def ids(golden: tuple[Path, Golden]) -> Golden:
    """Ids of what the filled server has."""
    return golden[1]


@pytest.fixture
def addresses(filled: Server, ids: Golden) -> tuple[Server, dict[str, str]]:
    """The server, and the addresses of its pages."""
    version = f"models?model={ids.model}&version=2"
    return filled, {
        "home": "",
        "data": "data",
        "dataset": f"data?dataset={ids.credit}",
        "column": f"data?dataset={ids.credit}&column=duration_months",
        "category": f"data?dataset={ids.credit}&column=purpose",
        "correlations": f"data?dataset={ids.credit}&tab=Correlations",
        "prepare": f"data?dataset={ids.credit}&tab=Prepare",
        "checks": f"data?dataset={ids.credit}&tab=Checks",
        "roles": f"data?dataset={ids.credit}&tab=Roles",
        "reading": f"data?dataset={ids.decisions}&tab=Reading",
        "versions": f"data?dataset={ids.credit}&tab=Versions",
        "form": f"automl?dataset={ids.credit}",
        "result": f"automl?run={ids.binary}",
        "winner": f"automl?run={ids.binary}&tab=Winner",
        "decide": f"automl?run={ids.binary}&tab=Decide",
        "decide-number": f"automl?run={ids.number}&tab=Decide",
        "where-it-fails": f"automl?run={ids.binary}&tab=Where+it+fails",
        "fairness": f"fairness?run={ids.binary}",
        "own-decisions": f"fairness?dataset={ids.decisions}&prediction=decision&label=truth&score=score&groups=group",
        "models-by-group": f"fairness?run={ids.binary}&tab=Compare",
        "mitigations": f"fairness?run={ids.binary}&tab=Mitigations",
        "report": f"fairness?run={ids.binary}&tab=Report",
        "audit": f"fairness?run={ids.binary}&tab=Bias+audit",
        "federated-form": f"federated?dataset={ids.credit}&target=credit&sites=purpose",
        "finetune-form": f"finetune?dataset={ids.reviews}",
        "finetune": f"finetune?run={ids.text}",
        "edge": "edge",
        "export": f"edge?run={ids.text_export}",
        "latency": f"edge?run={ids.text_measured}",
        "smallest": f"edge?run={ids.smallest}",
        "models": "models",
        "model": version,
        "card": f"{version}&tab=Card",
        "questions": f"{version}&tab=Card&view=questions",
        "coverage": f"{version}&tab=Card&view=coverage",
        "compare": f"{version}&tab=Compare",
        "rule": f"{version}&tab=Decide",
        "row": f"{version}&tab=Score&score=row",
        "scored": f"models?run={ids.scored}",
        "pipelines": "pipelines",
        "components": "pipelines?tab=Components",
        "component": "pipelines?component=train_xgboost",
        "runs": "runs",
        "run": f"runs?run={ids.binary}",
    }


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def tab(browser):
    """A tab of its own, which fails the test when the page's scripts raise."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    context.set_default_timeout(WAIT_MS)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert not errors


def settled(page, timeout_ms: int = WAIT_MS) -> None:
    """Wait until the script has run and nothing is left to draw."""
    from playwright.sync_api import expect

    page.wait_for_selector(
        '[data-testid="stApp"][data-test-connection-state="CONNECTED"][data-test-script-state="notRunning"]',
        timeout=timeout_ms,
    )
    # not wait_for_function, which evaluates a text: the policy of the page forbids that
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=timeout_ms)


def switch_off(page, name: str, *, presses: int = 4) -> None:
    """Turn a switch off; a press while what is around it opens is lost."""
    from playwright.sync_api import expect

    switch = page.get_by_role("switch", name=name)
    for _ in range(presses):
        settled(page)
        if not switch.is_checked():
            break
        page.get_by_text(name, exact=True).click()
    expect(switch).not_to_be_checked()
    settled(page)


def open_downloads(page) -> None:
    """Open the popover with the downloads, and wait until nothing moves any more."""
    page.get_by_test_id("stPopoverButton").filter(has_text="Download").click()
    page.get_by_test_id("stPopoverBody").wait_for()
    settled(page)


def download(page, button, *, presses: int = 4):
    """Press a button until its download comes, and return it; a press while the script runs anew is lost."""
    from playwright.sync_api import TimeoutError as TooLate

    for press in range(presses):
        try:
            with page.expect_download(timeout=15_000) as taken:
                button.click()
            return taken.value
        except TooLate:
            if press == presses - 1:
                raise
            settled(page)
    raise AssertionError("unreachable")


def pick(page, box, option: str | int, *, presses: int = 4) -> None:
    """Choose an option of a select box by its name or place; a list that opens while the page scrolls closes again."""
    from playwright.sync_api import TimeoutError as TooLate

    options = page.get_by_role("option")
    chosen = options.nth(option) if isinstance(option, int) else page.get_by_role("option", name=option).first
    for press in range(presses):
        settled(page)
        box.click()
        try:
            options.first.wait_for(timeout=5_000)
        except TooLate:
            if press == presses - 1:
                raise
            continue
        chosen.click()
        return


def press(page, button, *, presses: int = 4) -> None:
    """Press a button until it is gone; a press while the script runs anew is lost."""
    from playwright.sync_api import TimeoutError as TooLate

    for attempt in range(presses):
        button.click()
        try:
            button.wait_for(state="hidden", timeout=15_000)
            return
        except TooLate:
            if attempt == presses - 1:
                raise
            settled(page)

"""The newcomer's way: sample, search, reload in the middle, result, download; then what else they do with runs."""

from __future__ import annotations

import contextlib
import http.client
import io
import re
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import psutil
import pytest
from playwright.sync_api import Page, expect

from core.datasets import load_sample as sample
from tests.browser.conftest import (
    Server,
    download,
    open_downloads,
    pick,
    settled,
    start_server,
    stop_server,
    switch_off,
)

HEAVY = ("torch", "transformers", "flaml", "lightgbm", "catboost", "xgboost", "shap", "fairlearn")
LIMIT_MB = 450
RICH_AND_POOR = """\
age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,capital-gain,\
capital-loss,hours-per-week,native-country
52,Private,1,Doctorate,16,Married-civ-spouse,Exec-managerial,Husband,White,Male,15024,0,60,United-States
19,?,1,11th,7,Never-married,?,Own-child,White,Female,0,0,20,United-States
"""


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box."""
    pick(page, page.get_by_role("combobox", name=label), option)
    settled(page)


def set_seconds(page: Page, seconds: int) -> None:
    """Choose a time budget of one's own."""
    page.locator(".st-key-automl-preset").get_by_text("Other").click()
    settled(page)
    field = page.get_by_label("Seconds")
    field.fill(str(seconds))
    field.press("Enter")
    settled(page)


def load_sample(page: Page, server: Server, option: str) -> None:
    """Load a sample on the Data page, and wait until it is open."""
    page.goto(server.page("data"))
    settled(page)
    choose(page, "Sample", option)
    page.locator(".st-key-data-load-sample button").click()
    expect(page.locator(".st-key-data-to-automl button")).to_be_visible(timeout=60_000)
    settled(page)


def search(tab: Page, seconds: int, *, rows: str) -> None:
    """Search with a time budget from the form, reload in the middle, and wait until the page turns into the result."""
    expect(tab.get_by_role("heading", name="Before you start")).to_be_visible()
    settled(tab)
    expect(tab.get_by_text("checks passed")).to_be_visible(timeout=120_000)
    settled(tab)
    set_seconds(tab, seconds)
    tab.locator(".st-key-automl-start button").click()

    # It runs; the address is the run's; a reload in the middle loses nothing.
    expect(tab.get_by_text(re.compile(f"of {seconds} s, .* left"))).to_be_visible(timeout=30_000)
    expect(tab).to_have_url(re.compile(r"automl\?.*run=[0-9a-f]{16}"))
    expect(tab.get_by_text(re.compile(r"Best \d+ of \d+ trials")).first).to_be_visible(timeout=60_000)
    tab.reload()
    settled(tab)
    expect(tab.get_by_text(re.compile(f"of {seconds} s, .* left"))).to_be_visible()
    expect(tab.get_by_text(re.compile(r"Best \d+ of \d+ trials")).first).to_be_visible()

    # The page turns into the result by itself.
    expect(tab.get_by_role("heading", name=re.compile(f"Better than guessing by .* on {rows} rows"))).to_be_visible(
        timeout=240_000
    )
    settled(tab)
    expect(tab.get_by_text(f"The time budget of {seconds} s was used up.")).to_be_visible()


def predict_without_the_project(tab: Page, folder: Path, rows: pd.DataFrame) -> list[str]:
    """Download the model with its environment, and return what it predicts."""
    tab.get_by_test_id("stPopoverButton").filter(has_text="Download").click()
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Model (zip)").click()
    tab.keyboard.press("Escape")
    waiting.value.save_as(folder / "model.zip")
    with zipfile.ZipFile(folder / "model.zip") as opened:
        opened.extractall(folder)
    rows.to_csv(folder / "model" / "rows.csv", index=False)
    done = subprocess.run(
        [sys.executable, "predict.py", "rows.csv", "out.csv"],
        cwd=folder / "model",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return pd.read_csv(folder / "model" / "out.csv")["prediction"].tolist()


def test_from_the_sample_to_a_model_that_predicts(server: Server, tab: Page, tmp_path: Path) -> None:
    load_sample(tab, server, "German credit")
    tab.locator(".st-key-data-to-automl button").click()
    expect(tab.get_by_text("checks passed")).to_be_visible(timeout=120_000)
    settled(tab)
    tab.locator(".st-key-automl-preset").get_by_text("By trials").click()
    settled(tab)
    trials = tab.get_by_label("Trials", exact=True)
    trials.fill("3")
    trials.press("Enter")
    settled(tab)
    tab.get_by_text("Advanced: defaults").click()
    switch_off(tab, "Explain the model")  # it has a journey of its own
    pick(tab, tab.get_by_role("combobox", name="Cross-validation folds"), "2")
    expect(tab.get_by_text(re.compile("Advanced: changed .*folds"))).to_be_visible()
    settled(tab)
    tab.locator(".st-key-automl-start button").click()
    expect(tab).to_have_url(re.compile(r"automl\?.*run=[0-9a-f]{16}"))
    tab.reload()  # wherever the search is, its page returns, and turns into the result by itself
    expect(tab.get_by_role("heading", name=re.compile("Better than guessing by .* on 200 rows"))).to_be_visible(
        timeout=240_000
    )
    settled(tab)
    expect(tab.get_by_text("All 3 trials were done.")).to_be_visible()
    tab.get_by_role("tab", name="Charts").click()
    expect(tab.get_by_text("All metrics of the model and the baselines")).to_be_visible()
    settled(tab)
    rows = sample("german_credit").frame.drop(columns="credit").head(3)
    assert set(predict_without_the_project(tab, tmp_path, rows)) <= {"good", "bad"}


@pytest.mark.nightly
def test_adult_from_home_to_all_pages_leaves_the_server_light(server: Server, tab: Page, tmp_path: Path) -> None:
    tab.goto(server.page())
    settled(tab)
    tab.get_by_role("button", name="Load the Adult sample").click()
    expect(tab.get_by_role("heading", name="Adult census income")).to_be_visible(timeout=60_000)
    settled(tab)
    for name in ("Columns", "Preview", "Checks", "Roles"):
        tab.get_by_role("tab", name=name).click()
        settled(tab)
    tab.get_by_role("tab", name="Columns").click()
    open_downloads(tab)
    download(tab, tab.locator(".st-key-data-download-csv").get_by_role("button"))
    tab.keyboard.press("Escape")
    tab.get_by_role("button", name="Search for a model").click()
    expect(tab.locator("[class*=st-key-automl-positive] input:checked")).to_have_value("1")
    search(tab, 30, rows="9,768")
    for name in ("Explain", "What-if", "Score", "Export", "Continue", "Checks", "Method", "Leaderboard", "Charts"):
        tab.get_by_role("tab", name=name).click()
        settled(tab)
    result = tab.url
    rows = pd.read_csv(io.StringIO(RICH_AND_POOR))
    assert predict_without_the_project(tab, tmp_path, rows) == [">50K", "<=50K"]

    tab.get_by_role("button", name="Fairness").click()
    for name in ("Threshold lab", "Mitigations", "Report", "Groups"):
        tab.get_by_role("tab", name=name).click()
        settled(tab)
        if name == "Threshold lab":
            tab.locator(".st-key-fairness-optimize").get_by_role("button").click()
            settled(tab)
    tab.goto(result)
    settled(tab)
    tab.get_by_role("button", name="Log").click()
    for name in ("Log", "Files", "Facts"):
        tab.get_by_role("tab", name=name).click()
        settled(tab)
    for page in ("", "runs"):
        tab.goto(server.page(page))
        settled(tab)
    web = psutil.Process(server.process.pid)
    mapped = {Path(entry.path).as_posix() for entry in web.memory_maps()}
    assert [path for path in mapped if any(f"/{name}" in path for name in HEAVY)] == []
    assert web.memory_info().rss / 2**20 < LIMIT_MB


@pytest.mark.nightly
def test_a_run_can_be_cancelled(server: Server, tab: Page) -> None:
    load_sample(tab, server, "German credit")
    tab.locator(".st-key-data-to-automl button").click()
    tab.locator(".st-key-automl-start button").click()
    expect(tab).to_have_url(re.compile("run="))  # the form's checks have a Cancel of their own
    run_id = re.search(r"run=([0-9a-f]{16})", tab.url).group(1)
    tab.locator(f".st-key-automl-cancel-{run_id}").get_by_role("button").click()
    expect(tab.get_by_text("The run was cancelled.")).to_be_visible(timeout=30_000)
    settled(tab)
    tab.goto(server.page("runs"))
    settled(tab)
    expect(tab.get_by_role("heading", name="Runs")).to_be_visible()


def handshake(server: Server, host: str, origin: str, *, address: str = "127.0.0.1") -> int:
    """Return the status that answers a WebSocket's first request."""
    request = (
        f"GET /_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with socket.create_connection((address, server.port), timeout=10) as connection:
        connection.sendall(request.encode())
        return int(connection.recv(100).split()[1])


def health(server: Server, host: str) -> int:
    """Return the status that answers whether the server is healthy."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)) as connection:
        connection.request("GET", "/_stcore/health", headers={"Host": host})
        return connection.getresponse().status


def test_the_server_answers_this_machine_alone_and_only_under_its_name(server: Server) -> None:
    own, foreign = f"localhost:{server.port}", f"evil.example:{server.port}"
    assert (health(server, own), health(server, foreign)) == (200, 403)
    assert handshake(server, own, f"http://{own}") == 101
    assert handshake(server, foreign, f"http://{foreign}") == 403  # a name that was pointed at this machine
    assert handshake(server, own, "http://evil.example") == 403
    bound = [c.laddr.ip for c in psutil.Process(server.process.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert set(bound) == {"127.0.0.1"}


@pytest.mark.nightly
def test_others_are_served_on_purpose(tmp_path: Path) -> None:
    options = ("--server.address=0.0.0.0", "--server.allowedHosts=app.example.org", "--server.allowedHosts=127.0.0.1")
    open_to_all = start_server(tmp_path / "home", options=options)
    try:
        assert health(open_to_all, "app.example.org") == 200
        assert handshake(open_to_all, "app.example.org", "https://app.example.org") == 101
        assert handshake(open_to_all, "app.example.org", "https://app.example.org", address="127.0.0.2") == 101
        assert handshake(open_to_all, "evil.example", "https://evil.example") == 403
        said = (open_to_all.home / "server.log").read_text()
        assert "External URL" not in said
        assert "external IP" not in said  # what Streamlit says where it looked for one in vain
    finally:
        stop_server(open_to_all)


@pytest.mark.nightly
def test_a_deep_link_opens_on_a_fresh_server(filled: Server, tab: Page, browser) -> None:
    """A result's address works as the very first request to a new server on the same data."""
    tab.goto(filled.page())
    settled(tab)
    tab.get_by_role("button", name="Open").first.click()
    expect(tab).to_have_url(re.compile("run="))
    address = re.search(r"run=[0-9a-f]{16}", tab.url).group()
    fresh = start_server(filled.home)
    try:
        other = browser.new_context().new_page()
        other.goto(fresh.page(f"automl?{address}"))
        expect(other.get_by_role("button", name="Repeat")).to_be_visible()
        settled(other)
        assert address in other.url
        expect(other.get_by_text("Page not found")).to_have_count(0)
        other.context.close()
    finally:
        stop_server(fresh)

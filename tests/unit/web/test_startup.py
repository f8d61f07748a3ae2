"""What the server is configured to do, and what it says where that does not fit together."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from streamlit import config, net_util
from streamlit.runtime import Runtime
from streamlit.web.server import server_util

from core.access import COOKIE, LOCAL, PROFILES
from core.catalog import Model, ModelVersion
from core.errors import LimitError, SettingsError
from core.settings import Settings
from core.tasks import ingest, onnx_upload, preview, score
from tests.browser.conftest import start_server, stop_server
from tests.unit.web.page_visit import visit
from web import startup

ROOT = Path(__file__).parents[3]
CONFIGURED = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


@pytest.fixture(autouse=True)
def own_mask() -> Iterator[None]:
    """The start of a server changes the mask of its process, which is that of all tests here."""
    before = os.umask(0o022)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture
def served_mb() -> Iterator[int]:
    """The server takes 2,048 MB."""
    before = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", 2048)
    yield 2048
    config.set_option("server.maxUploadSize", before)


def test_the_shipped_configuration_serves_this_machine_alone() -> None:
    assert (
        CONFIGURED["server"]
        | {
            "address": "127.0.0.1",
            "allowedHosts": ["localhost", "127.0.0.1"],
            "corsAllowedOrigins": [],
            "enableCORS": True,
            "enableXsrfProtection": True,
            "maxUploadSize": Settings.model_fields["max_upload_mb"].default,
        }
        == CONFIGURED["server"]
    )
    assert CONFIGURED["client"]["allowedOrigins"] == []
    assert CONFIGURED["browser"] == {"gatherUsageStats": False, "serverAddress": "localhost"}
    assert all(
        f"{section}.{name}" in config._config_options_template
        for section in ("server", "client", "browser")
        for name in CONFIGURED[section]
    )


@pytest.mark.parametrize("limit", [2048, 201, 1])
def test_the_server_takes_no_more_than_the_setting(
    installation: Any, tmp_path: Path, served_mb: int, limit: int
) -> None:
    with installation(tmp_path / "home", MAX_UPLOAD_MB=str(limit)):
        startup.check_upload_limit()
        assert config.get_option("server.maxUploadSize") == limit
        assert onnx_upload.limit_mb() == min(300, limit)


def test_a_setting_above_what_the_server_takes_is_refused(installation: Any, tmp_path: Path, served_mb: int) -> None:
    with installation(tmp_path / "home", MAX_UPLOAD_MB="2049"):
        with pytest.raises(SettingsError, match="PLUMBLINE_MAX_UPLOAD_MB is 2049") as caught:
            startup.check_upload_limit()
        assert "--server.maxUploadSize=2049" in caught.value.hint
        with pytest.raises(SystemExit, match=r"PLUMBLINE_MAX_UPLOAD_MB is 2049.*--server.maxUploadSize=2049"):
            startup.check()


VERSION = ModelVersion(model_id="m", workspace="local")


class Large:
    """A file of two MB that was never written."""

    def __init__(self) -> None:
        self.left = 2

    def read(self, _size: int = -1) -> bytes:
        self.left -= 1
        return bytes(2**20) if self.left >= 0 else b""


@pytest.mark.parametrize(
    "take",
    [
        lambda file: preview.submit(file, "large.csv", access=LOCAL),
        lambda file: ingest.submit_upload(file, "large.csv", access=LOCAL),
        lambda file: score.submit_upload(
            ModelVersion(model_id="m", workspace="local"), file, "large.csv", access=LOCAL
        ),
        lambda file: onnx_upload.submit(file, "large.onnx", access=LOCAL),
    ],
    ids=["preview", "import", "score", "onnx"],
)
def test_core_takes_no_more_either(
    installation: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, take: Any
) -> None:
    monkeypatch.setattr(score.models, "get", lambda *_, access: Model(name="mine"))
    with installation(tmp_path / "home", MAX_UPLOAD_MB="1") as home:
        with pytest.raises(LimitError, match=r"'large\.\w+' is larger than 1 MB"):
            take(Large())
        assert not [path for path in home.rglob("*") if path.is_file() and not path.name.startswith("catalog.db")]


INVALID = (
    "PLUMBLINE_MAX_ROWS is 'many', and has to be a whole number of at least 1 (by default 20,000,000). "
    "Correct the environment or the file .env next to app.py, then start Plumbline again."
)


def test_a_bad_setting_ends_the_start_with_one_sentence(installation: Any, tmp_path: Path) -> None:
    with installation(tmp_path / "home", MAX_ROWS="many"), pytest.raises(SystemExit) as ended:
        startup.check()
    assert ended.value.code == INVALID
    environment = os.environ | {"PLUMBLINE_MAX_ROWS": "many"}
    done = subprocess.run(
        [sys.executable, "-m", "core.jobs"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.strip()) == (1, INVALID)


def test_the_server_reports_variables_that_are_not_settings(
    installation: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, served_mb: int, caplog: pytest.LogCaptureFixture
) -> None:
    with installation(tmp_path / "home"):
        monkeypatch.setenv("PLUMBLINE_MAX_ROW", "5")
        startup.check()
    assert "PLUMBLINE_MAX_ROW is not a setting and has no effect. Did you mean PLUMBLINE_MAX_ROWS?" in caplog.messages


def test_the_address_on_the_internet_is_never_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(requests, "get", lambda *arguments, **_: asked.append(arguments))
    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)  # put back afterwards
    for name in ("warm_up", "keep_time"):
        monkeypatch.setattr(startup.jobs, name, lambda: None)
    monkeypatch.setattr(startup, "limit_downloads", lambda _limit_mb: None)  # there is no server

    async def compare() -> bool:
        async with startup.lifespan(None):  # type: ignore[arg-type]
            return server_util.is_url_from_allowed_origins("http://evil.example")

    with ThreadPoolExecutor(1) as thread:  # a browser test of the same process may have a loop in this one
        assert thread.submit(asyncio.run, compare()).result() is False
    assert asked == []


NEEDED = {
    "VISITOR_SECRET": "s" * 32,
    "SANDBOX": "bubblewrap",
    "MEMORY_LIMIT_MB": "4000",
    "MAX_STORED_MB": "50000",
}
"""What a demo needs, by the setting."""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"VISITOR_SECRET": ""}, "PLUMBLINE_VISITOR_SECRET is not set"),
        ({"VISITOR_SECRET": "s" * 31}, "PLUMBLINE_VISITOR_SECRET has 31 characters"),
        ({"SANDBOX": "off"}, "needs PLUMBLINE_SANDBOX=bubblewrap"),
        ({"MEMORY_LIMIT_MB": ""}, "needs PLUMBLINE_MEMORY_LIMIT_MB"),
        ({"MAX_STORED_MB": ""}, "needs PLUMBLINE_MAX_STORED_MB"),
        ({"WORKSPACE_ROWS": "0"}, "PLUMBLINE_WORKSPACE_ROWS=0 switches one off"),
        ({"WORKSPACE_KEPT_HOURS": "0"}, "PLUMBLINE_WORKSPACE_KEPT_HOURS=0 switches one off"),
        ({}, ""),
    ],
)
def test_a_demo_does_not_start_without_what_it_needs(
    installation: Any, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    with installation(tmp_path / "home", PROFILE="demo", **NEEDED | changes):
        if said:
            with pytest.raises(SettingsError, match=said):
                startup.check_visitors()
            with pytest.raises(SystemExit, match=said):
                startup.check()
        else:
            startup.check_visitors()


def test_pages_of_several_people_need_the_server_of_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runtime, "_instance", object.__new__(Runtime))
    for name in ("team", "demo"):
        monkeypatch.setattr(startup, "profile", lambda name=name: PROFILES[name])
        with pytest.raises(SettingsError, match=r"without its protection") as refused:
            startup.require_middleware()
        assert refused.value.hint == "Start it with: streamlit run app.py"
    monkeypatch.setattr(startup, "profile", lambda: PROFILES["local"])
    startup.require_middleware()


@pytest.mark.nightly
@pytest.mark.parametrize(("script", "words"), [("navigation.py", "without its protection"), ("app.py", "Public demo")])
def test_a_demo_is_served_by_the_app_alone(tmp_path: Path, script: str, words: str) -> None:
    secret = "s" * 32
    environment = {
        "PLUMBLINE_PROFILE": "demo",
        "PLUMBLINE_VISITOR_SECRET": secret,
        "PLUMBLINE_SANDBOX": "bubblewrap",
        "PLUMBLINE_MEMORY_LIMIT_MB": "3000",
        "PLUMBLINE_MAX_STORED_MB": "3000",
    }
    server = start_server(tmp_path, script=script, environment=environment)
    try:
        cookie = requests.get(server.url, timeout=30).cookies.get(COOKIE, "")
        with visit(server.url, {COOKIE: cookie}) as page:
            said = page.run()
    finally:
        stop_server(server)
    assert words in said
    assert ("Public demo" in said) == (script == "app.py")

"""A server that starts or works under bad conditions says which ones, on its page and in its log."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Server, settled, start_server, stop_server
from tests.browser.test_tables import import_file

pytestmark = pytest.mark.nightly


@contextmanager
def serving(home: Path, **options: object) -> Iterator[Server]:
    """Start a server, and stop it at the end of the block."""
    server = start_server(home, **options)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        stop_server(server)


def modes(home: Path) -> dict[str, str]:
    """Return what others may do with the files and folders of a home, where they may do anything."""
    paths = [home, *home.rglob("*")]
    return {
        str(path.relative_to(home)): oct(mode)
        for path in paths
        if path.name != "server.log" and (mode := stat.S_IMODE(path.lstat().st_mode)) & 0o077
    }


def test_all_that_a_server_makes_is_private(tab: Page, tmp_path: Path) -> None:
    table = tmp_path / "people.csv"
    table.write_text("name,age\n" + "".join(f"person {i},{20 + i % 50}\n" for i in range(200)))
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    with serving(home, umask=0) as server:
        import_file(tab, server, table)
        expect(tab.get_by_role("heading", name="people", exact=True)).to_be_visible(timeout=120_000)
        settled(tab)
        assert modes(home) == {}
        assert (home / "catalog.db").exists()
        assert list((home / "artifacts").rglob("*"))
        assert list((home / "runs").rglob("log.txt"))
        assert "closed the data folder" in (home / "server.log").read_text()


def test_a_catalog_that_is_deleted_under_the_server(tab: Page, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(home) as server:
        tab.goto(server.page("data"))
        settled(tab)
        (home / "catalog.db").rename(home / "aside.db")
        for page in ("", "runs", "data"):
            tab.goto(server.page(page))
            settled(tab)
            expect(tab.get_by_text("was deleted or moved while Plumbline was using it")).to_be_visible()
        assert not (home / "catalog.db").exists()
        (home / "aside.db").rename(home / "catalog.db")
        tab.goto(server.page("data"))
        settled(tab)
        expect(tab.get_by_text("was deleted or moved")).to_have_count(0)


def test_what_is_wrong_from_the_start_is_on_every_page(tab: Page, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "catalog.db").write_bytes(b"no database at all " * 100)
    with serving(home) as server:
        for page in ("", "runs"):
            tab.goto(server.page(page))
            settled(tab)
            expect(tab.get_by_text("The catalog cannot be used: its file is not a database.")).to_be_visible()
        assert "its file is not a database. Put a copy of it back" in (home / "server.log").read_text()
        (home / "catalog.db").unlink()  # moved away, as it was told
        tab.goto(server.page())
        settled(tab)
        expect(tab.get_by_text("See it work in two minutes")).to_be_visible()


def test_a_setting_that_cannot_be_used_ends_the_start() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", "--server.port=0"],
        cwd=ROOT,
        env=os.environ | {"PLUMBLINE_MAX_UPLOAD_MB": "4096"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "PLUMBLINE_MAX_UPLOAD_MB is 4096, and the server takes uploads up to 2048 MB. Raise the limit of the server "
        "too, with --server.maxUploadSize=4096 or in .streamlit/config.toml, or set PLUMBLINE_MAX_UPLOAD_MB to 2048 at "
        "most."
    )

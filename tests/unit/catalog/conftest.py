"""The catalog's tests run on SQLite, and on a private PostgreSQL server where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.catalog.engine import get_engine

ROOT = Path(__file__).parents[3]


def _bin(name: str) -> str | None:
    programs = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(programs[-1]) if programs else None)


def _user() -> int:
    """Return a user that no other process of the tests has: sandboxed runs are nobody's, and end what they can."""
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return 65_534


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a private server on a loopback port, without durability; its data is removed afterwards."""
    initdb, postgres = _bin("initdb"), _bin("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL's programs are not installed (apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="pip install 'psycopg[binary]'")
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:  # sessions close pytest's own to other users
        yield from _served(Path(folder), initdb, postgres)


def _served(folder: Path, initdb: str, postgres: str) -> Iterator[str]:
    as_user: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        if shutil.which("setpriv") is None:
            pytest.skip("PostgreSQL does not run as root, and setpriv (util-linux) is not installed")
        user = _user()
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        os.chown(folder, user, user)
    data = folder / "data"
    make = [*as_user, initdb, "-D", data, "-U", "plumbline", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(make, capture_output=True, text=True, cwd="/")
    if made.returncode:
        pytest.skip(f"PostgreSQL cannot be set up here: {made.stderr.strip()[-300:]}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-c", "fsync=off", "-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1"]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [*as_user, postgres, "-D", data, "-p", str(port), *options], stdout=log, stderr=log, cwd="/"
        )
    import psycopg

    url = f"postgresql://plumbline@127.0.0.1:{port}/postgres"
    try:
        for _ in range(100):
            try:
                psycopg.connect(url).close()
                break
            except psycopg.OperationalError:
                assert server.poll() is None, (folder / "log").read_text()
                try:
                    server.wait(0.1)
                except subprocess.TimeoutExpired:
                    continue
        yield url
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(params=["sqlite", "postgresql"])
def catalog(request: pytest.FixtureRequest, installation, tmp_path: Path) -> Iterator[str]:
    """An empty catalog on each database; its URL."""
    if request.param == "sqlite":
        with installation(tmp_path / "home"):
            yield str(get_engine().url)
        return
    import psycopg

    server = request.getfixturevalue("postgresql")
    name = f"test_{abs(hash(request.node.nodeid))}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
    url = server.replace("postgresql://", "postgresql+psycopg://").replace("/postgres", f"/{name}")
    with installation(tmp_path / "home", DATABASE=url):
        yield url
        get_engine().dispose()

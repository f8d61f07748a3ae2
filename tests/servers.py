"""Servers that tests use: PostgreSQL and S3, private ones on loopback ports."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ray_nodes import free_port

__all__ = ["KEYS", "moto", "postgresql_server"]

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
"""Variables with the keys of the S3 server."""


def _bin(name: str) -> str | None:
    programs = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(programs[-1]) if programs else None)


def _user() -> int:
    """Return a user that no other process of the tests has: sandboxed runs are nobody's, and end what they can."""
    try:
        return pwd.getpwnam("postgres").pw_uid
    except KeyError:
        return 65_534


@contextmanager
def postgresql_server() -> Iterator[str]:
    """Run a server without durability, and yield its URL; its data is removed afterwards."""
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
    port = free_port()
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
        server.send_signal(signal.SIGINT)  # it ends without waiting for those who are connected
        server.wait(20)


@contextmanager
def moto(folder: Path, **environment: str) -> Iterator[str]:
    """Run moto's server, and yield its address."""
    port = free_port()
    with open(folder / "moto.log", "wb") as log:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | environment)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)

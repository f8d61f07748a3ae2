"""The catalog's tests run on SQLite, and on a private PostgreSQL server where its programs are installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.catalog.engine import get_engine
from tests.servers import postgresql_server

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """URL of a private server on a loopback port."""
    with postgresql_server() as url:
        yield url


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

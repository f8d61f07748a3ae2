"""A backup that is made while others write holds everything that its rows name, and is restored as it was."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from core import backup
from core.access import LOCAL
from core.backup.__main__ import main
from core.catalog import Dataset, datasets
from core.errors import InputError, StorageError
from core.installation import check as check_installation
from core.storage import get_store
from tests.unit.catalog.conftest import postgresql  # noqa: F401  (a fixture)


def add(name: str) -> None:
    """Store a content and then a row that names it, as every part of the product does."""
    digest = get_store().put_bytes(f"content of {name}".encode() * 500)
    row = Dataset(
        name=name,
        workspace="local",
        data_digest=digest,
        profile_digest=digest,
        fingerprint=digest,
        rows=1,
        columns=1,
        size_bytes=1,
    )
    datasets.add(row, access=LOCAL)


def contents() -> dict[str, str]:
    """Return the hash of each row's content, by the row's name, after it was read."""
    store = get_store()
    return {
        row.name: hashlib.sha256(store.read_bytes(row.data_digest)).hexdigest() for row in datasets.find(access=LOCAL)
    }


class Writer(threading.Thread):
    """Adds rows until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.added: list[str] = []
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            name = f"added {len(self.added)}"
            add(name)
            self.added.append(name)


def backed_up(file: Path) -> tuple[list[str], backup.Manifest]:
    """Make a backup beside a writer; return the names of the rows that were there before, and the manifest."""
    check_installation()
    for i in range(20):
        add(f"first {i}")
    writer = Writer()
    writer.start()
    while len(writer.added) < 5:
        time.sleep(0.01)
    before = [*(f"first {i}" for i in range(20)), *writer.added]
    manifest = backup.make(file)
    writer.stopped.set()
    writer.join()
    assert len(writer.added) > len(before) - 20  # it was not kept waiting
    return before, manifest


def test_a_backup_beside_a_writer_is_restored_as_it_was(
    installation: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "backup.tar"
    with installation(tmp_path / "home"):
        before, manifest = backed_up(file)
        live = contents()
        assert main(["restore", str(file)]) == 1
        assert "There is a catalog already, and a restore replaces nothing." in capsys.readouterr().err
        assert contents() == live
    assert file.stat().st_mode & 0o777 == 0o600
    with installation(tmp_path / "other" / "home"):
        assert main(["restore", str(file)]) == 0
        restored = contents()
        assert set(before) <= set(restored)
        assert {name: live[name] for name in restored} == restored
        assert backup.check(file) == manifest
        assert (tmp_path / "other" / "home").stat().st_mode & 0o777 == 0o700
        with sqlite3.connect(tmp_path / "other" / "home" / "catalog.db") as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert get_store().mark() == manifest.catalog_id
        add("later")
    with installation(tmp_path / "third"), pytest.raises(StorageError, match="exists already"):
        backup.make(file)


def test_a_damaged_backup_changes_nothing(installation: Any, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar"
    with installation(tmp_path / "home"):
        check_installation()
        add("only")
        backup.make(file)
    whole = file.read_bytes()
    content, catalog = bytearray(whole), bytearray(whole)
    content[whole.index(b"content of only") + 40] ^= 1
    catalog[whole.index(b"SQLite format 3") + 100] ^= 1
    changes = ((b'"schema"', b'"schemX"'), (b'{"database"', b'["database"'), (b'"contents": 1', b'"contents": "'))
    manifests = [end.join(whole.rsplit(start, 1)) for start, end in changes]
    home = tmp_path / "other"
    with installation(home):
        for damaged in (whole[: len(whole) - 20_480], content, catalog, *manifests, b"name,age\n1,2\n" * 100, b""):
            file.write_bytes(damaged)
            with pytest.raises(InputError, match=r"backup\.tar is not a whole backup"):
                backup.restore(file)
            assert not home.exists() or not [path for path in home.rglob("*") if path.is_file()]


@pytest.mark.nightly
def test_a_backup_of_postgresql_beside_a_writer_is_restored_as_it_was(
    request: pytest.FixtureRequest, installation: Any, tmp_path: Path
) -> None:
    server = request.getfixturevalue("postgresql")
    import psycopg

    names = [f"backup_{secrets.token_hex(4)}" for _ in range(2)]
    with psycopg.connect(server, autocommit=True) as admin:
        for name in names:
            admin.execute(f"CREATE DATABASE {name}")
    first, second = (
        server.replace("postgresql://", "postgresql+psycopg://").replace("/postgres", f"/{name}") for name in names
    )
    file = tmp_path / "backup.tar"
    with installation(tmp_path / "home", DATABASE=first):
        before, manifest = backed_up(file)
        live = contents()
    assert manifest.database == "postgresql"
    with installation(tmp_path / "sqlite"), pytest.raises(InputError, match="is of a catalog in postgresql"):
        backup.restore(file)
    with installation(tmp_path / "other", DATABASE=second):
        backup.restore(file)
        restored = contents()
        assert set(before) <= set(restored)
        assert {name: live[name] for name in restored} == restored
        add("later")
        with pytest.raises(StorageError, match="There is a catalog already"):
            backup.restore(file)
    shutil.rmtree(tmp_path / "other")

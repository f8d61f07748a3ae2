"""An installation whose folder, catalog or storage is not as it should be says what is wrong, and what to do."""

from __future__ import annotations

import io
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core import installation as state
from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, engine, events, runs
from core.errors import SettingsError, StorageError
from core.private_folder import check_writable, make_private
from core.progress import Event
from core.storage import get_store
from core.tasks import ingest, preview

ROOT = Path(__file__).parents[2]


def mode(path: Path) -> int:
    """Return the permissions of a file or folder."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """``mounted("size=1m")`` is a folder on a small file system of its own; it may be mounted again with options."""
    made: list[Path] = []
    program = shutil.which("mount")
    if not sys.platform.startswith("linux") or program is None:
        pytest.skip("needs Linux and its mount command")

    def mount(options: str, folder: Path | None = None) -> Path:
        target = folder or tmp_path / f"disk-{len(made)}"
        target.mkdir(exist_ok=True)
        done = subprocess.run([program, "-t", "tmpfs", "-o", options, "tmpfs", target], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no right to mount a small file system: {done.stderr.strip()}")
        if folder is None:
            made.append(target)
        return target

    yield mount
    for folder in made:
        subprocess.run(["umount", "--lazy", folder], check=True)


def add_run() -> Run:
    """Store a run that has ended."""
    run = Run(workspace="local", task="count", lane="short", title="x", settings={}, state=RunState.SUCCEEDED)
    runs.add(run, access=LOCAL)
    return run


def test_a_new_home_is_private_whatever_the_mask(installation, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with installation(tmp_path / "new" / "home") as home:
            assert state.check() == ()
            get_store().put_bytes(b"mine")
            assert mode(home) == 0o700
            files = [path for path in home.rglob("*") if path.is_file() and path.name != "catalog.id"]
            assert {path.name for path in files} >= {"catalog.db", "catalog.db-wal"}
            assert {mode(path) for path in files} == {0o600}
            assert list(home.glob(".probe*")) == []
    finally:
        os.umask(before)


def test_an_open_home_of_an_earlier_version_is_closed(installation, tmp_path: Path, caplog) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    with installation(home):
        state.check()
        assert mode(home) == 0o700
        assert [message for message in caplog.messages if "closed the data folder" in message and str(home) in message]
    caplog.clear()
    with installation(home):
        state.check()
        assert caplog.messages == []


def test_folders_that_are_not_ours_alone_stay_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared, own = tmp_path / "shared", tmp_path / "me"
    for folder, bits in ((shared, 0o1777), (own, 0o755)):
        folder.mkdir()
        folder.chmod(bits)
    monkeypatch.setenv("HOME", str(own))
    assert not make_private(shared)
    assert not make_private(own)
    assert (mode(shared), mode(own)) == (0o1777, 0o755)


def test_runs_and_their_files_are_private(home: Path) -> None:
    before = os.umask(0)
    try:
        state.check()
        run_id = jobs.submit("count", {"steps": 10_000}, access=LOCAL)
        while not jobs.events(run_id, access=LOCAL):
            time.sleep(0.05)
        jobs.cancel(run_id, access=LOCAL)  # what it has done is kept, so that it can continue
        run = jobs.wait(run_id, 60, access=LOCAL)
    finally:
        os.umask(before)
    assert run.state == "CANCELLED"
    made = [path for path in (home / "runs" / run.id).rglob("*") if path.name != "log.txt"]  # by this process
    assert made
    assert not [path for path in made if mode(path) & 0o077]


def test_a_folder_that_cannot_be_used_is_said(installation, tmp_path: Path, mounted) -> None:
    disk = mounted("size=64k")
    (disk / "ballast").write_bytes(bytes(60_000))
    with installation(disk), pytest.raises(StorageError, match=f"The disk with the data folder {disk} is full") as full:
        state.check()
    assert "Free some space" in full.value.hint
    (disk / "ballast").unlink()
    mounted("remount,ro", disk)
    for folder in (disk, disk / "home"):
        with installation(folder), pytest.raises(StorageError, match="Read-only file system") as caught:
            state.check()
        assert str(folder) in caught.value.message
        assert "PLUMBLINE_HOME" in caught.value.hint
        with installation(folder), pytest.raises(StorageError, match="Read-only file system"):
            engine.get_engine()
    file = tmp_path / "file"
    file.touch()
    with installation(file), pytest.raises(StorageError, match="a file is in its place"):
        state.check()


def test_a_disk_that_has_room_again_is_used(installation, mounted) -> None:
    disk = mounted("size=4m")
    (disk / "ballast").write_bytes(bytes(4_150_000))
    with installation(disk / "home"):
        with pytest.raises(StorageError, match="is full"):
            state.check()
        (disk / "ballast").unlink()
        assert state.check() == ()
    check_writable(disk)


def test_an_upload_that_the_disk_does_not_take_leaves_nothing(installation, mounted) -> None:
    disk = mounted("size=4m")
    with installation(disk / "home"):
        state.check()
        for submit in (preview.submit, ingest.submit_upload):
            with pytest.raises(StorageError, match=r"Storing 'big\.csv': the disk is full") as caught:
                submit(io.BytesIO(bytes(8 << 20)), "big.csv", access=LOCAL)
            assert "Free some space" in caught.value.hint
        kept = [path for path in (disk / "home").rglob("*") if path.is_file()]
        assert {path.name.split(".")[0] for path in kept} == {"catalog"}


@pytest.mark.parametrize("replaced", [False, True])
def test_a_catalog_that_is_taken_away_is_never_replaced_by_a_second_one(home: Path, tmp_path: Path, replaced) -> None:
    run = add_run()
    uses = (
        lambda: runs.get(run.id, access=LOCAL),
        add_run,
        lambda: events.append(run.id, Event("x"), attempt=1, access=LOCAL),
        jobs.tick,
    )
    for use in uses:
        use()
    file = home / "catalog.db"
    file.rename(tmp_path / "aside.db")
    if replaced:
        shutil.copy(tmp_path / "aside.db", file)
    for use in uses:
        with pytest.raises(StorageError, match="replaced" if replaced else "deleted or moved") as caught:
            use()
        assert str(file) in caught.value.message
        assert "start it again" in caught.value.hint
    assert file.exists() == replaced
    if not replaced:
        (tmp_path / "aside.db").rename(file)
        assert runs.get(run.id, access=LOCAL).id == run.id  # put back as it was


def test_a_run_whose_catalog_is_gone_makes_none(home: Path) -> None:
    home.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "core.jobs.monitor", "0" * 16], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode
    assert "it was deleted or moved after this run was started" in done.stderr
    assert list(home.iterdir()) == []


def put(path: Path, *statements: str) -> None:
    """Make a database with statements."""
    path.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(statement)


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE notes (id)",),
        ("CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('ae1027a6acf5')"),
        ("CREATE TABLE alembic_version (version_num)", "INSERT INTO alembic_version VALUES ('0007')"),
    ],
)
def test_the_database_of_another_program_is_left_alone(installation, tmp_path: Path, statements) -> None:
    file = tmp_path / "home" / "catalog.db"
    put(file, *statements)
    with installation(tmp_path / "home"):
        with pytest.raises(StorageError, match="is not a catalog of Plumbline") as caught:
            state.check()
        assert str(file) in caught.value.message
        assert "PLUMBLINE_HOME" in caught.value.hint
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'run'").fetchone() == (0,)


def test_an_empty_database_becomes_a_catalog(installation, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "catalog.db").touch()
    with installation(tmp_path / "home"):
        assert state.check() == ()


@pytest.mark.parametrize("damage", ["text", "middle", "cut"])
def test_a_damaged_catalog_is_said(installation, tmp_path: Path, damage: str) -> None:
    home = tmp_path / "home"
    with installation(home):
        state.check()
        for _ in range(30):
            add_run()
    file = home / "catalog.db"
    for extra in home.glob("catalog.db-*"):
        extra.unlink()
    content = bytearray(file.read_bytes())
    if damage == "text":
        content[:100] = b"x" * 100
    elif damage == "middle":
        content[4096 : len(content) - 4096] = os.urandom(len(content) - 8192)
    else:
        del content[len(content) // 2 :]
    file.write_bytes(content)
    with installation(home), pytest.raises(StorageError, match=r"damaged|not a database") as caught:
        state.check()
    assert "Put a copy of it back" in caught.value.hint


def test_an_empty_catalog_beside_stored_files_is_said(installation, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with installation(home):
        assert state.check() == ()
        add_run()
        get_store().put_bytes(b"kept")
    for file in home.glob("catalog.db*"):
        file.unlink()
    for _ in range(2):  # until there is something in it, at every start
        with installation(home):
            (sentence,) = state.check()
            assert sentence.startswith(f"The catalog {home}/catalog.db is empty, but the storage {home}/artifacts has")
    with installation(home):
        add_run()
    with installation(home):
        assert state.check() == ()


def test_a_home_of_an_earlier_version_is_marked(installation, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with installation(home):
        add_run()
        get_store().put_bytes(b"kept")
        assert get_store().mark() is None
        assert state.check() == ()
        assert len(get_store().mark() or "") == 32


def test_the_storage_of_another_catalog_is_refused(installation, tmp_path: Path) -> None:
    for name in ("one", "two"):
        with installation(tmp_path / name):
            state.check()
            add_run()
    storage = str(tmp_path / "two" / "artifacts")
    with installation(tmp_path / "one", STORAGE=storage):
        with pytest.raises(StorageError, match=f"The storage {storage} belongs to another catalog") as caught:
            state.check()
        assert "PLUMBLINE_STORAGE" in caught.value.hint
    with installation(tmp_path / "two"):
        assert state.check() == ()


@pytest.mark.parametrize("url", ["no url", "nonsense://host/name"])
def test_a_database_that_is_none(installation, tmp_path: Path, url: str) -> None:
    with installation(tmp_path / "home", DATABASE=url):
        with pytest.raises(SettingsError, match="PLUMBLINE_DATABASE cannot be used") as caught:
            state.check()
        assert "postgresql+psycopg://" in caught.value.hint


@pytest.mark.parametrize(
    ("url", "said", "hint"),
    [
        ("foo://x", "PLUMBLINE_STORAGE cannot be used: Protocol not known: foo", "s3://bucket/folder"),
        ("gcs://bucket", "PLUMBLINE_STORAGE is at gcs://, which needs gcsfs", "pip install gcsfs"),
    ],
)
def test_a_storage_that_is_none(installation, tmp_path: Path, monkeypatch, url: str, said: str, hint: str) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)  # its package is not installed
    with installation(tmp_path / "home", STORAGE=url):
        with pytest.raises(SettingsError, match=said) as caught:
            state.check()
        assert hint in caught.value.hint


def test_a_limit_on_addresses_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (7_000 * 2**20, resource.RLIM_INFINITY))
    (sentence,) = state.check()
    assert sentence.startswith("Processes may reserve 7,000 MB of addresses (ulimit -v)")
    assert "ulimit -v unlimited" in sentence

"""Fixtures for all tests: an installation of its own for whoever needs one, and nothing left behind."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import pickle
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock
from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import StaticPool

from core import fork_server, jobs
from core.access import LOCAL
from core.catalog import ACTIVE, RunState, engine, runs
from core.errors import JobError
from core.installation import check_once
from core.jobs import task_specs
from core.jobs.processes import MARK
from core.registry import load_extensions
from core.settings import get_settings
from core.storage import store_for
from tests.golden import Golden, copy_home, golden_home

# Every run of a test is a process of its own, which should not compile the project anew, whatever the environment says.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Threads that wait for their turn on cores that other tests use spin, which takes longer than the work itself.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

CANCEL_S = 20
MEANWHILE = {"automl", "finetune", "jobs", "datasets"}
"""Folders whose tests run while the golden installation is made."""
# Small enough to see a lost run declared so within a test, large enough for a loaded machine.
FAST = {"LEASE_S": "2", "GRACE_S": "1", "TICK_EVERY_S": "0", "TASK_PACKAGES": '["core.tasks", "tests.jobs.job_tasks"]'}


_migrate = engine.migrate


@functools.cache
def _tables() -> bytes:
    """Return a database as the migrations make it."""
    made = create_engine("sqlite://", poolclass=StaticPool)
    _migrate(made)
    with made.connect() as connection:
        stored = connection.connection.driver_connection
        assert isinstance(stored, sqlite3.Connection)
        content = stored.serialize()
    made.dispose()
    return content


def _migrate_faster(engine: Engine) -> None:
    """Migrate a database; an empty file becomes a copy of what was migrated before, in a tenth of the time."""
    file = Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None
    if file is not None and file.is_file() and file.stat().st_size == 0:
        file.write_bytes(_tables())
    _migrate(engine)


engine.migrate = _migrate_faster


def _forget() -> None:
    """Clear what the process remembers of an installation."""
    if engine.engine_for.cache_info().currsize:
        engine.get_engine().dispose()
    connections = (engine.kept_connection, engine.engine_for, store_for)
    for cached in (load_extensions, get_settings, check_once, *connections, task_specs.load):
        cached.cache_clear()


def _processes(home: Path) -> list[psutil.Process]:
    """Return the runs' processes of this installation: they have its folder, or the run's id, in their environment.

    So have the fork servers that this process keeps for all tests, if they were started here.
    """
    matches = []
    run_ids = {folder.name for folder in (home / "runs").glob("*")}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            ours = process.ppid() == os.getpid() and fork_server.SERVER in process.cmdline()
            environment = process.environ()
            its = environment.get("PLUMBLINE_HOME") == str(home) or environment.get(MARK) in run_ids
            if process.pid != os.getpid() and not ours and its:
                matches.append(process)
    return matches


def _end_runs(home: Path) -> None:
    """Cancel what a test submitted and did not wait for, and fail when a process of a run survives it."""
    if not _processes(home):
        return
    for states in ([RunState.QUEUED], ACTIVE):  # what waits first, so that nothing starts in its stead
        for run in runs.find(states=states, access=LOCAL):
            with contextlib.suppress(JobError):  # it ended by itself
                jobs.cancel(run.id, access=LOCAL)
    deadline = time.monotonic() + CANCEL_S
    while (left := _processes(home)) and time.monotonic() < deadline:
        jobs.tick()
        time.sleep(0.05)
    commands = []
    for process in left:
        with contextlib.suppress(psutil.Error):
            commands.append(" ".join(process.cmdline()))
            process.kill()
    if commands:
        pytest.fail(f"Processes of runs are left over in {home}: {commands}")


@contextlib.contextmanager
def _isolated(home: Path, **settings: str) -> Iterator[Path]:
    """Use an installation in a folder, with these settings and no others."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PLUMBLINE_")]:
            patch.delenv(name)
        for name, value in {"HOME": str(home), **FAST, **settings}.items():
            patch.setenv(f"PLUMBLINE_{name}", value)
        _forget()
        try:
            yield home
        finally:
            try:
                _end_runs(home)
            finally:
                _forget()


@contextlib.contextmanager
def _installation(home: Path, **settings: str) -> Iterator[Path]:
    """Use an installation in a folder, whose runs begin at once."""
    jobs.warm_up()
    with _isolated(home, **settings):
        yield home


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Use every core of this process, and no second process where single files are asked for."""
    paths = [Path(argument.split("::")[0]) for argument in config.invocation_params.args]
    asked = [path for path in paths if path.exists()]
    if asked and all(path.suffix == ".py" for path in asked):
        return 0
    return len(os.sched_getaffinity(0))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make the golden installation beside the first tests, where several processes share the work."""
    if getattr(session.config.option, "tx", None) and "PYTEST_XDIST_WORKER" not in os.environ:
        threading.Thread(target=golden_home, daemon=True).start()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files whose tests take long, so that no core is left with one of them at the end.

    Those that use the golden installation come after the others, since it takes minutes to make; browser tests, which
    all do, come after the searches and trainings, which take as long.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    waiting = {item.path for item in items if {"golden", "golden_files"} & set(getattr(item, "fixturenames", ()))}

    def rank(item: pytest.Item) -> int:
        if item.path not in waiting and (item.path in slow or MEANWHILE & set(item.path.parts)):
            return 0
        return 1 if "browser" in item.path.parts else 2 if item.path in slow else 3

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Spare the garbage collector the thousands of tests, which stay to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def installation() -> Callable[..., AbstractContextManager[Path]]:
    """``with installation(folder, MAX_RUNNING="4"):`` uses an installation in `folder` with these settings."""
    return _installation


@pytest.fixture(scope="session")
def golden() -> tuple[Path, Golden]:
    """Home of the golden installation, which nobody may change, and the ids of what it holds."""
    return golden_home()


@pytest.fixture(scope="module")
def stocked(golden: tuple[Path, Golden], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Golden]:
    """Use a copy of the golden installation for the tests of a module."""
    home = tmp_path_factory.mktemp("stocked") / "home"
    copy_home(golden[0], home)
    with _installation(home, MAX_RUNNING="2"):
        yield golden[1]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[], Any]], Any]:
    """``shared(name, make)`` makes a value once for all processes of the session, and hands out copies of it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent

    def get(name: str, make: Callable[[], Any]) -> Any:
        file = folder / f"{name}.pickle"
        with FileLock(folder / f"{name}.lock"):
            if not file.exists():
                file.write_bytes(pickle.dumps(make()))
        return pickle.loads(file.read_bytes())

    return get


@pytest.fixture(scope="session", autouse=True)
def _never_the_real_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep a test that forgot to ask for an installation away from the developer's own."""
    with _isolated(tmp_path_factory.mktemp("forgotten")):
        yield


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A fresh installation for one test: its folder, with no catalog yet."""
    with _installation(tmp_path / "home") as folder:
        yield folder

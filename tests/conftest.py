"""Fixtures for all tests: an installation of its own for whoever needs one, and nothing left behind."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import psutil
import pytest

from core.catalog import engine
from core.jobs import _tasks
from core.registry import load_extensions
from core.settings import get_settings
from core.storage import _store_for

# Small enough to see a lost run declared so within a test, large enough for a loaded machine.
FAST = {"LEASE_S": "2", "GRACE_S": "1", "TASK_PACKAGES": '["core.tasks", "tests.jobs.job_tasks"]'}


def _forget() -> None:
    """Clear what the process remembers of an installation."""
    if engine._engine_for.cache_info().currsize:
        engine.get_engine().dispose()
    for cached in (load_extensions, get_settings, engine._kept, engine._engine_for, _store_for, _tasks.load):
        cached.cache_clear()


def _end_processes(home: Path) -> None:
    """End the runs' processes of this installation: they alone have its folder in their environment."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and process.environ().get("PLUMBLINE_HOME") == str(home):
                process.kill()


@contextlib.contextmanager
def _installation(home: Path, **settings: str) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PLUMBLINE_")]:
            patch.delenv(name)
        for name, value in {"HOME": str(home), **FAST, **settings}.items():
            patch.setenv(f"PLUMBLINE_{name}", value)
        _forget()
        try:
            yield home
        finally:
            _end_processes(home)
            _forget()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a folder in one process, where several work: they share what took long to make."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.split("::")[0].rpartition("/")[0]

    return ByFolder(config, log)


@pytest.fixture(scope="session")
def installation() -> Callable[..., AbstractContextManager[Path]]:
    """``with installation(folder, MAX_RUNNING="4"):`` uses an installation in `folder` with these settings."""
    return _installation


@pytest.fixture(scope="session", autouse=True)
def _never_the_real_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep a test that forgot to ask for an installation away from the developer's own."""
    with _installation(tmp_path_factory.mktemp("forgotten")):
        yield


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A fresh installation for one test: its folder, with no catalog yet."""
    with _installation(tmp_path / "home") as folder:
        yield folder

"""Helpers of the run engine's tests, which start real processes."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState
from core.fork_server import ForkServer, running_server
from core.jobs.launchers import local

ROOT = Path(__file__).parents[2]


def _until(condition: Callable[[], Any], timeout: float = 30.0) -> Any:
    end = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"it did not come true in {timeout} s")
        time.sleep(0.02)
    return value


@pytest.fixture(scope="session")
def until() -> Callable[..., Any]:
    """``until(condition)`` waits until it holds, and returns its value."""
    return _until


@pytest.fixture
def warm_server(until) -> ForkServer | None:
    """The process that has loaded the libraries, from which this one forks its runs; None where none are forked."""
    jobs.warm_up()
    server = running_server(local.PRELOAD)
    until(lambda: server is None or server.ready)
    return server


@pytest.fixture(scope="session")
def working() -> Callable[[str], Run]:
    """``working(run_id)`` waits for the task's first event, and returns the run."""

    def wait(run_id: str) -> Run:
        def ready() -> bool:
            jobs.tick()
            return bool(jobs.events(run_id, access=LOCAL)) or jobs.get(run_id, access=LOCAL).state.terminal

        _until(ready)
        run = jobs.get(run_id, access=LOCAL)
        assert run.state is RunState.RUNNING, (run.state, run.error_message, jobs.log(run_id, access=LOCAL))
        return run

    return wait


@pytest.fixture(scope="session")
def gone() -> Callable[..., None]:
    """``gone(pids)`` waits until none of the processes works any more."""

    def works(pid: int) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        return False

    return lambda pids, timeout=10.0: _until(lambda: not any(works(pid) for pid in pids), timeout)


@pytest.fixture
def server() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """``server(code)`` starts another process that uses the installation, as a web server does."""
    started = []

    def start(code: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()

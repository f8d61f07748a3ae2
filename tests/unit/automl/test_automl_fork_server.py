"""Helper processes: how they end is known, nothing survives its end, and none waits for libraries but the first."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.automl.tuning.processes import PRELOAD, HelperProcess
from core.fork_server import AVAILABLE, running_server

MODULE = "tests.unit.automl.helper_process"


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture(params=["forked", "started"])
def helper(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Path, str], HelperProcess]]:
    """``helper(folder, what)`` starts a helper; all are ended after the test."""
    if request.param == "started":
        monkeypatch.setattr("core.automl.tuning.processes.AVAILABLE", False)
    elif not AVAILABLE:
        pytest.skip("helpers are not forked here")
    started: list[HelperProcess] = []

    def start(folder: Path, what: str) -> HelperProcess:
        folder.mkdir(exist_ok=True)
        (folder / "what").write_text(what)
        started.append(HelperProcess(MODULE, folder))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.mark.parametrize(
    ("what", "failed", "reason"),
    [
        ("nothing", False, "ended with exit code 0"),
        ("exit", True, "ended with exit code 7"),
        ("fail", True, "ended with exit code 1"),
        ("die", True, "ended by the signal SIGKILL"),
    ],
)
def test_how_a_helper_ended_is_known(helper, tmp_path: Path, what: str, failed: bool, reason: str) -> None:
    process = helper(tmp_path, what)
    until(lambda: process.ended)
    assert process.failed is failed
    assert process.exit_reason == reason
    process.send("a line that nobody reads")
    process.kill()  # of what has ended already: nothing happens
    assert process.exit_reason == reason
    log = (tmp_path / f"{MODULE}.log").read_text()
    assert ("ValueError: on purpose" in log) is (what == "fail")


def test_lines_come_in_and_output_goes_to_the_log(helper, tmp_path: Path) -> None:
    process = helper(tmp_path, "echo")
    process.send("one")
    process.send("two")
    log = tmp_path / f"{MODULE}.log"
    until(lambda: log.read_text() == "ONE\nTWO\n")
    assert not process.ended
    process.kill()
    assert process.exit_reason == "ended by the signal SIGKILL"


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def pids(folder: Path) -> list[int]:
    until(lambda: (folder / "pids").exists() and len((folder / "pids").read_text().split()) == 2)
    return [int(word) for word in (folder / "pids").read_text().split()]


def test_a_kill_ends_what_the_helper_started_and_no_other_helper(helper, tmp_path: Path) -> None:
    one, two = helper(tmp_path / "one", "sleep"), helper(tmp_path / "two", "sleep")
    ended, working = pids(tmp_path / "one"), pids(tmp_path / "two")
    one.kill()
    until(lambda: all(map(gone, ended)))
    assert not any(map(gone, working))
    assert not two.ended


def test_helpers_draw_different_random_numbers(helper, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "three")]  # each of its own: "what" is read while it starts
    processes = [helper(folder, "draw") for folder in folders]
    until(lambda: all(process.ended for process in processes))
    assert [process.exit_reason for process in processes] == ["ended with exit code 0"] * 3
    drawn = [path.read_text().split() for path in tmp_path.glob("*/drawn-*")]
    assert len({first for first, _ in drawn}) == len({second for _, second in drawn}) == 3


@pytest.mark.parametrize("helper", ["forked"], indirect=True)
def test_a_helper_whose_server_is_killed_ends_and_the_next_gets_a_new_server(helper, tmp_path: Path) -> None:
    (tmp_path / "parent").mkdir()
    code = (
        "import os, sys, time\nfrom pathlib import Path\n"
        "from core.automl.tuning.processes import HelperProcess\n"
        f"process = HelperProcess({MODULE!r}, Path(sys.argv[1]))\n"
        "time.sleep(60)\n"
    )
    (tmp_path / "parent" / "what").write_text("sleep unattended")
    parent = psutil.Popen([sys.executable, "-c", code, str(tmp_path / "parent")])
    left = pids(tmp_path / "parent")
    server = psutil.Process(left[0]).parent()
    assert server.ppid() == parent.pid
    parent.kill()
    parent.wait()
    until(lambda: not server.is_running())
    until(lambda: all(map(gone, left)))

    process = helper(tmp_path / "own", "sleep")
    own = psutil.Process(pids(tmp_path / "own")[0]).parent()
    os.kill(own.pid, signal.SIGKILL)
    until(lambda: process.ended)
    assert process.exit_reason == "ended by the signal SIGKILL"
    assert running_server(PRELOAD) is None
    again = helper(tmp_path / "own", "nothing")
    until(lambda: again.ended)
    assert not again.failed

"""A function over items: results in order in a loop and in processes, errors of the tree, processes that end."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.errors import InputError, LimitError, SettingsError, UnexpectedError
from core.parallel import executor, map_parallel

ROOT = Path(__file__).resolve().parents[2]


def workers():
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "core.parallel.worker_main" in child.cmdline() and child.status() != psutil.STATUS_ZOMBIE
    ]


def test_results_are_those_of_a_loop_in_the_order_of_the_items():
    table, offset = np.arange(12.0).reshape(4, 3), 0.5

    def draw(seed, table):  # a function of this test alone, which no module has
        time.sleep(0.05 * (seed % 3))
        return float(np.random.default_rng(seed).permutation(table.ravel())[0] + offset)

    loop = map_parallel(draw, range(9), jobs=1, shared=(table,))
    with executor(jobs=2, shared=(table,)) as parallel:
        assert parallel.count == 2
        assert parallel.map(draw, range(9)) == loop
        assert parallel.map(draw, reversed(range(9))) == loop[::-1]
        assert parallel.map(draw, []) == []
        assert len(workers()) == 2
    assert workers() == []


def test_shared_arguments_are_sent_once_and_what_is_printed_is_not_an_answer(capfd):
    class Counted:
        def __reduce__(self):
            return (len, ([sent.append(1)],))

    sent = []

    def look(item, _):
        sys.stdout.write("some words")
        return item, os.environ["OMP_NUM_THREADS"]

    assert map_parallel(look, [1, 2, 3], jobs=2, shared=(Counted(),)) == [(1, "1"), (2, "1"), (3, "1")]
    assert sent == [1]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_error_of_the_first_item_that_fails_is_raised(jobs):
    def fail(item):
        if item == 1:
            raise InputError("Row 1 is empty.", "Fill it in.")
        return item

    with pytest.raises(InputError) as raised:
        map_parallel(fail, range(5), jobs=jobs)
    assert (raised.value.message, raised.value.hint) == ("Row 1 is empty.", "Fill it in.")
    assert workers() == []


def test_an_error_of_no_tree_is_unexpected():
    with pytest.raises(UnexpectedError, match="ZeroDivisionError"):
        map_parallel(lambda item: 1 / item, [1, 0], jobs=2)


def test_an_item_whose_process_ends_is_done_by_another(tmp_path):
    def die_once(item):
        if item == 2 and not (tmp_path / "died").exists():
            (tmp_path / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    with executor(jobs=2) as parallel:
        assert parallel.map(die_once, range(5)) == list(range(5))
        assert parallel.count == 1


def test_an_item_that_ends_every_process_is_an_error():
    with pytest.raises(LimitError, match="ended by the signal SIGKILL; the usual cause is too little memory"):
        map_parallel(lambda _: os.kill(os.getpid(), signal.SIGKILL), range(3), jobs=2)


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_item_is_begun_after_a_stop(jobs):
    stop = threading.Event()

    def should_stop():
        return stop.is_set() or (stop.set() if len(asked) >= 3 else asked.append(1))

    asked = []
    with executor(jobs=jobs) as parallel:
        assert parallel.map(lambda item: item * 2, range(100), should_stop=should_stop) in ([0, 2, 4], [0, 2, 4, 6])


def test_processes_end_with_the_one_that_started_them():
    script = (
        "import time; from core.parallel import map_parallel; map_parallel(lambda _: time.sleep(600), [1, 2], jobs=2)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    until = time.monotonic() + 60
    while len(children := psutil.Process(parent.pid).children()) < 2:
        assert time.monotonic() < until
        time.sleep(0.1)
    time.sleep(1)  # until they are at work
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_several_nodes_without_a_cluster_are_refused(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(SettingsError, match="does not run on a Ray cluster"):
        map_parallel(abs, [1], nodes=2)

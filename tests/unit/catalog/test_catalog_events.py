"""The log of events: what goes in comes out, in order, from many threads, and durably."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.access import INSTALLATION, LOCAL
from core.catalog import Run, engine, events, runs
from core.errors import StorageError
from core.progress import Event

ROOT = Path(__file__).parents[3]


def add_runs():
    for run_id in ("r1", "r2"):
        runs.add(Run(id=run_id, workspace="local", task="count"), access=LOCAL)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (float("nan"), None),
        (float("-inf"), None),
        (np.float32("nan"), None),
        (np.float64(0.1), 0.1),
        (np.int64(2**62), 2**62),
        (np.bool_(True), True),
        (np.str_("text"), "text"),
        (np.array([[1.5, np.inf], [0, 1]]), [[1.5, None], [0.0, 1.0]]),
        (np.array(3), 3),
        (pd.Series([1, 2]), [1, 2]),
        ({1: {"deep": (np.nan, [np.inf])}}, {"1": {"deep": [None, [None]]}}),
        (date(2026, 1, 2), "2026-01-02"),
        (Path("a/b"), "a/b"),
        ("ünïcode ✓ \udce9", "ünïcode ✓ \udce9"),
        (None, None),
    ],
)
def test_values_as_json_has_them(home, given, stored):
    add_runs()
    events.append("r1", Event("search", 0.5, "Trial", {"value": given}), access=LOCAL)
    (event,) = events.read("r1", access=LOCAL)
    assert event.values == {"value": stored}


def test_all_fields(catalog):
    add_runs()
    events.append("r1", Event("search", np.float32(0.5), "Trial ✓ caf\udce9", {"score": 0.1}), attempt=2, access=LOCAL)
    events.append("r1", Event("done", float("nan")), access=LOCAL)
    first, second = events.read("r1", access=LOCAL)
    assert (first.phase, first.fraction, first.message, first.attempt) == ("search", 0.5, "Trial ✓ caf?", 2)
    assert first.values == {"score": 0.1}
    assert (second.fraction, second.message, second.values, second.attempt) == (None, "", {}, 1)
    assert 0 <= second.at - first.at < 60


def test_read_after_by_phase_and_latest(catalog):
    add_runs()
    for number in range(4):
        events.append("r1", Event("odd" if number % 2 else "even", None, str(number)), access=LOCAL)
    events.append("r2", Event("even", None, "another run"), access=LOCAL)
    stored = events.read("r1", access=LOCAL)
    assert [event.message for event in stored] == ["0", "1", "2", "3"]
    assert events.read("r1", after=stored[1].id, access=LOCAL) == stored[2:]
    assert events.read("r1", phase="odd", access=LOCAL) == stored[1::2]
    assert events.latest("r1", access=LOCAL) == stored[-1]
    assert events.read("r1", access=replace(LOCAL, workspace="other")) == []
    assert events.latest("r1", access=replace(LOCAL, workspace="other")) is None


def test_threads_lose_nothing_and_keep_their_order(catalog):
    add_runs()

    def write(thread):
        for number in range(50):
            events.append("r1", Event("search", None, "", {"thread": thread, "number": number}), access=LOCAL)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    stored = events.read("r1", access=LOCAL)
    assert len(stored) == 400
    for thread in range(8):
        assert [event.values["number"] for event in stored if event.values["thread"] == thread] == list(range(50))


def test_event_is_there_when_append_returns(home):
    """A writer that is killed right after it said so has lost nothing."""
    add_runs()
    code = (
        "import os; from core.access import LOCAL; from core.catalog import events; from core.progress import Event\n"
        "events.append('r1', Event('search', None, 'said'), access=LOCAL)\n"
        "os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == -9
    assert [event.message for event in events.read("r1", access=LOCAL)] == ["said"]


def test_failure_reaches_every_thread_and_the_next_event_is_stored(home, monkeypatch):
    add_runs()

    def full(*_):
        raise StorageError("The catalog cannot be used: the disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(events, "append_rows", full)
        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(events.append, "r1", Event("lost"), access=LOCAL) for _ in range(4)]
        assert all(isinstance(future.exception(), StorageError) for future in futures)
    events.append("r1", Event("kept"), access=LOCAL)
    assert [event.phase for event in events.read("r1", access=LOCAL)] == ["kept"]


def test_locked_database_is_explained_and_the_connection_stays_usable(home):
    add_runs()
    events.append("r1", Event("first"), access=LOCAL)
    kept = engine.kept_connection(engine.get_engine())
    kept.cursor().execute("PRAGMA busy_timeout=1")

    def write():
        events.append("r1", Event("second"), access=LOCAL)

    with engine.writing(INSTALLATION) as session:
        session.connection()
        with pytest.raises(StorageError, match="busy for too long"):
            write()
    write()
    assert [event.phase for event in events.read("r1", access=LOCAL)] == ["first", "second"]

"""Limits of a workspace in the engine: how many of its runs work and wait."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import jobs
from core.access import Access
from core.catalog import ACTIVE, RunState, runs
from core.errors import LimitError
from core.jobs import scheduler


def test_a_workspace_starts_and_queues_as_many_runs_as_it_may(
    installation: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "_start", lambda run: None)  # what starts stays where it is
    greedy, modest = (Access(name, "admin", name) for name in ("greedy", "modest"))  # type: ignore[arg-type]
    limits = {"WORKSPACE_RUNNING_SHORT": "2", "WORKSPACE_QUEUED": "3", "MAX_RUNNING_SHORT": "3"}
    with installation(tmp_path / "home", **limits):
        ids = [jobs.submit("check", {}, access=greedy) for _ in range(5)]
        states = [jobs.get(run_id, access=greedy).state for run_id in ids]
        assert states == [RunState.STARTING] * 2 + [RunState.QUEUED] * 3
        with pytest.raises(LimitError, match="3 runs wait in this workspace already"):
            jobs.submit("check", {}, access=greedy)
        assert len(runs.find(access=greedy)) == 5, "nothing is left of what was refused"
        assert jobs.waits_for_own(jobs.get(ids[2], access=greedy), access=greedy)
        own = jobs.submit("check", {}, access=modest)
        assert jobs.get(own, access=modest).state is RunState.STARTING
        second = jobs.submit("check", {}, access=modest)
        waiting = jobs.get(second, access=modest)
        assert waiting.state is RunState.QUEUED
        assert jobs.queue_position(waiting) == 2, "it is the turn of the other one"
        assert not jobs.waits_for_own(waiting, access=modest), "it waits for the runs of all"
        runs.change_state(ids[0], ACTIVE, RunState.SUCCEEDED, access=Access.engine("greedy"))
        jobs.tick()
        assert jobs.get(ids[2], access=greedy).state is RunState.STARTING
        assert jobs.queue_position(waiting) == 1

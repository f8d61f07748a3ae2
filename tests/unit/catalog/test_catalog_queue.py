"""Workspaces take turns in the queue, within their limits, whatever comes at the same time, on both databases."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.access import LOCAL, Access
from core.catalog import ACTIVE, Run, RunState, claims, queue, runs
from core.errors import LimitError


def add(workspace: str, queued_at: float, **fields: str) -> Run:
    run = Run(workspace=workspace, task="count", queued_at=queued_at, **fields)
    return runs.add(run, access=Access.engine(workspace))


def start(limit: int = 1, **options: int | bool) -> Run | None:
    return queue.claim_next("long", limit, 60, **options)  # type: ignore[arg-type]


def end(run: Run) -> None:
    runs.change_state(run.id, ACTIVE, RunState.SUCCEEDED, access=Access.engine(run.workspace))


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in range(1, 6))])
def test_nobody_waits_for_two_runs_of_another_workspace(catalog: str, seed: int) -> None:
    """While a run waits as the first of its workspace, every other workspace starts at most one, whatever it wants."""
    chance = random.Random(seed)
    names = [f"w{number}" for number in range(5)]
    waiting: dict[str, int] = dict.fromkeys(names, 0)
    since: dict[str, dict[str, int]] = {}  # starts of the others since a workspace waits for its turn
    for step in range(40):
        if chance.random() < 0.6 or not any(waiting.values()):
            name = names[0] if chance.random() < 0.6 else chance.choice(names)  # one of them floods the queue
            add(name, float(step))
            waiting[name] += 1
            since.setdefault(name, {})
            continue
        run = start()
        assert run is not None
        waiting[run.workspace] -= 1
        for name, others in since.items():
            if name != run.workspace:
                others[run.workspace] = others.get(run.workspace, 0) + 1
                assert others[run.workspace] <= 1, (step, name)
        del since[run.workspace]
        if waiting[run.workspace]:
            since[run.workspace] = {}
        end(run)


def test_positions_are_the_order_in_which_runs_start(catalog: str) -> None:
    chance = random.Random(7)
    for turn in range(4):  # so that some have had turns
        add(f"w{turn % 3}", -10.0 + turn)
        end(start())  # type: ignore[arg-type]
    waiting = [add(f"w{chance.randrange(5)}", float(number)) for number in range(14)]
    positions = {run.id: queue.position(run) for run in waiting}
    order = []
    while run := start():
        order.append(run.id)
        end(run)
    assert [positions[run_id] for run_id in order] == list(range(1, 15))
    first = next(run for run in waiting if run.id == order[0])
    assert queue.position(runs.get(first.id, access=Access.engine(first.workspace))) is None


def test_limits_of_a_workspace_hold_at_the_same_time(catalog: str) -> None:
    for number in range(12):
        add("greedy" if number < 8 else f"w{number}", float(number))
    with ThreadPoolExecutor(6) as pool:
        claimed = [run for run in pool.map(lambda _: start(6, workspace_limit=2), range(12)) if run is not None]
    names = [run.workspace for run in claimed]
    assert len(claimed) == len({run.id for run in claimed}) == 6
    assert names.count("greedy") == 2
    assert start(9, workspace_limit=2) is None, "only those of a workspace at its limit wait"
    end(next(run for run in claimed if run.workspace == "greedy"))
    assert start(9, workspace_limit=2).workspace == "greedy"  # type: ignore[union-attr]


def test_children_never_wait_for_their_parent(catalog: str) -> None:
    parent = add("a", 1.0)
    assert start(1, workspace_limit=1, children_wait=False).id == parent.id  # type: ignore[union-attr]
    add("a", 2.0)
    add("b", 3.0)
    child = add("a", 4.0, parent_id=parent.id)
    assert start(1, workspace_limit=1, children_wait=False).id == child.id  # type: ignore[union-attr]
    assert start(1, workspace_limit=1, children_wait=False) is None


def test_no_more_runs_wait_than_may(catalog: str) -> None:
    def submit(number: int) -> str | None:
        try:
            return runs.add(Run(workspace="local", task="count", title=str(number)), waiting_limit=3, access=LOCAL).id
        except LimitError:
            return None

    with ThreadPoolExecutor(4) as pool:
        ids = [run_id for run_id in pool.map(submit, range(8)) if run_id]
    assert len(ids) == len(runs.find(access=LOCAL)) == 3
    other = replace(LOCAL, workspace="other")
    runs.add(Run(workspace="other", task="count"), waiting_limit=1, access=other)
    runs.change_state(ids[0], [RunState.QUEUED], RunState.CANCELLED, access=LOCAL)
    assert submit(9) is not None
    with pytest.raises(LimitError, match="3 runs wait in this workspace already, the most that may"):
        claims.requeue(ids[0], waiting_limit=3, access=LOCAL)
    assert runs.get(ids[0], access=LOCAL).state is RunState.CANCELLED

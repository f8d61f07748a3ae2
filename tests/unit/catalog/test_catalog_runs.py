"""Queries over runs: compare-and-set, the queue, and whose run it is."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core.access import LOCAL
from core.catalog import ACTIVE, TERMINAL, Run, RunState, runs
from core.errors import NotFoundError


def add(**fields):
    return runs.add(Run(**{"workspace": "local", "task": "count"} | fields), access=LOCAL)


def test_row_comes_back_as_it_was(catalog):
    run = add(
        title="Ünïcode ✓",
        settings={"nested": {"list": [1, 2.5, None, True, "x"]}},
        result={"score": 0.1},
        used_s=0.1,
        lease_until=1795424535.1195781,
        monitor_created=1795424535.12,
    )
    assert runs.get(run.id, access=LOCAL) == run
    assert run.to_dict()["state"] == "QUEUED"
    assert len(run.id) == 16


def test_states_are_parted():
    assert {RunState.QUEUED} | ACTIVE | TERMINAL == set(RunState)
    assert not ACTIVE & TERMINAL
    assert [state for state in RunState if state.terminal] == [state for state in RunState if state in TERMINAL]


@pytest.mark.parametrize("workspace", ["other", "Local"])
def test_other_workspace_has_no_such_run(catalog, workspace):
    run = add()
    with pytest.raises(NotFoundError, match=run.id):
        runs.get(run.id, access=replace(LOCAL, workspace=workspace))
    assert runs.find(access=replace(LOCAL, workspace=workspace)) == []


def test_find_filters_newest_first(catalog):
    old = add(created_at=1.0, dataset_id="d1")
    new = add(created_at=2.0, task="ingest", state=RunState.FAILED)
    assert runs.find(access=LOCAL) == [new, old]
    assert runs.find(limit=1, access=LOCAL) == [new]
    assert runs.find(task="count", access=LOCAL) == [old]
    assert runs.find(dataset_id="d1", access=LOCAL) == [old]
    assert runs.find(states=TERMINAL, access=LOCAL) == [new]
    assert runs.find(states=[], access=LOCAL) == []


def test_change_of_state_happens_once_whoever_asks(catalog):
    run = add(state=RunState.RUNNING)
    ends = [RunState.SUCCEEDED, RunState.CANCELLED, RunState.FAILED, RunState.TIMED_OUT] * 4
    with ThreadPoolExecutor(len(ends)) as pool:
        took = list(
            pool.map(
                lambda state: runs.change_state(run.id, ACTIVE, state, error_message=str(state), access=LOCAL), ends
            )
        )
    assert sum(took) == 1
    ended = runs.get(run.id, access=LOCAL)
    assert ended.state is ends[took.index(True)]
    assert ended.error_message == ended.state


def test_fields_change_only_in_the_expected_states(catalog):
    run = add()
    assert not runs.set_fields(run.id, ACTIVE, title="no", access=LOCAL)
    assert runs.set_fields(run.id, [RunState.QUEUED], title="yes", access=LOCAL)
    assert not runs.set_fields("0" * 16, list(RunState), title="no such run", access=LOCAL)
    assert runs.get(run.id, access=LOCAL).title == "yes"


def test_claim_takes_the_longest_waiting_and_keeps_the_limit(catalog):
    late, early = add(queued_at=20.0), add(queued_at=10.0)
    add(queued_at=1.0, lane="short")
    before = time.time()
    claimed = runs.claim_next("long", 1, lease_s=5)
    assert claimed is not None
    assert claimed.id == early.id
    assert claimed.state is RunState.STARTING
    assert before <= claimed.started_at == pytest.approx(claimed.lease_until - 5)
    assert runs.get(early.id, access=LOCAL) == claimed
    assert runs.claim_next("long", 1, 5) is None
    assert runs.claim_next("long", 2, 5).id == late.id
    assert runs.claim_next("long", 3, 5) is None


def test_claims_at_the_same_moment_never_exceed_the_limit_nor_take_one_twice(catalog):
    waiting = {add(queued_at=float(number)).id for number in range(12)}
    with ThreadPoolExecutor(8) as pool:
        claimed = [run.id for run in pool.map(lambda _: runs.claim_next("long", 5, 5), range(24)) if run]
    assert len(claimed) == len(set(claimed)) == 5
    assert set(claimed) <= waiting
    assert len(runs.find(states=ACTIVE, access=LOCAL)) == 5


def test_queue_position_counts_the_lane_and_breaks_ties(catalog):
    tied = sorted((add(queued_at=5.0) for _ in range(3)), key=lambda run: run.id)
    first = add(queued_at=1.0, workspace="other")
    add(queued_at=0.5, lane="short")
    assert [runs.queue_position(run) for run in (first, *tied)] == [1, 2, 3, 4]
    assert runs.claim_next("long", 1, 5).id == first.id
    assert runs.claim_next("long", 2, 5).id == tied[0].id
    assert runs.queue_position(runs.get(tied[0].id, access=LOCAL)) is None


def test_lapsed_are_those_at_work_whose_lease_is_over(catalog):
    over = add(state=RunState.RUNNING, lease_until=10.0)
    add(state=RunState.RUNNING, lease_until=30.0)
    add(state=RunState.FAILED, lease_until=10.0)
    add()
    assert runs.lapsed(20.0) == [over]


def test_elapsed_leaves_the_queue_out():
    run = Run(workspace="local", task="count", created_at=0.0, queued_at=0.0)
    assert run.elapsed_s == 0
    run.used_s, run.started_at = 7.0, time.time() - 3
    assert run.elapsed_s == pytest.approx(10, abs=0.5)
    run.finished_at = run.started_at + 5
    assert run.elapsed_s == pytest.approx(12)

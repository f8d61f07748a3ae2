"""Queries over runs: compare-and-set, the queue, and whose run it is."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from core.access import LOCAL
from core.catalog import ACTIVE, TERMINAL, Run, RunArtifact, RunState, artifacts, claims, events, queue, runs
from core.catalog.engine import MIGRATIONS, get_engine, migrate
from core.errors import NotFoundError

ROOT = Path(__file__).parents[3]


def add(**fields):
    run = Run(**{"workspace": "local", "task": "count"} | fields)
    return runs.add(run, access=replace(LOCAL, workspace=run.workspace))


def test_row_comes_back_as_it_was(catalog):
    run = add(
        title="Ünïcode ✓",
        settings={"nested": {"list": [1, 2.5, None, True, "x"]}},
        result={"score": 0.1},
        elapsed_s=0.1,
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
    claimed = queue.claim_next("long", 1, lease_s=5)
    assert claimed is not None
    assert claimed.id == early.id
    assert claimed.state is RunState.STARTING
    assert claimed.started_at is None, "its time does not run yet"
    assert claimed.lease_until == pytest.approx(before + 5, abs=2)
    assert claimed.claim_token
    assert runs.get(early.id, access=LOCAL) == claimed
    assert queue.claim_next("long", 1, 5) is None
    assert queue.claim_next("long", 2, 5).id == late.id
    assert queue.claim_next("long", 3, 5) is None


def test_claims_at_the_same_moment_never_exceed_the_limit_nor_take_one_twice(catalog):
    waiting = {add(queued_at=float(number)).id for number in range(12)}
    with ThreadPoolExecutor(8) as pool:
        claimed = [run.id for run in pool.map(lambda _: queue.claim_next("long", 5, 5), range(24)) if run]
    assert len(claimed) == len(set(claimed)) == 5
    assert set(claimed) <= waiting
    assert len(runs.find(states=ACTIVE, access=LOCAL)) == 5


def test_queue_position_counts_the_lane_and_breaks_ties(catalog):
    tied = sorted((add(queued_at=5.0) for _ in range(3)), key=lambda run: run.id)
    first = add(queued_at=1.0, workspace="other")
    add(queued_at=0.5, lane="short")
    assert [queue.position(run) for run in (first, *tied)] == [1, 2, 3, 4]
    assert queue.claim_next("long", 1, 5).id == first.id
    assert queue.claim_next("long", 2, 5).id == tied[0].id
    assert queue.position(runs.get(tied[0].id, access=LOCAL)) is None


def test_lapsed_are_those_at_work_whose_lease_is_over(catalog):
    over = add(state=RunState.RUNNING, lease_until=time.time() - 5)
    add(state=RunState.RUNNING, lease_until=time.time() + 60)
    add(state=RunState.FAILED, lease_until=10.0)
    add()
    assert runs.lapsed() == [over]


def test_only_the_claim_that_holds_a_run_writes(catalog):
    add()
    first = queue.claim_next("long", 1, lease_s=-1)
    assert runs.change_state(first.id, ACTIVE, RunState.RUNNING, claim=first.claim_token, access=LOCAL)
    second = claims.take_over(first, lease_s=5)
    assert second != first.claim_token
    assert claims.take_over(first, lease_s=5) is None, "taken over already"
    assert not claims.renew(first.id, first.claim_token, 5, 100.0)
    assert not runs.change_state(first.id, ACTIVE, RunState.FAILED, claim=first.claim_token, access=LOCAL)
    assert not runs.set_fields(first.id, ACTIVE, claim=first.claim_token, title="no", access=LOCAL)
    assert claims.release(first.id, first.claim_token, again=True) is None
    assert claims.renew(first.id, second, 60, 3.0)
    held = runs.get(first.id, access=LOCAL)
    assert (held.state, held.elapsed_s, held.title) == (RunState.RUNNING, 3.0, "")
    assert held.lease_until == pytest.approx(time.time() + 60, abs=2)
    assert claims.take_over(held, lease_s=5) is None, "its lease was renewed"
    assert claims.release(first.id, second, again=True, elapsed_s=4.0, error_message="gone") is RunState.QUEUED
    queued = runs.get(first.id, access=LOCAL)
    assert (queued.attempt, queued.elapsed_s, queued.claim_token, queued.error_message) == (2, 4.0, None, None)


@pytest.mark.parametrize(
    ("fields", "again", "state"),
    [
        ({}, True, RunState.QUEUED),
        ({}, False, RunState.INTERRUPTED),
        ({"cancel_requested_at": 1.0}, True, RunState.CANCELLED),
        ({"cancel_requested_at": 1.0}, False, RunState.CANCELLED),
        ({"stop_requested_at": 1.0}, True, RunState.QUEUED),
    ],
)
def test_wishes_of_a_user_outlive_an_interruption(catalog, fields, again, state):
    run = add(state=RunState.RUNNING, claim_token="mine", **fields)
    assert claims.release(run.id, "mine", again=again, error_message="It was ended.") is state
    after = runs.get(run.id, access=LOCAL)
    assert (after.state, after.stop_requested_at) == (state, fields.get("stop_requested_at"))
    assert after.error_message == ("It was ended." if state is RunState.INTERRUPTED else None)


def test_a_run_that_reached_its_limit_gets_the_same_time_once_more(catalog):
    run = add(state=RunState.TIMED_OUT, timeout_s=10.0, elapsed_s=10.5)
    assert claims.requeue(run.id, access=LOCAL)
    assert runs.get(run.id, access=LOCAL).limit_from_s == 10.5
    assert not claims.requeue(run.id, access=LOCAL)
    failed = add(state=RunState.FAILED, timeout_s=10.0, elapsed_s=4.0)
    assert claims.requeue(failed.id, access=LOCAL)
    assert runs.get(failed.id, access=LOCAL).limit_from_s == 0, "it continues with what is left"


FENCED = """
from core.access import LOCAL
from core.catalog import RunArtifact, RunState, artifacts, claims, events, runs
from core.catalog.engine import fence
from core.errors import JobError
from core.progress import Event
run_id, claim, other = {arguments!r}
fence(run_id, claim)
artifact = RunArtifact(workspace="local", run_id=run_id, name="model", digest="d", size_bytes=1)
writes = [
    lambda: events.append(run_id, Event("search"), access=LOCAL),
    lambda: artifacts.add(artifact, access=LOCAL),
    lambda: runs.set_fields(run_id, list(RunState), title="mine", access=LOCAL),
    lambda: claims.requeue(other, access=LOCAL),
]
for _ in range(2):
    for write in writes:
        try:
            print(write() is not False, flush=True)
        except JobError as error:
            print(error.message, flush=True)
    input()
"""


def test_a_process_that_lost_its_run_writes_nothing_anywhere(catalog):
    run, other = add(state=RunState.RUNNING, claim_token="first"), add(state=RunState.FAILED)
    code = FENCED.format(arguments=(run.id, "first", other.id))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, **pipes)
    assert [process.stdout.readline() for _ in range(4)] == ["True\n"] * 4
    runs.change_state(other.id, [RunState.QUEUED], RunState.FAILED, access=LOCAL)
    claimed = runs.set_fields(run.id, ACTIVE, claim_token="second", title="of the second", access=LOCAL)
    assert claimed
    said, _ = process.communicate("\n\n")
    assert said.splitlines() == [f"Another attempt of run '{run.id}' has taken its place."] * 4
    assert runs.get(run.id, access=LOCAL).title == "of the second"
    assert runs.get(other.id, access=LOCAL).state is RunState.FAILED
    assert len(events.read(run.id, access=LOCAL)) == 1


def test_seconds_of_work_of_earlier_versions_are_kept(catalog):
    """They stored those of earlier attempts, and two moments of the last one."""
    ended = add(state=RunState.FAILED)
    waiting = add()
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with get_engine().begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0007")
        for run, values in ((ended, (7.0, 100.0, 105.0)), (waiting, (3.0, None, None))):
            statement = text("UPDATE run SET used_s = :used, started_at = :start, finished_at = :end WHERE id = :id")
            connection.execute(statement, dict(zip(("used", "start", "end"), values, strict=True)) | {"id": run.id})
    migrate(get_engine())
    assert [runs.get(run.id, access=LOCAL).elapsed_s for run in (ended, waiting)] == [12.0, 3.0]


def test_runs_are_found_by_what_their_results_name(catalog):
    named = add(result={"model": "0123456789abcdef"})
    add(result={"model": "fedcba9876543210", "said": "0123456789abcdef%"})
    add(result=None)
    matches = runs.find(task="count", result_names="0123456789abcdef", access=LOCAL)
    assert [run.id for run in matches] == [named.id]
    assert runs.find(result_names="0123%", access=LOCAL) == []


def test_the_newest_artifact_of_a_name_is_that_of_the_run_that_succeeded_last(catalog):
    for finished, state in ((2.0, RunState.SUCCEEDED), (3.0, RunState.FAILED), (1.0, RunState.SUCCEEDED)):
        run = add(state=state, finished_at=finished)
        digest = f"{int(finished)}" * 64
        artifacts.add(
            RunArtifact(workspace="local", run_id=run.id, name="seen", digest=digest, size_bytes=1), access=LOCAL
        )
    assert artifacts.newest("seen", access=LOCAL).digest == "2" * 64
    assert artifacts.newest("other", access=LOCAL) is None
    assert artifacts.newest("seen", access=replace(LOCAL, workspace="other")) is None

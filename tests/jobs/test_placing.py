"""Runs that an engine is asked for, with an engine that does what a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import update
from sqlmodel import col

from core import jobs
from core.access import INSTALLATION, LOCAL
from core.catalog import Run, RunState, claims, placements, queue, runs
from core.catalog.clock import database_now
from core.catalog.engine import writing
from core.errors import JobError, LimitError, PlumblineError, RemoteError
from core.jobs import Needs, engine, placing
from core.jobs.launchers.base import Job, Node, Nodes, Sight
from core.settings import get_settings

ENGINE = "ray://127.0.0.1:1"


@dataclass
class FakeEngine:
    """An engine whose jobs wait for ever, unless it is told otherwise."""

    title: str = "the engine"
    jobs: dict[str, Job] = field(default_factory=dict)
    sights: dict[str, Sight] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    launch_error: PlumblineError | None = None
    look_error: PlumblineError | None = None
    loses_answers: bool = False
    listed: Nodes = field(default_factory=lambda: Nodes(nodes=(Node(name="one", cpus=2, gpus=0, memory_mb=4_000),)))

    def launch(self, job: Job) -> None:
        self.asked.append(job.handle)
        if self.launch_error is not None:
            raise self.launch_error
        self.jobs[job.handle] = job
        if self.loses_answers:
            raise RemoteError("The engine did not answer in time.", "It is tried again.")

    def look(self, handle: str) -> Sight:
        if self.look_error is not None:
            raise self.look_error
        known = Sight(state="waiting") if handle in self.jobs else Sight(state="gone", unknown=True)
        return self.sights.get(handle, known)

    def end(self, handle: str) -> None:
        self.ended.append(handle)

    def log(self, handle: str, tail_bytes: int) -> str:
        return ""

    def nodes(self) -> Nodes:
        return self.listed


@pytest.fixture
def fake(home, monkeypatch) -> Iterator[FakeEngine]:
    """The engine of the installation; it never rests, and each look is one."""
    made = FakeEngine()
    monkeypatch.setenv("PLUMBLINE_ENGINE", ENGINE)
    get_settings.cache_clear()
    engine._engine.cache_clear()
    monkeypatch.setattr(engine, "launcher", lambda: made)
    monkeypatch.setattr(engine, "_REST_S", 0.0)
    monkeypatch.setattr(engine, "_NODES_KEPT_S", 0.0)
    for name in ("_LOOK_EVERY_S", "_ENDED_EVERY_S"):
        monkeypatch.setattr(placing, name, 0.0)
    monkeypatch.setattr(placing, "_look_at", 0.0)
    monkeypatch.setattr(placing, "_ended_at", 0.0)
    yield made
    engine._engine.cache_clear()


def submit(**options) -> str:
    """Submit a run that nobody begins."""
    return jobs.submit("count", {}, access=LOCAL, needs=Needs(cpus=1, memory_mb=100), **options)


def get(run_id: str) -> Run:
    """Return a run."""
    return jobs.get(run_id, access=LOCAL)


def older(seconds: float) -> None:
    """Let all placements have been made so many seconds earlier."""
    with writing(INSTALLATION) as session:
        session.execute(update(Run).where(col(Run.placed_at).is_not(None)).values(placed_at=database_now() - seconds))


def begin(run: Run) -> bool:
    """Do what the monitor of a job does first."""
    return claims.begin(run, run.claim_token or "", RunState.QUEUED, 15.0)


def test_a_placed_run_waits_with_a_claim_and_without_a_lease(fake) -> None:
    run = get(submit())
    assert (run.state, run.engine, run.handle) == (RunState.QUEUED, ENGINE, f"plumbline-{run.id}-1")
    assert run.claim_token
    assert run.lease_until is None
    job = fake.jobs[run.handle]
    assert job.environment["PLUMBLINE_RUN_CLAIM"] == run.claim_token
    assert jobs.describe_wait(run) == "Waiting for a node of the engine with 1 CPU and 105 MB of memory."
    assert begin(run)
    begun = get(run.id)
    assert begun.state is RunState.RUNNING
    assert begun.lease_until is not None
    assert not begin(run), "a job that comes twice begins nothing"


def test_a_job_that_the_engine_does_not_know_yet_is_left_to_whoever_asks_for_it(fake) -> None:
    run = get(submit())
    fake.jobs.clear()  # it was noted as placed, and its job is asked for in this moment
    jobs.tick()
    assert get(run.id) == run
    assert fake.asked == [run.handle]
    older(60)  # whoever was to ask for it has ended
    jobs.tick()
    again = get(run.id)
    assert fake.asked == [run.handle] * 2
    assert (again.handle, again.claim_token, again.failed_placements) == (run.handle, run.claim_token, 0)


def test_an_answer_that_is_lost_makes_no_second_job(fake) -> None:
    fake.loses_answers = True
    run = get(submit())
    fake.loses_answers = False
    for _ in range(4):
        older(60)
        jobs.tick()
    assert list(fake.jobs) == [run.handle]
    assert begin(get(run.id))


def test_a_job_that_ends_before_it_begins_is_asked_for_three_times(fake) -> None:
    run_id = submit()
    for number in (1, 2, 3):
        run = get(run_id)
        assert run.handle == f"plumbline-{run_id}-{number}"
        fake.sights[run.handle] = Sight(state="gone", message="no module named core")
        jobs.tick()
    run = get(run_id)
    assert run.state is RunState.FAILED
    assert run.error_message == "The run could not be started on the engine, 3 times: no module named core."
    assert run.finished_at is not None


def test_a_job_that_waited_for_too_long_is_asked_for_as_often_as_need_be(fake) -> None:
    run_id = submit()
    for _ in range(6):
        fake.sights[get(run_id).handle] = Sight(state="gone", message="waited", blameless=True)
        jobs.tick()
    run = get(run_id)
    assert (run.state, run.failed_placements, run.placements) == (RunState.QUEUED, 0, 7)


def test_an_engine_that_refuses_one_run_refuses_no_others(fake) -> None:
    fake.launch_error = JobError("The engine did not start a job: odd.", "")
    ids = [submit() for _ in range(3)]
    states = [get(run_id).state for run_id in ids]
    assert RunState.FAILED not in states[1:]
    fake.launch_error = None
    jobs.tick()
    assert [get(run_id).placed_at is not None for run_id in ids[1:]] == [True, True]


def test_an_engine_that_is_away_leaves_runs_waiting(fake) -> None:
    fake.launch_error = fake.look_error = RemoteError("The engine cannot be reached: no route.", "Runs wait.")
    run_id = submit()
    for _ in range(5):
        older(60)
        jobs.tick()
    assert (get(run_id).state, get(run_id).failed_placements) == (RunState.QUEUED, 0)
    assert jobs.describe_wait(get(run_id)) == "The engine cannot be reached: no route. Runs wait."
    fake.launch_error = fake.look_error = None
    jobs.tick()
    assert jobs.engine_trouble() is None
    assert list(fake.jobs) == [get(run_id).handle]


def test_a_log_that_went_with_its_node_keeps_nothing_from_being_placed_again(fake, monkeypatch) -> None:
    def gone(*_: object) -> str:
        raise RemoteError("The agent of the node is gone.", "")

    monkeypatch.setattr(fake, "log", gone)
    run_id = submit()
    fake.sights[get(run_id).handle] = Sight(state="gone", message="its node is gone")
    jobs.tick()
    assert get(run_id).placements == 2


def test_a_run_that_begins_when_it_is_taken_back_stays(fake, monkeypatch) -> None:
    run = get(submit())
    monkeypatch.setattr(placing, "_BEGIN_S", 0.0)
    look = fake.look

    def begins_meanwhile(handle: str) -> Sight:
        begin(run)
        return Sight(state="running")

    monkeypatch.setattr(fake, "look", begins_meanwhile)
    jobs.tick()
    monkeypatch.setattr(fake, "look", look)
    assert get(run.id).state is RunState.RUNNING
    assert fake.ended == [], "its job is not ended"


def test_only_a_few_runs_wait_in_the_engine_and_in_their_order(fake) -> None:
    ids = [submit() for _ in range(12)]
    placed = [run_id for run_id in ids if get(run_id).placed_at is not None]
    assert placed == ids[:4]
    assert [jobs.queue_position(get(run_id)) for run_id in ids] == [None] * 4 + list(range(1, 9))
    fake.listed = Nodes(nodes=tuple(Node(name=f"{number}", cpus=2, gpus=0, memory_mb=1) for number in range(5)))
    jobs.tick()
    assert [run_id for run_id in ids if get(run_id).placed_at is not None] == ids[:10]


def test_a_run_that_was_cancelled_while_it_waited_begins_nothing_and_its_job_is_ended(fake) -> None:
    run = get(submit())
    assert jobs.cancel(run.id, access=LOCAL).state is RunState.CANCELLED
    assert not begin(run)
    jobs.tick()
    assert fake.ended[0] == run.handle
    fake.sights[run.handle] = Sight(state="gone")
    jobs.tick()
    assert get(run.id).handle == ""
    assert placements.left_behind() == []


def test_a_resumed_run_has_a_job_of_its_own(fake) -> None:
    first = get(submit())
    jobs.cancel(first.id, access=LOCAL)
    jobs.resume(first.id, access=LOCAL)
    again = get(first.id)
    assert (again.attempt, again.handle) == (2, f"plumbline-{first.id}-2")
    assert not begin(first)
    assert begin(again)


def test_runs_of_an_engine_that_is_not_used_any_more_are_taken_back(fake, monkeypatch) -> None:
    run_id = submit()
    monkeypatch.setenv("PLUMBLINE_ENGINE", "ray://127.0.0.1:2")
    get_settings.cache_clear()
    jobs.tick()
    assert get(run_id).engine == ENGINE
    assert "Another engine (ray://127.0.0.1:1) was asked for it" in (jobs.describe_wait(get(run_id)) or "")
    assert get(submit()).placed_at is not None, "it does not count against what may wait in the engine of now"
    older(700)
    jobs.tick()
    assert get(run_id).engine == "ray://127.0.0.1:2"


def test_short_runs_and_pipelines_work_here(fake) -> None:
    run_id = jobs.submit("outputs", {"text": "x"}, access=LOCAL)
    assert jobs.wait(run_id, 60, access=LOCAL).state is RunState.SUCCEEDED
    assert fake.asked == []
    assert jobs.get(run_id, access=LOCAL).node


def test_a_run_that_lost_its_process_between_claim_and_lease_is_recovered(fake) -> None:
    run = get(submit())
    assert begin(run)
    with writing(INSTALLATION) as session:
        session.execute(update(Run).where(col(Run.id) == run.id).values(lease_until=None))
    assert [lapsed.id for lapsed in runs.lapsed()] == [run.id]
    assert claims.take_over(get(run.id), 15.0) is not None


def test_what_no_node_can_hold_is_refused_unless_nodes_may_be_added(fake) -> None:
    with pytest.raises(LimitError, match=r"needs 4 CPUs and .* the largest has 2 CPUs"):
        jobs.submit("count", {}, needs=Needs(cpus=4, memory_mb=100), access=LOCAL)
    fake.listed = Nodes(nodes=fake.listed.nodes, grows=True)
    run = get(jobs.submit("count", {}, needs=Needs(cpus=4, memory_mb=100), access=LOCAL))
    assert run.placed_at is not None
    fake.listed = Nodes(nodes=fake.listed.nodes)
    assert (jobs.describe_wait(run) or "").startswith("No node of the engine has 4 CPUs")


def test_estimates_are_cut_to_what_nodes_have(fake) -> None:
    wanted = Needs(cpus=8, gpus=1, memory_mb=100)
    assert engine.fitted(wanted) == Needs(cpus=2, gpus=0, memory_mb=100)
    gpu = Node(name="gpu", cpus=4, gpus=2, memory_mb=8_000)
    fake.listed = Nodes(nodes=(*fake.listed.nodes, gpu))
    assert engine.fitted(wanted) == Needs(cpus=4, gpus=1, memory_mb=100)
    fake.listed = Nodes(nodes=fake.listed.nodes, grows=True)
    assert engine.fitted(wanted) == wanted


def test_a_page_leaves_the_engine_to_the_thread_that_keeps_time(fake) -> None:
    done = threading.Event()
    keeper = threading.Thread(target=done.wait, name=engine.TIMEKEEPER)
    keeper.start()
    try:
        run_id = submit()
        jobs.tick()
        assert fake.asked == []
        assert engine.engine().asked.is_set(), "it is woken"
        assert jobs.cluster_nodes() is None
    finally:
        done.set()
        keeper.join()
    jobs.tick()
    assert fake.asked == [get(run_id).handle]


def test_two_that_place_at_the_same_time_place_each_run_once(fake) -> None:
    ids = {submit() for _ in range(4)}
    assert len(fake.asked) == len(set(fake.asked)) == 4
    more = [submit() for _ in range(4)]
    fake.listed = Nodes(nodes=tuple(Node(name=f"{number}", cpus=2, gpus=0, memory_mb=1) for number in range(8)))
    threads = [threading.Thread(target=placing.place_waiting, args=("long", None, None)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fake.asked) == sorted(get(run_id).handle for run_id in [*ids, *more])
    assert not queue.waits("long")

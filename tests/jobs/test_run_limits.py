"""Deadline and memory limit hold over the whole tree of processes, and what a task leaves behind is ended."""

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState


@pytest.fixture(scope="module")
def ended(installation, tmp_path_factory):
    """Three runs with a family of processes each, side by side."""
    with installation(tmp_path_factory.mktemp("limits") / "home", MAX_RUNNING="3"):
        ids = {
            "deadline": jobs.submit("family", {"deaf": True}, timeout_s=6, access=LOCAL),
            "memory": jobs.submit("family", {"hold_mb": 700}, memory_limit_mb=600, access=LOCAL),
            "left": jobs.submit("family", {"leave": True}, access=LOCAL),
        }
        yield {name: jobs.wait(run_id, 60, access=LOCAL) for name, run_id in ids.items()}


def family(run):
    return [*jobs.events(run.id, phase="family", access=LOCAL)[0].values["pids"], run.worker_pid, run.monitor_pid]


@pytest.mark.parametrize("name", ["deadline", "memory", "left"])
def test_whole_family_is_gone(ended, gone, name):
    pids = family(ended[name])
    assert len(set(pids)) == 5  # two children, an orphan, the worker (twice), the monitor (twice)
    gone(pids)


def test_deadline(ended):
    run = ended["deadline"]
    assert run.state is RunState.TIMED_OUT
    assert run.error_message == "The run reached its limit of 6 s and was ended."
    assert 6 < run.elapsed_s < 6 + 1 + 4  # the limit, the grace, a loaded machine
    assert not jobs.resumable(run, access=LOCAL)


def test_memory_of_a_grandchild_counts(ended):
    run = ended["memory"]
    assert run.state is RunState.OUT_OF_MEMORY
    assert "its limit is 600 MB" in run.error_message
    assert run.peak_rss_mb > 600


def test_left_behind(ended):
    run = ended["left"]
    assert run.state is RunState.SUCCEEDED
    assert run.result == {"left": family(run)[:3]}


def test_limits_of_the_installation_are_the_default(installation, tmp_path):
    with installation(tmp_path, RUN_TIMEOUT_S="7", MEMORY_LIMIT_MB="99", MAX_RUNNING="1"):
        first = jobs.submit("count", {"steps": 1}, access=LOCAL)
        assert (jobs.get(first, access=LOCAL).timeout_s, jobs.get(first, access=LOCAL).memory_limit_mb) == (
            7,
            99,
        )
        own = jobs.get(jobs.submit("count", {"steps": 1}, timeout_s=8, memory_limit_mb=100, access=LOCAL), access=LOCAL)
        assert (own.timeout_s, own.memory_limit_mb) == (8, 100)

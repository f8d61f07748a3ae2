"""Tasks that fail in various ways: the state, the message for the user, and the log."""

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import RunState
from core.settings import get_settings

FAILED = {  # how: (message, hint, words in the log)
    "plumbline error": ("There is no column 'incme'.", "Did you mean 'income'?", "InputError"),
    "no unicode": ("Cannot read 'caf?.csv'.", "Rename it.", "InputError"),
    "unexpected": ("An unexpected error occurred (ZeroDivisionError: nobody thought of it).", "log", "Traceback"),
    "out of memory": ("The run needed more memory than is available.", "fewer rows", "MemoryError"),
    "denied": ("The run failed: [Errno 21] Is a directory", "log", "IsADirectoryError"),
    "exit": ("The run's process ended without a result (exit status 0).", "log", ""),
    "crash": ("The run's process crashed (Segmentation fault).", "log", "misbehave.py"),
    "no json": ("An unexpected error occurred (TypeError: Object of type set", "log", "Traceback"),
}


@pytest.fixture(scope="module")
def ended(installation, tmp_path_factory):
    with installation(tmp_path_factory.mktemp("endings") / "home", MAX_RUNNING="4"):
        ids = {
            how: jobs.submit("misbehave", {"how": how}, access=LOCAL)
            for how in [*FAILED, "killed", "stopped", "thread"]
        }
        yield {how: jobs.wait(run_id, 60, access=LOCAL) for how, run_id in ids.items()}


@pytest.mark.parametrize("how", FAILED)
def test_failure_is_explained(ended, how):
    run = ended[how]
    message, hint, in_log = FAILED[how]
    assert run.state is RunState.FAILED
    assert run.error_message.startswith(message)
    assert hint in run.error_hint
    assert in_log in jobs.log(run.id, access=LOCAL)
    assert run.result is None
    assert run.finished_at >= run.started_at


def test_a_kill_is_an_interruption_and_no_failure_of_the_task(ended):
    run = ended["killed"]
    assert run.state is RunState.INTERRUPTED
    assert run.error_message == "The run's process was ended from outside (SIGKILL)."
    assert "repeat it" in run.error_hint


def test_a_task_that_stopped_with_a_checkpoint_is_cancelled_and_says_where(ended):
    run = ended["stopped"]
    assert run.state is RunState.CANCELLED
    assert (run.error_message, run.error_hint) == ("Stopped at step 4; resume to continue.", "Resume it.")
    assert run.result is None


def test_thread_that_never_ends_does_not_hold_the_result_back(ended):
    run = ended["thread"]
    assert run.state is RunState.SUCCEEDED
    assert run.result == {"answer": 42}
    assert "ending it" in jobs.log(run.id, access=LOCAL)


def test_failed_run_leaves_no_scratch_unless_it_is_resumable(ended):
    for run in ended.values():
        assert not (get_settings().runs_dir / run.id / "work").exists()


def test_run_of_a_task_that_is_gone_can_be_looked_at(ended):
    run = ended["exit"].model_copy(update={"task": "no_longer_there"})
    assert not jobs.resumable(run, access=LOCAL)
    assert not jobs.stoppable(run)
    assert not jobs.repeatable(run)

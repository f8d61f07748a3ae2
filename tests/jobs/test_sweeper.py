"""What is left of runs that were killed or cancelled is removed, and nothing that a run still needs."""

import os
import subprocess
import sys
import time

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import ACTIVE, Run, RunState, runs
from core.jobs import processes, temporary
from core.jobs.context import run_dir
from core.settings import get_settings

HOUR, DAY = 3_600.0, 86_400.0
UNFINISHED = [RunState.QUEUED, *ACTIVE]


def add(state, task="family", **fields):
    return runs.add(Run(workspace="local", task=task, state=state, **fields), access=LOCAL)


def aged(path, age_s, *, folder=False):
    """Make a file, or a folder with one in it, that was changed some time ago."""
    (path if folder else path.parent).mkdir(parents=True, exist_ok=True)
    (path / "file" if folder else path).write_bytes(b"content")
    os.utime(path, (time.time() - age_s,) * 2)
    return path


@pytest.mark.parametrize(
    ("folder", "setting", "age_s"),
    [("uploads", "upload", HOUR), ("previews", "folder", DAY)],
    ids=["upload", "preview"],
)
def test_files_of_users_stay_as_long_as_a_run_needs_them(home, folder, setting, age_s):
    for state in RunState:
        for age in ("old", "new"):
            add(state, settings={setting: f"{age} {state}", "filename": "a.csv"})
            aged(home / folder / f"{age} {state}", age_s * (1.5 if age == "old" else 0.5), folder=folder == "previews")
    aged(home / folder / "old of nobody", age_s * 1.5, folder=folder == "previews")
    jobs.sweep()
    left = {path.name for path in (home / folder).iterdir()}
    assert left == {f"old {state}" for state in UNFINISHED} | {f"new {state}" for state in RunState}
    jobs.sweep(time.time() + 10 * DAY)
    assert {path.name for path in (home / folder).iterdir()} == {
        f"{age} {state}" for state in UNFINISHED for age in ("old", "new")
    }


def test_working_files_stay_as_long_as_a_run_can_be_resumed(home):
    finished_at = time.time() - 3 * DAY
    kept = {task: [add(state, task, finished_at=finished_at) for state in RunState] for task in ("count", "family")}
    for run in [*kept["count"], *kept["family"]]:
        aged(run_dir(run.id) / "work" / "checkpoint", 0)
        aged(run_dir(run.id) / "log.txt", 0)

    def with_work(task):
        return {run.state for run in kept[task] if (run_dir(run.id) / "work").exists()}

    jobs.sweep()
    assert with_work("family") == set(UNFINISHED)
    assert with_work("count") == set(RunState) - {RunState.SUCCEEDED}
    failed = next(run for run in kept["count"] if run.state is RunState.FAILED)
    assert jobs.resumable(failed, access=LOCAL)
    jobs.sweep(time.time() + 28 * DAY)
    assert with_work("count") == set(UNFINISHED)
    assert all((run_dir(run.id) / "log.txt").exists() for run in [*kept["count"], *kept["family"]])


def test_a_run_whose_working_files_were_removed_cannot_be_resumed(installation, tmp_path):
    with installation(tmp_path / "home", KEEP_WORK_DAYS="2"):
        old, new = (add(RunState.FAILED, "count", finished_at=time.time() - days * DAY) for days in (3, 1))
        assert not jobs.resumable(old, access=LOCAL)
        assert jobs.resumable(new, access=LOCAL)


def test_folders_of_runs_that_are_gone_and_temporary_files_are_removed_after_a_day(home):
    run = add(RunState.FAILED)
    for name, age_s in (("a" * 16, 2 * DAY), ("b" * 16, HOUR), (run.id, 2 * DAY), ("of someone else", 2 * DAY)):
        aged(get_settings().runs_dir / name, age_s, folder=True)
    for name, age_s in (("old", 2 * DAY), ("new", HOUR)):
        aged(home / "artifacts" / "tmp" / name, age_s)
    jobs.sweep()
    assert {path.name for path in get_settings().runs_dir.iterdir()} == {"b" * 16, run.id, "of someone else"}
    assert [path.name for path in (home / "artifacts" / "tmp").iterdir()] == ["new"]


def test_temporary_folders_of_runs_are_removed_unless_a_process_uses_them(home, tmp_path, monkeypatch):
    monkeypatch.setenv("PLUMBLINE_RUN_TMPDIR", str(tmp_path))
    waiting, used = add(RunState.RUNNING).id, "c" * 16  # the second is another installation's
    for run_id in (waiting, used, "d" * 16):
        aged(temporary.temporary_folder(run_id), 2 * DAY, folder=True)
    aged(temporary.temporary_folder("e" * 16), HOUR, folder=True)
    code = "print(flush=True); import time; time.sleep(600)"
    environment = os.environ | {processes.MARK: used}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        jobs.sweep()
        process.kill()
    assert {run_id for run_id, _ in temporary.temporary_folders()} == {waiting, used, "e" * 16}


def test_temporary_files_go_with_the_run(home):
    run = jobs.wait(jobs.submit("surroundings", {}, access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    folder = run.result["temporary"]
    assert run.id in folder
    assert not os.path.exists(folder)

"""What a run in a sandbox cannot do: each attempt fails, and a run that takes too much ends with a sentence."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from core import jobs
from core.access import LOCAL, Access
from core.catalog import Dataset, RunState, datasets, runs
from core.catalog import Run as RunRow
from core.errors import SettingsError
from core.jobs import require_sandbox
from core.jobs.sandbox.command import KEPT_OUT, PASSED, environment
from core.jobs.sandbox.folders import NOBODY
from core.settings import Settings
from core.storage import get_store
from tests.jobs.job_tasks.intrude import REACHED

OTHER = Access.engine("another")
ROOT = Path(__file__).parents[2]
NOWHERE = {
    "other": "0" * 16,
    "port": 9,
    "socket": "/tmp/nobody-listens",
    "abstract": "\0nobody-listens",
    "foreign": "1" * 16,
    "foreign_dataset": "1" * 16,
    "backwards": "12" * 32,
}
SECRET = "a password that no run may see"


@pytest.fixture(scope="module", autouse=True)
def bubblewrap():
    """Skip where bubblewrap is not installed; where CI is set, that is an error."""
    if shutil.which("bwrap") is None:
        reason = "bubblewrap is not installed (apt-get install bubblewrap)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="module")
def home(installation, tmp_path_factory, bubblewrap):
    settings = {"SANDBOX": "bubblewrap", "MEMORY_LIMIT_MB": "900", "RUN_DISK_MB": "60", "RUN_PROCESSES": "64"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        with installation(tmp_path_factory.mktemp("sandbox") / "home", **settings, MAX_RUNNING="2") as folder:
            require_sandbox()
            yield folder


def done(task: str, settings: dict):
    return jobs.wait(jobs.submit(task, settings, access=LOCAL), 120, access=LOCAL)


@pytest.fixture(scope="module")
def intruded(home, tmp_path_factory):
    """The run that tried everything, beside a run of its workspace and rows of another one."""
    other = runs.add(RunRow(workspace="local", task="count", state=RunState.SUCCEEDED), access=LOCAL)
    digest = get_store().put_bytes(b"another workspace's table")
    foreign = runs.add(RunRow(workspace="another", task="count", state=RunState.SUCCEEDED), access=OTHER)
    dataset, _ = datasets.add(
        Dataset(
            workspace="another",
            name="Theirs",
            fingerprint="0" * 64,
            data_digest=digest,
            profile_digest=digest,
            rows=1,
            columns=1,
            size_bytes=1,
        ),
        access=OTHER,
    )
    path = str(tmp_path_factory.mktemp("s") / "socket")
    abstract = f"\0plumbline-{os.getpid()}"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(path)
        local.listen()
        with socket.socket(socket.AF_UNIX) as named:
            named.bind(abstract)
            named.listen()
            run = done(
                "intrude",
                {
                    "try": "everything",
                    "home": str(home),
                    "other": other.id,
                    "port": server.getsockname()[1],
                    "socket": path,
                    "abstract": abstract,
                    "pid": os.getpid(),
                    "foreign": foreign.id,
                    "foreign_dataset": dataset.id,
                    "backwards": digest[::-1],  # settings give a right to the contents that they name
                },
            )
    assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run.id, access=LOCAL))
    return other, run


def test_a_run_works_in_a_sandbox(intruded):
    _, run = intruded
    assert [event.message for event in jobs.events(run.id, access=LOCAL)] == ["Trying"]
    with jobs.artifact_path(run.id, "kept", access=LOCAL).open("rb") as file:
        assert file.read() == b"own"
    assert run.result["read"] == "own"


def test_each_attempt_fails(intruded):
    _, run = intruded
    attempts = run.result["attempts"]
    assert len(attempts) > 25
    assert {name: text for name, text in attempts.items() if text.startswith(REACHED)} == {}
    words = {
        "open the catalog": "FileNotFoundError",
        "another run's folder": "FileNotFoundError",
        "loopback": "ConnectionRefusedError",
        "another's pid": "ProcessLookupError",
        "another workspace's dataset": "NotFoundError",
        "a content of another workspace": "NotFoundError",
        "start a run": "DeniedError",
    }
    assert {name: word in attempts[name] for name, word in words.items()} == dict.fromkeys(words, True), attempts
    assert jobs.get(run.id, access=LOCAL).timeout_s is None


def test_no_secret_and_no_process_is_left(home, intruded, until):
    _, run = intruded
    assert "PLUMBLINE_HOME" in run.result["environments"]
    assert SECRET not in run.result["environments"]
    assert "PLUMBLINE_DATABASE" not in run.result["environments"]
    until(lambda: not [process for process in psutil.process_iter(["environ"]) if run.id in str(process.info)])
    assert {path.name for path in (home / "runs" / run.id).iterdir()} <= {"log.txt", "work"}


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("attempt", "state", "sentence"),
    [
        ("forks", RunState.FAILED, "more processes than the 64"),
        ("memory", RunState.FAILED, "more memory than is available"),
        ("filled", RunState.OUT_OF_MEMORY, "its limit is 900 MB"),
        ("disk", RunState.FAILED, "its limit is 60 MB"),
        ("deleted", RunState.FAILED, "its limit is 60 MB"),
        ("store", RunState.FAILED, "took more than 60 MB"),
    ],
)
def test_what_takes_too_much_ends_with_a_sentence(home, attempt, state, sentence):
    run = done("intrude", {"try": attempt})
    assert (run.state, sentence in (run.error_message or "")) == (state, True), (
        run.error_message,
        jobs.log(run.id, access=LOCAL),
    )
    assert run.error_hint


AS_NOBODY = """
import json, os
from core import jobs
from core.access import LOCAL
jobs.require_sandbox()
asked = json.loads(os.environ["RUNS"])
runs = {name: jobs.submit(task, settings, access=LOCAL) for name, (task, settings) in asked.items()}
for name, run_id in runs.items():
    run = jobs.wait(run_id, 300, access=LOCAL)
    print(json.dumps([name, run.state, run.error_message, run.result]))
"""


@pytest.mark.nightly
@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests of this file are those of a server that is not root")
def test_the_same_holds_for_a_server_that_is_not_root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nobody")
    os.chown(folder, NOBODY, NOBODY)
    runs_of = {
        "everything": ("intrude", {"try": "everything", **NOWHERE, "home": "/home/plumbline", "pid": os.getpid()}),
        "forks": ("intrude", {"try": "forks"}),
        "disk": ("intrude", {"try": "disk"}),
    }
    prefix = sys.base_prefix
    shown = ["--dev-bind", "/", "/", "--tmpfs", "/root", "--bind", str(folder), "/home"]
    for path in (prefix, sys.prefix, str(ROOT)):
        above = [str(item) for item in reversed(Path(path).parents) if item.is_relative_to("/root")]
        shown += [part for item in above for part in ("--perms", "0755", "--dir", item)]
        shown += ["--ro-bind", path, path] if path.startswith("/root/") else []
    user = ["/usr/bin/setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    ended = subprocess.run(
        ["bwrap", *shown, "--cap-add", "ALL", "--chdir", str(ROOT), *user, sys.executable, "-c", AS_NOBODY],
        env={
            "PATH": os.environ["PATH"],
            "HOME": "/tmp",
            "RUNS": json.dumps(runs_of),
            "PLUMBLINE_HOME": "/home/plumbline",
            "PLUMBLINE_SANDBOX": "bubblewrap",
            "PLUMBLINE_TASK_PACKAGES": "core.tasks, tests.jobs.job_tasks",
            "PLUMBLINE_RUN_PROCESSES": "64",
            "PLUMBLINE_RUN_DISK_MB": "60",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    results = {name: values for name, *values in map(json.loads, ended.stdout.splitlines())}
    assert results["everything"][0] == "SUCCEEDED", results
    attempts = results["everything"][2]["attempts"]
    assert {name: text for name, text in attempts.items() if text.startswith(REACHED)} == {}
    assert "more processes than the 64" in results["forks"][1]
    assert "its limit is 60 MB" in results["disk"][1]


def test_each_setting_is_passed_to_a_sandbox_or_kept_out():
    assert set(Settings.model_fields) == PASSED | KEPT_OUT
    assert not PASSED & KEPT_OUT
    secret = "postgresql://user:password@host/catalog", "s3://key:password@bucket"
    passed = environment("0" * 16, Settings(database=secret[0], storage=secret[1]))
    assert "password" not in str(passed)
    assert passed["PLUMBLINE_STORAGE"]  # that hosts share one is known
    assert Settings.model_fields["max_rows"].default == int(passed["PLUMBLINE_MAX_ROWS"])


def test_the_server_does_not_start_without_bubblewrap(installation, tmp_path, monkeypatch):
    with installation(tmp_path, SANDBOX="bubblewrap"):
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(SettingsError, match="PLUMBLINE_SANDBOX is bubblewrap, and bubblewrap is not installed"):
            require_sandbox()


@pytest.mark.skipif(os.geteuid() != 0, reason="the sandboxes of another server are its own user's")
def test_code_that_only_root_may_read_is_named(installation, tmp_path, monkeypatch, bubblewrap):
    closed = tmp_path / "closed"
    (closed / "bin").mkdir(parents=True)
    (closed / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    closed.chmod(0o700)
    monkeypatch.setattr(sys, "prefix", str(closed))
    monkeypatch.setattr(sys, "executable", str(closed / "bin" / "python"))
    with installation(tmp_path / "home", SANDBOX="bubblewrap"):
        with pytest.raises(SettingsError, match="does not work here") as refused:
            require_sandbox()
        assert str(closed) in refused.value.hint
        closed.chmod(0o755)
        require_sandbox()

"""What is special about SLURM as an engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import JobError, RemoteError, SettingsError
from core.jobs.launchers.base import Nodes
from core.jobs.launchers.engines import launcher
from core.jobs.launchers.slurm import SlurmLauncher
from core.jobs.launchers.slurm_options import partition, sbatch_options
from core.jobs.launchers.slurm_states import job_sight
from core.jobs.needs import Needs
from core.settings import get_settings
from tests.jobs.fake_slurm import FakeSlurm
from tests.jobs.launcher_engines import CPUS, PASSWORD, Engine, slurm

ALL = Needs(cpus=CPUS, memory_mb=1_000)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Engine, FakeSlurm]]:
    with slurm(tmp_path) as pair:
        yield pair


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", ()),
        ("--partition=gpu --account=team", ("--partition=gpu", "--account=team")),
        ("--partition gpu --exclusive --qos high", ("--partition=gpu", "--exclusive", "--qos=high")),
        ("-p gpu -t12:00:00 -A 'my team'", ("--partition=gpu", "--time=12:00:00", "--account=my team")),
        ("--mem-bind=local --nice=-5", ("--mem-bind=local", "--nice=-5")),
        ("--signal=B:TERM@120 --no-requeue", ("--signal=B:TERM@120", "--no-requeue")),
        ("--exclusive script.sh", ("--exclusive=script.sh",)),  # sbatch refuses it; it cannot run instead of ours
    ],
)
def test_options_are_passed_to_sbatch(text, options):
    assert sbatch_options(text) == options


@pytest.mark.parametrize(
    "word",
    [
        *(
            "--job-name=x",
            "--job-n=x",
            "-Jx",
            "--array=1-3",
            "--wrap=true",
            "--output=/tmp/x",
            "-o",
            "--chdir=/",
            "--wait",
        ),
        *(
            "--export=ALL",
            "--mem=4G",
            "--mem",
            "--gres=gpu:1",
            "--gpus=2",
            "-c",
            "--cpus-per-task=2",
            "--ntasks=2",
            "-n2",
        ),
        *("--requeue", "--hold", "-H", "--test-only", "--clusters=a", "-M", "--uid=0", "--he", "--", "script.sh", ":"),
    ],
)
def test_options_that_would_break_jobs_are_named(word):
    with pytest.raises(SettingsError) as error:
        sbatch_options(f"--partition=gpu {'' if word.startswith('-') else '--qos=a '}{word}")
    assert repr(word) in error.value.message
    assert "PLUMBLINE_ENGINE_OPTIONS" in error.value.message


def test_a_quote_that_is_not_closed_is_named():
    with pytest.raises(SettingsError, match="a quote is not closed"):
        sbatch_options("--comment='it")


def test_the_last_partition_counts():
    assert partition(sbatch_options("-p cpu --part=gpu")) == "gpu"
    assert partition(sbatch_options("--qos=a")) is None


@pytest.mark.parametrize(
    ("state", "reason", "code", "expected"),
    [
        ("PENDING", "Priority", "0:0", ("waiting", "other jobs come first (Priority)", False)),
        (
            "PENDING",
            "QOSMaxJobsPerUserLimit",
            "0:0",
            ("waiting", "a limit of its QOS is reached (QOSMaxJobsPerUserLimit)", False),
        ),
        (
            "PENDING",
            "ReqNodeNotAvail, UnavailableNodes:n[1-3]",
            "0:0",
            ("waiting", "a node that it needs is not available (ReqNodeNotAvail, UnavailableNodes:n[1-3])", False),
        ),
        ("PENDING", "Something new", "0:0", ("waiting", "Something new", False)),
        ("PENDING", "None", "0:0", ("waiting", "", False)),
        ("CONFIGURING", "None", "0:0", ("waiting", "its node starts", False)),
        ("RUNNING", "None", "0:0", ("running", "", False)),
        ("COMPLETING", "NonZeroExitCode", "768", ("running", "", False)),
        ("SUSPENDED", "None", "0:0", ("running", "SLURM suspended it", False)),
        ("COMPLETED", "None", "0:0", ("gone", "it ended (COMPLETED)", False)),
        ("FAILED", "NonZeroExitCode", "768", ("gone", "it failed (FAILED, NonZeroExitCode, exit code 3)", False)),
        ("FAILED", "RaisedSignal:53(Real-time_signal_19)", "0:53", None),
        ("CANCELLED by 0", "None", "0:15", ("gone", "it was cancelled in SLURM (CANCELLED, signal 15)", False)),
        ("CANCELLED+", "None", "0:0", ("gone", "it was cancelled in SLURM (CANCELLED)", False)),
        ("TIMEOUT", "TimeLimit", "0:0", ("gone", "it reached the time limit that it has in SLURM (TIMEOUT)", False)),
        ("NODE_FAIL", "NodeDown", "1:0", ("gone", "its node failed (NODE_FAIL, exit code 1)", True)),
        ("PREEMPTED", "None", "0:0", ("gone", "a job with precedence took its node (PREEMPTED)", True)),
        ("A_NEW_STATE", "None", "", ("gone", "it ended (A_NEW_STATE)", False)),
    ],
)
def test_states_and_reasons_in_words(state, reason, code, expected):
    sight = job_sight(state, reason, code)
    if expected is None:
        assert sight.state == "gone"
        assert "signal 53" in sight.message
    else:
        assert (sight.state, sight.message, sight.blameless) == expected


@pytest.mark.parametrize("accounting", [True, False])
def test_the_end_of_a_job_that_squeue_forgot(cluster, until, accounting):
    engine, fake = cluster
    handle = engine.launch("first")
    until(lambda: engine.starts("first"))
    engine.finish("first", 7)
    until(lambda: engine.launcher.look(handle).state == "gone")
    fake.forget()
    with fake.state() as state:
        state["accounting"] = accounting
    sight = engine.launcher.look(handle)
    assert sight.state == "gone"
    assert sight.message == (
        "it failed (FAILED, exit code 7)" if accounting else "the SLURM cluster does not know the job"
    )


def test_a_job_that_only_accounting_knows_to_work_is_gone(cluster, until):
    engine, fake = cluster
    handle = engine.launch("first")
    until(lambda: engine.launcher.look(handle).state == "running")
    with fake.state() as state:
        state["jobs"][0]["forgotten"] = True
    assert engine.launcher.look(handle).state == "gone"


@pytest.mark.parametrize("state", ["NODE_FAIL", "PREEMPTED"])
def test_a_lost_node_is_not_the_fault_of_the_job(cluster, until, state):
    engine, fake = cluster
    handle = engine.launch("first")
    until(lambda: engine.launcher.look(handle).state == "running")
    fake.end_as(handle, state)
    assert engine.launcher.look(handle).blameless
    fake.forget()
    assert engine.launcher.look(handle).blameless


@pytest.mark.parametrize("name", ["sbatch", "squeue", "scancel", "sinfo", "scontrol"])
def test_a_command_that_is_missing_is_named(cluster, name):
    engine, fake = cluster
    (fake.commands / name).unlink()
    with pytest.raises(SettingsError, match=f"the command {name} is not on this machine"):
        SlurmLauncher("slurm", None)
    calls = {"squeue": engine.launcher.look, "sbatch": engine.launch, "scancel": engine.launcher.end}
    with pytest.raises(SettingsError, match=f"the command {name} is not"):
        calls[name]("a") if name in calls else engine.launcher.nodes()


def test_accounting_may_be_missing(cluster):
    _, fake = cluster
    (fake.commands / "sacct").unlink()
    assert SlurmLauncher("slurm", None).look("plumbline-nobody").state == "gone"


def test_a_controller_that_does_not_answer(cluster, monkeypatch):
    engine, fake = cluster
    with fake.state() as state:
        state["away"] = "hangs"
    monkeypatch.setattr("core.jobs.launchers.slurm._TIMEOUT_S", 0.2)
    with pytest.raises(RemoteError, match=r"squeue did not end within 0.2 s"):
        engine.launcher.look("plumbline-nobody")


def test_a_lost_answer_of_sbatch_makes_no_second_job(cluster):
    engine, fake = cluster
    real = (fake.commands / "sbatch").read_text()
    failure = "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation"
    (fake.commands / "sbatch").write_text(f"{real.replace('exec ', '')}echo '{failure}' >&2\nexit 1\n")
    with pytest.raises(RemoteError, match="Socket timed out on send/recv operation"):
        engine.launch("first")
    (fake.commands / "sbatch").write_text(real)
    engine.launch("first")
    with fake.state() as state:
        assert len(state["jobs"]) == 1


def test_a_full_queue_is_tried_again(cluster):
    engine, fake = cluster
    with fake.state() as state:
        state["full"] = True
    with pytest.raises(RemoteError, match="takes no more jobs now: AssocMaxSubmitJobLimit"):
        engine.launch("first")


def test_a_partition_that_is_not_there(tmp_path):
    with slurm(tmp_path, "--partition=nope") as (engine, _):
        with pytest.raises(JobError, match="invalid partition specified: nope; Invalid partition name specified"):
            engine.launch("first")
        with pytest.raises(JobError, match="has no partition 'nope'") as error:
            engine.launcher.nodes()
        assert "it has main" in error.value.hint


def test_what_a_run_needs_is_asked_for(tmp_path, until):
    with slurm(tmp_path, "--time=12:00:00 --account team") as (engine, fake):
        engine.launch("first", Needs(cpus=3, gpus=2, memory_mb=1_234))
        engine.launch("second", Needs())
        with fake.state() as state:
            first, second = (job["submitted"]["arguments"] for job in state["jobs"])
        assert {"--time=12:00:00", "--account=team", "--job-name=plumbline-first"} <= set(first)
        assert {"--cpus-per-task=3", "--gres=gpu:2", "--mem=1234M", "--no-requeue", "--export=NONE"} <= set(first)
        assert not [word for word in second if "gpu" in word]


def test_what_the_commands_and_the_job_get_of_the_server(cluster, monkeypatch, until):
    engine, fake = cluster
    monkeypatch.setenv("SLURM_JWT", PASSWORD)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("SBATCH_ARRAY_INX", "1-9")
    engine.launch("first", PLUMBLINE_RUN_CLAIM="a1")
    with fake.state() as state:
        given = state["jobs"][0]["submitted"]["variables"]
    # The token that the commands need is passed on by Slurm itself, so the script removes it.
    assert set(given) <= {
        "HOME",
        "LC_CTYPE",
        "LD_LIBRARY_PATH",
        "LOGNAME",
        "PATH",
        "PWD",
        "SLURM_CONF",
        "SLURM_JWT",
        "TZ",
        "USER",
    }
    until(lambda: engine.starts("first"))
    variables = engine.variables("first")
    assert variables["PLUMBLINE_RUN_CLAIM"] == "a1"
    assert PASSWORD not in "".join(variables.values())


def test_a_node_without_the_folder_of_runs_keeps_no_log(cluster, until):
    engine, _ = cluster
    until(lambda: engine.launcher.look(engine.launch("first", ALL)).state == "running")
    handle = engine.launch("second", ALL)
    shutil.rmtree(get_settings().runs_dir)
    engine.finish("first")
    until(lambda: engine.launcher.look(handle).state == "running")
    until(lambda: engine.starts("second"))
    assert engine.launcher.log(handle, 1_000) == ""
    assert not get_settings().runs_dir.exists()


def test_a_node_without_python_says_so(cluster, until, monkeypatch):
    engine, _ = cluster
    monkeypatch.setenv("PLUMBLINE_NODE_PYTHON", "/opt/none/bin/python")
    get_settings.cache_clear()
    handle = engine.launch("first")
    until(lambda: engine.launcher.look(handle).state == "gone")
    assert "exit code 127" in engine.launcher.look(handle).message
    assert "/opt/none/bin/python: not found" in engine.launcher.log(handle, 1_000)


def test_nodes_that_take_no_jobs_are_left_out(cluster):
    engine, fake = cluster
    with fake.state() as state:
        for name in ("down*", "drained", "draining", "idle*", "maint", "unknown"):
            state["nodes"][f"n-{name}"] = {"cpus": 64, "memory_mb": 64_000, "state": name}
        state["nodes"]["other"] = {"cpus": 64, "memory_mb": 64_000, "partition": "other"}
    nodes = engine.launcher.nodes()
    assert [node.name for node in nodes.nodes] == ["n1"]
    assert not nodes.grows


@pytest.mark.parametrize("cloud", [{"state": "idle~"}, {"state": "idle#"}, {"hidden": True}])
def test_a_cluster_with_nodes_in_a_cloud_grows(cluster, cloud):
    engine, fake = cluster
    with fake.state() as state:
        state["nodes"]["cloud1"] = {"cpus": 64, "memory_mb": 64_000, **cloud}
    nodes = engine.launcher.nodes()
    assert [node.name for node in nodes.nodes] == ["n1"]
    assert nodes.grows
    assert nodes.can_hold(Needs(cpus=64))
    assert not Nodes(nodes=nodes.nodes).can_hold(Needs(cpus=64))


def test_nodes_are_those_of_the_partition(tmp_path):
    with slurm(tmp_path, "-p other") as (engine, fake):
        with fake.state() as state:
            state["nodes"]["n2"] = {"cpus": 16, "memory_mb": 64_000, "partition": "other"}
        assert [(node.name, node.cpus, node.gpus) for node in engine.launcher.nodes().nodes] == [("n2", 16, 0)]


def test_the_setting_leads_to_it(cluster):
    assert isinstance(launcher(), SlurmLauncher)

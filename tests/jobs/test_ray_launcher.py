"""The launcher of Ray against servers that answer as Ray's dashboard does, or as something else does."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import JobError, RemoteError, SettingsError
from core.jobs import Needs
from core.jobs.launchers.base import Job
from core.jobs.launchers.ray import RayLauncher
from core.settings import Settings
from tests.answers import Answers, answering
from tests.ray_nodes import free_port

JOB = Job(
    handle="plumbline-0123456789abcdef-1",
    run_id="0123456789abcdef",
    environment={"PLUMBLINE_RUN_ID": "0123456789abcdef", "WORDS": "two $HOME 'words'"},
    needs=Needs(cpus=2, gpus=1, memory_mb=1_500),
)
NODE = "a" * 56


@pytest.fixture
def serve() -> Iterator[Callable[[Answers], tuple[str, list[Any]]]]:
    """``serve(answers)`` starts a server, and returns its setting and the list of what it was asked."""
    with contextlib.ExitStack() as stack:

        def start(answers: Answers) -> tuple[str, list[Any]]:
            address, requests = stack.enter_context(answering(answers))
            return f"ray://{address}", requests

        yield start


def test_a_job_has_what_the_run_needs_and_no_secret(serve) -> None:
    setting, requests = serve({("POST", "/api/jobs/"): (200, {"submission_id": JOB.handle})})
    RayLauncher(setting, "the-token").launch(JOB)
    [(_, _, authorization, body)] = requests
    assert authorization == "Bearer the-token"
    assert body["submission_id"] == JOB.handle
    needs = {name: body[f"entrypoint_{name}"] for name in ("num_cpus", "num_gpus", "memory")}
    assert needs == {"num_cpus": 2, "num_gpus": 1, "memory": 1_500 * 2**20}
    assert "runtime_env" not in body, "the process beside the job would have the mark of the run"
    assert "'WORDS=two $HOME '\"'\"'words'\"'\"''" in body["entrypoint"]
    assert body["entrypoint"].endswith(" -m core.jobs.monitor 0123456789abcdef")
    assert "the-token" not in json.dumps(body)
    assert "CUDA_VISIBLE_DEVICES" not in body["entrypoint"]


def test_a_job_without_gpus_sees_none(serve) -> None:
    setting, requests = serve({("POST", "/api/jobs/"): (200, {"submission_id": JOB.handle})})
    RayLauncher(setting, None).launch(dataclasses.replace(JOB, needs=Needs(cpus=2)))
    assert " CUDA_VISIBLE_DEVICES= " in requests[0][3]["entrypoint"]


def test_a_job_that_is_asked_for_twice_is_one(serve) -> None:
    answer = f"ValueError: Job with submission_id {JOB.handle} already exists. Please use a different submission_id."
    setting, _ = serve({("POST", "/api/jobs/"): (500, answer)})
    RayLauncher(setting, None).launch(JOB)


@pytest.mark.parametrize(
    ("status", "answer", "error", "words"),
    [
        (401, "Unauthorized", RemoteError, "does not take PLUMBLINE_ENGINE_TOKEN"),
        (503, "starting", RemoteError, "could not start a job: starting."),
        (500, "Trace\nRuntimeError: No available agent\n.\n", RemoteError, "could not start a job: RuntimeError: No"),
        (
            500,
            "failed with status code 400: x\nValueError: odd\n.\n",
            JobError,
            "ValueError: odd",
        ),
        (400, "submission_id is odd", JobError, "did not start a job: submission_id is odd."),
    ],
)
def test_what_ray_refuses(serve, status, answer, error, words) -> None:
    setting, _ = serve({("POST", "/api/jobs/"): (status, answer)})
    with pytest.raises(error, match=words):
        RayLauncher(setting, "x").launch(JOB)


@pytest.mark.parametrize(
    ("values", "state", "blameless"),
    [
        ({"status": "PENDING", "message": "Job has not started yet."}, "waiting", False),
        ({"status": "RUNNING"}, "running", False),
        ({"status": "SUCCEEDED"}, "gone", False),
        ({"status": "STOPPED"}, "gone", False),
        ({"status": "FAILED", "message": "exit code 2"}, "gone", False),
        ({"status": "FAILED", "error_type": "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"}, "gone", True),
    ],
)
def test_states_of_jobs(serve, values, state, blameless) -> None:
    setting, _ = serve({("GET", f"/api/jobs/{JOB.handle}"): (200, values)})
    sight = RayLauncher(setting, None).look(JOB.handle)
    assert (sight.state, sight.blameless) == (state, blameless)


def test_a_job_that_ray_does_not_know_is_gone(serve) -> None:
    setting, _ = serve({})
    assert RayLauncher(setting, None).look(JOB.handle).state == "gone"
    RayLauncher(setting, None).end(JOB.handle)
    assert RayLauncher(setting, None).log(JOB.handle, 100) == ""


def test_nobody_answers() -> None:
    engine = RayLauncher(f"ray://127.0.0.1:{free_port()}", None)
    for call in (lambda: engine.look("x"), lambda: engine.end("x"), engine.nodes, lambda: engine.launch(JOB)):
        with pytest.raises(RemoteError, match=r"The Ray cluster at .* cannot be reached: Connection refused"):
            call()


def test_something_else_answers(serve) -> None:
    setting, _ = serve({("GET", f"/api/jobs/{JOB.handle}"): (200, "<html>Welcome to nginx</html>")})
    with pytest.raises(RemoteError, match="is not a Ray cluster: '<html>Welcome to nginx"):
        RayLauncher(setting, None).look(JOB.handle)


@pytest.mark.parametrize("setting", ["ray://head.internal", "ray://10.0.0.5:8265", "ray+https://ray.example.org"])
def test_a_cluster_elsewhere_needs_a_token(setting) -> None:
    with pytest.raises(SettingsError, match="has no PLUMBLINE_ENGINE_TOKEN"):
        RayLauncher(setting, None)
    assert RayLauncher(setting, "x").title.startswith("the Ray cluster at ")


@pytest.mark.parametrize("setting", ["ray://localhost", "ray://127.0.0.1:8265", "ray://[::1]:8265"])
def test_a_cluster_on_this_machine_needs_none(setting) -> None:
    assert RayLauncher(setting, None)


@pytest.mark.parametrize(("status", "refused"), [(200, True), (401, False), (403, False)])
def test_a_cluster_elsewhere_that_takes_jobs_from_anyone_is_refused(serve, monkeypatch, status, refused) -> None:
    def version(headers: Any) -> tuple[int, object]:
        return (200, {}) if headers.get("Authorization") else (status, {})

    setting, requests = serve({("GET", "/api/version"): (0, version), ("POST", "/api/jobs/"): (200, {})})
    monkeypatch.setattr(RayLauncher, "_on_this_machine", False)
    engine = RayLauncher(setting, "x")
    if refused:
        with pytest.raises(RemoteError, match="takes jobs from anyone who reaches it") as error:
            engine.launch(JOB)
        assert "RAY_AUTH_MODE=token" in error.value.hint
        assert [path for _, path, *_ in requests] == ["/api/version"], "no job went there"
        return
    engine.launch(JOB)
    engine.launch(JOB)
    assert [path for _, path, *_ in requests] == ["/api/version", "/api/jobs/", "/api/jobs/"]


def summary(**resources: float) -> dict[str, Any]:
    """Return the summary of a node as Ray's dashboard has it."""
    return {"hostname": "vm", "raylet": {"nodeId": NODE, "state": "ALIVE", "resourcesTotal": resources}}


def status_report(node_type: str) -> dict[str, Any]:
    """Return the status of a cluster of one node."""
    usage = {NODE: {"CPU": [1.0, 4.0], "memory": [2.0**30, 2.0**32]}}
    report = {"nodeTypeMapping": {NODE: node_type}}
    return {"data": {"clusterStatus": {"loadMetricsReport": {"usageByNode": usage}, "autoscalerReport": report}}}


@pytest.mark.parametrize(
    ("report", "grows", "used"),
    [
        (status_report(f"node_{NODE}"), False, 1.0),
        (status_report("ray.worker.default"), True, 1.0),
        (status_report("local.cluster.node"), False, 1.0),
        ({"data": {"clusterStatus": None}}, True, None),
        ("not JSON", True, None),
    ],
)
def test_nodes(serve, report, grows, used) -> None:
    dead = {"hostname": "gone", "raylet": {"nodeId": "b", "state": "DEAD", "resourcesTotal": {"CPU": 64.0}}}
    nodes = {"data": {"summary": [summary(CPU=4.0, memory=2.0**32), dead]}}
    setting, _ = serve({("GET", "/nodes?view=summary"): (200, nodes), ("GET", "/api/cluster_status"): (200, report)})
    result = RayLauncher(setting, None).nodes()
    assert result.grows is grows
    [node] = result.nodes
    assert (node.name, node.cpus, node.gpus, node.memory_mb) == ("vm", 4.0, 0.0, 4_096.0)
    assert node.used_cpus == used
    assert result.can_hold(Needs(cpus=4, memory_mb=4_096))
    assert result.can_hold(Needs(cpus=5)) is grows


@pytest.mark.parametrize(
    "value", ["ray://", "ray:head", "http://head:8265", "ray://head:99999", "ray://a:b@head", "k8s"]
)
def test_settings_that_name_no_engine(value) -> None:
    with pytest.raises(SettingsError, match="local, ray://host:port, slurm or kubernetes"):
        Settings(engine=value)


@pytest.mark.parametrize(
    "value", ["local", "slurm", "kubernetes", "ray://head", "ray://head:8265/", "ray+https://ray.example.org"]
)
def test_settings_that_name_one(value) -> None:
    assert Settings(engine=value).engine == value.rstrip("/")

"""What is special about Kubernetes as an engine: pods, nodes, what is allowed, and what a Job is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import JobError, RemoteError
from core.jobs.launchers.base import Job
from core.jobs.launchers.kubernetes import KubernetesLauncher
from core.jobs.launchers.kubernetes_pods import job_sight
from core.jobs.launchers.kubernetes_template import job_object, read_template
from core.jobs.needs import Needs
from tests.jobs.fake_kubernetes import FakeKubernetes
from tests.jobs.fake_kubernetes_checks import check_job
from tests.jobs.launcher_engines import CPUS, PASSWORD, TEMPLATE, Engine, kubernetes

ROOT = Path(__file__).parents[2]
ALL = Needs(cpus=CPUS, memory_mb=1_000)
FIXED = TEMPLATE.replace("labels:", 'annotations: {plumbline/fixed-nodes: "true"}\n  labels:')


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Engine, FakeKubernetes]]:
    with kubernetes(tmp_path) as pair:
        yield pair


@pytest.fixture
def running(cluster, until) -> str:
    """Name of a job that works."""
    engine, _ = cluster
    handle = engine.launch("first")
    until(lambda: engine.starts("first"))
    return handle


def pod(**status: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "status": status}


def ended(exit_code: int, reason: str) -> list[dict[str, Any]]:
    return [{"name": "run", "state": {"terminated": {"exitCode": exit_code, "reason": reason}}}]


def waiting(reason: str, message: str = "") -> list[dict[str, Any]]:
    return [{"name": "run", "state": {"waiting": {"reason": reason, "message": message}}}]


DISRUPTION = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler", "message": "preempted"}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes: taint"}


@pytest.mark.parametrize(
    ("status", "state", "words", "blameless"),
    [
        ({"phase": "Pending", "conditions": [UNSCHEDULED]}, "waiting", "0/3 nodes: taint", False),
        ({"phase": "Pending"}, "waiting", "", False),
        (
            {"phase": "Pending", "containerStatuses": waiting("ContainerCreating")},
            "waiting",
            "its container is prepared",
            False,
        ),
        (
            {"phase": "Pending", "containerStatuses": waiting("ImagePullBackOff", 'Back-off pulling image "x"')},
            "waiting",
            'ImagePullBackOff: Back-off pulling image "x"',
            False,
        ),
        (
            {"phase": "Pending", "containerStatuses": waiting("CreateContainerConfigError", 'secret "p" not found')},
            "waiting",
            'CreateContainerConfigError: secret "p" not found',
            False,
        ),
        ({"phase": "Running"}, "running", "", False),
        ({"phase": "Unknown"}, "running", "", False),
        ({"phase": "Succeeded", "containerStatuses": ended(0, "Completed")}, "gone", "it ended", False),
        ({"phase": "Failed", "containerStatuses": ended(3, "Error")}, "gone", "it failed (exit code 3)", False),
        (
            {"phase": "Failed", "containerStatuses": ended(128, "StartError")},
            "gone",
            "it failed (exit code 128, StartError)",
            False,
        ),
        (
            {"phase": "Failed", "containerStatuses": ended(137, "OOMKilled")},
            "gone",
            "it needed more memory than its container has (OOMKilled)",
            False,
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory. "},
            "gone",
            "The node was low on resource: memory. (Evicted)",
            True,
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "Pod ephemeral local storage usage exceeds the limit"},
            "gone",
            "Pod ephemeral local storage usage exceeds the limit (Evicted)",
            False,
        ),
        ({"phase": "Failed", "reason": "OutOfcpu", "message": "Pod was rejected"}, "gone", "Pod was rejected", True),
        ({"phase": "Failed", "reason": "NodeShutdown", "message": "Pod was terminated"}, "gone", "NodeShutdown", True),
        (
            {"phase": "Failed", "conditions": [DISRUPTION], "containerStatuses": ended(143, "Error")},
            "gone",
            "its pod was evicted or its node lost (PreemptionByScheduler) preempted",
            True,
        ),
        ({"phase": "Failed"}, "gone", "it failed", False),
    ],
)
def test_states_of_pods_in_words(status, state, words, blameless):
    sight = job_sight({"status": {"active": 1}}, pod(**status))
    assert (sight.state, sight.blameless) == (state, blameless)
    assert words in sight.message


@pytest.mark.parametrize(
    ("failure", "words", "blameless"),
    [
        (
            {"reason": "BackoffLimitExceeded", "message": "Job has reached the limit"},
            "Job has reached the limit",
            False,
        ),
        ({"reason": "DeadlineExceeded", "message": "Job was active longer"}, "time limit of its Job", False),
        (
            {"reason": "PodFailurePolicy", "message": "Pod a/b has condition DisruptionTarget matching FailJob rule"},
            "evicted or its node lost",
            True,
        ),
    ],
)
def test_the_end_of_a_job_whose_pod_is_gone(failure, words, blameless):
    job = {"status": {"conditions": [{"type": "Failed", "status": "True", **failure}]}}
    sight = job_sight(job, None)
    assert sight.state == "gone"
    assert words in sight.message
    assert sight.blameless == blameless


def test_a_job_that_a_queue_of_the_cluster_holds_back(tmp_path):
    with kubernetes(tmp_path, TEMPLATE.replace("spec:\n  template", "spec:\n  suspend: true\n  template")) as (
        engine,
        _,
    ):
        sight = engine.launcher.look(engine.launch("first"))
    assert sight.state == "waiting"
    assert "suspended" in sight.message


def test_a_job_whose_pod_is_not_allowed_says_why(cluster):
    engine, fake = cluster
    handle = engine.launch("first", Needs(memory_mb=100_000))
    sight = engine.launcher.look(handle)
    assert sight.state == "waiting"
    assert "maximum memory usage per Container" in sight.message
    fake.forbidden.add("events")
    assert engine.launcher.look(handle).message == ""


def test_a_pod_that_waits_for_a_node_says_why(cluster, running, until):
    engine, _ = cluster
    handle = engine.launch("second", ALL)
    assert engine.launcher.look(handle).message.startswith("0/1 nodes are available: 1 Insufficient cpu.")
    assert engine.launcher.log(handle, 100) == ""


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_pod_that_was_evicted_is_not_the_fault_of_the_job(cluster, running, is_gone):
    engine, fake = cluster
    fake.end_pod(running, {"conditions": [DISRUPTION]})
    engine.launcher.look(running)
    if is_gone:
        fake.pods.clear()
    sight = engine.launcher.look(running)
    assert sight.state == "gone"
    assert sight.blameless


def test_what_a_job_is_made_of(tmp_path):
    file = tmp_path / "job.yaml"
    file.write_text(
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {generateName: x-, labels: {team: ml}}
        spec:
          backoffLimit: 6
          parallelism: 3
          completionMode: Indexed
          activeDeadlineSeconds: 3600
          template:
            spec:
              restartPolicy: OnFailure
              nodeSelector: {pool: gpu}
              containers:
                - name: main
                  image: plumbline
                  args: [serve]
                  env: [{name: PLUMBLINE_RUN_CLAIM, value: old}, {name: TZ, value: UTC}]
                  resources: {requests: {cpu: 100m, amd.com/gpu: 1}, limits: {memory: 1Gi, ephemeral-storage: 9Gi}}
                - name: beside
                  image: proxy
        """
    )
    template = read_template(file)
    job = Job(
        handle="plumbline-a1",
        run_id="a1",
        environment={"PLUMBLINE_RUN_CLAIM": "$(TZ)"},
        needs=Needs(cpus=2, gpus=1, memory_mb=512),
    )
    made = job_object(template, job, "ml")
    check_job(made, "ml")
    assert made["metadata"] == {
        "name": "plumbline-a1",
        "namespace": "ml",
        "labels": {"team": "ml", "plumbline-run": "a1"},
    }
    spec = made["spec"]
    assert (spec["backoffLimit"], spec["parallelism"], spec["completions"]) == (0, 1, 1)
    assert "completionMode" not in spec
    assert spec["activeDeadlineSeconds"] == 3600
    assert spec["ttlSecondsAfterFinished"] > 0
    inner = spec["template"]["spec"]
    assert inner["restartPolicy"] == "Never"
    assert inner["nodeSelector"] == {"pool": "gpu"}
    container, beside = inner["containers"]
    assert beside == {"name": "beside", "image": "proxy"}
    assert container["command"][:2] == ["/bin/sh", "-c"]
    assert container["command"][2].endswith("-m core.jobs.monitor a1")
    assert "args" not in container
    assert container["env"] == [
        {"name": "TZ", "value": "UTC"},
        {"name": "PLUMBLINE_NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "PLUMBLINE_RUN_CLAIM", "value": "$$(TZ)"},
    ]
    amounts = {"cpu": "2", "memory": "512Mi", "amd.com/gpu": "1", "ephemeral-storage": "9Gi"}
    assert container["resources"] == {"requests": amounts, "limits": amounts}
    assert template["metadata"] == {"generateName": "x-", "labels": {"team": "ml"}}  # it is made of again
    without = job_object(template, Job(handle="a", run_id="a", environment={}, needs=Needs()), "ml")
    assert "amd.com/gpu" not in without["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]


def test_the_container_has_the_settings_of_its_node(cluster, running):
    engine, fake = cluster
    variables = engine.variables("first")
    assert PASSWORD in variables["PLUMBLINE_DATABASE"]  # by the Secret that the template names
    assert variables["PLUMBLINE_NODE_NAME"] == "n1"
    assert PASSWORD not in fake.submitted()


def test_the_example_of_a_template_can_be_used(tmp_path):
    template = read_template(ROOT / "deploy/kubernetes/job.yaml")
    made = job_object(template, Job(handle="a", run_id="a", environment={}, needs=Needs(gpus=1)), "plumbline")
    check_job(made, "plumbline")
    objects = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/access.yaml").read_text()))
    named = {(item["kind"], item["metadata"]["name"]) for item in objects}
    secret = made["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"]
    assert ("Secret", secret) in named
    rights = {
        (resource, verb)
        for item in objects
        for rule in item.get("rules", ())
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert rights == {
        *(("jobs", verb) for verb in ("create", "get", "delete")),
        *((resource, "list") for resource in ("pods", "events", "nodes")),
        ("pods/log", "get"),
    }


def test_what_is_not_allowed_is_named(cluster):
    engine, fake = cluster
    fake.forbidden.add("jobs")
    with pytest.raises(RemoteError, match=r'does not allow Plumbline to start a job: .* cannot create resource "jobs"'):
        engine.launch("first")
    fake.forbidden.clear()
    handle = engine.launch("first")
    fake.forbidden.add("pods")
    with pytest.raises(RemoteError, match="does not allow Plumbline to list the pods of a job"):
        engine.launcher.look(handle)


def test_a_token_that_is_not_accepted(cluster):
    with pytest.raises(RemoteError, match="does not accept the token") as error:
        KubernetesLauncher("kubernetes", "another").look("plumbline-nobody")
    assert "another" not in str(error.value)


def test_a_job_that_the_server_refuses(tmp_path):
    template = TEMPLATE.replace("envFrom:", "env: [{name: 'A B', value: x}]\n          envFrom:")
    with kubernetes(tmp_path, template) as (engine, _):
        with pytest.raises(JobError, match=r"did not start a job: Job\.batch .* is invalid: .*'A B'") as error:
            engine.launch("first")
        assert "PLUMBLINE_ENGINE_TEMPLATE" in error.value.hint


def test_a_namespace_that_is_not_there(tmp_path):
    template = TEMPLATE.replace("metadata:\n", "metadata:\n  namespace: nope\n", 1)
    with kubernetes(tmp_path, template) as (engine, _), pytest.raises(JobError, match='namespaces "nope" not found'):
        engine.launch("first")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_cannot_answer_now_is_tried_again(cluster, monkeypatch, status):
    engine, _ = cluster
    monkeypatch.setattr(
        "core.jobs.launchers.kubernetes_api.ApiServer._request",
        lambda *_: (status, '{"message": "etcdserver: request timed out"}'),
    )
    with pytest.raises(RemoteError, match="did not start a job: etcdserver: request timed out"):
        engine.launch("first")
    with pytest.raises(RemoteError, match="etcdserver"):
        engine.launcher.nodes()


def test_what_is_not_an_api_server(cluster, monkeypatch):
    engine, _ = cluster
    request = "core.jobs.launchers.kubernetes_api.ApiServer._request"
    monkeypatch.setattr(request, lambda *_: (200, "<html>Sign in</html>"))
    with pytest.raises(RemoteError, match="is not an API server of Kubernetes: '<html>Sign in</html>'"):
        engine.launcher.look("plumbline-nobody")


def test_nodes_that_take_no_pods_are_left_out(cluster):
    engine, fake = cluster
    node = fake.nodes["n1"]

    def like(name: str, **spec: Any) -> dict[str, Any]:
        return {**node, "metadata": {"name": name, "labels": {}}, "spec": spec}

    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    fake.nodes |= {
        "n2": like("n2", unschedulable=True),
        "n3": like("n3", taints=[taint]),
        "n4": like("n4", taints=[{**taint, "effect": "PreferNoSchedule"}]),
        "n5": {**like("n5"), "status": {**node["status"], "conditions": [{"type": "Ready", "status": "Unknown"}]}},
    }
    assert [node.name for node in engine.launcher.nodes().nodes] == ["n1", "n4"]


@pytest.mark.parametrize(
    ("extra", "names"),
    [
        ("nodeSelector: {pool: a}", ["n2"]),
        ("tolerations: [{key: gpu, operator: Equal, value: 'yes'}]", ["n1", "n3"]),
        ("tolerations: [{operator: Exists}]", ["n1", "n3"]),
        ("tolerations: [{key: gpu, operator: Equal, value: 'no'}]", ["n1"]),
    ],
)
def test_nodes_are_those_that_the_template_asks_for(tmp_path, extra, names):
    template = TEMPLATE.replace("      containers:", f"      {extra}\n      containers:")
    with kubernetes(tmp_path, template) as (engine, fake):
        status = fake.nodes["n1"]["status"]
        taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
        if "pool" in extra:
            fake.nodes["n2"] = {"metadata": {"name": "n2", "labels": {"pool": "a"}}, "spec": {}, "status": status}
        fake.nodes["n3"] = {"metadata": {"name": "n3", "labels": {}}, "spec": {"taints": [taint]}, "status": status}
        assert [node.name for node in engine.launcher.nodes().nodes] == names


def test_nodes_that_must_not_be_read(cluster):
    engine, fake = cluster
    fake.forbidden.add("all pods")
    (node,) = engine.launcher.nodes().nodes
    assert node.cpus == CPUS
    assert node.used_cpus is node.used_gpus is node.used_memory_mb is None
    fake.forbidden.add("nodes")
    nodes = engine.launcher.nodes()
    assert nodes.nodes == ()
    assert nodes.can_hold(Needs(cpus=1_000))


def test_whether_a_cluster_grows_is_said_by_the_template(cluster, tmp_path):
    engine, _ = cluster
    assert engine.launcher.nodes().grows
    (tmp_path / "fixed").mkdir()
    with kubernetes(tmp_path / "fixed", FIXED) as (fixed, _):
        assert not fixed.launcher.nodes().grows

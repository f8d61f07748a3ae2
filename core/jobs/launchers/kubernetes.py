"""A Kubernetes cluster as the engine: each run is a Job (batch/v1), made from a file of the installation.

The handle is the name of the Job, so that one whose answer was lost is still there, and a second one of its name is
not accepted. Nodes are read where a ClusterRole allows it. Whether a cluster adds nodes by itself cannot be asked of
the API server: autoscalers leave no common trace. So it is said to grow, and a run that fits no node waits, with the
scheduler's reason, instead of being refused; an annotation of the template, ``plumbline/fixed-nodes: "true"``, says
otherwise.

Facts that the code below relies on (Kubernetes 1.26 and newer): with backoffLimit 0 and restartPolicy Never a Job has
one pod; a pod that is evicted, preempted or on a lost node gets the condition DisruptionTarget, and the Job names it in
the message of its end by podFailurePolicy; a Job that is deleted in the background is gone at once and its pod gets
TERM, then KILL after terminationGracePeriodSeconds; servers that do not know a field leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.jobs.launchers.base import Job, Node, Nodes, Sight
from core.jobs.launchers.kubernetes_access import cluster_access
from core.jobs.launchers.kubernetes_api import ApiServer, Reply
from core.jobs.launchers.kubernetes_pods import job_sight, newest
from core.jobs.launchers.kubernetes_quantities import quantity
from core.jobs.launchers.kubernetes_template import FIXED_NODES, job_object, read_template, tolerates
from core.settings import get_settings

__all__ = ["KubernetesLauncher"]

_MB = 2**20
_PAGE = 500
_PAGES = 20
_LINE_BYTES = 80
_MOST_LINES = 20_000


class KubernetesLauncher:
    """The Kubernetes cluster that this process is in, or that KUBECONFIG names.

    Parameters
    ----------
    setting : str
        The setting, ``kubernetes``.
    token : str or None
        Token to use instead of the one of the pod or of the kubeconfig file.

    Raises
    ------
    SettingsError
        When no cluster is named, or the template of Jobs cannot be used.
    """

    def __init__(self, setting: str, token: str | None) -> None:
        self._template = read_template(get_settings().engine_template)
        access = cluster_access(token)
        self._server = ApiServer(access)
        metadata = self._template.get("metadata") or {}
        self._namespace = str(metadata.get("namespace") or access.namespace)
        self._jobs = f"/apis/batch/v1/namespaces/{self._namespace}/jobs"
        self._pods = f"/api/v1/namespaces/{self._namespace}/pods"
        annotations = metadata.get("annotations") or {}
        self._grows = str(annotations.get(FIXED_NODES, "")).lower() != "true"

    @property
    def title(self) -> str:
        """Words for it in sentences."""
        return self._server.title

    def launch(self, job: Job) -> None:
        """Ask for a job."""
        status, reply = self._server.post(self._jobs, job_object(self._template, job, self._namespace))
        if status >= 400 and not (status == 409 and reply.get("reason") == "AlreadyExists"):
            self._server.refused("start a job", status, reply)

    def look(self, handle: str) -> Sight:
        """Return what became of a job."""
        status, job = self._server.get(f"{self._jobs}/{handle}")
        if status == 404:
            return Sight(state="gone", message=f"{self.title} does not know the job", unknown=True)
        if status >= 400:
            self._server.refused("say what became of a job", status, job)
        pod = self._pod(handle)
        waits = pod is None and not (job.get("status") or {}).get("conditions")
        return job_sight(job, pod, self._event(handle) if waits else "")

    def end(self, handle: str) -> None:
        """End a job and its pod, also one that waits."""
        status, reply = self._server.delete(f"{self._jobs}/{handle}", propagationPolicy="Background")
        if status >= 400 and status != 404:
            self._server.refused("end a job", status, reply)

    def log(self, handle: str, tail_bytes: int) -> str:
        """Return the last bytes that the container of a job has written."""
        pod = self._pod(handle)
        if pod is None:
            return ""
        # limitBytes would cut off the end, so the last lines are asked for, and the last bytes taken of them.
        status, text = self._server.text(
            f"{self._pods}/{pod['metadata']['name']}/log",
            container=self._template["spec"]["template"]["spec"]["containers"][0]["name"],
            tailLines=min(max(tail_bytes // _LINE_BYTES, 100), _MOST_LINES),
        )
        return "" if status >= 400 else text.encode()[-tail_bytes:].decode(errors="replace")

    def nodes(self) -> Nodes:
        """Return the nodes that take the pods of the template, with what all pods on them have requested.

        Nodes that are not ready, closed for new pods, tainted in a way that the template does not tolerate, or without
        the labels that its nodeSelector asks for are left out; its affinity is not looked at.
        """
        status, reply = self._server.get("/api/v1/nodes")
        if status == 403:
            return Nodes(nodes=(), grows=True)
        if status >= 400:
            self._server.refused("list its nodes", status, reply)
        used = self._usage()
        nodes = []
        for item in reply.get("items") or ():
            if not self._takes_pods(item):
                continue
            name, total = str(item["metadata"]["name"]), item.get("status", {}).get("allocatable") or {}
            own = None if used is None else used.get(name, {})
            nodes.append(
                Node(
                    name=name,
                    cpus=_cpus(total),
                    gpus=_gpus(total),
                    memory_mb=_memory_mb(total),
                    used_cpus=None if own is None else own.get("cpus", 0.0),
                    used_gpus=None if own is None else own.get("gpus", 0.0),
                    used_memory_mb=None if own is None else own.get("memory_mb", 0.0),
                )
            )
        return Nodes(nodes=tuple(nodes), grows=self._grows)

    def _takes_pods(self, node: Mapping[str, Any]) -> bool:
        spec, labels = node.get("spec") or {}, node["metadata"].get("labels") or {}
        wanted = self._template["spec"]["template"]["spec"].get("nodeSelector") or {}
        return (
            not spec.get("unschedulable")
            and any(
                condition.get("type") == "Ready" and condition.get("status") == "True"
                for condition in node.get("status", {}).get("conditions") or ()
            )
            and all(tolerates(self._template, taint) for taint in spec.get("taints") or ())
            and all(labels.get(name) == str(value) for name, value in wanted.items())
        )

    def _usage(self) -> dict[str, dict[str, float]] | None:
        """Return what the pods of each node have requested; None where pods of others must not be read."""
        used: dict[str, dict[str, float]] = {}
        for pod in self._all_pods():
            if pod is None:
                return None
            spec = pod.get("spec") or {}
            name = spec.get("nodeName")
            if not name:
                continue
            own = used.setdefault(str(name), {"cpus": 0.0, "gpus": 0.0, "memory_mb": 0.0})
            for container in spec.get("containers") or ():
                requests = (container.get("resources") or {}).get("requests") or {}
                own["cpus"] += _cpus(requests)
                own["gpus"] += _gpus(requests)
                own["memory_mb"] += _memory_mb(requests)
        return used

    def _all_pods(self) -> Iterator[Reply | None]:
        """Yield all pods that have not ended, by pages; None where they cannot be read, or are too many."""
        after: dict[str, object] = {}
        selector = "status.phase!=Succeeded,status.phase!=Failed"
        for _ in range(_PAGES):
            status, reply = self._server.get("/api/v1/pods", fieldSelector=selector, limit=_PAGE, **after)
            if status >= 400:
                break
            yield from reply.get("items") or ()
            after = {"continue": (reply.get("metadata") or {}).get("continue")}
            if not after["continue"]:
                return
        yield None

    def _pod(self, handle: str) -> Mapping[str, Any] | None:
        status, reply = self._server.get(self._pods, labelSelector=f"job-name={handle}")
        if status >= 400:
            self._server.refused("list the pods of a job", status, reply)
        return newest(reply.get("items") or ())

    def _event(self, handle: str) -> str:
        """Return why a Job has no pod, such as a quota; nothing where events must not be read."""
        status, reply = self._server.get(
            f"/api/v1/namespaces/{self._namespace}/events",
            fieldSelector=f"involvedObject.kind=Job,involvedObject.name={handle},type=Warning",
        )
        events = reply.get("items") or () if status < 400 else ()
        latest = max(events, key=lambda event: str(event.get("lastTimestamp") or ""), default=None)
        return "" if latest is None else str(latest.get("message") or "")


def _cpus(amounts: Mapping[str, Any]) -> float:
    return float(quantity(amounts.get("cpu", 0)))


def _memory_mb(amounts: Mapping[str, Any]) -> float:
    return float(quantity(amounts.get("memory", 0)) / _MB)


def _gpus(amounts: Mapping[str, Any]) -> float:
    return float(sum(quantity(amount) for name, amount in amounts.items() if name.endswith("/gpu")))

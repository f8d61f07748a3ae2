"""An API server of Kubernetes that runs the containers of Jobs as processes of this machine.

It checks what a real server checks of a Job, answers with the same objects and errors, and schedules pods by what they
request. Pods are looked after before each answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.jobs.fake_kubernetes_checks import Refusal, amount, check_job

__all__ = ["FakeKubernetes"]

_JOBS = "/apis/batch/v1/namespaces/"
_READY = {"type": "Ready", "status": "True"}


class FakeKubernetes:
    """A cluster with one namespace.

    Parameters
    ----------
    folder : Path
        Folder for what containers write.
    nodes : dict
        Nodes by name: cpu, memory, and if need be nvidia.com/gpu.
    tls : ssl.SSLContext, optional
        Certificate of the server; without it there is no encryption.
    """

    token = "token-of-the-account"
    namespace = "ml"

    def __init__(self, folder: Path, nodes: dict[str, dict[str, str]], tls: ssl.SSLContext | None = None) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.jobs: dict[str, dict[str, Any]] = {}
        self.pods: dict[str, dict[str, Any]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.forbidden: set[str] = set()
        self.events: list[dict[str, Any]] = []
        self.max_memory = amount("64Gi")
        self.received: list[str] = []
        self.nodes = {name: _node(name, allocatable) for name, allocatable in nodes.items()}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Port of the server on this machine."""
        return int(self._server.server_address[1])

    def kubeconfig(self, path: Path, scheme: str = "http", **cluster: Any) -> Path:
        """Write a kubeconfig file for it, as YAML that is JSON."""
        server = {"server": f"{scheme}://127.0.0.1:{self.port}", **cluster}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [
                {"name": "here", "context": {"cluster": "c", "user": "u", "namespace": self.namespace}},
            ],
            "clusters": [{"name": "c", "cluster": server}],
            "users": [{"name": "u", "user": {"token": self.token}}],
        }
        path.write_text(json.dumps(content))
        return path

    def submitted(self) -> str:
        """Return all that was sent to the server."""
        return "\n".join(self.received)

    def stop(self) -> None:
        """Stop answering."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def close(self) -> None:
        """Stop answering, and end all containers."""
        self.stop()
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def end_pod(self, job: str, status: dict[str, Any]) -> None:
        """Let the pod of a job end by what happens to nodes: with a status such as that of an eviction."""
        with self.lock:
            for name, pod in self.pods.items():
                if pod["metadata"]["labels"]["job-name"] == job:
                    self.processes[name].kill()
                    self.processes.pop(name).wait()
                    pod["status"] = {**pod["status"], "phase": "Failed", **status}

    def look_after(self) -> None:
        """Take note of containers that ended, and start those that fit."""
        for name, process in self.processes.items():
            code, pod = process.poll(), self.pods.get(name)
            if pod is not None and code is not None and pod["status"]["phase"] == "Running":
                code = code if code >= 0 else 128 - code
                terminated = {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}
                pod["status"] |= {
                    "phase": "Succeeded" if code == 0 else "Failed",
                    "containerStatuses": [{"name": "run", "state": {"terminated": terminated}}],
                }
        for name, job in self.jobs.items():
            pod = next((pod for pod in self.pods.values() if pod["metadata"]["labels"]["job-name"] == name), None)
            if pod is None and not job["spec"].get("suspend") and not job["status"].get("conditions"):
                pod = self._make_pod(job) if self._allows(job) else None
            if pod is not None and pod["status"]["phase"] == "Pending":
                self._schedule(pod)
            if pod is not None and not job["status"].get("conditions"):
                job["status"] = _job_status(job, pod)

    def _allows(self, job: dict[str, Any]) -> bool:
        """Return whether the LimitRange of the namespace allows a pod: it is not checked when the Job is made."""
        name, limits = job["metadata"]["name"], job["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]
        if amount(limits["memory"]) <= self.max_memory:
            return True
        words = f"maximum memory usage per Container is {self.max_memory}, but limit is {limits['memory']}"
        message = f'Error creating: pods "{name}-h2v9d" is forbidden: {words}'
        involved = {"kind": "Job", "name": name}
        event = {"type": "Warning", "reason": "FailedCreate", "message": message, "involvedObject": involved}
        self.events.append({**event, "lastTimestamp": _now()})
        return False

    def _make_pod(self, job: dict[str, Any]) -> dict[str, Any]:
        name, template = f"{job['metadata']['name']}-x7k2p", job["spec"]["template"]
        labels = {**template["metadata"]["labels"], "job-name": job["metadata"]["name"]}
        pod = {
            "metadata": {"name": name, "namespace": self.namespace, "labels": labels, "creationTimestamp": _now()},
            "spec": json.loads(json.dumps(template["spec"])),
            "status": {"phase": "Pending"},
        }
        self.pods[name] = pod
        return pod

    def _schedule(self, pod: dict[str, Any]) -> None:
        lacking: list[str] = []
        for name, node in self.nodes.items():
            short = self._lacks(pod, name, node)
            if short is None:
                pod["spec"]["nodeName"] = name
                self._start(pod, name)
                return
            lacking.append(short)
        reasons = ", ".join(f"{lacking.count(short)} {short}" for short in sorted(set(lacking)))
        message = (
            f"0/{len(self.nodes)} nodes are available: {reasons}. preemption: 0/{len(self.nodes)} nodes are available:"
            f" {len(self.nodes)} No preemption victims found for incoming pod."
        )
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        pod["status"] = {"phase": "Pending", "conditions": [condition]}

    def _lacks(self, pod: dict[str, Any], name: str, node: dict[str, Any]) -> str | None:
        if node["spec"].get("unschedulable"):
            return "node(s) were unschedulable"
        wanted = pod["spec"]["containers"][0]["resources"]["requests"]
        working = [other for other in self.pods.values() if other["spec"].get("nodeName") == name]
        working = [other for other in working if other["status"]["phase"] == "Running"]
        for resource, needed in wanted.items():
            used = [other["spec"]["containers"][0]["resources"]["requests"].get(resource, "0") for other in working]
            if sum(map(amount, used)) + amount(needed) > amount(node["status"]["allocatable"].get(resource, "0")):
                return f"Insufficient {resource}"
        return None

    def _start(self, pod: dict[str, Any], node: str) -> None:
        container = pod["spec"]["containers"][0]
        variables: dict[str, str] = {}
        for source in container.get("envFrom", ()):
            variables |= self.secrets[source["secretRef"]["name"]]
        for entry in container.get("env", ()):
            if "valueFrom" in entry:
                assert entry["valueFrom"] == {"fieldRef": {"fieldPath": "spec.nodeName"}}
                variables[entry["name"]] = node
            else:
                variables[entry["name"]] = _expand(entry["value"], variables)
        with open(self.folder / f"{pod['metadata']['name']}.log", "wb") as log:
            self.processes[pod["metadata"]["name"]] = subprocess.Popen(
                [_expand(word, variables) for word in container["command"]],
                env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        pod["status"] = {
            "phase": "Running",
            "conditions": [{"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "run", "state": {"running": {"startedAt": _now()}}}],
        }

    def answer(self, method: str, path: str, query: dict[str, str], body: str, token: str | None) -> Any:
        """Return the object, or the text, that a request gets."""
        if token != f"Bearer {self.token}":
            raise Refusal(401, "Unauthorized", "Unauthorized")
        with self.lock:
            self.look_after()
            parts = path.strip("/").split("/")
            if path.startswith(_JOBS):
                self._check_namespace(parts[4])
                self._check_rights({"POST": "create", "DELETE": "delete"}.get(method, "get"), "jobs", "batch")
                if method == "POST":
                    return self._create(json.loads(body))
                return self._delete(parts[6], query) if method == "DELETE" else self._named(self.jobs, parts[6], "jobs")
            if path == "/api/v1/nodes":
                self._check_rights("list", "nodes")
                return {"kind": "NodeList", "items": list(self.nodes.values())}
            if path == "/api/v1/pods":
                self._check_rights("list", "all pods")
                return {"kind": "PodList", "metadata": {}, "items": self._matching(query)}
            self._check_namespace(parts[3])
            if parts[4] == "events":
                self._check_rights("list", "events")
                name = query["fieldSelector"].split("involvedObject.name=")[1].split(",")[0]
                own = [event for event in self.events if event["involvedObject"]["name"] == name]
                return {"kind": "EventList", "items": own}
            if len(parts) == 7 and parts[6] == "log":
                return self._log(self._named(self.pods, parts[5], "pods"), query)
            self._check_rights("list", "pods")
            return {"kind": "PodList", "metadata": {}, "items": self._matching(query)}

    def _check_namespace(self, name: str) -> None:
        if name != self.namespace:
            raise Refusal(404, "NotFound", f'namespaces "{name}" not found')

    def _check_rights(self, verb: str, resource: str, group: str = "") -> None:
        if resource in self.forbidden:
            user = "system:serviceaccount:ml:plumbline"
            words = (
                f'{resource.split()[-1]} is forbidden: User "{user}" cannot {verb} resource "{resource.split()[-1]}"'
            )
            raise Refusal(403, "Forbidden", f'{words} in API group "{group}" in the namespace "{self.namespace}"')

    def _create(self, job: dict[str, Any]) -> dict[str, Any]:
        check_job(job, self.namespace)
        name = job["metadata"]["name"]
        if name in self.jobs:
            raise Refusal(409, "AlreadyExists", f'jobs.batch "{name}" already exists')
        self.jobs[name] = {**job, "status": {}}
        self.look_after()
        return self.jobs[name]

    def _delete(self, name: str, query: dict[str, str]) -> dict[str, Any]:
        assert query == {"propagationPolicy": "Background"}, "without it pods stay behind"
        self._named(self.jobs, name, "jobs")
        del self.jobs[name]
        for pod in [pod for pod, value in self.pods.items() if value["metadata"]["labels"]["job-name"] == name]:
            del self.pods[pod]
            if pod in self.processes:
                os.killpg(self.processes[pod].pid, signal.SIGTERM)
        return {"kind": "Status", "status": "Success"}

    def _named(self, objects: dict[str, dict[str, Any]], name: str, resource: str) -> dict[str, Any]:
        if name not in objects:
            raise Refusal(404, "NotFound", f'{"jobs.batch" if resource == "jobs" else resource} "{name}" not found')
        return objects[name]

    def _matching(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = dict(word.split("=") for word in query.get("labelSelector", "").split(",") if word)
        ended = {word.split("!=")[1] for word in query.get("fieldSelector", "").split(",") if word}
        return [
            pod
            for pod in self.pods.values()
            if wanted.items() <= pod["metadata"]["labels"].items() and pod["status"]["phase"] not in ended
        ]

    def _log(self, pod: dict[str, Any], query: dict[str, str]) -> str:
        name = pod["metadata"]["name"]
        if pod["status"]["phase"] == "Pending":
            raise Refusal(400, "BadRequest", f'container "run" in pod "{name}" is waiting to start: ContainerCreating')
        if query["container"] != pod["spec"]["containers"][0]["name"]:
            raise Refusal(400, "BadRequest", f"container {query['container']} is not valid for pod {name}")
        lines = (self.folder / f"{name}.log").read_text().splitlines(keepends=True)
        return "".join(lines[-int(query["tailLines"]) :])


def _node(name: str, allocatable: dict[str, str]) -> dict[str, Any]:
    status = {"allocatable": {"pods": "110", **allocatable}, "conditions": [dict(_READY)]}
    return {"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}, "spec": {}, "status": status}


def _job_status(job: dict[str, Any], pod: dict[str, Any]) -> dict[str, Any]:
    """Return the status of a Job with backoffLimit 0, by its pod."""
    phase = pod["status"]["phase"]
    if phase == "Succeeded":
        return {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
    if phase != "Failed":
        return {"active": 1}
    conditions = {condition["type"]: condition for condition in pod["status"].get("conditions", ())}
    failure = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    failure["message"] = "Job has reached the specified backoff limit"
    if "DisruptionTarget" in conditions and job["spec"].get("podFailurePolicy"):
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        failure["reason"] = "PodFailurePolicy"
        failure["message"] = f"Pod {name} has condition DisruptionTarget matching FailJob rule at index 0"
    return {"failed": 1, "conditions": [failure]}


def _expand(text: str, variables: dict[str, str]) -> str:
    """Replace ``$(NAME)`` as Kubernetes does, where ``$$`` stands for one character."""
    return re.sub(
        r"\$(\$|\(([-._a-zA-Z0-9]+)\))",
        lambda match: "$" if match[1] == "$" else variables.get(match[2], match[0]),
        text,
    )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _handler(cluster: FakeKubernetes) -> type[BaseHTTPRequestHandler]:
    def answer(self: BaseHTTPRequestHandler) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        cluster.received.append(f"{self.command} {self.path} {body}")
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        try:
            result = cluster.answer(self.command, address.path, query, body, self.headers.get("Authorization"))
            status = 201 if self.command == "POST" else 200
        except Refusal as refusal:
            result, status = refusal.reply(), refusal.code
        content = result.encode() if isinstance(result, str) else json.dumps(result).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain" if isinstance(result, str) else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    methods: dict[str, Callable[..., None]] = {f"do_{method}": answer for method in ("GET", "POST", "DELETE")}
    return type("Handler", (BaseHTTPRequestHandler,), {**methods, "log_message": lambda *_: None})

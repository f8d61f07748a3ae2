"""A Ray cluster as the engine: its Jobs API over HTTP, so that this process needs no Ray.

Variables stand in the command: those of a runtime environment are expanded, and the process that Ray keeps beside a job
has them as well, so that it would look like one of the run's own.

Facts that the code below relies on (Ray 2.60): a job that waits cannot be stopped, it stays until a node takes it and
ends then, since its claim is void; one that waits for `RAY_JOB_START_TIMEOUT_SECONDS` (900 by default) fails; one whose
node dies is not started again; the address takes jobs from anyone unless tokens are asked for.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import ssl
from typing import Any, Literal
from urllib.parse import SplitResult, quote, urlsplit

from core.errors import JobError, RemoteError, SettingsError
from core.jobs.launchers.base import Job, Node, Nodes, Sight, command, last_line
from core.jobs.needs import Needs

__all__ = ["RayLauncher"]

_PORT = 8265
_TIMEOUT_S = 10.0
_MOST_BYTES = 32 << 20
_STATES: dict[str, Literal["waiting", "running"]] = {"PENDING": "waiting", "RUNNING": "running"}
_LISTED_TYPE = "local.cluster.node"
"""Type of the nodes that a file for `ray up` lists by their addresses: there are no others."""
_WAITED_TOO_LONG = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"
_UNAUTHORIZED = (401, 403)
_MB = 2**20


class RayLauncher:
    """The Ray cluster of a setting ``ray://host:port``, where the port is that of the dashboard.

    Parameters
    ----------
    url : str
        The setting.
    token : str or None
        Token that the cluster asks for.

    Raises
    ------
    SettingsError
        When the token is missing and the cluster is not on this machine.
    """

    def __init__(self, url: str, token: str | None) -> None:
        self._url: SplitResult = urlsplit(url)
        self._token = token
        self._port = self._url.port or (443 if self._url.scheme.endswith("https") else _PORT)
        self._asks_for_token = False
        if token is None and not self._on_this_machine:
            raise SettingsError(
                f"PLUMBLINE_ENGINE is at {self._url.hostname}, not on this machine, and has no PLUMBLINE_ENGINE_TOKEN.",
                "Start the cluster with RAY_AUTH_MODE=token, and give its token: without one it works for anyone.",
            )

    @property
    def title(self) -> str:
        """Words for it in sentences."""
        return f"the Ray cluster at {self._url.hostname}:{self._port}"

    @property
    def _subject(self) -> str:
        return self.title[0].upper() + self.title[1:]

    @property
    def _on_this_machine(self) -> bool:
        host = self._url.hostname or ""
        with contextlib.suppress(ValueError):
            return ipaddress.ip_address(host).is_loopback
        return host == "localhost"

    def launch(self, job: Job) -> None:
        """Ask for a job."""
        self._require_authentication()
        body = {
            "submission_id": job.handle,
            "entrypoint": command(job.run_id, {**job.environment, **_without_gpus(job.needs)}),
            "entrypoint_num_cpus": job.needs.cpus,
            "entrypoint_num_gpus": job.needs.gpus,
            "entrypoint_memory": job.needs.memory_mb * _MB,
            "metadata": {"plumbline_run": job.run_id},
        }
        status, answer = self._request("POST", "/api/jobs/", body)
        if status >= 400 and "already exists" not in answer:
            self._refused("start a job", status, answer)

    def look(self, handle: str) -> Sight:
        """Return what became of a job."""
        status, answer = self._request("GET", f"/api/jobs/{quote(handle)}")
        if status == 404:
            return Sight(state="gone", message=f"{self.title} does not know the job", unknown=True)
        if status >= 400:
            self._refused("say what became of a job", status, answer)
        values = self._json(answer)
        state = _STATES.get(str(values.get("status")))
        if state is not None:
            return Sight(state=state)
        message = last_line(str(values.get("message") or values.get("status") or ""))
        return Sight(state="gone", message=message, blameless=values.get("error_type") == _WAITED_TOO_LONG)

    def end(self, handle: str) -> None:
        """End a job that works."""
        status, answer = self._request("POST", f"/api/jobs/{quote(handle)}/stop")
        if status in _UNAUTHORIZED:
            self._refused("end a job", status, answer)

    def log(self, handle: str, tail_bytes: int) -> str:
        """Return the last bytes that a job has written."""
        status, answer = self._request("GET", f"/api/jobs/{quote(handle)}/logs")
        if status >= 400:
            return ""
        return str(self._json(answer).get("logs", "")).encode()[-tail_bytes:].decode(errors="replace")

    def nodes(self) -> Nodes:
        """Return the nodes that are alive, with what their jobs have."""
        status, answer = self._request("GET", "/nodes?view=summary")
        if status >= 400:
            self._refused("list its nodes", status, answer)
        used, grows = self._usage()
        try:
            summaries = list(self._json(answer)["data"]["summary"])
            nodes = [_node(summary, used) for summary in summaries if _is_alive(summary)]
        except (KeyError, TypeError, AttributeError) as error:
            raise RemoteError(f"{self._subject} did not list its nodes.", "It is asked again.") from error
        return Nodes(nodes=tuple(nodes), grows=grows)

    def _usage(self) -> tuple[dict[str, dict[str, float]], bool]:
        """Return what is used of each node's resources by its id, and whether an autoscaler may add nodes.

        Without an autoscaler each node is a type of its own, named after it. Where that is unknown, as the report
        has another form, the cluster is said to grow: what might fit waits, and is not refused.
        """
        status, answer = self._request("GET", "/api/cluster_status")
        try:
            report = json.loads(answer)["data"]["clusterStatus"]
            metrics, types = report["loadMetricsReport"], report["autoscalerReport"]["nodeTypeMapping"]
            used = {
                node: {name: float(values[0]) for name, values in resources.items()}
                for node, resources in metrics["usageByNode"].items()
            }
            return used, any(name not in (f"node_{node}", _LISTED_TYPE) for node, name in types.items())
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}, status < 400

    def _require_authentication(self) -> None:
        """Refuse a cluster elsewhere that takes jobs from anyone who reaches it."""
        if self._on_this_machine or self._asks_for_token:
            return
        status, _ = self._request("GET", "/api/version", authorized=False)
        if status not in _UNAUTHORIZED:
            raise RemoteError(
                f"{self._subject} takes jobs from anyone who reaches it.",
                "Start it anew with RAY_AUTH_MODE=token.",
            )
        self._asks_for_token = True

    def _refused(self, what: str, status: int, answer: str) -> None:
        if status in _UNAUTHORIZED:
            raise RemoteError(
                f"{self._subject} does not take PLUMBLINE_ENGINE_TOKEN.", "Give the token that its nodes have."
            )
        reason = last_line(answer.rstrip(" .\n")) or str(status)
        if status >= 500 and "status code 400" not in answer:  # an agent that starts or is gone, a store that is full
            raise RemoteError(f"{self._subject} could not {what}: {reason}.", "It is tried again.")
        raise JobError(f"{self._subject} did not {what}: {reason}.", "Its dashboard may say more.")

    def _json(self, text: str) -> dict[str, Any]:
        try:
            values = json.loads(text)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise RemoteError(
                f"What answers at {self._url.hostname}:{self._port} is not a Ray cluster: {last_line(text)[:80]!r}.",
                "PLUMBLINE_ENGINE takes the address of its dashboard, such as ray://head.internal:8265.",
            )
        return values

    def _request(self, method: str, path: str, body: object = None, *, authorized: bool = True) -> tuple[int, str]:
        """Return status and text of an answer.

        Raises
        ------
        RemoteError
            When none comes.
        """
        headers = {"Content-Type": "application/json"}
        if authorized and self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = self._connection()
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_MOST_BYTES).decode(errors="replace")
        except (OSError, ValueError, http.client.HTTPException) as error:
            # The text of other errors may have what was sent, and so the token.
            reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
            raise RemoteError(f"{self._subject} cannot be reached: {reason}.", "Runs wait until it answers.") from error
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        host = self._url.hostname or ""
        if self._url.scheme.endswith("https"):
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, self._port, timeout=_TIMEOUT_S, context=context)
        return http.client.HTTPConnection(host, self._port, timeout=_TIMEOUT_S)


def _without_gpus(needs: Needs) -> dict[str, str]:
    """Return a variable that hides the GPUs of a node from a job that has none: Ray lets it see those of others."""
    return {} if needs.gpus else {"CUDA_VISIBLE_DEVICES": ""}


def _is_alive(summary: dict[str, Any]) -> bool:
    return bool(summary["raylet"].get("state", "ALIVE") == "ALIVE")


def _node(summary: dict[str, Any], used: dict[str, dict[str, float]]) -> Node:
    """Return a node of the dashboard's summary, with what is used of it by node id."""
    raylet = summary["raylet"]
    total, own = raylet.get("resourcesTotal", {}), used.get(str(raylet.get("nodeId")), {})
    return Node(
        name=str(summary.get("hostname") or raylet.get("nodeName")),
        cpus=total.get("CPU", 0.0),
        gpus=total.get("GPU", 0.0),
        memory_mb=total.get("memory", 0.0) / _MB,
        used_cpus=own.get("CPU", 0.0) if own else None,
        used_gpus=own.get("GPU", 0.0) if own else None,
        used_memory_mb=own.get("memory", 0.0) / _MB if own else None,
    )

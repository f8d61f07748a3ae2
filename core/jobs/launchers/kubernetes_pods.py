"""States of Jobs and pods of Kubernetes in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from core.jobs.launchers.base import Sight, last_line

__all__ = ["job_sight", "newest"]

_DISRUPTED = "DisruptionTarget"
_LOST_NODE = {"NodeLost", "NodeShutdown", "Preempting", "Shutdown", "Terminated"}
_REJECTED = ("NodeAffinity", "OutOf", "UnexpectedAdmissionError")
"""Reasons of a pod that its node did not take, as another one was faster."""
_PRESSURE = ("The node was low on resource", "The node had condition")
_ROUTINE = {"ContainerCreating", "PodInitializing"}


def newest(items: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Return the object that was made last; None of none.

    Parameters
    ----------
    items : iterable of mapping
        Objects of the API.
    """
    return max(items, key=lambda item: str(item.get("metadata", {}).get("creationTimestamp", "")), default=None)


def job_sight(job: Mapping[str, Any], pod: Mapping[str, Any] | None, event: str = "") -> Sight:
    """Return what became of a run, by its Job and the pod of it.

    An image that cannot be pulled, or a Secret that is missing, is reported as waiting with its reason, however long it
    takes: the node tries again, so the run begins as soon as an administrator has corrected it, while failing it would
    only use up its attempts. A template that has activeDeadlineSeconds sets a limit.

    Parameters
    ----------
    job : mapping
        The Job.
    pod : mapping or None
        Its latest pod.
    event : str, default=""
        Reason why the Job has no pod, where one is known.
    """
    status = job.get("status") or {}
    failure = _condition(status, "Failed")
    if failure is not None:
        return _failed(failure, pod)
    if _condition(status, "Complete") is not None:
        return Sight(state="gone", message="it ended")
    if pod is None:
        if (job.get("spec") or {}).get("suspend"):
            return Sight(state="waiting", message="the Job is suspended until a queue of the cluster starts it")
        return Sight(state="waiting", message=last_line(event))
    phase = (pod.get("status") or {}).get("phase")
    if phase in ("Succeeded", "Failed"):
        return _ended(pod)
    return _waiting(pod) if phase == "Pending" else Sight(state="running")


def _failed(failure: Mapping[str, Any], pod: Mapping[str, Any] | None) -> Sight:
    """Return the end of a Job that failed: what its pod says, where the pod is there and has ended."""
    reason, message = str(failure.get("reason") or ""), str(failure.get("message") or "")
    if reason == "DeadlineExceeded":
        return Sight(state="gone", message="it reached the time limit of its Job (DeadlineExceeded)")
    if pod is not None and (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return _ended(pod)
    if _DISRUPTED in message:
        return Sight(state="gone", message=f"its pod was evicted or its node lost ({_DISRUPTED})", blameless=True)
    return Sight(state="gone", message=last_line(f"{message} ({reason})"))


def _ended(pod: Mapping[str, Any]) -> Sight:
    status = pod.get("status") or {}
    reason, message = str(status.get("reason") or ""), str(status.get("message") or "")
    disruption = _condition(status, _DISRUPTED)
    if disruption is not None:
        words = str(disruption.get("reason") or _DISRUPTED)
        return Sight(
            state="gone",
            message=last_line(f"its pod was evicted or its node lost ({words}) {disruption.get('message') or ''}"),
            blameless=True,
        )
    if reason:
        # A pod that used more disk than its limit is evicted as well, which is its own fault.
        blameless = (
            reason in _LOST_NODE
            or reason.startswith(_REJECTED)
            or (reason == "Evicted" and message.startswith(_PRESSURE))
        )
        return Sight(state="gone", message=last_line(f"{message} ({reason})".strip()), blameless=blameless)
    ends = [end for end in _ends(status) if end.get("exitCode")]
    if not ends:
        return Sight(state="gone", message="it ended" if status.get("phase") == "Succeeded" else "it failed")
    end = ends[0]
    if end.get("reason") == "OOMKilled":
        return Sight(state="gone", message="it needed more memory than its container has (OOMKilled)")
    details = [f"exit code {end['exitCode']}", *([end["reason"]] if end.get("reason") not in (None, "Error") else [])]
    return Sight(state="gone", message=last_line(f"it failed ({', '.join(details)})"))


def _waiting(pod: Mapping[str, Any]) -> Sight:
    """Return why a pod waits: for a node, or for its container."""
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return Sight(
                state="waiting", message=last_line(str(condition.get("message") or condition.get("reason") or ""))
            )
    containers = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for container in containers:
        waiting = (container.get("state") or {}).get("waiting") or {}
        reason = waiting.get("reason")
        if reason and reason not in _ROUTINE:
            message = " ".join(str(waiting.get("message") or "").split())
            return Sight(state="waiting", message=last_line(f"{reason}: {message}" if message else reason))
    return Sight(state="waiting", message="its container is prepared" if containers else "")


def _condition(status: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return a condition that holds."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == name and condition.get("status") == "True":
            held: Mapping[str, Any] = condition
            return held
    return None


def _ends(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    containers = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    return [end for container in containers if (end := (container.get("state") or {}).get("terminated"))]

"""The Job of Kubernetes that each run is made of: a file of the installation, and what a run adds to it."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from core.jobs.launchers.base import Job, command
from core.jobs.launchers.kubernetes_quantities import quantity

__all__ = ["FIXED_NODES", "RUN_LABEL", "job_object", "read_template", "tolerates"]

RUN_LABEL = "plumbline-run"
"""Label with the id of a run, on its Job and its pod."""
FIXED_NODES = "plumbline/fixed-nodes"
"""Annotation of a template whose cluster adds no nodes by itself."""
_HINT = "deploy/kubernetes/job.yaml is an example: a Job (apiVersion: batch/v1) whose first container has an image."
_KEPT_S = 3_600
"""Seconds for which a Job that has ended is kept, so that its end can be looked at."""
_GPU = "nvidia.com/gpu"
_DISRUPTED = {"action": "FailJob", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
"""A rule by which the Job says that its pod was evicted or its node lost, also when the pod is gone."""


def read_template(path: Path | None) -> dict[str, Any]:
    """Return the Job of a YAML file.

    Parameters
    ----------
    path : Path or None
        File that PLUMBLINE_ENGINE_TEMPLATE names.

    Raises
    ------
    SettingsError
        When there is none, or it is not a Job with a container that has an image.
    """
    import yaml

    if path is None:
        raise SettingsError("PLUMBLINE_ENGINE is kubernetes, and PLUMBLINE_ENGINE_TEMPLATE is not set.", _HINT)
    try:
        with open(path, encoding="utf-8") as file:
            template = yaml.safe_load(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise SettingsError(
            f"PLUMBLINE_ENGINE_TEMPLATE names {path}, which cannot be read: {reason}.", _HINT
        ) from error
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" in line {line + 1}"
        raise SettingsError(f"PLUMBLINE_ENGINE_TEMPLATE names {path}, which is not YAML{where}.", _HINT) from error
    mistake = _mistake(template)
    if mistake is not None:
        raise SettingsError(f"PLUMBLINE_ENGINE_TEMPLATE names {path}, {mistake}.", _HINT)
    checked: dict[str, Any] = template
    return checked


def _mistake(template: object) -> str | None:
    """Return what a template lacks."""
    if not isinstance(template, dict):
        return "which holds no object"
    version, noun = template.get("apiVersion"), template.get("kind")
    if (version, noun) != ("batch/v1", "Job"):
        return f"which holds {noun or 'an object without a kind'} ({version}) and not a Job (batch/v1)"
    for names in (("metadata",), ("spec",), ("spec", "template"), ("spec", "template", "spec")):
        part: Any = template
        for name in names:
            part = part.get(name, {} if name == "metadata" else None)
        if not isinstance(part, dict):
            return f"whose Job has no {'.'.join(names)}"
    containers = template["spec"]["template"]["spec"].get("containers")
    if not isinstance(containers, list) or not containers or not isinstance(containers[0], dict):
        return "whose Job has no container"
    container = containers[0]
    if not container.get("image") or not container.get("name"):
        return "whose first container has no image, or no name"
    for name, amounts in (container.get("resources") or {}).items():
        for resource, amount in (amounts or {}).items() if isinstance(amounts, dict) else ():
            try:
                quantity(amount)
            except ValueError:
                return f"whose resources.{name} has {resource}: {amount!r}, which is not an amount"
    return None


def job_object(template: Mapping[str, Any], job: Job, namespace: str) -> dict[str, Any]:
    """Return the Job of a run.

    The first container of the template gets the command, the variables and the resources of the run; requests are equal
    to limits, so that a node which runs out of memory evicts others first. All else stays as it is in the template, but
    for what would start a second pod: the queue of Plumbline repeats runs itself.

    Parameters
    ----------
    template : mapping
        Job that `read_template` returned.
    job : Job
        The run.
    namespace : str
        Namespace of the Job.
    """
    made = copy.deepcopy(dict(template))
    made.pop("status", None)
    metadata = made["metadata"] = {**(made.get("metadata") or {}), "name": job.handle, "namespace": namespace}
    metadata.pop("generateName", None)
    spec = made["spec"]
    for name in ("selector", "manualSelector", "completionMode", "successPolicy", "backoffLimitPerIndex"):
        spec.pop(name, None)
    spec |= {"backoffLimit": 0, "parallelism": 1, "completions": 1}
    spec.setdefault("ttlSecondsAfterFinished", _KEPT_S)
    spec.setdefault("podFailurePolicy", {"rules": [_DISRUPTED]})
    pod = spec["template"]
    for labeled in (metadata, pod.setdefault("metadata", {})):
        labeled["labels"] = {**(labeled.get("labels") or {}), RUN_LABEL: job.run_id}
    pod["spec"]["restartPolicy"] = "Never"
    container = pod["spec"]["containers"][0]
    container["command"] = ["/bin/sh", "-c", _literal(command(job.run_id))]
    container.pop("args", None)
    container["env"] = _variables(container.get("env") or (), job.environment)
    container["resources"] = _resources(container.get("resources") or {}, job)
    return made


def _literal(text: str) -> str:
    """Return a text in which Kubernetes replaces no ``$(NAME)`` by a variable."""
    return text.replace("$", "$$")


def _variables(own: Iterable[dict[str, Any]], environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the variables of the template and those of the run, which come last and replace others of their name."""
    kept = [entry for entry in own if entry.get("name") not in environment]
    if "PLUMBLINE_NODE_NAME" not in {*environment, *(entry.get("name") for entry in kept)}:
        node_name = {"valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
        kept.append({"name": "PLUMBLINE_NODE_NAME", **node_name})
    return [*kept, *({"name": name, "value": _literal(value)} for name, value in environment.items())]


def _resources(own: Mapping[str, Any], job: Job) -> dict[str, Any]:
    """Return the resources of a run: its needs, and others that the template has, such as ephemeral storage.

    The template may name GPUs of another maker; otherwise they are those of NVIDIA.
    """
    limits = {**(own.get("requests") or {}), **(own.get("limits") or {})}
    gpu = next((name for name in limits if str(name).endswith("/gpu")), _GPU)
    others = {name: str(amount) for name, amount in limits.items() if name not in ("cpu", "memory", gpu)}
    needs = {"cpu": str(job.needs.cpus), "memory": f"{job.needs.memory_mb}Mi"}
    if job.needs.gpus:
        needs[gpu] = str(job.needs.gpus)
    amounts = needs | others
    return {**own, "requests": amounts, "limits": dict(amounts)}


def tolerates(template: Mapping[str, Any], taint: Mapping[str, Any]) -> bool:
    """Return whether the pods of a template may work on a node in spite of a taint.

    Parameters
    ----------
    template : mapping
        Job that `read_template` returned.
    taint : mapping
        Taint of a node.

    Examples
    --------
    >>> template = {"spec": {"template": {"spec": {"tolerations": [{"key": "gpu", "operator": "Exists"}]}}}}
    >>> tolerates(template, {"key": "gpu", "value": "a", "effect": "NoSchedule"})
    True
    >>> tolerates(template, {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"})
    False
    """
    if taint.get("effect") not in ("NoSchedule", "NoExecute"):
        return True
    return any(
        toleration.get("effect") in (None, "", taint["effect"])
        and toleration.get("key") in (None, "", taint.get("key"))
        and (
            toleration.get("operator") == "Exists"
            or (toleration.get("key") and (toleration.get("value") or "") == (taint.get("value") or ""))
        )
        for toleration in template["spec"]["template"]["spec"].get("tolerations") or ()
    )

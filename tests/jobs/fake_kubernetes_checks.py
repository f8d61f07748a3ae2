"""What an API server of Kubernetes checks of a Job before it takes it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

__all__ = ["Refusal", "amount", "check_job"]

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_AMOUNT = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_POWERS = {"": 0, "m": -1, "k": 1, "M": 2, "G": 3}
_FACTORS = {suffix: Decimal(1000) ** power for suffix, power in _POWERS.items()}
_FACTORS |= {f"{suffix}i": Decimal(1024) ** power for suffix, power in {"K": 1, "M": 2, "G": 3}.items()}


class Refusal(Exception):
    """An answer that is an error.

    Parameters
    ----------
    code : int
        Status of the answer.
    reason, message : str
        Reason in one word, and what is wrong.
    """

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message

    def reply(self) -> dict[str, Any]:
        """Return the object that tells of it."""
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }


def amount(text: str) -> Decimal:
    """Return an amount of a resource."""
    match = _AMOUNT.fullmatch(text)
    if match is None or match[2] not in _FACTORS:
        form = "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        raise Refusal(
            400,
            "BadRequest",
            f'Job in version "v1" cannot be handled as a Job: quantities must match the regular {form}',
        )
    return Decimal(match[1]) * _FACTORS[match[2]]


def _require(holds: object, name: str, path: str, message: str) -> None:
    if not holds:
        raise Refusal(422, "Invalid", f'Job.batch "{name}" is invalid: {path}: {message}')


def check_job(job: dict[str, Any], namespace: str) -> None:
    """Raise `Refusal` where a real server would refuse a Job.

    Parameters
    ----------
    job : dict
        Body of the request.
    namespace : str
        Namespace of its address.
    """
    if (job.get("apiVersion"), job.get("kind")) != ("batch/v1", "Job"):
        raise Refusal(
            400, "BadRequest", "the API version in the data does not match the expected API version (batch/v1)"
        )
    metadata, spec = job["metadata"], job["spec"]
    name, pod = metadata.get("name", ""), spec["template"]["spec"]
    if metadata.get("namespace", namespace) != namespace:
        raise Refusal(400, "BadRequest", "the namespace of the provided object does not match the namespace sent")
    _require(
        _LABEL.fullmatch(name), name, "metadata.name", "Invalid value: a lowercase RFC 1123 subdomain must consist"
    )
    for labels in (metadata.get("labels", {}), spec["template"]["metadata"].get("labels", {})):
        for label, value in labels.items():
            _require(_LABEL_VALUE.fullmatch(value), name, f"metadata.labels.{label}", "Invalid value")
    _require(pod.get("restartPolicy") in ("Never", "OnFailure"), name, "spec.template.spec.restartPolicy", "Required")
    never = pod["restartPolicy"] == "Never"
    _require(never or "podFailurePolicy" not in spec, name, "spec.podFailurePolicy", "only supported with Never")
    for count in ("backoffLimit", "ttlSecondsAfterFinished", "parallelism", "completions"):
        _require(isinstance(spec.get(count, 0), int) and spec.get(count, 0) >= 0, name, f"spec.{count}", "must be >= 0")
    _require(pod.get("containers"), name, "spec.template.spec.containers", "Required value")
    for index, container in enumerate(pod["containers"]):
        _check_container(name, f"spec.template.spec.containers[{index}]", container)


def _check_container(job: str, path: str, container: dict[str, Any]) -> None:
    _require(_LABEL.fullmatch(container.get("name", "")), job, f"{path}.name", "Required value")
    _require(container.get("image"), job, f"{path}.image", "Required value")
    _require(all(isinstance(word, str) for word in container.get("command", ())), job, f"{path}.command", "not strings")
    for entry in container.get("env", ()):
        _require(_VARIABLE.fullmatch(entry["name"]), job, f"{path}.env.name", f"Invalid value: {entry['name']!r}")
        if not isinstance(entry.get("value", ""), str):
            raise Refusal(400, "BadRequest", "cannot unmarshal number into Go struct field EnvVar of type string")
        both = {"value", "valueFrom"} <= entry.keys()
        _require(not both, job, f"{path}.env.valueFrom", "may not be specified when `value` is not empty")
    resources = container.get("resources", {})
    limits, requests = resources.get("limits", {}), resources.get("requests", {})
    for resource, text in {**limits, **requests}.items():
        if not isinstance(text, str):
            raise Refusal(400, "BadRequest", "cannot unmarshal: quantities are strings")
        amount(text)
        if resource in limits and resource in requests:
            fits = amount(requests[resource]) <= amount(limits[resource])
            _require(fits, job, f"{path}.resources.requests", f"must be less than or equal to {resource} limit")
        if "/" in resource:
            whole = amount(text) == int(amount(text)) and limits.get(resource) == requests.get(resource, text)
            _require(whole, job, f"{path}.resources.limits[{resource}]", "must be an integer, and equal to requests")

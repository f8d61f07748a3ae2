"""States and reasons of Slurm's jobs in words, as `squeue` and `sacct` write them."""

from __future__ import annotations

import os

from core.jobs.launchers.base import Sight, last_line

__all__ = ["ended_job", "job_sight"]

_WAITING = {
    "CONFIGURING",
    "PENDING",
    "POWER_UP_NODE",
    "REQUEUED",
    "REQUEUE_FED",
    "REQUEUE_HOLD",
    "RESV_DEL_HOLD",
    "SPECIAL_EXIT",
}
_RUNNING = {"COMPLETING", "EXPEDITING", "RESIZING", "RUNNING", "SIGNALING", "STAGE_OUT", "STOPPED", "SUSPENDED"}
_BLAMELESS = {"BOOT_FAIL", "NODE_FAIL", "PREEMPTED", "RECONFIG_FAIL"}
_STATES = {
    "CONFIGURING": "its node starts",
    "POWER_UP_NODE": "its node starts",
    "REQUEUE_HOLD": "it is held in the queue of SLURM",
    "RESV_DEL_HOLD": "its reservation was deleted",
    "SPECIAL_EXIT": "it is held in the queue of SLURM",
    "STOPPED": "SLURM stopped it",
    "SUSPENDED": "SLURM suspended it",
}
_ENDS = {
    "BOOT_FAIL": "its node did not start",
    "CANCELLED": "it was cancelled in SLURM",
    "COMPLETED": "it ended",
    "DEADLINE": "it did not end before its deadline",
    "FAILED": "it failed",
    "NODE_FAIL": "its node failed",
    "OUT_OF_MEMORY": "it needed more memory than SLURM gave it",
    "PREEMPTED": "a job with precedence took its node",
    "RECONFIG_FAIL": "its node could not be configured",
    "TIMEOUT": "it reached the time limit that it has in SLURM",
}
_REASONS = {
    "AccountNotAllowed": "the partition does not accept its account",
    "BeginTime": "its time to begin has not come",
    "BadConstraints": "no node has what its options ask for",
    "Dependency": "it depends on a job that has not ended",
    "DependencyNeverSatisfied": "it depends on a job that failed",
    "InvalidAccount": "its account is not valid",
    "InvalidQOS": "its QOS is not valid",
    "JobHeldAdmin": "an administrator holds it",
    "JobHeldUser": "its user holds it",
    "Licenses": "its licenses are taken",
    "PartitionConfig": "no node of the partition has what it needs",
    "PartitionDown": "the partition is down",
    "PartitionInactive": "the partition is inactive",
    "PartitionNodeLimit": "it needs more nodes than the partition allows",
    "PartitionTimeLimit": "its time limit is above that of the partition",
    "Prolog": "its node is being prepared",
    "Priority": "other jobs come first",
    "QOSNotAllowed": "the partition does not accept its QOS",
    "ReqNodeNotAvail": "a node that it needs is not available",
    "Reservation": "its reservation has not begun",
    "Resources": "it waits for free resources",
}
_NO_REASON = ("", "None", "(null)")


def job_sight(state: str, reason: str, exit_code: str) -> Sight:
    """Return what the state of a job means.

    Parameters
    ----------
    state : str
        State as `squeue` or `sacct` writes it: one word, after which `sacct` says who cancelled a job.
    reason : str
        Reason of a job that waits or failed; may be "None".
    exit_code : str
        Exit code: a wait status, or code and signal joined by a colon; may be empty.

    Examples
    --------
    >>> job_sight("PENDING", "Resources", "0:0").message
    'it waits for free resources (Resources)'
    >>> job_sight("NODE_FAIL", "None", "0:0")
    Sight(state='gone', message='its node failed (NODE_FAIL)', unknown=False, blameless=True)
    """
    name = state.partition(" ")[0].rstrip("+")
    if name in _WAITING:
        return Sight(state="waiting", message=_STATES.get(name) or _reason_words(reason))
    if name in _RUNNING:
        return Sight(state="running", message=_STATES.get(name, ""))
    return ended_job(name, reason, exit_code)


def ended_job(state: str, reason: str, exit_code: str) -> Sight:
    """Return what is said about a job that has ended; a state that is not known counts as an end.

    Parameters
    ----------
    state : str
        Name of the state.
    reason, exit_code : str
        Reason and exit code, as for `job_sight`.
    """
    code, signal = _exit_code(exit_code)
    details = [state]
    if reason not in _NO_REASON and state == "FAILED":
        details.append(reason)
    if code:
        details.append(f"exit code {code}")
    if signal:
        details.append(f"signal {signal}")
    words = _ENDS.get(state, "it ended")
    return Sight(state="gone", message=last_line(f"{words} ({', '.join(details)})"), blameless=state in _BLAMELESS)


def _reason_words(reason: str) -> str:
    if reason in _NO_REASON:
        return ""
    name = reason.partition(",")[0]
    words = _REASONS.get(name)
    if words is None and name.startswith(("QOS", "Assoc")):
        owner = "QOS" if name.startswith("QOS") else "account"
        words = f"a limit of its {owner} is reached"
    return last_line(reason if words is None else f"{words} ({reason})")


def _exit_code(text: str) -> tuple[int, int]:
    """Return exit code and signal of ``3:0``, or of the wait status 768 that earlier versions of squeue write.

    Examples
    --------
    >>> _exit_code("3:0"), _exit_code("768"), _exit_code("9"), _exit_code("")
    ((3, 0), (3, 0), (0, 9), (0, 0))
    """
    code, colon, signal = text.strip().partition(":")
    if not code.isdigit() or (colon and not signal.isdigit()):
        return 0, 0
    if colon:
        return int(code), int(signal)
    status = os.waitstatus_to_exitcode(int(code)) if int(code) & 0xFF != 0x7F else 0
    return max(status, 0), max(-status, 0)

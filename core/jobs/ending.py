"""How a run ends: its terminal state, and what is stored with it."""

from __future__ import annotations

import errno
import signal
from dataclasses import dataclass

from core.catalog import RunState
from core.errors import StoppedError
from core.jobs.outcome import Outcome
from core.jsonable import JsonObject

__all__ = ["DISK_FULL", "TERMINATED", "Ending", "ending_by_outcome", "ending_by_status", "interruption"]

DISK_FULL = ("The disk is full.", "Free some space, then repeat the run.")
TERMINATED = 128 + signal.SIGTERM
"""Exit status of a worker that a signal asked to end."""
_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Ending:
    """The terminal state of a run, and what is stored with it."""

    state: RunState
    result: JsonObject | None = None
    error_message: str | None = None
    error_hint: str | None = None

    def fields(self) -> JsonObject:
        """Return the columns of the run's row that this ending sets."""
        return {name: value for name, value in vars(self).items() if name != "state" and value is not None}


def interruption(reason: str) -> Ending:
    """Return the ending of a run whose process is gone, for a reason that a sentence gives."""
    hint = "Resume it if its page offers that, or repeat it with the same settings."
    return Ending(RunState.INTERRUPTED, error_message=reason, error_hint=hint)


def ending_by_outcome(outcome: Outcome) -> Ending:
    """Return the ending that a worker's outcome stands for."""
    if outcome.error is None:
        return Ending(RunState.SUCCEEDED, outcome.result)
    state = RunState.CANCELLED if isinstance(outcome.error, StoppedError) else RunState.FAILED
    return Ending(state, error_message=outcome.error.message, error_hint=outcome.error.hint)


def ending_by_status(status: int, *, out_of_memory: bool) -> Ending:
    """Return the ending of a run whose worker left no outcome.

    A signal from outside interrupts a run, whatever its task did at that moment; a crash or an exit is the run's own.

    Parameters
    ----------
    status : int
        Exit status of the worker, negative for a signal.
    out_of_memory : bool
        Whether the system has just ended a process because memory was short.
    """
    if -status == signal.SIGKILL and out_of_memory:
        return Ending(
            RunState.OUT_OF_MEMORY,
            error_message="The system ran out of memory and ended the run's process.",
            error_hint="Use fewer rows or columns, or end other programs, then resume or repeat the run.",
        )
    if -status in _SIGNALS or status == TERMINATED:
        name = "SIGTERM" if status > 0 else signal.Signals(-status).name
        return interruption(f"The run's process was ended from outside ({name}).")
    if status < 0:
        message = f"The run's process crashed ({signal.strsignal(-status)})."
        hint = "This is a defect of Plumbline or of a library. The log has the details."
    elif status == errno.ENOSPC:
        message, hint = DISK_FULL
    else:
        message = f"The run's process ended without a result (exit status {status})."
        hint = "The log may have the reason."
    return Ending(RunState.FAILED, error_message=message, error_hint=hint)

"""How a task ended: a result or an error, which the worker leaves in the run's folder for the monitor."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from core.errors import PlumblineError, StoppedError, from_record, to_record
from core.files import atomic_write
from core.jsonable import JsonObject

__all__ = ["Outcome", "clear_outcome", "outcome_age_s", "read_outcome", "write_outcome"]

_NAME = "outcome.json"


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Parameters
    ----------
    result : dict, optional
        Result of a task that succeeded.
    error : PlumblineError, optional
        Error of a task that failed; a `StoppedError` for one that was stopped and can be resumed.
    """

    result: JsonObject | None = None
    error: PlumblineError | None = None


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Write an outcome to a run's folder, whole or not at all."""
    error = None if outcome.error is None else to_record(outcome.error)
    if error is not None:  # a file name may hold characters that are not valid Unicode, and no database takes them
        error["message"] = error["message"].encode("utf-8", "replace").decode()
    text = json.dumps({"result": outcome.result, "error": error}, allow_nan=False)
    with atomic_write(folder / _NAME) as partial, open(partial, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_outcome(folder: Path) -> Outcome | None:
    """Return the outcome in a run's folder, or None when the worker left none."""
    try:
        values = json.loads((folder / _NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if values.get("error") is not None:
        return Outcome(error=from_record(values["error"]))
    if values.get("message") is not None:  # written before errors were records
        error_type = StoppedError if values.get("stopped") else PlumblineError
        return Outcome(error=error_type(values["message"], values["hint"] or ""))
    return Outcome(result=values["result"])


def outcome_age_s(folder: Path) -> float:
    """Return the seconds since the outcome was written, 0 when there is none."""
    try:
        return time.time() - (folder / _NAME).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def clear_outcome(folder: Path) -> None:
    """Remove the outcome of an earlier attempt."""
    (folder / _NAME).unlink(missing_ok=True)

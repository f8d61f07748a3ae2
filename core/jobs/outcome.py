"""How a task ended: a result or an error, which the worker leaves in the run's folder for the monitor."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from core.errors import PlumblineError, from_record, to_record
from core.files import atomic_write
from core.jsonable import JsonObject

__all__ = ["Outcome", "has_outcome", "read_outcome", "remove_outcome", "write_outcome"]


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


def _file(folder: Path, attempt: int) -> Path:
    """Return the file of an attempt: what one that was taken for lost still writes must not be that of the next."""
    return folder / f"outcome-{attempt}.json"


def write_outcome(folder: Path, attempt: int, outcome: Outcome) -> None:
    """Write the outcome of an attempt to a run's folder, whole or not at all."""
    error = None if outcome.error is None else to_record(outcome.error)
    if error is not None:  # a file name may hold characters that are not valid Unicode, and no database takes them
        error["message"] = error["message"].encode("utf-8", "replace").decode()
    text = json.dumps({"result": outcome.result, "error": error}, allow_nan=False)
    with atomic_write(_file(folder, attempt)) as partial, open(partial, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_outcome(folder: Path, attempt: int) -> Outcome | None:
    """Return the outcome of an attempt, or None when the worker left none."""
    try:
        values = json.loads(_file(folder, attempt).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    if values.get("error") is not None:
        return Outcome(error=from_record(values["error"]))
    return Outcome(result=values["result"])


def has_outcome(folder: Path, attempt: int) -> bool:
    """Return whether an attempt has left its outcome."""
    return _file(folder, attempt).exists()


def remove_outcome(folder: Path, attempt: int) -> None:
    """Remove the outcome of an attempt, once the catalog has what it says, and what attempts left that were killed."""
    _file(folder, attempt).unlink(missing_ok=True)
    for number in range(1, attempt + 1):
        for partial in folder.glob(f".{_file(folder, number).name}.*.partial"):
            partial.unlink(missing_ok=True)

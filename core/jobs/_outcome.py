"""The worker's last word, left in the run's folder for the monitor: a result, or an error for the user."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

__all__ = ["clear_outcome", "outcome_age_s", "read_outcome", "write_outcome"]

_NAME = "outcome.json"


def write_outcome(
    folder: Path,
    *,
    result: dict[str, Any] | None = None,
    message: str | None = None,
    hint: str | None = None,
    stopped: bool = False,
) -> None:
    """Write the outcome whole or not at all; `stopped` when the task ended early because it was asked to."""
    if message is not None:  # a file name may hold what is no Unicode, and no database takes it
        message = message.encode("utf-8", "replace").decode()
    text = json.dumps({"result": result, "message": message, "hint": hint, "stopped": stopped}, allow_nan=False)
    temporary = folder / f"{_NAME}.tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / _NAME)


def read_outcome(folder: Path) -> dict[str, Any] | None:
    """Return the outcome, or None when the worker left none."""
    try:
        return json.loads((folder / _NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def outcome_age_s(folder: Path) -> float:
    """Return the seconds since the outcome was written, 0 when there is none."""
    try:
        return time.time() - (folder / _NAME).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def clear_outcome(folder: Path) -> None:
    """Remove what an earlier attempt left."""
    (folder / _NAME).unlink(missing_ok=True)

"""The events of a search worker: one JSON object per line, appended and flushed, so that a killed worker loses none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Literal, TypedDict

from core.automl._types import Config
from core.automl.tuning.trials import Trial

__all__ = [
    "EVENTS",
    "StartEvent",
    "append_event",
    "append_trial",
    "read_events",
    "read_trials",
    "truncate_partial_line",
]

EVENTS = "events.jsonl"


class StartEvent(TypedDict):
    """A trial that has started.

    Parameters
    ----------
    event : "start"
        Type of the event, unlike that of a trial's record.
    trial : int
        Its number among the worker's own trials.
    learner : str
        Key of `LEARNERS`.
    config : dict
        Values of the hyperparameters.
    """

    event: Literal["start"]
    trial: int
    learner: str
    config: Config


def append_event(path: Path, event: StartEvent | dict[str, object]) -> None:
    """Append a line; it is on its way to the disk when this returns."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")


def append_trial(path: Path, trial: Trial) -> None:
    """Append the record of a trial that has ended."""
    append_event(path, trial.to_record())


def read_events(folder: Path, start: int = 0) -> tuple[list[StartEvent | Trial], int]:
    """Return the events after a position, and the position where the next will begin.

    A line that is still being written is left for the next call.

    Parameters
    ----------
    folder : Path
        Folder of the events.
    start : int, default=0
        Position in the file, in bytes.
    """
    try:
        with open(folder / EVENTS, "rb") as file:
            file.seek(start)
            complete, end, _ = file.read().rpartition(b"\n")
    except FileNotFoundError:
        return [], start
    records = [json.loads(line) for line in complete.splitlines() if line]
    events = [Trial.from_record(record) if record["event"] == "trial" else record for record in records]
    return events, start + len(complete) + len(end)


def read_trials(folder: Path) -> list[Trial]:
    """Return the trials that have ended."""
    return [event for event in read_events(folder)[0] if isinstance(event, Trial)]


def truncate_partial_line(folder: Path) -> None:
    """Remove a line that was cut off, once nobody writes any more, so that others can follow."""
    _, end = read_events(folder)
    if (folder / EVENTS).exists():
        os.truncate(folder / EVENTS, end)

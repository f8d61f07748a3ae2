"""How a training in several processes and the process that asked for it talk: by files of one folder.

The processes get a request, append events, look for a stop request, and leave weights and facts, or an error.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from core.errors import PlumblineError, TrainingError, from_record
from core.files import write_text
from core.finetune.base_model import BaseModel
from core.finetune.job import Reached, TrainingJob
from core.progress import Event

__all__ = [
    "ERROR",
    "FAILURE",
    "REACHED",
    "STOP",
    "WEIGHTS",
    "Exchange",
    "FolderExchange",
    "empty_exchange",
    "failure_of",
    "new_events",
    "reached_of",
    "request_of",
]

STOP, REACHED, WEIGHTS, ERROR, FAILURE = "stop", "reached.json", "weights.pt", "error.json", "failure.txt"
_EVENTS = "events.jsonl"
_log = logging.getLogger(__name__)


class Exchange(Protocol):
    """The folder as the processes of the training see it, wherever they are."""

    def write(self, name: str, text: str) -> None:
        """Write a file; it appears whole."""
        ...

    def move_in(self, name: str, file: Path) -> None:
        """Move a file of the process into the folder."""
        ...

    def exists(self, name: str) -> bool:
        """Return whether there is a file."""
        ...

    def report(self, event: Event) -> None:
        """Pass on an event."""
        ...


class FolderExchange:
    """The folder itself, on the machine of the process that asked.

    Parameters
    ----------
    folder : Path
        The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, text: str) -> None:
        """Write a file; it appears whole."""
        write_text(self._folder / name, text)

    def move_in(self, name: str, file: Path) -> None:
        """Move a file of the process into the folder."""
        file.replace(self._folder / name)

    def exists(self, name: str) -> bool:
        """Return whether there is a file."""
        return (self._folder / name).exists()

    def report(self, event: Event) -> None:
        """Pass on an event."""
        with open(self._folder / _EVENTS, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(event)) + "\n")


def empty_exchange(folder: Path) -> Path:
    """Make the folder of an exchange, without what an earlier attempt left there, and return it."""
    folder.mkdir(exist_ok=True)
    for name in (_EVENTS, STOP, REACHED, WEIGHTS, ERROR, FAILURE):
        (folder / name).unlink(missing_ok=True)
    return folder


def request_of(job: TrainingJob, base: BaseModel) -> dict[str, object]:
    """Return what the processes build their jobs from, as JSON values."""
    data = job.data
    return {
        "settings": job.settings.model_dump(mode="json"),
        "base": asdict(base),
        "folder": str(job.folder.path.resolve()),
        "metric": job.metric,
        "scale": job.scale,
        "device": job.device,
        "precision": job.precision,
        "task": data.task,
        "texts": data.texts,
        "y": data.y.tolist(),
        "labels": data.labels,
        "train": data.train.tolist(),
        "validation": data.validation.tolist(),
    }


def new_events(folder: Path) -> Iterator[list[Event]]:
    """Yield what was reported since the last look."""
    position = 0
    while True:
        events: list[Event] = []
        with contextlib.suppress(FileNotFoundError), open(folder / _EVENTS, "rb") as file:
            file.seek(position)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                position += len(line)
                events.append(Event(**json.loads(line)))
        yield events


def reached_of(job: TrainingJob, folder: Path) -> Reached | None:
    """Return how far the processes came, with their weights in the job's model; None when they left none."""
    import torch

    if not (folder / REACHED).is_file():
        return None
    facts = json.loads((folder / REACHED).read_text(encoding="utf-8"))
    job.model.load_state_dict(torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True))
    (folder / WEIGHTS).unlink()
    return Reached(job.model.to(job.device), **facts)


def failure_of(folder: Path, count: int, hint: str, output: str) -> PlumblineError:
    """Return the error that explains the missing model.

    Parameters
    ----------
    folder : Path
        Folder of the exchange.
    count : int
        Number of processes.
    hint : str
        Instruction for a training whose processes left no error.
    output : str
        Last lines of what the processes wrote, for the log.
    """
    if (folder / ERROR).is_file():
        return from_record(json.loads((folder / ERROR).read_text(encoding="utf-8")))
    _log.error("the %s processes of a training ended without a model:\n%s", count, output)
    failure = (folder / FAILURE).read_text(encoding="utf-8") if (folder / FAILURE).is_file() else "a process was ended"
    return TrainingError(
        f"The {count} processes of the training ended without a model: {failure.removesuffix('.')}.", hint
    )

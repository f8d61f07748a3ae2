"""A training on several GPUs of this machine: torchrun starts a process for each, and they share each batch out.

What is in force stays what the settings say: the batch has as many rows as on one GPU, of the same texts in the same
order, so that the model is the same but for the order of sums (and a last batch that cannot be shared out evenly,
which is filled up with texts of its epoch).
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import PlumblineError, TrainingError, from_record
from core.files import write_text
from core.finetune.base_model import BaseModel
from core.finetune.job import Reached, TrainingJob
from core.progress import Event
from core.resources import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ERROR", "EVENTS", "FAILURE", "REACHED", "REQUEST", "STOP", "WEIGHTS", "train_on_gpus"]

REQUEST, EVENTS, STOP = "request.json", "events.jsonl", "stop"
REACHED, WEIGHTS, ERROR, FAILURE = "reached.json", "weights.pt", "error.json", "failure.txt"
_log = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parents[2]
_LOOK_EVERY_S = 0.2


def train_on_gpus(job: TrainingJob, base: BaseModel, count: int) -> Reached:
    """Train in a process per GPU, from the newest checkpoint where there is one.

    Parameters
    ----------
    job : TrainingJob
        The model with its texts; the processes build the same one, and its weights become theirs.
    base : BaseModel
        Base model that the processes build the model from.
    count : int
        Number of processes; it divides the number of rows of a batch. Without GPUs they share the processor.

    Raises
    ------
    StoppedError
        When the training was stopped before the end; the folder has a checkpoint.
    TrainingError
        When a process ended without a result.
    """
    import torch

    folder = job.folder.path / "gpus"
    folder.mkdir(exist_ok=True)
    for name in (EVENTS, STOP, REACHED, WEIGHTS, ERROR, FAILURE):
        (folder / name).unlink(missing_ok=True)
    write_text(folder / REQUEST, json.dumps(_request(job, base)))
    code = _run(job, folder, count)
    if not (folder / REACHED).is_file():
        raise _error(folder, count, code)
    reached = json.loads((folder / REACHED).read_text(encoding="utf-8"))
    job.model.load_state_dict(torch.load(folder / WEIGHTS, map_location="cpu", weights_only=True))
    (folder / WEIGHTS).unlink()
    return Reached(job.model.to(job.device), **reached)


def _request(job: TrainingJob, base: BaseModel) -> dict[str, object]:
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


def _run(job: TrainingJob, folder: Path, count: int) -> int:
    """Let the processes work, pass on what the first one reports, and return their exit code."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    threads = job.settings.threads or max(1, usable_cores() // count)
    with open(folder / "output.log", "wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, "-m", "core.finetune.gpu_process", str(folder)],
            cwd=_ROOT,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    events = _events(folder / EVENTS)
    try:
        while process.poll() is None:
            if job.should_stop():
                (folder / STOP).touch()
            for event in next(events):
                job.report(event)
            time.sleep(_LOOK_EVERY_S)
        for event in next(events):
            job.report(event)
    finally:
        if process.poll() is None:
            process.terminate()  # torchrun ends its processes
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
    return process.returncode


def _events(path: Path) -> Iterator[list[Event]]:
    """Yield what was reported since the last look."""
    position = 0
    while True:
        events: list[Event] = []
        with contextlib.suppress(FileNotFoundError), open(path, "rb") as file:
            file.seek(position)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                position += len(line)
                events.append(Event(**json.loads(line)))
        yield events


def _error(folder: Path, count: int, code: int) -> PlumblineError:
    """Return the error that explains the missing model."""
    if (folder / ERROR).is_file():
        return from_record(json.loads((folder / ERROR).read_text(encoding="utf-8")))
    output = (folder / "output.log").read_text(encoding="utf-8", errors="replace").splitlines()
    _log.error("the processes of a training ended with exit code %s:\n%s", code, "\n".join(output[-100:]))
    failure = (folder / FAILURE).read_text(encoding="utf-8") if (folder / FAILURE).is_file() else "a process was ended"
    return TrainingError(
        f"The {count} processes of the training ended without a model: {failure.removesuffix('.')}.",
        "The log has their output. With CUDA_VISIBLE_DEVICES=0 in its environment, the training uses one GPU.",
    )

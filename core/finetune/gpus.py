"""A training on several GPUs of this machine: torchrun starts a process for each, and they share each batch out.

What is in force stays what the settings say: the batch has as many rows as on one GPU, of the same texts in the same
order, so that the model is the same but for the order of sums (and a last batch that cannot be shared out evenly,
which is filled up with texts of its epoch).
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from core.files import write_text
from core.finetune.base_model import BaseModel
from core.finetune.exchange import STOP, empty_exchange, failure_of, new_events, reached_of, request_of
from core.finetune.job import Reached, TrainingJob
from core.resources import usable_cores

__all__ = ["REQUEST", "train_on_gpus"]

REQUEST = "request.json"
_OUTPUT = "output.log"
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
    folder = empty_exchange(job.folder.path / "gpus")
    write_text(folder / REQUEST, json.dumps(request_of(job, base)))
    _run(job, folder, count)
    reached = reached_of(job, folder)
    if reached is None:
        lines = (folder / _OUTPUT).read_text(encoding="utf-8", errors="replace").splitlines()
        hint = "The log has their output. With CUDA_VISIBLE_DEVICES=0 in its environment, the training uses one GPU."
        raise failure_of(folder, count, hint, "\n".join(lines[-100:]))
    return reached


def _run(job: TrainingJob, folder: Path, count: int) -> None:
    """Let the processes work, and pass on what the first one reports."""
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    threads = job.settings.threads or max(1, usable_cores() // count)
    with open(folder / _OUTPUT, "wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command, "-m", "core.finetune.gpu_process", str(folder)],
            cwd=_ROOT,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    events = new_events(folder)
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

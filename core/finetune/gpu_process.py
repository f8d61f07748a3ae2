"""One of the processes that torchrun starts for a training on several GPUs: ``gpu_process FOLDER``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import PlumblineError, UnexpectedError, to_record
from core.files import write_text
from core.finetune.base_model import BaseModel
from core.finetune.build import build
from core.finetune.checkpoints import TrainingFolder
from core.finetune.data import TextData
from core.finetune.encode import quiet_transformers
from core.finetune.epochs import train_in_epochs
from core.finetune.gpus import ERROR, EVENTS, FAILURE, REACHED, REQUEST, STOP, WEIGHTS
from core.finetune.job import TrainingJob
from core.finetune.settings import FineTuneSettings
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import torch

    from core.finetune.summary import HistoryLine

__all__ = ["main"]

_NO_ROWS = np.array([], dtype=np.intp)


class _ReadOnlyFolder(TrainingFolder):
    """The folder of a training as the other processes see it: the first one writes."""

    def history(self, up_to: int | None = None) -> list[HistoryLine]:
        return []

    def add(self, line: Mapping[str, float | None]) -> None:
        pass

    def keep_evaluation(self, step: int, outputs: NDArray[np.float64], best_step: int | None) -> None:
        pass


def main(folder: Path) -> int:
    """Train with the other processes; the first one leaves the weights, or the error."""
    import torch.distributed

    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    first = os.environ["RANK"] == "0"
    try:
        with quiet_transformers(request["settings"]["threads"]):
            reached = train_in_epochs(_job(request, folder, first))
    except PlumblineError as error:  # raised by all of them at the same step
        if first:
            write_text(folder / ERROR, json.dumps(to_record(error)))
        torch.distributed.barrier()
        return 0
    except Exception as error:
        record = to_record(error)
        if not (folder / FAILURE).exists():  # the others fail after the first one, because it no longer answers
            write_text(folder / FAILURE, f"{type(error).__name__}: {str(error)[:500]}")
            if record["type"] != UnexpectedError.__name__:  # such as a lack of memory
                write_text(folder / ERROR, json.dumps(record))
        raise
    if first:
        torch.save(reached.model.state_dict(), folder / WEIGHTS)
        facts = {"steps": reached.steps, "best_step": reached.best_step, "samples_a_second": reached.samples_a_second}
        write_text(folder / REACHED, json.dumps(facts))
    torch.distributed.barrier()
    return 0


def _job(request: dict[str, Any], folder: Path, first: bool) -> TrainingJob:
    settings = FineTuneSettings.model_validate(request["settings"])
    data = TextData(
        task=request["task"],
        rows=_NO_ROWS,
        texts=[text if isinstance(text, str) else (text[0], text[1]) for text in request["texts"]],
        y=np.array(request["y"]),
        labels=request["labels"],
        train=np.array(request["train"], dtype=np.intp),
        validation=np.array(request["validation"], dtype=np.intp),
        test=_NO_ROWS,
    )
    model, tokenizer = build(BaseModel(**request["base"]), data.kind, data.labels, settings)
    path = Path(request["folder"])
    return TrainingJob(
        model=model,
        tokenizer=tokenizer,
        data=data,
        settings=settings,
        folder=TrainingFolder(path) if first else _ReadOnlyFolder(path),
        metric=request["metric"],
        scale=None if request["scale"] is None else (request["scale"][0], request["scale"][1]),
        device=request["device"],
        precision=request["precision"],
        report=_writer(folder / EVENTS) if first else silent,
        should_stop=(folder / STOP).exists,
        processes=int(os.environ["WORLD_SIZE"]),
        agree=_agreement(request["device"]),
    )


def _writer(path: Path) -> Report:
    def report(event: Event) -> None:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(event)) + "\n")

    return report


def _agreement(device: str) -> Callable[[bool, bool], tuple[bool, bool]]:
    """Return a function that returns the decisions of the first process: clocks differ, and all must do the same."""
    import torch

    tensor_device: torch.device | str = device
    if device == "cuda":
        tensor_device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))

    def agree(stop: bool, save: bool) -> tuple[bool, bool]:
        decided = torch.tensor([stop, save], dtype=torch.int32, device=tensor_device)
        torch.distributed.broadcast(decided, 0)
        stop, save = decided.bool().tolist()
        return stop, save

    return agree


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

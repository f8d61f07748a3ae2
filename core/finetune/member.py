"""What one process of a training in several does, on this machine or on another node."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.errors import PlumblineError, UnexpectedError, to_record
from core.finetune.base_model import BaseModel
from core.finetune.build import build
from core.finetune.checkpoints import TrainingFolder
from core.finetune.data import TextData
from core.finetune.encode import quiet_transformers
from core.finetune.epochs import train_in_epochs
from core.finetune.exchange import ERROR, FAILURE, REACHED, WEIGHTS, Exchange
from core.finetune.job import TrainingJob
from core.finetune.settings import FineTuneSettings
from core.progress import silent

if TYPE_CHECKING:
    import torch

    from core.finetune.summary import HistoryLine

__all__ = ["ReadOnlyFolder", "take_part"]

_NO_ROWS = np.array([], dtype=np.intp)


class ReadOnlyFolder(TrainingFolder):
    """The folder of a training as the other processes see it: the first one writes."""

    def history(self, up_to: int | None = None) -> list[HistoryLine]:
        """Return nothing: the lines are the first process's."""
        return []

    def add(self, line: Mapping[str, float | None]) -> None:
        """Leave the line to the first process."""

    def keep_evaluation(self, step: int, outputs: NDArray[np.float64], best_step: int | None) -> None:
        """Leave the evaluation to the first process."""


def take_part(
    request: dict[str, Any], exchange: Exchange, folder: TrainingFolder, scratch: Path, should_stop: Callable[[], bool]
) -> None:
    """Train with the other processes; the first one leaves the weights, or the error.

    Parameters
    ----------
    request : dict
        The training, as `request_of` describes it.
    exchange : Exchange
        Way to the process that asked.
    folder : TrainingFolder
        The folder of the training for this process.
    scratch : Path
        Folder for a file of weights.
    should_stop : callable
        Returns whether the training was asked to stop; only the first process's answer counts.
    """
    import torch.distributed

    first = os.environ["RANK"] == "0"
    try:
        with quiet_transformers(request["settings"]["threads"]):
            reached = train_in_epochs(_job(request, exchange, folder, should_stop, first))
    except PlumblineError as error:  # raised by all of them at the same step
        if first:
            exchange.write(ERROR, json.dumps(to_record(error)))
        torch.distributed.barrier()
        return
    except Exception as error:
        record = to_record(error)
        if not exchange.exists(FAILURE):  # the others fail after the first one, because it no longer answers
            exchange.write(FAILURE, f"{type(error).__name__}: {str(error)[:500]}")
            if record["type"] != UnexpectedError.__name__:  # such as a lack of memory
                exchange.write(ERROR, json.dumps(record))
        raise
    if first:
        weights = scratch / "weights.part"
        torch.save(reached.model.state_dict(), weights)
        exchange.move_in(WEIGHTS, weights)
        facts = {"steps": reached.steps, "best_step": reached.best_step, "samples_a_second": reached.samples_a_second}
        exchange.write(REACHED, json.dumps(facts))
    torch.distributed.barrier()


def _job(
    request: dict[str, Any], exchange: Exchange, folder: TrainingFolder, should_stop: Callable[[], bool], first: bool
) -> TrainingJob:
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
    return TrainingJob(
        model=model,
        tokenizer=tokenizer,
        data=data,
        settings=settings,
        folder=folder,
        metric=request["metric"],
        scale=None if request["scale"] is None else (request["scale"][0], request["scale"][1]),
        device=request["device"],
        precision=request["precision"],
        report=exchange.report if first else silent,
        should_stop=should_stop if first else _never,
        processes=int(os.environ["WORLD_SIZE"]),
        agree=_agreement(request["device"]),
    )


def _never() -> bool:
    return False


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

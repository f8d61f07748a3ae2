"""What a training works on, and what it reached: the same for every way to train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.finetune.build import Scale
from core.finetune.checkpoints import TrainingFolder
from core.finetune.data import TextData
from core.finetune.encode import Text, encode_for_training
from core.finetune.settings import FineTuneSettings
from core.progress import Report

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from core.finetune.encode import Encoded

__all__ = ["Reached", "TrainingJob"]


def _alone(stop: bool, save: bool) -> tuple[bool, bool]:
    return stop, save


@dataclass(frozen=True)
class TrainingJob:
    """A model with its texts, ready to be trained.

    Parameters
    ----------
    model : PreTrainedModel
        The model with a new head.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    data : TextData
        Texts, labels and the split.
    settings : FineTuneSettings
        The settings of the training.
    folder : TrainingFolder
        The folder of the training.
    metric : str
        The metric that chooses the epoch.
    scale : tuple of float or None
        Center and unit of a number; None for classes and labels.
    device, precision : str
        The device, as torch names it, and float32, bf16 or fp16.
    report, should_stop : callable
        The same as those of `core.finetune.fine_tune`.
    processes : int, default=1
        Number of processes that share each batch out among themselves.
    agree : callable, optional
        Returns the decisions of the first of these processes, of which each passes its own.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    data: TextData
    settings: FineTuneSettings
    folder: TrainingFolder
    metric: str
    scale: Scale | None
    device: str
    precision: str
    report: Report
    should_stop: Callable[[], bool]
    processes: int = 1
    agree: Callable[[bool, bool], tuple[bool, bool]] = _alone

    def encode(self, texts: list[Text]) -> list[Encoded]:
        """Return the tokens of texts as a batch of a training may hold them."""
        return encode_for_training(self.model, self.tokenizer, texts, self.settings.max_length)

    def labels(self, rows: NDArray[np.intp]) -> list[int] | list[float] | list[list[float]]:
        """Return what is learned of rows: class codes, standardized numbers, or 0 and 1 for each label."""
        y = self.data.y[rows]
        if self.scale is not None:
            y = (y.astype(np.float64) - self.scale[0]) / self.scale[1]
        elif y.ndim == 2:
            y = y.astype(np.float64)  # as the loss of each label takes them
        labels: list[int] | list[float] | list[list[float]] = y.tolist()
        return labels

    def validation_rows(self) -> NDArray[np.intp]:
        """Return the validation rows in the order in which they are evaluated: similar lengths together."""
        lengths = [len(item["input_ids"]) for item in self.encode(self.data.part(self.data.validation))]
        return self.data.validation[np.argsort(lengths, kind="stable")]


@dataclass(frozen=True)
class Reached:
    """A training that is over.

    Parameters
    ----------
    model : PreTrainedModel
        The model with the weights that were kept.
    steps : int
        Number of steps of the training.
    best_step : int
        The step whose weights were kept.
    samples_a_second : float
        Training rows per second, without the evaluation.
    """

    model: PreTrainedModel
    steps: int
    best_step: int
    samples_a_second: float

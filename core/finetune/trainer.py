"""transformers' Trainer with batches of similar lengths. It loads torch: import it in a run's process only."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler, SequentialSampler
from transformers import (
    Trainer,
)
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.trainer_pt_utils import get_length_grouped_indices

from core.finetune.device import in_precision
from core.finetune.targets import TargetKind

__all__ = [
    "Example",
    "GroupedTrainer",
    "LengthGroupedSampler",
    "logits_alone",
    "loss_function",
]

Example: TypeAlias = dict[str, Any]  # tokens of a text as lists of int, and "labels" as a number


class LengthGroupedSampler(Sampler[int]):
    """Rows in random order, with similar lengths in a batch.

    The order of an epoch depends on the seed and the epoch's number alone, so that a training that resumes in mid-epoch
    sees the remaining rows, and no others.

    Parameters
    ----------
    lengths : list of int
        Number of tokens of each row.
    batch_size : int
        Number of rows of a batch.
    seed : int
        Seed of the random number generator that draws the order.
    """

    def __init__(self, lengths: list[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator()
        generator.manual_seed(self.seed + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=generator))


class GroupedTrainer(Trainer):
    """Trains in batches of similar lengths, and evaluates in the order given (the base class would shuffle it too).

    With `bf16` the losses of a training are computed in it, and evaluations in float32 (with the base class's own
    option these would be in bf16 too): they choose the epoch, and the saved model has to repeat them.
    """

    sampler: LengthGroupedSampler
    bf16: bool = False

    def _get_train_sampler(self, train_dataset: Sequence[Example] | None = None) -> Sampler[int]:
        rows = self.train_dataset if train_dataset is None else train_dataset
        size = self.args.train_batch_size * self.args.world_size * self.args.gradient_accumulation_steps
        self.sampler = LengthGroupedSampler([len(row["input_ids"]) for row in rows], size, self.args.seed)
        return self.sampler

    def _get_eval_sampler(self, eval_dataset: Sequence[Example]) -> Sampler[int]:
        return SequentialSampler(eval_dataset)

    def compute_loss_context_manager(self) -> contextlib.ExitStack:
        """Return the context of a forward pass."""
        contexts: contextlib.ExitStack = super().compute_loss_context_manager()
        precision = "bf16" if self.bf16 and self.model.training else "float32"
        contexts.enter_context(in_precision(precision, self.args.device.type))
        return contexts


def loss_function(
    kind: TargetKind, weights: NDArray[np.float64] | None, smoothing: float
) -> Callable[..., torch.Tensor]:
    """Return the loss: cross-entropy of the classes, or of each label, with weights and smoothing, or squared error.

    It is divided by the number of labels of all accumulated batches, so that accumulation changes only the memory.

    Parameters
    ----------
    kind : TargetKind
        The kind of target.
    weights : array or None
        Weight of each class, or of the rows that have a label.
    smoothing : float
        Share of the target that is spread over all classes, or over both answers to a label.
    """

    def loss(
        outputs: SequenceClassifierOutput, labels: torch.Tensor, num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        logits = outputs["logits"].float()
        weight = None if weights is None else torch.tensor(weights, dtype=logits.dtype, device=logits.device)
        if kind.name == "regression":
            total = torch.nn.functional.mse_loss(logits.squeeze(-1), labels.float(), reduction="sum")
        elif kind.name == "multilabel":
            smooth = labels.float() * (1 - smoothing) + smoothing / 2
            total = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, smooth, pos_weight=weight, reduction="sum"
            )
        else:
            total = torch.nn.functional.cross_entropy(
                logits, labels, weight=weight, label_smoothing=smoothing, reduction="sum"
            )
        return total / (labels.numel() if num_items_in_batch is None else num_items_in_batch)

    return loss


def logits_alone(outputs: torch.Tensor | tuple[torch.Tensor, ...], _labels: torch.Tensor) -> torch.Tensor:
    """Return the logits of a batch; what decoders return besides is not kept."""
    return outputs if isinstance(outputs, torch.Tensor) else outputs[0]

"""transformers' Trainer with an order of our own. Loads torch and transformers: import it in a run's process only."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler, SequentialSampler
from transformers import Trainer, TrainerCallback
from transformers.trainer_pt_utils import get_length_grouped_indices

from core.evaluation import compute_metric
from core.finetune._build import Scale
from core.finetune._checkpoints import Folder
from core.progress import Event, Report

__all__ = ["EvaluationStopped", "GroupedTrainer", "LengthGrouped", "Watch", "loss_function", "metrics_function"]

_SAVE_EVERY_S = 120.0
_BEAT_S = 2.0
_LONG_EVALUATION_S = 3.0


class EvaluationStopped(Exception):
    """The training was stopped while an epoch was evaluated; its last checkpoint is a step before that."""


class LengthGrouped(Sampler[int]):
    """Rows in random order, with batches of like lengths.

    An epoch's order follows from the seed and its number alone, so that a training that goes on in mid-epoch sees
    the rows that are left of it, and no others.
    """

    def __init__(self, lengths: list[int], batch_size: int, seed: int) -> None:
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        drawn = torch.Generator()
        drawn.manual_seed(self.seed + self.epoch)
        return iter(get_length_grouped_indices(self.lengths, self.batch_size, generator=drawn))


class GroupedTrainer(Trainer):
    """Trains in batches of like lengths, and evaluates in the order given (the base class would shuffle that too)."""

    sampler: LengthGrouped

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        rows = self.train_dataset if train_dataset is None else train_dataset
        size = self.args.train_batch_size * self.args.gradient_accumulation_steps
        self.sampler = LengthGrouped([len(row["input_ids"]) for row in rows], size, self.args.seed)
        return self.sampler

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler[int]:
        return SequentialSampler(eval_dataset)


def loss_function(
    classification: bool, weights: NDArray[np.float64] | None, smoothing: float
) -> Callable[..., torch.Tensor]:
    """Return the loss: cross-entropy with class weights and label smoothing, or squared error.

    It is divided by the number of rows of all accumulated batches, so accumulation changes nothing but the memory.
    """

    def loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
        logits = outputs["logits"].float()
        if not classification:
            total = torch.nn.functional.mse_loss(logits.squeeze(-1), labels.float(), reduction="sum")
        else:
            weight = None if weights is None else torch.tensor(weights, dtype=logits.dtype, device=logits.device)
            total = torch.nn.functional.cross_entropy(
                logits, labels, weight=weight, label_smoothing=smoothing, reduction="sum"
            )
        return total / (labels.numel() if num_items_in_batch is None else num_items_in_batch)

    return loss


def metrics_function(scale: Scale | None) -> Callable[[Any], dict[str, float]]:
    """Return what is computed on the validation rows."""

    def metrics(found: Any) -> dict[str, float]:
        logits, y = np.asarray(found.predictions, dtype=float), np.asarray(found.label_ids)
        if scale is not None:
            y, output = y * scale[1] + scale[0], logits.reshape(-1) * scale[1] + scale[0]
            return {name: compute_metric(name, y, output) for name in ("rmse", "mae", "r2")}
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        output = powers / powers.sum(axis=1, keepdims=True)
        return {name: compute_metric(name, y, output) for name in ("accuracy", "f1_macro", "log_loss")}

    return metrics


class Watch(TrainerCallback):
    """Reports, writes the history, saves in long epochs, and stops when asked to."""

    def __init__(
        self,
        folder: Folder,
        report: Report,
        should_stop: Callable[[], bool],
        rows: int,
        rows_a_step: int,
        validation_rows: int,
    ) -> None:
        self.folder, self.report, self.should_stop = folder, report, should_stop
        self.rows_a_step = min(rows, rows_a_step)
        self.steps_an_epoch, self.validation_rows = -(-rows // rows_a_step), validation_rows
        self.trainer: GroupedTrainer | None = None
        self.stopped_at: int | None = None
        self.at_boundary = False
        self._saved_step: int | None = None
        self.loss: float | None = None
        self._rate: float | None = None
        self.steps_done, self.seconds = 0, 0.0
        self._step_began = self._told_at = self._saved_at = time.monotonic()

    @property
    def samples_a_second(self) -> float:
        """Training rows a second in this process, evaluation and saving apart."""
        return self.steps_done * self.rows_a_step / self.seconds if self.seconds else 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._saved_at = time.monotonic()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        assert self.trainer is not None
        self.trainer.sampler.epoch = int(state.epoch or 0)

    def on_step_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._step_began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        now = time.monotonic()
        self.seconds += now - self._step_began
        self.steps_done += 1
        if state.global_step >= state.max_steps:
            return
        # The end of an epoch saves anyway, after its evaluation.
        ends_epoch = state.epoch == int(state.epoch)
        if self.should_stop() and not ends_epoch:
            self._stop(state, control)
            control.should_save = control.should_log = True
        elif (now - self._saved_at > _SAVE_EVERY_S or self._before_long_evaluation(state)) and not ends_epoch:
            control.should_save = control.should_log = True
        elif now - self._told_at > _BEAT_S and state.global_step % args.logging_steps:
            self._tell(state, args.learning_rate if self._rate is None else self._rate)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        if self.stopped_at is not None:  # in mid-epoch: it was saved, and there is nothing to evaluate yet
            control.should_evaluate = control.should_save = False
            return
        control.should_log = True  # so that no logged loss is of two epochs
        if state.global_step < state.max_steps and self.should_stop():
            self._stop(state, control)
            self.at_boundary = True

    def on_save(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        self._saved_at = time.monotonic()
        self._saved_step = state.global_step

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **others: Any) -> None:
        if "loss" not in logs:
            return
        self.loss = float(logs["loss"])
        line = {"step": state.global_step, "epoch": state.epoch, "loss": self.loss}
        self._rate = line["learning_rate"] = float(logs["learning_rate"])
        self.folder.add(line)
        self._tell(state, self._rate)

    def on_prediction_step(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        # Where an evaluation is short, the end of the epoch is saved behind it, with its figures.
        if self._saved_step == state.global_step - 1 and self.should_stop():
            self.stopped_at, self.at_boundary = self._saved_step, False
            raise EvaluationStopped

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, float], **others: Any) -> None:
        names = ("accuracy", "f1_macro", "log_loss", "rmse", "mae", "r2")
        line = {"step": state.global_step, "epoch": state.epoch, "eval_loss": float(metrics["eval_loss"])}
        line |= {name: float(metrics[f"eval_{name}"]) for name in names if f"eval_{name}" in metrics}
        self.folder.add(line)
        fraction = state.global_step / state.max_steps
        self.report(Event("train", fraction, f"Epoch {state.epoch:g} evaluated", line))

    def _before_long_evaluation(self, state: Any) -> bool:
        """Tell whether the next step ends an epoch whose evaluation takes so long that a stop cannot wait for it."""
        if (state.global_step + 1) % self.steps_an_epoch or not self.seconds:
            return False
        return self.validation_rows / (3 * self.samples_a_second) > _LONG_EVALUATION_S  # forth is a third of a step

    def _stop(self, state: Any, control: Any) -> None:
        self.stopped_at = state.global_step
        control.should_training_stop = True

    def _tell(self, state: Any, learning_rate: float) -> None:
        self._told_at = time.monotonic()
        left = (state.max_steps - state.global_step) * self.seconds / max(self.steps_done, 1)
        values = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": state.epoch,
            "loss": self.loss,
            "learning_rate": learning_rate,
            "samples_a_second": self.samples_a_second,
            "left_s": left,
        }
        message = f"Step {state.global_step:,} of {state.max_steps:,}"
        self.report(Event("train", state.global_step / state.max_steps, message, values))

"""What a training says and keeps on its way: progress, checkpoints, stops, and the metrics of its validation rows.

It loads torch: import it in a run's process only.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from transformers import EvalPrediction, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from core.evaluation import compute_metric
from core.finetune.build import Scale
from core.finetune.checkpoints import TrainingFolder
from core.finetune.targets import TARGET_KINDS, TargetKind
from core.progress import Event, Report

if TYPE_CHECKING:
    from core.finetune.trainer import GroupedTrainer

__all__ = ["Evaluation", "EvaluationStopped", "ProgressCallback"]

_SAVE_EVERY_S = 120.0
_REPORT_EVERY_S = 2.0
_LONG_EVALUATION_S = 3.0


class EvaluationStopped(Exception):
    """The training was stopped while an epoch was evaluated; its last checkpoint is one step older."""


class Evaluation:
    """Computes the metrics of the validation rows, and remembers what the model answered to them.

    Parameters
    ----------
    kind : TargetKind
        The kind of target.
    scale : tuple of float or None
        Center and unit of a number; None for classes and labels.

    Attributes
    ----------
    outputs : array of shape (n, classes) or (n,)
        Probabilities, or numbers in their own unit, of the last evaluation.
    """

    outputs: NDArray[np.float64]

    def __init__(self, kind: TargetKind, scale: Scale | None) -> None:
        self._kind, self._scale = kind, scale

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        """Return the metrics by name."""
        logits, y = np.asarray(prediction.predictions, dtype=float), np.asarray(prediction.label_ids)
        self.outputs = self._kind.outputs(logits.reshape(len(y), -1))
        if self._scale is not None:
            center, unit = self._scale
            y, self.outputs = y * unit + center, self.outputs * unit + center
        return {name: compute_metric(name, y, self.outputs) for name in self._kind.metrics}


class ProgressCallback(TrainerCallback):
    """Reports progress, writes the history, saves during long epochs, and stops when `should_stop` returns True.

    Parameters
    ----------
    folder : TrainingFolder
        The folder of the training.
    report : callable
        Called with an `Event` at each progress.
    should_stop : callable
        Called after each step.
    rows : int
        Number of training rows.
    rows_per_step : int
        Number of rows of one step.
    validation_rows : int
        Number of validation rows.
    evaluation : Evaluation
        Metrics of the validation rows.
    agree : callable
        Returns on what all processes of the training agree, of their answers to whether to stop and whether to save.
    """

    def __init__(
        self,
        folder: TrainingFolder,
        report: Report,
        should_stop: Callable[[], bool],
        rows: int,
        rows_per_step: int,
        validation_rows: int,
        evaluation: Evaluation,
        agree: Callable[[bool, bool], tuple[bool, bool]],
    ) -> None:
        self._folder, self._report, self._should_stop = folder, report, should_stop
        self._evaluation, self._agree = evaluation, agree
        self._rows_per_step = min(rows, rows_per_step)
        self._steps_per_epoch, self._validation_rows = -(-rows // rows_per_step), validation_rows
        self.trainer: GroupedTrainer | None = None
        self.stopped_at: int | None = None
        self.at_boundary = False
        self._saved_step: int | None = None
        self._loss: float | None = None
        self._learning_rate: float | None = None
        self._steps, self._seconds = 0, 0.0
        self._step_started_at = self._reported_at = self._saved_at = time.monotonic()

    @property
    def samples_per_second(self) -> float:
        """Training rows per second in this process, without evaluation and saving."""
        return self._steps * self._rows_per_step / self._seconds if self._seconds else 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        self._saved_at = time.monotonic()

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        assert self.trainer is not None
        self.trainer.sampler.epoch = int(state.epoch or 0)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        self._step_started_at = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        now = time.monotonic()
        self._seconds += now - self._step_started_at
        self._steps += 1
        if state.global_step >= state.max_steps:
            return
        # The end of an epoch saves anyway, after its evaluation.
        ends_epoch = state.epoch == int(state.epoch)
        due = now - self._saved_at > _SAVE_EVERY_S or self._precedes_long_evaluation(state)
        stop, save = self._agree(self._should_stop(), due)
        if (stop or save) and not ends_epoch:
            control.should_save = control.should_log = True
            if stop:
                self._stop(state, control)
        elif now - self._reported_at > _REPORT_EVERY_S and state.global_step % args.logging_steps:
            self._report_step(state, args.learning_rate if self._learning_rate is None else self._learning_rate)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        if self.stopped_at is not None:  # in mid-epoch: it was saved, and there is nothing to evaluate yet
            control.should_evaluate = control.should_save = False
            return
        control.should_log = True  # so that a logged loss never spans two epochs
        if state.global_step < state.max_steps and self._stops():
            self._stop(state, control)
            self.at_boundary = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object) -> None:
        self._saved_at = time.monotonic()
        self._saved_step = state.global_step
        self._folder.note_saved()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **kwargs: object,
    ) -> None:
        if "loss" not in logs:
            return
        self._loss = float(logs["loss"])
        self._learning_rate = float(logs["learning_rate"])
        line = {"step": state.global_step, "epoch": state.epoch, "loss": self._loss}
        self._folder.add(line | {"learning_rate": self._learning_rate})
        self._report_step(state, self._learning_rate)

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        # Where an evaluation is short, the end of the epoch is saved after it, with its metrics.
        if self._saved_step == state.global_step - 1 and self._stops():
            self.stopped_at, self.at_boundary = self._saved_step, False
            raise EvaluationStopped

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **kwargs: object,
    ) -> None:
        line = {"step": state.global_step, "epoch": state.epoch, "eval_loss": float(metrics["eval_loss"])}
        names = [name for kind in TARGET_KINDS.values() for name in kind.metrics if f"eval_{name}" in metrics]
        line |= {name: float(metrics[f"eval_{name}"]) for name in names}
        self._folder.add(line)
        self._folder.keep_evaluation(state.global_step, self._evaluation.outputs, state.best_global_step)
        fraction = state.global_step / state.max_steps
        self._report(Event("train", fraction, f"Epoch {state.epoch:g} evaluated", line))

    def _precedes_long_evaluation(self, state: TrainerState) -> bool:
        """Return whether the next step ends an epoch whose evaluation takes too long for a stop to wait for it."""
        if (state.global_step + 1) % self._steps_per_epoch or not self._seconds:
            return False
        # The forward pass takes a third of a step.
        return self._validation_rows / (3 * self.samples_per_second) > _LONG_EVALUATION_S

    def _stops(self) -> bool:
        return self._agree(self._should_stop(), False)[0]

    def _stop(self, state: TrainerState, control: TrainerControl) -> None:
        self.stopped_at = state.global_step
        control.should_training_stop = True

    def _report_step(self, state: TrainerState, learning_rate: float) -> None:
        self._reported_at = time.monotonic()
        left_s = (state.max_steps - state.global_step) * self._seconds / max(self._steps, 1)
        values = {
            "step": state.global_step,
            "steps": state.max_steps,
            "epoch": state.epoch,
            "loss": self._loss,
            "learning_rate": learning_rate,
            "samples_a_second": self.samples_per_second,
            "left_s": left_s,
        }
        message = f"Step {state.global_step:,} of {state.max_steps:,}"
        self._report(Event("train", state.global_step / state.max_steps, message, values))

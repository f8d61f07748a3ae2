"""The usual way to train: passes over the labeled texts with transformers' Trainer; the best epoch is kept."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.errors import StoppedError
from core.evaluation import METRICS
from core.finetune.build import class_weights
from core.finetune.device import on_one_device
from core.finetune.job import Reached, TrainingJob

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainingArguments

    from core.finetune.trainer import Example

__all__ = ["train_in_epochs"]


def train_in_epochs(job: TrainingJob) -> Reached:
    """Train, from the newest checkpoint where there is one.

    Parameters
    ----------
    job : TrainingJob
        The model with its texts.

    Raises
    ------
    StoppedError
        When the training was stopped before the end; the folder has a checkpoint.
    """
    from transformers.trainer_callback import EarlyStoppingCallback, PrinterCallback

    from core.finetune import tensorboard
    from core.finetune.trainer import GroupedTrainer, logits_alone, loss_function
    from core.finetune.training_progress import Evaluation, EvaluationStopped, ProgressCallback

    data, settings, folder = job.data, job.settings, job.folder
    evaluation = Evaluation(data.kind, job.scale)
    checkpoint = folder.latest()
    folder.history(up_to=0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2]))
    rows_per_step = settings.train_batch_size * settings.gradient_accumulation
    progress = ProgressCallback(
        folder, job.report, job.should_stop, len(data.train), rows_per_step, len(data.validation), evaluation, job.agree
    )
    callbacks: list[TrainerCallback] = [progress, *tensorboard.callback(folder.path)]
    if settings.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(settings.early_stopping_patience))
    weights = None
    if settings.class_weights and data.labels is not None:
        weights = class_weights(data.y[data.train], len(data.labels))
    trainer = GroupedTrainer(
        model=job.model,
        args=_arguments(job),
        train_dataset=_examples(job, data.train),
        eval_dataset=_examples(job, job.validation_rows()),
        processing_class=job.tokenizer,
        compute_metrics=evaluation,
        preprocess_logits_for_metrics=logits_alone,
        compute_loss_func=loss_function(data.kind, weights, settings.label_smoothing),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.bf16 = job.precision == "bf16"
    progress.trainer = trainer
    with contextlib.suppress(EvaluationStopped):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if progress.stopped_at is not None:
        raise _stopped(progress.stopped_at, trainer.state.max_steps, progress.at_boundary)
    best_step = int(trainer.state.best_global_step or trainer.state.global_step)
    return Reached(trainer.model, trainer.state.global_step, best_step, progress.samples_per_second)


def _examples(job: TrainingJob, rows: NDArray[np.intp]) -> list[Example]:
    """Return tokens and label of each row."""
    encoded = job.encode(job.data.part(rows))
    return [{**tokens, "labels": label} for tokens, label in zip(encoded, job.labels(rows), strict=True)]


def _stopped(step: int, steps: int, at_boundary: bool) -> StoppedError:
    position = "At the end of an epoch" if at_boundary else "In the middle of an epoch, with its order and random state"
    return StoppedError(
        f"Stopped at step {step:,} of {steps:,}; resume to continue.",
        f"{position}: on this machine, with the same versions and threads, the losses will be bit for bit those of a "
        "training that was never stopped.",
    )


def _arguments(job: TrainingJob) -> TrainingArguments:
    from transformers import TrainingArguments

    settings = job.settings
    batches = math.ceil(len(job.data.train) / settings.train_batch_size)
    steps = settings.max_steps or settings.epochs * math.ceil(batches / settings.gradient_accumulation)
    warmup = settings.warmup_steps
    arguments = TrainingArguments(
        output_dir=str(job.folder.checkpoints),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.train_batch_size // job.processes,
        per_device_eval_batch_size=settings.eval_batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=settings.learning_rate,
        warmup_steps=warmup if warmup < 1 else int(warmup),
        weight_decay=settings.weight_decay,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,  # the best and the last; 1 would delete the last, which a stopped training resumes from
        load_best_model_at_end=True,
        metric_for_best_model=job.metric,
        greater_is_better=METRICS[job.metric].larger_is_better,
        restore_callback_states_from_checkpoint=True,  # the counter of early stopping
        logging_steps=max(1, steps // 50),
        logging_nan_inf_filter=False,
        seed=settings.seed,
        use_cpu=job.device == "cpu",
        fp16=job.precision == "fp16",
        dataloader_num_workers=0,
        dataloader_pin_memory=job.device == "cuda",
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        report_to="none",
    )
    return on_one_device(arguments)

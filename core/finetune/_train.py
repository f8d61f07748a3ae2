"""Trains a base model on prepared texts, from the start or from a checkpoint, until the end or until it is stopped."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from core.errors import StoppedError
from core.finetune._base import BaseModel
from core.finetune._build import build, class_weights, device_of, finish, precision_of
from core.finetune._checkpoints import Folder
from core.finetune._data import TextData
from core.finetune._encode import check_length, encode_texts
from core.finetune._settings import FineTuneSettings
from core.progress import Event, Report

__all__ = ["Trained", "train"]


@dataclass(frozen=True)
class Trained:
    """How the model in the folder was reached."""

    steps: int
    best_step: int
    metric: str
    samples_a_second: float
    device: str
    precision: str
    trainable: int


def train(
    data: TextData,
    base: BaseModel,
    settings: FineTuneSettings,
    folder: Folder,
    report: Report,
    should_stop: Callable[[], bool],
) -> Trained:
    """Train, and leave the best epoch's model in ``folder.model``.

    Raises
    ------
    StoppedError
        When it was stopped before the end; a checkpoint is there.
    """
    done = folder.trained()
    if done is not None:
        return Trained(**done)
    if should_stop():
        raise StoppedError("Stopped before the first step.", "Resume to begin.")
    from transformers.trainer_callback import EarlyStoppingCallback, PrinterCallback

    from core.finetune import _tensorboard, _trainer

    device, title = device_of()
    precision = precision_of(settings.precision, device)
    metric = settings.best_metric(data.classification)
    model, tokenizer = build(base, data.labels, settings)
    check_length(tokenizer, model.config, settings.max_length)
    scale = None if data.classification else _scale(data)
    parts = {}
    for name in ("train", "validation"):
        rows = getattr(data, name)
        encoded = encode_texts(tokenizer, data.part(rows), settings.max_length)
        for item, value in zip(encoded, data.y[rows], strict=True):
            item["labels"] = int(value) if scale is None else (float(value) - scale[0]) / scale[1]  # type: ignore[assignment]
        parts[name] = encoded
    # Like lengths together: the figures do not depend on the order.
    parts["validation"].sort(key=lambda item: len(item["input_ids"]))
    checkpoint = folder.latest()
    folder.history(up_to=0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2]))
    arguments = _arguments(settings, folder, len(data.train), metric, device, precision)
    rows_a_step = settings.train_batch_size * settings.gradient_accumulation
    watch = _trainer.Watch(folder, report, should_stop, len(data.train), rows_a_step, len(data.validation))
    callbacks: list[Any] = [watch, *_tensorboard.callback(folder.path)]
    if settings.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(settings.early_stopping_patience))
    weights = (
        class_weights(data.y[data.train], len(data.labels or ())) if settings.class_weights and scale is None else None
    )
    trainer = _trainer.GroupedTrainer(
        model=model,
        args=arguments,
        train_dataset=parts["train"],
        eval_dataset=parts["validation"],
        processing_class=tokenizer,
        compute_metrics=_trainer.metrics_function(scale),
        compute_loss_func=_trainer.loss_function(scale is None, weights, settings.label_smoothing),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    watch.trainer = trainer
    trainable = sum(part.numel() for part in model.parameters() if part.requires_grad)
    report(Event("train", 0.0, f"Training on {len(data.train):,} texts; {title}, {precision}"))
    with contextlib.suppress(_trainer.EvaluationStopped):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if watch.stopped_at is not None:
        raise _stopped(watch.stopped_at, trainer.state.max_steps, watch.at_boundary)
    plain = finish(trainer.model, scale)
    plain.save_pretrained(folder.model)
    tokenizer.save_pretrained(folder.model)
    trained = Trained(
        trainer.state.global_step,
        int(trainer.state.best_global_step or trainer.state.global_step),
        metric,
        watch.samples_a_second,
        title,
        precision,
        trainable,
    )
    folder.finish(asdict(trained))
    return trained


def _stopped(step: int, steps: int, at_boundary: bool) -> StoppedError:
    where = (
        "At the end of an epoch" if at_boundary else "In the middle of an epoch, with its order and random state kept"
    )
    return StoppedError(
        f"Stopped at step {step:,} of {steps:,}; resume to go on.",
        f"{where}: on this machine, with the same versions and threads, the losses will be bit for bit those of a "
        "training that was never stopped.",
    )


def _scale(data: TextData) -> tuple[float, float]:
    numbers = data.y[data.train]
    return float(numbers.mean()), float(numbers.std()) or 1.0


def _arguments(settings: FineTuneSettings, folder: Folder, rows: int, metric: str, device: str, precision: str) -> Any:
    from transformers import TrainingArguments

    batches = math.ceil(rows / settings.train_batch_size)
    steps = settings.epochs * math.ceil(batches / settings.gradient_accumulation)
    if settings.max_steps is not None:
        steps = settings.max_steps
    warmup = settings.warmup_steps
    return TrainingArguments(
        output_dir=str(folder.checkpoints),
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,
        per_device_train_batch_size=settings.train_batch_size,
        per_device_eval_batch_size=settings.eval_batch_size,
        gradient_accumulation_steps=settings.gradient_accumulation,
        learning_rate=settings.learning_rate,
        warmup_steps=warmup if warmup < 1 else int(warmup),
        weight_decay=settings.weight_decay,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,  # the best and the last; 1 would delete the last, which a stopped training goes on from
        load_best_model_at_end=True,
        metric_for_best_model=metric,
        greater_is_better=metric in ("accuracy", "f1_macro", "r2"),
        restore_callback_states_from_checkpoint=True,  # what early stopping has counted
        logging_steps=max(1, steps // 50),
        logging_nan_inf_filter=False,
        seed=settings.seed,
        use_cpu=device == "cpu",
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        dataloader_num_workers=0,
        dataloader_pin_memory=device == "cuda",
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        report_to="none",
    )

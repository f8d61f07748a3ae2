"""Trains a base model on prepared texts, from the start or from a checkpoint, until it is finished or stopped."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from pydantic import TypeAdapter

from core.datasets import Finding
from core.errors import StoppedError
from core.evaluation import METRICS
from core.finetune.architecture import frozen_parts
from core.finetune.base_model import BaseModel
from core.finetune.build import Scale, build, class_weights, finish, number_scale
from core.finetune.checkpoints import TrainingFolder
from core.finetune.data import TextData
from core.finetune.device import device_of, precision_of
from core.finetune.encode import encode_for_training
from core.finetune.loading import save_tokenizer
from core.finetune.preflight import try_model
from core.finetune.settings import FineTuneSettings
from core.finetune.verification import check_saved
from core.progress import Event, Report

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback, TrainingArguments

    from core.finetune.trainer import Example

__all__ = ["TrainedModel", "train"]


@dataclass(frozen=True)
class TrainedModel:
    """How the model in the folder was reached.

    Parameters
    ----------
    steps : int
        Number of steps of the training.
    best_step : int
        The step whose weights were kept.
    metric : str
        The metric that chose it.
    samples_a_second : float
        Training rows per second, without the evaluation.
    device : str
        Title of the device.
    precision : str
        float32, bf16 or fp16.
    trainable : int
        Number of weights that were trained.
    frozen : list of str, optional
        Names of the parts that kept their weights.
    findings : list of Finding, optional
        Findings about the base model.
    """

    steps: int
    best_step: int
    metric: str
    samples_a_second: float
    device: str
    precision: str
    trainable: int
    frozen: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def train(
    data: TextData,
    base: BaseModel,
    settings: FineTuneSettings,
    folder: TrainingFolder,
    report: Report,
    should_stop: Callable[[], bool],
) -> TrainedModel:
    """Train, and leave the best epoch's model in ``folder.model``.

    Parameters
    ----------
    data : TextData
        Texts, labels and the split.
    base : BaseModel
        The base model.
    settings : FineTuneSettings
        The settings of the training.
    folder : TrainingFolder
        The folder, with the checkpoints of an earlier attempt if there was one.
    report, should_stop : callable
        The same as those of `core.finetune.fine_tune`.

    Raises
    ------
    StoppedError
        When the training was stopped before the end; the folder has a checkpoint.
    """
    trained = folder.trained()
    if trained is not None:
        return TypeAdapter(TrainedModel).validate_python(trained)
    if should_stop():
        raise StoppedError("Stopped before the first step.", "Resume to begin.")
    from transformers.trainer_callback import EarlyStoppingCallback, PrinterCallback

    from core.finetune import tensorboard
    from core.finetune.trainer import (
        Evaluation,
        EvaluationStopped,
        GroupedTrainer,
        ProgressCallback,
        logits_alone,
        loss_function,
    )

    device, device_title = device_of()
    precision = precision_of(settings.precision, device)
    metric = settings.best_metric(data.classification)
    model, tokenizer = build(base, data.labels, settings)
    findings = try_model(
        model, tokenizer, data.part(data.train), max_length=settings.max_length, column=settings.text_column
    )
    scale = (
        None if data.classification else number_scale(model, data.y[data.train].astype(float), settings.label_column)
    )
    evaluation = Evaluation(scale)
    examples = _examples(data, data.validation, model, tokenizer, settings, scale)
    # Similar lengths together; the metrics do not depend on the order.
    order = sorted(range(len(examples)), key=lambda position: len(examples[position]["input_ids"]))
    checkpoint = folder.latest()
    folder.history(up_to=0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2]))
    rows_per_step = settings.train_batch_size * settings.gradient_accumulation
    progress = ProgressCallback(
        folder, report, should_stop, len(data.train), rows_per_step, len(data.validation), evaluation
    )
    callbacks: list[TrainerCallback] = [progress, *tensorboard.callback(folder.path)]
    if settings.early_stopping_patience is not None:
        callbacks.append(EarlyStoppingCallback(settings.early_stopping_patience))
    weights = None
    if settings.class_weights and data.labels is not None:
        weights = class_weights(data.y[data.train].astype(np.intp), len(data.labels))
    trainer = GroupedTrainer(
        model=model,
        args=_arguments(settings, folder, len(data.train), metric, device, precision),
        train_dataset=_examples(data, data.train, model, tokenizer, settings, scale),
        eval_dataset=[examples[position] for position in order],
        processing_class=tokenizer,
        compute_metrics=evaluation,
        preprocess_logits_for_metrics=logits_alone,
        compute_loss_func=loss_function(scale is None, weights, settings.label_smoothing),
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    progress.trainer = trainer
    trainable = sum(part.numel() for part in model.parameters() if part.requires_grad)
    report(Event("train", 0.0, f"Training on {len(data.train):,} texts; {device_title}, {precision}"))
    with contextlib.suppress(EvaluationStopped):
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    if progress.stopped_at is not None:
        raise _stopped(progress.stopped_at, trainer.state.max_steps, progress.at_boundary)
    best_step = int(trainer.state.best_global_step or trainer.state.global_step)
    report(Event("train", 1.0, "Loading the saved model anew, and comparing its answers"))
    finish(trainer.model, scale).save_pretrained(folder.model)
    save_tokenizer(tokenizer, folder.model, settings.max_length)
    texts = data.part(data.validation[order])
    check_saved(folder, best_step, texts, settings, precision, None if scale is None else scale[1])
    result = TrainedModel(
        trainer.state.global_step,
        best_step,
        metric,
        progress.samples_per_second,
        device_title,
        precision,
        trainable,
        frozen_parts(model, settings.freeze_layers) if settings.freeze_layers else [],
        findings,
    )
    folder.finish(asdict(result))
    return result


def _examples(
    data: TextData,
    rows: NDArray[np.intp],
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    settings: FineTuneSettings,
    scale: Scale | None,
) -> list[Example]:
    """Return tokens and label of each row; a number is standardized."""
    encoded = encode_for_training(model, tokenizer, data.part(rows), settings.max_length)
    labels = [int(value) if scale is None else (float(value) - scale[0]) / scale[1] for value in data.y[rows]]
    return [{**tokens, "labels": label} for tokens, label in zip(encoded, labels, strict=True)]


def _stopped(step: int, steps: int, at_boundary: bool) -> StoppedError:
    position = "At the end of an epoch" if at_boundary else "In the middle of an epoch, with its order and random state"
    return StoppedError(
        f"Stopped at step {step:,} of {steps:,}; resume to continue.",
        f"{position}: on this machine, with the same versions and threads, the losses will be bit for bit those of a "
        "training that was never stopped.",
    )


def _arguments(
    settings: FineTuneSettings, folder: TrainingFolder, rows: int, metric: str, device: str, precision: str
) -> TrainingArguments:
    from transformers import TrainingArguments

    batches = math.ceil(rows / settings.train_batch_size)
    steps = settings.max_steps or settings.epochs * math.ceil(batches / settings.gradient_accumulation)
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
        save_total_limit=2,  # the best and the last; 1 would delete the last, which a stopped training resumes from
        load_best_model_at_end=True,
        metric_for_best_model=metric,
        greater_is_better=METRICS[metric].larger_is_better,
        restore_callback_states_from_checkpoint=True,  # the counter of early stopping
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

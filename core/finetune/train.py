"""Trains a base model on prepared texts, from the start or from a checkpoint, until it is finished or stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from pydantic import TypeAdapter

from core.datasets import Finding
from core.errors import StoppedError
from core.finetune.adaptation import Adaptation, adapt
from core.finetune.architecture import frozen_parts
from core.finetune.base_model import BaseModel
from core.finetune.build import build, finish, number_scale
from core.finetune.checkpoints import TrainingFolder
from core.finetune.data import TextData
from core.finetune.device import device_of, gpus_for, precision_of
from core.finetune.epochs import train_in_epochs
from core.finetune.few_shot import train_few_shot
from core.finetune.gpus import train_on_gpus
from core.finetune.job import TrainingJob
from core.finetune.loading import save_tokenizer
from core.finetune.nodes import train_on_nodes
from core.finetune.preflight import try_model
from core.finetune.settings import FineTuneSettings
from core.finetune.verification import check_saved
from core.progress import Event, Report

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
    adaptation : Adaptation, optional
        Facts about the adaptation of the base model to the texts, where there was one.
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
    adaptation: Adaptation | None = None


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
    device, device_title = device_of() if settings.nodes == 1 else ("cpu", f"CPUs of up to {settings.nodes} nodes")
    gpus = 1 if settings.few_shot or settings.nodes > 1 else gpus_for(settings.train_batch_size)
    if gpus > 1:
        device_title = f"{gpus} GPUs, {device_title}"
    metric = settings.best_metric(data.kind)
    adaptation = None
    if settings.adaptation_epochs:
        base, adaptation = adapt(base, data, settings, folder, report, should_stop)
    model, tokenizer = build(base, data.kind, data.labels, settings)
    precision = precision_of(settings.precision, device, model)
    findings = try_model(
        model, tokenizer, data.part(data.train), max_length=settings.max_length, column=settings.text_column
    )
    scale = None
    if data.labels is None:
        scale = number_scale(model, data.y[data.train].astype(float), settings.label_column)
    trainable = sum(part.numel() for part in model.parameters() if part.requires_grad)
    report(Event("train", 0.0, f"Training on {len(data.train):,} texts; {device_title}, {precision}"))
    job = TrainingJob(model, tokenizer, data, settings, folder, metric, scale, device, precision, report, should_stop)
    on_nodes = train_on_nodes(job, base) if settings.nodes > 1 else None
    if on_nodes is not None:
        findings += on_nodes.findings
        device_title = device_title if on_nodes.nodes == 1 else f"{on_nodes.nodes} nodes, {device_title}"
    if on_nodes is not None and on_nodes.reached is not None:
        reached = on_nodes.reached
    elif settings.few_shot:
        reached = train_few_shot(job)
    elif gpus > 1:
        reached = train_on_gpus(job, base, gpus)
    else:
        reached = train_in_epochs(job)
    report(Event("train", 1.0, "Loading the saved model anew, and comparing its answers"))
    finish(reached.model, scale).save_pretrained(folder.model)
    save_tokenizer(tokenizer, folder.model, settings.max_length)
    texts = data.part(job.validation_rows())
    check_saved(folder, reached.best_step, texts, settings, precision, None if scale is None else scale[1])
    result = TrainedModel(
        reached.steps,
        reached.best_step,
        metric,
        reached.samples_a_second,
        device_title,
        precision,
        trainable,
        frozen_parts(model, settings.freeze_layers) if settings.freeze_layers else [],
        findings,
        adaptation,
    )
    folder.finish(asdict(result))
    return result

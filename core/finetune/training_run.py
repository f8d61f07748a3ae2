"""Fine-tuning from start to result: prepare, train, evaluate."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.finetune import tensorboard
from core.finetune.base_model import BaseModel, resolve
from core.finetune.checkpoints import TrainingFolder
from core.finetune.data import TextData, prepare
from core.finetune.result import FineTuneResult
from core.finetune.settings import FineTuneSettings
from core.finetune.summary import TrainingFacts
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from core.finetune.train import TrainedModel

__all__ = ["conclude", "fine_tune"]

_PACKAGES = ("torch", "transformers", "accelerate", "peft", "tokenizers", "scikit-learn", "pandas", "numpy")


def fine_tune(
    frame: pd.DataFrame,
    settings: FineTuneSettings,
    *,
    output_dir: str | Path,
    report: Report | None = None,
    resume: bool = False,
    should_stop: Callable[[], bool] | None = None,
) -> FineTuneResult:
    """Fine-tune a pre-trained transformer on a column of text, and test it on rows it never saw.

    Parameters
    ----------
    frame : DataFrame of shape (n, columns)
        The table.
    settings : FineTuneSettings
        The settings of the training.
    output_dir : path
        Folder for checkpoints, history and the model; `FineTuneResult.model_dir` is in it.
    report : callable, optional
        Called with an `Event` at each progress; the phases are prepare, train and evaluate.
    resume : bool, default=False
        Whether to continue from the newest checkpoint in `output_dir`, if there is one of the same settings and table.
        The losses that follow are, bit for bit, those of a training that was never interrupted, on the same machine
        with the same versions and threads; also in mid-epoch, since the order of an epoch depends on the seed alone.
    should_stop : callable, optional
        Called after each step; the training stops when it returns True.

    Returns
    -------
    FineTuneResult
        The model with its evidence.

    Raises
    ------
    InputError
        When a model cannot be trained on the table, or the base model does not exist.
    SettingsError
        When the settings do not fit the table, the model or the device.
    StoppedError
        When `should_stop` returned True before the end; a checkpoint is in `output_dir`, for `resume`.

    See Also
    --------
    estimate_training : What a training takes, before it is started.
    """
    from core.datasets import fingerprint
    from core.finetune.encode import quiet_transformers
    from core.finetune.train import train

    start = time.monotonic()
    report = report or silent
    report(Event("prepare", 0.0, "Splitting the table"))
    data = prepare(frame, settings)
    settings.best_metric(data.kind)
    base = resolve(settings.base_model)
    table_fingerprint = fingerprint(frame[settings.columns])
    folder = TrainingFolder(Path(output_dir))
    asked = settings.model_dump(mode="json", exclude={"nodes"})  # on which it may be resumed does not matter
    folder.begin(asked | {"the table": table_fingerprint}, resume)
    report(Event("prepare", 0.0, f"Loading {base.title}"))
    with quiet_transformers(settings.threads):
        trained = train(data, base, settings, folder, report, should_stop or (lambda: False))
        report(Event("evaluate", 1.0, "Testing the model and its baselines"))
        return conclude(frame, settings, data, base, folder, trained, table_fingerprint, start)


def conclude(
    frame: pd.DataFrame,
    settings: FineTuneSettings,
    data: TextData,
    base: BaseModel,
    folder: TrainingFolder,
    trained: TrainedModel,
    table_fingerprint: str,
    start: float,
) -> FineTuneResult:
    """Test the model in a folder once, compare it with the baselines, and collect the evidence.

    Parameters
    ----------
    frame : DataFrame
        The table.
    settings : FineTuneSettings
        The settings of the training.
    data : TextData
        Texts, labels and the split.
    base : BaseModel
        The base model.
    folder : TrainingFolder
        Folder with the trained model and the history.
    trained : TrainedModel
        Steps and facts of the training.
    table_fingerprint : str
        Fingerprint of the columns that were used.
    start : float
        Moment of `time.monotonic` at which the training began.
    """
    from core.evaluation import Comparison, compare_outputs, confusion
    from core.finetune.architecture import head_name
    from core.finetune.baselines import majority, tfidf
    from core.finetune.encode import encode_texts, text_model_outputs, truncation
    from core.finetune.evaluate import class_metrics, mistakes, predictions, shown_metrics, training_verdict
    from core.finetune.loading import load_text_model

    model, tokenizer = load_text_model(folder.model)
    cut = truncation(tokenizer, model, data.texts, settings.max_length, settings.text_column)
    held_out = np.concatenate([data.validation, data.test])
    encoded = encode_texts(tokenizer, data.part(held_out), settings.max_length)
    outputs = text_model_outputs(model, tokenizer, encoded, settings.eval_batch_size)
    validation_output, output, y = outputs[: len(data.validation)], outputs[len(data.validation) :], data.y[data.test]
    comparison = Comparison({}, {})
    if len(y):
        candidates = {
            "model": output,
            "majority": majority(data, len(y)),
            "tfidf": tfidf(data, data.test, balanced=settings.class_weights, seed=settings.seed),
        }
        comparison = compare_outputs(data.task, trained.metric, y, candidates, labels=data.labels, seed=settings.seed)
    metrics = shown_metrics(comparison)
    classes = data.labels if len(y) else None
    training = TrainingFacts(
        steps=trained.steps,
        best_step=trained.best_step,
        trainable=trained.trainable,
        precision=trained.precision,
        frozen=trained.frozen,
        head=head_name(model),
        constant=model.get_submodule(head_name(model)).bias is not None,
    )
    if trained.adaptation is not None:
        training["adaptation"] = asdict(trained.adaptation)
    return FineTuneResult(
        settings=settings,
        task=data.task,
        labels=data.labels,
        metric=trained.metric,
        test_metrics=metrics.pop("model", {}),
        baseline_metrics=metrics,
        differences=comparison.gains,
        verdict=training_verdict(trained.metric, comparison.gains, data.labels is not None),
        history=folder.history(),
        confusion=confusion(y, output) if classes and data.kind.name == "classification" else None,
        per_class=class_metrics(y, output, classes, data.kind) if classes else [],
        errors=mistakes(data, data.test, output),
        validation=predictions(frame, data, settings, data.validation, validation_output),
        test=predictions(frame, data, settings, data.test, output),
        model_dir=folder.model,
        logs_dir=tensorboard.logs_dir(folder.path),
        findings=[*data.findings, *trained.findings, *cut, *tensorboard.findings()],
        training=training,
        rows={
            "all": len(frame),
            "train": len(data.train),
            "validation": len(data.validation),
            "test": len(data.test),
        },
        samples_a_second=trained.samples_a_second,
        elapsed_s=time.monotonic() - start,
        device=trained.device,
        base_model=base.to_dict(),
        fingerprint=table_fingerprint,
        packages={"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        _loaded=[(model, tokenizer)],
    )

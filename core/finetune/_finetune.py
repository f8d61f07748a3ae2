"""The whole of a fine-tuning: prepare, train, evaluate."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.finetune import _tensorboard
from core.finetune._base import BaseModel, resolve
from core.finetune._checkpoints import Folder
from core.finetune._data import TextData, prepare
from core.finetune._result import FineTuneResult
from core.finetune._settings import FineTuneSettings
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from core.finetune._train import Trained

__all__ = ["fine_tune"]

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
    frame : DataFrame (n, columns)
        The table.
    settings : FineTuneSettings
        What to do.
    output_dir : path
        Folder for checkpoints, history and the model; `FineTuneResult.model_dir` is in it.
    report : callable, optional
        Is told of progress: phases prepare, train and evaluate.
    resume : bool
        Go on from the newest checkpoint in `output_dir`, if there is one of the same settings and table. The
        losses that follow are, bit for bit, those of a training that was never interrupted, on the same machine with
        the same versions and threads; also in mid-epoch, since an epoch's order follows from the seed alone.
    should_stop : callable, optional
        Asked after each step.

    Returns
    -------
    FineTuneResult

    Raises
    ------
    InputError
        When the table cannot be learned from, or the base model is not there.
    SettingsError
        When the settings do not fit the table, the model or the device.
    StoppedError
        When `should_stop` said so before the end; a checkpoint is in `output_dir`, for `resume`.
    """
    from core.datasets import fingerprint
    from core.finetune._encode import quiet_transformers
    from core.finetune._train import train

    began = time.monotonic()
    report = report or silent
    report(Event("prepare", 0.0, "Splitting the table"))
    data = prepare(frame, settings)
    settings.best_metric(data.classification)
    base = resolve(settings.base_model)
    names = dict.fromkeys([settings.text_column, settings.label_column, *settings.sensitive_columns])
    table = fingerprint(frame[list(names)])
    folder = Folder(Path(output_dir))
    folder.begin(settings.model_dump(mode="json") | {"the table": table}, resume)
    report(Event("prepare", 0.0, f"Loading {base.title}"))
    with quiet_transformers(settings.threads):
        trained = train(data, base, settings, folder, report, should_stop or (lambda: False))
        report(Event("evaluate", 1.0, "Testing the model and its baselines"))
        return _conclude(frame, settings, data, base, folder, trained, table, began)


def _conclude(
    frame: pd.DataFrame,
    settings: FineTuneSettings,
    data: TextData,
    base: BaseModel,
    folder: Folder,
    trained: Trained,
    table: str,
    began: float,
) -> FineTuneResult:
    """Test the model that was kept once, beside the baselines, and gather the evidence."""
    from core.evaluation import Comparison, compare_outputs, confusion
    from core.finetune._baselines import majority, tfidf
    from core.finetune._build import load_text_model
    from core.finetune._encode import encode_texts, text_model_outputs, truncation
    from core.finetune._evaluate import comparison, kept_metrics, mistakes, per_class, predictions

    model, tokenizer = load_text_model(folder.model)
    cut = truncation(tokenizer, model.config, data.texts, settings.max_length, settings.text_column)
    held = np.concatenate([data.validation, data.test])
    encoded = encode_texts(tokenizer, data.part(held), settings.max_length)
    found = text_model_outputs(model, tokenizer, encoded, settings.eval_batch_size, data.classification)
    output, y = found[len(data.validation) :], data.y[data.test]
    compared = Comparison({}, {})
    if len(y):
        tested = {
            "model": output,
            "majority": majority(data, len(y)),
            "tfidf": tfidf(data, data.test, balanced=settings.class_weights, seed=settings.seed),
        }
        compared = compare_outputs(data.task, trained.metric, y, tested, seed=settings.seed)
    metrics = kept_metrics(compared)
    classes = data.labels if len(y) else None
    training: dict[str, Any] = {
        "steps": trained.steps,
        "best_step": trained.best_step,
        "trainable": trained.trainable,
        "precision": trained.precision,
    }
    return FineTuneResult(
        settings=settings,
        task=data.task,
        labels=data.labels,
        metric=trained.metric,
        test_metrics=metrics.pop("model", {}),
        baseline_metrics=metrics,
        differences=compared.gains,
        verdict=comparison(trained.metric, compared.gains, data.classification),
        history=folder.history(),
        confusion=confusion(y, output) if classes else None,
        per_class=per_class(y, output, classes) if classes else [],
        errors=mistakes(data, data.test, output),
        validation=predictions(frame, data, settings, data.validation, found[: len(data.validation)]),
        test=predictions(frame, data, settings, data.test, output),
        model_dir=folder.model,
        logs_dir=_tensorboard.logs_dir(folder.path),
        findings=[*data.findings, *cut, *_tensorboard.findings()],
        training=training,
        rows={
            "all": len(frame),
            "train": len(data.train),
            "validation": len(data.validation),
            "test": len(data.test),
        },
        samples_a_second=trained.samples_a_second,
        elapsed_s=time.monotonic() - began,
        device=trained.device,
        base_model=base.to_dict(),
        fingerprint=table,
        packages={"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        _loaded=[model, tokenizer],
    )

"""What a fine-tuning measured, as ``result.json`` holds it and as pages draw it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import (
    Any,
    NotRequired,  # pydantic reads that of typing from Python 3.12 on
)

from pydantic import ConfigDict, JsonValue, TypeAdapter
from typing_extensions import TypedDict

from core.datasets import Finding
from core.evaluation import Estimate
from core.finetune.settings import FineTuneSettings
from core.jsonable import jsonable

__all__ = ["ClassMetrics", "FineTuneSummary", "HistoryLine", "TrainingFacts"]


class HistoryLine(TypedDict, total=False):
    """A logged training loss, or an evaluation of the validation texts, at a step of the training."""

    step: int
    epoch: float
    loss: float | None
    learning_rate: float
    eval_loss: float | None
    accuracy: float | None
    f1_macro: float | None
    log_loss: float | None
    rmse: float | None
    mae: float | None
    r2: float | None
    f1_micro: float | None
    f1_labels: float | None
    exact_match: float | None
    label_log_loss: float | None


class ClassMetrics(TypedDict):
    """Precision, recall, F1 and number of rows of one class."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


class TrainingFacts(TypedDict):
    """How the model was reached: steps in all, the step that was kept, weights that were trained, precision.

    Where the base model was adapted before, also what that read and brought.

    Earlier versions did not store the names of the parts that kept their weights and of the
    model's last layer, and whether that has a constant.
    """

    steps: int
    best_step: int
    trainable: int
    precision: str
    frozen: NotRequired[list[str]]
    head: NotRequired[str]
    constant: NotRequired[bool]
    adaptation: NotRequired[dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class FineTuneSummary:
    """What a fine-tuning measured, without the model and the predictions.

    Parameters
    ----------
    settings : FineTuneSettings
        The settings of the training.
    task : {"binary", "multiclass", "regression", "multilabel"}
        The task.
    labels : list of str or None
        The classes or labels in the order of the probabilities; None for a number.
    metric : str
        The metric that chose the epoch, and that `differences` are of.
    test_metrics : dict of str to Estimate
        Metrics on rows that training never saw; empty without a test.
    baseline_metrics : dict of dict of Estimate
        The same of each baseline: "majority" (class shares, or the mean) and "tfidf" (logistic or ridge regression).
    differences : dict of str to Estimate
        Model minus baseline, paired on the test rows; larger is better for the model.
    verdict : str
        Whether the training was worth it, in one sentence.
    history : list of dict
        Logged losses (step, epoch, loss, learning_rate) and evaluations (step, epoch, eval_loss and metrics).
    confusion : list of list of int or None
        Test rows by true class (rows) and predicted class (columns); None for a number and for several labels.
    per_class : list of dict
        label, precision, recall, f1 and support of each class.
    findings : list of Finding
        Findings about the texts and the labels.
    training : dict
        steps, best_step, trainable (number of weights), precision, and the names of the frozen parts and of the head.
    rows : dict of str to int
        Number of rows: all, train, validation, test.
    samples_a_second : float
        Training rows per second, without the evaluation.
    elapsed_s : float
        Duration of the attempt that finished, in seconds.
    device : str
        The device that was used.
    base_model : dict
        `BaseModel.to_dict` of the base model.
    fingerprint : str
        Fingerprint of the columns that were used.
    packages : dict of str to str, optional
        Versions of the packages that were used.
    """

    __pydantic_config__ = ConfigDict(arbitrary_types_allowed=True)

    settings: FineTuneSettings
    task: str
    labels: list[str] | None
    metric: str
    test_metrics: dict[str, Estimate]
    baseline_metrics: dict[str, dict[str, Estimate]]
    differences: dict[str, Estimate]
    verdict: str
    history: list[HistoryLine]
    confusion: list[list[int]] | None
    per_class: list[ClassMetrics]
    findings: list[Finding]
    training: TrainingFacts
    rows: dict[str, int]
    samples_a_second: float
    elapsed_s: float
    device: str
    base_model: dict[str, str | int | float | bool | None]
    fingerprint: str
    packages: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as JSON-serializable values: what could not be measured is None."""
        values = {item.name: getattr(self, item.name) for item in fields(FineTuneSummary)}
        values["settings"] = self.settings.model_dump(mode="json")
        for name in ("test_metrics", "differences"):
            values[name] = {key: estimate.to_dict() for key, estimate in values[name].items()}
        values["baseline_metrics"] = {
            baseline: {key: estimate.to_dict() for key, estimate in estimates.items()}
            for baseline, estimates in self.baseline_metrics.items()
        }
        values["findings"] = [finding.to_dict() for finding in self.findings]
        return dict(jsonable(values))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> FineTuneSummary:
        """Return the summary that `to_dict` described."""
        return _adapter().validate_python({name: _with_nan(value) for name, value in values.items()})


def _with_nan(value: JsonValue) -> JsonValue:
    """Return a value with NaN for each part of an estimate that could not be measured."""
    if not isinstance(value, dict):
        return value
    if {"value", "low", "high", "n"} <= set(value):
        return {name: math.nan if part is None else part for name, part in value.items()}
    return {name: _with_nan(part) for name, part in value.items()}


@cache
def _adapter() -> TypeAdapter[FineTuneSummary]:
    return TypeAdapter(FineTuneSummary)

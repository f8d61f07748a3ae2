"""How a trained model does on rows it never saw: metrics with intervals, classes, and its worst mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.datasets import whole_numbers
from core.evaluation import METRICS, verdict_sentence
from core.finetune.baselines import BASELINES
from core.finetune.data import TextData
from core.finetune.label_sets import label_texts
from core.finetune.settings import FineTuneSettings
from core.finetune.summary import ClassMetrics
from core.finetune.targets import TargetKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.evaluation import Comparison, Estimate
    from core.finetune.labels import Target

__all__ = ["class_metrics", "mistakes", "predictions", "shown_metrics", "training_verdict"]

_SHOWN = ("accuracy", "f1_macro", "f1_weighted", "log_loss", "r2", "rmse", "mae", "mape")
_SHOWN_OF_LABELS = ("f1_micro", "f1_labels", "exact_match", "hamming_loss", "label_log_loss")
_MAX_MISTAKES = 100


def shown_metrics(comparison: Comparison) -> dict[str, dict[str, Estimate]]:
    """Return by model the metrics that pages show."""
    return {
        model: {name: estimates[name] for name in (*_SHOWN, *_SHOWN_OF_LABELS) if name in estimates}
        for model, estimates in comparison.metrics.items()
    }


def predictions(
    frame: pd.DataFrame,
    data: TextData,
    settings: FineTuneSettings,
    rows: NDArray[np.intp],
    output: NDArray[np.float64],
) -> pd.DataFrame:
    """Return row_id, the label, prediction, one probability per class, and the sensitive columns."""
    positions = data.rows[rows]
    table = pd.DataFrame({"row_id": positions})
    if data.labels is None:
        table[settings.label_column], table["prediction"] = data.y[rows], output
    else:
        table[settings.label_column] = label_texts(data.labels, data.y[rows])
        table["prediction"] = label_texts(data.labels, data.kind.choose(output))
        for code, name in enumerate(data.labels):
            table[f"p({name})"] = output[:, code]
    for name in settings.sensitive_columns:
        if name not in table.columns:
            table[name] = whole_numbers(frame[name]).iloc[positions].reset_index(drop=True)
    return table


def class_metrics(y: Target, output: NDArray[np.float64], labels: list[str], kind: TargetKind) -> list[ClassMetrics]:
    """Return precision, recall, F1 and number of rows of each class; a metric without a denominator is 0."""
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(y, kind.choose(output), labels=range(len(labels)), zero_division=0.0)
    return [
        ClassMetrics(label=label, precision=float(precision), recall=float(recall), f1=float(f1), support=int(support))
        for label, precision, recall, f1, support in zip(labels, *columns, strict=True)
    ]


def mistakes(data: TextData, rows: NDArray[np.intp], output: NDArray[np.float64]) -> pd.DataFrame:
    """Return the wrong predictions, the most confident first; for a number, the largest errors.

    Returns
    -------
    DataFrame
        row_id, text, second_text (of pairs), label, predicted, confidence (NaN for a number; of several labels that of
        the one that is wrong with the highest); at most 100 rows.
    """
    y = data.y[rows]
    label: NDArray[np.generic]
    predicted: NDArray[np.generic]
    if data.labels is None:
        worst = np.argsort(-np.abs(output - y), kind="stable")[:_MAX_MISTAKES]
        label, predicted, confidence = y[worst], output[worst], np.full(len(worst), np.nan)
    else:
        code = data.kind.choose(output)
        if y.ndim == 2:
            certain = np.where(code == y, 0.0, np.maximum(output, 1 - output)).max(axis=1, initial=0.0)
            wrong = np.flatnonzero((code != y).any(axis=1))
        else:
            certain = output.max(axis=1) if len(rows) else np.zeros(0)
            wrong = np.flatnonzero(code != y)
        worst = wrong[np.argsort(-certain[wrong], kind="stable")[:_MAX_MISTAKES]]
        label, predicted = (label_texts(data.labels, part[worst]) for part in (y, code))
        confidence = certain[worst]
    texts = data.part(rows[worst])
    table = pd.DataFrame({"row_id": data.rows[rows[worst]]})
    table["text"] = pd.Series([text if isinstance(text, str) else text[0] for text in texts], dtype=object)
    if data.texts and not isinstance(data.texts[0], str):
        table["second_text"] = pd.Series([text[1] for text in texts], dtype=object)
    return table.assign(label=label, predicted=predicted, confidence=confidence)


def training_verdict(metric: str, differences: Mapping[str, Estimate], classification: bool) -> str:
    """Return one sentence on whether the fine-tuning was worth it.

    Parameters
    ----------
    metric : str
        The metric of the differences.
    differences : mapping of str to Estimate
        Model minus baseline, by baseline.
    classification : bool
        Whether the labels are classes.
    """
    names = {
        name: baseline.classifier if classification else baseline.regressor for name, baseline in BASELINES.items()
    }
    return verdict_sentence(METRICS[metric].title, differences, names, "texts")

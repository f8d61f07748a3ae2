"""What a trained model does on rows it never saw: figures with intervals, classes, and its worst mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.evaluation import METRICS, verdict_sentence
from core.finetune._data import TextData
from core.finetune._settings import FineTuneSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.evaluation import Comparison, Estimate

__all__ = ["KEPT", "comparison", "kept_metrics", "mistakes", "per_class", "predictions"]

KEPT = ("accuracy", "f1_macro", "f1_weighted", "log_loss", "r2", "rmse", "mae", "mape")
"""Metrics that are shown, of those that are compared."""

_WORST = 100


def kept_metrics(compared: Comparison) -> dict[str, dict[str, Estimate]]:
    """Return the metrics that are shown, by model."""
    return {model: {name: found[name] for name in KEPT if name in found} for model, found in compared.metrics.items()}


def predictions(
    frame: pd.DataFrame,
    data: TextData,
    settings: FineTuneSettings,
    rows: NDArray[np.intp],
    output: NDArray[np.float64],
) -> pd.DataFrame:
    """Return row_id, the label, prediction, a probability a class, and the sensitive columns."""
    positions = data.rows[rows]
    table: dict[str, Any] = {"row_id": positions}
    if data.labels is None:
        table |= {settings.label_column: data.y[rows], "prediction": output}
    else:
        names = np.asarray(data.labels, dtype=object)
        table[settings.label_column] = names[data.y[rows]]
        table["prediction"] = names[output.argmax(axis=1)] if len(rows) else names[:0]
        table |= {f"p({name})": output[:, code] for code, name in enumerate(data.labels)}
    for name in settings.sensitive_columns:
        table.setdefault(name, frame[name].to_numpy()[positions])
    return pd.DataFrame(table)


def per_class(y: NDArray[Any], output: NDArray[np.float64], labels: list[str]) -> list[dict[str, Any]]:
    """Return precision, recall, F1 and number of rows of each class; a figure without a denominator is 0."""
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(y, output.argmax(axis=1), labels=range(len(labels)), zero_division=0.0)
    names = ("label", "precision", "recall", "f1", "support")
    return [
        dict(zip(names, (label, float(p), float(r), float(f), int(n)), strict=True))
        for label, p, r, f, n in zip(labels, *columns, strict=True)
    ]


def mistakes(data: TextData, rows: NDArray[np.intp], output: NDArray[np.float64]) -> pd.DataFrame:
    """Return the wrong predictions, the most confident first; of a number, the largest errors.

    Returns
    -------
    DataFrame
        row_id, text, label, predicted, confidence (NaN for a number); at most 100 rows.
    """
    y = data.y[rows]
    if data.labels is None:
        worst = np.argsort(-np.abs(output - y), kind="stable")[:_WORST]
        label, predicted, confidence = y[worst], output[worst], np.full(len(worst), np.nan)
    else:
        code = output.argmax(axis=1) if len(rows) else np.zeros(0, dtype=np.intp)
        sure = output.max(axis=1) if len(rows) else np.zeros(0)
        wrong = np.flatnonzero(code != y)
        worst = wrong[np.argsort(-sure[wrong], kind="stable")[:_WORST]]
        names = np.asarray(data.labels, dtype=object)
        label, predicted, confidence = names[y[worst].astype(np.intp)], names[code[worst]], sure[worst]
    return pd.DataFrame(
        {
            "row_id": data.rows[rows[worst]],
            "text": data.part(rows[worst]),
            "label": label,
            "predicted": predicted,
            "confidence": confidence,
        }
    )


def comparison(metric: str, differences: Mapping[str, Estimate], classification: bool) -> str:
    """Say in one sentence whether the fine-tuning was worth it."""
    names = {
        "majority": "guessing" if classification else "guessing the mean",
        "tfidf": f"TF-IDF with {'logistic' if classification else 'ridge'} regression",
    }
    return verdict_sentence(METRICS[metric].title, differences, names, "texts")

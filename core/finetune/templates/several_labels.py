"""The functions of the script that differ where a text has any number of labels; they take the place of its own."""

import ast
import json
import sys
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import expit
from sklearn import metrics

from core.finetune.templates.train import SETTINGS


def label_columns() -> list[str]:
    """Return the columns of the labels."""
    return SETTINGS["label_columns"] or [SETTINGS["label_column"]]


def read_labels(table: pd.DataFrame) -> NDArray[Any]:
    """Return 1 where a row has a label: from columns of yes and no, or from cells with several labels."""
    names, separator = SETTINGS["labels"], SETTINGS["label_separator"]
    if SETTINGS["label_columns"]:
        yes = ["1", "1.0", "true", "yes", "y", "t"]
        return np.column_stack([table[name].str.strip().str.lower().isin(yes) for name in names]).astype(int)
    y = np.zeros((len(table), len(names)), dtype=int)
    for row, cell in enumerate(table[SETTINGS["label_column"]]):
        if separator != "lists":
            labels = cell.split(separator)
        else:
            try:
                labels = json.loads(cell)
            except ValueError:
                labels = ast.literal_eval(cell)
        for label in {str(label).strip() for label in labels} - {""}:
            if label not in names:
                sys.exit(f"{label!r} is not a label of the run: {', '.join(names[:20])}.")
            y[row, names.index(label)] = 1
    return y


def strata(y: NDArray[Any]) -> NDArray[Any]:
    """Return the rarest label of each text, by which rows are held out."""
    if y.ndim == 1:
        return y
    order = np.argsort(y.sum(axis=0), kind="stable")
    ranked = y[:, order]
    return np.asarray(np.where(ranked.any(axis=1), order[ranked.argmax(axis=1)], y.shape[1]))


def class_weights(y: NDArray[Any]) -> torch.Tensor | None:
    """Return weights of the rows that have a label, if the settings ask for them."""
    if not SETTINGS["class_weights"]:
        return None
    having = y.sum(axis=0)
    weights = np.where(having > 0, np.clip((len(y) - having) / np.maximum(having, 1), 0.01, 100), 1.0)
    return torch.tensor(weights, dtype=torch.float32)


def total_loss(logits: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """Return cross-entropy of each label with weights and label smoothing, summed over rows and labels."""
    smooth = labels.float() * (1 - SETTINGS["label_smoothing"]) + SETTINGS["label_smoothing"] / 2
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, smooth, pos_weight=weight, reduction="sum")


def probabilities(logits: Any) -> NDArray[np.float64]:
    """Return the probability of each label."""
    return np.asarray(expit(np.asarray(logits, dtype=float)))


def evaluate(y: NDArray[Any], output: NDArray[np.float64]) -> dict[str, float]:
    """Return the metrics of probabilities (n, labels); a label is predicted from a half on."""
    predicted = (output >= 0.5).astype(int)
    true = np.where(y.astype(bool), output, 1 - output)
    return {
        "f1_micro": float(metrics.f1_score(y, predicted, average="micro", zero_division=0)),
        "f1_labels": float(metrics.f1_score(y, predicted, average="macro", zero_division=0)),
        "exact_match": float(metrics.accuracy_score(y, predicted)),
        "hamming_loss": float(metrics.hamming_loss(y, predicted)),
        "label_log_loss": float(-np.log(np.clip(true, 1e-15, None)).mean()),
    }

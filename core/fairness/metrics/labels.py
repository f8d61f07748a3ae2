"""Labels as yes and no: which one is positive."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError, SettingsError
from core.fairness.metrics.arrays import BoolArray, Label, LabelArray
from core.fairness.metrics.groups import label_text

__all__ = ["as_array", "as_positive", "refuse_other_labels", "resolve_positive"]


def as_array(values: ArrayLike, name: str, rows: int | None = None) -> LabelArray:
    """Return values as a one-dimensional array without missing ones.

    Raises
    ------
    InputError
        When there are no values, their number is not `rows`, or some are missing.
    """
    if isinstance(values, pd.Series | pd.Index):
        missing = int(values.isna().sum())
        array = values.to_numpy()
    else:
        array = np.asarray(values)
        if array.dtype.kind in "US" and not isinstance(values, np.ndarray):
            array = np.asarray(values, dtype=object)  # NumPy makes a text of NaN, and of numbers among texts
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        missing = int(pd.isna(array).sum()) if array.dtype.kind in ("f", "O") else 0
    if array.ndim != 1:
        raise InputError(f"{name} has {array.ndim} dimensions.", "Give one value per row.")
    if not len(array):
        raise InputError(f"{name} has no rows.", "Give at least one row.")
    if rows is not None and len(array) != rows:
        raise InputError(f"{name} has {len(array):,} rows, the labels have {rows:,}.", "Give one value per row.")
    if missing:
        raise InputError(
            f"{missing:,} rows have no value in {name}.", "Leave these rows out, and report how many they are."
        )
    return np.asarray(array)


def resolve_positive(y_true: LabelArray, y_pred: LabelArray | None, pos_label: Label | None) -> Label:
    """Return the label that counts as positive.

    With 0 and 1 (or False and True) it is 1; the order of other labels does not say which one is meant.

    Raises
    ------
    SettingsError
        When no label is given for other labels, or no row has the given one.
    """
    labels: set[Label] = set()
    for array in (y_true, y_pred):
        if array is None:
            continue
        if array.dtype.kind in "biu" and array.min() >= 0 and array.max() <= 1:
            labels |= {False, True} if array.dtype.kind == "b" else {0, 1}
        else:
            labels |= set(pd.unique(array).tolist())
    if pos_label is not None:
        text = label_text(pos_label)
        for label in labels:
            if label == pos_label or label_text(label) == text:
                return label
        raise SettingsError(f"No row has the positive label {pos_label!r}.", f"Choose one of {_listed(labels)}.")
    if labels <= {0, 1}:
        return 1
    raise SettingsError(
        f"The labels are {_listed(labels)}, which do not say which one is positive.",
        "Set pos_label to the outcome that the rates are about.",
    )


def _listed(labels: set[Label]) -> str:
    return ", ".join(map(repr, sorted(labels, key=str)[:10]))


def as_positive(values: LabelArray, pos_label: Label) -> BoolArray:
    """Return for each row whether it has the positive label."""
    if values.dtype.kind == "b" and pos_label in (0, 1):
        return values if pos_label else ~values
    if values.dtype.kind in "iuf" and not isinstance(pos_label, str):
        return np.asarray(values == pos_label, dtype=bool)
    codes, labels = pd.factorize(values)
    same = np.array([label == pos_label or label_text(label) == label_text(pos_label) for label in labels], dtype=bool)
    return np.asarray(same[codes])


def refuse_other_labels(y_true: LabelArray, y_pred: LabelArray) -> None:
    """Refuse predictions in another coding than the labels: text against numbers, with none in common.

    Raises
    ------
    InputError
        When the codings differ, since every rate would be 0.
    """
    if (y_true.dtype.kind in "biuf") == (y_pred.dtype.kind in "biuf"):
        return
    truth, predicted = (set(pd.unique(array).tolist()) for array in (y_true, y_pred))
    if not {label_text(label) for label in truth} & {label_text(label) for label in predicted}:
        raise InputError(
            f"The labels are {_listed(truth)}, the predictions {_listed(predicted)}.",
            "Give both in the same coding.",
        )

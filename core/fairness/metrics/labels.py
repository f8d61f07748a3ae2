"""Labels as yes and no: which one is the positive, and what cannot be told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError, SettingsError
from core.fairness.metrics.groups import label_text

__all__ = ["as_array", "as_positive", "refuse_other_labels", "resolve_positive"]


def as_array(values: Any, name: str, rows: int | None = None) -> NDArray[Any]:
    """Return values as a one-dimensional array without missing ones.

    Raises
    ------
    InputError
        When there are none, their number is not `rows`, or some are missing.
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
        missing = int(np.isnan(array).sum()) if array.dtype.kind == "f" else 0
        if array.dtype.kind == "O":
            missing = int(pd.isna(array).sum())
    if array.ndim != 1:
        raise InputError(f"{name} has {array.ndim} dimensions.", "Give one value a row.")
    if not len(array):
        raise InputError(f"{name} has no rows.", "Give at least one row.")
    if rows is not None and len(array) != rows:
        raise InputError(f"{name} has {len(array):,} rows, the labels have {rows:,}.", "Give one value a row.")
    if missing:
        raise InputError(f"{missing:,} rows have no value in {name}.", "Leave these rows out, and say so.")
    return array


def resolve_positive(y_true: NDArray[Any], y_pred: NDArray[Any] | None, pos_label: Any) -> Any:
    """Return the label that counts as positive.

    With 0 and 1 (or False and True) it is 1; other labels have no order that says which one is meant.

    Raises
    ------
    SettingsError
        When it cannot be told, or no row has it.
    """
    found: set[Any] = set()
    for array in (y_true, y_pred):
        if array is None:
            continue
        if array.dtype.kind in "biu" and array.min() >= 0 and array.max() <= 1:
            found |= {False, True} if array.dtype.kind == "b" else {0, 1}
        else:
            found |= set(pd.unique(array).tolist())
    if pos_label is not None:
        text = label_text(pos_label)
        for label in found:
            if label == pos_label or label_text(label) == text:
                return label
        raise SettingsError(
            f"No row has the positive label {pos_label!r}.", f"Choose one of {', '.join(map(repr, _first(found)))}."
        )
    if found <= {0, 1}:
        return 1
    raise SettingsError(
        f"The labels are {', '.join(map(repr, _first(found)))}: which one is the positive cannot be told.",
        "Set pos_label to the outcome that the rates shall be about.",
    )


def _first(labels: set[Any]) -> list[Any]:
    return sorted(labels, key=str)[:10]


def as_positive(values: NDArray[Any], pos_label: Any) -> NDArray[np.bool_]:
    """Tell for each row whether it has the positive label."""
    if values.dtype.kind == "b" and pos_label in (0, 1):
        return values if pos_label else ~values
    if values.dtype.kind in "iuf" and not isinstance(pos_label, str):
        return np.asarray(values == pos_label, dtype=bool)
    codes, labels = pd.factorize(values)
    same = np.array([label == pos_label or label_text(label) == label_text(pos_label) for label in labels], dtype=bool)
    return same[codes]


def refuse_other_labels(y_true: NDArray[Any], y_pred: NDArray[Any]) -> None:
    """Refuse predictions in another coding than the labels: texts against numbers, with none in common.

    Raises
    ------
    InputError
        When they are, since every rate would be 0.
    """
    if (y_true.dtype.kind in "biuf") == (y_pred.dtype.kind in "biuf"):
        return
    truth, predicted = (set(pd.unique(array).tolist()) for array in (y_true, y_pred))
    if not {label_text(label) for label in truth} & {label_text(label) for label in predicted}:
        raise InputError(
            f"The labels are {', '.join(map(repr, _first(truth)))}, "
            f"the predictions {', '.join(map(repr, _first(predicted)))}.",
            "Give both in the same coding.",
        )

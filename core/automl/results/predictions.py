"""Predictions of rows as a result stores them: with row ids, labels, groups and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from core.automl._settings import AutoMLSettings
from core.automl._types import Codes, Groups, OutOfFold, Output
from core.automl.data.prepare import Prepared
from core.datasets import whole_numbers
from core.evaluation import group_name, weight_name

__all__ = ["predictions_table"]


def predictions_table(
    frame: pd.DataFrame,
    prepared: Prepared,
    settings: AutoMLSettings,
    rows: Codes,
    output: Output | OutOfFold,
    groups: Groups | None,
) -> pd.DataFrame:
    """Return predictions as a result stores them.

    Parameters
    ----------
    frame : DataFrame
        Table of the search.
    prepared : Prepared
        Target and labels.
    settings : AutoMLSettings
        Settings of the search.
    rows : array of int of shape (n,)
        Positions of the rows in the table.
    output : array of shape (n, k) or (n,)
        Probabilities, or predicted numbers.
    groups : array of int of shape (n,) or None
        Group of each row.
    """
    table: dict[str, Any] = {"row_id": rows}
    stored = [settings.target, *settings.sensitive_columns]
    if groups is not None:
        table[group_name(stored)] = groups
    if settings.weight_column is not None:
        table[weight_name(stored)] = frame[settings.weight_column].to_numpy(dtype=np.float64, na_value=np.nan)[rows]
    truth = frame[settings.target]
    if prepared.labels is not None:
        truth = whole_numbers(truth)
    table[settings.target] = truth.iloc[rows].to_numpy()
    if prepared.labels is None:
        table["prediction"] = output
    else:
        table["prediction"] = np.asarray(prepared.labels)[output.argmax(axis=1)] if len(rows) else []
        for code, name in enumerate(prepared.label_names or ()):
            table[f"p({name})"] = output[:, code]
    for name in settings.sensitive_columns:
        table.setdefault(name, whole_numbers(frame[name]).iloc[rows].reset_index(drop=True))
    return pd.DataFrame(table)

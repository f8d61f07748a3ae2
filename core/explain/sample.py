"""The rows that an explanation uses, and the model as a function of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.datasets import whole_numbers
from core.errors import InputError
from core.explain.explained_model import Array, ExplainedModel, IndexArray, Matrix, class_names, explained_model
from core.explain.settings import ExplainSettings

if TYPE_CHECKING:
    from core.automl import AutoMLResult

__all__ = ["ExplanationSample", "draw_sample"]


@dataclass(frozen=True)
class ExplanationSample:
    """A sample of a search's rows, in random order.

    Parameters
    ----------
    model : ExplainedModel
        The search's model.
    rows : DataFrame of shape (n, ...)
        Rows of the result: row_id, target, sensitive columns.
    cells : DataFrame of shape (n, columns)
        The same rows of the table.
    X : matrix of shape (n, matrix columns)
        The same rows as the model's matrix.
    y : array of shape (n,)
        Class codes, or numbers.
    row_id : array of shape (n,)
        Positions in the table.
    names : list of str
        Names of the outputs that are explained.
    classes : int
        Number of classes of the target; 0 for a number.
    rows_from : {"test", "training"}
        Part of the table that the rows are drawn from.
    available : int
        Number of rows that the sample is drawn from.
    """

    model: ExplainedModel
    rows: pd.DataFrame
    cells: pd.DataFrame
    X: Matrix
    y: Array | IndexArray
    row_id: IndexArray
    names: list[str]
    classes: int
    rows_from: str
    available: int


def _require_same(frame: pd.DataFrame, stored: pd.DataFrame, target: str) -> None:
    ids = stored["row_id"].to_numpy()
    fits = target in frame.columns and len(ids) and ids.max() < len(frame)
    if not fits or not _same_values(frame[target], stored[target], ids):
        raise InputError(
            f"This table of {len(frame):,} rows is not the one that was searched: '{target}' differs.",
            "Give the table as it was when the search ran, with its rows in the same order.",
        )


def _same_values(column: pd.Series, stored: pd.Series, ids: IndexArray) -> bool:
    """Return whether a column's cells are those that a result stored; whole numbers as classes have no decimals."""
    cells = (column.iloc[ids].astype(str).to_numpy(), whole_numbers(column).iloc[ids].astype(str).to_numpy())
    return any(bool((cell == stored.astype(str).to_numpy()).all()) for cell in cells)


def draw_sample(result: AutoMLResult, frame: pd.DataFrame, settings: ExplainSettings) -> ExplanationSample:
    """Draw rows from the test split, or from the training rows of a search without one.

    Raises
    ------
    InputError
        When the frame is not the one that was searched.
    """
    tested = len(result.test) > 0
    stored = result.test if tested else result.oof
    target = result.settings.target
    _require_same(frame, stored, target)
    rows = stored.iloc[np.random.default_rng(settings.seed).permutation(len(stored))[: settings.rows]]
    row_id = rows["row_id"].to_numpy()
    if result.labels is None:
        y, counts = pd.to_numeric(rows[target]).to_numpy(dtype=float), None
    else:
        code_of = {str(label): code for code, label in enumerate(result.labels)}
        y = rows[target].map(lambda label: code_of[str(label)]).to_numpy(dtype=np.intp)
        counts = np.bincount(y, minlength=len(code_of))
    names, output_indices = class_names(result.labels, counts)
    cells = frame.iloc[row_id].reset_index(drop=True)
    model = explained_model(result.model, result.features, output_indices)
    return ExplanationSample(
        model=model,
        rows=rows,
        cells=cells,
        X=model.encode(cells),
        y=y,
        row_id=row_id,
        names=names,
        classes=len(result.labels or ()),
        rows_from="test" if tested else "training",
        available=len(stored),
    )

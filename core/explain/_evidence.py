"""The rows that an explanation looks at, and the model as a function of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InputError
from core.explain._settings import ExplainSettings
from core.explain._subject import Subject, class_names, of_model

if TYPE_CHECKING:
    from core.automl import AutoMLResult

__all__ = ["Evidence", "gather"]


@dataclass(frozen=True)
class Evidence:
    """A sample of a search's rows, in random order.

    Parameters
    ----------
    rows : DataFrame of shape (n, ...)
        Of the result: row_id, target, sensitive columns.
    cells : DataFrame of shape (n, columns)
        Of the table.
    X : matrix of shape (n, places)
        Of the subject.
    y : array of shape (n,)
        Class codes, or numbers.
    row_id : array of shape (n,)
        Positions in the table.
    names : list of str
        Of the outputs that are explained.
    classes : int
        Of the target; 0 for a number.
    rows_from : str
        "test" or "training".
    known : int
        Rows that the sample is drawn from.
    """

    subject: Subject
    rows: pd.DataFrame
    cells: pd.DataFrame
    X: NDArray[Any]
    y: NDArray[Any]
    row_id: NDArray[np.intp]
    names: list[str]
    classes: int
    rows_from: str
    known: int


def _require_same(frame: pd.DataFrame, known: pd.DataFrame, target: str) -> None:
    ids = known["row_id"].to_numpy()
    fits = target in frame.columns and len(ids) and ids.max() < len(frame)
    if not fits or not (frame[target].iloc[ids].astype(str).to_numpy() == known[target].astype(str)).all():
        raise InputError(
            f"This table of {len(frame):,} rows is not the one that was searched: '{target}' differs.",
            "Give the table as it was when the search ran, with its rows in the same order.",
        )


def gather(result: AutoMLResult, frame: pd.DataFrame, settings: ExplainSettings) -> Evidence:
    """Draw rows from the test split, or from the training rows of a search without one.

    Raises
    ------
    InputError
        When the frame is not the one that was searched.
    """
    tested = len(result.test) > 0
    known = result.test if tested else result.oof
    target = result.settings.target
    _require_same(frame, known, target)
    rows = known.iloc[np.random.default_rng(settings.seed).permutation(len(known))[: settings.rows]]
    row_id = rows["row_id"].to_numpy()
    if result.labels is None:
        y, counts = pd.to_numeric(rows[target]).to_numpy(dtype=float), None
    else:
        code_of = {str(label): code for code, label in enumerate(result.labels)}
        y = rows[target].map(lambda label: code_of[str(label)]).to_numpy(dtype=np.intp)
        counts = np.bincount(y, minlength=len(code_of))
    names, picked = class_names(result.labels, counts)
    cells = frame.iloc[row_id].reset_index(drop=True)
    subject = of_model(result.model, result.features, picked)
    return Evidence(
        subject,
        rows,
        cells,
        subject.encode(cells),
        y,
        row_id,
        names,
        len(result.labels or ()),
        "test" if tested else "training",
        len(known),
    )

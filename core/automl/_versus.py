"""Two models tested on the same rows: how much better is the one, and how sure is that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.automl._estimates import Comparison, compare
from core.automl._metrics import METRICS
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from core.automl._result import AutoMLResult

__all__ = ["compare_results", "compare_tables"]

_OTHER_ROWS = "Compare searches of the same table with the same target, test share, seed and split columns."


def compare_results(
    first: AutoMLResult, other: AutoMLResult, *, metric: str | None = None, seed: int = 0
) -> Comparison:
    """Compare two results on their test rows, which must be the same.

    Parameters
    ----------
    first, other : AutoMLResult
        Of searches of the same table and target.
    metric : str, optional
        Of the gain; by default the first one's.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Comparison
        ``metrics["first"]`` and ``metrics["other"]`` hold every metric with its interval; ``gains["other"]`` is the
        gain of the first over the other, paired on the rows, positive where the first is better.

    Raises
    ------
    InputError
        When the test rows, or what was to be predicted, differ.
    """
    if first.fingerprint != other.fingerprint or first.settings.target != other.settings.target:
        raise InputError("The two models were tested on different tables, or predict different columns.", _OTHER_ROWS)
    return compare_tables(
        first.test, other.test, target=first.settings.target, task=first.task, metric=metric or first.metric, seed=seed
    )


def compare_tables(
    first: pd.DataFrame, other: pd.DataFrame, *, target: str, task: str, metric: str, seed: int = 0
) -> Comparison:
    """Compare two tables of test predictions, as a result stores them in ``test.parquet``.

    Parameters
    ----------
    first, other : DataFrame
        Columns row_id, the target, prediction, and a probability a class (``p(label)``).
    target, task, metric : str
        As of the search.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Comparison
        As `compare_results` describes it.

    Raises
    ------
    InputError
        When the tables are about other rows, labels or values.

    Examples
    --------
    >>> import pandas as pd
    >>> one = pd.DataFrame({"row_id": [4, 7, 9], "y": [1.0, 2.0, 4.0], "prediction": [1.5, 2.5, 4.5]})
    >>> two = one.assign(prediction=one["prediction"] + 1)
    >>> compare_tables(one, two, target="y", task="regression", metric="mae").gains["other"].value
    1.0
    """
    if task not in METRICS[metric].tasks:
        raise InputError(f"The metric '{metric}' does not fit a {task} target.", "Choose another.")
    if not len(first) or set(first["row_id"]) != set(other["row_id"]):
        raise InputError("The two models were not tested on the same rows.", _OTHER_ROWS)
    other = other.set_index("row_id").loc[first["row_id"]].reset_index()
    if not (first[target].to_numpy() == other[target].to_numpy()).all():
        raise InputError(f"The two tables hold different values of '{target}'.", _OTHER_ROWS)
    if task == "regression":
        truth: NDArray[np.float64] = first[target].to_numpy(dtype=float)
        return compare(task, metric, truth, {"first": _numbers(first), "other": _numbers(other)}, seed=seed)
    columns = [name for name in first.columns if name.startswith("p(") and name.endswith(")")]
    if set(columns) - set(other.columns):
        raise InputError("The two models know different labels.", _OTHER_ROWS)
    codes = {name: code for code, name in enumerate(columns)}
    y = np.array([codes[f"p({label})"] for label in first[target]], dtype=np.intp)
    outputs = {"first": first[columns].to_numpy(dtype=float), "other": other[columns].to_numpy(dtype=float)}
    return compare(task, metric, y, outputs, seed=seed)


def _numbers(table: pd.DataFrame) -> NDArray[np.float64]:
    return np.asarray(table["prediction"].to_numpy(dtype=float))

"""Two models tested, or validated, on the same rows: how much better one is, and how certain that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.automl._types import OutOfFold, Target
from core.errors import InputError
from core.evaluation import METRICS, Comparison, compare_outputs, groups_in, weights_in

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from core.automl.results.result import AutoMLResult

__all__ = ["compare_results", "compare_tables", "compare_trials"]

_OTHER_ROWS = "Compare searches of the same table with the same target, test share, seed and split columns."


def compare_results(
    first: AutoMLResult, other: AutoMLResult, *, metric: str | None = None, seed: int = 0
) -> Comparison:
    """Compare two results on their test rows, which must be the same.

    Parameters
    ----------
    first, other : AutoMLResult
        Results of searches of the same table and target.
    metric : str, optional
        Key of the metric of the gain; by default the first result's.
    seed : int, default=0
        Seed of the bootstrap.

    Returns
    -------
    Comparison
        ``metrics["first"]`` and ``metrics["other"]`` hold every metric with its interval; ``gains["other"]`` is the
        gain of the first over the other, paired on the rows, positive where the first is better.

    Raises
    ------
    InputError
        When the test rows, or the targets, differ.
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
        Tables with the columns row_id, the target, prediction, and a probability per class (``p(label)``). Groups
        that either holds are left out as a whole; weights are those of the first.
    target, task : str
        Target and task of the searches.
    metric : str
        Key of the metric of the gain.
    seed : int, default=0
        Seed of the bootstrap.

    Returns
    -------
    Comparison
        Fields as in `compare_results`.

    Raises
    ------
    InputError
        When the tables have different rows, labels or values.

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
    groups = groups_in(first, target)
    other = other.set_index("row_id").loc[first["row_id"]].reset_index()
    if groups is None:
        groups = groups_in(other, target)
    weights = weights_in(first, target)
    if not (first[target].to_numpy() == other[target].to_numpy()).all():
        raise InputError(f"The two tables hold different values of '{target}'.", _OTHER_ROWS)
    y = _truth(first, target, task)
    if task == "regression":
        return compare_outputs(
            task,
            metric,
            y,
            {"first": _numbers(first), "other": _numbers(other)},
            groups=groups,
            sample_weight=weights,
            seed=seed,
        )
    columns = _probabilities(first)
    if set(columns) - set(other.columns):
        raise InputError("The two models know different labels.", _OTHER_ROWS)
    outputs = {"first": first[columns].to_numpy(dtype=float), "other": other[columns].to_numpy(dtype=float)}
    return compare_outputs(task, metric, y, outputs, groups=groups, sample_weight=weights, seed=seed)


def compare_trials(
    predictions: Mapping[int, OutOfFold],
    oof: pd.DataFrame,
    first: int,
    other: int,
    *,
    target: str,
    task: str,
    metric: str,
    seed: int = 0,
    positions: NDArray[np.intp] | None = None,
) -> Comparison:
    """Compare two trials of one search on the rows that their folds left out.

    Parameters
    ----------
    predictions : mapping of int to array (repeats, n, k) or (repeats, n)
        ``AutoMLResult.candidates``; the mean over the repeats is compared.
    oof : DataFrame
        ``AutoMLResult.oof``: the rows that have predictions, in the order of the training rows.
    first, other : int
        Numbers of the trials.
    target, task : str
        Target and task of the searches.
    metric : str
        Key of the metric of the gain.
    seed : int, default=0
        Seed of the bootstrap.
    positions : array of int, optional
        Positions of the rows of `oof` among all rows that have predictions; by default they are all of them.

    Returns
    -------
    Comparison
        Fields as in `compare_results`. The search chose its best trials by these rows, so a gain here may be luck; the
        test rows decide.

    Raises
    ------
    InputError
        When the predictions of a trial were not kept, or are of other rows, or the metric does not fit.

    Examples
    --------
    >>> import pandas as pd
    >>> oof = pd.DataFrame({"row_id": [4, 7], "y": [1.0, 2.0], "prediction": [1.0, 2.0]})
    >>> kept = {1: np.array([[np.nan, 1.5, 2.5]]), 2: np.array([[np.nan, 3.0, 4.0]])}
    >>> compare_trials(kept, oof, 1, 2, target="y", task="regression", metric="mae").gains["other"].value
    1.5
    """
    if task not in METRICS[metric].tasks:
        raise InputError(f"The metric '{metric}' does not fit a {task} target.", "Choose another.")
    outputs = {}
    for name, number in (("first", first), ("other", other)):
        if number not in predictions:
            raise InputError(f"The predictions of trial {number} were not kept.", "Choose one of the best trials.")
        mean = predictions[number].mean(axis=0, dtype=np.float64)
        covered = mean[np.isfinite(mean) if mean.ndim == 1 else np.isfinite(mean).all(axis=1)]
        fits = len(covered) == len(oof) if positions is None else len(covered) > positions.max(initial=-1)
        if not fits:
            raise InputError(f"Trial {number} was validated on other rows.", "Choose another.")
        outputs[name] = covered if positions is None else covered[positions]
    return compare_outputs(
        task,
        metric,
        _truth(oof, target, task),
        outputs,
        groups=groups_in(oof, target),
        sample_weight=weights_in(oof, target),
        seed=seed,
    )


def _probabilities(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if name.startswith("p(") and name.endswith(")")]


def _truth(table: pd.DataFrame, target: str, task: str) -> Target:
    if task == "regression":
        return np.asarray(table[target].to_numpy(dtype=float))
    codes = {name: code for code, name in enumerate(_probabilities(table))}
    return np.array([codes[f"p({label})"] for label in table[target]], dtype=np.intp)


def _numbers(table: pd.DataFrame) -> NDArray[np.float64]:
    return np.asarray(table["prediction"].to_numpy(dtype=float))

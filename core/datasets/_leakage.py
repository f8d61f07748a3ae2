"""Target leakage: columns that predict the target alone, almost perfectly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from core.datasets._task import Task

__all__ = ["AUC_LIMIT", "R2_LIMIT", "Leak", "encode", "find_leaks"]

AUC_LIMIT = 0.98
R2_LIMIT = 0.98
_FOLDS = 5
_SCREEN_ROWS = 10_000
_SCREEN_MARGIN = 0.1
_MAX_CLASSES = 20  # of which the screening looks at the largest


@dataclass(frozen=True)
class Leak:
    """A column that predicts the target alone: "equal", "recoded" or "predicts", with its score."""

    column: str
    kind: Literal["equal", "recoded", "predicts"]
    metric: Literal["AUC", "R2"]
    score: float


def encode(series: pd.Series) -> np.ndarray:
    """Return a column as floats for a tree: text as codes, missing cells as NaN.

    Codes follow the sorted values, so that ordered text keeps its order.
    """
    import pandas as pd
    from pandas.api import types

    if types.is_datetime64_any_dtype(series.dtype):
        numbers: np.ndarray = series.astype("int64").to_numpy(dtype=float, copy=True)
        numbers[series.isna().to_numpy()] = np.nan
        return numbers
    if types.is_numeric_dtype(series.dtype):
        numbers = series.to_numpy(dtype=float, na_value=np.nan, copy=True)
        numbers[~np.isfinite(numbers)] = np.nan
        return numbers
    codes: np.ndarray = pd.factorize(series.map(str, na_action="ignore"), sort=True)[0].astype(float)
    codes[codes < 0] = np.nan
    return codes


def find_leaks(frame: pd.DataFrame, target: str, task: Task, columns: Sequence[str], *, seed: int = 0) -> list[Leak]:
    """Find the columns that predict the target alone.

    A column that equals the target, or corresponds to it value by value, is one. Every other column is cut into bins,
    and the target's mean per bin is scored on held-out rows; where that comes near the limit, a decision tree decides,
    in 5-fold cross-validation. A missing cell is a value like any other: a date that exists only once the outcome is
    known reveals it by its existence.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows with a known target.
    target : str
        Name of the target.
    task : {"binary", "multiclass", "regression"}
        Task of the target.
    columns : sequence of str
        Names of the columns to test.
    seed : int, default=0
        Seed of the random number generator that draws folds and samples.

    Returns
    -------
    list of Leak
        Leaking columns; AUC of three and more classes is one-versus-rest, weighted by class size.
    """
    import pandas as pd

    regression = task == "regression"
    metric: Literal["AUC", "R2"] = "R2" if regression else "AUC"
    limit = R2_LIMIT if regression else AUC_LIMIT
    y = frame[target].to_numpy(dtype=float) if regression else pd.factorize(frame[target])[0]
    rng = np.random.default_rng(seed)
    sample = rng.permutation(len(y))[:_SCREEN_ROWS]
    leaks = []
    for name in columns:
        kind = _identity(frame[name], frame[target], task)
        if kind:
            leaks.append(Leak(name, kind, metric, 1.0))
            continue
        x = encode(frame[name])
        if _screen(x[sample], y[sample], regression) < limit - _SCREEN_MARGIN:
            continue
        score = _tree_score(x, y, regression, seed)
        if score > limit:
            leaks.append(Leak(name, "predicts", metric, score))
    return leaks


def _identity(column: pd.Series, target: pd.Series, task: Task) -> Literal["equal", "recoded"] | None:
    import pandas as pd

    if column.nunique() < 2:
        return None
    text, target_text = (values.astype(object).map(str, na_action="ignore") for values in (column, target))
    if text.equals(target_text):
        return "equal"
    # Codes in order of appearance are the same for two columns that are renamings of each other, and for any two
    # whose values do not repeat.
    if task == "regression" or 2 * target.nunique() > len(target):
        return None
    return "recoded" if np.array_equal(pd.factorize(column)[0], pd.factorize(target)[0]) else None


def _screen(x: np.ndarray, y: np.ndarray, regression: bool) -> float:
    """Return the score of the target's mean per bin of `x`, learned on half of the rows and tested on the others.

    For regression the score is R2 of ranks, which outliers cannot hide.
    """
    bins = _bins(x)
    half = len(y) // 2
    if regression:
        y = np.argsort(np.argsort(y)).astype(float)
        sums = np.bincount(bins[:half], weights=y[:half], minlength=bins.max() + 1)
        counts = np.bincount(bins[:half], minlength=bins.max() + 1)
        means = np.where(counts > 0, sums / np.maximum(counts, 1), y[:half].mean())
        rest = y[half:] - means[bins[half:]]
        total = y[half:] - y[half:].mean()
        return float(1 - (rest @ rest) / max(total @ total, 1e-12))
    classes = np.argsort(np.bincount(y))[::-1][:_MAX_CLASSES]
    scores, sizes = [], []
    for label in classes:
        hit = y == label
        all_train = np.bincount(bins[:half], minlength=bins.max() + 1)
        hit_train = np.bincount(bins[:half][hit[:half]], minlength=bins.max() + 1)
        rate = (hit_train + hit[:half].mean()) / (all_train + 1)
        positives = np.bincount(bins[half:][hit[half:]], minlength=bins.max() + 1)
        negatives = np.bincount(bins[half:][~hit[half:]], minlength=bins.max() + 1)
        if positives.sum() and negatives.sum():
            scores.append(_auc(rate, positives, negatives))
            sizes.append(hit.sum())
    return float(np.average(scores, weights=sizes)) if scores else 0.0


def _auc(rate: np.ndarray, positives: np.ndarray, negatives: np.ndarray) -> float:
    """Return the area under the ROC curve of bins with a score and counts; ties count half."""
    _, group = np.unique(rate, return_inverse=True)
    p = np.bincount(group, weights=positives)
    n = np.bincount(group, weights=negatives)
    below = np.cumsum(n) - n
    return float((p @ (below + n / 2)) / (p.sum() * n.sum()))


def _bins(x: np.ndarray) -> np.ndarray:
    """Return the bin of each value: one per distinct value if they repeat, otherwise 64 of equal size; 0 is missing."""
    known = x[~np.isnan(x)]
    bins = np.zeros(len(x), dtype=np.intp)
    if len(known):
        edges = np.unique(known)
        if len(edges) > len(known) / 5:
            edges = np.unique(np.quantile(known, np.linspace(0, 1, 65)))
        bins[~np.isnan(x)] = np.searchsorted(edges, known, side="right")
    return bins


def _tree_score(x: np.ndarray, y: np.ndarray, regression: bool, seed: int) -> float:
    """Return the mean R2 or AUC of a decision tree on `x` alone, over the folds."""
    from sklearn.metrics import r2_score, roc_auc_score
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    if not regression:  # classes too small for the folds cannot be scored
        keep = np.isin(y, np.flatnonzero(np.bincount(y) >= _FOLDS))
        x, y = x[keep], np.unique(y[keep], return_inverse=True)[1]
        if len(np.unique(y)) < 2:
            return 0.0
    if len(y) < 2 * _FOLDS:
        return 0.0
    column = x.reshape(-1, 1)
    model = DecisionTreeRegressor if regression else DecisionTreeClassifier
    splitter = (KFold if regression else StratifiedKFold)(_FOLDS, shuffle=True, random_state=seed)
    scores = []
    for train, test in splitter.split(column, y):
        tree = model(max_leaf_nodes=1_000, min_samples_leaf=2, random_state=seed).fit(column[train], y[train])
        if regression:
            scores.append(r2_score(y[test], tree.predict(column[test])))
        else:
            probabilities = tree.predict_proba(column[test])
            if probabilities.shape[1] == 2:
                scores.append(roc_auc_score(y[test], probabilities[:, 1]))
            else:
                scores.append(roc_auc_score(y[test], probabilities, multi_class="ovr", average="weighted"))
    return float(np.mean(scores))

"""What the trials say about the hyperparameters: a table to draw them from, and which of them mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.evaluation import Estimate

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["hyperparameter_importance", "hyperparameter_table"]

LEAST_TRIALS = 12  # of a learner, to say anything
MOST_TRIALS = 400
_RESAMPLES = 10
_TREES = 10  # of each


def hyperparameter_table(trials: Sequence[Mapping[str, Any]], learner: str) -> pd.DataFrame:
    """Return the finished trials of a learner as a table for parallel coordinates.

    Parameters
    ----------
    trials : sequence of mapping
        As a result stores them.
    learner : str
        A key of `LEARNERS`.

    Returns
    -------
    DataFrame
        One row a trial in their order: trial, score, seconds, and a column a hyperparameter.

    Examples
    --------
    >>> trial = {"trial": 3, "learner": "rf", "status": "finished", "score": 0.8, "seconds": 1.5,
    ...          "config": {"n_estimators": 50}}
    >>> hyperparameter_table([trial], "rf").to_dict("records")
    [{'trial': 3, 'score': 0.8, 'seconds': 1.5, 'n_estimators': 50}]
    """
    import pandas as pd

    return pd.DataFrame(
        [
            {"trial": trial["trial"], "score": trial["score"], "seconds": trial["seconds"], **trial["config"]}
            for trial in trials
            if trial["learner"] == learner and trial["status"] == "finished"
        ]
    )


def hyperparameter_importance(
    trials: Sequence[Mapping[str, Any]], learner: str, *, seed: int = 0
) -> dict[str, Estimate]:
    """Estimate how much of the scores' variance each hyperparameter of a learner explains.

    Bagged trees predict the score from the configuration; a hyperparameter matters as much as the error grows when its
    values are shuffled (Breiman 2001), on trials that the tree has not seen. The scores are ranked first, so that
    a few hopeless trials do not decide. Other than fANOVA (Hutter, Hoos, Leyton-Brown 2014) it says nothing of ranges
    that the search did not go to.

    Parameters
    ----------
    trials : sequence of mapping
        As a result stores them.
    learner : str
        A key of `LEARNERS`.
    seed : int
        Of the resamples.

    Returns
    -------
    dict of Estimate
        By hyperparameter, the most important first: the mean over ten resamples of the trials, 0 to about 1, and the
        lowest and highest of them; empty with fewer than twelve trials.
    """
    from sklearn.preprocessing import OrdinalEncoder

    table = hyperparameter_table(trials, learner).tail(MOST_TRIALS)
    if len(table) < LEAST_TRIALS:
        return {}
    names = [name for name in table.columns if name not in ("trial", "score", "seconds")]
    varied = [name for name in names if table[name].nunique(dropna=False) > 1]
    ranks = table["score"].rank().to_numpy()
    if not varied or ranks.min() == ranks.max():
        return {}
    y = (ranks - ranks.mean()) / ranks.std()
    columns: list[NDArray[np.float64]] = []
    for name in varied:
        text = table[name].dtype.kind not in "fiub"
        column = OrdinalEncoder().fit_transform(table[[name]].astype(str)) if text else table[[name]].to_numpy(float)
        columns.append(np.nan_to_num(column, nan=-1.0))
    X = np.hstack(columns)
    random = np.random.default_rng(seed)
    drawn = [np.mean([_gains(X, y, random) for _ in range(_TREES)], axis=0) for _ in range(_RESAMPLES)]
    means = np.mean(drawn, axis=0)
    found = {}
    for place in np.argsort(-means, kind="stable"):
        own = [gains[place] for gains in drawn]
        found[varied[place]] = Estimate(float(means[place]), min(own), max(own), len(table))
    return found


def _gains(X: NDArray[np.float64], y: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return how much the error of one tree grows, on trials that it did not see, as each column is shuffled."""
    from sklearn.tree import DecisionTreeRegressor

    inside = random.integers(0, len(y), len(y))
    outside = np.setdiff1d(np.arange(len(y)), inside)
    tree = DecisionTreeRegressor(min_samples_leaf=2, random_state=int(random.integers(2**31))).fit(X[inside], y[inside])
    # All shuffled copies at once, the untouched rows last.
    copies = np.repeat(X[outside][None], X.shape[1] + 1, axis=0)
    for place in range(X.shape[1]):
        copies[place, :, place] = random.permutation(copies[place, :, place])
    answers = tree.predict(copies.reshape(-1, X.shape[1])).reshape(len(copies), -1)
    errors = ((answers - y[outside]) ** 2).mean(axis=1)
    return np.asarray((errors[:-1] - errors[-1]) / 2)

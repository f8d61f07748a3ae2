"""What the trials say about the hyperparameters: a table of them, and which of them were important."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from core.automl.tuning.trials import Trial
from core.evaluation import Estimate

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["hyperparameter_importance", "hyperparameter_table"]

MIN_TRIALS = 12  # of a learner, to say anything
MAX_TRIALS = 400
_RESAMPLES = 10
_TREES = 10  # per resample


def hyperparameter_table(trials: Sequence[Trial | Mapping[str, Any]], learner: str) -> pd.DataFrame:
    """Return the finished trials of a learner as a table for parallel coordinates.

    Parameters
    ----------
    trials : sequence of Trial or mapping
        Trials of a result, or their records.
    learner : str
        Key of `LEARNERS`.

    Returns
    -------
    DataFrame
        One row per trial in their order: trial, score, seconds, and one column per hyperparameter.

    Examples
    --------
    >>> trial = Trial(3, "rf", {"n_estimators": 50}, "finished", score=0.8, seconds=1.5)
    >>> hyperparameter_table([trial], "rf").to_dict("records")
    [{'trial': 3, 'score': 0.8, 'seconds': 1.5, 'n_estimators': 50}]
    """
    import pandas as pd

    typed = [trial if isinstance(trial, Trial) else Trial.from_record(trial) for trial in trials]
    return pd.DataFrame(
        [
            {"trial": trial.number, "score": trial.score, "seconds": trial.seconds, **trial.config}
            for trial in typed
            if trial.learner == learner and trial.finished
        ]
    )


def hyperparameter_importance(
    trials: Sequence[Trial | Mapping[str, Any]], learner: str, *, seed: int = 0
) -> dict[str, Estimate]:
    """Estimate how much of the scores' variance each hyperparameter of a learner explains.

    Bagged trees predict the score from the configuration; the importance of a hyperparameter is how much the error
    grows when its values are shuffled (Breiman 2001), on trials that the tree has not seen. The scores are ranked
    first, so that a few hopeless trials do not decide. Unlike fANOVA (Hutter, Hoos, Leyton-Brown 2014) it says nothing
    about ranges that the search did not visit.

    Parameters
    ----------
    trials : sequence of Trial or mapping
        Trials of a result, or their records.
    learner : str
        Key of `LEARNERS`.
    seed : int, default=0
        Seed of the resamples.

    Returns
    -------
    dict of Estimate
        By hyperparameter, the most important first: the mean over ten resamples of the trials, 0 to about 1, and the
        lowest and highest of them; empty with fewer than twelve trials.
    """
    from sklearn.preprocessing import OrdinalEncoder

    table = hyperparameter_table(trials, learner).tail(MAX_TRIALS)
    if len(table) < MIN_TRIALS:
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
    importances = {}
    for index in np.argsort(-means, kind="stable"):
        values = [float(gains[index]) for gains in drawn]
        importances[varied[index]] = Estimate(float(means[index]), min(values), max(values), len(table))
    return importances


def _gains(X: NDArray[np.float64], y: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """Return how much the error of one tree grows, on trials that it did not see, when each column is shuffled."""
    from sklearn.tree import DecisionTreeRegressor

    inside = random.integers(0, len(y), len(y))
    outside = np.setdiff1d(np.arange(len(y)), inside)
    tree = DecisionTreeRegressor(min_samples_leaf=2, random_state=int(random.integers(2**31))).fit(X[inside], y[inside])
    # All shuffled copies at once, the untouched rows last.
    copies = np.repeat(X[outside][None], X.shape[1] + 1, axis=0)
    for index in range(X.shape[1]):
        copies[index, :, index] = random.permutation(copies[index, :, index])
    predicted = tree.predict(copies.reshape(-1, X.shape[1])).reshape(len(copies), -1)
    errors = ((predicted - y[outside]) ** 2).mean(axis=1)
    return np.asarray((errors[:-1] - errors[-1]) / 2)

"""A trial, and the board of all trials of a search."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, TypedDict

from core.automl._types import Config
from core.evaluation import METRICS

__all__ = ["Judgment", "Scores", "Status", "Trial", "Trials"]

Status = Literal["finished", "pruned", "timed_out", "failed", "not_better"]


class Judgment(TypedDict):
    """Scores of a blend and of the best single model, on rows that chose neither."""

    score_on_other_rows: float
    best_single_on_other_rows: float


@dataclass(frozen=True)
class Scores:
    """Scores of out-of-fold predictions.

    Parameters
    ----------
    score : float
        Mean of the search's metric over the folds.
    score_std : float or None
        Standard deviation over the folds; None with one fold.
    fold_scores : list of float
        Score of each fold.
    metrics : dict of str to float
        Mean of every metric of the task over the folds.
    """

    score: float
    score_std: float | None
    fold_scores: list[float]
    metrics: dict[str, float]


@dataclass(frozen=True)
class Trial:
    """One configuration of a learner, and what became of it.

    Parameters
    ----------
    number : int or None
        Position among the trials of the search, from 1; 0 for the linear model, None for a blend and for guessing.
    learner : str
        Key of `LEARNERS`, or "linear", "blend" or "prior".
    config : dict
        Values of the hyperparameters; of a blend, its members.
    status : str
        finished, pruned, timed_out, failed, or not_better (a blend without a gain).
    at : float or None
        End of the trial, seconds of the search's budget.
    seconds : float
        Duration of the trial.
    message : str or None
        Reason why there is no score.
    score, score_std, fold_scores, metrics
        Fields of `Scores`; None without a score. A pruned trial has the scores of its first folds.
    expected : float or None
        Score that a pruned trial would have had, if it had lagged as much on the other folds.
    fit_s, fold_fit_s : float or None
        Seconds of fitting, of all folds together and per fold.
    predict_ms_a_row : float or None
        Milliseconds of predicting per row.
    size_bytes : int or None
        Size of the model of a fold in memory.
    threads : int or None
        Threads of each fit.
    refit_s : float or None
        Seconds of fitting the linear model on all training rows.
    judged : dict or None
        Scores of a blend on rows that did not choose it.

    Examples
    --------
    >>> trial = Trial(3, "rf", {"max_leaves": 8}, "finished", score=0.8, seconds=1.5)
    >>> Trial.from_record(trial.to_record()) == trial
    True
    """

    number: int | None
    learner: str
    config: Config
    status: Status
    at: float | None = None
    seconds: float = 0.0
    message: str | None = None
    score: float | None = None
    score_std: float | None = None
    fold_scores: list[float] | None = None
    metrics: dict[str, float] | None = None
    expected: float | None = None
    fit_s: float | None = None
    fold_fit_s: float | None = None
    predict_ms_a_row: float | None = None
    size_bytes: int | None = None
    threads: int | None = None
    refit_s: float | None = None
    judged: Judgment | None = None

    @property
    def finished(self) -> bool:
        """Whether there is a score of all folds."""
        return self.status == "finished"

    def to_record(self) -> dict[str, Any]:
        """Return the trial as ``result.json`` and the events have it; values that are not known are left out."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        known = {name: value for name, value in values.items() if value is not None}
        known.pop("number", None)
        return {"event": "trial", "trial": self.number, **known}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Trial:
        """Return the trial of a record; keys of other versions are passed over."""
        return cls(**{_KEYS[key]: value for key, value in record.items() if key in _KEYS})

    def __getitem__(self, key: str) -> Any:
        """Return a value by its key in `to_record`, as scripts for earlier versions read it."""
        if key not in _KEYS:
            raise KeyError(key)
        return getattr(self, _KEYS[key])

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value by its key in `to_record`, or `default`."""
        value = self[key] if key in _KEYS else None
        return default if value is None else value


_KEYS = {"trial" if item.name == "number" else item.name: item.name for item in fields(Trial)}


@dataclass
class Trials:
    """The trials of a search, in the order in which they ended.

    Parameters
    ----------
    metric : str
        Key of `METRICS` that the search optimizes.
    trials : list of Trial, optional
        Trials to begin with.

    Examples
    --------
    >>> board = Trials("mae", [Trial(1, "rf", {}, "finished", score=3.0), Trial(2, "rf", {}, "finished", score=2.0)])
    >>> board.best.number, [trial.number for trial in board.ranked()]
    (2, [2, 1])
    """

    metric: str
    trials: list[Trial] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.trials)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self.trials)

    def add(self, trial: Trial) -> Trial:
        """Append a trial under the next number, and return it so."""
        numbered = replace(trial, number=len(self.trials) + 1)
        self.trials.append(numbered)
        return numbered

    @property
    def larger_is_better(self) -> bool:
        """Direction of the metric."""
        return METRICS[self.metric].larger_is_better

    def rank(self, trial: Trial) -> tuple[float, float]:
        """Return a sort key, best first; a trial without a score comes last.

        Of trials with the same score (a handful of trees may rank without a fault) the one with the better
        probabilities, or numbers, is better.
        """
        metrics = trial.metrics or {}
        quality = metrics.get("log_loss", metrics.get("rmse", math.inf))
        if trial.score is None:
            return math.inf, quality
        return -trial.score if self.larger_is_better else trial.score, quality

    def ranked(self) -> list[Trial]:
        """Return the finished trials, best first."""
        return sorted((trial for trial in self.trials if trial.finished), key=self.rank)

    @property
    def best(self) -> Trial | None:
        """The best finished trial so far."""
        return min((trial for trial in self.trials if trial.finished), key=self.rank, default=None)

    def best_by_learner(self) -> dict[str, Trial]:
        """Return the best finished trial of each learner, best first."""
        best: dict[str, Trial] = {}
        for trial in self.ranked():
            best.setdefault(trial.learner, trial)
        return best

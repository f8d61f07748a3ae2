"""Models fitted on all training rows beside the search, and what a fit will cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.automl._types import Config, Estimator
from core.automl.data.training_data import TrainingData
from core.automl.ensemble.candidates import out_of_fold_file
from core.automl.ensemble.fold_models import (
    first_folds,
    fold_models_file,
    mean_of_fold_models,
    prefers_fold_models,
)
from core.automl.learners.registry import learner_title
from core.automl.refit.refit_worker import RefitAnswer, RefitWorker
from core.automl.refit.row_shares import SHARES
from core.automl.tuning.budget import Budget
from core.automl.tuning.trials import Trial
from core.datasets import Finding
from core.resources import usable_cores

__all__ = ["FinalModel", "Refits"]

SAFETY = 1.6  # a refit may take longer than the folds suggest
LEAST_SLOWNESS = 0.6  # however quick the refits so far were
PREFIT_FROM = 0.5  # of the budget: from here on the best so far are fitted on all rows beside the search
PREFIT_SHARE = 0.2  # of the time so far, at most, is spent on that


@dataclass(frozen=True)
class FinalModel:
    """A trial's model, fitted on all training rows.

    Parameters
    ----------
    trial : Trial
        The trial.
    estimator : fitted estimator
        The model on encoded rows.
    refit_s : float
        Seconds of the fit; 0 where none was needed.
    """

    trial: Trial
    estimator: Estimator
    refit_s: float = 0.0


class Refits:
    """Requests to the refit worker, what it has done, and what a fit costs.

    Parameters
    ----------
    worker : RefitWorker
        The process that fits.
    data : TrainingData
        Rows to learn from.
    metric : str
        Key of `METRICS` that the search optimizes.
    seed : int
        Seed of the estimators.
    bagging : bool, default=False
        Whether the final model may be the mean of models of the folds.

    Attributes
    ----------
    findings : list of Finding
        Models that could not be fitted.
    """

    def __init__(
        self, worker: RefitWorker, data: TrainingData, metric: str, seed: int, *, bagging: bool = False
    ) -> None:
        self.worker = worker
        self.data = data
        self.metric = metric
        self.cores = usable_cores()
        self.findings: list[Finding] = []
        self._seed = seed
        self._bagging = bagging
        # All training rows per row of a fold.
        self._growth = len(data.y) / float(np.mean([len(train) for train, _ in data.folds]))
        self._slowness = 1.0  # measured seconds of a fit per estimated second
        self._prefitting: Trial | None = None
        self._prefit_s = 0.0

    def request(self, trials: Sequence[Trial], *, score: bool = False) -> None:
        """Ask for models without waiting for them."""
        of_folds = {trial.number for trial in trials if self._of_folds(trial)}
        self.worker.request(
            trials, of_folds=of_folds, score=score, metric=self.metric, jobs=self.cores, seed=self._seed
        )

    def request_linear(self, config: Config) -> None:
        """Ask for the linear model, scored on the folds."""
        self.request([_linear(config)], score=True)

    def linear_answer(self, config: Config) -> RefitAnswer | None:
        """Return what came of the linear model; None while it is not done."""
        return self.worker.answer(_linear(config))

    def estimate(self, trial: Trial) -> float:
        """Return the seconds that fitting a trial's configuration on all training rows, on one core, should take."""
        fits = len(first_folds(self.data)) if self._of_folds(trial) else self._growth
        return (trial.fold_fit_s or 0.0) * fits * (trial.threads or 1)

    def cost(self, trial: Trial) -> float:
        """Return the seconds to allow for that; none where the models of the folds can take its place."""
        return 0.0 if self.is_ready(trial) or self.kept(trial) else 0.1 + SAFETY * self._slowness * self.estimate(trial)

    def prefit(self, wanted: Sequence[Trial], budget: Budget, *, linear_done: bool) -> None:
        """Fit likely members of the final model on all rows beside the search: its end waits less and cannot fail.

        Parameters
        ----------
        wanted : sequence of Trial
            Trials, the most wanted first; none to take in only what was asked for.
        budget : Budget
            Time budget of the search.
        linear_done : bool
            Whether the worker is done with the linear model.
        """
        if self._prefitting is not None:
            answer = self.worker.answer(self._prefitting)
            if answer is None:
                return
            if answer.error is None:
                self._prefit_s += answer.refit_s
                estimate = max(self.estimate(self._prefitting), 0.1)
                self._slowness = max(LEAST_SLOWNESS, answer.refit_s * answer.threads / estimate)
            self._prefitting = None
        if not linear_done or (budget.fraction or 0.0) < PREFIT_FROM:
            return
        for trial in wanted:
            if self.is_ready(trial) or self.worker.answer(trial) is not None:
                continue
            seconds = self._slowness * self.estimate(trial)
            if self._prefit_s + seconds < PREFIT_SHARE * budget.elapsed() and budget.left() > 2 * self.cost(trial):
                self._prefitting = trial
                self.request([trial])
                return

    def is_ready(self, trial: Trial) -> bool:
        """Return whether the final model of a trial is there: one on all rows, or that of its folds where preferred."""
        if self._of_folds(trial) and self.kept(trial):
            return True
        answer = self.worker.answer(trial)
        return answer is not None and answer.error is None

    def ready(self, trial: Trial) -> FinalModel | None:
        """Return the final model of a trial, if it is there."""
        if self._of_folds(trial) and self.kept(trial):
            return self.of_folds(trial)
        answer = self.worker.answer(trial)
        if answer is None or answer.error is not None:
            return None
        return FinalModel(trial, self.worker.load(trial), answer.refit_s)

    def of_folds(self, trial: Trial) -> FinalModel | None:
        """Return the mean of the models of a trial's folds, where they were kept."""
        if not self.kept(trial):
            return None
        return FinalModel(trial, mean_of_fold_models(out_of_fold_file(self.worker.folder, trial), self.data.task))

    def _of_folds(self, trial: Trial) -> bool:
        return self._bagging and prefers_fold_models(trial.learner, self.data)

    def kept(self, trial: Trial) -> bool:
        """Return whether the models of a trial's folds were kept."""
        return fold_models_file(out_of_fold_file(self.worker.folder, trial)).exists()

    def fit(self, trials: Sequence[Trial], deadline: Budget) -> bool:
        """Fit trials on all rows, side by side, and return whether there is a model of each.

        Where the models of a trial's folds were kept they will do, if the fit does not come to its end in time.

        Parameters
        ----------
        trials : sequence of Trial
            Trials to fit.
        deadline : Budget
            Time after which the worker is ended.
        """
        begun = None if self._prefitting is None else self._prefitting.number
        missing = [trial for trial in trials if trial.number != begun and not self.is_ready(trial)]
        if missing:  # the quickest first, so that there is a model whatever happens to the others
            self.request(sorted(missing, key=self.estimate))
        while any(self.worker.answer(trial) is None for trial in trials if not self.is_ready(trial)):
            if deadline.left() <= 0 or self.worker.ended:
                self.worker.close()
                break
            time.sleep(0.02)
        lost = [trial for trial in trials if not self.is_ready(trial) and not self.kept(trial)]
        if lost:
            names = ", ".join(f"{learner_title(trial.learner)} {trial.number}" for trial in lost)
            reason, hint = self.why_missing(lost)
            self.findings.append(
                Finding(
                    "refit",
                    "alert",
                    None,
                    f"{len(lost)} of {len(trials)} chosen models ({names}) could not be fitted on all rows "
                    f"{reason}; the best model that was fitted is used instead.",
                    hint,
                )
            )
        return not lost

    def why_missing(self, trials: Sequence[Trial]) -> tuple[str, str]:
        """Return why trials could not be fitted on all rows, and what to do."""
        answers = [self.worker.answer(trial) for trial in trials]
        error = next((answer.error for answer in answers if answer is not None and answer.error), self.worker.error)
        if error is not None:
            return f"({error.message})", error.hint
        return "in the time that was left", "Give the search more time, or run less beside it."

    def curve_cost(self, trial: Trial) -> float:
        """Return the seconds that scoring a trial's configuration on shares of the rows should take."""
        return 0.2 + SAFETY * sum(SHARES) * min(trial.seconds, (trial.fit_s or 0.0) * 1.2 + 0.2)

    def request_curve(self, trial: Trial) -> None:
        """Ask for the learning curve of a trial's configuration without waiting for it."""
        self.worker.request_curve(trial, metric=self.metric, jobs=self.cores, seed=self._seed)

    def load_linear(self, config: Config) -> Estimator:
        """Return the linear model, fitted on all training rows."""
        return self.worker.load(_linear(config))


def _linear(config: Config) -> Trial:
    return Trial(0, "linear", config, "finished")

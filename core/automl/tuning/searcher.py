"""The loop of a searcher: it proposes a configuration, tries it, and learns from the outcome.

A worker process of the run's own machine and an actor on another node of a cluster both do their trials with it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.automl._types import Config
from core.automl.learners.build import build_estimator
from core.automl.learners.registry import LEARNERS
from core.automl.tuning.event_file import StartEvent
from core.automl.tuning.processes import describe_fit_error, preload
from core.automl.tuning.trials import Trial
from core.automl.tuning.worker import OUT_OF_FOLD
from core.automl.tuning.worker_plan import WorkerPlan
from core.files import write_text

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData
    from core.automl.tuning.pruning import Pruner

__all__ = ["Searcher"]


class _Proposals(Protocol):
    """Says what to try next."""

    @property
    def favorite(self) -> str | None:
        """Made features that paid; None while it is open."""
        ...

    def propose(self) -> tuple[str, Config]:
        """Return a learner and a configuration."""
        ...

    def replay(self, trial: Trial, loss: float) -> None:
        """Take over an earlier trial."""
        ...

    def tell(self, trial: Trial, loss: float) -> None:
        """Report what came of a proposal."""
        ...


class _FixedProposals:
    """A fixed list of configurations, in its order."""

    favorite: str | None = None

    def __init__(self, configs: Sequence[tuple[str, Config]]) -> None:
        self._configs: Iterator[tuple[str, Config]] = iter(configs)

    def propose(self) -> tuple[str, Config]:
        return next(self._configs)

    def replay(self, trial: Trial, loss: float) -> None:
        next(self._configs)

    def tell(self, trial: Trial, loss: float) -> None:
        return None


class Searcher:
    """Tries one configuration after the other, as a plan says.

    Parameters
    ----------
    plan : WorkerPlan
        Plan of this searcher.
    done : sequence of Trial
        Trials that it, or one before it, has done of the plan.
    folder : Path
        Folder with the folder of out-of-fold predictions.
    """

    def __init__(self, plan: WorkerPlan, done: Sequence[Trial], folder: Path) -> None:
        from core.automl.data.training_data import TrainingData
        from core.automl.tuning.proposer import Proposer
        from core.automl.tuning.pruning import Pruner
        from core.evaluation import METRICS

        self._plan = plan
        self._folder = folder
        self._data = TrainingData.load(Path(plan.data))
        self._proposals: _Proposals = (
            Proposer(
                plan.learners,
                self._data,
                plan.seed,
                plan.seconds if plan.timed else None,
                favorite=None if plan.explores else partial(_favorite, plan),
                metric=plan.metric,
            )
            if plan.configs is None
            else _FixedProposals(plan.configs)
        )
        self._larger_is_better = METRICS[plan.metric].larger_is_better
        self._pruner = Pruner(self._larger_is_better) if plan.timed and plan.configs is None else None
        for trial in [*plan.warm_start, *done]:
            self._proposals.replay(trial, _loss(trial, self._larger_is_better))
            if self._pruner is not None:
                self._pruner.note(trial)
        self._publish()
        self._number = len(done)
        self._proposed: Trial | None = None

    def propose(self) -> StartEvent | None:
        """Return the trial that is next; None when the plan is done, or every configuration was tried."""
        from core.automl.tuning.proposer import SpaceExhaustedError

        self._proposed = None
        if self._plan.count is not None and self._number >= self._plan.count:
            return None
        try:
            learner, config = self._proposals.propose()
        except SpaceExhaustedError:
            return None
        self._number += 1
        self._proposed = Trial(self._number, learner, config, "failed")
        return {"event": "start", "trial": self._number, "learner": learner, "config": config}

    @property
    def has_proposal(self) -> bool:
        """Whether there is a proposal to try."""
        return self._proposed is not None

    def run(self) -> Trial:
        """Try what was proposed, and return the trial with its outcome; its predictions are in the folder."""
        if self._proposed is None:
            raise ValueError("there is nothing to try: call propose first")
        return _run(self._proposed, self._plan, self._data, self._pruner, self._folder)

    def note(self, trial: Trial) -> None:
        """Learn from a trial, and tell the other searchers which made features paid."""
        self._proposals.tell(trial, _loss(trial, self._larger_is_better))
        self._publish()
        if self._pruner is not None:
            self._pruner.note(trial)

    def _publish(self) -> None:
        """Tell the other searchers which made features paid, once it is known."""
        plan, favorite = self._plan, self._proposals.favorite
        if plan.favorite is not None and plan.explores and favorite is not None:
            write_text(plan.favorite, favorite)


def _favorite(plan: WorkerPlan) -> str | None:
    """Return which made features paid in the worker that explores them; None while it is open."""
    file = Path(plan.favorite or "")
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _run(trial: Trial, plan: WorkerPlan, data: TrainingData, pruner: Pruner | None, folder: Path) -> Trial:
    """Return the trial with its outcome."""
    import numpy as np

    from core.automl.ensemble.fold_models import keep_fold_models
    from core.automl.tuning.cross_validation import PrunedError, run_trial, share_cores

    record = LEARNERS[trial.learner]
    preload(*record.late_modules)
    at_a_time, threads = share_cores(trial.learner, data, plan.jobs)
    began = time.perf_counter()
    try:
        outcome = run_trial(
            partial(
                build_estimator,
                trial.learner,
                trial.config,
                data.task,
                jobs=threads,
                seed=plan.seed,
                groups=data.feature_groups,
            ),
            data,
            plan.metric,
            at_a_time=at_a_time,
            worth_it=None if pruner is None else partial(pruner.worth_it, trial.learner),
            grow=None if record.grown in trial.config else record.grow,
            seconds=plan.trial_s(),
        )
        file = folder / OUT_OF_FOLD / f"{trial.number}.npy"
        np.save(file, outcome.out_of_fold)
        if plan.keep_models:
            keep_fold_models(file, outcome.models, data, size_bytes=outcome.evaluation.size_bytes)
        config = trial.config if outcome.trees is None else trial.config | {record.grown: outcome.trees}
        trial = replace(trial, status="finished", config=config, threads=threads, **asdict(outcome.evaluation))
    except PrunedError as pruned:
        trial = replace(
            trial,
            status="pruned",
            fold_scores=pruned.scores,
            message=pruned.message(len(data.folds)),
            expected=None if pruner is None else pruner.expected(trial.learner, pruned.scores),
        )
    except Exception as error:  # noqa: BLE001  (LightGBM's and XGBoost's own errors derive from Exception only)
        trial = replace(trial, message=describe_fit_error(error).message)
    return replace(trial, seconds=time.perf_counter() - began)


def _loss(trial: Trial, larger_is_better: bool) -> float:
    """Return what the search minimizes; of a pruned trial, the loss that is expected over all folds."""
    score = trial.score if trial.expected is None else trial.expected
    if score is None:
        return float("inf")
    return -score if larger_is_better else score

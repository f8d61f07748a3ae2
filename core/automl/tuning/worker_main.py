"""The search worker: ``python -m core.automl.tuning.worker_main FOLDER``, a process that may be killed at any moment.

It loads its libraries at once, waits for the plan, then tries configurations until it has done as many as planned, or
is killed. Each trial is two lines of ``events.jsonl``, flushed: when it starts, and how it ended.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.automl._types import Config
from core.automl.learners.build import build_estimator, preload_learners
from core.automl.learners.registry import LEARNERS
from core.automl.tuning.event_file import EVENTS, append_event, append_trial, read_trials
from core.automl.tuning.processes import describe_fit_error, end_with_parent, errors_recorded, preload
from core.automl.tuning.trials import Trial
from core.automl.tuning.worker import OUT_OF_FOLD
from core.automl.tuning.worker_plan import PLAN, WorkerPlan
from core.files import write_text

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData
    from core.automl.tuning.pruning import Pruner

__all__ = ["main", "search"]


class Proposals(Protocol):
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


def search(folder: Path) -> None:
    """Try configurations as the plan in the folder says."""
    from core.automl.data.training_data import TrainingData
    from core.automl.tuning.proposer import Proposer, SpaceExhaustedError
    from core.automl.tuning.pruning import Pruner
    from core.evaluation import METRICS

    plan = WorkerPlan.load(folder)
    data = TrainingData.load(Path(plan.data))
    done = read_trials(folder)
    proposals: Proposals = (
        Proposer(
            plan.learners,
            data,
            plan.seed,
            plan.seconds if plan.timed else None,
            favorite=None if plan.explores else partial(_favorite, plan),
            metric=plan.metric,
        )
        if plan.configs is None
        else _FixedProposals(plan.configs)
    )
    larger_is_better = METRICS[plan.metric].larger_is_better
    pruner = Pruner(larger_is_better) if plan.timed and plan.configs is None else None
    for trial in [*plan.warm_start, *done]:
        proposals.replay(trial, _loss(trial, larger_is_better))
        if pruner is not None:
            pruner.note(trial)
    _publish(plan, proposals)
    number = len(done)
    while plan.count is None or number < plan.count:
        number += 1
        try:
            learner, config = proposals.propose()
        except SpaceExhaustedError:
            return
        append_event(
            folder / EVENTS,
            {"event": "start", "trial": number, "learner": learner, "config": config},
        )
        trial = _run(Trial(number, learner, config, "failed"), plan, data, pruner, folder)
        append_trial(folder / EVENTS, trial)
        proposals.tell(trial, _loss(trial, larger_is_better))
        _publish(plan, proposals)
        if pruner is not None:
            pruner.note(trial)


def _publish(plan: WorkerPlan, proposals: Proposals) -> None:
    """Tell the other workers which made features paid, once it is known."""
    if plan.favorite is not None and plan.explores and proposals.favorite is not None:
        write_text(plan.favorite, proposals.favorite)


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


def main(folder: Path) -> int:
    """Load what trials need, wait for the plan, search."""
    end_with_parent(os.getppid())
    warnings.simplefilter("ignore")  # of the libraries, about single configurations; failures are in the events
    with errors_recorded(folder):
        preload_learners()
        while not (folder / PLAN).exists():
            time.sleep(0.02)
        search(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""How a search is divided among its workers, and what makes two searches the same."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.automl._settings import AutoMLSettings
from core.automl._types import Config
from core.automl.tuning.trials import Trial
from core.files import write_text
from core.resources import usable_cores

if TYPE_CHECKING:
    from core.automl.data.prepare import Prepared

__all__ = ["FAVORITE", "PLAN", "Configs", "WorkerPlan", "search_key", "worker_plan"]

PLAN = "plan.json"
FAVORITE = "favorite.txt"
TRIAL_SHARE = 0.2
"""Share of the time that is left in which a trial's boosted trees grow, at most."""
MIN_TRIAL_S = 1.0
"""Seconds that they may grow in any case: a model is better than none."""
Configs = Sequence[tuple[str, Config]]
"""Learners with configurations."""


@dataclass(frozen=True)
class WorkerPlan:
    """What one worker of a search does.

    Parameters
    ----------
    data : str
        Folder of the `TrainingData`.
    metric : str
        Key of `METRICS` that the search optimizes.
    learners : tuple of str
        Keys of `LEARNERS` that this worker tries.
    seed : int
        Seed of the proposals and the estimators.
    jobs : int
        Number of cores.
    timed : bool
        Whether the search has a time budget.
    seconds : float or None
        The time budget.
    until : float or None
        Moment of `time.monotonic` at which the budget ends.
    count : int or None
        Number of trials; None for as many as there is time for.
    configs : list of [learner, configuration] or None
        Try exactly these instead of searching.
    warm_start : list of Trial
        Trials of an earlier search to continue from.
    keep_models : bool, default=False
        Whether the models of the folds are kept, where there are few rows.
    favorite : str or None, default=None
        File in which the worker that explores made features says which of them paid; None where each worker finds that
        out by itself.
    explores : bool, default=True
        Whether this worker explores them.
    """

    data: str
    metric: str
    learners: tuple[str, ...]
    seed: int
    jobs: int
    timed: bool
    seconds: float | None = None
    until: float | None = None
    count: int | None = None
    configs: list[tuple[str, Config]] | None = None
    warm_start: list[Trial] = field(default_factory=list)
    keep_models: bool = False
    favorite: str | None = None
    explores: bool = True

    def trial_s(self) -> float:
        """Return the seconds that boosted trees of a trial that begins now may grow."""
        if self.until is None:
            return math.inf
        return max(MIN_TRIAL_S, TRIAL_SHARE * (self.until - time.monotonic()))

    def save(self, folder: Path) -> None:
        """Write the plan into a worker's folder; it appears whole."""
        write_text(folder / PLAN, json.dumps(self._to_record()))

    @classmethod
    def load(cls, folder: Path) -> WorkerPlan:
        """Read what `save` wrote."""
        return cls._from_record(json.loads((folder / PLAN).read_text(encoding="utf-8")))

    def to_message(self) -> str:
        """Return the plan for a worker of another machine, by whose clock the seconds that are left count."""
        left_s = None if self.until is None else self.until - time.monotonic()
        return json.dumps(self._to_record() | {"until": left_s})

    @classmethod
    def from_message(cls, message: str, data: Path, favorite: Path) -> WorkerPlan:
        """Return the plan that `to_message` sent, by this machine's clock and paths.

        Parameters
        ----------
        message : str
            The message; the seconds that are left begin when it arrives.
        data : Path
            Folder of the `TrainingData` here.
        favorite : Path
            File here that says which made features paid.
        """
        plan = cls._from_record(json.loads(message))
        return replace(
            plan,
            data=str(data),
            favorite=None if plan.favorite is None else str(favorite),
            until=None if plan.until is None else time.monotonic() + plan.until,
        )

    def _to_record(self) -> dict[str, Any]:
        return asdict(self) | {"warm_start": [trial.to_record() for trial in self.warm_start]}

    @classmethod
    def _from_record(cls, record: dict[str, Any]) -> WorkerPlan:
        return cls(
            **record
            | {
                "learners": tuple(record["learners"]),
                "configs": None
                if record["configs"] is None
                else [(name, config) for name, config in record["configs"]],
                "warm_start": [Trial.from_record(trial) for trial in record["warm_start"]],
            }
        )


def search_key(settings: AutoMLSettings, prepared: Prepared, configs: Configs | None) -> str:
    """Return a hash that is the same for two searches whose trials can be put together."""
    description: dict[str, Any] = {
        "metric": prepared.metric,
        "seed": settings.seed,
        "timed": settings.time_budget_s is not None,
        "learners": settings.chosen_learners,
        "searchers": settings.searchers,
        "configs": configs,
    }
    if not settings.feature_engineering:  # earlier versions did not know it
        description["feature_engineering"] = False
    if settings.monotone:
        description["monotone"] = settings.monotone
    data = prepared.data
    digest = hashlib.sha256(json.dumps(description, default=str).encode())
    for array in (data.X, data.y, *(part for fold in data.folds for part in fold)):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def worker_plan(
    index: int,
    settings: AutoMLSettings,
    folder: Path,
    metric: str,
    trials: Sequence[Trial],
    configs: Configs | None,
    left_s: float = math.inf,
    *,
    searchers: int | None = None,
    jobs: int | None = None,
) -> WorkerPlan:
    """Return the plan of one worker: every n-th trial, and learners, or a seed, that no other worker has.

    With a fixed share each worker does the same whatever the others' pace is, so the search can be repeated.

    Parameters
    ----------
    index : int
        Index of the worker, from 0.
    settings : AutoMLSettings
        Settings of the search.
    folder : Path
        Folder of the training data.
    metric : str
        Key of `METRICS` that the search optimizes.
    trials : sequence of Trial
        Trials that are done already.
    configs : sequence of (learner, configuration), optional
        Try exactly these instead of searching.
    left_s : float, default=inf
        Seconds that are left of the time budget.
    searchers : int, optional
        Number of workers; by default as many as the settings say.
    jobs : int, optional
        Number of cores of the worker; by default its share of those of this machine.
    """
    count, learners = searchers or settings.searchers, settings.chosen_learners
    limit = settings.max_trials if configs is None else len(configs)
    timed = settings.time_budget_s is not None
    left = None
    if limit is not None:
        left = len(range(index, limit, count)) - len(trials[index::count])
    first = (index - len(trials)) % count  # in how many trials it is this worker's turn
    return WorkerPlan(
        data=str(folder.resolve()),
        metric=metric,
        learners=learners[index::count] or (learners[index % len(learners)],),
        seed=settings.seed + 1_000 * (index // len(learners)),
        jobs=jobs or max(1, usable_cores() // count),
        timed=timed,
        seconds=settings.time_budget_s,
        until=time.monotonic() + left_s if math.isfinite(left_s) else None,
        count=left,
        configs=None if configs is None else [(name, config) for name, config in configs[len(trials) :][first::count]],
        warm_start=list(trials) if configs is None else [],
        keep_models=settings.bagging and configs is None,
        favorite=str(folder.resolve() / FAVORITE) if timed and count > 1 else None,
        explores=index == 0 or not timed,
    )

"""How a search is divided among its searchers, and what makes it the same search again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.automl._settings import AutoMLSettings
from core.automl.data.prepare import Prepared
from core.automl.tuning.processes import cores

__all__ = ["search_key", "share"]

Configs = list[list[Any]] | None


def search_key(settings: AutoMLSettings, prepared: Prepared, configs: Configs) -> str:
    """Return what is the same for two searches whose trials can be put together."""
    asked = {
        "metric": prepared.metric,
        "seed": settings.seed,
        "timed": settings.time_budget_s is not None,
        "learners": settings.chosen_learners,
        "searchers": settings.max_concurrent_trials,
        "configs": configs,
    }
    data = prepared.data
    found = hashlib.sha256(json.dumps(asked, default=str).encode())
    for array in (data.X, data.y, *(part for pair in data.folds for part in pair)):
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def share(
    place: int, settings: AutoMLSettings, folder: Path, metric: str, trials: Sequence[dict[str, Any]], configs: Configs
) -> dict[str, Any]:
    """Return the plan of one searcher: every so-many-th trial, and learners, or a seed, that no other has.

    With a fixed share each does the same whatever the others' pace is, so that the search can be repeated.

    Parameters
    ----------
    place : int
        Which searcher, from 0.
    settings : AutoMLSettings
        Of the search.
    folder : Path
        Where the data are.
    metric : str
        What is optimised.
    trials : sequence of dict
        Those that are there already.
    configs : list, optional
        A fixed list of configurations.

    Returns
    -------
    dict
        As the searcher reads it.
    """
    count, learners = settings.max_concurrent_trials, settings.chosen_learners
    limit = settings.max_trials if configs is None else len(configs)
    timed = settings.time_budget_s is not None
    left = None
    if limit is not None:
        in_turn = len(range(place, limit, count)) - len(trials[place::count])
        left = limit - len(trials) if timed and configs is None else in_turn
    first = (place - len(trials)) % count  # in how many trials it is this searcher's turn
    return {
        "data": str(folder.resolve()),
        "metric": metric,
        "learners": learners[place::count] or (learners[place % len(learners)],),
        "seed": settings.seed + 1_000 * (place // len(learners)),
        "jobs": max(1, cores() // count),
        "timed": timed,
        "seconds": settings.time_budget_s,
        "count": left,
        "configs": None if configs is None else configs[len(trials) :][first::count],
        "earlier": list(trials) if configs is None else [],
    }

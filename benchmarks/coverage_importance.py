"""Situations of `benchmarks/coverage.py` with the permutation importance of two columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.evaluation import compute_metric
from core.explain.deadline import Deadline
from core.explain.explained_model import explained_function
from core.explain.permutation import permutation_importance
from core.explain.speed import Speed

__all__ = ["importances"]

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator], list[tuple[str, float, float, float]]]


def _predicted(frame: pd.DataFrame, metric: str) -> Array:
    score = (1.5 * frame["strong"] + 0.5 * frame["weak"]).to_numpy()
    if metric == "r2":
        return score
    chance = 1 / (1 + np.exp(-score))
    return np.column_stack([1 - chance, chance])


def _table(n: int, metric: str, noise: float, random: np.random.Generator) -> tuple[pd.DataFrame, Array]:
    frame = pd.DataFrame(random.normal(size=(n, 2)), columns=["strong", "weak"])
    predicted = _predicted(frame, metric)
    if metric == "r2":
        return frame, predicted + noise * random.normal(size=n)
    return frame, (random.random(n) < predicted[:, 1]).astype(np.intp)


def importances(n: int, metric: str, noise: float = 1.0) -> Draw:
    """Return a draw of the importances of two columns for a model of the truth, on n rows."""
    columns = ["strong", "weak"]
    model = explained_function(lambda frame: _predicted(frame, metric), columns, [0] if metric == "r2" else [1])
    truth: dict[str, float] = {}

    def draw(random: np.random.Generator) -> list[tuple[str, float, float, float]]:
        if not truth:
            large = np.random.default_rng(7)
            frame, y = _table(200_000, metric, noise, large)
            base = compute_metric(metric, y, _predicted(frame, metric))
            for column in columns:
                moved = frame.assign(**{column: large.permutation(frame[column].to_numpy())})
                truth[column] = base - compute_metric(metric, y, _predicted(moved, metric))
        frame, y = _table(n, metric, noise, random)
        table, _ = permutation_importance(
            model,
            model.encode(frame),
            y,
            metric,
            repeats=5,
            speed=Speed(0.0, 1e-9),
            deadline=Deadline.after(60),
            seed=int(random.integers(2**31)),
        )
        bounds = table.set_index("feature")[["low", "high"]].T
        return [(f"importance of a {column} column", truth[column], *bounds[column]) for column in columns]

    return draw

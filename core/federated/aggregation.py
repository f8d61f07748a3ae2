"""How the updates of several sites become one: the mean, or an estimate that a few faulty sites cannot move far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from core.registry import Registry

__all__ = ["AGGREGATIONS", "Aggregation"]

Updates = NDArray[np.float64]


@dataclass(frozen=True)
class Aggregation:
    """One way to aggregate.

    Parameters
    ----------
    name : str
        Key that settings use.
    title : str
        Name that pages show.
    help : str
        Sentence about what it holds against.
    combine : callable
        ``combine(updates, weights, faulty)`` returns one update of shape (p,) for updates of shape (sites, p),
        weights of shape (sites,) and the number of sites that may be faulty.
    summed : bool, default=False
        Whether it is a sum, so that the coordinator need not see any single update.
    """

    name: str
    title: str
    help: str
    combine: Callable[[Updates, NDArray[np.float64], int], NDArray[np.float64]]
    summed: bool = False


def _mean(updates: Updates, weights: NDArray[np.float64], faulty: int) -> NDArray[np.float64]:
    return np.asarray(weights @ updates / weights.sum())


def _median(updates: Updates, weights: NDArray[np.float64], faulty: int) -> NDArray[np.float64]:
    return np.asarray(np.median(updates, axis=0))


def _trimmed_mean(updates: Updates, weights: NDArray[np.float64], faulty: int) -> NDArray[np.float64]:
    if 2 * faulty >= len(updates):
        raise SettingsError(
            f"A trimmed mean that leaves out {faulty} of {len(updates)} sites on both sides has none left.",
            "Assume fewer faulty sites, or choose the median.",
        )
    return np.asarray(np.sort(updates, axis=0)[faulty : len(updates) - faulty].mean(axis=0))


def _krum(updates: Updates, weights: NDArray[np.float64], faulty: int) -> NDArray[np.float64]:
    neighbors = len(updates) - faulty - 2
    if neighbors < 1:
        raise SettingsError(
            f"Krum needs {faulty + 3} sites to hold against {faulty}, and {len(updates)} are there.",
            "Assume fewer faulty sites, or choose the median.",
        )
    distances = np.square(updates[:, None, :] - updates[None, :, :]).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    scores = np.sort(distances, axis=1)[:, :neighbors].sum(axis=1)
    return np.asarray(updates[int(scores.argmin())])


AGGREGATIONS: Registry[Aggregation] = Registry(
    "aggregation",
    [
        Aggregation(
            "mean",
            "Mean by rows",
            "The mean of all sites, weighted by their rows. One faulty site can move it anywhere.",
            _mean,
            summed=True,
        ),
        Aggregation(
            "median",
            "Median",
            "The median of each parameter over the sites; holds as long as fewer than half of them are faulty.",
            _median,
        ),
        Aggregation(
            "trimmed_mean",
            "Trimmed mean",
            "The mean of each parameter without its largest and smallest values; holds against the assumed number of "
            "faulty sites.",
            _trimmed_mean,
        ),
        Aggregation(
            "krum",
            "Krum",
            "The update of the one site that is closest to its neighbors (Blanchard et al. 2017); needs three sites "
            "more than it assumes to be faulty.",
            _krum,
        ),
    ],
)
"""The ways to aggregate updates of sites."""

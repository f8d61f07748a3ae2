"""How much a metric owes to each unit of the test: its value without that row, or without that group of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation._intervals import kish
from core.evaluation._statistics import Array
from core.evaluation._weighted import WeightedMetrics

__all__ = ["Units", "influences", "make_units"]

_UNITS = 400  # at most, over all strata; more rows than that are left out in random blocks
_CELLS = 2_000_000  # rows times weightings at once


@dataclass(frozen=True)
class Units:
    """Units of the test that are independent of each other, in strata that are drawn apart.

    Parameters
    ----------
    of_row : array of int of shape (n,)
        Unit of each row: a row, a group of rows, or a random block of either where there are many.
    stratum : array of int of shape (units,)
        Stratum of each unit: the class of its rows. Groups, which hold rows of several classes, have one stratum.
    counts : array of shape (units,)
        Rows, or groups, in each unit: more than 1 in a block.
    sizes : array of shape (strata,)
        Effective number of rows, or groups, in each stratum (Kish).
    class_sizes : array of shape (classes,)
        Effective number of rows, or groups that have such rows, of each class.
    grouped : bool, default=False
        Whether the units are groups.
    """

    of_row: NDArray[np.intp]
    stratum: NDArray[np.intp]
    counts: NDArray[np.intp]
    sizes: Array
    class_sizes: Array
    grouped: bool = False

    @property
    def blocks(self) -> NDArray[np.intp]:
        """Number of units in each stratum."""
        return np.bincount(self.stratum, minlength=len(self.sizes))

    def merged(self) -> Units:
        """Return the same units in one stratum."""
        return Units(
            self.of_row, np.zeros_like(self.stratum), self.counts, np.array([self.sizes.sum()]), self.class_sizes
        )

    def center(self, influence: Array) -> Array:
        """Return influences without the mean of their stratum, scaled so that their squares add up to the variance."""
        blocks, counts = self.blocks, self.counts
        totals = np.bincount(self.stratum, influence, minlength=len(blocks))
        means = totals / np.maximum(np.bincount(self.stratum, counts, minlength=len(blocks)), 1)
        scale = np.sqrt((blocks - 1) / np.maximum(blocks, 1))
        return np.asarray((influence - counts * means[self.stratum]) * scale[self.stratum])

    def variances(self, centered: Array) -> Array:
        """Return the part of the variance that comes from each stratum."""
        return np.bincount(self.stratum, centered**2, minlength=len(self.sizes)).astype(np.float64)

    def freedom(self, variances: Array) -> float:
        """Return the degrees of freedom of a sum of variances (Satterthwaite, 1946)."""
        own = np.maximum(np.minimum(self.sizes, self.blocks) - 1, 0.5)
        if self.grouped:  # groups of the rarest class vary; the others say little of it
            own = np.array([max(min(float(self.class_sizes.min()), float(self.blocks[0])) - 1, 0.5)])
        total = variances.sum()
        if total <= 0:
            return float(own.min())
        return float(total**2 / (variances**2 / own).sum())


def make_units(
    classes: NDArray[np.intp] | None,
    groups: NDArray[np.intp] | None,
    weights: Array | None,
    n: int,
    seed: int,
) -> Units:
    """Divide the rows of a test into independent units.

    Parameters
    ----------
    classes : array of int of shape (n,) or None
        Class of each row; None for numbers.
    groups : array of int of shape (n,) or None
        Group of each row, from 0.
    weights : array of shape (n,) or None
        Weights of the rows.
    n : int
        Number of rows.
    seed : int
        Seed of the random number generator that draws the blocks.

    Examples
    --------
    >>> units = make_units(np.array([0, 0, 0, 1, 1]), None, None, 5, 0)
    >>> units.sizes.tolist(), units.stratum.tolist()
    ([3.0, 2.0], [0, 0, 0, 1, 1])
    """
    own = np.ones(n) if weights is None else weights
    codes = np.zeros(n, dtype=np.intp) if classes is None else np.unique(classes, return_inverse=True)[1]
    strata = int(codes.max()) + 1
    random = np.random.default_rng(seed)
    if groups is not None:
        per_group = [
            kish(np.bincount(groups[codes == code], own[codes == code]).astype(np.float64)) for code in range(strata)
        ]
        count = int(groups.max()) + 1
        block = _blocks(count, _UNITS, random)
        size = kish(np.bincount(groups, own, minlength=count).astype(np.float64))
        stratum = np.zeros(int(block.max()) + 1, dtype=np.intp)
        return Units(block[groups], stratum, np.bincount(block), np.array([size]), np.array(per_group), grouped=True)
    of_row = np.empty(n, dtype=np.intp)
    strata_of_blocks: list[int] = []
    sizes = np.array([kish(own[codes == code]) for code in range(strata)])
    for code in range(strata):
        rows = np.flatnonzero(codes == code)
        block = _blocks(len(rows), max(20, _UNITS // strata), random)
        of_row[rows] = block + len(strata_of_blocks)
        strata_of_blocks += [code] * (int(block.max()) + 1)
    return Units(of_row, np.array(strata_of_blocks, dtype=np.intp), np.bincount(of_row), sizes, sizes)


def _blocks(count: int, most: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Return a block for each of some units: its own where they are few, else one of `most` random blocks."""
    if count <= most:
        return np.arange(count)
    return random.permutation(np.arange(count) % most)


def influences(
    names: Iterable[str], y: NDArray[np.generic], output: Array, weights: Array | None, units: Units
) -> dict[str, Array]:
    """Return by metric what its value owes to each unit: the value less that without the unit.

    Parameters
    ----------
    names : iterable of str
        Keys of `METRICS`.
    y : array of shape (n,)
        Class codes, or numbers.
    output : array of shape (n, k) or (n,)
        Probabilities, or predicted numbers.
    weights : array of shape (n,) or None
        Weights of the rows.
    units : Units
        Units to leave out.

    Examples
    --------
    >>> units = make_units(None, None, None, 3, 0)
    >>> influences(["mae"], np.zeros(3), np.array([0.0, 0.0, 3.0]), None, units)["mae"].tolist()
    [-0.5, -0.5, 1.0]
    """
    own = np.ones(len(y)) if weights is None else weights
    evaluate = WeightedMetrics(names, y, output)
    value = {name: float(values[0]) for name, values in evaluate(own[None]).items()}
    parts: dict[str, list[Array]] = {name: [] for name in value}
    step = max(1, _CELLS // max(len(y), 1))
    count = len(units.stratum)
    for start in range(0, count, step):
        left_out = np.arange(start, min(start + step, count))
        kept = np.where(units.of_row[None] == left_out[:, None], 0.0, own)
        for name, values in evaluate(kept).items():
            parts[name].append(value[name] - values)
    return {name: np.concatenate(blocks) for name, blocks in parts.items()}

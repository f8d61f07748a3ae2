"""The cells of `benchmarks/coverage.py`: situations by area, each with the band of its true values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import coverage_fairness as fairness
import numpy as np
from coverage_evaluation import chance_verdict, class_metrics, number_metrics
from coverage_importance import importances

__all__ = ["CELLS", "HIGH", "Cell"]

Draw = Callable[[np.random.Generator], list[tuple[str, float, float, float]]]
"""One simulated table: for each figure its name, true value and bounds (NaN: not shown)."""

HIGH = 0.985
NULL_HIGH = 0.97  # of tests where nothing differs
STRENGTHS = 5  # points of a band
_WEIGHTED = {"none": "", "random": ", weighted", "class": ", classes weighted"}


@dataclass(frozen=True)
class Cell:
    """One situation, in which several figures are measured at once.

    Parameters
    ----------
    name : str
        Situation, as ``"binary, 10 rows of the class"``.
    points : tuple of callable
        One for each point of the band of true values.
    high : float, default=0.985
        Highest share of intervals that may hold the truth: that of a test is lower, of 95% simultaneous ones 1.
    """

    name: str
    points: tuple[Draw, ...]
    high: float = HIGH


def _band(make: Callable[[float], Draw], low: float, high: float) -> tuple[Draw, ...]:
    return tuple(make(float(value)) for value in np.linspace(low, high, STRENGTHS))


def _evaluation_cells() -> list[Cell]:
    cells = []
    for level, (low, high) in {"weak": (0.2, 0.8), "good": (1.2, 2.0)}.items():
        for rare in (1, 3, 8, 12, 20):
            cells.append(
                Cell(
                    f"two classes, {rare} of 200 rows, {level}",
                    _band(lambda strength, rare=rare: class_metrics((200 - rare, rare), strength), low, high),  # type: ignore[misc]
                )
            )
        cells += [
            Cell(
                f"two classes, 40 and 60 rows, {level}",
                _band(lambda s: class_metrics((60, 40), s), low, high),
            ),
            Cell(
                f"two classes, 20 of 200 rows, weighted, {level}",
                _band(lambda s: class_metrics((180, 20), s, weighted=True), low, high),
            ),
            Cell(
                f"three classes, 10 of 150 rows, {level}",
                _band(lambda s: class_metrics((80, 60, 10), s), low, high),
            ),
            Cell(
                f"two classes, 30 groups of 300 rows, {level}",
                _band(lambda s: class_metrics((200, 100), s, groups=30), low, high),
            ),
        ]
    for n in (10, 40, 150):
        for spread in ("normal", "skewed"):
            cells.append(
                Cell(
                    f"numbers, {n} rows, {spread} errors",
                    _band(lambda shape, n=n, spread=spread: number_metrics(n, shape, spread), 0.5, 2.0),  # type: ignore[misc]
                )
            )
    cells += [
        Cell("numbers, 60 rows, weighted", _band(lambda s: number_metrics(60, s, "normal", weighted=True), 0.5, 2.0)),
        Cell("numbers, 20 groups of 200 rows", _band(lambda s: number_metrics(200, s, "normal", groups=20), 0.5, 2.0)),
    ]
    return cells


def _fairness_cells() -> list[Cell]:
    cells = []
    sizes: list[tuple[int, fairness.Weighting]] = [(20, "none"), (60, "none"), (200, "none"), (2_000, "none")]
    sizes += [(60, "random"), (200, "random"), (60, "class"), (200, "class")]
    for title, true, false in (("few hits", 0.05, 0.0), ("many hits", 0.55, 0.15), ("nearly all", 0.85, 0.8)):
        for n, weighting in sizes:
            make = partial(_decisions, n=n, true=true, false=false, weighting=weighting)
            cells.append(Cell(f"decisions, {n:,} rows, {title}{_WEIGHTED[weighting]}", _band(make, 0.0, 0.1)))
    tables: list[tuple[int, float, fairness.Weighting]] = [(20, 0.5, "none"), (40, 0.5, "none"), (100, 0.1, "none")]
    tables += [(200, 0.1, "none"), (2_000, 0.3, "none"), (100, 0.4, "random"), (100, 0.4, "class")]
    for n, base, weighting in tables:
        for title, shift, slope in (("calibrated", 0.0, 1.0), ("shifted", 0.4, 1.0), ("too sure", 0.0, 1.6)):
            make = partial(_scores, n=n, base=base, shift=shift, slope=slope, weighting=weighting)
            name = f"scores, {n:,} rows, {base:.0%} positive, {title}{_WEIGHTED[weighting]}"
            cells.append(Cell(name, _band(make, 1.0, 1.6)))
    for n in (20, 40, 150, 1_000):
        for spread in ("normal", "exponential", "one-sided", "uneven"):
            make = partial(_numbers, n=n, spread=spread)
            cells.append(Cell(f"numbers by group, {n:,} rows, {spread}", _band(make, 0.8, 1.2)))
    make = partial(_numbers, n=60, spread="normal", weighting="random")
    cells.append(Cell("numbers by group, 60 rows, normal, weighted", _band(make, 0.8, 1.2)))
    return cells


def _decisions(rate: float, *, n: int, true: float, false: float, weighting: fairness.Weighting) -> Draw:
    return fairness.decisions(n, 300, 0.4, true + rate, false + rate, weighting)


def _scores(strength: float, *, n: int, base: float, shift: float, slope: float, weighting: fairness.Weighting) -> Draw:
    return fairness.scores(n, 500, strength, base, shift, slope, weighting)


def _numbers(scale: float, *, n: int, spread: str, weighting: fairness.Weighting = "none") -> Draw:
    return fairness.numbers(n, 300, spread, scale, weighting)


def _null_cells() -> list[Cell]:
    """Tests where nothing differs: the interval of a figure holds 0 where the test finds nothing."""
    cells = []
    tables = {"5 groups of 50": [50] * 5, "20 groups of 40": [40] * 20, "5 uneven groups": [1_500, 1_200, 60, 40, 30]}
    for title, sizes in tables.items():
        weightings: tuple[fairness.Weighting, ...] = ("none", "random")
        for weighting in weightings:
            rates = partial(_no_difference_in_decisions, sizes=sizes, weighting=weighting)
            areas = partial(_no_difference_in_scores, sizes=sizes, weighting=weighting)
            name = f"nothing differs, {title}{_WEIGHTED[weighting]}"
            cells += [
                Cell(f"{name}: decisions", _band(rates, 0.1, 0.4), NULL_HIGH),
                Cell(f"{name}: scores", _band(areas, 1.0, 2.0), NULL_HIGH),
            ]
        for spread in ("normal", "exponential"):
            draws = (fairness.null_numbers(sizes, spread),)
            cells.append(Cell(f"nothing differs, {title}: numbers, {spread}", draws, NULL_HIGH))
    draws = (fairness.null_numbers([50] * 5, "normal", "random"),)
    cells.append(Cell("nothing differs, 5 groups of 50, weighted: numbers, normal", draws, NULL_HIGH))
    for rare in (8, 20, 100):
        cells.append(Cell(f"a model that guesses, {rare} of 200 rows", (chance_verdict(rare),), 1.0))
    return cells


def _no_difference_in_decisions(share: float, *, sizes: list[int], weighting: fairness.Weighting) -> Draw:
    return fairness.null_decisions(sizes, share, weighting)


def _no_difference_in_scores(strength: float, *, sizes: list[int], weighting: fairness.Weighting) -> Draw:
    return fairness.null_scores(sizes, strength, weighting)


def _importance_cells() -> list[Cell]:
    cells = []
    for n in (100, 400, 2_000):
        draws = tuple(importances(n, "r2", noise) for noise in np.linspace(0.5, 2.5, STRENGTHS))
        cells.append(Cell(f"importance for R², {n:,} rows", draws))
        cells.append(Cell(f"importance for ROC AUC, {n:,} rows", (importances(n, "roc_auc"),)))
    return cells


CELLS: dict[str, Callable[[], list[Cell]]] = {
    "evaluation": _evaluation_cells,
    "fairness": _fairness_cells,
    "nothing differs": _null_cells,
    "importance": _importance_cells,
}
"""Cells by the area that they belong to; a further area is one more entry."""

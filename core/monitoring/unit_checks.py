"""Changes of the unit of a column of numbers, by the ratio of quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.datasets import Finding
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.column_sketches import NumberSketch
from core.monitoring.drift_words import number_text
from core.monitoring.number_tests import ks_distance
from core.monitoring.outcomes import MIN_ROWS
from core.monitoring.quantile_points import QuantilePoints

__all__ = ["UNIT_CHANGES", "UnitChange", "check_units", "unit_change"]

_SHARES = np.linspace(0.05, 0.95, 19)
_FAR = 0.25
_NEAR = 0.1
_CERTAIN = 3.4  # Kolmogorov's distribution is above with a probability below 1e-9


@dataclass(frozen=True)
class UnitChange:
    """A change of unit: the new number is `factor` times the old one, plus `offset`.

    Parameters
    ----------
    factor : float
        Factor of the numbers.
    words : str
        Units that differ by it.
    offset : float, default=0.0
        Number to add.
    """

    factor: float
    words: str
    offset: float = 0.0


UNIT_CHANGES: tuple[UnitChange, ...] = (
    *(
        UnitChange(ratio, words)
        for factor, words in (
            (10.0, "a decimal place"),
            (100.0, "cents, or percent in place of shares"),
            (1_000.0, "thousands"),
            (1e6, "millions"),
            (1e9, "billions, or nanoseconds"),
            (60.0, "minutes and seconds, or hours and minutes"),
            (3_600.0, "hours and seconds"),
            (24.0, "days and hours"),
            (86_400.0, "days and seconds"),
            (12.0, "years and months"),
            (7.0, "weeks and days"),
            (365.25, "years and days"),
            (2.54, "inches and centimeters"),
            (0.3048, "feet and meters"),
            (1.609344, "miles and kilometers"),
            (0.45359237, "pounds and kilograms"),
        )
        for ratio in (factor, 1 / factor)
    ),
    UnitChange(1.8, "degrees Celsius that became Fahrenheit", 32.0),
    UnitChange(1 / 1.8, "degrees Fahrenheit that became Celsius", -32.0 / 1.8),
    UnitChange(1.0, "degrees Celsius that became kelvins", 273.15),
    UnitChange(1.0, "kelvins that became degrees Celsius", -273.15),
    UnitChange(-1.0, "a changed sign"),
)
"""Changes of unit that are looked for."""


def unit_change(reference: QuantilePoints, current: QuantilePoints) -> UnitChange | None:
    """Return the change of unit that explains a difference; None where none does.

    The distributions must be far apart (a distance of at least 0.25), and near after the change: at most 0.1 or what
    chance explains, and at most a third of the distance before. Among several the nearest by the ratio of quantiles is
    tried first.

    Parameters
    ----------
    reference, current : QuantilePoints
        Distributions of both sides.

    Examples
    --------
    >>> income = np.random.default_rng(0).lognormal(8, 1, 400)
    >>> change = unit_change(QuantilePoints.of(income), QuantilePoints.of(income / 1000))
    >>> change.factor, change.words
    (0.001, 'thousands')
    """
    if min(reference.rows, current.rows) < MIN_ROWS:
        return None
    distance = ks_distance(reference, current)
    by_chance = float(np.sqrt(1 / reference.rows + 1 / current.rows))
    if distance < max(_FAR, _CERTAIN * by_chance):
        return None
    near = max(_NEAR, 1.63 * by_chance)
    before, now = reference.quantiles(_SHARES), current.quantiles(_SHARES)
    scale = float(np.abs(now).max())

    def misfit(change: UnitChange) -> float:
        return float(np.abs(change.factor * before + change.offset - now).mean()) / scale if scale else np.inf

    for change in sorted(UNIT_CHANGES, key=misfit)[:3]:
        moved = change.factor * reference.points + change.offset
        counts = reference.counts
        if change.factor < 0:
            moved, counts = moved[::-1], counts[::-1]
        if change.factor < 0 and not reference.is_exact:
            continue  # ranks cannot be turned around between points
        after = ks_distance(_ranked(moved, counts, reference, change.factor), current)
        if after <= min(near, distance / 3):
            return change
    return None


def _ranked(moved: np.ndarray, counts: np.ndarray, reference: QuantilePoints, factor: float) -> QuantilePoints:
    if factor > 0:
        return QuantilePoints(moved, reference.below, reference.upto)
    upto = counts.cumsum()
    return QuantilePoints(moved, upto - counts, upto)


def check_units(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return columns of numbers whose unit seems to have changed."""
    findings = []
    for name in columns:
        before, now = reference.columns[name], current.columns.get(name)
        if not isinstance(before, NumberSketch) or not isinstance(now, NumberSketch):
            continue
        sides, values = (before.values, now.values), "values"
        change = unit_change(*sides)
        if change is None and before.zeros and now.zeros:  # where most values are 0, the others are a small part
            sides, values = (before.values.without(0.0), now.values.without(0.0)), "values but 0"
            change = unit_change(*sides)
            change = None if change is not None and change.offset else change
        if change is None:
            continue
        medians = sides[0].quantiles(np.array([0.5]))[0], sides[1].quantiles(np.array([0.5]))[0]
        findings.append(
            Finding(
                "unit_changed",
                "alert",
                name,
                f"The unit of '{name}' seems to have changed: all {values} are {_in_words(change)} "
                f"(median {number_text(medians[0])} before, {number_text(medians[1])} now).",
                f"Check the unit ({change.words}), and convert the column where it changed.",
                {"factor": change.factor, "offset": change.offset},
            )
        )
    return findings


def _in_words(change: UnitChange) -> str:
    if change.factor == -1:
        return "of the other sign"
    parts = []
    if change.factor > 1:
        parts.append(f"{number_text(change.factor)} times as large")
    elif change.factor < 1:
        parts.append(f"{number_text(1 / change.factor)} times smaller")
    if change.offset:
        parts.append(f"{number_text(abs(change.offset))} {'more' if change.offset > 0 else 'less'}")
    return " and ".join(parts)

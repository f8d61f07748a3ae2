"""Columns as small codes: bins of numbers, frequent values, and missing cells as a value of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.cohorts.cells import as_numbers, as_texts, is_date, is_number
from core.cohorts.conditions import NumberCondition, ValueCondition

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CodedColumn", "encode_column", "short_threshold", "thresholds"]

_BINS = 100
_VALUES = 30
_MIN_VALUE_ROWS = 10
_DAY_S = 86_400.0


@dataclass(frozen=True)
class CodedColumn:
    """A column whose cells are codes.

    Parameters
    ----------
    name : str
        Name of the column.
    codes : array of int
        Code of each cell: bin or value, then one code for all other values, then one for missing cells.
    size : int
        Number of bins or named values.
    thresholds : tuple of float or None
        Smallest number of each bin but the first; None for a column of values.
    values : tuple of str
        Named values, the most frequent first.
    date : bool
        Whether the column holds dates.
    """

    name: str
    codes: NDArray[np.intp]
    size: int
    thresholds: tuple[float, ...] | None
    values: tuple[str, ...]
    date: bool

    @property
    def other(self) -> int:
        """Code of all other values."""
        return self.size

    @property
    def missing(self) -> int:
        """Code of missing cells."""
        return self.size + 1

    def condition(self, allowed: NDArray[np.bool_]) -> NumberCondition | ValueCondition:
        """Return the condition that holds for the codes that are allowed."""
        missing = bool(allowed[self.missing])
        if self.thresholds is None:
            if allowed[self.other]:
                excluded = tuple(self.values[code] for code in np.flatnonzero(~allowed[: self.size]))
                return ValueCondition(column=self.name, values=excluded, missing=not missing, negated=True)
            included = tuple(self.values[code] for code in np.flatnonzero(allowed[: self.size]))
            return ValueCondition(column=self.name, values=included, missing=missing)
        bins = np.flatnonzero(allowed[: self.size])
        if not len(bins):
            return ValueCondition(column=self.name, missing=True)
        first, last = int(bins[0]), int(bins[-1])
        if first == 0 and last == self.size - 1:
            return ValueCondition(column=self.name, missing=True, negated=True)
        return NumberCondition(
            column=self.name,
            low=None if first == 0 else self.thresholds[first - 1],
            high=None if last == self.size - 1 else self.thresholds[last],
            missing=missing,
            date=self.date,
        )


def encode_column(series: pd.Series, name: str) -> CodedColumn:
    """Return a column as codes."""
    if is_number(series):
        numbers = as_numbers(series)
        missing = np.isnan(numbers)
        date = is_date(series)
        cuts = thresholds(numbers[~missing], _BINS, date=date)
        codes = np.searchsorted(np.array(cuts), numbers, side="right").astype(np.intp)
        codes[missing] = len(cuts) + 2
        return CodedColumn(name, codes, len(cuts) + 1, cuts, (), date)
    raw, texts = as_texts(series)
    counts = np.bincount(raw[raw >= 0], minlength=len(texts))
    order = np.argsort(-counts, kind="stable")[:_VALUES]
    named = [int(code) for code in order if counts[code] >= _MIN_VALUE_ROWS]
    recoded = np.full(len(texts) + 1, len(named), dtype=np.intp)
    recoded[named] = np.arange(len(named))
    recoded[-1] = len(named) + 1
    return CodedColumn(name, recoded[raw], len(named), None, tuple(texts[code] for code in named), False)


def thresholds(numbers: NDArray[np.float64], bins: int, *, date: bool = False) -> tuple[float, ...]:
    """Return numbers of few digits that divide the values into about equally large bins.

    Parameters
    ----------
    numbers : array
        Values, none of them missing.
    bins : int
        Number of bins at most.
    date : bool, default=False
        Whether the values are seconds since 1970, to be divided between days where possible.

    Examples
    --------
    >>> thresholds(np.array([1.0, 2.0, 2.0, 3.0, 4.0]), 2)
    (2.0,)
    """
    values = np.sort(numbers)
    cuts: dict[float, None] = {}
    for position in np.unique(np.linspace(0, len(values), bins + 1).round().astype(int)[1:-1]):
        upper = values[position]
        below = int(np.searchsorted(values, upper, side="left"))
        if below > 0 and np.isfinite(upper):
            cuts[short_threshold(float(values[below - 1]), float(upper), date=date)] = None
    return tuple(cuts)


def short_threshold(below: float, upper: float, *, date: bool = False) -> float:
    """Return the number with the fewest digits that is above `below` and at most `upper`.

    Examples
    --------
    >>> short_threshold(24.0, 25.0), short_threshold(24.31, 24.92), short_threshold(870.0, 1203.0)
    (25.0, 24.9, 1000.0)
    """
    if date:
        day = math.floor(upper / _DAY_S) * _DAY_S
        return day if day > below else upper
    if not math.isfinite(below) or upper == 0:
        return upper
    largest = math.floor(math.log10(max(abs(below), abs(upper))))
    for decimals in range(-largest, 17 - largest):
        scale = 10.0 ** abs(decimals)
        candidate = math.floor(upper * scale) / scale if decimals >= 0 else math.floor(upper / scale) * scale
        if below < candidate <= upper:
            return candidate
    return upper

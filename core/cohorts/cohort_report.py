"""Results of a search for cohorts: candidates with their rows, errors and adjusted intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pydantic import JsonValue, TypeAdapter

from core.cohorts.conditions import Cohort
from core.cohorts.losses import LOSSES
from core.jsonable import jsonable

__all__ = ["CohortReport", "JudgedCohort"]


@dataclass(frozen=True)
class JudgedCohort:
    """A cohort on rows that were not used to find it.

    Parameters
    ----------
    cohort : Cohort
        The conditions.
    rows : int
        Rows of the cohort among those that it was judged on.
    error : float or None
        Mean loss of these rows; None where there are none.
    other_rows : int
        Rows outside of the cohort.
    other_error : float or None
        Mean loss of the rows outside.
    difference : float or None
        Mean loss inside minus outside.
    low, high : float or None
        Bounds of the difference; None where no interval can be had. All intervals of a report hold together.
    """

    cohort: Cohort
    rows: int
    error: float | None
    other_rows: int
    other_error: float | None
    difference: float | None
    low: float | None
    high: float | None

    @property
    def is_worse(self) -> bool:
        """Whether the interval shows that the loss is larger than elsewhere."""
        return self.low is not None and self.low > 0


@dataclass(frozen=True)
class CohortReport:
    """Cohorts that were found on one half of the rows and judged on the other.

    Parameters
    ----------
    cohorts : tuple of JudgedCohort
        All candidates, those that stand out first, then by the size of the difference.
    loss : str
        Name of the loss; a key of `LOSSES`, or a name for a loss of another kind.
    rows_found, rows_judged : int
        Rows that the cohorts were found on, and those that they were judged on.
    error : float
        Mean loss of the rows that they were judged on.
    confidence : float
        Probability with which all intervals hold together.
    min_rows : int
        Smallest number of rows of a cohort, in each half.
    detectable : float or None
        Difference that a cohort of 5% of the rows would need to stand out in nine of ten such tables; None where
        this share is below `min_rows`.
    columns : tuple of str
        Columns that were looked at.
    """

    cohorts: tuple[JudgedCohort, ...]
    loss: str
    rows_found: int
    rows_judged: int
    error: float
    confidence: float
    min_rows: int
    detectable: float | None
    columns: tuple[str, ...]

    @property
    def worse(self) -> tuple[JudgedCohort, ...]:
        """The cohorts whose interval shows a larger loss than elsewhere."""
        return tuple(item for item in self.cohorts if item.is_worse)

    @property
    def sentence(self) -> str:
        """The finding in a sentence."""
        if self.worse:
            first = self.worse[0]
            return f"Errors are surest among rows where {first.cohort.text}: {self.describe(first)}."
        return f"No group of rows stands out: {self._error_text(self.error, of='all rows')}{self._could_show}."

    @property
    def _could_show(self) -> str:
        if self.detectable is None:
            return f", and the rows are too few to judge small groups ({self.rows_judged:,} to judge by)"
        larger = self.error + self.detectable
        amount = f"about {larger:.0%} wrong" if self.loss == "wrong" else f"a mean of about {_short(larger)}"
        if self.loss == "wrong" and larger >= 1:
            return ", and so few rows do not show a group of 5% of them"
        return f". A group of 5% of the rows would show with {amount}"

    def describe(self, item: JudgedCohort) -> str:
        """Return the errors inside and outside of a cohort, with the interval of the difference."""
        if item.error is None or item.other_error is None:
            return f"{item.rows:,} rows, too few to judge"
        digits = 3 if item.low is None or item.high is None else _decimals(item.high - item.low)
        if item.low is None or item.high is None:
            interval = "no interval, because too few rows differ"
        elif self.loss == "wrong":
            interval = f"difference {100 * item.low:+.0f} to {100 * item.high:+.0f} points"
        else:
            interval = f"difference {item.low:+,.{digits}f} to {item.high:+,.{digits}f}"
        if self.loss == "wrong":
            inside = f"{item.error:.0%} of {item.rows:,} rows are wrong, {item.other_error:.0%} elsewhere"
        else:
            inside = f"the mean {self._title} of {item.rows:,} rows is {item.error:,.{digits}f}, "
            inside += f"{item.other_error:,.{digits}f} elsewhere"
        return f"{inside} [{interval}]".replace("-", "−")

    def _error_text(self, error: float, *, of: str) -> str:
        if self.loss == "wrong":
            return f"{error:.0%} of {of} are wrong"
        return f"the mean {self._title} of {of} is {_short(error)}"

    @property
    def _title(self) -> str:
        return LOSSES[self.loss].title.lower() if self.loss in LOSSES else self.loss

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the report as JSON-serializable values."""
        return dict(jsonable(_adapter().dump_python(self, mode="json")))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> CohortReport:
        """Read what `to_dict` wrote."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[CohortReport]:
    return TypeAdapter(CohortReport)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _decimals(width: float) -> int:
    """Return how many decimals are meaningful where an interval is this wide."""
    return min(6, max(0, 1 - math.floor(math.log10(width)))) if width > 0 else 3

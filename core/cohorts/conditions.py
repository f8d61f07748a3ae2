"""Cohorts as conditions on raw columns, in words and as masks of rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, JsonValue, TypeAdapter

from core.cohorts.cells import as_numbers, as_texts
from core.columns import require_columns
from core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Cohort", "Condition", "NumberCondition", "ValueCondition", "bound_text"]

_DAY_S = 86_400


@dataclass(frozen=True, kw_only=True)
class NumberCondition:
    """A range of a column of numbers or dates.

    Parameters
    ----------
    column : str
        Name of the column.
    low : float, optional
        Smallest number in the range; seconds since 1970 (UTC) for dates.
    high : float, optional
        Smallest number above the range.
    missing : bool, default=False
        Whether rows without a number belong to the cohort as well.
    date : bool, default=False
        Whether the column holds dates.
    """

    column: str
    low: Annotated[float, Field(allow_inf_nan=False)] | None = None
    high: Annotated[float, Field(allow_inf_nan=False)] | None = None
    missing: bool = False
    date: bool = False
    kind: Literal["number"] = "number"

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise InputError(f"The condition on '{self.column}' has no bound.", "Give a lower or an upper bound.")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise InputError(
                f"The condition on '{self.column}' holds for no number: at least {self.low} and below {self.high}.",
                "The lower bound must be below the upper bound.",
            )

    @property
    def text(self) -> str:
        """The condition in words."""
        words = f"'{self.column}' is {self.range_text}"
        return f"{words} or missing" if self.missing else words

    @property
    def range_text(self) -> str:
        """The range in words."""
        least, most = ("from", "before") if self.date else ("at least", "below")
        bounds = ((least, self.low), (most, self.high))
        return " and ".join(f"{word} {bound_text(bound, self.date)}" for word, bound in bounds if bound is not None)

    def mask(self, series: pd.Series) -> NDArray[np.bool_]:
        """Return for each cell whether the condition holds."""
        numbers = as_numbers(series)
        missing = np.isnan(numbers)
        inside = ~missing
        with np.errstate(invalid="ignore"):
            if self.low is not None:
                inside &= numbers >= self.low
            if self.high is not None:
                inside &= numbers < self.high
        return inside | missing if self.missing else inside


@dataclass(frozen=True, kw_only=True)
class ValueCondition:
    """A set of values of a column, or all but them.

    Parameters
    ----------
    column : str
        Name of the column.
    values : tuple of str, default=()
        Values as they are shown.
    missing : bool, default=False
        Whether missing cells are in the set.
    negated : bool, default=False
        Whether the cohort holds the rows outside of the set.
    """

    column: str
    values: tuple[str, ...] = ()
    missing: bool = False
    negated: bool = False
    kind: Literal["values"] = "values"

    def __post_init__(self) -> None:
        if not self.values and not self.missing:
            raise InputError(f"The condition on '{self.column}' names no value.", "Name one, or missing cells.")

    @property
    def text(self) -> str:
        """The condition in words."""
        options = [f"'{value}'" for value in self.values] + ["missing"] * self.missing
        listed = options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"
        return f"'{self.column}' is {'not ' if self.negated else ''}{listed}"

    def mask(self, series: pd.Series) -> NDArray[np.bool_]:
        """Return for each cell whether the condition holds."""
        codes, texts = as_texts(series)
        chosen = np.array([text in self.values for text in texts] + [self.missing], dtype=bool)
        inside = chosen[codes]  # a missing cell has the code -1, so the last entry
        return ~inside if self.negated else inside


Condition: TypeAlias = Annotated[NumberCondition | ValueCondition, Field(discriminator="kind")]


@dataclass(frozen=True)
class Cohort:
    """Rows for which all of these conditions hold.

    Parameters
    ----------
    conditions : tuple of NumberCondition or ValueCondition
        Conditions, one per column.

    Examples
    --------
    >>> import pandas as pd
    >>> young = NumberCondition(column="age", high=25.0)
    >>> tenants = ValueCondition(column="housing", values=("rent",))
    >>> cohort = Cohort((young, tenants))
    >>> cohort.text
    "'age' is below 25 and 'housing' is 'rent'"
    >>> cohort.mask(pd.DataFrame({"age": [22, 22, 40], "housing": ["rent", "own", "rent"]})).tolist()
    [True, False, False]
    """

    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.conditions:
            raise InputError("The cohort has no condition, so it would be all rows.", "Give at least one condition.")

    @property
    def text(self) -> str:
        """The conditions in words."""
        return " and ".join(condition.text for condition in self.conditions)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the conditions need."""
        return tuple(dict.fromkeys(condition.column for condition in self.conditions))

    def mask(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Return for each row of a table whether it belongs to the cohort.

        Parameters
        ----------
        frame : DataFrame
            Table with the cohort's columns.

        Raises
        ------
        InputError
            When the table lacks a column.
        """
        require_columns(frame.columns, self.columns)
        inside = np.ones(len(frame), dtype=bool)
        for condition in self.conditions:
            inside &= condition.mask(frame[condition.column])
        return inside

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the cohort as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> Cohort:
        """Read what `to_dict` wrote."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[Cohort]:
    return TypeAdapter(Cohort)


def bound_text(value: float, date: bool) -> str:
    """Return a bound of a range as it is shown.

    Examples
    --------
    >>> bound_text(-0.5, False), bound_text(0.0, True)
    ('−0.5', '1970-01-01')
    """
    if not date:
        plain = 1e-4 <= abs(value) < 1e16 or value == 0
        return (np.format_float_positional(value, trim="-") if plain else repr(value)).replace("-", "−")
    moment = datetime.fromtimestamp(value, tz=UTC)
    return f"{moment:%Y-%m-%d}" if value % _DAY_S == 0 else moment.isoformat(sep=" ").removesuffix("+00:00")

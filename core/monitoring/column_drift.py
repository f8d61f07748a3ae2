"""The result of a column's tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from core.jsonable import JsonObject, jsonable
from core.monitoring.outcomes import DriftOutcome

__all__ = ["STATES", "ColumnDrift", "ColumnState"]

ColumnState: TypeAlias = Literal["drifted", "not drifted", "not enough data", "not compared"]

STATES: tuple[ColumnState, ...] = ("drifted", "not drifted", "not enough data", "not compared")
"""What is known of a column after its tests."""


@dataclass(frozen=True, kw_only=True)
class ColumnDrift:
    """Whether a column's values, or how often they are missing, changed.

    Parameters
    ----------
    name : str
        Name of the column.
    type : str
        Type of the column: a key of `COLUMN_TYPES`.
    state : {"drifted", "not drifted", "not enough data", "not compared"}
        Result in short. A column with too few values can have drifted all the same, by its missing cells.
    reason : str
        Result in words.
    test : str or None
        Test of the values that shows most; None where there is none.
    statistic, p : float or None
        Statistic and p-value of this test, by itself.
    p_adjusted : float or None
        P-value of all tests of the column together (Bonferroni), adjusted over the columns (Benjamini, Hochberg).
    effect, effect_low, effect_high : float or None
        Size of the change, from 0 to 1, with an interval of 95%: Kolmogorov and Smirnov's distance, the total variation
        less what chance gives, or 2 AUC - 1.
    missing_p : float or None
        P-value of the test of missing cells, by itself; None where none is missing on either side.
    missing_effect : float or None
        Difference of the shares of missing cells.
    missing_reference, missing_current : float
        Shares of missing cells.
    n_reference, n_current : int
        Rows with a value.
    drifted : bool
        Whether a change of the values or of missing cells is both significant and large enough to matter.
    importance : float or None, default=None
        Importance of the column to the model, where it was given.
    outcomes : tuple of DriftOutcome, default=()
        All tests of the values.
    """

    name: str
    type: str
    state: ColumnState
    reason: str
    test: str | None
    statistic: float | None
    p: float | None
    p_adjusted: float | None
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    missing_p: float | None
    missing_effect: float | None
    missing_reference: float
    missing_current: float
    n_reference: int
    n_current: int
    drifted: bool
    importance: float | None = None
    outcomes: tuple[DriftOutcome, ...] = ()

    @property
    def size(self) -> float:
        """The larger of both effects, that of the values and that of missing cells; 0 where neither is known."""
        return max(self.effect or 0.0, self.missing_effect or 0.0)

    def to_dict(self) -> JsonObject:
        """Return the result as JSON-serializable values."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["outcomes"] = [outcome.to_dict() for outcome in self.outcomes]
        return dict(jsonable(values))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ColumnDrift:
        """Read what `to_dict` wrote."""
        outcomes = tuple(DriftOutcome.from_dict(outcome) for outcome in values["outcomes"])
        return cls(**{**values, "outcomes": outcomes})

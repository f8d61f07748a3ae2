"""Results of tests of a column."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.jsonable import JsonObject, jsonable
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.column_sketches import ColumnSketch

__all__ = ["MIN_ROWS", "DriftOutcome", "TestContext", "both_as", "too_few"]

S = TypeVar("S", bound=ColumnSketch)

MIN_ROWS = 50
"""Rows with a value that each side of a test needs; with fewer there is "not enough data"."""


@dataclass(frozen=True)
class TestContext:
    """What a test may need besides the two columns.

    Parameters
    ----------
    reference, current : BatchSketch
        Batches that are compared.
    seed : int, default=0
        Seed of the random number generator of permutations.
    """

    __test__ = False  # not a class of tests

    reference: BatchSketch
    current: BatchSketch
    seed: int = 0


@dataclass(frozen=True)
class DriftOutcome:
    """Result of one test of a column.

    Parameters
    ----------
    test : str
        Key of `DRIFT_TESTS`.
    statistic : float or None, default=None
        Test statistic.
    p : float or None, default=None
        P-value; None where the column is not tested, with the reason.
    effect : float or None, default=None
        Size of the change, from 0 to 1.
    low, high : float or None, default=None
        Bounds of an interval of 95% of the effect; None where there is none.
    reason : str, default=""
        Reason for a missing p-value.
    values : mapping, default={}
        Further numbers of the result, JSON-serializable.
    """

    test: str
    statistic: float | None = None
    p: float | None = None
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    values: JsonObject = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("statistic", "p", "effect", "low", "high"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, None if math.isnan(value) else float(value))

    def to_dict(self) -> JsonObject:
        """Return the outcome as JSON-serializable values."""
        return dict(jsonable(vars(self)))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DriftOutcome:
        """Read what `to_dict` wrote."""
        return cls(**values)


def too_few(test: str, reference: int, current: int) -> DriftOutcome | None:
    """Return the outcome where a side has too few rows with a value; None where both have enough.

    Examples
    --------
    >>> too_few("ks", 500, 49).reason
    'not enough data: 49 rows with a value in the batch, and 50 are needed'
    """
    if min(reference, current) >= MIN_ROWS:
        return None
    side, rows = ("the batch", current) if current <= reference else ("the reference", reference)
    return DriftOutcome(
        test, reason=f"not enough data: {rows:,} rows with a value in {side}, and {MIN_ROWS} are needed"
    )


def both_as(sketch_class: type[S], reference: ColumnSketch, current: ColumnSketch) -> tuple[S, S]:
    """Return both columns as a class of sketch.

    Raises
    ------
    TypeError
        When a test was chosen for columns that it is not for, which `compare` refuses before.
    """
    if isinstance(reference, sketch_class) and isinstance(current, sketch_class):
        return reference, current
    raise TypeError(f"The columns of '{reference.name}' are not both a {sketch_class.__name__}.")

"""Conditions in words and as masks, and the intervals of a cohort's difference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from core.cohorts import Cohort, NumberCondition, ValueCondition, judge_cohort
from core.errors import InputError

FRAME = pd.DataFrame(
    {
        "age": [20.0, 25.0, 40.0, None],
        "city": ["Bern", None, "Rome", "Oslo"],
        "since": pd.to_datetime(["2024-01-01T00", "2024-02-01T12", None, "2025-01-01T00"]),
        "code": [1.0, 2.0, np.nan, 2.0],
    }
)


@pytest.mark.parametrize(
    ("condition", "text", "rows"),
    [
        (NumberCondition(column="age", high=25.0), "'age' is below 25", [0]),
        (NumberCondition(column="age", low=25.0, missing=True), "'age' is at least 25 or missing", [1, 2, 3]),
        (NumberCondition(column="age", low=22.5, high=40.0), "'age' is at least 22.5 and below 40", [1]),
        (NumberCondition(column="since", low=1706745600.0, date=True), "'since' is from 2024-02-01", [1, 3]),
        (NumberCondition(column="since", high=1706788800.0, date=True), "'since' is before 2024-02-01 12:00:00", [0]),
        (ValueCondition(column="city", values=("Bern", "Oslo")), "'city' is 'Bern' or 'Oslo'", [0, 3]),
        (ValueCondition(column="city", missing=True), "'city' is missing", [1]),
        (ValueCondition(column="city", missing=True, negated=True), "'city' is not missing", [0, 2, 3]),
        (ValueCondition(column="city", values=("Bern",), negated=True), "'city' is not 'Bern'", [1, 2, 3]),
        (
            ValueCondition(column="city", values=("Bern", "Rome"), missing=True, negated=True),
            "'city' is not 'Bern', 'Rome' or missing",
            [3],
        ),
        (ValueCondition(column="code", values=("2",)), "'code' is '2'", [1, 3]),
    ],
)
def test_words_rows_and_json(condition: NumberCondition | ValueCondition, text: str, rows: list[int]) -> None:
    cohort = Cohort((condition,))
    assert cohort.text == text
    assert np.flatnonzero(cohort.mask(FRAME)).tolist() == rows
    assert Cohort.from_dict(cohort.to_dict()) == cohort


def test_conditions_that_hold_for_nothing_or_everything_are_refused() -> None:
    with pytest.raises(InputError, match="has no bound"):
        NumberCondition(column="age")
    with pytest.raises(InputError, match="holds for no number"):
        NumberCondition(column="age", low=3.0, high=3.0)
    with pytest.raises(InputError, match="names no value"):
        ValueCondition(column="city")
    with pytest.raises(InputError, match="no condition"):
        Cohort(())
    with pytest.raises(ValidationError):
        Cohort.from_dict({"conditions": [{"kind": "number", "column": "age", "low": float("nan")}]})
    with pytest.raises(InputError, match="no column 'aeg'"):
        Cohort((NumberCondition(column="aeg", low=1.0),)).mask(FRAME)


def _inside(n: int, count: int) -> tuple[pd.DataFrame, Cohort]:
    return pd.DataFrame({"x": np.arange(n)}), Cohort((NumberCondition(column="x", high=float(count)),))


def test_shares_have_newcombes_interval() -> None:
    frame, cohort = _inside(150, 70)
    loss = np.concatenate([np.arange(70) < 56, np.arange(80) < 48])
    item = judge_cohort(cohort, frame, loss)
    assert (item.low, item.high) == pytest.approx((0.0524, 0.3339), abs=1e-4)  # Newcombe 1998, Table II (a), method 10


def test_no_interval_where_there_is_nothing_to_go_by() -> None:
    frame, cohort = _inside(100, 7)
    assert judge_cohort(cohort, frame, np.arange(100.0)).low is None
    frame, cohort = _inside(100, 50)
    assert judge_cohort(cohort, frame, np.full(100, 2.5)).low is None
    identical = judge_cohort(cohort, frame, np.ones(100))
    assert identical.low < 0 < identical.high  # never of zero width
    frame, cohort = _inside(100, 0)
    assert judge_cohort(cohort, frame, np.arange(100.0)).error is None


@pytest.mark.parametrize("kind", ["normal", "exponential", "lognormal"])
def test_intervals_of_skewed_losses_hold(kind: str) -> None:
    random = np.random.default_rng(0)
    draw = {
        "normal": lambda n: random.normal(size=n),
        "exponential": lambda n: random.exponential(size=n) - 1,
        "lognormal": lambda n: random.lognormal(size=n) - np.exp(0.5),
    }[kind]
    frame, cohort = _inside(1_000, 100)
    items = [judge_cohort(cohort, frame, draw(1_000)) for _ in range(300)]
    assert all(item.low <= item.difference <= item.high for item in items)
    assert np.mean([item.low <= 0 <= item.high for item in items]) >= (0.90 if kind == "lognormal" else 0.93)
    assert np.mean([item.is_worse for item in items]) <= 0.045

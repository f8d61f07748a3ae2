"""Numbers as people read them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages._ui import numbers


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (59.4, "59 s"), (59.6, "1 min"), (60, "1 min"), (119.6, "2 min"), (3600, "1 h")],
)
def test_duration(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


def test_duration_of_nothing_is_a_dash() -> None:
    assert numbers.duration(None) == "–"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (250_000_000, "250 MB"), (7_000_000_000, "7.0 GB")],
)
def test_size(count: int, text: str) -> None:
    assert numbers.size(count) == text


def test_ago_counts_days() -> None:
    assert numbers.ago(time.time() - 3 * 86_400) == "3 d ago"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_an_estimate_that_is_not_there_is_a_dash(value: float | None) -> None:
    assert numbers.estimate(value) == "–"


def _read(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e4))
def test_an_estimate_lies_in_its_interval_as_written(value: float, half: float) -> None:
    text = numbers.interval(value - half, value + half)
    low, high = (_read(part) for part in text.strip("[]").split(", "))
    written = _read(numbers.estimate(value, value - half, value + half))
    assert low <= written <= high


def test_changes_and_shares_have_the_true_minus_sign() -> None:
    assert numbers.signed(-0.25, ".2f") == "−0.25"
    assert numbers.percent(-0.03) == "−3.0%"
    assert numbers.rounded(-12.0) == "−12"
    assert numbers.interval(-0.2, 0.1) == "[−0.20, 0.10]"

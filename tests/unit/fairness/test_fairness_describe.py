"""What is said of compared mitigations."""

from __future__ import annotations

import pandas as pd
import pytest

from core.fairness import describe_techniques


def compared(unmitigated: tuple[float, float, float], best: tuple[float, float, float]) -> pd.DataFrame:
    rows = [
        {"technique": name, "accuracy": 0.8, "disparity": value, "disparity_low": low, "disparity_high": high}
        for name, (value, low, high) in (("unmitigated", unmitigated), ("reweighing", best))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("unmitigated", "best", "doubted"),
    [
        ((0.2, 0.15, 0.25), (0.05, 0.01, 0.1), False),
        ((0.1, -0.01, 0.26), (0.001, -0.15, 0.09), True),
        ((0.2, 0.15, 0.25), (0.05, None, None), True),
    ],
)
def test_a_smaller_difference_is_doubted_unless_intervals_lie_apart(unmitigated, best, doubted) -> None:
    said = describe_techniques(compared(unmitigated, best), 0.02)
    assert said.startswith("Reweighing brings the difference from")
    assert ("it may be chance" in said) == doubted


def test_without_intervals_it_is_doubted_too() -> None:
    table = compared((0.2, 0.1, 0.3), (0.0, 0.0, 0.05))[["technique", "accuracy", "disparity"]]
    assert "it may be chance" in describe_techniques(table, 0.02)


def test_none_is_better() -> None:
    table = compared((0.01, 0.0, 0.02), (0.05, 0.0, 0.1))
    assert describe_techniques(table, 0.02) == (
        "No technique made the difference smaller, which was within the 2 points allowed."
    )

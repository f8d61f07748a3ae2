"""Numbers that were read as text are noticed; codes are not."""

from __future__ import annotations

import pandas as pd
import pytest

from core.datasets import Finding, check


def finding(values: list) -> Finding:
    frame = pd.DataFrame({"x": pd.Series(values, dtype=object), "y": range(len(values))})
    (result,) = [item for item in check(frame, "y") if item.check == "numbers_as_text"]
    return result


@pytest.mark.parametrize(
    "values",
    [
        ["$1,200.50", "$80", "$3", "$7"],
        ["1.100,50 €", "3,20 €", "7 €"],
        ["10.5%", "3%", "20 %"],
        ["(100)", "20", "-3"],
        ["12 km", "7 km", "1 200 km"],
        ["1", "2", "3", "4", "x"],
        ["−5", "3", "1'000"],
    ],
)
def test_numbers_are_noticed(values: list) -> None:
    result = finding(values * 10)
    assert (result.level, result.column) == ("notice", "x")
    assert repr(values[0]) in result.message


@pytest.mark.parametrize(
    "values",
    [
        ["00123", "04567", "08901"],
        ["+491701234567", "+431234567", "+33612345678"],
        ["A1", "A2", "B3"],
        ["1-2", "3-4", "5-6"],
        ["12345678901234567", "22345678901234567", "32345678901234567"],
        ["1", "2", "x", "y"],
        ["2024-01-31", "2024-02-01", "2024-02-03"],
        ["yes", "no", None],
        [None, None, None],
    ],
)
def test_codes_and_words_are_not(values: list) -> None:
    assert finding(values * 10).level == "passed"

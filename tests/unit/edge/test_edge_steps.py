"""Steps on cells of text, without DuckDB, do what the product does; what they cannot is refused by name."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from core.datasets import Recipe, Replay, apply_recipe
from core.datasets.prepare import FUNCTIONS as SQL_FUNCTIONS
from core.edge.portable.expressions import FUNCTIONS
from core.edge.portable.steps import UnsupportedStepError, apply, check

RANDOM = np.random.default_rng(0)
ROWS = 400
RAW = pd.DataFrame(
    {
        "plan": RANDOM.choice(["DSL", "dsl", "Fiber optic", None], ROWS),
        "fee": RANDOM.choice(
            ["$1,200.50", "$80", "(£3)".replace("£", "$"), "-$7.25", "$1,000,000", "on request", None], ROWS
        ),
        "since": RANDOM.choice(["31.01.2024", "28.02.2023", "1.3.2022", None, "soon"], ROWS),
        "age": RANDOM.choice([18.0, 33.5, 70.0, np.nan], ROWS),
        "rooms": RANDOM.integers(-3, 9, ROWS),
        "pair": RANDOM.choice(["a-b-c", "a", "-", "x - y", None], ROWS),
        "word": RANDOM.choice(["one two", " trim ", "äöü ß", "12", "1e3", None], ROWS),
        "flag": RANDOM.choice([True, False], ROWS),
        "day": pd.to_datetime(RANDOM.choice(["2024-02-29", "2023-12-31", "2020-01-01"], ROWS)).date,
    }
)
DERIVED = {
    "a": "age * 2 + rooms",
    "b": "rooms / (rooms - 2)",
    "c": "-7 // rooms",
    "d": "rooms % 3",
    "e": "rooms ** 3 if age > 20 else None",
    "f": "(rooms - 4) ** 0.5",
    "g": "rooms in [1, 2, 3] and not flag or age < 20",
    "h": "bins(age, [20, 50.5])",
    "i": "if_else(is_missing(age), -1, round(age * 1.15, 1))",
    "j": "quarter(day) * 10 + weekday(day)",
    "k": "day - date('2020-01-01')",
    "l": "day > '2023-12-31' or day == '2020-01-01'",
    "m": "words(word) + length(word)",
    "n": "concat(trim(word), '!', replace(word, 'e', ''))",
    "o": "number(word)",
    "p": "min(age, rooms, 25) - max(age, 1)",
    "q": "coalesce(age, rooms)",
    "r": "text(age)",
    "s": "sqrt(rooms) + log(rooms) + log10(abs(rooms) + 1) + exp(rooms)",
    "t": "clip(rooms, 0, 5) * 9223372036854775807",
    "u": "1 < rooms <= 5",
    "v": "starts_with(word, 'o') or ends_with(word, '2') or contains(word, 'ö')",
    "w": "floor(age) - ceil(age) + year(day + rooms) + month(day) + day(day) + hour(day) + minute(day)",
    "x": "days_between(day, date('2024-01-01'))",
    "y": "plan == 'DSL'",
}
STEPS = [
    {"step": "merge", "column": "plan", "values": {"dsl": "DSL"}},
    {"step": "fill", "column": "plan", "how": "value", "value": "none"},
    {"step": "change_type", "column": "fee", "type": "number"},
    {"step": "change_type", "column": "since", "type": "date"},
    {"step": "split", "column": "pair", "separator": "-", "into": ["first", "second"]},
    {"step": "replace", "column": "rooms", "find": "3", "replacement": "33"},
    {"step": "replace", "column": "word", "find": "o", "replacement": "0", "part": True},
    *({"step": "derive", "column": f"new {name}", "expression": text} for name, text in DERIVED.items()),
    {"step": "derive", "column": "new z", "expression": "fee / 3 + year(since)"},
    {"step": "rename", "column": "fee", "to": "Monthly fee"},
    {"step": "drop", "columns": ["flag"]},
]


def cells_of(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return a frame as the cells of a CSV file."""
    return {
        name: [
            "" if pd.isna(value) else str(value).lower() if isinstance(value, bool) else str(value) for value in column
        ]
        for name, column in frame.items()
    }


def test_every_step_gives_what_the_product_gives() -> None:
    whole = apply_recipe(RAW, Recipe(STEPS))
    types = {"age": "DOUBLE", "rooms": "BIGINT", "flag": "BOOLEAN", "day": "DATE"}
    replay = Replay(whole.fitted, {name: types.get(name, "VARCHAR") for name in RAW})
    described = replay.described()
    check(described["steps"])
    result = apply(cells_of(RAW), described)
    expected = whole.frame
    assert set(result) == set(expected)
    for name, column in expected.items():
        for row, (cell, value) in enumerate(zip(result[name], column, strict=True)):
            if pd.isna(value):
                assert cell == "", (name, row, cell)
            elif isinstance(value, bool | np.bool_):
                assert cell == str(bool(value)).lower(), (name, row)
            elif isinstance(value, float | int | np.number):
                assert float(cell) == pytest.approx(float(value), rel=1e-12), (name, row)
            elif isinstance(value, pd.Timestamp):
                assert pd.Timestamp(cell) == value, (name, row)
            else:
                assert cell == value, (name, row)


def test_the_functions_are_a_part_of_the_product_s() -> None:
    assert set(FUNCTIONS) <= set(SQL_FUNCTIONS)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (
            {"step": "derive", "column": "x", "expression": "length(extract(word, '1'))"},
            "the function 'extract'",
        ),
        ({"step": "derive", "column": "x", "expression": "lower(word)"}, "the function 'lower'"),
        ({"step": "change_type", "column": "x", "type": "boolean"}, "the type 'boolean'"),
        ({"step": "filter", "condition": "x > 1"}, "a step of the kind 'filter'"),
    ],
)
def test_what_is_not_possible_is_named(step: dict, reason: str) -> None:
    with pytest.raises(UnsupportedStepError, match=reason):
        check([{"step": "drop", "columns": ["a"]}, step])


@pytest.mark.parametrize("value", [0.5, 1.5, 2.5, -0.5, -2.5, 0.49999999999999994, 1e15 + 0.5])
def test_halves_are_rounded_away_from_zero(value: float) -> None:
    whole = math.floor(abs(value)) + (abs(value) - math.floor(abs(value)) >= 0.5)
    assert FUNCTIONS["round"](value) == math.copysign(whole, value)

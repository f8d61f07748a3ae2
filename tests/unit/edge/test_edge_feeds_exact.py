"""The straight way from cells to inputs against the one of the training, on whatever a column may hold."""

import datetime
import decimal
import warnings

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from core.edge import Column, table_feeds
from core.errors import InputError
from core.features import as_categories, as_dates, as_numbers, as_seconds

MISSING = st.sampled_from([None, np.nan, pd.NA, pd.NaT, np.float64("nan"), decimal.Decimal("NaN")])
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5) | st.sampled_from(["NA", "nan", "(missing)", "1"])
ODD = st.sampled_from(
    [
        b"ab",
        np.str_("np"),
        5,
        1.5,
        True,
        np.int8(3),
        np.float32(1.1),
        np.bool_(True),
        1e300,
        -np.inf,
        10**30,
        datetime.date(2024, 1, 2),
        pd.Timestamp("2024-01-02"),
        decimal.Decimal("1.10"),
        (1, 2),
        2**63,
    ]
)
NUMBERS = st.floats(width=64) | st.sampled_from([3.4028234663852886e38, 3.4028235677973366e38, -0.0, 5e-324])
WHOLE = st.sampled_from(["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])


@st.composite
def number_cells(draw):
    """Return cells that hold numbers, in one of the types that a table may have."""
    kind = draw(st.sampled_from(["float", "narrow", "whole", "bool", "masked", "object", "text"]))
    if kind == "float":
        return pd.Series(draw(st.lists(NUMBERS, min_size=1, max_size=4)), dtype="float64")
    if kind == "narrow":
        size = draw(st.sampled_from([16, 32]))
        return pd.Series(draw(st.lists(st.floats(width=size), min_size=1, max_size=4)), dtype=f"float{size}")
    if kind == "whole":
        bounds = np.iinfo(draw(WHOLE))
        values = draw(st.lists(st.integers(int(bounds.min), int(bounds.max)), min_size=1, max_size=4))
        return pd.Series(np.array(values, dtype=bounds.dtype))
    if kind == "bool":
        return pd.Series(draw(st.lists(st.booleans(), min_size=1, max_size=4)))
    if kind == "masked":
        dtype = draw(st.sampled_from(["Int64", "boolean", "Float64"]))
        return pd.Series(draw(st.lists(st.sampled_from([0, 1, None]), min_size=1, max_size=4)), dtype=dtype)
    cells = draw(st.lists(MISSING | ODD | st.sampled_from(["5", "five", ""]), min_size=1, max_size=4))
    return pd.Series(cells, dtype=object)


@st.composite
def category_cells(draw):
    """Return cells that hold words and other things, as text, objects or categories."""
    words = draw(st.lists(WORDS | st.none(), min_size=1, max_size=5))
    kind = draw(st.sampled_from(["str", "string", "category", "object", "mixed"]))
    if kind == "mixed":
        return pd.Series(draw(st.lists(WORDS | MISSING | ODD, min_size=1, max_size=5)), dtype=object)
    return pd.Series(words, dtype=object if kind == "object" else kind)


@st.composite
def date_cells(draw):
    """Return cells that hold moments, of any unit and with or without a zone."""
    moments = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))
    cells = pd.Series(draw(st.lists(moments | st.none(), min_size=1, max_size=4)), dtype="datetime64[us]")
    cells = cells.dt.as_unit(draw(st.sampled_from(["s", "ms", "us", "ns"])))
    zone = draw(st.sampled_from([None, "UTC", "Asia/Kolkata"]))
    return cells if zone is None else cells.dt.tz_localize(zone)


def outcome(work):
    """Return what a function answers, or which error it ends in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NumPy, about odd objects
        try:
            return work().tolist()
        except (InputError, TypeError, ValueError, OverflowError) as error:
            return type(error).__name__


def feed(cells, kind):
    return table_feeds(pd.DataFrame({"x": cells}), [Column("x", kind, "in")])["in"]


@settings(max_examples=300, deadline=None)
@given(number_cells())
def test_numbers_are_those_of_the_training(cells):
    ours = outcome(lambda: feed(cells, "number")[:, 0])
    theirs = outcome(lambda: as_numbers("x", cells))
    assert ours == theirs or np.array_equal(ours, theirs, equal_nan=True)


@settings(max_examples=300, deadline=None)
@given(category_cells())
def test_categories_are_those_of_the_training(cells):
    before = cells.copy()
    assert outcome(lambda: feed(cells, "category")[:, 0]) == outcome(lambda: as_categories(cells))
    assert cells.map(repr).tolist() == before.map(repr).tolist()  # what was missing is not written into the table


@settings(max_examples=200, deadline=None)
@given(date_cells())
def test_dates_are_those_of_the_training(cells):
    assert feed(cells, "date")[:, 0].tolist() == as_seconds(as_dates(cells)).tolist()

"""New rows made what training rows were: each way to differ is counted, and nothing is guessed."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.models import ColumnReport, Field
from core.models._intake import read_rows
from core.models.file_summary import ExpectedCounts

AGE = Field("age", "number", minimum=18, maximum=70, integer=True, missing=0, rows=9)
JOB = Field("job", "category", choices=("cook", "1", "2"), missing=1, rows=9)
DAY = Field("day", "date", minimum="2020-01-01T00:00:00", maximum="2021-01-01T00:00:00")
OLD = Field("old", "boolean")


def take(field, values, dtype=None):
    series = values if isinstance(values, pd.Series) else pd.Series(values, dtype=dtype)
    frame, (report,) = read_rows(series.rename(field.name).to_frame(), [field])
    return frame[field.name], report


@pytest.mark.parametrize(
    ("values", "read", "unreadable", "outside", "given_type"),
    [
        ([20, 71, 17], [20, 71, 17], 0, 2, ""),
        ([20.5, None], [20.5, None], 0, 0, ""),
        (["20", " 30 ", "4o", None], [20, 30, None, None], 1, 0, "text"),
        ([20.0, np.inf, 1e300], [20, None, None], 2, 0, ""),
        ([True, False], [1, 0], 0, 2, "true and false"),
        (pd.to_datetime(["2020-01-01"]).to_series(), [None], 1, 0, "dates"),
        ([None, None], [None, None], 0, 0, ""),
        (["", "20"], [None, 20], 1, 0, "text"),
    ],
)
def test_numbers(values, read, unreadable, outside, given_type):
    column, report = take(AGE, values)
    assert [None if pd.isna(value) else value for value in column] == read
    assert (report.unreadable, report.outside, report.given) == (unreadable, outside, given_type)


def test_whole_numbers_stay_whole_beside_missing_ones():
    assert take(AGE, [20, 30])[0].dtype == "int64"
    assert take(AGE, [20.0, None])[0].dtype == "Int64"
    assert take(Field("age", "number", integer=True, missing=3, rows=9), [20.0, None])[0].dtype == "float64"


@pytest.mark.parametrize(
    ("values", "read", "unseen", "given_type"),
    [
        (["cook", "Cook", "clerk", None], ["cook", "Cook", "clerk", None], 2, ""),
        ([1, 2, 3], ["1", "2", "3"], 1, "numbers"),
        ([1.0, None], ["1", None], 0, "numbers"),
        ([1.5], ["1.5"], 1, "numbers"),
        (pd.Series(["cook", None], dtype="category"), ["cook", None], 0, ""),
    ],
)
def test_categories(values, read, unseen, given_type):
    column, report = take(JOB, values)
    assert [None if pd.isna(value) else value for value in column] == read
    assert (report.unseen, report.given) == (unseen, given_type)
    if unseen == 2:
        assert set(report.unseen_examples) == {"Cook", "clerk"}


@pytest.mark.parametrize(
    ("values", "read", "unreadable", "outside"),
    [
        (["2020-05-01", "2022-01-01T12:00:00+01:00"], ["2020-05-01", "2022-01-01T11:00"], 0, 1),
        (["01/02/2020", "May 2020", "2020-05-01"], [None, None, "2020-05-01"], 2, 0),
        ([dt.date(2020, 5, 1), None], ["2020-05-01", None], 0, 0),
        ([1588291200], [None], 1, 0),
        (pd.Series(pd.to_datetime(["2019-12-31 23:30"])).dt.tz_localize("UTC"), ["2019-12-31T23:30"], 0, 1),
    ],
)
def test_dates(values, read, unreadable, outside):
    column, report = take(DAY, values)
    expected = [None if value is None else pd.Timestamp(value, tz="UTC") for value in read]
    assert [None if pd.isna(value) else value for value in column] == expected
    assert (report.unreadable, report.outside) == (unreadable, outside)


@pytest.mark.parametrize(
    ("values", "read", "unreadable"),
    [
        ([True, False], [True, False], 0),
        (["TRUE", "no", None], [True, None, None], 1),
        ([1, 0, 2], [True, False, None], 1),
        ([1.0, None], [True, None], 0),
    ],
)
def test_booleans(values, read, unreadable):
    column, report = take(OLD, values)
    assert [None if pd.isna(value) else bool(value) for value in column] == read
    assert report.unreadable == unreadable


def test_what_is_said():
    _, report = take(AGE, ["20", "x", "99", None])
    messages = {finding.check: finding.message for finding in report.findings(AGE)}
    assert messages == {
        "changed_type": "'age' held numbers in training and holds text now.",
        "unreadable": "'age': 1 of 4 cells cannot be read as numbers and count as missing ('x').",
        "outside": "'age': 1 of 4 cells are outside the range of training, 18 to 70.",
        "missing": "'age': 1 of 4 cells are missing; in training none was.",
    }
    _, report = take(JOB, ["cook", "cook"])
    assert report.findings(JOB) == []
    unknown = Field("job", "category", choices=("cook",), complete=False)
    (finding,) = take(unknown, ["new"])[1].findings(unknown)
    assert (finding.check, report.unseen) == ("many_values", 0)


def test_tables_that_cannot_be_scored():
    frame = pd.DataFrame({"age": [1], "other": [2]})
    with pytest.raises(InputError, match=r"no column 'job'\.") as caught:
        read_rows(frame, [AGE, JOB])
    assert "'age', 'job'" in caught.value.hint
    many = [Field(f"c{index}", "number") for index in range(8)]
    with pytest.raises(InputError, match=r"no column 'c0', .*'c4' and 3 more\."):
        read_rows(frame, many)
    with pytest.raises(InputError, match="has no rows"):
        read_rows(frame.head(0), [AGE])
    with pytest.raises(InputError, match="several columns 'age'"):
        read_rows(pd.concat([frame, frame], axis=1), [AGE])


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.integers(0, 99), st.sampled_from(["x", "7", "cook"])), min_size=2),
    st.integers(1, 50),
)
def test_reports_of_parts_sum_to_that_of_the_whole(values, cut):
    column = pd.Series(values, dtype=object)
    parts = [part for part in (column[:cut], column[cut:]) if len(part)]
    for field in (AGE, JOB):
        whole = take(field, column)[1]
        joined = ColumnReport(field.name)
        for part in parts:
            joined += take(field, part)[1]
        for name in ("rows", "missing", "unseen", "outside"):
            assert getattr(joined, name) == getattr(whole, name)
        assert joined.unreadable == whole.unreadable


@pytest.mark.parametrize(
    ("missing", "rows", "stated"),
    [(9, 100, False), (90, 1_000, False), (16, 100, True), (160, 1_000, True), (1, 3, False), (0, 100, False)],
)
def test_missing_cells_are_judged_by_the_share_of_training(missing, rows, stated):
    field = Field("age", "number", missing=66, rows=1_000)
    (report,) = read_rows(pd.DataFrame({"age": [None] * missing + [1.0] * (rows - missing)}), [field])[1]
    messages = [finding.message for finding in report.findings(field)]
    assert bool(messages) == stated == report.differs
    if stated:
        assert messages == [f"'age': {missing} of {rows:,} cells are missing ({missing / rows:.1%}, in training 6.6%)."]


def test_expected_counts_hold_what_happens():
    """In 200 files of 300 rows each, the interval has the number of hits about as often as it says."""
    random = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        counts = ExpectedCounts(["no", "yes"])
        chance = random.beta(1, 4, 300)
        counts.add(np.column_stack([1 - chance, chance]))
        estimate = counts.estimates(None)["yes"]
        held += estimate.low <= (random.random(300) < chance).sum() <= estimate.high
    assert 180 <= held <= 198

"""From raw frames to a graph's inputs: as the encoder of the training treats each cell."""

import numpy as np
import pandas as pd
import pytest

from core.edge import Column, table_feeds
from core.errors import InputError
from core.features import NO_DATE, TableEncoder
from tests.unit.edge.edge_models import odd_table

COLUMNS = (
    Column("n", "number", "n"),
    Column("b", "boolean", "b"),
    Column("c", "category", "c"),
    Column("d", "date", "d"),
)


def test_each_kind_has_its_type_and_its_way_to_say_missing():
    frame = pd.DataFrame(
        {
            "d": [pd.Timestamp("1970-01-02"), pd.NaT, pd.Timestamp("1969-12-31T23:59:59.9")],
            "c": ["x", None, "(missing)"],
            "other": [1, 2, 3],
            "b": pd.array([True, None, False], dtype="boolean"),
            "n": [1e39, np.nan, -np.inf],
        }
    )
    feeds = table_feeds(frame, COLUMNS)
    assert {name: (values.dtype.str, values.shape) for name, values in feeds.items()} == {
        "n": ("<f4", (3, 1)),
        "b": ("<f4", (3, 1)),
        "c": ("|O", (3, 1)),
        "d": ("<i8", (3, 1)),
    }
    assert np.isnan(feeds["n"]).all()
    assert np.array_equal(feeds["b"][:, 0], [1, np.nan, 0], equal_nan=True)
    assert feeds["c"][:, 0].tolist() == ["x", "(missing)", "(missing)"]
    assert feeds["d"][:, 0].tolist() == [86_400, NO_DATE, -1]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_dates_are_seconds_of_utc_whatever_their_unit_and_zone(zone, unit):
    moments = pd.Series(pd.to_datetime(["1905-06-07T08:09:10", "2024-03-31T01:30:00"])).dt.as_unit(unit)
    expected = [int((moment - pd.Timestamp(0)).total_seconds()) for moment in moments]
    there = pd.DataFrame({"d": moments.dt.tz_localize("UTC").dt.tz_convert(zone)})
    assert table_feeds(there, COLUMNS[3:])["d"][:, 0].tolist() == expected
    assert table_feeds(pd.DataFrame({"d": moments}), COLUMNS[3:])["d"][:, 0].tolist() == expected


def test_cells_are_those_of_the_encoder():
    frame = odd_table()
    encoder = TableEncoder().fit(frame)
    typed = encoder._typed(frame)
    columns = [Column(name, kind, name or "empty") for name, kind in zip(encoder.columns_, encoder.kinds_, strict=True)]
    feeds = table_feeds(frame[frame.columns[::-1]].assign(more=1), columns)
    for column in columns:
        values = feeds[column.input][:, 0]
        if column.kind == "date":
            centered = (values - np.int64(encoder.centers_.get(column.name, 0))).astype(np.float32)
            epoch = np.where(values == NO_DATE, np.nan, centered)
            assert np.array_equal(epoch, typed[f"{column.name}: epoch"], equal_nan=True)
        elif column.kind == "category":
            assert values.tolist() == typed[column.name].tolist()
        else:
            assert np.array_equal(values, typed[column.name], equal_nan=True)


def test_what_is_absent_or_no_number_is_named():
    frame = pd.DataFrame({"n": ["one"], "b": [True], "c": ["x"]})
    with pytest.raises(InputError, match="no column 'd'"):
        table_feeds(frame, COLUMNS)
    with pytest.raises(InputError, match="'n' was numeric in training"):
        table_feeds(frame, COLUMNS[:3])


def test_a_column_of_another_kind_or_twice_is_named():
    frame = pd.DataFrame({"d": ["soon", None]})
    for wrong, cell in (
        (frame, "'soon'"),
        (pd.DataFrame({"d": [2024, 2025]}), "2024"),
        (pd.DataFrame({"d": [None, True]}, dtype="boolean"), "True"),
    ):
        with pytest.raises(InputError, match=f"'d' was a date in training and now holds {cell}"):
            table_feeds(wrong, COLUMNS[3:])
    twice = pd.concat([frame, frame], axis=1)
    with pytest.raises(InputError, match="has the column 'd' 2 times"):
        table_feeds(twice, COLUMNS[3:])
    with pytest.raises(InputError, match="Rows are given as list"):
        table_feeds([{"d": "2024-01-01"}], COLUMNS[3:])


def test_a_date_that_is_none_among_others_is_missing():
    feeds = table_feeds(pd.DataFrame({"d": ["1970-01-02", "soon", None]}), COLUMNS[3:])["d"]
    assert feeds[:, 0].tolist() == [86_400, NO_DATE, NO_DATE]
    empty = table_feeds(pd.DataFrame({"d": [np.nan, np.nan]}), COLUMNS[3:])["d"]
    assert empty[:, 0].tolist() == [NO_DATE, NO_DATE]

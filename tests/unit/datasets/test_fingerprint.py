"""The fingerprint follows values, types and order, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import fingerprint, read_table

BASE = pd.DataFrame(
    {
        "whole": [1, 2, 3],
        "gaps": [1.0, None, 3.0],
        "real": [0.5, -1.5, 2.0],
        "text": ["a", None, ""],
        "flag": [True, False, True],
        "when": pd.to_datetime(["2020-01-01", None, "2020-01-03"]),
        "group": pd.Categorical(["x", "y", "x"]),
    }
)


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [
        ("whole", 0, 7),
        ("gaps", 1, 0.0),
        ("gaps", 0, np.nan),
        ("real", 2, np.nextafter(2.0, 3.0)),
        ("text", 1, ""),
        ("text", 2, None),
        ("text", 0, "a "),
        ("flag", 0, False),
        ("when", 0, pd.Timestamp("2020-01-01 00:00:00.000001")),
        ("when", 1, pd.Timestamp("1970-01-01")),
        ("group", 1, "x"),
    ],
)
def test_any_changed_cell_changes_it(column: str, row: int, value: object) -> None:
    changed = BASE.copy()
    changed.loc[row, column] = value
    assert fingerprint(changed) != fingerprint(BASE)


def test_names_types_and_orders_count() -> None:
    others = [
        BASE.rename(columns={"whole": "Whole"}),
        BASE[list(reversed(BASE.columns))],
        BASE.iloc[::-1],
        BASE.iloc[:2],
        BASE.drop(columns="real"),
        BASE.assign(whole=BASE["whole"].astype(str)),
        BASE.assign(whole=BASE["whole"].astype(float)),
        BASE.assign(flag=BASE["flag"].astype(int)),
        BASE.assign(when=BASE["when"].dt.tz_localize("UTC")),
    ]
    prints = {fingerprint(frame) for frame in [BASE, *others]}
    assert len(prints) == len(others) + 1


def test_what_holds_the_values_does_not_count(tmp_path: Path) -> None:
    same = [
        BASE.set_index(np.array([9, 8, 7])),
        BASE.assign(whole=BASE["whole"].astype("int8")),
        BASE.assign(whole=BASE["whole"].astype("Int64")),
        BASE.assign(gaps=pd.array([1, None, 3], dtype="Int64")),
        BASE.assign(text=BASE["text"].astype(object)),
        BASE.assign(group=["x", "y", "x"]),
        BASE.assign(when=BASE["when"].astype("datetime64[ns]")),
        BASE.assign(flag=BASE["flag"].astype(object)),
    ]
    assert {fingerprint(frame) for frame in same} == {fingerprint(BASE)}
    for size, compression in ((1, "zstd"), (2, "none"), (3, "snappy")):
        pq.write_table(pa.Table.from_pandas(BASE), tmp_path / "t", row_group_size=size, compression=compression)
        assert fingerprint(tmp_path / "t") == fingerprint(BASE)


def test_columns_of_a_file_are_told_apart_by_any_name(tmp_path: Path) -> None:
    """Names that look like paths of nested columns, more columns than threads, and many sizes."""
    names = ["a", "a.b", "a.b.c", "b", "", "list.element", *(f"c{i}" for i in range(20))]
    frame = pd.DataFrame({name: ["x" * i, None, str(i)] for i, name in enumerate(names)})
    frame.to_parquet(tmp_path / "t")
    assert fingerprint(tmp_path / "t") == fingerprint(frame)
    assert fingerprint(tmp_path / "t") != fingerprint(frame.rename(columns={"a": "b", "b": "a"}))


def test_zero_has_one_sign_and_missing_one_marker() -> None:
    def one(values: object) -> str:
        return fingerprint(pd.DataFrame({"x": values}))

    assert one([0.0, 1.5]) == one([-0.0, 1.5])
    assert one(np.array([np.nan, 1.5])) == one(np.array([-np.nan, 1.5])) == one([None, 1.5])
    assert one([2**53, 2**53 + 1]) != one([2**53, 2**53])
    assert one(np.array([2**64 - 1], dtype="u8")) != one([-1])
    assert one(["ab", "c"]) != one(["a", "bc"])
    assert one([None, "a"]) != one(["a", None])
    assert one(pd.to_datetime([1, 2], unit="ns")) != one(pd.to_datetime([1, 3], unit="ns"))


def test_a_read_table_has_it_whatever_the_file(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "big": pd.array([2**60 + 1, None, 3, 4], dtype="Int64"),
            "gaps": [1, None, 3, 4],
            "share": [0.1, None, -0.0, 1e300],
            "ok": pd.array([True, None, False, True], dtype="boolean"),
            "day": pd.to_datetime(["2020-01-02", None, "2021-01-01", "2022-01-01"]),
            "text": ["ä, b", None, "x\ny", "z"],
        }
    )
    frame.to_csv(tmp_path / "one.csv", index=False)
    frame.to_csv(tmp_path / "other.txt", index=False, sep="\t", encoding="utf-16")
    frame.to_parquet(tmp_path / "t.parquet")
    tables = [
        read_table(tmp_path / name, workdir=tmp_path / name.replace(".", "-"))
        for name in ("one.csv", "other.txt", "t.parquet")
    ]
    assert {table.fingerprint for table in tables} == {fingerprint(frame)}
    assert {fingerprint(table.frame) for table in tables} == {fingerprint(frame)}
    assert {fingerprint(table.path) for table in tables} == {fingerprint(frame)}


_CELLS = {
    "i": st.one_of(st.none(), st.integers(-(2**52), 2**52)),
    "f": st.one_of(st.none(), st.floats(allow_nan=False)),
    "t": st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=5)),
    "b": st.one_of(st.none(), st.booleans()),
}


@settings(max_examples=150, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(_CELLS)), rows=st.integers(1, 30))
def test_two_columns_have_the_same_print_only_if_they_are_equal(data: st.DataObject, kind: str, rows: int) -> None:
    column = data.draw(st.lists(_CELLS[kind], min_size=rows, max_size=rows))
    other = list(column)
    row = data.draw(st.integers(0, rows - 1))
    other[row] = data.draw(_CELLS[kind])
    arrow = {"i": pa.int64(), "f": pa.float64(), "t": pa.string(), "b": pa.bool_()}[kind]
    mapper = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get

    def one(values: list) -> str:
        return fingerprint(pa.table({"x": pa.array(values, arrow)}).to_pandas(types_mapper=mapper))

    assert (one(column) == one(other)) == (column[row] == other[row])

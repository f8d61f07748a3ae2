"""A cell of text has one value, whether a file's reader or the code that leaves with a model reads it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from core.datasets import ReadOptions, cell_format, read_table
from core.edge.portable.written import read_cell

CELLS = st.one_of(
    st.from_regex(r"[-(]?[$€]?[0-9]{1,3}([,.' ][0-9]{3}){0,2}([.,][0-9]{0,2})?( ?(k|%|kg|EUR))?[)-]?", fullmatch=True),
    st.from_regex(
        r"[0-3]?[0-9][/.-][01]?[0-9][/.-]([0-9]{2}|20[0-9]{2})( [0-9]{1,2}:[0-5][0-9]( ?[ap]m)?)?", fullmatch=True
    ),
    st.from_regex(
        r"[0-9]{4}-[01][0-9]-[0-3][0-9]([ T][0-2][0-9]:[0-5][0-9](:[0-9]{2}(\.[0-9]{1,9})?)?"
        r"( ?(Z|[+-][01][0-9]:?[0-5]{0,2}))?)?",
        fullmatch=True,
    ),
    st.sampled_from(
        [
            "TRUE",
            "true",
            "tRue",
            "1E5",
            "0123",
            "-",
            "NA",
            "?",
            "",
            " 1.5 ",
            "inf",
            "nan",
            "1_000",
            "１２",
            "1e400",
            "13-Jan-24",
            "29-Feb-23",
            "−1 200",
        ]
    ),
)
SPECS = (
    *("number:1,234.5", "number:1.234,5", "number:1 234,5", "number:1'234.5", "boolean"),
    *("date:%d/%m/%Y", "date:%d.%m.%y", "date:%d-%b-%y", "timestamp:%m/%d/%Y %H:%M | %m/%d/%Y"),
    "timestamp:%d-%m-%Y %I:%M %p",
)


@settings(max_examples=40, deadline=None)
@given(spec=st.sampled_from(SPECS), cells=st.lists(CELLS, min_size=20, max_size=40))
def test_a_cell_has_the_value_that_the_reader_of_files_gives_it(spec: str, cells: list[str]) -> None:
    record = cell_format(spec)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.csv"
        pd.DataFrame({"cell": cells, "key": range(len(cells))}).to_csv(path, index=False)
        column = read_table(path, workdir=folder, options=ReadOptions(column_types={"cell": spec})).frame["cell"]
    for cell, expected in zip(cells, column, strict=True):
        try:
            value = read_cell(record, cell)
        except (ValueError, OverflowError):
            value = None
        if pd.isna(expected) or spec.startswith(("number", "boolean")):
            assert value == (None if pd.isna(expected) else expected), cell
        else:
            assert _utc(value) == _utc(expected), cell


def _utc(value: object) -> pd.Timestamp:
    moment = pd.Timestamp(value)
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")

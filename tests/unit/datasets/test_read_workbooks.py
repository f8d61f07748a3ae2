"""Workbooks: which sheet is read, where its table begins and ends, and what of it has no value."""

from __future__ import annotations

import datetime
from pathlib import Path

import openpyxl
import pytest

from core.datasets import ReadOptions, Table, read_table
from core.errors import InputError

ROWS = [["name", "price", "day"], ["a", 1.5, datetime.date(2024, 1, 2)], ["b", 2, datetime.date(2024, 2, 3)]]


def workbook(path: Path, sheets: dict[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> Path:
    """Write a workbook with these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        if name in hidden:
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


def read(path: Path, **options: object) -> Table:
    """Read a workbook, and check that its options repeat the reading."""
    table = read_table(path, workdir=path.parent / "work", options=ReadOptions(**options))
    again = read_table(path, workdir=path.parent / "again", options=table.report.options)
    assert again.fingerprint == table.fingerprint
    return table


def test_the_first_visible_sheet_with_a_table_is_read(tmp_path: Path) -> None:
    sheets = {"Lists": [["x", "y"], [1, 2], [3, 4]], "README": [["Figures of 2024"], ["Ask Ann."]], "Data": ROWS}
    path = workbook(tmp_path / "t.xlsx", sheets, hidden=("Lists",))
    table = read(path)
    assert table.columns == ["name", "price", "day"]
    assert table.report.sheets == ("Lists", "README", "Data")
    assert table.report.options.sheet == "Data"
    assert any("'Data' was read; the file also has 'Lists', 'README'" in notice for notice in table.report.notices)
    assert read(path, sheet="Lists").columns == ["x", "y"]
    with pytest.raises(InputError, match=r"no sheet 'Date'\. Did you mean 'Data'\?"):
        read(path, sheet="Date")


def test_titles_a_header_of_two_rows_and_a_footer(tmp_path: Path) -> None:
    rows = [
        ["Sales by region"],
        [None, "2023", None, "2024", None],
        ["region", "units", "value", "units", "value"],
        ["north", 1, 1.5, 2, 2.5],
        ["south", 3, 3.5, 4, 4.5],
        [None],
        ["Source: our books"],
    ]
    rows[1] = [None, "Before", None, "After", None]
    table = read(workbook(tmp_path / "t.xlsx", {"Sales": rows}))
    assert table.columns == ["region", "Before units", "Before value", "After units", "After value"]
    assert table.rows == 2
    assert [(row.text, row.reason) for row in table.report.skipped_rows] == [
        ("Source: our books", "looks like a footer")
    ]
    assert "The header has two rows, whose names were joined." in table.report.notices
    assert any("'Sales by region'" in notice for notice in table.report.notices)


def test_a_header_that_counts_and_one_that_is_given(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"s": [[1, 2, 3], [0.5, "x", 7], [0.7, "y", 8]]})
    assert read(path).columns == ["1", "2", "3"]
    assert read(path, header=None).rows == 3
    assert read(path, skip_rows=1, header=None).rows == 2
    assert read(path, skip_rows=1, header=0).columns == ["0.5", "x", "7"]


def test_formulas_without_a_value_are_counted(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"s": [["a", "b"], [1, "=A2*2"], [2, "=A3*2"], [3, 6]]})
    table = read(path)
    assert table.frame["b"].isna().sum() == 2
    assert any("the value of a formula was never stored: 2 cells." in notice for notice in table.report.notices)


def test_rows_with_one_cell_within_a_table_are_kept(tmp_path: Path) -> None:
    rows = [["a", "b", "c"], ["x", 1, 2], ["y", None, None], ["z", 3, 4]]
    assert read(workbook(tmp_path / "t.xlsx", {"s": rows})).frame["a"].tolist() == ["x", "y", "z"]

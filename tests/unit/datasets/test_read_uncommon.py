"""Files as programs and people leave them: each is read as it was meant, and what is left out or open is said."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from core.datasets import Limits, Table, read_table
from core.errors import InputError

HERE = Limits(memory_mb=0)  # in this process


def read(folder: Path, content: str | bytes, name: str = "t.csv") -> Table:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(folder / name, workdir=folder / "w", limits=HERE)


def cells(table: Table) -> dict[str, list[Any]]:
    return {name: [None if pd.isna(v) else v for v in table.frame[name]] for name in table.columns}


def accounted(table: Table) -> bool:
    """Return whether every line of the file is a row, or among those that are left out."""
    lines = table.report.lines
    assert lines is not None
    others = lines.lead + lines.header + lines.continuation + lines.blank + lines.skipped
    return table.rows + others == lines.total


@pytest.mark.parametrize(
    ("content", "expected", "said"),
    [
        pytest.param(
            " id | name  | price \n----+-------+-------\n  1 | Anna  |  1.50\n  2 | Bob   | 22.25\n(2 rows)\n",
            {"id": [1, 2], "name": ["Anna", "Bob"], "price": [1.5, 22.25]},
            "",
            id="psql",
        ),
        pytest.param(
            "+----+------+\n| id | name |\n+----+------+\n|  1 | Anna |\n|  2 | Bob  |\n+----+------+\n",
            {"id": [1, 2], "name": ["Anna", "Bob"]},
            "2 columns were left out, with neither a name nor values.",
            id="mysql",
        ),
        pytest.param(
            "a||b||c\n1||x||2.5\n2||y||3.5\n",
            {"a": [1, 2], "b": ["x", "y"], "c": [2.5, 3.5]},
            "2 columns were left out",
            id="two bars",
        ),
        pytest.param("a,b,\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4]}, "1 column was left out", id="last delimiter"),
        pytest.param(
            '"x" "name"\n"1" 1.5 "Anna B"\n"2" 2.5 "Bob ""C"""\n',
            {"column_1": [1, 2], "x": [1.5, 2.5], "name": ["Anna B", 'Bob "C"']},
            "The header has 2 names for 3 columns.",
            id="R",
        ),
        pytest.param(
            "x y\n1 1.5 2\n2 2.5 4\n",
            {"column_1": [1, 2], "x": [1.5, 2.5], "y": [2, 4]},
            "The header has 2 names for 3 columns.",
            id="R without quotes",
        ),
        pytest.param(
            "time\n2024-01-02 03:04\n2024-01-02 03:04\n2024-05-06 07:08\n",
            {"time": list(pd.to_datetime(["2024-01-02 03:04", "2024-01-02 03:04", "2024-05-06 07:08"]))},
            "",
            id="a column of times",
        ),
        pytest.param(
            "Account        Amount Date\nRent         1,200.50 2024-01-01\nFood            80.25 2024-01-02\n"
            "Book shop        9.99 2024-01-03\n",
            {
                "Account": ["Rent", "Food", "Book shop"],
                "Amount": [1200.5, 80.25, 9.99],
                "Date": list(pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"])),
            },
            "",
            id="few lines of fixed width",
        ),
        pytest.param(
            "Region,Q1,,Q2,\n,Units,Price,Units,Price\nN,1,2.5,3,4.5\nS,5,6.5,7,8.5\n",
            {
                "Region": ["N", "S"],
                "Q1 Units": [1, 5],
                "Q1 Price": [2.5, 6.5],
                "Q2 Units": [3, 7],
                "Q2 Price": [4.5, 8.5],
            },
            "The header has two rows, whose names were joined.",
            id="header of two rows",
        ),
        pytest.param(
            '"a" ,"b"\n"1" ,"x, y"\n"2" ,"z"\n', {"a": [1, 2], "b": ["x, y", "z"]}, "", id="blanks behind quotes"
        ),
        pytest.param(
            "id\tv\tw\n1\t\\N\ta\n2\t5\t\\N\n", {"id": [1, 2], "v": [None, 5], "w": ["a", None]}, "", id="MySQL"
        ),
        pytest.param("a,b\n\u2013,1\n5,2\n\u2014,3\n", {"a": [None, 5, None], "b": [1, 2, 3]}, "", id="long dashes"),
        pytest.param(
            "a;b\n1,5E+03;x\n2,5e-2;y\n", {"a": [1500.0, 0.025], "b": ["x", "y"]}, "decimal commas", id="exponent"
        ),
        pytest.param(
            'a,b\n"-$1,234.50",1\n"$(12.00)",2\n"($3.00)",3\n',
            {"a": [-1234.5, -12, -3], "b": [1, 2, 3]},
            "'$'",
            id="$(…)",
        ),
        pytest.param(
            "id,v,w\n1,2,3\n2,3,4\n3,4,5\nTotal,9,12\n",
            {"id": [1, 2, 3], "v": [2, 3, 4], "w": [3, 4, 5]},
            "",
            id="total",
        ),
        pytest.param(
            "name,v,w\nA,2,3\nB,3,4\nC,1,1\nTotal,6,8\n",
            {"name": ["A", "B", "C", "Total"], "v": [2, 3, 1, 6], "w": [3, 4, 1, 8]},
            "",
            id="a name that may be a total",
        ),
        pytest.param(
            "a,b\n01/02/2024,1\n13/02/2024,2\n02/13/2024,3\n",
            {"a": ["01/02/2024", "13/02/2024", "02/13/2024"], "b": [1, 2, 3]},
            "'a' holds dates written in several ways; it is kept as text.",
            id="dates of both orders",
        ),
        pytest.param(
            "a;b\n1.5;1\n2,5;2\n",
            {"a": ["1.5", "2,5"], "b": [1, 2]},
            "'a' holds numbers written in several ways",
            id="marks",
        ),
        pytest.param(
            "a,b\n0.1234567890123456789,1\n0.5,2\n",
            {"a": [0.1234567890123456789, 0.5], "b": [1, 2]},
            "'a' has numbers of more than 17 digits, which are rounded.",
            id="digits beyond a float",
        ),
        pytest.param("a,b\n2024Q1,1\n2024Q2,2\n", {"a": ["2024Q1", "2024Q2"], "b": [1, 2]}, "", id="quarters"),
        pytest.param(
            "id,name\n1,ab\0\0\0\0\0\0\n2,cd\0\0\0\0\0\0\n",
            {"id": [1, 2], "name": ["ab", "cd"]},
            "12 zero bytes were left out of the text.",
            id="zeros",
        ),
    ],
)
def test_text_is_read_as_it_was_meant(tmp_path: Path, content: str, expected: dict[str, list[Any]], said: str) -> None:
    table = read(tmp_path, content)
    assert cells(table) == expected
    assert said in " ".join(table.report.notices)
    assert not table.report.undecided
    assert accounted(table)
    again = read_table(tmp_path / "t.csv", workdir=tmp_path / "again", limits=HERE, options=table.report.options)
    assert again.fingerprint == table.fingerprint


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("rows", [3, 200_000])
def test_files_that_were_put_together_have_one_header(tmp_path: Path, rows: int, end: str) -> None:
    part = end.join(["id,price", *(f"{i},{i}.5" for i in range(rows))]) + end
    table = read(tmp_path, part * 3)
    assert table.report.types == {"id": "integer", "price": "number"}
    assert table.rows == 3 * rows
    assert [(row.line, row.reason) for row in table.report.skipped_rows] == [
        (rows + 2, "repeats the header"),
        (2 * rows + 3, "repeats the header"),
    ]
    assert accounted(table)
    assert table.frame["price"].sum() == 3 * sum(i + 0.5 for i in range(rows))


def test_rows_that_repeat_one_another_below_no_header_are_kept(tmp_path: Path) -> None:
    table = read(tmp_path, "red,small\nblue,small\nred,small\nblue,large\nred,small\n")
    assert (table.rows, table.report.skipped) == (5, 0)


@pytest.mark.parametrize(
    ("document", "expected", "said"),
    [
        (["good", "bad, really", 'a "b"'], {"value": ["good", "bad, really", 'a "b"']}, "an array of values"),
        ([1, 2.5, None], {"value": [1, 2.5, None]}, "an array of values"),
        (
            {"columns": [{"name": "a"}, {"name": "b"}], "rows": [[1, "x"], [2, "y"]]},
            {"a": [1, 2], "b": ["x", "y"]},
            "the columns and the data of a table apart",
        ),
        ({"fields": ["a", "b"], "values": [[1, 2], [3, 4]]}, {"a": [1, 3], "b": [2, 4]}, "apart"),
        (
            {"response": {"status": 200, "data": {"rows": [{"a": 1}, {"a": 2}]}}},
            {"a": [1, 2]},
            "under the keys 'response' > 'data' > 'rows'; the rest was left out",
        ),
        ([{"id": 12345678901234567890}, {"id": 7}], {"id": ["12345678901234567890", "7"]}, ""),
        ([{"id": 9007199254740993}, {"id": 2}], {"id": [9007199254740993, 2]}, ""),
    ],
)
def test_json_is_read_in_whatever_shape_it_has(
    tmp_path: Path, document: object, expected: dict[str, list[Any]], said: str
) -> None:
    table = read(tmp_path, json.dumps(document), "t.json")
    assert cells(table) == expected
    assert said in " ".join(table.report.notices)


def test_two_tables_in_one_document_are_not_one(tmp_path: Path) -> None:
    document = {"x": {"a": [{"k": 1}]}, "y": {"b": [{"k": 2}]}}
    with pytest.raises(InputError, match="one nested object"):
        read(tmp_path, json.dumps(document), "t.json")


def test_a_table_of_another_markup_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reStructuredText"):
        read(tmp_path, "=====  =====\nid     name\n=====  =====\n1      Anna\n=====  =====\n", "t.txt")


def merged_header(sheet: Worksheet) -> None:
    for row in (
        ["Sales 2024"],
        ["Region", "Q1", None, "Q2"],
        [None, "Units", "Price", "Units", "Price"],
        ["N", 1, 2.5, 3, 4.5],
        ["S", 5, 6.5, 7, 8.5],
    ):
        sheet.append(row)
    for cells in ("A1:E1", "A2:A3", "B2:C2", "D2:E2"):
        sheet.merge_cells(cells)


def merged_body(sheet: Worksheet) -> None:
    for row in (["Region", "City", "v"], ["North", "A", 1], [None, "B", 2], ["South", "C", 3], [None, "D", 4]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("A4:A5")


def rows(*values: list[Any]) -> Callable[[Worksheet], None]:
    def fill(sheet: Worksheet) -> None:
        for row in values:
            sheet.append(row)

    return fill


@pytest.mark.parametrize(
    ("fill", "expected", "said"),
    [
        (
            merged_header,
            {
                "Region": ["N", "S"],
                "Q1 Units": [1, 5],
                "Q1 Price": [2.5, 6.5],
                "Q2 Units": [3, 7],
                "Q2 Price": [4.5, 8.5],
            },
            "The header has two rows",
        ),
        (
            merged_body,
            {"Region": ["North", "North", "South", "South"], "City": ["A", "B", "C", "D"], "v": [1, 2, 3, 4]},
            "Cells that have the value of the one above, which they are merged with: 2.",
        ),
        (
            rows(["t", "v"], ["s", "m/s"], [1, 2.5], [2, 3.5], [3, 4.5]),
            {"t": [1, 2, 3], "v": [2.5, 3.5, 4.5]},
            "looks like units: 's', 'm/s'",
        ),
        (rows(["id", None, "v"], [1, None, 2], [2, None, 3]), {"id": [1, 2], "v": [2, 3]}, "1 column was left out"),
        (
            rows(["d", "v"], [datetime.date(2024, 1, 5), 1], ["06.01.2024", 2]),
            {"d": ["2024-01-05", "06.01.2024"], "v": [1, 2]},
            "holds dates written in several ways",
        ),
    ],
)
def test_sheets_are_read_as_they_look(
    tmp_path: Path, fill: Callable[[Worksheet], None], expected: dict[str, list[Any]], said: str
) -> None:
    book = openpyxl.Workbook()
    fill(book.worksheets[0])
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx", workdir=tmp_path / "w", limits=HERE)
    assert cells(table) == expected
    assert said in " ".join(table.report.notices)


def test_headers_and_totals_within_a_sheet_are_left_out_and_shown(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    rows(["id", "v", "w"], [1, 2, 3], [2, 3, 4], ["id", "v", "w"], [3, 4, 5], ["Total", 9, 12], ["Source: office"])(
        book.worksheets[0]
    )
    book.save(tmp_path / "t.xlsx")
    table = read_table(tmp_path / "t.xlsx", workdir=tmp_path / "w", limits=HERE)
    assert cells(table) == {"id": [1, 2, 3], "v": [2, 3, 4], "w": [3, 4, 5]}
    assert [(row.reason, row.text) for row in table.report.skipped_rows] == [
        ("repeats the header", "id v w"),
        ("looks like a footer", "Total 9 12"),
        ("looks like a footer", "Source: office"),
    ]
    assert table.report.skipped == 3

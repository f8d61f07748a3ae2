"""Delimiters, quotes, headers, lead lines and rejected rows."""

from __future__ import annotations

import csv
import io
import string
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.datasets import Table, read_table


def read(folder: Path, content: str | bytes, name: str = "t.csv") -> Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, workdir=folder / "work")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_delimiter_and_line_end_reads_as_pandas_does(tmp_path: Path, delimiter: str, end: str) -> None:
    rows = [
        ["name", "size", "when"],
        ["Ann", "1.5", "2020-01-02"],
        ["Bob, the 2nd", "2.5", "2021-03-04"],
        ["Cy", "", ""],
    ]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=end).writerows(rows)
    table = read(tmp_path, buffer.getvalue())
    expected = pd.read_csv(io.StringIO(buffer.getvalue()), sep=delimiter, parse_dates=["when"])
    assert table.report.dialect is not None
    assert table.report.dialect.delimiter == delimiter
    assert table.report.types == {"name": "text", "size": "number", "when": "date"}
    pd.testing.assert_frame_equal(table.frame, expected, check_dtype=False)


def test_a_text_first_seen_far_down_widens_the_column_and_drops_no_row(tmp_path: Path) -> None:
    lines = ["id,value"] + [f"{i},{i * 2}" for i in range(30_000)] + ["30000,unknown"]
    table = read(tmp_path, "\n".join(lines))
    assert (table.rows, table.report.skipped) == (30_001, 0)
    assert table.report.types == {"id": "integer", "value": "text"}
    assert table.frame["value"].iloc[[0, 29_999, 30_000]].tolist() == ["0", "59998", "unknown"]


def test_a_decimal_first_seen_far_down_is_not_rounded(tmp_path: Path) -> None:
    table = read(tmp_path, "v,w\n" + "".join(f"{i},a\n" for i in range(20_000)) + "0.5,b\n")
    assert table.report.types["v"] == "number"
    assert table.frame["v"].iloc[-1] == 0.5
    assert table.rows == 20_001


def test_a_ragged_file_keeps_its_columns_and_reports_each_bad_row(tmp_path: Path) -> None:
    lines = ["a,b,c"]
    for i in range(1, 101):
        lines.append({3: "x,y", 7: "1,2,3,4", 50: "only"}.get(i, f"{i},{i},{i}"))
    table = read(tmp_path, "\n".join(lines) + "\n")
    assert (table.rows, table.report.skipped) == (97, 3)
    assert table.columns == ["a", "b", "c"]
    assert [(row.line, row.text) for row in table.report.skipped_rows] == [(4, "x,y"), (8, "1,2,3,4"), (51, "only")]
    assert [row.reason for row in table.report.skipped_rows] == [
        "too few fields: the table has 3",
        "too many fields: the table has 3",
        "too few fields: the table has 3",
    ]


def test_line_numbers_hold_in_a_large_file_that_is_read_in_parallel(tmp_path: Path) -> None:
    text = "x" * 400
    lines = ["a,b"] + [f'{i},"{text}"' for i in range(200_000)]
    bad = {5: "1", 99_999: "1,2,3", 180_000: "lonely"}
    for number, line in bad.items():
        lines[number] = line
    table = read(tmp_path, "\n".join(lines) + "\n")
    assert table.rows + table.report.skipped == 200_000
    assert [(row.line, row.text) for row in table.report.skipped_rows] == [(n + 1, line) for n, line in bad.items()]


@pytest.mark.parametrize("titles", [["Report 2024;;;"], ["Report 2024;;;", ";;;", "made by Ann;;;"], ["Report", ";;;"]])
def test_title_lines_that_a_spreadsheet_filled_up_are_skipped(tmp_path: Path, titles: list[str]) -> None:
    body = "id;name;town;x\n1;a;b;2,5\n2;c;d;3,5\n"
    table = read(tmp_path, "\n".join(titles) + "\n" + body)
    assert table.columns == ["id", "name", "town", "x"]
    assert table.frame["x"].tolist() == [2.5, 3.5]
    assert "left out: 'Report" in " ".join(table.report.notices)


def test_a_sparse_first_row_is_not_a_title(tmp_path: Path) -> None:
    assert read(tmp_path, "1;;;\n2;3;4;5\n6;7;8;9\n").rows == 3
    assert read(tmp_path, "id;;;\n2;3;4;5\n6;7;8;9\n").columns[0] == "id"


def test_title_lines_are_skipped_and_said(tmp_path: Path) -> None:
    table = read(tmp_path, "Sales 2024, preliminary\nSource: us\n\nregion;sales;year\nnorth;10;2024\nsouth;12;2024\n")
    assert table.columns == ["region", "sales", "year"]
    assert table.rows == 2
    assert any("The 3 lines before the table were left out: 'Sales 2024" in notice for notice in table.report.notices)


@pytest.mark.parametrize(
    ("content", "header"),
    [
        ("5.1,3.5,setosa\n4.9,3.0,setosa\n", False),
        ("country,2019,2020\nFrance,1.5,2.5\nSpain,2.5,3.5\n", True),
        ("name,shade\nAnn,red\nBob,blue\n", True),
        ("red,Ann\nblue,Ann\nred,Ann\nblue,Ann\n", False),
        ("1,2,3\n4,5,6\n", False),
        ("2020-01-01,a\n2020-01-02,b\n", False),
    ],
)
def test_a_header_is_told_from_values(tmp_path: Path, content: str, header: bool) -> None:
    table = read(tmp_path, content)
    assert table.report.dialect is not None
    assert table.report.dialect.header is header
    assert table.rows == content.count("\n") - header
    if not header:
        assert table.columns[0] == "column_1"
        assert any("columns are numbered" in notice for notice in table.report.notices)


def test_names_are_repaired_and_reported(tmp_path: Path) -> None:
    table = read(tmp_path, "a,a,, b ,A,a_2\n1,2,3,4,5,x\n6,7,8,9,10,y\n")
    assert table.columns == ["a", "a_3", "column_3", "b", "A_4", "a_2"]
    assert table.report.renamed == {"a_3": "a", "column_3": "", "b": "b ", "A_4": "A"}
    assert table.frame.iloc[0].tolist() == [1, 2, 3, 4, 5, "x"]


def test_a_header_one_name_short_keeps_the_column(tmp_path: Path) -> None:
    table = read(tmp_path, '"age","sex"\n"1",23,"f"\n"2",31,"m"\n"3",45,"f"\n')
    assert table.columns == ["column_1", "age", "sex"]
    assert table.rows == 3
    trailing = read(tmp_path, "x,y\n1,2,\n3,4,\n5,6,\n")
    assert trailing.columns[:2] == ["x", "y"]
    assert trailing.frame["y"].tolist() == [2, 4, 6]


def test_one_column_of_sentences_is_not_split(tmp_path: Path) -> None:
    lines = ["text", "Well, yes", "No", "Perhaps, but, then, not", "", "Fine"]
    table = read(tmp_path, "\n".join(lines) + "\n")
    assert table.columns == ["text"]
    assert table.frame["text"].tolist() == ["Well, yes", "No", "Perhaps, but, then, not", "Fine"]


def test_quotes_newlines_and_escapes_inside_fields(tmp_path: Path) -> None:
    table = read(tmp_path, 'a,b\r\n"x, ""y""",1\r\n"two\nlines",2\r\n')
    assert table.frame["a"].tolist() == ['x, "y"', "two\nlines"]
    table = read(tmp_path, 'a,b\n"say \\"hi\\" now",1\n"plain",2\n')
    assert table.frame["a"].tolist() == ['say "hi" now', "plain"]
    table = read(tmp_path, "a,b\n'x, y',1\n'it''s',2\n'z',3\n")
    assert table.frame["a"].tolist() == ["x, y", "it's", "z"]


def test_mixed_line_ends_are_read(tmp_path: Path) -> None:
    table = read(tmp_path, b"\xef\xbb\xbfa,b\r\n1,2\n3,4\r\n5,6\r7,8\n")
    assert table.frame.to_numpy().tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert table.columns == ["a", "b"]


_TEXT = st.text(alphabet=string.ascii_letters + " ,;'\"\n|äß€", max_size=12).map(lambda s: "t" + s + "t")
_ROWS = st.lists(
    st.tuples(_TEXT, st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), st.booleans()),
    min_size=2,
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=_ROWS,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_is_written_is_read(tmp_path: Path, rows: list, delimiter: str, quoting: int) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    writer.writerows([["text", "whole", "real", "flag"], *[[a, b, repr(c), d] for a, b, c, d in rows]])
    table = read(tmp_path, buffer.getvalue())
    expected = pd.read_csv(io.StringIO(buffer.getvalue()), sep=delimiter)
    assert table.report.skipped == 0
    assert table.frame["text"].tolist() == expected["text"].tolist()
    assert table.frame["whole"].tolist() == expected["whole"].tolist()
    assert np.array_equal(table.frame["real"].astype(float), expected["real"])
    assert table.frame["flag"].tolist() == expected["flag"].tolist()


@pytest.mark.parametrize("stray", ['9,"open,z', '9,x,"', '"9,x,y'])
@pytest.mark.parametrize("at", [3, 150])
def test_a_stray_quote_is_no_evidence_against_the_delimiter(tmp_path: Path, stray: str, at: int) -> None:
    lines = [f'{i},text {i},"quoted, {i}"' if i % 50 == 0 else f"{i},text {i},{i / 7:.2f}" for i in range(300)]
    lines[at] = stray
    (tmp_path / "t.csv").write_text("\n".join(["n,text,value", *lines]) + "\n")
    report = read_table(tmp_path / "t.csv", workdir=tmp_path / "work").report
    (evidence,) = [item.evidence for item in report.decisions if item.name == "delimiter"]
    assert evidence == "',' gives 301 of 301 rows the same number of fields, 3."
    assert (report.rows, report.skipped) == (300, 0)


def test_a_field_of_several_lines_is_one_in_the_evidence_too(tmp_path: Path) -> None:
    rows = "".join(f'{i},"first line {i}\nsecond, of {i}\nthird"\n' for i in range(60))
    (tmp_path / "t.csv").write_text("n,text\n" + rows)
    report = read_table(tmp_path / "t.csv", workdir=tmp_path / "work").report
    (evidence,) = [item.evidence for item in report.decisions if item.name == "delimiter"]
    assert evidence == "',' gives 61 of 61 rows the same number of fields, 2."
    assert report.rows == 60

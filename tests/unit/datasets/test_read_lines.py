"""No line of a file disappears: each is in the table, or is counted and shown, whatever its quotes are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.datasets import Table, _delimited, read_table


def read(folder: Path, text: str, end: str = "\n") -> Table:
    """Read a text, and check that its lines are all accounted for."""
    (folder / "t.csv").write_bytes(text.replace("\n", end).encode())
    table = read_table(folder / "t.csv", workdir=folder / "work")
    lines = table.report.lines
    assert lines is not None
    assert lines.total == text.count("\n") + (not text.endswith("\n"))
    parts = (lines.lead, lines.header, lines.continuation, lines.blank, lines.skipped)
    assert sum(parts) + table.rows == lines.total
    assert len(table.frame) == table.rows
    return table


@pytest.mark.parametrize(("delimiter", "end", "position"), [(",", "\n", 0), (";", "\r\n", 70), ("\t", "\n", 199)])
@pytest.mark.parametrize(
    ("field", "stored"),
    [
        ('"open', '"open'),
        ('close"', 'close"'),
        ('"', '"'),
        ('5" disk', '5" disk'),
        ('"5" disk"', '5" disk'),
        ('"he said "hi""', 'he said "hi"'),
        ('"Hotel "Royal""', 'Hotel "Royal"'),
        ('"9"x', '"9"x'),
        ('"quoted" start', '"quoted" start'),
        ('"a ""doubled"" one"', 'a "doubled" one'),
        ('"two\nlines"', "two\nlines"),
        ('"two "wrong"\nlines"', 'two "wrong"\nlines'),
    ],
)
def test_a_field_with_a_stray_quote_costs_no_row(
    tmp_path: Path, delimiter: str, end: str, field: str, stored: str, position: int
) -> None:
    rows = [f'{i}{delimiter}"ok {i}"{delimiter}1.5' for i in range(200)]
    rows[position] = delimiter.join((str(position), field, "2.5"))
    table = read(tmp_path, "\n".join([delimiter.join("abc"), *rows, ""]), end)
    assert (table.rows, table.report.skipped) == (200, 0)
    assert table.frame["b"][position].replace("\r\n", "\n") == stored
    assert table.frame["a"].tolist() == list(range(200))
    assert table.frame["c"].sum() == 1.5 * 199 + 2.5
    wrong = stored.count('"') and '""doubled' not in field and field[0] == '"'
    assert any("quotes that are not closed or not doubled" in notice for notice in table.report.notices) == bool(wrong)


def test_a_quote_that_closes_far_below_does_not_swallow_the_rows_between(tmp_path: Path) -> None:
    rows = [f"{i},ok {i}" for i in range(50_000)]
    rows[10], rows[40_000] = '10,"open', '40000,close"'
    table = read(tmp_path, "\n".join(["a,b", *rows]))
    assert table.rows == 50_000
    assert table.frame["b"][[10, 11, 40_000]].tolist() == ['"open', "ok 11", 'close"']


def test_texts_with_line_breaks_and_delimiters_stay_whole(tmp_path: Path) -> None:
    text = "Dear all,\nthanks, and bye,\nAnn"
    table = read(tmp_path, "id,text,n\n" + "".join(f'{i},"{text}",{i}\n' for i in range(500)))
    assert table.rows == 500
    assert set(table.frame["text"]) == {text}
    assert table.report.lines is not None
    assert table.report.lines.continuation == 1_000


def test_a_line_that_fits_no_way_is_shown(tmp_path: Path) -> None:
    table = read(tmp_path, 'a,b,c\n1,2,3\n4,"x" y,"z\n5,6,7\n' + "8,9,10\n" * 5)
    assert table.rows == 8
    table = read(tmp_path, 'a,b,c\n1,2,3\n4,"x" y z\n5,6,7\n' + "8,9,10\n" * 5)
    assert (table.rows, table.report.skipped) == (7, 1)
    (row,) = table.report.skipped_rows
    assert (row.line, row.text) == (3, '4,"x" y z')
    assert "quote" in row.reason


def test_a_quote_in_the_title_or_the_header_is_one(tmp_path: Path) -> None:
    table = read(tmp_path, 'Report "2024\na;b\n1;"x"\n3;"y"\n4;"z"\n')
    assert table.columns == ["a", "b"]
    assert table.rows == 3
    table = read(tmp_path, 'a;"b\nc"\n1;x\n3;y\n4;z\n')
    assert table.rows == 3
    assert table.report.lines is not None
    assert table.report.lines.header == 2


def test_one_column_keeps_empty_rows_that_are_quoted(tmp_path: Path) -> None:
    table = read(tmp_path, 'name\nann\n""\n"bob\nsmith"\n"cy" x\n\ndan\n')
    assert table.rows == 5
    assert table.frame["name"].isna().tolist() == [False, True, False, False, False]
    assert "Blank lines left out: 1." in table.report.notices


FIELDS = st.one_of(
    st.integers(0, 99).map(str),
    st.sampled_from(["", "x", "two words", '"open', 'close"', '"q"', '"a"b', 'c"d"', '"', '""', '"two\nlines"', "é"]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(FIELDS, min_size=2, max_size=4), min_size=1, max_size=25),
    delimiter=st.sampled_from([",", "\t"]),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.sampled_from([7, 64, 2**20]),
)
def test_every_line_is_accounted_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[list[str]], delimiter: str, end: str, block: int
) -> None:
    """Whatever the lines are, and wherever a block of the file ends."""
    monkeypatch.setattr(_delimited, "BLOCK", block)
    good = [delimiter.join((str(i), "name", "1.5")) for i in range(30)]
    lines = [delimiter.join(row) for row in rows]
    table = read(tmp_path, "\n".join([delimiter.join(("id", "b", "c")), *good, *lines, *good]) + "\n", end)
    shown = sum(row.text != "" for row in table.report.skipped_rows)
    assert shown == min(table.report.skipped, 20)
    assert (table.frame["b"] == "name").sum() >= 30


@pytest.mark.nightly
@pytest.mark.parametrize("rows", [300_000, 1_000_000])
@pytest.mark.parametrize("field", ['"open', '"he said "hi""', '"two\nlines"', 'x"y'])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_every_line_of_a_large_file_is_accounted_for(tmp_path: Path, rows: int, field: str, delimiter: str) -> None:
    lines = [f"{i}{delimiter}ok {i}" for i in range(rows)]
    for position in (1_000, rows // 2, rows - 1):
        lines[position] = f"{position}{delimiter}{field}"
    table = read(tmp_path, "\n".join([f"a{delimiter}b", *lines]) + "\n")
    assert (table.rows, table.report.skipped) == (rows, 0)
    assert table.frame["a"].tolist() == list(range(rows))


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("footer", "left_out"),
    [
        (["Total,,"], 1),
        (["", "Source: Statistical Office,,", "Note: preliminary,,", ""], 2),
        (["Summer,,"], 0),  # a value like others
        (["7,,"], 0),
        (["Total,1,2"], 0),  # a row that the file has; it is the user's to leave out
        (["Total,,", "8,text,1.5"], 0),
    ],
)
def test_a_footer_is_left_out_and_shown(tmp_path: Path, footer: list[str], left_out: int, newline: str) -> None:
    rows = ["region,product,sales", *(f"north {i},tea,{i}" for i in range(30))]
    (tmp_path / "t.csv").write_text(newline.join([*rows, *footer]) + newline, newline="")
    report = read_table(tmp_path / "t.csv", workdir=tmp_path / "work").report
    assert (report.rows, report.skipped) == (30 + sum(map(bool, footer)) - left_out, left_out)
    assert [row.reason for row in report.skipped_rows] == ["looks like a footer"] * left_out
    counts = report.lines
    assert counts is not None
    kept = counts.lead + counts.header + counts.continuation + counts.blank + counts.skipped + report.rows
    assert kept == counts.total == len(rows) + len(footer)

"""The type of a column follows from all of its values, without loss, and what is decided is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.datasets import Table, read_table


def column(folder: Path, values: list[str], delimiter: str = ";") -> Table:
    """A table with a column `v` of these cells beside a column of text."""
    lines = [f"v{delimiter}w", *(f"{value}{delimiter}word" for value in values)]
    (folder / "t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_table(folder / "t.csv", workdir=folder / "work")


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1", "-2", "+3"], "integer", [1, -2, 3]),
        (["9223372036854775807", "-9223372036854775808"], "integer", [2**63 - 1, -(2**63)]),
        (["9223372036854775808", "1"], "text", ["9223372036854775808", "1"]),
        (["12345678901234567890", "1.5"], "text", ["12345678901234567890", "1.5"]),
        (["00123", "99999"], "text", ["00123", "99999"]),
        (["007.5", "1.5"], "text", ["007.5", "1.5"]),
        (["0", "0.5", "-0.25", ".5", "1e-3"], "number", [0, 0.5, -0.25, 0.5, 0.001]),
        (["1_000", "2_000"], "text", ["1_000", "2_000"]),
        (["0x1F", "0x20"], "text", ["0x1F", "0x20"]),
        (["1.5", "1e3", "2"], "number", [1.5, 1000, 2]),
        (["inf", "-inf", "1.5"], "number", [np.inf, -np.inf, 1.5]),
        (["true", "False", "TRUE"], "boolean", [True, False, True]),
        (["yes", "no"], "text", ["yes", "no"]),
        (["t", "f"], "text", ["t", "f"]),
        (["1", "0"], "integer", [1, 0]),
        (["1.2.3", "1.2.4"], "text", ["1.2.3", "1.2.4"]),
        (["epoch", "infinity"], "text", ["epoch", "infinity"]),
        (["12:30", "13:45"], "text", ["12:30", "13:45"]),
        (["20200102", "20200103", "7"], "integer", [20200102, 20200103, 7]),
    ],
)
def test_each_value_keeps_its_meaning(tmp_path: Path, values: list[str], kind: str, expected: list[object]) -> None:
    table = column(tmp_path, values)
    assert table.report.types["v"] == kind
    assert table.frame["v"].tolist() == expected


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (["1,234.5", "12.25", "1,234,567"], "number", [1234.5, 12.25, 1234567]),
        (["1.234,5", "12,25", "1.234.567"], "number", [1234.5, 12.25, 1234567]),
        (["1,5", "2,25"], "number", [1.5, 2.25]),
        (["1,234", "5,678"], "text", ["1,234", "5,678"]),
        (["1,234", "0,5"], "number", [1.234, 0.5]),
        (["1,234.5", "1.234,5"], "text", ["1,234.5", "1.234,5"]),
    ],
)
def test_separators_are_read_when_they_mean_one_thing(
    tmp_path: Path, values: list[str], kind: str, expected: list[object]
) -> None:
    table = column(tmp_path, values)
    assert table.report.types["v"] == kind
    assert table.frame["v"].tolist() == expected
    if "." not in values[0] + values[1] and kind == "text":
        assert any("could mean 1,234 or 1.234" in notice for notice in table.report.notices)


@pytest.mark.parametrize(
    ("values", "kind", "first"),
    [
        (["2020-01-31", "1999-12-01"], "date", "2020-01-31"),
        (["2020-01-31 10:20:30", "2020-02-01"], "timestamp", "2020-01-31T10:20:30"),
        (["2020-01-31T10:20:30.123456", "2020-02-01T00:00"], "timestamp", "2020-01-31T10:20:30.123456"),
        (["2020-01-31T10:20:30Z", "2020-01-31T10:20:30+02:00"], "timestamp", "2020-01-31T10:20:30+00:00"),
        (["31/01/2020", "01/02/2020"], "date", "2020-01-31"),
        (["01/31/2020", "02/01/2020"], "date", "2020-01-31"),
        (["31.01.2020", "01.02.2020"], "date", "2020-01-31"),
        (["31/01/2020 10:20", "01/02/2020 00:00"], "timestamp", "2020-01-31T10:20:00"),
    ],
)
def test_dates_are_read(tmp_path: Path, values: list[str], kind: str, first: str) -> None:
    table = column(tmp_path, values)
    assert table.report.types["v"] == kind
    assert table.frame["v"].iloc[0] == pd.Timestamp(first)


@pytest.mark.parametrize(
    "values",
    [
        ["01/02/2020", "03/04/2021"],
        ["2020-02-30", "2020-01-01"],
        ["2020-01-31T10:00", "2020-01-31T10:00Z"],
        ["20201-01-05", "2020-01-01"],
    ],
)
def test_dates_that_mean_two_things_or_none_stay_text(tmp_path: Path, values: list[str]) -> None:
    table = column(tmp_path, values)
    assert table.report.types["v"] == "text"
    assert table.frame["v"].tolist() == values
    if values[0] == "01/02/2020":
        assert any("day-month or month-day" in notice for notice in table.report.notices)


def test_markers_beside_numbers_are_missing_and_counted(tmp_path: Path) -> None:
    table = column(tmp_path, ["1", "?", "2", "NA", "n/a", "", " ", "-", "3", "NA"])
    assert table.report.types["v"] == "integer"
    assert table.frame["v"].isna().sum() == 7
    assert table.report.missing_markers["v"] == {"?": 1, "NA": 2, "n/a": 1, "": 1, "-": 1}


def test_markers_beside_text_are_missing_unless_they_are_words(tmp_path: Path) -> None:
    table = column(tmp_path, ["red", "?", "NA", "None", "-", "null", "blue"])
    assert table.frame["v"].dropna().tolist() == ["red", "None", "-", "blue"]
    assert table.report.missing_markers["v"] == {"?": 1, "NA": 1, "null": 1}
    assert any("'None' (1), '-' (1)" in notice or "'-' (1), 'None' (1)" in notice for notice in table.report.notices)


def test_namibia_is_not_missing(tmp_path: Path) -> None:
    table = column(tmp_path, ["DE", "NA", "FR", "?"])
    assert table.frame["v"].dropna().tolist() == ["DE", "NA", "FR"]
    assert table.report.missing_markers["v"] == {"?": 1}


def test_a_marker_first_seen_far_down_is_found(tmp_path: Path) -> None:
    table = column(tmp_path, ["5"] * 10_000 + ["unknown?", "NA"])
    assert table.report.types["v"] == "text"
    table = column(tmp_path, ["5"] * 10_000 + ["NA", "0.5"])
    assert table.report.types["v"] == "number"
    assert table.report.missing_markers["v"] == {"NA": 1}
    assert table.rows == 10_002


def test_an_empty_column_is_kept_and_said(tmp_path: Path) -> None:
    table = column(tmp_path, ["", "", "?"])
    assert table.rows == 3
    assert table.frame["v"].isna().all()
    assert any("'v' has no values" in notice for notice in table.report.notices)


def test_spaces_after_the_delimiter_do_not_stick(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("age, job, pay\n39, State-gov, <=50K\n50, ?, >50K\n38, Private, <=50K\n")
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    assert table.columns == ["age", "job", "pay"]
    assert table.frame["job"].tolist()[::2] == ["State-gov", "Private"]
    assert table.frame["pay"].tolist() == ["<=50K", ">50K", "<=50K"]
    assert table.report.missing_markers == {"job": {"?": 1}}


def test_wide_tables_take_seconds(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 1_000))).rename(columns=lambda i: f"c{i}")
    frame["t"] = rng.choice(["x", "y"], 200)
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    assert len(table.columns) == 1_001
    assert np.allclose(table.frame.iloc[:, :1_000], frame.iloc[:, :1_000], rtol=0, atol=0)


def test_columns_of_a_wide_table_have_the_types_that_they_have_alone(tmp_path: Path) -> None:
    cells = {
        "integer": ["1", "-2", " 3"],
        "number": ["1.5", "", "2e3"],
        "marked": ["1", "n/a", "-"],
        "late": ["7", "8", "many"],
        "word": ["a", "None", "NA"],
        "country": ["NA", "DE", "FR"],
        "zip": ["00123", "99999", "?"],
        "flag": ["true", "False", ""],
        "day": ["2024-01-31", "2024-02-01", "0000-00-00"],
        "time": ["2024-01-31 10:00:00", "2024-02-01", ""],
        "euro": ["1.037,50 €", "2,00 €", "NULL"],
        "empty": ["", "", ""],
        "blank": [" a", " b", " c"],
    }
    rows = pd.DataFrame({f"{name} {number}": values for number in range(12) for name, values in cells.items()})
    rows.to_csv(tmp_path / "wide.csv", index=False)
    wide = read_table(tmp_path / "wide.csv", workdir=tmp_path / "w").report
    for name in cells:
        columns = [f"{name} {number}" for number in (0, 11)]
        rows[[*columns, "number 0"]].loc[:, lambda frame: ~frame.columns.duplicated()].to_csv(
            tmp_path / "n.csv", index=False
        )
        narrow = read_table(tmp_path / "n.csv", workdir=tmp_path / "n").report
        for column in columns:
            assert wide.types[column] == narrow.types[column], column
            assert wide.options.column_types[column] == narrow.options.column_types[column]
            assert wide.missing_markers.get(column) == narrow.missing_markers.get(column)
            assert [text for text in wide.notices if repr(column) in text] == [
                text for text in narrow.notices if repr(column) in text
            ]
    assert (wide.rows, wide.columns) == (3, 156)

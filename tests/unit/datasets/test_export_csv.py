"""The CSV download holds the table's values, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.datasets import fingerprint, load_sample, read_table, store_frame, write_csv

STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
DANGEROUS = [
    "=1+1",
    '=HYPERLINK("https://example.org";"click")',
    "=cmd|' /C calc'!A0",
    "+49 30 1234",
    "-2+3",
    "@SUM(A1:A2)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(A1)",
    "-1-1",
    "+1\n",
    "-1 000",
    "=",
    "-",
]
HARMLESS = [
    "a",
    "1",
    "a=b",
    "x-y",
    "'=1",
    " =1",
    "(+1)",
    "me@example.org",
    '"quoted"',
    "two\nlines",
    "semi;colon",
    "ä🙂",
    "",
]


def export(folder: Path, frame: pd.DataFrame) -> Path:
    return write_csv(store_frame(frame, folder / "t.parquet"), folder / "t.csv")


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text == text.strip() and "_" not in text


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_starts_a_formula_gets_an_apostrophe(tmp_path: Path, text: str) -> None:
    path = export(tmp_path, pd.DataFrame({"v": [text, "plain"]}))
    assert cells(path) == [["v"], ["'" + text], ["plain"]]


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = export(tmp_path, pd.DataFrame({"v": [text], "w": ["x"]}))
    assert cells(path) == [["v", "w"], [text, "x"]]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6), min_size=1, max_size=20))
def test_no_text_at_all_starts_a_formula_and_none_is_lost(tmp_path: Path, values: list[str]) -> None:
    written = [row[0] for row in cells(export(tmp_path, pd.DataFrame({"v": values, "w": "x"})))[1:]]
    assert not [cell for cell in written if cell.startswith(STARTS) and not is_number(cell)]
    assert written == [("'" if value.startswith(STARTS) and not is_number(value) else "") + value for value in values]


@pytest.mark.parametrize("name", ["=1+1", "+a", "-a", "@a"])
def test_column_names_are_made_safe_too(tmp_path: Path, name: str) -> None:
    assert cells(export(tmp_path, pd.DataFrame({name: [1], "b": [2]}))) == [["'" + name, "b"], ["1", "2"]]


def test_categories_are_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"v": pd.Categorical(["=1", "b", "=1"])})
    assert cells(export(tmp_path, frame)) == [["v"], ["'=1"], ["b"], ["'=1"]]


def test_numbers_keep_their_sign_and_every_digit(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "whole": [-1, 0, -(2**63)],
            "real": [-0.1, -1e-300, 1 / 3],
            "large": np.array([2**64 - 1, 0, 1], dtype="uint64"),
        }
    )
    rows = cells(export(tmp_path, frame))[1:]
    assert [row[0] for row in rows] == ["-1", "0", "-9223372036854775808"]
    assert [float(row[1]) for row in rows] == frame["real"].tolist()
    assert [int(row[2]) for row in rows] == frame["large"].tolist()


def test_a_number_written_as_text_keeps_its_sign(tmp_path: Path) -> None:
    values = ["-5", "+1.5", "-.5e-3", "-1e+300", "-inf", "word"]  # as labels of classes that are numbers
    assert cells(export(tmp_path, pd.DataFrame({"v": values})))[1:] == [[value] for value in values]


ORDINARY = pd.DataFrame(
    {
        "whole": [1, -2, 2**53 + 1],
        "gaps": [1.5, None, -2.25],
        "text": ["plain", "with, comma", 'with "quotes"'],
        "lines": ["a\nb", "ä🙂", "x"],
        "code": ["007", "042", "100"],
        "flag": [True, False, True],
        "day": pd.to_datetime(["2020-01-31", "1999-12-01", "2024-02-29"]),
        "moment": pd.to_datetime(["2020-01-31 10:20:30", None, "1999-12-01 00:00:00.123456"], format="ISO8601"),
        "name with spaces": ["a", "b", "c"],
    }
)


def test_ordinary_values_come_back_as_they_were(tmp_path: Path) -> None:
    table = read_table(export(tmp_path, ORDINARY), workdir=tmp_path / "work")
    pd.testing.assert_frame_equal(table.frame, ORDINARY, check_dtype=False)
    assert table.report.types["code"] == "text"
    assert (table.report.skipped, table.report.renamed) == (0, {})


@pytest.mark.parametrize("sample", ["adult", "german_credit", "wine", "diabetes", "iris"])
def test_samples_come_back_with_the_same_fingerprint(tmp_path: Path, sample: str) -> None:
    table = load_sample(sample)
    again = read_table(write_csv(table.path, tmp_path / "t.csv"), workdir=tmp_path / "work")
    pd.testing.assert_frame_equal(again.frame, table.frame, check_dtype=False, check_exact=True)
    assert again.report.types == table.report.types
    assert again.fingerprint == fingerprint(again.path) == table.fingerprint


def test_missing_cells_stay_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["a", None, "b"], "number": [1.5, None, 2.5], "flag": [True, None, False]})
    assert cells(export(tmp_path, frame))[2] == ["", "", ""]
    again = read_table(tmp_path / "t.csv", workdir=tmp_path / "work").frame
    assert again.isna().to_numpy().tolist() == [[False] * 3, [True] * 3, [False] * 3]


def test_odd_file_and_column_names_are_no_sql(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s; a "folder"'
    folder.mkdir()
    path = export(folder, pd.DataFrame({'a"b': ["x"], "'; --": [-1]}))
    assert cells(path) == [['a"b', "'; --"], ["x", "-1"]]
    assert path == folder / "t.csv"

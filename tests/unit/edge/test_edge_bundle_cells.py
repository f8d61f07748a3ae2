"""Cells of a CSV file against the product's own import."""

import numpy as np
import pandas as pd
import pytest

from core.datasets import MISSING_MARKERS, read_table
from core.datasets.missing_markers import TEXT_MARKERS
from core.edge.portable import cells
from core.edge.portable.cells import CellError, categories, dates, numbers, read_csv, safe
from core.features import as_categories, as_dates, as_numbers, as_seconds
from core.spreadsheet import FORMULA_STARTS


def test_the_spellings_are_those_of_the_import():
    assert cells.MARKERS == MISSING_MARKERS
    assert cells.TEXT_MARKERS == TEXT_MARKERS
    assert cells._FORMULA == FORMULA_STARTS


COLUMNS = {
    "whole": ["1", " 2 ", "NA", "", "-7", "+3"],
    "number": ["1.5", "1e3", "nan", "-", "inf", "4e38"],
    "flag": ["true", "False", "?", "TRUE", "", "FALSE"],
    "word": ["a", "None", "nan", "", "-", "b c"],
    "padded": [" a", " b", " N/A", "", " c", " d"],
    "land": ["DE", "NA", "US", "", "FR", "IT"],
    "day": ["2024-02-29", "1969-12-31", "n/a", "", "0001-01-01", "9999-12-31"],
    "time": ["2024-01-02 03:04", "2024-01-02 03:04:05", "", "NULL", "1950-01-01 00:00:00", "2024-01-02 03:04:05.5"],
    "zoned": [
        "2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05+02:00",
        "",
        "-",
        "2024-01-02 03:04:05-05:30",
        "2024-01-02T03:04Z",
    ],
}


def test_cells_are_read_as_the_import_reads_them(tmp_path):
    pd.DataFrame(COLUMNS).to_csv(tmp_path / "rows.csv", index=False)
    frame = read_table(tmp_path / "rows.csv").frame
    table = read_csv(tmp_path / "rows.csv", list(COLUMNS))
    for name in ("whole", "number", "flag"):
        assert np.array_equal(numbers(name, table[name]), as_numbers(name, frame[name]), equal_nan=True), name
    for name in ("word", "padded"):
        assert categories(table[name]).tolist() == as_categories(frame[name]).tolist(), name
    assert categories(table["land"], ["NA"]).tolist() == as_categories(frame["land"]).tolist()
    for name in ("day", "time", "zoned"):
        assert dates(name, table[name]).tolist() == as_seconds(as_dates(frame[name])).tolist(), name


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_order_quotes_and_other_columns(tmp_path, delimiter):
    lines = [("z", "b, c", "größe"), ("1", 'say ""hi""', "2"), ("3", "two\nlines", "4")]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    (tmp_path / "rows.csv").write_text(f"\ufeff{text}\n\n", encoding="utf-8")
    table = read_csv(tmp_path / "rows.csv", ["größe", "b, c"])
    assert table == {"z": ["1", "3"], "b, c": ['say "hi"', "two\nlines"], "größe": ["2", "4"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_an_encoding_that_the_file_names_is_read(tmp_path, encoding):
    (tmp_path / "rows.csv").write_text("größe\tc\nä\t2\n", encoding=encoding)
    assert read_csv(tmp_path / "rows.csv", ["größe"]) == {"größe": ["ä"], "c": ["2"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("größe,c\nä,2\n".encode("latin-1"), r"is not text in UTF-8: byte 2 is 0xf6, after 'gr'\. Save it as CSV"),
        ("größe,c\nä,2\n".encode("utf-16-le"), "is not "),
        ("c,d\n1,2\n".encode("utf-16-le"), "is not a file of text: it holds zero bytes"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00", "is not a file of text"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is not text in UTF-8: byte 0 is 0x89"),
        (b"\xff\xfec\x00,", "is not text"),
    ],
)
def test_another_encoding_is_refused_and_never_guessed(tmp_path, content, message):
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(CellError, match=message):
        read_csv(tmp_path / "rows.csv", ["c"])


def test_a_column_that_is_needed_may_be_there_once(tmp_path):
    (tmp_path / "rows.csv").write_text("c,x,c,x\n1,2,3,4\n")
    with pytest.raises(CellError, match=r"rows\.csv has the column 'c' 2 times\. Keep one of them"):
        read_csv(tmp_path / "rows.csv", ["c"])
    (tmp_path / "other.csv").write_text("c,x,x\n1,2,4\n")
    assert read_csv(tmp_path / "other.csv", ["c"])["c"] == ["1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no column 'c'. Its columns: a, b."),
        ("", "has no column 'c'. Its columns: none."),
        ("c,d\n1,2\n3\n", "Line 3 has 1 cells, the header has 2."),
    ],
)
def test_a_file_that_does_not_fit_is_named(tmp_path, text, message):
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(CellError, match=message.replace(".", r"\.")):
        read_csv(tmp_path / "rows.csv", ["c"])


@pytest.mark.parametrize("cell", ["many", "1,234", "1.234,5", "1_000", "0x1F", "１２"])
def test_a_cell_that_is_no_number_is_named(cell):
    with pytest.raises(CellError, match="Row 2: the column 'age' holds"):
        numbers("age", ["1", cell])


@pytest.mark.parametrize(
    "cell", ["31.12.2024", "3/10/2024", "soon", "2024-02-30", "20241231", "2024-W01-1", "2024-12-31 24:00:00"]
)
def test_a_cell_that_is_no_date_is_named(cell):
    with pytest.raises(CellError, match="Row 1: the column 'when' holds"):
        dates("when", [cell])


def test_texts_that_settings_declare_to_be_numbers_are_read_as_in_training():
    texts = ["1", " 2.5 ", "many", "1,234", "1_000", "１２", "true", "?", "", "0x1F", "1e3", "007", "inf", "nan"]
    expected = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=float)
    expected = np.where(np.isinf(expected), np.nan, expected)
    assert np.array_equal(numbers("age", texts, mixed=True), expected, equal_nan=True)


def test_lines_end_in_one_way_also_within_cells(tmp_path):
    (tmp_path / "rows.csv").write_bytes(b'a,b\r\n"x\r\ny",1\r\n"x\ry",2\r\n"x\ny",3\r\n')
    expected = read_table(tmp_path / "rows.csv", workdir=tmp_path).frame["a"].tolist()
    assert read_csv(tmp_path / "rows.csv", ["a"])["a"] == expected == ["x\ny"] * 3


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_formula_is_shown_and_not_run(start):
    assert safe(f"{start}SUM(1)") == f"'{start}SUM(1)"


@pytest.mark.parametrize("number", ["-1", "+1.5", "-1e-7"])
def test_a_number_stays_as_it_is(number):
    assert safe(number) == number

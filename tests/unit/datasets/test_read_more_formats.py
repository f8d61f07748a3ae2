"""Formats of statistics packages, databases, spreadsheets and big-data tools, and text without a table."""

from __future__ import annotations

import datetime
import json
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import fastavro
import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from pyarrow import orc

from core.datasets import FILE_FORMATS, ReadOptions, Table, read_table
from core.errors import InputError

FRAME = pd.DataFrame(
    {
        "name": ["Ann", "Bo", "Çelik"],
        "age": [41.0, np.nan, 33.0],
        "group": [1.0, 2.0, 1.0],
        "day": pd.to_datetime(["2024-01-02", "2024-02-03", "2024-03-04"]),
    }
)
LABELS = {"group": {1.0: "treated", 2.0: "control"}}
NAMES = {"age": "Age in years", "group": "Group of the trial"}


def read(path: Path, **options: object) -> Table:
    """Read a file, and check that its options repeat the reading."""
    table = read_table(path, workdir=path.parent / "work", options=ReadOptions(**options))
    again = read_table(path, workdir=path.parent / "again", options=table.report.options)
    assert again.fingerprint == table.fingerprint
    return table


def write_stata(path: Path) -> None:
    pyreadstat.write_dta(FRAME, path, variable_value_labels=LABELS, column_labels=NAMES)


def write_spss(path: Path) -> None:
    pyreadstat.write_sav(FRAME, path, variable_value_labels=LABELS, column_labels=NAMES)


def write_spss_packed(path: Path) -> None:
    pyreadstat.write_sav(FRAME, path, variable_value_labels=LABELS, column_labels=NAMES, row_compress=True)


@pytest.mark.parametrize(("write", "name"), [(write_stata, "stata"), (write_spss, "spss"), (write_spss_packed, "spss")])
def test_values_and_columns_keep_their_labels(tmp_path: Path, write: Callable[[Path], None], name: str) -> None:
    write(tmp_path / "t.file")
    table = read(tmp_path / "t.file")
    assert table.report.format == name
    assert table.report.labels == NAMES
    assert table.frame["name"].tolist() == ["Ann", "Bo", "Çelik"]
    assert table.frame["group"].tolist() == ["treated", "control", "treated"]
    assert table.frame["age"].isna().tolist() == [False, True, False]
    assert table.frame["day"].tolist() == FRAME["day"].tolist()
    assert "Values were replaced by their labels in 1 column: 'group'." in table.report.notices


def test_sas_transport_files(tmp_path: Path) -> None:
    pyreadstat.write_xport(FRAME[["age", "group"]], tmp_path / "t.xpt", column_labels=NAMES)
    table = read(tmp_path / "t.xpt")
    assert table.report.format == "sas_transport"
    assert table.frame["age"].isna().sum() == 1
    assert table.report.labels == NAMES


@pytest.mark.parametrize("name", ["orc", "avro"])
def test_files_of_records(tmp_path: Path, name: str) -> None:
    frame = FRAME.assign(count=[1, 2, 3], flag=[True, False, True])
    if name == "orc":
        orc.write_table(pa.Table.from_pandas(frame, preserve_index=False), tmp_path / "t.orc")
    else:
        fields = [
            {"name": "name", "type": "string"},
            {"name": "age", "type": ["null", "double"]},
            {"name": "count", "type": "long"},
            {"name": "flag", "type": "boolean"},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        ]
        schema = fastavro.parse_schema({"type": "record", "name": "row", "fields": fields})
        rows = [
            row | {"age": None if np.isnan(row["age"]) else row["age"], "day": row["day"].date()}
            for row in frame.to_dict("records")
        ]
        with open(tmp_path / "t.avro", "wb") as file:
            fastavro.writer(file, schema, rows)
    table = read(tmp_path / f"t.{name}")
    assert table.report.format == name
    assert table.frame["name"].tolist() == frame["name"].tolist()
    assert table.frame["count"].tolist() == [1, 2, 3]
    assert table.frame["flag"].tolist() == [True, False, True]
    assert table.frame["age"].isna().tolist() == [False, True, False]
    assert pd.to_datetime(table.frame["day"]).tolist() == frame["day"].tolist()


def test_a_table_of_a_database(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE small (x INTEGER)")
        connection.execute("INSERT INTO small VALUES (1)")
        connection.execute('CREATE TABLE people (id INTEGER, code TEXT, "the price" REAL, photo BLOB)')
        rows = [(1, "12", 1.5, b"\x01"), (2, "13", None, None), (3, None, 2.5, b"\xff")]
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
        connection.commit()
    table = read(path)
    assert table.columns == ["id", "code", "the price", "photo"]
    assert table.report.types == {"id": "integer", "code": "text", "the price": "number", "photo": "text"}
    assert table.frame["code"].dropna().tolist() == ["12", "13"]
    assert table.report.sheets == ("small", "people")
    assert any("'people' was read; the database also has 'small'" in notice for notice in table.report.notices)
    assert read(path, sheet="small").rows == 1
    with pytest.raises(InputError, match="no table 'nosuch'"):
        read(path, sheet="nosuch")


def test_attribute_relations(tmp_path: Path) -> None:
    text = "% Iris\n@RELATION iris\n@ATTRIBUTE 'sepal length' NUMERIC\n@attribute class {'Iris setosa',virginica}\n"
    (tmp_path / "t.arff").write_text(text + "@DATA\n5.1,'Iris setosa'\n% one more\n?,virginica\n6.2,virginica\n")
    table = read(tmp_path / "t.arff")
    assert table.report.format == "arff"
    assert table.columns == ["sepal length", "class"]
    assert table.frame["sepal length"].isna().tolist() == [False, True, False]
    assert table.frame["class"].tolist() == ["Iris setosa", "virginica", "virginica"]


OFFICE = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
SHEET = """<?xml version="1.0"?><office:document-content {office}
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
<table:table table:name="Notes"><table:table-row><table:table-cell office:value-type="string"><text:p>Hello</text:p>
</table:table-cell></table:table-row></table:table><table:table table:name="Data">{rows}
<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16000"/>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def cell(value: object, repeated: int = 1) -> str:
    """Return a cell of an OpenDocument sheet."""
    times = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    if value is None:
        return f"<table:table-cell{times}/>"
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"{times}><text:p>{value}</text:p></table:table-cell>'
    if isinstance(value, datetime.date):
        return f'<table:table-cell office:value-type="date" office:date-value="{value}"{times}/>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"{times}/>'


def test_open_document_sheets(tmp_path: Path) -> None:
    rows = [["name", "a", "b", "day"], ["x", 1.5, 1.5, datetime.date(2024, 1, 2)], ["y", None, 2, None]]
    content = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    last = f"<table:table-row>{cell('z')}{cell(7, repeated=2)}{cell(datetime.date(2024, 2, 3))}</table:table-row>"
    with zipfile.ZipFile(tmp_path / "t.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", SHEET.format(office=OFFICE, rows=content + last))
    table = read(tmp_path / "t.ods")
    assert table.report.format == "open_document"
    assert table.report.sheets == ("Notes", "Data")
    assert table.frame["b"].tolist() == [1.5, 2, 7]
    assert table.frame["a"].isna().tolist() == [False, True, False]
    assert table.frame["day"].iloc[2] == pd.Timestamp("2024-02-03")


def test_cells_of_open_document_that_are_merged_downwards_have_their_value(tmp_path: Path) -> None:
    top = cell("north").replace("<table:table-cell", '<table:table-cell table:number-rows-spanned="3"')
    first = [*map(cell, ("region", "city")), top, cell("a")]
    rows = [
        first[:2],
        first[2:],
        ["<table:covered-table-cell/>", cell("b")],
        [cell(None), cell("c")],
        [cell(None), cell("d")],
    ]
    content = "".join(f"<table:table-row>{''.join(row)}</table:table-row>" for row in rows)
    with zipfile.ZipFile(tmp_path / "t.ods", "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", SHEET.format(office=OFFICE, rows=content))
    table = read(tmp_path / "t.ods")
    assert table.frame["region"].fillna("").tolist() == ["north", "north", "north", ""]
    assert "Cells that have the value of the one above, which they are merged with: 2." in table.report.notices


DOCUMENTS = {
    **{
        orient: FRAME.to_json(orient=orient, date_format="iso")
        for orient in ("split", "records", "index", "columns", "table")
    },
    "list": json.dumps({"name": ["Ann", "Bo", "Çelik"], "age": [41, None, 33]}),
    "key": json.dumps({"count": 3, "results": json.loads(FRAME.to_json(orient="records", date_format="iso"))}),
    "arrays": json.dumps([["name", "age"], ["Ann", 41], ["Bo", None], ["Çelik", 33]]),
    "pretty": json.dumps(json.loads(FRAME.to_json(orient="split", date_format="iso")), indent=2),
}


@pytest.mark.parametrize("shape", list(DOCUMENTS))
def test_the_usual_shapes_of_json(tmp_path: Path, shape: str) -> None:
    (tmp_path / "t.json").write_text(DOCUMENTS[shape], encoding="utf-8")
    table = read(tmp_path / "t.json")
    assert table.frame["name"].tolist() == ["Ann", "Bo", "Çelik"]
    assert table.frame["age"].tolist() == pytest.approx([41, np.nan, 33], nan_ok=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1::1193::5\n1::661::3\n2::914::3\n", [[1, 1193, 5], [1, 661, 3], [2, 914, 3]]),
        ("  x   y n\n 1.5 2  a\n10.25  33  b\n 3 4 c\n", [[1.5, 2, "a"], [10.25, 33, "b"], [3, 4, "c"]]),
        ("name      town\nAnn Lee   New York\nBo        Rome\n", [["Ann Lee", "New York"], ["Bo", "Rome"]]),
        ("root:x:0\ndaemon:x:1\nbin:x:2\n", [["root", "x", 0], ["daemon", "x", 1], ["bin", "x", 2]]),
    ],
)
def test_columns_that_stand_apart_in_other_ways(tmp_path: Path, text: str, expected: list[list[object]]) -> None:
    (tmp_path / "t.txt").write_text(text)
    assert read(tmp_path / "t.txt").frame.to_numpy().tolist() == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<?xml version='1.0'?><rows><row a='1'/></rows>", "is XML"),
        ("<!DOCTYPE html>\n<html><table><tr><td>1</td></tr></table></html>", "is a web page"),
        ("name: x\nage: 3\ncity: y\n", "is YAML"),
        ("---\n- a: 1\n  b: 2\n", "is YAML"),
        ("-- dump\nCREATE TABLE t (a INT);\nINSERT INTO t VALUES (1);\n", "a script of a database"),
        ("+1 1:0.5 3:0.2\n-1 2:1 5:3\n+1 1:3\n", "libsvm"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n", "a table of Markdown"),
        ('{"a": {"b": {"c": 1}}}', "one nested object"),
        ('{"a":' * 3_000 + "1" + "}" * 3_000, "nested too deeply"),
        ('{"a": [' + "9" * 5_000 + "]}", "damaged"),
    ],
)
def test_what_is_no_table_is_refused_by_its_name(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_table(tmp_path / "t.csv", workdir=tmp_path / "work")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("head", "said"),
    [(b"MATLAB 5.0 MAT-file", "MATLAB"), (b"X\n\x00\x00\x00\x03", "of R"), (b"\x89HDF\r\n\x1a\n", "HDF5")],
)
def test_other_formats_are_refused_by_their_name(tmp_path: Path, head: bytes, said: str) -> None:
    (tmp_path / "t.bin").write_bytes(head + bytes(200))
    with pytest.raises(InputError, match=said):
        read_table(tmp_path / "t.bin", workdir=tmp_path / "work")


@pytest.mark.parametrize("name", ["orc", "avro", "stata", "spss", "sas_transport", "sqlite", "open_document"])
def test_a_damaged_file_is_said_to_be(tmp_path: Path, name: str) -> None:
    write: dict[str, Callable[[Path], object]] = {
        "orc": lambda path: orc.write_table(pa.Table.from_pandas(FRAME), path),
        "avro": lambda path: path.write_bytes(b"Obj\x01" + bytes(range(200))),
        "stata": write_stata,
        "spss": write_spss,
        "sas_transport": lambda path: pyreadstat.write_xport(FRAME[["age"]], path),
        "sqlite": lambda path: path.write_bytes(b"SQLite format 3\x00" + bytes(range(256)) * 20),
        "open_document": lambda path: path.write_bytes(b"PK\x03\x04" + bytes(300)),
    }
    assert name in FILE_FORMATS
    write[name](tmp_path / "whole")
    content = (tmp_path / "whole").read_bytes()
    (tmp_path / "t.file").write_bytes(content[: max(110, len(content) // 2)])
    with pytest.raises(InputError):
        read_table(tmp_path / "t.file", workdir=tmp_path / "work")

"""The registry of file formats: every entry reads a file of its own, and one from outside works like the others."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import fastavro
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from pyarrow import orc

from core.datasets import FILE_FORMATS, FileFormat, SourceFile, read_table, readable_formats
from core.errors import InputError

FRAME = pd.DataFrame({"name": ["Ann", "Bob"], "count": [1, 2]})


def write_open_document(path: Path) -> None:
    rows = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{v}</text:p></table:table-cell>' for v in row)
        + "</table:table-row>"
        for row in [FRAME.columns, *FRAME.to_numpy()]
    )
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml", f'<office:body {spaces}><table:table table:name="s">{rows}</table:table></office:body>'
        )


def write_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        FRAME.to_sql("people", connection, index=False)


def write_avro(path: Path) -> None:
    fields = [{"name": "name", "type": "string"}, {"name": "count", "type": "long"}]
    with open(path, "wb") as file:
        fastavro.writer(file, {"type": "record", "name": "row", "fields": fields}, FRAME.to_dict("records"))


WRITERS = {
    "csv": lambda path: FRAME.to_csv(path, index=False),
    "json": lambda path: FRAME.to_json(path, orient="records", lines=True),
    "excel": lambda path: FRAME.to_excel(path, index=False),
    "parquet": lambda path: FRAME.to_parquet(path, index=False),
    "feather": lambda path: FRAME.to_feather(path),
    "open_document": write_open_document,
    "arff": lambda path: path.write_text(
        "@relation r\n@attribute name string\n@attribute count numeric\n@data\nAnn,1\nBob,2\n"
    ),
    "sqlite": write_database,
    "orc": lambda path: orc.write_table(pa.Table.from_pandas(FRAME, preserve_index=False), path),
    "avro": write_avro,
    "stata": lambda path: pyreadstat.write_dta(FRAME, path),
    "spss": lambda path: pyreadstat.write_sav(FRAME, path),
    "spss_portable": lambda path: pyreadstat.write_por(FRAME, path),
    "sas_transport": lambda path: pyreadstat.write_xport(FRAME, path),
}


def test_every_format_has_a_file_of_its_own() -> None:
    assert set(WRITERS) | {"sas"} == set(FILE_FORMATS), "nothing but SAS writes .sas7bdat"


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_is_recognized_read_and_listed(tmp_path: Path, name: str) -> None:
    record = FILE_FORMATS[name]
    path = tmp_path / f"table{record.extensions[0]}"
    WRITERS[name](path)
    table = read_table(path, workdir=tmp_path / "work")
    assert table.report.format == name
    assert table.report.notices == ()
    frame = table.frame.rename(columns=str.lower)  # SPSS's portable files have names in capitals
    pd.testing.assert_frame_equal(frame, FRAME, check_dtype=False)
    assert (record.title in readable_formats()) is record.upload
    assert all(ending.startswith(".") and ending.islower() for ending in record.extensions)


def read_fixed_width(file: SourceFile, _connection: object) -> pd.DataFrame:
    lines = file.sample.splitlines()[1:]
    return pd.read_fwf(StringIO("\n".join(lines)))


@pytest.fixture
def fixed_width() -> Iterator[FileFormat]:
    record = FILE_FORMATS.add(
        FileFormat(
            name="fixed_width",
            title="fixed-width text",
            extensions=(".fwf",),
            recognize=lambda file: file.is_text and file.sample.startswith("#fixed"),
            read=read_fixed_width,
        )
    )
    yield record
    FILE_FORMATS.remove(record.name)


def test_a_format_from_outside_is_read(tmp_path: Path, fixed_width: FileFormat) -> None:
    path = tmp_path / "people.fwf"
    path.write_text("#fixed\nname  age\nAnn    41\nBob    30\n", encoding="utf-8")
    table = read_table(path, workdir=tmp_path / "work")
    assert table.report.format == "fixed_width"
    assert table.report.types == {"name": "text", "age": "integer"}
    assert table.frame["age"].tolist() == [41, 30]
    assert [item.name for item in (tmp_path / "work").iterdir()] == ["table.parquet"]
    assert "fixed-width text (.fwf)" in readable_formats()


def test_the_name_is_compared_with_a_format_from_outside(tmp_path: Path, fixed_width: FileFormat) -> None:
    path = tmp_path / "people.csv"
    path.write_text("#fixed\nname  age\nAnn    41\nBob    30\n", encoding="utf-8")
    (notice,) = read_table(path, workdir=tmp_path / "work").report.notices
    assert notice == (
        "The name 'people.csv' promises delimited text, but the file is fixed-width text: "
        "it was read as fixed-width text."
    )


def test_what_no_format_recognizes_is_refused_with_a_list_of_formats(tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(range(32)) * 100)
    with pytest.raises(InputError, match="neither text nor a table") as caught:
        read_table(path)
    assert caught.value.hint == f"Upload {readable_formats()}."

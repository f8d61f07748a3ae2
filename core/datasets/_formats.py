"""The file formats: one record each, recognized by content, never by the name of the file."""

from __future__ import annotations

from core.datasets import _readers as readers
from core.datasets._attribute_relation import is_attribute_relation
from core.datasets._file_format import Container, FileFormat
from core.datasets._json import looks_like_json
from core.datasets._open_document import is_open_document
from core.datasets._unpack import unpack_gzip, unpack_zip
from core.registry import Registry

__all__ = ["CONTAINERS", "FILE_FORMATS"]

_SMALL_TEXT = 2 * 2**20
"""Size of delimited text below which all that is done to it takes little memory and time, whatever it contains."""
_XML_S_PER_MB = 4.0
"""Processor time for workbooks, which are packed and taken apart in Python (seconds per MB)."""
_TEXT_S_PER_MB = 0.25
"""Processor time for texts, which unlike other files are not packed: several times what they take (seconds per MB)."""


def _is_stata(head: bytes) -> bool:
    """Return whether bytes begin a Stata file: of version 117 on in tags, of versions 104 to 115 in numbers."""
    return head.startswith(b"<stata_dta>") or (
        len(head) > 100 and 104 <= head[0] <= 115 and head[1] in (1, 2) and head[2:4] in (b"\x01\x00", b"\x00\x00")
    )


FILE_FORMATS: Registry[FileFormat] = Registry(
    "file format",
    [
        FileFormat(
            name="csv",
            title="delimited text",
            extensions=(".csv", ".tsv", ".txt", ".tab", ".psv", ".dat", ".data"),
            recognize=lambda file: file.is_text,
            read=readers.read_delimited,
            isolated_from=_SMALL_TEXT,
            cpu_s_per_mb=_TEXT_S_PER_MB,
        ),
        FileFormat(
            name="json",
            title="JSON",
            extensions=(".jsonl", ".json", ".ndjson"),
            recognize=lambda file: file.is_text and looks_like_json(file.sample),
            read=readers.read_json,
            isolated_from=0,
            cpu_s_per_mb=_TEXT_S_PER_MB,
        ),
        FileFormat(
            name="excel",
            title="Excel",
            extensions=(".xlsx", ".xlsm", ".xls"),
            recognize=lambda file: "xl/workbook.xml" in file.members,
            read=readers.read_excel,
            isolated_from=0,
            cpu_s_per_mb=_XML_S_PER_MB,
        ),
        FileFormat(
            name="parquet",
            title="Parquet",
            extensions=(".parquet", ".pq"),
            recognize=lambda file: file.head.startswith(b"PAR1"),
            read=readers.read_parquet,
            typed=True,
            isolated_from=0,
        ),
        FileFormat(
            name="feather",
            title="Feather",
            extensions=(".feather", ".arrow", ".ipc"),
            recognize=lambda file: file.head.startswith(b"ARROW1"),
            read=readers.read_feather,
            typed=True,
            isolated_from=0,
        ),
        FileFormat(
            name="open_document",
            title="OpenDocument",
            extensions=(".ods",),
            recognize=lambda file: is_open_document(file.path, file.members),
            read=readers.read_open_document,
            isolated_from=0,
            cpu_s_per_mb=_XML_S_PER_MB,
        ),
        FileFormat(
            name="arff",
            title="ARFF",
            extensions=(".arff",),
            recognize=lambda file: file.is_text and is_attribute_relation(file.sample),
            read=readers.read_attribute_relation,
            isolated_from=0,
            cpu_s_per_mb=_TEXT_S_PER_MB,
        ),
        FileFormat(
            name="sqlite",
            title="SQLite",
            extensions=(".sqlite", ".db", ".sqlite3"),
            recognize=lambda file: file.head.startswith(b"SQLite format 3\x00"),
            read=readers.read_database,
            isolated_from=0,
        ),
        FileFormat(
            name="orc",
            title="ORC",
            extensions=(".orc",),
            recognize=lambda file: file.head.startswith(b"ORC") and not file.is_text,
            read=readers.read_orc_file,
            typed=True,
            isolated_from=0,
        ),
        FileFormat(
            name="avro",
            title="Avro",
            extensions=(".avro",),
            recognize=lambda file: file.head.startswith(b"Obj\x01"),
            read=readers.read_avro_file,
            typed=True,
            isolated_from=0,
        ),
        FileFormat(
            name="stata",
            title="Stata",
            extensions=(".dta",),
            recognize=lambda file: _is_stata(file.head),
            read=readers.statistics_reader("stata", "Stata"),
            typed=True,
            isolated_from=0,
        ),
        FileFormat(
            name="spss",
            title="SPSS",
            extensions=(".sav", ".zsav"),
            recognize=lambda file: file.head.startswith((b"$FL2", b"$FL3")),
            read=readers.statistics_reader("spss", "SPSS"),
            typed=True,
            isolated_from=0,
        ),
        FileFormat(
            name="spss_portable",
            title="SPSS portable",
            extensions=(".por",),
            recognize=lambda file: b"SPSS PORT FILE" in file.head[:300],
            read=readers.statistics_reader("spss_portable", "SPSS portable"),
            typed=True,
            isolated_from=0,
        ),
        FileFormat(
            name="sas",
            title="SAS",
            extensions=(".sas7bdat",),
            recognize=lambda file: file.head.startswith(b"\x00" * 12 + b"\xc2\xea\x81\x60"),
            read=readers.statistics_reader("sas", "SAS"),
            typed=True,
            isolated_from=0,
        ),
        FileFormat(
            name="sas_transport",
            title="SAS transport",
            extensions=(".xpt",),
            recognize=lambda file: file.head.startswith(b"HEADER RECORD*******LIB"),
            read=readers.statistics_reader("sas_transport", "SAS transport"),
            typed=True,
            isolated_from=0,
        ),
    ],
)
"""All formats by name. The last one that recognizes a file reads it, so formats of extensions have precedence."""

CONTAINERS: Registry[Container] = Registry(
    "container",
    [
        Container(
            name="gzip",
            title="gzip",
            extensions=(".gz", ".gzip"),
            recognize=lambda file: file.head.startswith(b"\x1f\x8b"),
            unpack=unpack_gzip,
        ),
        Container(
            name="zip",
            title="zip",
            extensions=(".zip",),
            recognize=lambda file: bool(file.members) or file.head.startswith(b"PK\x05\x06"),
            unpack=unpack_zip,
        ),
    ],
)

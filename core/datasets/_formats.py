"""File formats: one record each, recognized by content, never by the name of the file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from core.datasets import _readers as readers
from core.datasets._attribute_relation import is_attribute_relation
from core.datasets._json import looks_like_json
from core.datasets._limits import Limits
from core.datasets._open_document import is_open_document
from core.datasets._refused import UNREADABLE, is_pickle, pickle_error, refuse_office_zip
from core.datasets._relation import Relation
from core.datasets._source_file import SourceFile
from core.datasets._unpack import unpack_gzip, unpack_zip
from core.errors import InputError
from core.registry import Registry

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["CONTAINERS", "FILE_FORMATS", "Container", "FileFormat", "extension_notice", "identify", "readable_formats"]

_SMALL_TEXT = 2 * 2**20
"""Size of delimited text below which all that is done to it takes little memory and time, whatever it contains."""
_XML_S_PER_MB = 4.0
"""Processor time for workbooks, which are packed and taken apart in Python (seconds per MB)."""
_TEXT_S_PER_MB = 0.25
"""Processor time for texts, which unlike other files are not packed: several times what they take (seconds per MB)."""


@dataclass(frozen=True, kw_only=True)
class FileFormat:
    """A format that tables are read from.

    Parameters
    ----------
    name : str
        Name that `ReadReport.format` stores.
    title : str
        Name in sentences and lists, such as "Excel".
    extensions : tuple of str
        Usual endings of file names, in lower case, the most common first. They serve lists and notices; the content
        decides.
    recognize : callable
        Function of a `SourceFile` that returns whether its content has this format.
    read : callable
        Function of a `SourceFile` and a DuckDB connection that returns the table as a frame. (Formats of the product
        return an SQL relation, so that memory does not grow with the file.)
    upload : bool, default=True
        Whether users may upload such a file.
    typed : bool, default=False
        Whether the file has the types of its columns, so that nothing is decided on how it is read.
    isolated_from : int, optional
        Size in bytes from which on a file is read in a process of its own, with limits on memory and processor time,
        because its reader may take any amount of them or crash. Formats of other modules need
        ``PLUMBLINE_EXTENSIONS`` for this. By default none is.
    cpu_s_per_mb : float, default=1.0
        Processor time that such a process may take for each MB of the file beyond the first, in seconds.

    Examples
    --------
    >>> [format.title for format in FILE_FORMATS.values()][:2]
    ['delimited text', 'JSON']
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    recognize: Callable[[SourceFile], bool]
    read: Callable[[SourceFile, duckdb.DuckDBPyConnection], Relation | pd.DataFrame]
    upload: bool = True
    typed: bool = False
    isolated_from: int | None = None
    cpu_s_per_mb: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Container:
    """A format that packs one file of another format.

    Parameters
    ----------
    name : str
        Name that `ReadReport.compression` stores.
    title : str
        Name in sentences and lists.
    extensions : tuple of str
        Usual endings of file names, in lower case.
    recognize : callable
        Function of a `SourceFile` that returns whether its content has this format.
    unpack : callable
        Function that writes the packed file, given the container, the file to write, the limits, and the number of
        bytes after which it may end (None: all are written).
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    recognize: Callable[[SourceFile], bool]
    unpack: Callable[[Path, Path, Limits, int | None], object]


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


def _is_stata(head: bytes) -> bool:
    """Return whether bytes begin a Stata file: of version 117 on in tags, of versions 104 to 115 in numbers."""
    return head.startswith(b"<stata_dta>") or (
        len(head) > 100 and 104 <= head[0] <= 115 and head[1] in (1, 2) and head[2:4] in (b"\x01\x00", b"\x00\x00")
    )


def identify(file: SourceFile) -> FileFormat | Container:
    """Return the format of a file, by its content.

    Raises
    ------
    InputError
        When the file is empty, a pickle of any kind, or nothing that holds a table.
    """
    if not file.head.strip():
        raise InputError("The file is empty.", "Upload a file with a header and at least one row.")
    if is_pickle(file.head, complete=file.is_whole_head):
        raise pickle_error()
    refuse_office_zip(file.members)
    records: list[FileFormat | Container] = [*reversed([*FILE_FORMATS.values()]), *CONTAINERS.values()]
    for record in records:
        if record.recognize(file):
            return record
    for magic, (description, hint) in UNREADABLE.items():
        if file.head.startswith(magic):
            raise InputError(f"The file is {description}, which is not read.", hint or _upload_hint())
    raise InputError("The file is neither text nor a table in a known format.", _upload_hint())


def readable_formats(most: int | None = None) -> str:
    """Return a list of the formats that users may upload, for labels and hints.

    Parameters
    ----------
    most : int, optional
        Number of formats to name; the others are counted. By default all are named.

    Examples
    --------
    >>> print(readable_formats()[:61] + "...")
    delimited text (.csv, .tsv), JSON (.jsonl, .json), Excel (.xl...
    >>> print(readable_formats(2)[:60] + "...")
    delimited text (.csv, .tsv), JSON (.jsonl, .json) or 13 more...
    """
    titles = [f"{item.title} ({', '.join(item.extensions[:2])})" for item in FILE_FORMATS.values() if item.upload]
    if most is not None and len(titles) > most + 1:
        titles = [*titles[:most], f"{len(titles) - most} more formats"]
    containers = " or ".join(container.title for container in CONTAINERS.values())
    return f"{', '.join(titles[:-1])} or {titles[-1]}; also in {containers}"


def _upload_hint() -> str:
    return f"Upload {readable_formats()}."


def extension_notice(name: str, formats: Sequence[FileFormat | Container]) -> str | None:
    """Return a notice when a file's name promises another format than its content has.

    Parameters
    ----------
    name : str
        Name that the user gave the file.
    formats : sequence of FileFormat or Container
        Formats of the content, the outermost first.

    Examples
    --------
    >>> extension_notice("table.csv", [FILE_FORMATS["parquet"]])
    "The name 'table.csv' promises delimited text, but the file is Parquet: it was read as Parquet."
    >>> extension_notice("table.csv.gz", [CONTAINERS["gzip"], FILE_FORMATS["csv"]])
    """
    suffixes = [suffix.casefold() for suffix in reversed(PurePath(name).suffixes)]
    records: list[FileFormat | Container] = [*FILE_FORMATS.values(), *CONTAINERS.values()]
    for suffix, actual in zip(suffixes, formats, strict=False):
        promised = [record for record in records if suffix in record.extensions]
        if not promised:
            return None
        if actual not in promised:
            return (
                f"The name {name!r} promises {promised[0].title}, but the file is {actual.title}: "
                f"it was read as {actual.title}."
            )
    return None

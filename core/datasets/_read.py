"""Read a file of any supported format into a Parquet file, a report and a fingerprint."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from core.datasets._columnar import ColumnarTable, feather_table, parquet_table
from core.datasets._delimited import Source, delimited_source, rejected_rows
from core.datasets._dialect import Layout, detect_layout
from core.datasets._encoding import to_utf8
from core.datasets._excel import excel_to_csv
from core.datasets._fingerprint import fingerprint
from core.datasets._formats import extension_notice, identify
from core.datasets._json import json_table, looks_like_json
from core.datasets._limits import Limits
from core.datasets._names import repair_names
from core.datasets._table import Dialect, ReadReport, SkippedRow, Table
from core.datasets._types import TextColumn, choose_types
from core.datasets._unpack import unpack
from core.errors import InputError, LimitError
from core.progress import Event, Report, silent
from core.query import connect, identifier, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["read_table"]

_SAMPLE_BYTES = 2**20
_MAX_LAYERS = 2


@dataclass
class _Found:
    """A relation that is ready to be stored, and what was learnt on the way."""

    relation: str
    names: Sequence[str]
    columns: Sequence[TextColumn]
    rows: int
    dialect: Dialect | None = None
    encoding: str | None = None
    skipped: int = 0
    skipped_rows: tuple[SkippedRow, ...] = ()
    notices: list[str] = field(default_factory=list)


def read_table(
    path: str | Path,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    workdir: str | Path | None = None,
    report: Report | None = None,
) -> Table:
    """Read CSV or other delimited text, JSON lines, Excel, Parquet or Feather, also in gzip or zip.

    The format is told by the content, not by the name. Memory does not grow with the file: DuckDB reads it as a
    stream and writes Parquet, and no pandas frame is made. Every row is kept but those that cannot be read as one
    (wrong number of fields, broken quotes); they are counted and shown in the report. A column gets the narrowest
    of the types boolean, integer, number, date, timestamp and text that holds each of its values without loss.

    Parameters
    ----------
    path : path
        The file.
    name : str, optional
        What the user calls it; the file's own name by default.
    limits : Limits, optional
        Largest table that is read; those of the installation (``PLUMBLINE_MAX_*``) by default.
    workdir : path, optional
        Folder for the Parquet file and for temporary ones; a new temporary folder by default.
    report : callable, optional
        Receives progress events.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        When the file is missing, empty, damaged, a pickle, or holds no table. Nothing is left behind.
    LimitError
        When it is larger than the limits, unpacked or not.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.csv").write_text("zip;price\\n00123;1,5\\n99999;?\\n", encoding="utf-8")
    >>> table = read_table(folder / "a.csv")
    >>> table.report.types, table.report.missing_markers
    ({'zip': 'text', 'price': 'number'}, {'price': {'?': 1}})
    """
    source = Path(path)
    limits = limits or Limits.from_settings()
    tell = report or silent
    called = name or source.name
    if not source.is_file():
        what = "a folder" if source.is_dir() else "not there"
        raise InputError(f"The file {source.name!r} is {what}.", "Choose a file.")
    limits.check_file(source.stat().st_size)
    with _folders(workdir) as (folder, scratch):
        out = folder / "table.parquet"
        tell(Event("read", 0.0, "Looking at the file"))
        content, formats = _unpacked(source, scratch, limits)
        tell(Event("read", 0.1, "Finding the types of the columns"))
        with connect(scratch) as connection:
            kind, found = _find(connection, content, formats[-1], scratch, limits)
            formats[-1] = kind
            if not found.rows:
                raise InputError("The file has no rows below its header.", "Upload a file with at least one row.")
            limits.check_shape(found.rows, len(found.names))
            names, renamed = repair_names(found.names)
            tell(Event("read", 0.4, f"Storing {found.rows:,} rows"))
            _store(connection, found, names, out)
        tell(Event("read", 0.8, "Taking the fingerprint"))
        notice = extension_notice(called, [*formats])
        named = dict(zip(names, found.columns, strict=True))
        result = ReadReport(
            rows=found.rows,
            columns=len(names),
            format="csv" if kind == "text" else kind,
            compression=formats[0] if len(formats) > 1 else None,
            encoding=found.encoding,
            dialect=found.dialect,
            skipped=found.skipped,
            skipped_rows=found.skipped_rows,
            renamed=renamed,
            missing_markers={n: column.markers for n, column in named.items() if column.markers},
            types={n: column.kind for n, column in named.items()},
            notices=(
                *([notice] if notice else []),
                *found.notices,
                *(f"Column {n!r} {column.notice}." for n, column in named.items() if column.notice),
            ),
        )
        table = Table(PurePath(called).name.split(".")[0] or called, out, result, fingerprint(out))
    tell(Event("read", 1.0, f"{result.rows:,} rows, {result.columns:,} columns"))
    return table


@contextmanager
def _folders(workdir: str | Path | None) -> Iterator[tuple[Path, Path]]:
    """A folder for the table and one for scratch files; after an error, nothing that was made here is left."""
    folder = Path(workdir) if workdir is not None else Path(tempfile.mkdtemp(prefix="plumbline-"))
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="reading-", dir=folder))
    done = False
    try:
        yield folder, scratch
        done = True
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        if not done and workdir is None:
            shutil.rmtree(folder, ignore_errors=True)


def _unpacked(path: Path, scratch: Path, limits: Limits) -> tuple[Path, list[str]]:
    """Take the file out of gzip and zip; return it with the formats found, the outermost first."""
    formats: list[str] = [identify(path)]
    while formats[-1] in ("gzip", "zip"):
        if len(formats) > _MAX_LAYERS:
            raise InputError("The file is packed more than twice.", "Upload the table itself.")
        inner = scratch / f"unpacked-{len(formats)}"
        unpack(path, formats[-1], inner, limits)
        path = inner
        formats.append(identify(path))
    return path, formats


def _find(
    connection: duckdb.DuckDBPyConnection, path: Path, kind: str, scratch: Path, limits: Limits
) -> tuple[str, _Found]:
    """Make a relation of the file, whatever its format; also return the format's final name."""
    if kind == "parquet":
        return kind, _typed(parquet_table(connection, path, limits))
    if kind == "feather":
        return kind, _typed(feather_table(connection, path, scratch / "feather.parquet", limits))
    if kind == "excel":
        staged = scratch / "sheet.csv"
        layout = excel_to_csv(path, staged, limits)
        found = _delimited(connection, staged, layout, limits)
        found.dialect = None
        return kind, found
    text = to_utf8(path, scratch / "text", limits)
    with text.path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES).decode("utf-8", errors="ignore")
    if looks_like_json(sample):
        kind, found = "json", _json(connection, text.path, limits, array=sample.lstrip("\ufeff \t\r\n")[:1] == "[")
    else:
        layout = detect_layout(sample, complete=text.path.stat().st_size <= _SAMPLE_BYTES)
        found = _delimited(connection, text.path, layout, limits)
    found.encoding = text.encoding
    found.notices = [*text.notices, *found.notices]
    return kind, found


def _typed(table: ColumnarTable) -> _Found:
    return _Found(table.relation, table.names, table.columns, table.rows)


def _json(connection: duckdb.DuckDBPyConnection, path: Path, limits: Limits, *, array: bool) -> _Found:
    table = json_table(connection, path, limits, array=array)
    rows, columns = choose_types(connection, table.source, table.strings)
    return _Found(
        table.source.rows,
        table.names,
        columns,
        rows,
        skipped=table.skipped,
        skipped_rows=table.skipped_rows,
        notices=table.notices,
    )


def _delimited(connection: duckdb.DuckDBPyConnection, path: Path, layout: Layout, limits: Limits) -> _Found:
    import duckdb

    limits.check_columns(len(layout.names))
    source: Source = delimited_source(path, layout)
    try:
        rows, columns = choose_types(connection, source)
    except duckdb.InvalidInputException as error:
        raise InputError("The rows cannot be told apart.", "Save the table as CSV in UTF-8 again.") from error
    skipped, first = rejected_rows(connection, len(layout.names))
    if skipped > rows:
        raise InputError(
            f"{skipped:,} of {skipped + rows:,} rows do not have {len(layout.names)} fields, as the first ones have.",
            "Check the delimiter and the quotes, or save the table as CSV again.",
        )
    return _Found(
        source.rows,
        layout.names,
        columns,
        rows,
        dialect=layout.dialect,
        skipped=skipped,
        skipped_rows=first,
        notices=list(layout.notices),
    )


def _store(connection: duckdb.DuckDBPyConnection, found: _Found, names: Sequence[str], out: Path) -> None:
    """Write the relation as Parquet; `out` appears only when it is complete."""
    import duckdb

    part = out.with_suffix(".part")
    selected = ", ".join(f"{column.sql} AS {identifier(n)}" for column, n in zip(found.columns, names, strict=True))
    try:
        (stored,) = connection.execute(
            f"COPY (SELECT {selected} FROM {found.relation}) TO {literal(part)} (FORMAT parquet)"
        ).fetchone() or (0,)
        if stored != found.rows:  # the reader drops a row whose cast fails; types are chosen so that none does
            raise InputError(
                f"Only {stored:,} of {found.rows:,} rows could be stored.", "Please report this file: it is a fault."
            )
        part.replace(out)
    except duckdb.OutOfMemoryException as error:
        raise LimitError("The table needs more memory than reading may take.", "Upload it in parts.") from error
    except duckdb.Error as error:
        raise InputError("The file is damaged: not all of it can be read.", "Write it again and upload it.") from error
    finally:
        part.unlink(missing_ok=True)

"""Reading: from a file of any supported format to a Parquet file, a report and a fingerprint."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath

from core.datasets._build import build_table
from core.datasets._excerpt import START_BYTES, start_of_text
from core.datasets._failures import failures_reported
from core.datasets._file_format import Container, FileFormat
from core.datasets._identify import identify
from core.datasets._isolation import build_isolated, is_isolated
from core.datasets._limits import Limits
from core.datasets._options import ReadOptions
from core.datasets._readers import head_of
from core.datasets._source_file import SourceFile
from core.datasets._table import ReadReport, Table
from core.errors import InputError
from core.progress import Event, Report, silent

__all__ = ["detect_format", "first_lines", "read_table"]

_MAX_LAYERS = 2


def read_table(
    path: str | Path,
    *,
    name: str | None = None,
    limits: Limits | None = None,
    options: ReadOptions | None = None,
    like: Table | ReadReport | Mapping[str, str] | None = None,
    start_only: bool = False,
    workdir: str | Path | None = None,
    report: Report | None = None,
) -> Table:
    """Read a table from a file of any format in `FILE_FORMATS`, also in gzip or zip.

    The content decides which format it is, not the name. Memory does not grow with the file: DuckDB reads it as a
    stream and writes Parquet, and no pandas frame is made. Whatever a file contains, reading it stays within the limits
    on memory and processor time: all but small delimited texts are read in a process of their own. Every row is kept,
    except those that cannot be read (wrong number of fields, broken quotes); they are counted and shown in the report.
    A column gets the narrowest of the types boolean, integer, number, date, timestamp and text that holds each of its
    values without loss.

    Parameters
    ----------
    path : path
        File to read.
    name : str, optional
        Name that the user gave the file; by default the name in `path`.
    limits : Limits, optional
        Largest table that is read, and the memory and processor time that reading may take; by default those of the
        installation (``PLUMBLINE_MAX_*``, ``PLUMBLINE_READ_*``).
    options : ReadOptions, optional
        Decisions on how it is read; by default all are made from the content. Those of a report repeat its reading.
    like : Table, ReadReport or mapping, optional
        Table with the types that the columns of this one should have, and what was chosen for it (missing markers, a
        sheet, a date order) where `options` choose nothing; or `ReadReport.grammar` of one, for the types alone. Cells
        without a value that is written in that way become missing, and are counted; a column of plain numbers or dates
        stays text if a cell is neither, unless its type was chosen in spite of such cells. Other columns are read as
        without it. `ReadReport.given` has what was taken over.
    start_only : bool, default=False
        Read only the start of the file: the first MiB of a text, the first 1,000 rows of a sheet or of a table of a
        database; files of other formats are read whole. `ReadReport.complete` says whether there was more. Decisions
        that rest on cells may be others for the whole file.
    workdir : path, optional
        Folder for the Parquet file and for temporary files; by default a new temporary folder.
    report : callable, optional
        Function that receives progress events.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        When the file is missing, empty, damaged, a pickle, or does not hold a table. Nothing is left behind.
    LimitError
        When it is larger than the limits, unpacked or not, or needs more memory or processor time.
    StorageError
        When the disk is full, or fails.

    See Also
    --------
    load_frame : Load a stored table into memory.
    profile : Describe its columns.

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
    like = like.report if isinstance(like, Table) else like
    options = options or ReadOptions()
    if isinstance(like, ReadReport):
        options = options.with_defaults(like.given)
    limits = limits or Limits.from_settings()
    report = report or silent
    user_name = name or source.name
    if not source.is_file():
        problem = "is a folder" if source.is_dir() else "does not exist"
        raise InputError(f"The file {source.name!r} {problem}.", "Choose a file.")
    limits.check_file(source.stat().st_size)
    with _folders(workdir) as (folder, scratch):
        report(Event("read", 0.0, "Recognizing the format"))
        with failures_reported("packed", limits):
            file, containers, file_format = _unpack(SourceFile(source, scratch, limits, options, start_only=start_only))
        file.like, file.lossy = _grammar(like)
        build = build_isolated if is_isolated(file, file_format) else build_table
        built = build(file, user_name, containers, file_format, report)
        path = built.path.replace(folder / "table.parquet")
    table = Table(PurePath(user_name).name.split(".")[0] or user_name, path, built.report, built.fingerprint)
    report(Event("read", 1.0, f"{table.rows:,} rows, {len(table.columns):,} columns"))
    return table


def detect_format(path: str | Path, *, options: ReadOptions | None = None) -> FileFormat:
    """Return the format of a file, of what it packs if it is a container. Only the start of a text is looked at.

    Parameters
    ----------
    path : path
        The file.
    options : ReadOptions, optional
        Decisions on how it is read.

    Raises
    ------
    InputError, LimitError
        As `read_table` does for a file of no known format.
    """
    with _start_of(path, options) as (_, file_format):
        return file_format


def first_lines(path: str | Path) -> tuple[str, ...]:
    """Return the first lines of a text, shortened, also of one that holds no table; of any other file none."""
    with _start_of(path, None) as (file, _):
        return head_of(file.sample) if file.is_text else ()


@contextmanager
def _start_of(path: str | Path, options: ReadOptions | None) -> Iterator[tuple[SourceFile, FileFormat]]:
    """Yield the start of a file, out of its containers, and its format; what that needs is removed at the end."""
    limits = Limits.from_settings()
    with _folders(None) as (folder, scratch), failures_reported("packed", limits):
        try:
            file, _, file_format = _unpack(SourceFile(Path(path), scratch, limits, options, start_only=True))
            yield file, file_format
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _grammar(like: ReadReport | Mapping[str, str] | None) -> tuple[Mapping[str, str], Collection[str]]:
    """Return types by column, and the columns that keep them though cells have no such value."""
    if not isinstance(like, ReadReport):
        return like or {}, ()
    integers = {name: kind for name, kind in like.types.items() if kind == "integer"}
    return {**like.grammar(), **integers}, tuple(like.lost)


@contextmanager
def _folders(workdir: str | Path | None) -> Iterator[tuple[Path, Path]]:
    """Yield a folder for the table and one for scratch files; after an error, both are removed."""
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


def _unpack(file: SourceFile) -> tuple[SourceFile, list[Container], FileFormat]:
    """Return the packed file, the containers around it (the outermost first) and its format."""
    containers: list[Container] = []
    file = start_of_text(file) if file.start_only else file
    while isinstance(record := identify(file), Container):
        containers.append(record)
        if len(containers) > _MAX_LAYERS:
            raise InputError("The file is packed more than twice.", "Upload the table itself.")
        file = _open(record, file, file.scratch / f"unpacked-{len(containers)}")
    return file, containers, record


def _open(container: Container, file: SourceFile, out: Path) -> SourceFile:
    """Return the file that a container packs, or its start if that is enough."""
    if file.start_only:
        container.unpack(file.path, out, file.limits, START_BYTES + 1)
        start = start_of_text(SourceFile(out, file.scratch, file.limits, file.options, start_only=True))
        if not start.complete or out.stat().st_size <= START_BYTES:
            return start
    container.unpack(file.path, out, file.limits, None)
    return SourceFile(out, file.scratch, file.limits, file.options, start_only=file.start_only)

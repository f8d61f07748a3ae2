"""The record of a file format, and that of a format which packs one file of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._limits import Limits
from core.datasets._relation import Relation
from core.datasets._source_file import SourceFile

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["Container", "FileFormat", "FileType"]


@dataclass(frozen=True, kw_only=True)
class FileType:
    """What a file may be, by its content.

    Parameters
    ----------
    name : str
        Name that reports store.
    title : str
        Name in sentences and lists, such as "Excel".
    extensions : tuple of str
        Usual endings of file names, in lower case, the most common first. They serve lists and notices; the content
        decides.
    recognize : callable
        Function of a `SourceFile` that returns whether its content is this.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    recognize: Callable[[SourceFile], bool]


@dataclass(frozen=True, kw_only=True)
class FileFormat(FileType):
    """A format that tables are read from. `ReadReport.format` has its name.

    Parameters
    ----------
    name, title, extensions, recognize
        Fields of every `FileType`.
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
    >>> from core.datasets import FILE_FORMATS
    >>> [format.title for format in FILE_FORMATS.values()][:2]
    ['delimited text', 'JSON']
    """

    read: Callable[[SourceFile, duckdb.DuckDBPyConnection], Relation | pd.DataFrame]
    upload: bool = True
    typed: bool = False
    isolated_from: int | None = None
    cpu_s_per_mb: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Container(FileType):
    """A format that packs one file of another format. `ReadReport.compression` has its name.

    Parameters
    ----------
    name, title, extensions, recognize
        Fields of every `FileType`.
    unpack : callable
        Function that writes the packed file, given the container, the file to write, the limits, and the number of
        bytes after which it may end (None: all are written).
    """

    unpack: Callable[[Path, Path, Limits, int | None], object]

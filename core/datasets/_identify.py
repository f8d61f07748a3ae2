"""Which format a file has, by its content, and what is said of formats to users."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from core.datasets._file_format import Container, FileFormat
from core.datasets._formats import CONTAINERS, FILE_FORMATS
from core.datasets._refused import UNREADABLE, is_pickle, pickle_error, refuse_office_zip
from core.datasets._source_file import SourceFile
from core.errors import InputError

__all__ = ["extension_notice", "identify", "readable_formats"]


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

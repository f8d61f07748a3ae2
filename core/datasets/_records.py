"""The records of a delimited file: what became of its lines, and a copy of those that can be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.datasets._table import LineCounts, SkippedRow

__all__ = ["BLOCK", "MAX_RECORD_BYTES", "SHOWN_ROWS", "CleanCopy", "Records"]

SHOWN_ROWS = 20
MAX_RECORD_BYTES = 2_000_000
BLOCK = 2**22
"""Bytes that are read at once: few enough for what is computed of them to stay in the cache."""


@dataclass
class Records:
    """The records of a delimited file.

    The lines of the file are ``lead_lines + header_lines + rows + continuation_lines + blank_lines + skipped_lines``.

    Parameters
    ----------
    path : Path
        File with the rows that can be read: the file itself when those are all, otherwise a copy.
    skip : int
        Number of lines of `path` before the first row.
    rows : int, default=0
        Number of rows that can be read.
    lines : int, default=0
        Number of lines of the file.
    lead_lines, header_lines : int, default=0
        Number of lines before the header, and of the header.
    continuation_lines : int, default=0
        Number of further lines of rows whose fields have line breaks.
    blank_lines : int, default=0
        Number of lines without text between rows.
    skipped : int, default=0
        Number of records that cannot be read.
    skipped_lines : int, default=0
        Number of lines of these records.
    skipped_rows : tuple of SkippedRow, default=()
        The first `SHOWN_ROWS` of them.
    literal_quotes : int, default=0
        Number of rows with quotes that neither open nor close a field and are kept as they are.
    """

    path: Path
    skip: int
    rows: int = 0
    lines: int = 0
    lead_lines: int = 0
    header_lines: int = 0
    continuation_lines: int = 0
    blank_lines: int = 0
    skipped: int = 0
    skipped_lines: int = 0
    skipped_rows: tuple[SkippedRow, ...] = ()
    literal_quotes: int = 0

    def line_counts(self) -> LineCounts:
        """Return what became of the lines."""
        return LineCounts(
            total=self.lines,
            lead=self.lead_lines,
            header=self.header_lines,
            continuation=self.continuation_lines,
            blank=self.blank_lines,
            skipped=self.skipped_lines,
        )


class CleanCopy:
    """A copy of the readable rows, begun at the first record that is not copied as it is."""

    def __init__(self, source: Path, path: Path) -> None:
        self._source, self._path = source, path
        self._file: BinaryIO | None = None

    def __enter__(self) -> CleanCopy:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def used(self) -> bool:
        """Whether the copy was begun."""
        return self._file is not None

    def begin(self, start: int, end: int) -> None:
        """Begin the copy with the bytes from `start` to `end` of the file."""
        self._file = self._path.open("wb")
        with self._source.open("rb") as source:
            source.seek(start)
            left = end - start
            while left > 0 and (part := source.read(min(left, BLOCK))):
                self._file.write(part)
                left -= len(part)

    def write(self, data: bytes | memoryview) -> None:
        """Add to the copy, if it was begun."""
        if self._file is not None:
            self._file.write(data)

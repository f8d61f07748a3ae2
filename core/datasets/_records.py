"""The records of a delimited file: where each begins and ends, how many fields it has, and which cannot be read.

One pass over the bytes decides it for the whole file, so that no reader has to skip anything later. A quote opens a
field only at the field's start, and closes it only at its end. A record whose quotes cannot be right is read again as a
single line, with its quotes as they are, so that a stray quote costs one line at most. The rules of well-formed files
are those of RFC 4180.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from core.datasets._dialect import Layout
from core.datasets._quotes import QuoteRoles, join_fields, split_literally
from core.datasets._table import LineCounts, SkippedRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MAX_RECORD_BYTES", "SHOWN_ROWS", "Records", "scan_records"]

SHOWN_ROWS = 20
MAX_RECORD_BYTES = 2_000_000
_BLOCK = 2**22  # small enough for what is computed of it to stay in the cache
_MAX_JOINED = 50  # lines that a field with a wrong quote may span
_BOM = b"\xef\xbb\xbf"
_WRONG_QUOTE = "a quote that is not closed, or is inside a field"
_NUMBER = re.compile(rb"\s*[+-]?\d[\d.,:/-]*\s*")


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


def scan_records(path: Path, layout: Layout, clean: Path) -> Records:
    """Find the records of a file.

    Parameters
    ----------
    path : Path
        Text file in UTF-8 with uniform line ends; it may begin with a byte order mark.
    layout : Layout
        Dialect and column names.
    clean : Path
        File to write the readable rows to, if not all of them are.

    Returns
    -------
    Records

    Examples
    --------
    >>> import tempfile
    >>> from core.datasets._dialect import detect_layout
    >>> folder = Path(tempfile.mkdtemp())
    >>> text = 'a,b\\n1,x\\n2,"open\\n3,y\\n4,y,z\\n'
    >>> _ = (folder / "a.csv").write_text(text)
    >>> records = scan_records(folder / "a.csv", detect_layout(text, complete=True), folder / "clean.csv")
    >>> records.rows, records.literal_quotes, records.skipped_rows
    (3, 1, (SkippedRow(line=5, reason='too many fields: the table has 2', text='4,y,z'),))
    """
    dialect = layout.dialect
    records = Records(path, skip=dialect.lead_lines + dialect.header)
    with path.open("rb") as source, _CleanCopy(path, clean) as copy:
        line_end = b"\r\n" if source.readline().endswith(b"\r\n") else b"\n"
        source.seek(0)
        if source.read(len(_BOM)) != _BOM:
            source.seek(0)
        lead = [source.readline() for _ in range(dialect.lead_lines)]
        records.lead_lines = records.lines = sum(bool(line) for line in lead)
        # A reader that skips lines minds their quotes.
        quoted = any(dialect.quote.encode() in line for line in lead)
        scan = _Scan(layout, records, copy, source.tell(), line_end, copied=quoted)
        buffer = b""
        while block := source.read(_BLOCK):
            buffer = scan.add(buffer + block, final=False)
        scan.add(buffer, final=True)
    if copy.used:
        records.path, records.skip = clean, 0
    return records


class _CleanCopy:
    """A copy of the readable rows, begun at the first record that is not copied as it is."""

    def __init__(self, source: Path, path: Path) -> None:
        self._source, self._path = source, path
        self._file: BinaryIO | None = None

    def __enter__(self) -> _CleanCopy:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def used(self) -> bool:
        return self._file is not None

    def begin(self, start: int, end: int) -> None:
        """Begin the copy with the bytes from `start` to `end` of the file."""
        self._file = self._path.open("wb")
        with self._source.open("rb") as source:
            source.seek(start)
            left = end - start
            while left > 0 and (part := source.read(min(left, _BLOCK))):
                self._file.write(part)
                left -= len(part)

    def write(self, data: bytes | memoryview) -> None:
        if self._file is not None:
            self._file.write(data)


class _Scan:
    """The pass over a file, block by block."""

    def __init__(
        self, layout: Layout, records: Records, copy: _CleanCopy, start: int, line_end: bytes, *, copied: bool
    ) -> None:

        dialect = layout.dialect
        self._delimiter, self._quote = dialect.delimiter.encode(), dialect.quote.encode()
        self._escape = layout.escape.encode()
        self._width = len(layout.names)
        self._records, self._copy, self._copied = records, copy, copied
        self._offset = start  # of the block in the file
        self._rows_start = start  # of the first row in the file
        self._headers = dialect.header + (dialect.header and layout.units)  # rows before the first one that are to come
        self._line_end = line_end  # uniform: readers refuse files in which it is not

    def add(self, text: bytes, *, final: bool) -> bytes:
        """Scan the records of a block, and return the part that belongs to the next one."""
        import numpy as np

        if final and text and not text.endswith(b"\n"):
            text += self._line_end
        array = np.frombuffer(text, dtype=np.uint8)
        special = array == 10
        for character in (self._delimiter, self._quote):
            if character:
                special |= array == ord(character)
        marks = np.flatnonzero(special)
        marked = array[marks]
        quotes = np.flatnonzero(marked == ord(self._quote)) if self._quote else marks[:0]
        roles = None
        if len(quotes):
            delimiter = ord(self._delimiter) if self._delimiter else -1
            roles = QuoteRoles(array, marks[quotes], delimiter, ord(self._quote), ord(self._escape), final)
            quotes = quotes[roles.kept]
        start = 0
        while start < len(text):
            wrong = roles.run(start) if roles else None
            first, last = np.searchsorted(marks, (start, len(text) if wrong is None else wrong))
            inside = None
            if roles:
                some = slice(*np.searchsorted(quotes, (first, last)))
                inside = np.zeros(last - first, dtype=bool)
                inside[quotes[some] - first] = roles.structural[some]
                inside = np.cumsum(inside, dtype=np.int32) & 1 == 1
            start = self._take(text, array, start, marks[first:last], marked[first:last], inside)
            if wrong is None and (final or len(text) - start <= MAX_RECORD_BYTES):
                break
            end = self._take_literally(text, start, final=final)
            if end is None:
                break
            start = end
        self._offset += start
        return text[start:]

    def _take(
        self,
        text: bytes,
        array: NDArray[np.uint8],
        start: int,
        marks: NDArray[np.int64],
        marked: NDArray[np.uint8],
        inside: NDArray[np.bool_] | None,
    ) -> int:
        """Take the records from `start` on that end within these marks; return where the last one ends."""
        import numpy as np

        records, width = self._records, self._width
        if (end := self._take_sound(text, start, marks, marked, inside)) is not None:
            return end
        if inside is None:
            inside = np.zeros(len(marks), dtype=bool)
        newline = marked == 10
        closing = np.flatnonzero(newline & ~inside)
        if not len(closing):
            return start
        ends = marks[closing]
        starts = np.append(start, ends[:-1] + 1)
        line_of_end = np.cumsum(newline, dtype=np.int32)[closing]  # lines up to and with the record
        lines = np.diff(line_of_end, prepend=0)
        delimiters = marked == ord(self._delimiter) if self._delimiter else np.zeros(len(marked), dtype=bool)
        widths = np.diff(np.cumsum(delimiters & ~inside, dtype=np.int32)[closing], prepend=0) + 1
        lengths = ends - starts
        blank = (lengths == 0) | ((lengths == 1) & (array[starts] == 13))
        bad = ((widths != width) | (lengths > MAX_RECORD_BYTES)) & ~blank
        several = lines > 1
        swallowed = np.zeros(len(ends), dtype=bool)
        if width > 1 and several.any():
            at = np.flatnonzero(newline)
            whole = np.diff(np.cumsum(delimiters)[at], prepend=0) + 1 == width  # as if there were no quotes
            swallowed = several & (np.diff(np.cumsum(whole)[line_of_end - 1], prepend=0) == lines)
        before = records.lines
        records.lines += int(line_of_end[-1])
        first = min(self._headers, len(ends))
        if first:
            self._headers -= first
            records.header_lines += int(lines[:first].sum())
            self._rows_start = self._offset + int(ends[first - 1]) + 1
            self._copied |= records.header_lines > 1
        if self._copied and not self._headers and not self._copy.used:
            self._copy.begin(self._rows_start, self._rows_start)
        rest = slice(first, None)
        special = bad[rest] | swallowed[rest] | (blank[rest] if width == 1 else False)
        records.rows += len(ends) - first - int(special.sum()) - (0 if width == 1 else int(blank[rest].sum()))
        records.blank_lines += int(blank[rest].sum())
        records.continuation_lines += int((lines - 1)[rest][~special].sum())
        done = int(starts[first]) if first < len(starts) else int(ends[-1]) + 1
        for index in (np.flatnonzero(special) + first).tolist():
            begin, end = int(starts[index]), int(ends[index]) + 1
            if not self._begin_copy(begin):
                self._copy.write(memoryview(text)[done:begin])
            done = end
            record, count = text[begin : end - 1], int(lines[index])
            line = before + int(line_of_end[index]) - count + 1
            if blank[index]:
                continue
            if bad[index] and not record.strip():
                records.blank_lines += 1
            elif bad[index]:
                self._skip(line, record, count, self._misfit(int(widths[index]), int(lengths[index])))
            elif self._are_rows(record):
                for single in record.split(b"\n"):
                    self._add_literally(single, 1)
            else:
                self._copy.write(memoryview(text)[begin:end])
                records.rows += 1
                records.continuation_lines += count - 1
        end = int(ends[-1]) + 1
        self._copy.write(memoryview(text)[done:end])
        return end

    def _take_sound(
        self,
        text: bytes,
        start: int,
        marks: NDArray[np.int64],
        marked: NDArray[np.uint8],
        inside: NDArray[np.bool_] | None,
    ) -> int | None:
        """Take the records if each is one line with as many fields as the table, which is most often so.

        Then every so many marks outside of quotes there is a line end. None when that is not so.
        """
        import numpy as np

        records, width = self._records, self._width
        if self._headers or self._copied or width == 1:
            return None
        if inside is not None:
            lines = np.count_nonzero(marked == 10)
            outside = ~inside & (marked != ord(self._quote))
            marks, marked = marks[outside], marked[outside]
            if np.count_nonzero(marked == 10) != lines:
                return None
        whole = len(marks) // width * width
        ends = marks[width - 1 : whole : width]
        newline = marked == 10
        if not len(ends) or not newline[width - 1 : whole : width].all() or newline.sum() != len(ends):
            return None
        if np.diff(ends, prepend=start).max() > MAX_RECORD_BYTES:
            return None
        end = int(ends[-1]) + 1
        records.rows += len(ends)
        records.lines += len(ends)
        self._copy.write(memoryview(text)[start:end])
        return end

    def _are_rows(self, record: bytes) -> bool:
        """Return whether the lines of a record are rows that a stray quote holds together.

        Each has as many fields as the table. With two columns that may be chance, unless each begins with a number.
        """
        lines = record.split(b"\n")
        if any(len(self._split(line) or ()) != self._width for line in lines):
            return False
        return self._width > 2 or all(_NUMBER.fullmatch(line.split(self._delimiter)[0]) for line in lines)

    def _split(self, record: bytes) -> list[bytes] | None:
        return split_literally(record.removesuffix(b"\r"), self._delimiter, self._quote, self._escape)

    def _take_literally(self, text: bytes, start: int, *, final: bool) -> int | None:
        """Take the record from `start` on, whose quotes are wrong; return its end, or None when the block ends before.

        It is one line, or a few of which each but the last leaves a quote open, or else its first line cannot be read.
        """
        records = self._records
        first = stop = text.find(b"\n", start)
        if first < 0:
            return None
        if self._headers:
            self._headers -= 1
            records.header_lines += 1
            records.lines += 1
            self._copied = True
            self._rows_start = self._offset + first + 1
            return first + 1
        self._begin_copy(start)
        for lines in range(1, _MAX_JOINED):
            if self._add_literally(text[start:stop], lines):
                records.lines += lines
                return stop + 1
            following = text.find(b"\n", stop + 1)
            if following < 0:
                if not final and len(text) - start <= MAX_RECORD_BYTES:
                    return None
                break
            if text.count(self._delimiter or b"\0", stop + 1, following) + 1 == self._width:
                break  # the next line is a row of its own
            stop = following
        records.lines += 1
        self._skip(records.lines, text[start:first], 1, _WRONG_QUOTE)
        return first + 1

    def _add_literally(self, record: bytes, lines: int) -> bool:
        """Add a row with its quotes as they are, if it has as many fields as the table."""
        fields = self._split(record)
        if fields is None or len(fields) != self._width or len(record) > MAX_RECORD_BYTES:
            return False
        self._copy.write(join_fields(fields, self._delimiter, self._quote, self._escape) + self._line_end)
        self._records.rows += 1
        self._records.continuation_lines += lines - 1
        self._records.literal_quotes += self._quote in record
        return True

    def _begin_copy(self, start: int) -> bool:
        """Begin the copy, if it is not, with the rows before the offset `start` of the block."""
        if self._copy.used:
            return False
        self._copy.begin(self._rows_start, self._offset + start)
        return True

    def _misfit(self, width: int, length: int) -> str:
        if length > MAX_RECORD_BYTES:
            return f"longer than {MAX_RECORD_BYTES // 1_000_000} MB"
        return f"too {'many' if width > self._width else 'few'} fields: the table has {self._width}"

    def _skip(self, line: int, record: bytes, lines: int, reason: str) -> None:
        records = self._records
        records.skipped += 1
        records.skipped_lines += lines
        if len(records.skipped_rows) < SHOWN_ROWS:
            text = " ⏎ ".join(record[:1_000].decode("utf-8", "replace").strip("\r\n").splitlines())[:200]
            shown = f"{reason} ({lines} lines)" if lines > 1 else reason
            records.skipped_rows += (SkippedRow(line, shown, text),)

"""The pass over a delimited file that finds where each record begins and ends, and which cannot be read.

One pass over the bytes decides it for the whole file, so that no reader has to skip anything later. A quote opens a
field only at the field's start, and closes it only at its end. A record whose quotes cannot be right is read again as a
single line, with its quotes as they are, so that a stray quote costs one line at most. The rules of well-formed files
are those of RFC 4180.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.datasets._dialect import Layout
from core.datasets._quotes import QuoteRoles, join_fields, split_literally
from core.datasets._records import MAX_RECORD_BYTES, SHOWN_ROWS, CleanCopy, Records
from core.datasets._table import SkippedRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["RecordScan"]

_MAX_JOINED = 50  # lines that a field with a wrong quote may span
_WRONG_QUOTE = "a quote that is not closed, or is inside a field"
_MANY = 1_000  # records of a block that are looked at one by one
_SPACE = b" \t\n\r\x0b\x0c"
_NUMBER = re.compile(rb"\s*[+-]?\d[\d.,:/-]*\s*")


class RecordScan:
    """The pass over a file, block by block."""

    def __init__(
        self, layout: Layout, records: Records, copy: CleanCopy, start: int, line_end: bytes, *, copied: bool
    ) -> None:

        dialect = layout.dialect
        self._delimiter, self._quote = dialect.delimiter.encode(), dialect.quote.encode()
        self._escape = layout.escape.encode()
        self._width = len(layout.names)
        self._records, self._copy, self._copied = records, copy, copied
        self._offset = start  # of the block in the file
        self._rows_start = start  # of the first row in the file
        self._headers = dialect.header + (dialect.header and layout.second_row)  # rows that come before the first one
        self._line_end = line_end  # uniform: readers refuse files in which it is not
        self._header_line = b""  # of a header of one line with several names
        self._has_header = False  # the block, below its first line

    def add(self, text: bytes, *, final: bool) -> bytes:
        """Scan the records of a block, and return the part that belongs to the next one."""
        import numpy as np

        if final and text and not text.endswith(b"\n"):
            text += self._line_end
        self._look_for_header(text)
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
            if wrong is not None and text.find(b"\n", start, wrong) < 0:  # in the record that begins here
                end = self._take_literally(text, start, final=final)
                if end is None:
                    break
                start = end
                continue
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

    def _look_for_header(self, text: bytes) -> None:
        if self._headers and self._width > 1:
            self._header_line = text[: text.find(b"\n") + 1]
        first = not self._headers and text.startswith(self._header_line)
        self._has_header = bool(self._header_line) and (first or b"\n" + self._header_line in text)

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
        repeated = self._repeats_header(text, starts, ends)
        special = bad[rest] | swallowed[rest] | repeated[rest] | (blank[rest] if width == 1 else False)
        records.rows += len(ends) - first - int(special.sum()) - (0 if width == 1 else int(blank[rest].sum()))
        records.blank_lines += int(blank[rest].sum())
        records.continuation_lines += int((lines - 1)[rest][~special].sum())
        done = int(starts[first]) if first < len(starts) else int(ends[-1]) + 1
        indexes = np.flatnonzero(special) + first
        for index, last in _runs(array, starts, ends, indexes, bad):
            begin, end = int(starts[index]), int(ends[last]) + 1
            if not self._begin_copy(begin):
                self._copy.write(memoryview(text)[done:begin])
            done = end
            if last > index:
                records.skipped += last - index + 1
                records.skipped_lines += int(lines[index : last + 1].sum())
                continue
            record, count = text[begin : end - 1], int(lines[index])
            line = before + int(line_of_end[index]) - count + 1
            if blank[index]:
                continue
            if repeated[index]:
                self.skip(line, record, count, "repeats the header")
            elif bad[index] and not record.strip():
                records.blank_lines += 1
            elif bad[index]:
                self.skip(line, record, count, self._misfit(int(widths[index]), int(lengths[index])))
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

    def _repeats_header(self, text: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which records are the header once more, as where several files were put together."""
        import numpy as np

        repeated = np.zeros(len(ends), dtype=bool)
        if self._has_header:
            for index in np.flatnonzero(ends - starts == len(self._header_line) - 1).tolist():
                repeated[index] = text[starts[index] : ends[index] + 1] == self._header_line
        return repeated

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
        if self._headers or self._copied or self._has_header or width == 1:
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
        self.skip(records.lines, text[start:first], 1, _WRONG_QUOTE)
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

    def skip(self, line: int, record: bytes, lines: int, reason: str) -> None:
        """Leave a record out, and note why."""
        records = self._records
        records.skipped += 1
        records.skipped_lines += lines
        if len(records.skipped_rows) < SHOWN_ROWS:
            text = " ⏎ ".join(record[:1_000].decode("utf-8", "replace").strip("\r\n").splitlines())[:200]
            shown = f"{reason} ({lines} lines)" if lines > 1 else reason
            records.skipped_rows += (SkippedRow(line, shown, text),)


def _runs(
    array: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    indexes: NDArray[np.int64],
    bad: NDArray[np.bool_],
) -> list[tuple[int, int]]:
    """Return the first and last record of each run of bad ones that need no further look; any other is its own run."""
    import numpy as np

    if len(indexes) <= _MANY:
        return [(index, index) for index in indexes.tolist()]
    blank = np.zeros(256, dtype=bool)
    blank[list(_SPACE)] = True
    filled = np.append(0, np.cumsum(~blank[array], dtype=np.int32))
    plain = bad[indexes] & (filled[ends[indexes]] > filled[starts[indexes]])
    plain[:SHOWN_ROWS] = False  # which are shown
    joined = plain[1:] & plain[:-1] & (np.diff(indexes) == 1)
    first = np.append(True, ~joined)
    last = np.append(~joined, True)
    return list(zip(indexes[first].tolist(), indexes[last].tolist(), strict=True))

"""Detection of the characters that separate and enclose the fields of a text, from its first rows.

DuckDB's own detection reads a ragged file as one column, and skips title lines silently. Here the delimiter is the one
that gives most rows the same number of fields that look like values (an idea of van den Burg, Nazábal, Sutton 2019,
"Wrangling messy CSV files by detecting row and type patterns").
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from core.datasets._header import DATE, NUMBER

__all__ = ["SplitRows", "common_width", "detect_delimiter", "detect_quotes"]

_DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x01", "\x1f")
_MIN_CONSISTENCY = 0.5
_SAMPLE_ROWS = 500
_MOST_LINES = 0.9
_PLAIN = re.compile(r"[^,;\t|^~\x01\x1f\"]*")


def detect_quotes(text: str) -> tuple[str, str]:
    """Return the quote and escape characters; the quote is double unless only single ones enclose fields."""
    double = len(re.findall(r'(?:^|[,;\t|])\s*"', text, re.MULTILINE))
    single = len(re.findall(r"(?:^|[,;\t|])\s*'(?=[^'\n]*'\s*(?:[,;\t|]|$))", text, re.MULTILINE))
    quote = "'" if single > 1 and not double else '"'
    backslashed = len(re.findall(r"\\" + quote + r"(?!\s*(?:[,;\t|]|$))", text, re.MULTILINE))
    doubled = len(re.findall(rf"[^,;\t|\n]{quote}{quote}", text))
    return quote, "\\" if backslashed > doubled else quote


@dataclass(frozen=True)
class SplitRows:
    """A delimiter, and the rows that it gives."""

    delimiter: str
    rows: list[list[str]]


def detect_delimiter(text: str, quote: str, escape: str, complete: bool, only: str | None) -> SplitRows:
    """Return the delimiter of a text with the rows that it gives.

    Parameters
    ----------
    text : str
        Start of the text.
    quote, escape : str
        Characters that `detect_quotes` returned.
    complete : bool
        Whether it is the whole text; otherwise its last row may be cut off and is ignored.
    only : str or None
        Delimiter that is given, if it is.
    """
    if only is not None:
        return SplitRows(only, _parse(text, only or "\x00", quote, escape, complete))
    best, best_score = SplitRows("", _parse(text, "\x00", quote, escape, complete)), 0.0
    for delimiter in _DELIMITERS:
        if delimiter not in text:
            continue
        rows = _parse(text, delimiter, quote, escape, complete)
        widths = [len(row) for row in rows if row]
        width = common_width(rows)
        if width < 2:
            continue
        consistency = widths.count(width) / len(widths)
        # Title lines above a table do not count.
        start = widths.index(width)
        if start <= 20 and len(widths) - start >= 2:
            consistency = max(consistency, widths.count(width) / (len(widths) - start))
        if consistency < _MIN_CONSISTENCY:
            continue
        cells = [cell for row in rows if len(row) == width for cell in row]
        score = consistency * (1 - 1 / width) * (0.05 + _typed_share(cells, delimiter))
        if score > best_score:
            best, best_score = SplitRows(delimiter, rows), score
    return best if best.delimiter else _colons(_parse(text, ":", quote, escape, complete)) or best


def _colons(rows: list[list[str]]) -> SplitRows | None:
    """Return the rows that colons give, if these are fields and not times."""
    filled = [row for row in rows if row]
    if len(filled) < 3 or len({len(row) for row in filled}) > 1 or len(filled[0]) < 3:
        return None
    if any(not any(column) for column in zip(*filled, strict=True)):  # two colons stand between fields
        return None
    times = sum(re.fullmatch(r"\s*\d{1,2}(\.\d+)?", cell) is not None for row in filled for cell in row)
    return None if times * 2 > len(filled) * len(filled[0]) else SplitRows(":", rows)


def _typed_share(cells: list[str], delimiter: str) -> float:
    """Return the share of cells that are a number, a date, empty, or text without another delimiter."""
    if not cells:
        return 0.0
    good = 0.0
    for cell in cells:
        if not cell or NUMBER.fullmatch(cell) or DATE.fullmatch(cell):
            good += 1
        elif _PLAIN.fullmatch(cell):
            good += 0.9
        elif delimiter in cell:  # only a quoted cell can have it
            good += 0.8
    return good / len(cells)


def _parse(text: str, delimiter: str, quote: str, escape: str, complete: bool) -> list[list[str]]:
    """Return the rows of the text; blank ones are empty lists, except at the end."""
    lines = list(io.StringIO(text, newline=""))
    rows: list[list[str]] = []
    ended = False
    start = 0
    while len(rows) < _SAMPLE_ROWS and not ended:
        reader = csv.reader(
            islice(lines, start, None),
            delimiter=delimiter,
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
            doublequote=escape == quote,
            escapechar=None if escape == quote else escape,
            skipinitialspace=True,
        )
        first, before = start, 0
        try:
            for row in reader:
                start, record = first + reader.line_num, lines[first + before : first + reader.line_num]
                before = reader.line_num
                if len(record) > 1 and rows and _are_rows(record, delimiter, len(rows[-1])):
                    row, start = record[0].rstrip("\r\n").split(delimiter), start - len(record) + 1
                rows.append(row if len(row) > 1 or "".join(row).strip() else [])
                if len(rows) >= _SAMPLE_ROWS or start < first + reader.line_num:  # continue behind the stray quote
                    break
            else:
                ended = True
        except csv.Error:  # a field beyond the reader's limit: judge by the rows before it
            ended = True
    if ended and not complete and len(rows) > 1:
        rows.pop()
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _are_rows(lines: Sequence[str], delimiter: str, width: int) -> bool:
    """Return whether lines that a quote holds together are rows: nearly all have as many fields as the table."""
    return width > 1 and sum(line.count(delimiter) == width - 1 for line in lines) >= _MOST_LINES * len(lines)


def common_width(rows: list[list[str]]) -> int:
    """Return the most frequent number of fields, the larger one in a tie; 1 for one column."""
    counts = Counter(len(row) for row in rows if row)
    return max(counts, key=lambda width: (counts[width], width), default=1)

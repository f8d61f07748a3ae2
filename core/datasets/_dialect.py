"""Detection of the dialect of delimited text, from its first rows.

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

from core.datasets._table import Dialect
from core.errors import InputError

__all__ = ["Layout", "detect_layout", "is_header"]

DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x01", "\x1f")
MIN_CONSISTENCY = 0.5
_SAMPLE_ROWS = 500
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d+)*|[.,]\d+)\.?([eE][+-]?\d+)?\s*%?\s*")
_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ]\d{1,2}:\d{2}.*)?\s*")
_PLAIN = re.compile(r"[^,;\t|^~\x01\x1f\"]*")


@dataclass(frozen=True)
class Layout:
    """The layout of a text file: dialect, escape character, column names, and notices for the user."""

    dialect: Dialect
    escape: str
    names: list[str]
    notices: tuple[str, ...]


def detect_layout(text: str, *, complete: bool) -> Layout:
    """Detect delimiter, quote, escape, header and lead lines.

    Parameters
    ----------
    text : str
        Start of the file.
    complete : bool
        Whether `text` is the whole file; otherwise its last row may be cut off and is ignored.

    Returns
    -------
    Layout

    Raises
    ------
    InputError
        When the text has no rows.

    Examples
    --------
    >>> layout = detect_layout("title\\na;b\\n1;2\\n3;4\\n", complete=True)
    >>> layout.dialect
    Dialect(delimiter=';', quote='"', header=True, lead_lines=1)
    >>> layout.names
    ['a', 'b']
    """
    text = text.removeprefix("\ufeff")
    quote, escape = _quoting(text)
    delimiter, rows = _best_delimiter(text, quote, escape, complete)
    if not rows:
        raise InputError("The file has no rows.", "Upload a file with a header and at least one row.")
    width = _common_width(rows) if delimiter else 1
    if not delimiter:
        rows = [["".join(row)] if row else row for row in rows]
    lead = next((i for i, row in enumerate(rows) if len(row) == width), 0)
    notices: list[str] = []
    names: list[str] = []
    if width > 2 and lead > 0 and _is_short_header(rows[lead - 1], rows[lead:], width):
        # The header is one field short: R writes row names first, or every row ends with a delimiter.
        body = rows[lead:]
        lead -= 1
        trailing = all(not row[-1].strip() for row in body if len(row) == width)
        names = [*rows[lead], ""] if trailing else ["", *rows[lead]]
        header = True
        notices.append(f"The header has {width - 1} names for {width} columns.")
    else:
        header = is_header(rows[lead], [row for row in rows[lead + 1 :] if len(row) == width])
        names = list(rows[lead]) if header else [""] * width
        if not header:
            notices.append("The first row looks like values, not like names, so the columns are numbered.")
    lead_text = tuple(delimiter.join(row)[:200] for row in rows[:lead][:5])
    if any(lead_text):
        shown = "; ".join(repr(line[:60]) for line in lead_text if line)
        notices.append(f"{lead} line(s) before the table were skipped: {shown}.")
    return Layout(
        dialect=Dialect(delimiter, quote, header, lead),
        escape=escape,
        names=names,
        notices=tuple(notices),
    )


def is_header(first: Sequence[str], body: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has names rather than values.

    It has values when one of its cells is a number or a date, or repeats in the row, or when a name equals
    a value below it in a text column. Years as names (``country, 2019, 2020``) are names.

    Parameters
    ----------
    first : sequence of str
        Cells of the first row.
    body : sequence of sequence of str
        Rows below it.

    Returns
    -------
    bool
    """
    cells = [cell.strip() for cell in first]
    typed = [cell for cell in cells if _NUMBER.fullmatch(cell) or _DATE.fullmatch(cell)]
    if not any(cells):
        return False
    if typed:
        years = [cell for cell in typed if re.fullmatch(r"(19|20)\d\d", cell)]
        return len(years) == len(typed) >= 2 and len(typed) < len(cells) and years == sorted(set(years))
    if len(cells) == 1 and body:
        return cells[0] not in {row[0].strip() for row in body if row}
    repeats = sum(
        bool(cell) and any(row[i].strip() == cell for row in body if i < len(row)) for i, cell in enumerate(cells)
    )
    return repeats * 2 <= len(cells)


def _is_short_header(row: Sequence[str], body: Sequence[Sequence[str]], width: int) -> bool:
    body = [other for other in body if len(other) == width]
    return len(row) == width - 1 and is_header(row, body) and not is_header(body[0], body[1:])


def _quoting(text: str) -> tuple[str, str]:
    """Return the quote and escape characters; the quote is double unless only single ones enclose fields."""
    double = len(re.findall(r'(?:^|[,;\t|])\s*"', text, re.MULTILINE))
    single = len(re.findall(r"(?:^|[,;\t|])\s*'(?=[^'\n]*'\s*(?:[,;\t|]|$))", text, re.MULTILINE))
    quote = "'" if single > 1 and not double else '"'
    backslashed = len(re.findall(r"\\" + quote + r"(?!\s*(?:[,;\t|]|$))", text, re.MULTILINE))
    doubled = len(re.findall(rf"[^,;\t|\n]{quote}{quote}", text))
    return quote, "\\" if backslashed > doubled else quote


def _best_delimiter(text: str, quote: str, escape: str, complete: bool) -> tuple[str, list[list[str]]]:
    best, best_score, best_rows = "", 0.0, _parse(text, "\x00", quote, escape, complete)
    for delimiter in DELIMITERS:
        if delimiter not in text:
            continue
        rows = _parse(text, delimiter, quote, escape, complete)
        widths = [len(row) for row in rows if row]
        width = _common_width(rows)
        if width < 2:
            continue
        consistency = widths.count(width) / len(widths)
        # Title lines above a table do not count.
        start = widths.index(width)
        if start <= 20 and len(widths) - start >= 2:
            consistency = max(consistency, widths.count(width) / (len(widths) - start))
        if consistency < MIN_CONSISTENCY:
            continue
        cells = [cell for row in rows if len(row) == width for cell in row]
        score = consistency * (1 - 1 / width) * (0.05 + _typed_share(cells, delimiter))
        if score > best_score:
            best, best_score, best_rows = delimiter, score, rows
    return best, best_rows


def _typed_share(cells: list[str], delimiter: str) -> float:
    """Return the share of cells that are a number, a date, empty, or text without another delimiter."""
    if not cells:
        return 0.0
    good = 0.0
    for cell in cells:
        if not cell or _NUMBER.fullmatch(cell) or _DATE.fullmatch(cell):
            good += 1
        elif _PLAIN.fullmatch(cell):
            good += 0.9
        elif delimiter in cell:  # only a quoted cell can have it
            good += 0.8
    return good / len(cells)


def _parse(text: str, delimiter: str, quote: str, escape: str, complete: bool) -> list[list[str]]:
    """Return the rows of the text; blank ones are empty lists, except at the end."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        doublequote=escape == quote,
        escapechar=None if escape == quote else escape,
        skipinitialspace=True,
    )
    rows: list[list[str]] = []
    ended = False
    try:
        for row in reader:
            rows.append(row if len(row) > 1 or "".join(row).strip() else [])
            if len(rows) >= _SAMPLE_ROWS:
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


def _common_width(rows: list[list[str]]) -> int:
    """Return the most frequent number of fields, the larger one in a tie; 1 for one column."""
    counts = Counter(len(row) for row in rows if row)
    return max(counts, key=lambda width: (counts[width], width), default=1)

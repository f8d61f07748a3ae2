"""Detection of the layout of delimited text, from its first rows: its dialect, and where its table begins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.datasets._delimiter import SplitRows, common_width, detect_delimiter, detect_quotes
from core.datasets._header import JOINED_NOTICE, header_evidence, is_units_row, joined_header, lead_notice, units_notice
from core.datasets._options import AUTO, Decision, ReadOptions
from core.datasets._table import Dialect
from core.errors import InputError

__all__ = ["Layout", "detect_layout"]

_SEPARATOR_LINE = re.compile(r"sep=([^\n\r\"'\w])\r?\n", re.IGNORECASE)
_COMMENTS = ("#", "//", "%", "--")


@dataclass(frozen=True)
class Layout:
    """The layout of a text file.

    Parameters
    ----------
    dialect : Dialect
        Delimiter, quote, header and lead lines.
    escape : str
        Character before a quote that belongs to a field.
    names : list of str
        Names of the columns.
    notices : tuple of str
        Sentences for users.
    second_row : bool, default=False
        Whether the row below the header belongs to it: it has units, or the other part of each name.
    decisions : tuple of Decision, default=()
        Decisions with their evidence.
    """

    dialect: Dialect
    escape: str
    names: list[str]
    notices: tuple[str, ...]
    second_row: bool = False
    decisions: tuple[Decision, ...] = ()


def detect_layout(text: str, *, complete: bool, options: ReadOptions | None = None) -> Layout:
    """Detect delimiter, quote, escape, header and lead lines.

    Parameters
    ----------
    text : str
        Start of the file.
    complete : bool
        Whether `text` is the whole file; otherwise its last row may be cut off and is ignored.
    options : ReadOptions, optional
        Decisions that are given, and so not made from the text.

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
    >>> [decision.evidence for decision in layout.decisions if decision.name == "delimiter"]
    ["';' gives 3 of 4 rows the same number of fields, 2."]
    """
    options = options or ReadOptions()
    text = text.removeprefix("\ufeff")
    said = _SEPARATOR_LINE.match(text)  # Excel writes it, and reads it
    quote, escape = detect_quotes(text)
    if options.quote != AUTO:
        quote, escape = options.quote, escape if escape == "\\" and options.quote else options.quote
    only = options.delimiter if options.delimiter != AUTO else said[1] if said else None
    best = detect_delimiter(text[said.end() :] if said else text, quote, escape, complete, only)
    delimiter, rows = best.delimiter, [[], *best.rows] if said else best.rows
    if not rows:
        raise InputError("The file has no rows.", "Upload a file with a header and at least one row.")
    if not delimiter:
        rows = [["".join(row)] if row else row for row in rows]
    given_lead = options.skip_rows if isinstance(options.skip_rows, int) else None
    width = common_width(rows[given_lead or 0 :]) if delimiter else 1
    table = _Rows(rows, width)
    head = _find_header(table, delimiter, options)
    decisions = [
        _delimiter_decision(best, width, given=options.delimiter != AUTO, said=bool(said)),
        _quote_decision(text, quote, given=options.quote != AUTO),
        Decision(
            "skip_rows",
            head.lead,
            "It was given." if given_lead is not None else f"The table begins at line {head.lead + 1}.",
            "given" if given_lead is not None else "likely" if head.lead else "certain",
        ),
        Decision("header", 0 if head.header else None, head.evidence, "given" if options.header != AUTO else "likely"),
    ]
    notices = list(head.notices)
    lead_text = [delimiter.join(row)[:200] for row in rows[: head.lead][:5]]
    if said:
        lead_text[0] = said[0].strip()
    if any(lead_text):
        shown = "; ".join(repr(line[:60]) for line in lead_text if line)
        notices.append(lead_notice(head.lead, "line", shown))
    return Layout(
        dialect=Dialect(delimiter, quote, head.header, head.lead),
        escape=escape,
        names=head.names,
        notices=tuple(notices),
        second_row=head.second_row,
        decisions=tuple(decisions),
    )


@dataclass(frozen=True)
class _Rows:
    """The first rows of a file, and the number of fields that most of them have."""

    rows: list[list[str]]
    width: int

    def body(self, start: int) -> list[list[str]]:
        """Return the rows of this width from `start` on."""
        return [row for row in self.rows[start:] if len(row) == self.width]


@dataclass(frozen=True)
class _Head:
    """The lines before the first row: how many to skip, the names, and whether the row below belongs to them."""

    lead: int
    header: bool
    names: list[str]
    evidence: str
    second_row: bool = False
    notices: tuple[str, ...] = ()


def _find_header(table: _Rows, delimiter: str, options: ReadOptions) -> _Head:
    rows, width = table.rows, table.width
    if options.header != AUTO or isinstance(options.skip_rows, int):
        return _given_header(table, options)
    lead = next((i for i, row in enumerate(rows) if len(row) == width), 0)
    while lead + 1 < len(rows) and rows[lead][:1] and rows[lead][0].lstrip().startswith(_COMMENTS):
        following = next((i for i in range(lead + 1, len(rows)) if len(rows[i]) == width), None)
        if following is None or not header_evidence(rows[following], table.body(following + 1))[0]:
            break
        lead = following
    lead = _behind_padded_titles(table, lead)
    if width > 2 and lead > 0 and _is_short_header(rows[lead - 1], rows[lead:], width):
        return _short_header(table, lead - 1)
    header, evidence = header_evidence(rows[lead], table.body(lead + 1))
    return _with_second_row(table, lead, header, evidence)


def _behind_padded_titles(table: _Rows, lead: int) -> int:
    """Return the row of the header where the rows above it are titles that a spreadsheet filled up with delimiters.

    Such a row has one cell at most, so it is only skipped for a header with names that values stand below.
    """
    rows, width = table.rows, table.width
    start = lead
    while lead < len(rows) and sum(bool(cell.strip()) for cell in rows[lead]) < 2:
        lead += 1
    if width < 3 or lead == start or lead == len(rows) or sum(bool(cell.strip()) for cell in rows[lead]) * 2 <= width:
        return start
    return lead if header_evidence(rows[lead], table.body(lead + 1))[0] else start


def _given_header(table: _Rows, options: ReadOptions) -> _Head:
    rows, width = table.rows, table.width
    lead = options.skip_rows if isinstance(options.skip_rows, int) else 0
    if options.header is None:
        return _with_second_row(table, lead, False, "It was given.")
    if options.header == AUTO:
        header, evidence = header_evidence(rows[lead] if lead < len(rows) else [""], table.body(lead + 1))
        return _with_second_row(table, lead, header, evidence)
    lead += int(options.header)
    if lead >= len(rows):
        raise InputError(f"The file has no row {lead} for the header.", "Choose an earlier row.")
    if len(rows[lead]) == width - 1:
        return _short_header(table, lead)
    return _with_second_row(table, lead, True, "It was given.")


def _short_header(table: _Rows, lead: int) -> _Head:
    """Return a header that is one field short: R writes row names first, or every row ends with a delimiter."""
    trailing = all(not row[-1].strip() for row in table.body(lead + 1))
    names = [*table.rows[lead], ""] if trailing else ["", *table.rows[lead]]
    notice = f"The header has {table.width - 1} names for {table.width} columns."
    return _Head(lead, True, names, notice, notices=(notice,))


def _with_second_row(table: _Rows, lead: int, header: bool, evidence: str) -> _Head:
    width = table.width
    if not header:
        notice = "The first row looks like values, not like names, so the columns are numbered."
        return _Head(lead, False, [""] * width, evidence, notices=(notice,))
    names = [*table.rows[lead], *[""] * width][:width]
    after = table.body(lead + 1)
    if len(after) > 1 and (joined := joined_header(names, after[0], after[1:])):
        return _Head(lead, True, joined, evidence, second_row=True, notices=(JOINED_NOTICE,))
    if len(after) > 2 and is_units_row(after[0], after[1:]):
        return _Head(lead, True, names, evidence, second_row=True, notices=(units_notice(after[0]),))
    return _Head(lead, True, names, evidence)


def _is_short_header(row: Sequence[str], body: Sequence[Sequence[str]], width: int) -> bool:
    body = [other for other in body if len(other) == width]
    return len(row) == width - 1 and header_evidence(row, body)[0] and not header_evidence(body[0], body[1:])[0]


def _quote_decision(text: str, quote: str, *, given: bool) -> Decision:
    if given:
        return Decision("quote", quote, "It was given.", "given")
    if quote in text:
        return Decision("quote", quote, "It encloses fields.", "likely")
    return Decision("quote", quote, "It is the usual one; no field here has it.", "likely")


def _delimiter_decision(best: SplitRows, width: int, *, given: bool, said: bool) -> Decision:
    value = best.delimiter
    if given:
        return Decision("delimiter", value, "It was given.", "given")
    if said:
        return Decision("delimiter", value, "The first line of the file says so.", "certain")
    if not value:
        return Decision("delimiter", value, "No character gives rows the same number of fields.", "likely")
    filled = [row for row in best.rows if row]
    fitting = sum(len(row) == width for row in filled)
    evidence = f"{value!r} gives {fitting:,} of {len(filled):,} rows the same number of fields, {width:,}."
    return Decision("delimiter", value, evidence, "certain" if fitting == len(filled) else "likely")

"""Quotes in delimited text: which of them open and close fields, and how a record with wrong ones is split."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["QuoteRoles", "join_fields", "split_literally"]

_BLANKS = b" \t"


class QuoteRoles:
    """The roles of the quotes in a piece of text that begins with a record.

    Parameters
    ----------
    text : ndarray of uint8, shape (n_bytes,)
        The piece.
    quotes : ndarray of int64, shape (n_quotes,)
        Positions of its quotes.
    delimiter, quote, escape : int
        Bytes of the dialect; `delimiter` is -1 where there is none.
    final : bool
        Whether the text ends here.

    Attributes
    ----------
    kept : ndarray of bool, shape (n_quotes,)
        Which quotes are not escaped by another character.
    positions : list of int
        Positions of these.
    structural : ndarray of bool, shape (n_positions,)
        Whether a quote opens or closes a field, or is one of a doubled pair. `run` sets it.
    """

    def __init__(
        self, text: NDArray[np.uint8], quotes: NDArray[np.int64], delimiter: int, quote: int, escape: int, final: bool
    ) -> None:
        import numpy as np

        self.kept = np.ones(len(quotes), dtype=bool)
        if escape != quote and len(quotes):
            self.kept = ~_escaped(text, quotes, escape)
            quotes = quotes[self.kept]
        last = len(text) - 1
        ends = np.zeros(256, dtype=bool)
        ends[[byte for byte in (delimiter, 10, 13) if byte >= 0]] = True
        before = quotes - 1
        after = quotes + 1
        opens = (quotes == 0) | ends[text[np.maximum(before, 0)]]
        closes = ends[text[np.minimum(after, last)]] | (quotes == last)
        blanks = np.zeros(256, dtype=bool)
        blanks[[byte for byte in _BLANKS if byte != delimiter]] = True
        beside = np.flatnonzero(~opens & blanks[text[np.maximum(before, 0)]])
        behind = np.flatnonzero(~closes & blanks[text[np.minimum(after, last)]])
        if len(beside) or len(behind):  # blanks between a quote and the end of its field do not count
            solid = np.flatnonzero(~blanks[text])
            earlier = np.searchsorted(solid, before[beside]) - 1
            opens[beside] = (earlier < 0) | ends[text[solid[np.maximum(earlier, 0)]]]
            later = np.searchsorted(solid, after[behind])
            closes[behind] = (later == len(solid)) | ends[text[solid[np.minimum(later, len(solid) - 1)]]]
        paired = np.zeros(len(quotes), dtype=bool)  # with the quote before it
        if escape == quote and len(quotes) > 1:
            paired[1:] = np.diff(quotes) == 1
        self.positions: list[int] = quotes.tolist()
        self.structural = np.zeros(len(quotes), dtype=bool)
        self._opens = opens
        self._final = final
        may_open = opens | paired
        may_close = closes | np.append(paired[1:], False)
        even = np.arange(len(quotes)) % 2 == 0
        # Where quotes take turns from an even (odd) one on, these can't have their role.
        self._wrong: tuple[list[int], list[int]] = (
            np.flatnonzero(np.where(even, ~may_open, ~may_close)).tolist(),
            np.flatnonzero(np.where(even, ~may_close, ~may_open)).tolist(),
        )

    def run(self, start: int) -> int | None:
        """Let quotes open and close fields from the position `start` on, where a record begins.

        Returns
        -------
        int or None
            Position of a quote that opens a field which is not closed as it should be; quotes from it on have no role
            yet. None when there is none.
        """
        index = bisect_left(self.positions, start)
        count = len(self.positions)
        while index < count:
            if not self._opens[index]:  # within a field without quotes it is a character like others
                self.structural[index] = False
                index += 1
                continue
            wrong = self._wrong[index % 2]
            at = bisect_left(wrong, index + 1)
            stop = wrong[at] if at < len(wrong) else count
            if (stop - index) % 2:  # the field that the quote before opens is not closed by this one
                self.structural[index : stop - 1] = True
                if stop == count and not self._final:
                    self.structural[stop - 1] = True
                    return None
                return self.positions[stop - 1]
            self.structural[index:stop] = True
            index = stop
        return None


def _escaped(text: NDArray[np.uint8], quotes: NDArray[np.int64], escape: int) -> NDArray[np.bool_]:
    """Return which quotes follow an odd number of escape characters."""
    import numpy as np

    escaped: NDArray[np.bool_] = (quotes > 0) & (text[np.maximum(quotes - 1, 0)] == escape)
    for index in np.flatnonzero(escaped).tolist():
        at = int(quotes[index]) - 1
        while at >= 0 and text[at] == escape:
            at -= 1
        escaped[index] = (int(quotes[index]) - 1 - at) % 2 == 1
    return escaped


def split_literally(record: bytes, delimiter: bytes, quote: bytes, escape: bytes) -> list[bytes] | None:
    """Split a record whose quotes are wrong into its fields.

    A quote closes a field only where the field ends; any other one is a character like others, and so is one that opens
    a field which no quote closes.

    Returns
    -------
    list of bytes or None
        None when a field without quotes has a line break, so that the record is none.

    Examples
    --------
    >>> split_literally(b'1,"he said "hi"",x', b",", b'"', b'"')
    [b'1', b'he said "hi"', b'x']
    >>> split_literally(b'9,"open', b",", b'"', b'"')
    [b'9', b'"open']
    """
    opening, closing = _field_ends(delimiter, quote)
    fields: list[bytes] = []
    at = 0
    while True:
        opened = opening.match(record, at)
        closed = closing.search(record, opened.end()) if opened else None
        if opened and closed:
            field = record[opened.end() : closed.start()]
            fields.append(field.replace(escape + quote, quote))
            at = closed.end()
            if closed["end"] is None:
                return fields
            continue
        stop = record.find(delimiter, at) if delimiter else -1
        field = record[at:] if stop < 0 else record[at:stop]
        if b"\n" in field:
            return None
        fields.append(field)
        if stop < 0:
            return fields
        at = stop + len(delimiter)


@cache
def _field_ends(delimiter: bytes, quote: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return the patterns of what opens and what closes a field with quotes."""
    end = re.escape(delimiter) if delimiter else b"(?!)"
    opening = re.compile(rb"[ \t]*" + re.escape(quote))
    return opening, re.compile(re.escape(quote) + rb"[ \t]*(?:(?P<end>" + end + rb")|\Z)")


def join_fields(fields: list[bytes], delimiter: bytes, quote: bytes, escape: bytes) -> bytes:
    """Return a well-formed record of these fields, without its line end."""
    return delimiter.join(quote + field.replace(quote, escape + quote) + quote for field in fields)

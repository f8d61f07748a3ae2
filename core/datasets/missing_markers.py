"""Texts that mean a missing value."""

from __future__ import annotations

from collections.abc import Sequence

from core.datasets._column_format import BLANKS
from core.query import literal

__all__ = ["MISSING_MARKERS", "TEXT_MARKERS", "is_marker"]

# Spellings of a missing value. Those in TEXT_MARKERS are missing in text columns too; the others have a meaning
# there ("None" is a category, "-" a value) and are missing only in columns of numbers, dates or booleans.
TEXT_MARKERS = ("?", "N/A", "n/a", "#N/A", "<NA>", "NULL", "null", "NaN", "nan", "NAN", "Null", "\\N", "NA")
_DATE_MARKERS = ("0000-00-00", "0000-00-00 00:00:00")
_OTHER_MARKERS = (
    "None",
    "none",
    "na",
    "-",
    "--",
    "\u2013",
    "\u2014",
    ".",
    "#VALUE!",
    "#DIV/0!",
    "#REF!",
    "#NULL!",
    "#NUM!",
)
MISSING_MARKERS = (*TEXT_MARKERS, *_OTHER_MARKERS, *_DATE_MARKERS)
_TRIMMED = literal(BLANKS)


def is_marker(name: str, markers: Sequence[str] | None) -> str:
    """Return the SQL condition that a cell is a missing marker or blank."""
    if markers is not None:
        listed = ", ".join(literal(marker) for marker in ("", *markers))
        return f"(trim({name}, {_TRIMMED}) IN ({listed}))"
    usual = ", ".join(literal(marker) for marker in (*TEXT_MARKERS, *_OTHER_MARKERS))
    dates = ", ".join(literal(marker) for marker in _DATE_MARKERS)
    spaced = f"trim({name}, {_TRIMMED}) IN ('', {usual})"
    dated = f"{name} < '0000-01' AND {name} IN ({dates})"
    return f"(CASE WHEN {name} < '!' THEN {spaced} WHEN strlen({name}) > 7 THEN {dated} ELSE {name} IN ({usual}) END)"

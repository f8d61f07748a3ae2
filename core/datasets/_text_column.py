"""A column of text with its type: how its cells become values, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from core.datasets._column_format import ColumnFormat, NaMeaning
from core.datasets._mixed_text import describe_mixture
from core.datasets._time_text import describe_times
from core.datasets._types import InferredColumn
from core.datasets.missing_markers import TEXT_MARKERS

__all__ = ["TextColumn", "plain_column", "text_column", "written_column"]


@dataclass(frozen=True)
class TextColumn:
    """The type of a column, and how its cells become values.

    Parameters
    ----------
    kind : {"boolean", "integer", "number", "date", "timestamp", "text"}
        Type in the stored table.
    sql : str
        Expression of the values.
    markers : dict, default={}
        Number of cells that are missing because of a marker, by marker.
    notice : str, default=""
        Predicate of a sentence about the column, such as "has decimal commas".
    format : ColumnFormat, optional
        Format of a column of text.
    candidates : tuple of str, default=()
        Types that the column may have instead, as `ReadOptions.column_types` has them.
    evidence : str, default=""
        Predicate that says why none of them was chosen.
    lost : int, default=0
        Number of cells that became missing because they have no value of the type that was given.
    empty : bool, default=False
        Whether it has no values, and no type was given for it.
    """

    kind: str
    sql: str
    markers: Mapping[str, int] = field(default_factory=dict)
    notice: str = ""
    format: ColumnFormat | None = None
    candidates: tuple[str, ...] = ()
    evidence: str = ""
    lost: int = 0
    empty: bool = False


_EXACT_DIGITS = 17  # programs write no more to tell two floats apart
_INSIGNIFICANT = re.compile(r"^[\s+-]*[0.]*|\D")


def _digits(cell: str) -> int:
    """Return the number of significant digits."""
    return len(_INSIGNIFICANT.sub("", cell.lower().partition("e")[0]))


def plain_column(column: InferredColumn, kind: str, *, zoned: bool = False) -> TextColumn:
    """Return a column whose cells are values of a type without any mark."""
    item = ColumnFormat(kind, zoned=zoned, missing=tuple(column.markers))
    notice = ""
    if kind == "timestamp" and "precise" not in column.fits:
        notice = "has nanoseconds, which are truncated to microseconds"
    if kind == "number" and any(_digits(cell) > _EXACT_DIGITS for cell in column.cells):
        notice = f"has numbers of more than {_EXACT_DIGITS} digits, which are rounded"
    return TextColumn(kind, item.value(column.name, tested=False), column.markers, notice, item)


def written_column(column: InferredColumn, item: ColumnFormat, notice: str) -> TextColumn:
    """Return a column whose cells are written in a format."""
    item = replace(item, missing=tuple(column.markers))
    return TextColumn(item.kind, item.value(column.name), column.markers, notice, item)


def text_column(
    column: InferredColumn,
    *,
    candidates: tuple[str, ...] = (),
    evidence: str = "",
    whole: bool = True,
    na: NaMeaning | None = None,
) -> TextColumn:
    """Return a column of text; markers that may be words or codes are kept.

    Parameters
    ----------
    column : InferredColumn
        The column with its counts.
    candidates : tuple of str, default=()
        Types that it may have instead.
    evidence : str, default=""
        Predicate that says why none of them was chosen.
    whole : bool, default=True
        Whether these are all rows; a part does not show whether the blank that its cells begin with belongs to them.
    na : {"value", "missing"}, optional
        Meaning of NA; by default it is a value among codes of two letters, unless a marker that was asked for.
    """
    markers = column.markers
    codes = column.codes and column.default_markers
    item = ColumnFormat("text", na=na or ("value" if codes else None))
    meant = ("", *TEXT_MARKERS) if column.default_markers else tuple(markers)
    missing = tuple(marker for marker in meant if marker in markers and not item.keeps(marker))
    kept = {marker: count for marker, count in markers.items() if marker not in missing}
    notice = f"{evidence}; it is kept as text" if evidence else ""
    if kept and not notice:
        shown = ", ".join(f"{marker!r} ({count:,})" for marker, count in kept.items())
        notice = f"keeps values that may mean missing as text: {shown}"
    notice = notice or describe_times(column.cells) or describe_mixture(column.cells)
    item = replace(item, missing=missing, trimmed=_padded_side(column) if whole else "")
    counts = {marker: markers[marker] for marker in missing}
    return TextColumn("text", item.value(column.name), counts, notice, item, candidates, evidence)


def _padded_side(column: InferredColumn) -> Literal["", "start", "both"]:
    """Return where all cells have blanks, as where delimiters stand between blanks."""
    if column.padded < column.values:
        return ""
    return "both" if column.cells and all(cell.endswith((" ", "\t")) for cell in column.cells) else "start"

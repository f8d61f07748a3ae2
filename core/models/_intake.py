"""New rows made what training rows were: nothing is guessed, and whatever differs is counted by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from core.datasets import Finding
from core.errors import InputError
from core.features import describe_cells
from core.models._fields import MOST_CHOICES, Field

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ColumnReport", "take_in"]

_EXAMPLES = 5
_LARGEST = float(np.finfo(np.float32).max)  # what a model's numbers hold
_WORDS = {"true": True, "false": False, "1": True, "0": False}
_TYPES = {"number": "numbers", "boolean": "true and false", "date": "dates", "category": "text", "text": "text"}


@dataclass(frozen=True)
class ColumnReport:
    """How a column of new rows differs from that of the training rows.

    Parameters
    ----------
    name : str
        Of the column.
    rows, missing : int
        Cells, and empty ones.
    unreadable : int
        Cells that are not of the column's type (of numbers also those that are too large); the model sees them as
        missing.
    unseen : int
        Cells with a category that was not there in training.
    outside : int
        Numbers or dates outside the range of training.
    given : str
        The type that came in place of the one of training; empty when it is the same.
    unreadable_examples, unseen_examples : tuple of str
        The first of them.
    """

    name: str
    rows: int = 0
    missing: int = 0
    unreadable: int = 0
    unseen: int = 0
    outside: int = 0
    given: str = ""
    unreadable_examples: tuple[str, ...] = ()
    unseen_examples: tuple[str, ...] = ()

    def __add__(self, other: ColumnReport) -> ColumnReport:
        """Join the reports of two parts of a table."""

        def joined(one: tuple[str, ...], two: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(dict.fromkeys([*one, *two]))[:_EXAMPLES]

        return ColumnReport(
            self.name,
            self.rows + other.rows,
            self.missing + other.missing,
            self.unreadable + other.unreadable,
            self.unseen + other.unseen,
            self.outside + other.outside,
            self.given or other.given,
            joined(self.unreadable_examples, other.unreadable_examples),
            joined(self.unseen_examples, other.unseen_examples),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self)

    def findings(self, field: Field) -> list[Finding]:
        """Say what differs, for people."""

        def told(check: str, level: Any, count: int, what: str, hint: str, examples: Sequence[str] = ()) -> Finding:
            like = f" ({', '.join(map(repr, examples))})" if examples else ""
            message = f"'{self.name}': {count:,} of {self.rows:,} cells {what}{like}."
            return Finding(check, level, self.name, message, hint, {"cells": count, "examples": list(examples)})

        found = []
        if self.given:
            found.append(
                Finding(
                    "changed_type",
                    "alert",
                    self.name,
                    f"'{self.name}' held {field.held or _TYPES[field.kind]} in training and holds {self.given} now.",
                    "Cells that read as what it was are taken as such; look whether the column is the same.",
                )
            )
        if self.unreadable:
            what = f"do not read as {_TYPES[field.kind]}, and are taken as missing"
            found.append(told("unreadable", "alert", self.unreadable, what, "Correct them.", self.unreadable_examples))
        if self.unseen:
            what = "hold a value that was not there in training"
            hint = "The model knows nothing of it: look for other spellings."
            found.append(told("unseen", "notice", self.unseen, what, hint, self.unseen_examples))
        if self.outside:
            low, high = (
                f"{bound:.6g}" if isinstance(bound, float) else bound for bound in (field.minimum, field.maximum)
            )
            what = f"are outside the range of training, {low} to {high}"
            found.append(told("outside", "notice", self.outside, what, "Figures of the test do not speak for them."))
        if self.missing:
            what = "are missing" + ("" if field.nullable else "; in training none was")
            found.append(told("missing", "notice", self.missing, what, "Fill them in if they are known."))
        if field.kind == "category" and not field.complete:
            found.append(
                Finding(
                    "many_values",
                    "notice",
                    self.name,
                    f"'{self.name}' had more than {MOST_CHOICES:,} values in training: unseen ones are not counted.",
                    "Nothing to do.",
                )
            )
        return found


def take_in(frame: pd.DataFrame, fields: Sequence[Field]) -> tuple[pd.DataFrame, list[ColumnReport]]:
    """Return the columns of the fields with the types of training, and a report on each.

    Raises
    ------
    InputError
        When there are no rows, or a column is absent or there twice.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": ["33", "old"]})
    >>> taken, (report,) = take_in(frame, [Field("age", "number", minimum=18, maximum=30)])
    >>> taken["age"].tolist(), report.unreadable, report.outside, report.given
    ([33.0, nan], 1, 1, 'text')
    """
    if not len(frame):
        raise InputError("There is no row.", "Give at least one.")
    names = [str(name) for name in frame.columns]
    absent = [field.name for field in fields if field.name not in names]
    if absent:
        raise InputError(
            f"The table has no column {', '.join(map(repr, absent[:5]))}"
            f"{f', and {len(absent) - 5:,} more are absent' if len(absent) > 5 else ''}.",
            f"It needs each of {', '.join(repr(field.name) for field in fields[:20])}, in any order.",
        )
    twice = [field.name for field in fields if names.count(field.name) > 1]
    if twice:
        raise InputError(f"The table has several columns '{twice[0]}'.", "Give each column a name of its own.")
    taken: dict[str, pd.Series] = {}
    reports = []
    for field in fields:
        taken[field.name], report = _READERS[field.kind](frame.iloc[:, names.index(field.name)], field)
        reports.append(report)
    return pd.DataFrame(taken, index=frame.index), reports


def _report(column: pd.Series, field: Field, given: str, read: pd.Series, **counts: Any) -> ColumnReport:
    missing = column.isna().to_numpy()
    lost = read.isna().to_numpy() & ~missing
    return ColumnReport(
        field.name,
        len(column),
        int(missing.sum()),
        int(lost.sum()),
        given=given if given not in ("", _TYPES[field.kind], field.held) else "",
        unreadable_examples=tuple(dict.fromkeys(map(str, column[lost].head(200))))[:_EXAMPLES],
        **counts,
    )


def _outside(read: pd.Series, low: Any, high: Any) -> int:
    if low is None or high is None:
        return 0
    below: NDArray[np.bool_] = (read < low).to_numpy(dtype=bool, na_value=False)
    return int((below | (read > high).to_numpy(dtype=bool, na_value=False)).sum())


def _numbers(column: pd.Series, field: Field) -> tuple[pd.Series, ColumnReport]:
    given = describe_cells(column)
    if given == "dates":
        read = pd.Series(np.nan, index=column.index)
    else:
        read = pd.to_numeric(
            column.astype(object).map(str, na_action="ignore") if given == "text" else column, errors="coerce"
        ).astype("Float64")
        read = pd.Series(read.to_numpy(dtype=float, na_value=np.nan), index=column.index)
        read = read.where(read.abs() <= _LARGEST)
    report = _report(column, field, given, read, outside=_outside(read, field.minimum, field.maximum))
    whole = field.integer and not field.nullable and bool((read.dropna() % 1 == 0).all())
    if whole and read.abs().max() <= 2**53:  # else a category made of whole numbers would be written "1.0"
        read = read.astype("Int64") if read.isna().any() else read.astype("int64")
    return read, report


def _booleans(column: pd.Series, field: Field) -> tuple[pd.Series, ColumnReport]:
    given = describe_cells(column)
    if given == "true and false":
        read = column.astype("boolean")
    elif given == "dates":
        read = pd.Series(pd.NA, index=column.index, dtype="boolean")
    else:
        read = _texts_of(column).str.lower().map(_WORDS, na_action="ignore").astype("boolean")
    report = _report(column, field, given, read)
    return (read if read.isna().any() else read.astype(bool)), report


def _dates(column: pd.Series, field: Field) -> tuple[pd.Series, ColumnReport]:
    given = describe_cells(column)
    if given in ("numbers", "true and false"):  # a number of what since when cannot be told
        read = pd.Series(pd.NaT, index=column.index, dtype="datetime64[us, UTC]")
    else:
        text = column if given == "dates" else _texts_of(column)
        read = pd.to_datetime(text, errors="coerce", utc=True, format=None if given == "dates" else "ISO8601")
    bounds = [None if each is None else pd.to_datetime(each, utc=True) for each in (field.minimum, field.maximum)]
    return read, _report(column, field, given, read, outside=_outside(read, *bounds))


def _categories(column: pd.Series, field: Field) -> tuple[pd.Series, ColumnReport]:
    read = _texts_of(column)
    report = _report(column, field, describe_cells(column), read)
    if field.complete and field.kind == "category":
        unseen = read[read.notna() & ~read.isin(field.choices)]
        examples = tuple(unseen.value_counts().index[:_EXAMPLES])
        report = replace(report, unseen=len(unseen), unseen_examples=examples)
    return read, report


def _texts_of(column: pd.Series) -> pd.Series:
    """Return cells as text; whole numbers without a decimal point, which a missing neighbour gives them."""
    if types.is_float_dtype(column.dtype):  # as the features do
        return column.astype(object).map(
            lambda value: str(int(value)) if float(value).is_integer() else str(value), na_action="ignore"
        )
    return column.astype(object).map(str, na_action="ignore").astype(object)


_READERS = {"number": _numbers, "boolean": _booleans, "date": _dates, "category": _categories, "text": _categories}

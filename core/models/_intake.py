"""New rows with the types of the training rows: nothing is guessed, and every difference is counted by column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from pandas.api import types
from pydantic import JsonValue, TypeAdapter

from core.columns import require_columns
from core.datasets import Finding
from core.edge.portable.cells import TEXT_MARKERS
from core.edge.portable.written import category_text
from core.errors import InputError
from core.features import describe_cells
from core.models._fields import MAX_CHOICES, Field
from core.models.written_cells import BLANKS
from core.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["COLUMN_COUNTS", "ColumnCount", "ColumnReport", "read_rows"]

_EXAMPLES = 5
MIN_DIFFERENCE = 0.05
"""Difference of two shares of empty cells below which a column is like in training, however many rows there are."""
_Z_01 = 2.326  # of a one-sided test of two proportions at 1%
_LARGEST = float(np.finfo(np.float32).max)  # a model's numbers hold no larger ones
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_TYPES = {"number": "numbers", "boolean": "true and false", "date": "dates", "category": "text", "text": "text"}


@dataclass(frozen=True)
class ColumnCount:
    """A way in which cells of new rows can differ from training.

    Parameters
    ----------
    name : str
        The count's name in `ColumnReport`.
    title : str
        The name that pages show.
    help : str
        Description of the cells that are counted.
    """

    name: str
    title: str
    help: str


COLUMN_COUNTS: Registry[ColumnCount] = Registry(
    "count",
    [
        ColumnCount("missing", "Missing", "Empty cells."),
        ColumnCount(
            "unreadable", "Not readable", "Cells of another type than in training; the model sees them as missing."
        ),
        ColumnCount("unseen", "Unseen values", "Cells with a category that training did not have."),
        ColumnCount("outside", "Out of range", "Numbers or dates outside the range of the training rows."),
    ],
)


@dataclass(frozen=True)
class ColumnReport:
    """How a column of new rows differs from that of the training rows.

    Parameters
    ----------
    name : str
        Name of the column.
    rows : int, default=0
        Number of cells.
    missing : int, default=0
        Number of empty cells.
    unreadable : int, default=0
        Number of cells that are not of the column's type, or too large; the model sees them as missing.
    unseen : int, default=0
        Number of cells with a category that training did not have.
    outside : int, default=0
        Number of numbers or dates outside the range of the training rows.
    given : str, default=""
        The type of the new column, where it is not the one of training.
    unreadable_examples, unseen_examples : tuple of str, default=()
        The first few of these cells.
    trained_rows, trained_missing : int, default=0
        Number of training rows, and of those whose cell was empty.
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
    trained_rows: int = 0
    trained_missing: int = 0

    def __add__(self, other: ColumnReport) -> ColumnReport:
        """Join the reports on two parts of a table."""

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
            self.trained_rows or other.trained_rows,
            self.trained_missing or other.trained_missing,
        )

    @property
    def differs(self) -> bool:
        """Whether any cell differs from training; empty cells do where there are clearly more of them than there."""
        return bool(self.given or self.missing_more or self.unreadable or self.unseen or self.outside)

    @property
    def missing_more(self) -> bool:
        """Whether more cells are empty than chance explains: in training there was none, or a clearly smaller share."""
        if not self.missing or not self.trained_missing or not self.rows:
            return self.missing > 0
        now, before = self.missing / self.rows, self.trained_missing / self.trained_rows
        pooled = (self.missing + self.trained_missing) / (self.rows + self.trained_rows)
        error = math.sqrt(pooled * (1 - pooled) * (1 / self.rows + 1 / self.trained_rows))
        return now - before >= MIN_DIFFERENCE and error > 0 and (now - before) / error > _Z_01

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the report as JSON-serializable values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, JsonValue]) -> ColumnReport:
        """Return the report that `to_dict` described."""
        return _adapter().validate_python(values)

    def findings(self, field: Field) -> list[Finding]:
        """Return what differs, in sentences.

        Parameters
        ----------
        field : Field
            The column in training.
        """
        findings = []
        if self.given:
            before = field.held or _TYPES[field.kind]
            findings.append(
                Finding(
                    "changed_type",
                    "alert",
                    self.name,
                    f"'{self.name}' held {before} in training and holds {self.given} now.",
                    f"Cells that can be read as {before} are used. Check whether it is the same column.",
                )
            )
        if self.unreadable:
            message = f"cannot be read as {_TYPES[field.kind]} and count as missing"
            findings.append(
                self._finding(
                    "unreadable", "alert", self.unreadable, message, "Correct them.", self.unreadable_examples
                )
            )
        if self.unseen:
            message, hint = (
                "hold a value that training did not have",
                "Check the spelling: the model ignores the value.",
            )
            findings.append(self._finding("unseen", "notice", self.unseen, message, hint, self.unseen_examples))
        if self.outside:
            low, high = (
                f"{bound:.6g}" if isinstance(bound, float) else bound for bound in (field.minimum, field.maximum)
            )
            message = f"are outside the range of training, {low} to {high}"
            hint = "The test metrics do not apply to such rows."
            findings.append(self._finding("outside", "notice", self.outside, message, hint))
        if self.missing_more:
            message = "are missing"
            if field.nullable and field.rows:
                message += f" ({self.missing / self.rows:.1%}, in training {field.missing / field.rows:.1%})"
            elif not field.nullable:
                message += "; in training none was"
            findings.append(
                self._finding("missing", "notice", self.missing, message, "Fill them in if they are known.")
            )
        if field.kind == "category" and not field.complete:
            findings.append(
                Finding(
                    "many_values",
                    "notice",
                    self.name,
                    f"'{self.name}' had more than {MAX_CHOICES:,} values in training: unseen ones are not counted.",
                    "Nothing to do.",
                )
            )
        return findings

    def _finding(
        self,
        check: str,
        level: Literal["notice", "alert"],
        cells: int,
        message: str,
        hint: str,
        examples: Sequence[str] = (),
    ) -> Finding:
        listed = f" ({', '.join(map(repr, examples))})" if examples else ""
        sentence = f"'{self.name}': {cells:,} of {self.rows:,} cells {message}{listed}."
        return Finding(check, level, self.name, sentence, hint, {"cells": cells, "examples": list(examples)})


@cache
def _adapter() -> TypeAdapter[ColumnReport]:
    return TypeAdapter(ColumnReport)


def read_rows(frame: pd.DataFrame, fields: Sequence[Field]) -> tuple[pd.DataFrame, list[ColumnReport]]:
    """Return the columns of the fields with the types of training, and a report on each.

    Parameters
    ----------
    frame : DataFrame
        New rows. Columns may be in any order, and there may be others.
    fields : sequence of Field
        The columns that the model reads.

    Raises
    ------
    InputError
        When there are no rows, or a column is absent or there are two of its name.

    Examples
    --------
    >>> frame = pd.DataFrame({"age": ["33", "old"]})
    >>> rows, (report,) = read_rows(frame, [Field("age", "number", minimum=18, maximum=30)])
    >>> rows["age"].tolist(), report.unreadable, report.outside, report.given
    ([33.0, nan], 1, 1, 'text')
    """
    if not len(frame):
        raise InputError("The table has no rows.", "Give at least one.")
    names = [str(name) for name in frame.columns]
    required = [field.name for field in fields]
    hint = f"The model reads {', '.join(map(repr, required[:20]))}{' and more' * (len(required) > 20)}, in any order."
    require_columns(names, required, hint=hint)
    repeated = [name for name in required if names.count(name) > 1]
    if repeated:
        raise InputError(f"The table has several columns '{repeated[0]}'.", "Give each column a name of its own.")
    columns: dict[str, pd.Series] = {}
    reports = []
    for field in fields:
        column = frame.iloc[:, names.index(field.name)]
        columns[field.name], report = _READERS[field.kind](column, field)
        reports.append(report)
    return pd.DataFrame(columns, index=frame.index), reports


def _report(column: pd.Series, field: Field, given: str, read: pd.Series, *, outside: int = 0) -> ColumnReport:
    missing = column.isna().to_numpy()
    lost = read.isna().to_numpy() & ~missing
    return ColumnReport(
        field.name,
        len(column),
        int(missing.sum()),
        int(lost.sum()),
        outside=outside,
        given=given if given not in ("", _TYPES[field.kind], field.held) else "",
        unreadable_examples=tuple(dict.fromkeys(map(str, column[lost].head(200))))[:_EXAMPLES],
        trained_rows=field.rows,
        trained_missing=field.missing,
    )


def _count_outside(
    read: pd.Series, low: float | str | pd.Timestamp | None, high: float | str | pd.Timestamp | None
) -> int:
    if low is None or high is None:
        return 0
    below: NDArray[np.bool_] = (read < low).to_numpy(dtype=bool, na_value=False)
    above: NDArray[np.bool_] = (read > high).to_numpy(dtype=bool, na_value=False)
    return int((below | above).sum())


def _read_numbers(column: pd.Series, field: Field) -> tuple[pd.Series, ColumnReport]:
    given = describe_cells(column)
    if given == "dates":
        read = pd.Series(np.nan, index=column.index)
    else:
        read = pd.to_numeric(
            column.astype(object).map(str, na_action="ignore") if given == "text" else column, errors="coerce"
        ).astype("Float64")
        read = pd.Series(read.to_numpy(dtype=float, na_value=np.nan), index=column.index)
        read = read.where(read.abs() <= _LARGEST)
    report = _report(column, field, given, read, outside=_count_outside(read, field.minimum, field.maximum))
    whole = field.integer and not field.nullable and bool((read.dropna() % 1 == 0).all())
    if whole and read.abs().max() <= 2**53:  # else a category made of whole numbers would be written "1.0"
        read = read.astype("Int64") if read.isna().any() else read.astype("int64")
    return read, report


def _read_booleans(column: pd.Series, field: Field) -> tuple[pd.Series, ColumnReport]:
    given = describe_cells(column)
    if given == "true and false":
        read = column.astype("boolean")
    elif given == "dates":
        read = pd.Series(pd.NA, index=column.index, dtype="boolean")
    else:
        read = _as_texts(column).str.lower().map(_BOOLEANS, na_action="ignore").astype("boolean")
    report = _report(column, field, given, read)
    return (read if read.isna().any() else read.astype(bool)), report


def _read_dates(column: pd.Series, field: Field) -> tuple[pd.Series, ColumnReport]:
    given = describe_cells(column)
    if given in ("numbers", "true and false"):  # the unit and the origin of a number are unknown
        read = pd.Series(pd.NaT, index=column.index, dtype="datetime64[us, UTC]")
    else:
        text = column if given == "dates" else _as_texts(column)
        read = pd.to_datetime(text, errors="coerce", utc=True, format=None if given == "dates" else "ISO8601")
    low, high = (None if bound is None else pd.to_datetime(bound, utc=True) for bound in (field.minimum, field.maximum))
    return read, _report(column, field, given, read, outside=_count_outside(read, low, high))


def _read_categories(column: pd.Series, field: Field) -> tuple[pd.Series, ColumnReport]:
    read = _known_texts(_as_texts(column), field)
    report = _report(column.where(read.notna()), field, describe_cells(column), read)
    if field.complete and field.kind == "category":
        unseen = read[read.notna() & ~read.isin(field.choices)]
        examples = tuple(unseen.value_counts().index[:_EXAMPLES])
        report = replace(report, unseen=len(unseen), unseen_examples=examples)
    return read, report


def _known_texts(texts: pd.Series, field: Field) -> pd.Series:
    """Return texts as training read them: markers, and blanks before a text, belong to it only if it is a choice."""
    known = frozenset(field.choices)

    def read(text: str) -> str | None:
        if text in known:
            return text
        stripped = text.strip(BLANKS)
        if stripped in TEXT_MARKERS or (not stripped and field.kind == "category"):
            return None
        return text.lstrip() if text.lstrip() in known else text

    return texts.map(read, na_action="ignore").astype(object)


def _as_texts(column: pd.Series) -> pd.Series:
    """Return cells as text, whole numbers without the decimal point that a missing value in the column gives them."""
    if types.is_float_dtype(column.dtype):  # as the features do
        return column.astype(object).map(
            lambda value: str(int(value)) if float(value).is_integer() else str(value), na_action="ignore"
        )
    return column.astype(object).map(category_text, na_action="ignore").astype(object)


_READERS = {
    "number": _read_numbers,
    "boolean": _read_booleans,
    "date": _read_dates,
    "category": _read_categories,
    "text": _read_categories,
}

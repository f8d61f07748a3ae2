"""New rows with the types of the training rows: nothing is guessed, and every difference is counted by column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pandas.api import types

from core.columns import require_columns
from core.edge.portable.cells import TEXT_MARKERS
from core.edge.portable.written import category_text, known_word
from core.errors import InputError
from core.features import describe_cells
from core.models._fields import Field
from core.models.column_report import KIND_WORDS, MAX_EXAMPLES, ColumnReport

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["read_rows"]

_LARGEST = float(np.finfo(np.float32).max)  # a model's numbers hold no larger ones
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def read_rows(
    frame: pd.DataFrame, fields: Sequence[Field], markers: Mapping[str, Collection[str]] | None = None
) -> tuple[pd.DataFrame, list[ColumnReport]]:
    """Return the columns of the fields with the types of training, and a report on each.

    Parameters
    ----------
    frame : DataFrame
        New rows. Columns may be in any order, and there may be others.
    fields : sequence of Field
        The columns that the model reads.
    markers : mapping of str to collection of str, optional
        Texts that mean a missing value by column of text, where they are not the usual ones.

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
        reader = partial(_read_categories, markers=(markers or {}).get(field.name, TEXT_MARKERS))
        columns[field.name], report = _READERS.get(field.kind, reader)(column, field)
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
        given=given if given not in ("", KIND_WORDS[field.kind], field.held) else "",
        unreadable_examples=tuple(dict.fromkeys(map(str, column[lost].head(200))))[:MAX_EXAMPLES],
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


def _read_categories(column: pd.Series, field: Field, markers: Collection[str]) -> tuple[pd.Series, ColumnReport]:
    read = _known_texts(_as_texts(column), field, markers)
    report = _report(column.where(read.notna()), field, describe_cells(column), read)
    if field.complete and field.kind == "category":
        unseen = read[read.notna() & ~read.isin(field.choices)]
        examples = tuple(unseen.value_counts().index[:MAX_EXAMPLES])
        report = replace(report, unseen=len(unseen), unseen_examples=examples)
    return read, report


def _known_texts(texts: pd.Series, field: Field, markers: Collection[str]) -> pd.Series:
    """Return texts as training read them; a free text may be blank."""
    known = frozenset(field.choices)

    def read(text: str) -> str | None:
        return text if field.kind == "text" and not text.strip() else known_word(text, known, markers)

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
}

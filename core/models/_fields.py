"""What a model's columns held in training: what a form asks for, and what new rows are checked against."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pydantic import JsonValue, TypeAdapter

from core.errors import LimitError
from core.query import connect, identifier, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["MAX_CHOICES", "Field", "FieldKind", "describe_fields"]

MAX_CHOICES = 2_000
_MIN_WORDS = 4  # of a cell of free text, on average
_MIDDLE = "quantile_disc({cell}, 0.5)"
_CAST_TYPES = {"number": "DOUBLE", "date": "TIMESTAMP WITH TIME ZONE"}

FieldKind: TypeAlias = Literal["number", "boolean", "category", "date", "text"]
Value: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True)
class Field:
    """One column of new rows.

    Parameters
    ----------
    name : str
        Name of the column.
    kind : {"number", "boolean", "category", "date", "text"}
        The type that the model takes the column for.
    role : {"feature", "group"}, default="feature"
        "group" is a column that the model does not read, but that a policy decides by or metrics are grouped by.
    rows : int, default=0
        Number of training rows.
    missing : int, default=0
        Number of training rows without a value in this column.
    default : number, bool, str or None, default=None
        The median of numbers (of whole ones the lower middle) and dates (ISO 8601), else the most frequent value.
    minimum, maximum : number, str or None, default=None
        The range of numbers and dates.
    integer : bool, default=False
        Whether it is a column of whole numbers.
    choices : tuple of str, default=()
        The values of a category, most frequent first.
    complete : bool, default=True
        Whether `choices` has all values: of a category with more than `MAX_CHOICES`, only the most frequent are known.
    held : str, default=""
        Description of what the training table held, where `kind` does not tell: numbers that are a category.
    """

    name: str
    kind: FieldKind
    role: Literal["feature", "group"] = "feature"
    rows: int = 0
    missing: int = 0
    default: Value = None
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None
    integer: bool = False
    choices: tuple[str, ...] = ()
    complete: bool = True
    held: str = ""

    @property
    def nullable(self) -> bool:
        """Whether a cell of this column was ever empty in training."""
        return self.missing > 0

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the field as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> Field:
        """Return the field that `to_dict` described."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[Field]:
    return TypeAdapter(Field)


def describe_fields(
    table: Path,
    names: Sequence[str],
    *,
    target: str | None = None,
    held_out: Path | None = None,
    groups: Sequence[str] = (),
    types: Mapping[str, str] | None = None,
) -> list[Field]:
    """Describe columns by a table's training rows; memory does not grow with the rows.

    Parameters
    ----------
    table : Path
        The Parquet file.
    names : sequence of str
        Names of the features.
    target : str, optional
        The column that is predicted: rows without it were not learned from, and are left out.
    held_out : Path, optional
        A Parquet file whose column ``row_id`` has the positions of the rows that were held out.
    groups : sequence of str, default=()
        Names of more columns, of the role "group".
    types : mapping of str to str, optional
        The type that the model took a feature for (number, category, date or text), where the table does not tell.

    Examples
    --------
    >>> import pandas as pd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame = pd.DataFrame({"age": [20, 30, 70], "job": ["cook", "cook", None]})
    ...     frame.to_parquet(f"{folder}/table.parquet")
    ...     age, job = describe_fields(Path(folder) / "table.parquet", ["age", "job"])
    >>> (age.kind, age.default, age.maximum, age.integer), (job.choices, job.nullable)
    (('number', 30, 70, True), (('cook',), True))
    """
    import duckdb

    source = f"read_parquet({literal(table)}, file_row_number = true)"
    conditions = [] if target is None else [f"{identifier(target)} IS NOT NULL"]
    if held_out is not None:
        conditions.append(f"file_row_number NOT IN (SELECT row_id FROM read_parquet({literal(held_out)}))")
    rows = f"(SELECT * FROM {source}{' WHERE ' if conditions else ''}{' AND '.join(conditions)})"
    try:
        with tempfile.TemporaryDirectory(prefix="plumbline-") as scratch, connect(scratch) as connection:
            dtypes = {
                name: str(dtype)
                for name, dtype, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
            }
            roles = {name: "feature" if name in names else "group" for name in [*names, *groups]}
            return [
                _describe_column(
                    _Column(connection, rows, identifier(name)),
                    Field(name, "category", role="feature" if role == "feature" else "group"),
                    dtypes[name],
                    (types or {}).get(name) if role == "feature" else None,
                )
                for name, role in roles.items()
                if name in dtypes
            ]
    except duckdb.OutOfMemoryException:
        raise LimitError(
            "The columns cannot be described: their texts are too long for the memory that this takes.",
            "Leave columns of very long texts out of the table, and search again.",
        ) from None


@dataclass(frozen=True)
class _Column:
    """A column of the training rows, with an open connection.

    Parameters
    ----------
    connection : DuckDBPyConnection
        An open connection.
    rows : str
        The query of the rows, in parentheses.
    cell : str
        The expression of a cell.
    """

    connection: duckdb.DuckDBPyConnection
    rows: str
    cell: str

    def select(self, *expressions: str) -> tuple[Any, ...]:
        """Return the one row of a query over all rows; ``{cell}`` in an expression is the cell."""
        selected = ", ".join(expression.replace("{cell}", self.cell) for expression in expressions)
        return self.connection.execute(f"SELECT {selected} FROM {self.rows}").fetchone() or ()


def _describe_column(column: _Column, field: Field, dtype: str, wanted: str | None) -> Field:
    held = _held(dtype)
    if held == "text" and wanted in _CAST_TYPES:
        cast = replace(column, cell=f"TRY_CAST({column.cell} AS {_CAST_TYPES[wanted]})")
        if cast.select("count({cell})")[0]:  # a cell that does not read as such was missing in training
            column, dtype = cast, _CAST_TYPES[wanted]
        else:  # of a search before such texts were refused: dates that are not written as 2024-01-15
            wanted = None
    rows, known = column.select("count(*)", "count({cell})")
    field = replace(field, rows=rows, missing=rows - known)
    if (held == "text") == (wanted in _CAST_TYPES) and wanted is not None:
        field = replace(field, held=held)
    if wanted == "text":
        return replace(field, kind="text")
    if wanted == "category":
        if held == "dates":
            suffix = "::TIMESTAMP::VARCHAR || '+00:00'" if dtype.endswith("ZONE") else "::TIMESTAMP"
            column = replace(column, cell=column.cell + suffix)
        return _describe_category(column, field)
    if dtype == "BOOLEAN":
        (default,) = column.select("mode({cell})")
        return replace(field, kind="boolean", default=default)
    if dtype.startswith(("DATE", "TIMESTAMP")):
        dates = column.select(*(f"{date}::TIMESTAMP" for date in ("min({cell})", _MIDDLE, "max({cell})")))
        low, default, high = (None if date is None else date.isoformat() for date in dates)
        return replace(field, kind="date", default=default, minimum=low, maximum=high)
    if _held(dtype) == "numbers":
        return _describe_numbers(column, field, integer="INT" in dtype)
    return _describe_words(replace(column, cell=f"{column.cell}::VARCHAR"), field)


def _held(dtype: str) -> str:
    """Return what a column of a type holds, in the words of the reports on new rows."""
    if dtype == "BOOLEAN":
        return "true and false"
    if dtype.startswith(("DATE", "TIMESTAMP")):
        return "dates"
    return "numbers" if dtype.startswith(("DECIMAL", "DOUBLE", "FLOAT")) or "INT" in dtype else "text"


def _describe_numbers(column: _Column, field: Field, *, integer: bool) -> Field:
    cells = "({cell})" if integer else "({cell}) FILTER (isfinite({cell}::DOUBLE))"
    numbers = column.select(f"min{cells}", _MIDDLE if integer else f"median{cells}", f"max{cells}")
    low, default, high = (
        None if number is None else int(number) if integer and number == int(number) else float(number)
        for number in numbers
    )
    return replace(field, kind="number", minimum=low, default=default, maximum=high, integer=integer)


def _describe_words(column: _Column, field: Field) -> Field:
    """Distinguish free text (long values that hardly repeat, as the features do) from a category."""
    known = field.rows - field.missing
    words, distinct = column.select(
        "avg(length({cell}) - length(replace({cell}, ' ', '')) + 1)", "approx_count_distinct({cell})"
    )
    if known and words >= _MIN_WORDS and distinct > known / 2:
        return replace(field, kind="text")
    return _describe_category(column, field)


def _describe_category(column: _Column, field: Field) -> Field:
    """Describe a category by its values, each spelled as the features spell it."""
    import pandas as pd

    from core.features import as_categories

    top = column.connection.execute(
        f"SELECT value FROM (SELECT {column.cell} AS value FROM {column.rows}) WHERE value IS NOT NULL "
        f"GROUP BY value ORDER BY count(*) DESC, value LIMIT {MAX_CHOICES + 1}"
    ).fetchall()
    choices = tuple(as_categories(pd.Series([value for (value,) in top]).dropna()))
    return replace(
        field,
        kind="category",
        default=choices[0] if choices else None,
        choices=choices[:MAX_CHOICES],
        complete=len(choices) <= MAX_CHOICES,
    )

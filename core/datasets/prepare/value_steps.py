"""Steps that change the values of a column."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from core.datasets.prepare.effect import Effect
from core.datasets.prepare.step import Step
from core.datasets.prepare.typed import as_text, kind_of
from core.datasets.prepare.work_table import WorkTable
from core.errors import InputError
from core.query import identifier, literal

__all__ = ["Fill", "Merge", "Replace"]


class Merge(Step):
    """Write values of a column in one way.

    Parameters
    ----------
    column : str
        Name of the column.
    values : mapping of str to str
        New value by old value.
    """

    name: ClassVar[str] = "merge"
    title: ClassVar[str] = "Merge spellings"
    help: ClassVar[str] = "Writes values that mean the same in one way, such as 'DSL' and 'dsl'."
    column: str
    values: dict[str, str] = Field(min_length=1, max_length=10_000)

    def describe(self) -> str:
        pairs = [f"'{old}' as '{new}'" for old, new in self.values.items()]
        more = f" and {len(pairs) - 2:,} more" if len(pairs) > 2 else ""
        return f"In '{self.column}', write {', '.join(pairs[:2])}{more}"

    def inputs(self) -> set[str]:
        return {self.column}

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(self.column)
        table.require_text(self.column, "Merging spellings")
        value = identifier(self.column)
        branches = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in self.values.items())
        changed, lost = table.set_column(self.column, f"CASE {value} {branches} ELSE {value} END", "VARCHAR")
        return Effect(table.rows, table.rows, {self.column: changed}, {self.column: lost} if lost else {}), self


class Replace(Step):
    """Replace a value, or a part of a text.

    Parameters
    ----------
    column : str
        Name of the column.
    find : str
        Value to replace, as it is written.
    replacement : str or None, default=None
        New value; None makes the cell missing.
    part : bool, default=False
        Whether `find` may be a part of a text.
    """

    name: ClassVar[str] = "replace"
    title: ClassVar[str] = "Replace"
    help: ClassVar[str] = "Replaces a value, or a part of a text; nothing in place of it makes the cell missing."
    column: str
    find: str = Field(min_length=1)
    replacement: str | None = None
    part: bool = False

    def describe(self) -> str:
        new = "a missing value" if self.replacement is None else f"'{self.replacement}'"
        return f"In '{self.column}', replace {'the part ' if self.part else ''}'{self.find}' with {new}"

    def inputs(self) -> set[str]:
        return {self.column}

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(self.column)
        kind = table.columns[self.column]
        value = identifier(self.column)
        if self.part:
            table.require_text(self.column, "Replacing a part")
            sql = f"replace({value}, {literal(self.find)}, {literal(self.replacement or '')})"
        else:
            find = _value_of(table, self.column, self.find)
            new = f"NULL::{kind}" if self.replacement is None else _value_of(table, self.column, self.replacement)
            sql = f"CASE WHEN {value} = {find} THEN {new} ELSE {value} END"
        changed, lost = table.set_column(self.column, sql, kind)
        return Effect(table.rows, table.rows, {self.column: changed}, {self.column: lost} if lost else {}), self


class Fill(Step):
    """Fill missing cells.

    Parameters
    ----------
    column : str
        Name of the column.
    how : {"value", "mean", "median", "most_frequent"}, default="value"
        Value to fill in: a given one, or one that is computed from this table.
    value : str, optional
        Given value, as it is written.
    """

    name: ClassVar[str] = "fill"
    title: ClassVar[str] = "Fill missing values"
    help: ClassVar[str] = (
        "Fills missing cells with a value, or with the mean, median or most frequent value of the table. Searches fill "
        "missing cells on their own, from the training rows alone."
    )
    column: str
    how: Literal["value", "mean", "median", "most_frequent"] = "value"
    value: str | None = None

    @model_validator(mode="after")
    def _has_value(self) -> Self:
        if (self.how == "value") != (self.value is not None):
            raise ValueError("a value is given exactly when `how` is 'value'")
        return self

    def describe(self) -> str:
        what = f"'{self.value}'" if self.how == "value" else f"the {self.how.replace('_', ' ')}"
        if self.how == "most_frequent":
            what += " value"
        return f"Fill missing cells of '{self.column}' with {what}"

    def inputs(self) -> set[str]:
        return {self.column}

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(self.column)
        kind = table.columns[self.column]
        value, given = self._value(table)
        new = _value_of(table, self.column, given)
        changed, _ = table.set_column(self.column, f"coalesce({value}, {new})", kind)
        notes = () if self.how == "value" else (f"'{self.column}' was filled with {given}.",)
        fitted = self.replaced(how="value", value=given)
        return Effect(table.rows, table.rows, {self.column: changed}, notes=notes), fitted

    def _value(self, table: WorkTable) -> tuple[str, str]:
        """Return SQL of the column, and the value to fill in."""
        column = identifier(self.column)
        if self.how == "value":
            return column, str(self.value)
        kind = kind_of(table.columns[self.column])
        if self.how == "most_frequent":
            query = (
                f"SELECT {as_text('v')} FROM (SELECT {column} AS v, count(*) AS n FROM {table.view} "
                f"WHERE {column} IS NOT NULL GROUP BY v ORDER BY n DESC, v LIMIT 1)"
            )
        elif kind in ("number", "integer"):
            statistic = f"{'avg' if self.how == 'mean' else 'median'}({column}::DOUBLE)"
            # A whole column stays whole: the nearest integer is filled in, and the note says which.
            rounded = f"round({statistic})" if kind == "integer" else statistic
            query = f"SELECT {as_text(rounded)} FROM {table.view} WHERE {column} IS NOT NULL"
        else:
            raise InputError(
                f"'{self.column}' has no {self.how}: it is not a column of numbers.", "Fill in the most frequent value."
            )
        rows = table.query(query)
        if not rows or rows[0][0] is None:
            raise InputError(f"'{self.column}' has no values.", "Give the value to fill in, or drop the column.")
        return column, str(rows[0][0])


def _value_of(table: WorkTable, column: str, text: str) -> str:
    """Return SQL of a value of the column's type.

    Raises
    ------
    InputError
        When the text is not such a value.
    """
    kind = table.columns[column]
    if kind_of(kind) == "text":
        return literal(text)
    sql = f"try_cast({literal(text.strip())} AS {kind})"
    if table.query(
        f"SELECT {sql} IS NULL OR ({as_text(sql)} <> {as_text(literal(text.strip()))} AND "
        f"try_cast({literal(text.strip())} AS DOUBLE) <> try_cast({sql} AS DOUBLE))"
    )[0][0]:
        named = kind_of(kind) or kind.lower()
        raise InputError(f"'{text[:40]}' is not a value of '{column}', which is of the type {named}.", "")
    return sql

"""Steps that add, rename and remove columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import Field

from core.datasets.prepare import expressions
from core.datasets.prepare.effect import Effect
from core.datasets.prepare.step import Step
from core.datasets.prepare.typed import STORED
from core.datasets.prepare.work_table import WorkTable
from core.errors import InputError
from core.query import identifier, literal

__all__ = ["Derive", "Drop", "Rename", "Split"]


class Rename(Step):
    """Give a column another name."""

    name: ClassVar[str] = "rename"
    title: ClassVar[str] = "Rename"
    help: ClassVar[str] = "Gives a column another name."
    column: str
    to: str

    def describe(self) -> str:
        return f"Rename '{self.column}' to '{self.to}'"

    def inputs(self) -> set[str]:
        return {self.column}

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(self.column)
        table.check_new(self.to, besides=self.column)
        table.project({self.to if name == self.column else name: value for name, value in table.kept().items()})
        return Effect(table.rows, table.rows, renamed={self.column: self.to}), self


class Drop(Step):
    """Remove columns."""

    name: ClassVar[str] = "drop"
    title: ClassVar[str] = "Drop columns"
    help: ClassVar[str] = "Removes columns. To keep one in the table but out of models, ignore it on the tab Roles."
    columns: tuple[str, ...] = Field(min_length=1)

    def describe(self) -> str:
        return f"Drop {_listed(self.columns)}"

    def inputs(self) -> set[str]:
        return set()  # rows that lack a column that is dropped are fine

    def narrowed(self, columns: Iterable[str]) -> Step | None:
        present = set(columns)
        kept = tuple(name for name in self.columns if name in present)
        return self.replaced(columns=kept) if kept and len(kept) < len(present) else None

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(*self.columns)
        kept = {name: value for name, value in table.kept().items() if name not in self.columns}
        if not kept:
            raise InputError("All columns would be dropped.", "Keep at least one.")
        table.project(kept)
        return Effect(table.rows, table.rows, removed=tuple(dict.fromkeys(self.columns))), self


class Split(Step):
    """Split a text into several columns.

    Parameters
    ----------
    column : str
        Name of the column.
    separator : str
        Text between the parts.
    into : tuple of str
        Names of the new columns. The last one gets what is left; cells with fewer parts are missing in the others.
    keep : bool, default=False
        Whether the column itself is kept.
    """

    name: ClassVar[str] = "split"
    title: ClassVar[str] = "Split a column"
    help: ClassVar[str] = "Splits a text at a separator into several columns; the last one gets what is left."
    column: str
    separator: str = Field(min_length=1)
    into: tuple[str, ...] = Field(min_length=2, max_length=50)
    keep: bool = False

    def describe(self) -> str:
        return f"Split '{self.column}' at '{self.separator}' into {_listed(self.into)}"

    def inputs(self) -> set[str]:
        return {self.column}

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(self.column)
        table.require_text(self.column, "Splitting")
        for name in self.into:
            table.check_new(name, besides="" if self.keep else self.column)
        if len({name.casefold() for name in self.into}) < len(self.into):
            raise InputError(f"The new columns {_listed(self.into)} do not differ.", "Choose other names.")
        value, mark = identifier(self.column), literal(self.separator)
        parts = f"string_split({value}, {mark})"
        last = len(self.into)
        rest = f"nullif(array_to_string({parts}[{last}:], {mark}), '')"
        new = [f"nullif(trim({parts}[{number}]), '')" for number in range(1, last)] + [f"trim({rest})"]
        columns: dict[str, tuple[str, str]] = {}
        for name, kept in table.kept().items():
            if name != self.column or self.keep:
                columns[name] = kept
            if name == self.column:
                columns |= {item: (sql, "VARCHAR") for item, sql in zip(self.into, new, strict=True)}
        fewer = table.number(f"SELECT count(*) FROM {table.view} WHERE {value} IS NOT NULL AND len({parts}) <> {last}")
        table.project(columns)
        notes = (f"{fewer:,} cells do not have exactly {last} parts.",) if fewer else ()
        removed = () if self.keep else (self.column,)
        return Effect(table.rows, table.rows, added=self.into, removed=removed, notes=notes), self


class Derive(Step):
    """Add a column that an expression computes, or replace one.

    Parameters
    ----------
    column : str
        Name of the new column, or of the one to replace.
    expression : str
        Expression over the present columns; see `core.datasets.prepare.expressions`.
    """

    name: ClassVar[str] = "derive"
    title: ClassVar[str] = "Derive a column"
    help: ClassVar[str] = "Adds a column that an expression computes from others, or replaces one."
    column: str
    expression: str

    def describe(self) -> str:
        return f"Derive '{self.column}' as {self.expression}"

    def inputs(self) -> set[str]:
        return expressions.column_names(self.expression)

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        compiled = expressions.compile_expression(self.expression, table.columns)
        kind = STORED["number" if compiled.kind == "missing" else compiled.kind]
        sql = f"CAST({compiled.sql} AS {kind})"
        if kind == "DOUBLE":  # a result beyond the range of numbers has no value
            sql = f"(SELECT CASE WHEN isfinite(v) THEN v END FROM (SELECT {sql} AS v))"
        if self.column in table.columns:
            changed, lost = table.set_column(self.column, sql, kind)
            return Effect(table.rows, table.rows, {self.column: changed}, {self.column: lost} if lost else {}), self
        table.check_new(self.column)
        table.project({**table.kept(), self.column: (sql, kind)})
        missing = table.number(f"SELECT count(*) FROM {table.view} WHERE {identifier(self.column)} IS NULL")
        notes = (f"'{self.column}' has no value in {missing:,} rows.",) if missing else ()
        return Effect(table.rows, table.rows, added=(self.column,), notes=notes), self


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
    return ", ".join(f"'{name}'" for name in names[:3]) + more

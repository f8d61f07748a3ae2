"""Steps that remove rows."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from core.datasets.prepare import expressions
from core.datasets.prepare.effect import Effect
from core.datasets.prepare.step import Step
from core.datasets.prepare.work_table import WorkTable
from core.errors import InputError
from core.query import identifier

__all__ = ["Filter", "RemoveDuplicates", "Sample"]


class Filter(Step):
    """Keep the rows that fulfill a condition.

    Parameters
    ----------
    condition : str
        Expression that is true in the rows to keep; where it is missing, the row is removed.
    """

    name: ClassVar[str] = "filter"
    title: ClassVar[str] = "Filter rows"
    help: ClassVar[str] = "Keeps the rows for which a condition is true."
    row_wise: ClassVar[bool] = False
    condition: str

    def describe(self) -> str:
        return f"Keep rows where {self.condition}"

    def inputs(self) -> set[str]:
        return expressions.column_names(self.condition)

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        condition = expressions.compile_condition(self.condition, table.columns)
        before = table.rows
        unknown = table.number(f"SELECT count(*) FROM {table.view} WHERE ({condition}) IS NULL")
        after = table.keep_rows(condition)
        if not after and not table.partial:
            raise InputError(f"No row fulfills the condition {self.condition[:80]}.", "Keep at least one row.")
        notes = (f"In {unknown:,} of the removed rows a value that the condition needs is missing.",) if unknown else ()
        return Effect(before, after, notes=notes), self


class RemoveDuplicates(Step):
    """Remove rows that repeat an earlier one.

    Parameters
    ----------
    columns : tuple of str, default=()
        Columns in which rows have to be equal; all by default. The first of them is kept.
    """

    name: ClassVar[str] = "remove_duplicates"
    title: ClassVar[str] = "Remove duplicates"
    help: ClassVar[str] = "Removes rows that are equal to an earlier one, in all columns or in some."
    row_wise: ClassVar[bool] = False
    columns: tuple[str, ...] = ()

    def describe(self) -> str:
        names = ", ".join(f"'{name}'" for name in self.columns[:3])
        return f"Remove copies of rows{f' with equal {names}' if names else ''}"

    def inputs(self) -> set[str]:
        return set(self.columns)

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(*self.columns)
        names = ", ".join(identifier(name) for name in self.columns or table.columns)
        row = identifier(table.row)
        before = table.rows
        first = f"SELECT min({row}) FROM {table.view} GROUP BY {names}"
        table.store(f"SELECT * FROM {table.view} WHERE {row} IN ({first})")
        return Effect(before, table.rows), self


class Sample(Step):
    """Keep a random sample of the rows.

    Parameters
    ----------
    rows : int
        Number of rows to keep, in their order.
    seed : int, default=0
        Seed of the draw: the same table and seed give the same rows.
    """

    name: ClassVar[str] = "sample"
    title: ClassVar[str] = "Sample rows"
    help: ClassVar[str] = "Keeps a random sample of the rows, in their order."
    row_wise: ClassVar[bool] = False
    rows: int = Field(ge=1)
    seed: int = Field(default=0, ge=0, lt=2**31)

    def describe(self) -> str:
        return f"Keep a random sample of {self.rows:,} rows"

    def inputs(self) -> set[str]:
        return set()

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        before = table.rows
        if self.rows >= before:
            return Effect(before, before, notes=(f"The table has only {before:,} rows; all are kept.",)), self
        row = identifier(table.row)
        order = f"hash({row} + {self.seed} * 1000003::HUGEINT), {row}"
        drawn = f"SELECT {row} FROM {table.view} ORDER BY {order} LIMIT {self.rows}"
        table.store(f"SELECT * FROM {table.view} WHERE {row} IN ({drawn})")
        return Effect(before, table.rows), self

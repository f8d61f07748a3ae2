"""The step that reads a column as another type."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from pydantic import field_validator

from core.datasets._column_format import ColumnFormat
from core.datasets._delimited import Source
from core.datasets._number_sql import MACROS
from core.datasets._options import ReadOptions
from core.datasets._type_choice import choose_types
from core.datasets.prepare.effect import Effect
from core.datasets.prepare.step import Step
from core.datasets.prepare.typed import STORED, as_text, kind_of
from core.datasets.prepare.work_table import WorkTable
from core.errors import InputError
from core.query import identifier

__all__ = ["ChangeType"]


class ChangeType(Step):
    """Read a column as another type.

    Parameters
    ----------
    column : str
        Name of the column.
    type : str
        Type as `ReadOptions.column_types` has it: "number", "number:1.234,5", "date:%d.%m.%Y", "text", "integer",
        "boolean" or "timestamp". Without the way in which values are written, the one that most cells have is used.
    exact : bool, default=False
        Whether only cells that are written as `type` says have a value, whatever the others are like: so that a row
        of a fitted step does not depend on the rows beside it.
    zoned : bool, optional
        Whether times have an offset from UTC; a fitted step knows it. By default they may.
    """

    name: ClassVar[str] = "change_type"
    title: ClassVar[str] = "Change type"
    help: ClassVar[str] = "Reads a column as another type. Cells without such a value become missing, and are counted."
    column: str
    type: str
    exact: bool = False
    zoned: bool | None = None

    @field_validator("type")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ColumnFormat.parse(value)
        except InputError as error:
            raise ValueError(f"{error.message} {error.hint}") from None
        return value

    def describe(self) -> str:
        kind, _, written = self.type.partition(":")
        return f"Read '{self.column}' as {kind}" + (f", written as {written}" if written else "")

    def inputs(self) -> set[str]:
        return {self.column}

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(self.column)
        kind = self.type.partition(":")[0]
        present = kind_of(table.columns[self.column])
        notes: tuple[str, ...] = ()
        fitted = self
        if present == "text" and kind != "text" and self.exact:
            sql = self._exactly(table)
        elif present == "text" and kind != "text":
            sql, notes, fitted = self._from_text(table)
        else:
            sql = _converted(self.column, present, kind, self.type)
        changed, lost = table.set_column(self.column, sql, STORED[kind])
        table.checkpoint()
        rows = table.rows
        return Effect(rows, rows, {self.column: changed}, {self.column: lost} if lost else {}, notes=notes), fitted

    def _exactly(self, table: WorkTable) -> str:
        """Return SQL of a column of text whose cells have a value only when they are written as the type says."""
        item, name = ColumnFormat.parse(self.type), identifier(self.column)
        for macro in MACROS if item.style else ():
            table.connection.execute(macro)
        if item.kind != "timestamp" or item.dates:
            return item.value(name)
        times = {zoned: f"CAST({replace(item, zoned=zoned).value(name)} AS TIMESTAMP)" for zoned in (False, True)}
        return f"coalesce({times[False]}, {times[True]})" if self.zoned is None else times[self.zoned]

    def _from_text(self, table: WorkTable) -> tuple[str, tuple[str, ...], ChangeType]:
        for macro in MACROS:
            table.connection.execute(macro)
        source = Source(f"(SELECT {identifier(self.column)} AS c0 FROM {table.view})", ["c0"])
        options = ReadOptions(column_types={self.column: self.type})
        (chosen,) = choose_types(table.connection, source, [self.column], options=options).columns
        notes = (f"'{self.column}' {chosen.notice}.",) if chosen.notice else ()
        spec = chosen.format.spec if chosen.format else self.type
        if chosen.format is None or chosen.format.kind != self.type.partition(":")[0]:
            return f"NULL::{STORED[self.type.partition(':')[0]]}", notes, self
        # Markers of missing values are those of this table; elsewhere a cell without a value is missing as well.
        sql = chosen.format.value("c0").replace("c0", identifier(self.column))
        zoned = chosen.format.zoned if spec == "timestamp" else None
        return sql, notes, self.replaced(type=spec, zoned=zoned)


def _converted(column: str, present: str | None, kind: str, spec: str) -> str:
    """Return SQL of a column that is not text, as another type."""
    value = identifier(column)
    if kind == present:
        return value
    if kind == "text":
        return as_text(value)
    match present, kind:
        case ("boolean", "integer" | "number"):
            return f"CAST({value} AS {STORED[kind]})"
        case ("integer" | "number", "boolean"):
            return f"CASE WHEN {value} = 1 THEN true WHEN {value} = 0 THEN false END"
        case ("integer", "number"):
            return f"CAST({value} AS DOUBLE)"
        case ("number", "integer"):
            return f"CASE WHEN {value} = floor({value}) THEN try_cast({value} AS BIGINT) END"
        case ("integer" | "number", "date" | "timestamp") if ":" in spec:
            return ColumnFormat.parse(spec).value(as_text(value))
        case ("date", "timestamp") | ("timestamp", "date"):
            return f"CAST({value} AS {STORED[kind]})"
    hint = "Give its format, such as date:%Y%m%d." if kind in ("date", "timestamp") else "Derive a column from it."
    raise InputError(f"'{column}' is of the type {present or 'other'}, which cannot be read as {kind}.", hint)

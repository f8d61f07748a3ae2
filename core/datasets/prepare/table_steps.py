"""Steps that bring in other datasets."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from core.columns import require_columns
from core.datasets.prepare.effect import Effect
from core.datasets.prepare.step import Step
from core.datasets.prepare.typed import kind_of
from core.datasets.prepare.work_table import WorkTable
from core.errors import InputError
from core.query import identifier, literal

__all__ = ["Append", "Join"]


class Join(Step):
    """Add columns of another dataset.

    Parameters
    ----------
    dataset : str
        Id of the other dataset.
    keys : mapping of str to str
        Column of the other dataset by the column of this table that must be equal to it.
    kind : {"left", "inner"}, default="left"
        Whether rows without a match are kept, with missing cells, or removed.
    columns : tuple of str, default=()
        Columns of the other dataset to add; by default all but the keys.
    repeated : {"refuse", "first", "all"}, default="refuse"
        Treatment of a key that is in several rows of the other dataset: an error, its first row, or one row for each.
    """

    name: ClassVar[str] = "join"
    title: ClassVar[str] = "Join a dataset"
    help: ClassVar[str] = (
        "Adds columns of another dataset, by columns that both have. Rows are never multiplied unasked."
    )
    row_wise: ClassVar[bool] = False
    dataset: str
    keys: dict[str, str] = Field(min_length=1)
    kind: Literal["left", "inner"] = "left"
    columns: tuple[str, ...] = ()
    repeated: Literal["refuse", "first", "all"] = "refuse"

    def describe(self) -> str:
        pairs = ", ".join(
            f"'{left}'" if left == right else f"'{left}' = '{right}'" for left, right in self.keys.items()
        )
        return f"Join dataset {self.dataset} by {pairs}"

    def inputs(self) -> set[str]:
        return set(self.keys)

    def dataset_ids(self) -> set[str]:
        return {self.dataset}

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        table.require(*self.keys)
        other, types = other_table(table, self.dataset)
        require_columns(list(types), [*self.keys.values(), *self.columns], what="The other dataset")
        for left, right in self.keys.items():
            pair = [kind_of(table.columns[left]), kind_of(types[right])]
            if pair[0] != pair[1] and not set(pair) <= {"number", "integer"}:
                raise InputError(
                    f"'{left}' is of the type {pair[0]}, '{right}' of the type {pair[1]}: they are never equal.",
                    "Change the type of one of them first.",
                )
        new = self.columns or tuple(name for name in types if name not in self.keys.values())
        for name in new:
            table.check_new(name)
        return self._join(table, other, types, new), self

    def _join(self, table: WorkTable, other: str, types: dict[str, str], new: tuple[str, ...]) -> Effect:
        keys = ", ".join(identifier(name) for name in self.keys.values())
        known = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in self.keys.values())
        repeated = table.number(
            f"SELECT count(*) FROM (SELECT {keys} FROM {other} WHERE {known} GROUP BY {keys} HAVING count(*) > 1)"
        )
        if repeated and self.repeated == "refuse":
            raise InputError(
                f"{repeated:,} keys are in several rows of the other dataset, so rows would be multiplied.",
                "Choose another key, use the first row of each, or allow that rows are multiplied.",
            )
        numbered = f"SELECT *, row_number() OVER () AS other_row_ FROM {other}"
        if repeated and self.repeated == "first":
            numbered = (
                f"SELECT * FROM ({numbered}) QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY other_row_) = 1"
            )
        on = " AND ".join(f"a.{identifier(left)} = b.{identifier(right)}" for left, right in self.keys.items())
        row, before = identifier(table.row), table.rows
        mine = ", ".join(f"a.{identifier(name)}" for name in table.columns)
        theirs = ", ".join(f"b.{identifier(name)}" for name in new)
        matched = table.number(
            f"SELECT count(*) FROM {table.view} AS a WHERE EXISTS (SELECT 1 FROM {other} AS b WHERE {on})"
        )
        # Several matches of a row stand one after the other, in the order of the other dataset.
        table.store(
            f"SELECT {mine}, {theirs}, row_number() OVER (ORDER BY a.{row}, b.other_row_) AS {row} "
            f"FROM {table.view} AS a {self.kind.upper()} JOIN ({numbered}) AS b ON {on}"
        )
        without = before - matched
        notes = [f"{without:,} of {before:,} rows have no match in the other dataset."] if without else []
        if table.rows > matched + (without if self.kind == "left" else 0):
            notes.append(f"Rows with several matches were multiplied: {before:,} rows became {table.rows:,}.")
        if not table.rows and not table.partial:
            raise InputError("No row has a match in the other dataset.", "Choose other keys.")
        return Effect(before, table.rows, added=new, notes=tuple(notes))


class Append(Step):
    """Add the rows of another dataset below.

    Parameters
    ----------
    dataset : str
        Id of the other dataset. Columns are matched by name; those that it lacks are missing in its rows, and those
        that only it has are left out. Both are said.
    """

    name: ClassVar[str] = "append"
    title: ClassVar[str] = "Append rows"
    help: ClassVar[str] = "Adds the rows of another dataset below, with columns matched by name."
    row_wise: ClassVar[bool] = False
    dataset: str

    def describe(self) -> str:
        return f"Append the rows of dataset {self.dataset}"

    def inputs(self) -> set[str]:
        return set()

    def dataset_ids(self) -> set[str]:
        return {self.dataset}

    def apply(self, table: WorkTable) -> tuple[Effect, Step]:
        other, types = other_table(table, self.dataset)
        shared = [name for name in table.columns if name in types]
        if not shared:
            raise InputError("The other dataset has no column of this table.", "Choose one with the same columns.")
        for name in shared:
            pair = [kind_of(table.columns[name]), kind_of(types[name])]
            empty = types[name] == "VARCHAR" and not table.number(f"SELECT count({identifier(name)}) FROM {other}")
            if pair[0] != pair[1] and not set(pair) <= {"number", "integer"} and not empty:
                raise InputError(
                    f"'{name}' is of the type {pair[0]} here, and of the type {pair[1]} in the other dataset.",
                    "Read the other file again with the same type, on its tab Reading.",
                )
        before, row = table.rows, identifier(table.row)
        mine = ", ".join(identifier(name) for name in table.columns)
        types_by_name = {name: _wider(kind, types.get(name, kind)) for name, kind in table.columns.items()}
        theirs = ", ".join(
            f"CAST({identifier(name) if name in types else 'NULL'} AS {kind}) AS {identifier(name)}"
            for name, kind in types_by_name.items()
        )
        table.store(
            f"SELECT {mine}, {row} FROM {table.view} UNION ALL "
            f"SELECT {theirs}, {before} + row_number() OVER () AS {row} FROM {other}"
        )
        notes = [
            f"The other dataset lacks {', '.join(repr(name) for name in names[:5])}: missing in its rows."
            for names in [[name for name in table.columns if name not in types]]
            if names
        ]
        notes += [
            f"Only the other dataset has {', '.join(repr(name) for name in names[:5])}: left out."
            for names in [[name for name in types if name not in table.columns]]
            if names
        ]
        return Effect(before, table.rows, notes=tuple(notes)), self


def _wider(mine: str, other: str) -> str:
    return "DOUBLE" if {kind_of(mine), kind_of(other)} == {"number", "integer"} else mine


def other_table(table: WorkTable, dataset: str) -> tuple[str, dict[str, str]]:
    """Return SQL of another dataset, and the types of its columns.

    Raises
    ------
    InputError
        When there is no such dataset.
    """
    if dataset not in table.tables:
        raise InputError(f"There is no dataset '{dataset[:40]}'.", "It may have been deleted. Remove this step.")
    source = f"read_parquet({literal(table.tables[dataset])})"
    return source, {str(name): str(kind) for name, kind, *_ in table.query(f"DESCRIBE SELECT * FROM {source}")}

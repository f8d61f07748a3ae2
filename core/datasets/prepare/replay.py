"""Steps that travel with a model: they do to new rows what they did to the training table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._cell_format import cell_format
from core.datasets._frame import load_frame, store_frame
from core.datasets.prepare.recipe import Recipe, columns_made
from core.datasets.prepare.session import open_table, step_errors
from core.datasets.prepare.step import Step
from core.datasets.prepare.type_step import ChangeType
from core.datasets.prepare.typed import kind_of
from core.datasets.prepare.work_table import WorkTable
from core.jsonable import JsonObject
from core.query import identifier

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Replay", "Replayed"]

_NUMBERS = {"number", "integer"}
_DATES = {"date", "timestamp"}
_ARROW = {
    "number": "float64",
    "integer": "int64",
    "text": "string",
    "boolean": "bool",
    "date": "date32",
    "timestamp": "timestamp[us]",
}


@dataclass(frozen=True)
class Replayed:
    """New rows after the steps.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows, with the index and the untouched columns of the given ones.
    skipped : dict of str to tuple of str
        Columns that a step needs and the rows lack, by the step: such rows may have been prepared already.
    """

    frame: pd.DataFrame
    skipped: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Replay:
    """The row-wise steps between a file and the table that a model was trained on.

    Parameters
    ----------
    recipe : Recipe
        Fitted recipe of the table; steps that are not row-wise, such as a filter, are left out.
    types : mapping of str to str, default={}
        DuckDB type of the columns of the table before the steps, by name.

    Examples
    --------
    >>> import pandas as pd
    >>> recipe = Recipe([{"step": "derive", "column": "yearly", "expression": "fee * 12"}])
    >>> Replay(recipe, {"fee": "DOUBLE"}).apply(pd.DataFrame({"fee": [1.5]})).frame["yearly"].tolist()
    [18.0]
    """

    recipe: Recipe
    types: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        steps = [_exact(step) for step in self.recipe.row_wise().steps]
        object.__setattr__(self, "recipe", Recipe(steps))

    @property
    def inputs(self) -> set[str]:
        """Names of the columns that the steps read, as they are before the steps."""
        return self.recipe.inputs()

    @property
    def outputs(self) -> set[str]:
        """Names of the columns that the steps make or change."""
        made: set[str] = set()
        for step in self.recipe.steps:
            made |= columns_made(step) or step.inputs()
        return made

    def needed_for(self, columns: Iterable[str]) -> Replay:
        """Return the steps that lead to some of these columns, and those that remove others."""
        needed, kept = set(columns), []
        for step in reversed(self.recipe.steps):
            if step.name == "drop" or (columns_made(step) or step.inputs()) & needed:
                kept.append(step)
                needed |= step.inputs()
        return Replay(Recipe(kept[::-1]), self.types)

    def apply(self, frame: pd.DataFrame) -> Replayed:
        """Apply the steps to new rows; a step whose columns are absent is skipped.

        Parameters
        ----------
        frame : pandas.DataFrame
            The rows.

        Returns
        -------
        Replayed

        Raises
        ------
        StepError
            When a step is not possible with the types of these columns.
        """
        if not self.recipe.steps or not len(frame):
            return Replayed(frame, {})
        import pandas as pd

        given = frame.rename(columns=str)
        given = given.drop(columns=[name for name in given.columns if name in self._made_again(given.columns)])
        used = [name for name in given.columns if name in self.inputs | self.outputs]
        if not used or given.columns.duplicated().any():  # the model says what is absent, or there twice
            return Replayed(frame, {})
        skipped: dict[str, tuple[str, ...]] = {}
        with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
            base = Path(folder)
            path = store_frame(given[used], base / "rows.parquet")
            with open_table(path, base, base, {}) as table:
                self._cast(table)
                for number, step in enumerate(self.recipe.steps):
                    absent = tuple(sorted(step.inputs() - set(table.columns)))
                    if absent:
                        skipped[step.describe()] = absent
                        continue
                    due = step.narrowed(table.columns)
                    if due is not None:
                        with step_errors(number, step.describe()):
                            due.apply(table)
                table.save(base / "done.parquet")
            done = load_frame(base / "done.parquet")
        done.index = frame.index
        kept = given.drop(columns=[name for name in used if name not in done.columns])
        result = pd.concat([kept.drop(columns=[n for n in done.columns if n in kept.columns]), done], axis=1)
        return Replayed(result, skipped)

    def _made_again(self, columns: Iterable[str]) -> set[str]:
        """Return the columns of prepared rows that steps make once more, from others that are still there."""
        present, made = set(columns), set()
        for step in self.recipe.steps:
            if step.inputs() <= present:
                made |= columns_made(step) - step.inputs()
                present |= columns_made(step)
        return made - self.inputs

    def _cast(self, table: WorkTable) -> None:
        """Give columns the types of training where that changes no value: other rows may have lost them."""
        columns = table.kept()
        for name, (_, kind) in list(columns.items()):
            wanted = self.types.get(name, kind)
            types = {kind_of(kind), kind_of(wanted)}
            empty = not table.number(f"SELECT count({identifier(name)}) FROM {table.view}")
            if wanted != kind and (empty or types <= _NUMBERS or types <= _DATES):
                cast = f"try_cast({identifier(name)} AS {wanted})"
                lost = table.number(
                    f"SELECT count(*) FROM {table.view} WHERE {identifier(name)} IS DISTINCT FROM {cast}"
                )
                if not lost:
                    columns[name] = (cast, wanted)
        table.project(columns)

    def described(self) -> JsonObject:
        """Return the steps with the types of all columns that they derive, for code that runs them without DuckDB.

        Returns
        -------
        dict
            "steps", each derived column with its "stored_type", and each text that becomes another type with the
            format in which its cells are "written"; the "types" before the steps; and the names of the columns that are
            "inputs" and that are "made".
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        steps = []
        with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
            base = Path(folder)
            columns = {name: pa.array([], _ARROW[kind_of(kind) or "text"]) for name, kind in self.types.items()}
            pq.write_table(pa.table(columns), base / "empty.parquet")
            with open_table(base / "empty.parquet", base, base, {}) as table:
                for step in self.recipe.steps:
                    values = step.to_dict()
                    if isinstance(step, ChangeType) and kind_of(table.columns.get(step.column, "")) == "text":
                        values["written"] = dict(cell_format(step.type))
                    due = step.narrowed(table.columns)
                    if due is not None:
                        due.apply(table)
                    if step.name == "derive":
                        values["stored_type"] = table.columns[values["column"]]
                    steps.append(values)
        return {
            "steps": steps,
            "types": dict(self.types),
            "inputs": sorted(self.inputs),
            "made": sorted(self.outputs),
        }

    def to_dict(self) -> JsonObject:
        """Return the steps as JSON-serializable values."""
        return {**self.recipe.to_dict(), "types": dict(self.types)}

    @classmethod
    def from_dict(cls, values: JsonObject) -> Replay:
        """Return the steps from what `to_dict` returned."""
        fields = dict(values)
        types = fields.pop("types", {})
        return cls(Recipe.from_dict(fields), types)


def _exact(step: Step) -> Step:
    """Return a fitted step that reads each row by itself."""
    return step.replaced(exact=True) if isinstance(step, ChangeType) else step

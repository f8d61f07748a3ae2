"""Steps of a preparation on cells of text, so that a device reads the rows of a file as training did."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from .cells import MARKERS, TEXT_MARKERS, CellError
from .expressions import FUNCTIONS, Value, as_text, evaluate, parse
from .written import read_cell

__all__ = ["UnsupportedStepError", "apply", "check"]

_SPACES = " \t\u00a0"
Cells = dict[str, list[str]]


class UnsupportedStepError(ValueError):
    """A step that cells of text alone do not allow."""


def check(steps: Sequence[Mapping[str, Any]]) -> None:
    """Check that all steps can run here.

    Raises
    ------
    UnsupportedStepError
        Naming the first one that cannot.

    Examples
    --------
    >>> check([{"step": "drop", "columns": ["id"]}])
    >>> check([{"step": "derive", "column": "x", "expression": "matches(t, '[0-9]')"}])
    Traceback (most recent call last):
    core.edge.portable.steps.UnsupportedStepError: the function 'matches'
    """
    for step in steps:
        name = step["step"]
        if name not in _STEPS:
            raise UnsupportedStepError(f"a step of the kind '{name}'")
        if name == "change_type" and step["type"].partition(":")[0] not in ("number", "date", "text"):
            raise UnsupportedStepError(f"the type '{step['type']}'")
        if name == "derive":
            tree, _ = parse(step["expression"])
            for node in ast.walk(tree):
                name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else "bins"
                if name not in {*FUNCTIONS, "bins"}:
                    raise UnsupportedStepError(f"the function '{name}'")


def apply(cells: Cells, described: Mapping[str, Any]) -> Cells:
    """Apply steps to a table; a step whose columns are absent is skipped, as in rows that were prepared already.

    Parameters
    ----------
    cells : dict of str to list of str
        Cells by column; a missing one is empty.
    described : mapping
        The "steps", as `core.datasets.Replay.described` has them; the "types" of the columns before them, as DuckDB
        names them; and "formats", in which the cells of some columns are written.

    Returns
    -------
    dict of str to list of str
    """
    state = _State({name: list(column) for name, column in cells.items()}, dict(described["types"]))
    formats = described.get("formats", {})
    for name, kind in state.types.items():
        markers = TEXT_MARKERS if kind == "VARCHAR" else MARKERS
        if name in formats:
            state.map(name, lambda cell, name=name: _plain(name, formats[name], cell))
        else:
            state.map(name, lambda cell, markers=markers: "" if cell.strip(_SPACES) in markers else cell)
    for step in described["steps"]:
        _STEPS[step["step"]](state, step)
    return state.cells


def _plain(name: str, written: Mapping[str, Any], cell: str) -> str:
    """Return a cell that is written as in the training file as the steps read it."""
    try:
        return as_text(read_cell(written, cell))
    except (ValueError, OverflowError):
        try:  # it went through the steps already
            datetime.fromisoformat(cell.strip())
        except ValueError:
            raise CellError(f"The column '{name}' holds {cell!r}, which is not written as in training.") from None
        return cell


class _State:
    def __init__(self, cells: Cells, types: dict[str, str]) -> None:
        self.cells, self.types = cells, types

    def map(self, name: str, function: Any) -> None:
        if name in self.cells:
            self.cells[name] = [function(cell) for cell in self.cells[name]]

    def value(self, name: str, cell: str) -> Value:
        """Return the value of a cell by the column's type."""
        if not cell.strip(_SPACES):
            return None
        kind = self.types.get(name, "VARCHAR")
        try:
            if kind == "BIGINT" or kind.endswith("INTEGER"):
                return int(float(cell)) if float(cell).is_integer() else float(cell)
            if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
                return float(cell)
            if kind == "BOOLEAN":
                return {"true": True, "false": False}[cell.strip().lower()]
            if kind == "DATE":
                return date.fromisoformat(cell.strip()[:10])
            if kind.startswith("TIMESTAMP"):
                return datetime.fromisoformat(cell.strip())
        except (ValueError, KeyError) as error:
            raise CellError(f"{cell!r} is not a value of the column {name!r}.") from error
        return cell


def _change_type(state: _State, step: Mapping[str, Any]) -> None:
    name, kind = step["column"], step["type"].partition(":")[0]
    if name not in state.cells:
        return
    before = state.types.get(name, "VARCHAR")
    if before == "VARCHAR" and kind != "text":
        state.map(name, lambda cell: as_text(_as_written(step["written"], cell)))
    elif kind == "date" and ":" in step["type"]:  # digits such as 20240131
        state.map(name, lambda cell: as_text(_as_written(step["written"], as_text(state.value(name, cell)))))
    else:
        state.map(name, lambda cell: as_text(_converted(state.value(name, cell), kind)))
    state.types[name] = {"number": "DOUBLE", "date": "DATE", "text": "VARCHAR"}[kind]


def _as_written(written: Mapping[str, Any], cell: str) -> Value:
    """Return the value of a cell, which is missing where it is written in another way; a date has no time."""
    try:
        value = read_cell(written, cell)
    except (ValueError, OverflowError):
        return None
    return value.date() if isinstance(value, datetime) and written["kind"] == "date" else value


def _converted(value: Value, kind: str) -> Value:
    """Return a value that is not a text as another type."""
    if kind == "number" and isinstance(value, bool):
        return int(value)
    return value.date() if kind == "date" and isinstance(value, datetime) else value


def _rename(state: _State, step: Mapping[str, Any]) -> None:
    if step["column"] in state.cells:
        state.cells = {step["to"] if name == step["column"] else name: cells for name, cells in state.cells.items()}
        state.types[step["to"]] = state.types.get(step["column"], "VARCHAR")


def _drop(state: _State, step: Mapping[str, Any]) -> None:
    for name in step["columns"]:
        state.cells.pop(name, None)


def _merge(state: _State, step: Mapping[str, Any]) -> None:
    state.map(step["column"], lambda cell: step["values"].get(cell, cell))


def _replace(state: _State, step: Mapping[str, Any]) -> None:
    name, find, new = step["column"], step["find"], step.get("replacement") or ""
    if step.get("part"):
        state.map(name, lambda cell: cell.replace(find, new))
    elif state.types.get(name, "VARCHAR") == "VARCHAR":
        state.map(name, lambda cell: new if cell == find else cell)
    else:
        wanted = state.value(name, find)
        state.map(name, lambda cell: new if state.value(name, cell) == wanted else cell)


def _fill(state: _State, step: Mapping[str, Any]) -> None:
    state.map(step["column"], lambda cell: cell if cell.strip(_SPACES) else step["value"])


def _split(state: _State, step: Mapping[str, Any]) -> None:
    name, mark, into = step["column"], step["separator"], step["into"]
    if name not in state.cells:
        return
    parts = [cell.split(mark, len(into) - 1) for cell in state.cells[name]]
    for index, new in enumerate(into):
        state.cells[new] = [part[index].strip(" ") if index < len(part) else "" for part in parts]
        state.types[new] = "VARCHAR"
    if not step.get("keep") and name not in into:
        del state.cells[name]


def _derive(state: _State, step: Mapping[str, Any]) -> None:
    tree, names = parse(step["expression"])
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    columns = {
        names.get(node.id, node.id) for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called
    }
    if not columns <= set(state.cells):
        return
    count = len(next(iter(state.cells.values())))
    rows = ({name: state.value(name, state.cells[name][row]) for name in columns} for row in range(count))
    values = [evaluate(tree, names, row) for row in rows]
    values = [
        None if isinstance(value, float) and value in (float("inf"), float("-inf")) else value for value in values
    ]
    state.cells[step["column"]] = [as_text(value) for value in values]
    state.types[step["column"]] = step["stored_type"]


_STEPS = {
    "change_type": _change_type,
    "rename": _rename,
    "drop": _drop,
    "merge": _merge,
    "replace": _replace,
    "fill": _fill,
    "split": _split,
    "derive": _derive,
}

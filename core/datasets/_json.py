"""Reading of JSON lines, or of one array of JSON objects, as a relation of text columns."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from core.datasets._delimited import Source
from core.datasets._limits import Limits
from core.datasets._records import SHOWN_ROWS
from core.datasets._table import SkippedRow
from core.errors import InputError
from core.query import literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["JsonTable", "json_table", "looks_like_json"]

_MAX_LINE = 16 * 2**20
_VALUE = r'(?:"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null)'
_VALUES = re.compile(rf"\[\s*{_VALUE}\s*(?:,\s*{_VALUE}\s*)*(?:,\s*[^,\]]*)?(?:\]\s*)?\Z")


@dataclass(frozen=True)
class JsonTable:
    """A relation of JSON objects.

    Parameters
    ----------
    source : Source
        Relation with one text column per key.
    names : list of str
        Keys, in the order in which they appear.
    strings : set of str
        Columns of the relation with JSON strings, which are not converted to numbers.
    skipped : int
        Number of lines or elements that are not objects.
    skipped_rows : tuple of SkippedRow, default=()
        The first of them.
    notices : list of str, default=[]
        Sentences about keys that hold objects or lists.
    """

    source: Source
    names: list[str]
    strings: set[str]
    skipped: int
    skipped_rows: tuple[SkippedRow, ...] = ()
    notices: list[str] = field(default_factory=list)


def looks_like_json(text: str) -> bool:
    """Return whether a file that starts with `text` holds JSON objects.

    Examples
    --------
    >>> looks_like_json('{"a": 1}\\n{"a": 2}\\n'), looks_like_json('[{"a": 1}]'), looks_like_json("{x},y\\n1,2\\n")
    (True, True, False)
    """
    start = text.removeprefix("\ufeff").lstrip()
    if start.startswith("["):
        return start[1:].lstrip().startswith(("{", "[")) or _VALUES.match(start) is not None
    return start.startswith("{") and start[1:].lstrip()[:1] in ('"', "}")


def json_table(connection: duckdb.DuckDBPyConnection, path: Path, limits: Limits, *, array: bool) -> JsonTable:
    """Return the relation of a JSON file.

    Parameters
    ----------
    connection : DuckDBPyConnection
        Connection that will read it.
    path : Path
        File in UTF-8.
    limits : Limits
        Bounds on the number of keys.
    array : bool
        Whether the file is one array, instead of one object per line.

    Returns
    -------
    JsonTable

    Raises
    ------
    InputError
        When the array is damaged, or no line is an object.
    LimitError
        When the objects have too many distinct keys.
    """
    import duckdb

    if array:
        lines = f"(SELECT json AS line FROM read_json_objects({literal(path)}, format = 'array'))"
    else:
        # A line is read as one field: JSON does not have this control character unescaped.
        lines = (
            f"(SELECT line FROM read_csv({literal(path)}, auto_detect = false, header = false, delim = '\x1f', "
            f"quote = '', escape = '', nullstr = '', max_line_size = {_MAX_LINE}, "
            "columns = {'line': 'VARCHAR'}) WHERE line IS NOT NULL)"
        )
    is_object = "json_valid(line) AND json_type(line) = 'OBJECT'"
    objects = f"(SELECT line FROM {lines} WHERE CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' END)"
    try:
        total, good = connection.execute(
            f"SELECT count(*), count(*) FILTER (WHERE CASE WHEN {is_object} THEN true ELSE false END) FROM {lines}"
        ).fetchone() or (0, 0)
        keys = connection.execute(
            "SELECT key, min(position) FROM (SELECT unnest(json_keys(line)) AS key, "
            f"generate_subscripts(json_keys(line), 1) AS position FROM {objects}) "
            f"GROUP BY key LIMIT {limits.max_columns + 1}"
        ).fetchall()
    except duckdb.InvalidInputException as error:
        raise InputError("The JSON file is damaged or cut off.", "Write it again as JSON lines.") from error
    if not keys:
        hint = 'Write one object per line, such as {"age": 41, "income": 52000}.'
        raise InputError("The JSON file holds no objects with keys.", hint)
    limits.check_columns(len(keys))
    first = next(json.loads(line) for (line,) in connection.execute(f"SELECT line FROM {objects} LIMIT 1").fetchall())
    order = {key: position for position, key in enumerate(first)}
    names = [key for key, _ in sorted(keys, key=lambda pair: (order.get(pair[0], len(order)), pair[1], pair[0]))]

    columns = [f"c{i}" for i in range(len(names))]
    paths = [literal("/" + name.replace("~", "~0").replace("/", "~1")) for name in names]
    selected = ", ".join(f"cells[{i}] AS {column}" for i, column in enumerate(columns, start=1))
    listed = ", ".join(paths)
    relation = f"(SELECT {selected} FROM (SELECT json_extract_string(line, [{listed}]) AS cells FROM {objects}))"
    types = (
        connection.execute(
            "SELECT "
            + ", ".join(f"list(DISTINCT types[{i}])" for i in range(1, len(names) + 1))
            + f" FROM (SELECT json_type(line, [{listed}]) AS types FROM {objects})"
        ).fetchone()
        or ()
    )
    strings = {column for column, kind in zip(columns, types, strict=True) if kind and "VARCHAR" in kind}
    nested = [n for n, kind in zip(names, types, strict=True) if kind and {"OBJECT", "ARRAY"} & set(kind)]
    skipped = total - good
    return JsonTable(
        source=Source(rows=relation, columns=columns),
        names=names,
        strings=strings,
        skipped=skipped,
        skipped_rows=_bad_lines(path) if skipped and not array else (),
        notices=[f"Column {name!r} holds objects or lists; they are kept as JSON text." for name in nested],
    )


def _bad_lines(path: Path) -> tuple[SkippedRow, ...]:
    bad: list[SkippedRow] = []
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                reason = None if isinstance(json.loads(line), dict) else "not a JSON object"
            except ValueError:
                reason = "not valid JSON"
            if reason:
                bad.append(SkippedRow(number, reason, line.strip()[:200]))
            if len(bad) == SHOWN_ROWS:
                break
    return tuple(bad)

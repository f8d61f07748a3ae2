"""Shapes of JSON documents that hold a table: they become one object per line, which is what is read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from core.datasets._limits import Limits
from core.errors import InputError, LimitError

__all__ = ["is_document", "rows_to_lines"]

_NAME_KEYS = ("name", "field", "title", "label", "id")  # of the object that describes a column
_MAX_DEPTH = 6
MAX_DOCUMENT_BYTES = 256 * 2**20
_HINT = 'Write one object per row, such as {"age": 41, "income": 52000}.'


def is_document(sample: str, *, complete: bool) -> bool:
    """Return whether a text that begins like JSON is one document, and not one object per line or one array of objects.

    Examples
    --------
    >>> is_document('{"columns": ["a"], "data": [[1]]}', complete=True)
    True
    >>> is_document('{"a": 1}\\n{"a": 2}\\n', complete=True)
    False
    """
    text = sample.removeprefix("\ufeff").lstrip()
    if text.startswith("["):
        return not text[1:].lstrip().startswith("{")
    try:
        first, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        line, newline, _ = text.partition("\n")
        return not (newline and _is_object(line))
    if text[end:].strip() or not complete:
        return False
    return any(isinstance(value, dict | list) for value in first.values())


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def rows_to_lines(path: Path, out: Path, limits: Limits) -> str | None:
    """Write the rows of a JSON document as one object per line.

    Returns
    -------
    str or None
        Sentence that says how the table was found in the document. None when another document follows the first one,
        so that these are rows whose lines are long.

    Raises
    ------
    InputError
        When the document is damaged, nested too deeply, or holds no table.
    LimitError
        When it is too large to be read as a whole.
    """
    size = path.stat().st_size
    if size > MAX_DOCUMENT_BYTES:
        raise LimitError(
            f"The JSON file is one document of {size / 2**20:,.0f} MB; at most "
            f"{MAX_DOCUMENT_BYTES // 2**20} MB are read at once.",
            _HINT,
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except RecursionError as error:
        raise InputError("The JSON file is nested too deeply.", _HINT) from error
    except ValueError as error:
        if getattr(error, "msg", "") == "Extra data":
            return None
        raise InputError("The JSON file is damaged or cut off.", _HINT) from error
    rows, said = _table(document)
    count = 0
    with out.open("w", encoding="utf-8") as file:
        for row in rows:
            count += 1
            limits.check_shape(count, len(row))
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False, default=str) + "\n")
    return said


def _table(document: object) -> tuple[Iterator[Mapping[str, Any]], str]:
    """Return the rows of a document, and how they were found."""
    if isinstance(document, list) and not any(isinstance(item, list | dict) for item in document):
        return ({"value": item} for item in document), "The JSON file is an array of values, which are one column."
    if isinstance(document, list):
        return _arrays(document), "The JSON file is an array of arrays."
    if not isinstance(document, dict) or not document:
        raise InputError("The JSON file holds no table.", _HINT)
    if (parts := _names_and_rows(document)) is not None:
        return _named(*parts), "The JSON file has the columns and the data of a table apart."
    lists = {name: value for name, value in document.items() if isinstance(value, list)}
    records = [name for name, value in lists.items() if value and all(isinstance(item, dict) for item in value)]
    if len(records) == 1:
        others = [name for name in document if name != records[0]]
        rest = f"; {', '.join(map(repr, others[:5]))} beside it was left out" if others else ""
        return iter(lists[records[0]]), f"The rows were found under the key {records[0]!r}{rest}."
    if len(lists) == len(document):
        lengths = {len(value) for value in lists.values()}
        if len(lengths) == 1 and not any(isinstance(item, dict | list) for value in lists.values() for item in value):
            rows = (dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True))
            return rows, "The JSON file has a list of values for each column."
    nested = [*_nested_records(document, ())]
    if not lists and len(nested) == 1:
        path, records_below = nested[0]
        return iter(
            records_below
        ), f"The rows were found under the keys {' > '.join(map(repr, path))}; the rest was left out."
    if all(isinstance(value, dict) for value in document.values()):
        return _maps(document)
    raise InputError("The JSON file holds one nested object, not a table.", _HINT)


def _names_and_rows(document: Mapping[str, Any]) -> tuple[list[str], Sequence[object]] | None:
    """Return the names of columns and the rows, where an object has them under two keys."""
    arrays = [
        value
        for value in document.values()
        if isinstance(value, list) and value and all(isinstance(row, list) for row in value)
    ]
    if len(arrays) != 1:
        columns, data = document.get("columns"), document.get("data")  # as pandas writes a table without rows
        known = isinstance(columns, list) and isinstance(data, list) and not any(isinstance(c, dict) for c in columns)
        return ([str(name) for name in columns or []], data or []) if known else None
    width = len(arrays[0][0])
    for value in document.values():
        if isinstance(value, list) and value is not arrays[0] and len(value) == width:
            names = [_name_of(item) for item in value]
            if all(name is not None for name in names):
                return [str(name) for name in names], arrays[0]
    if isinstance(document.get("columns"), list) and document.get("data") is arrays[0]:
        return [str(name) for name in document["columns"]], arrays[0]
    return None


def _name_of(item: object) -> str | None:
    """Return the name that an item of a list of columns has."""
    if isinstance(item, dict):
        item = next((item[key] for key in _NAME_KEYS if key in item), None)
    return str(item) if isinstance(item, str | int | float) else None


def _nested_records(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Mapping[str, Any]]]]:
    """Yield the lists of objects below nested keys, with these keys."""
    if isinstance(value, dict) and len(path) < _MAX_DEPTH:
        for key, item in value.items():
            yield from _nested_records(item, (*path, key))
    elif isinstance(value, list) and len(path) > 1 and value and all(isinstance(item, dict) for item in value):
        yield path, value


def _maps(document: Mapping[str, Mapping[str, Any]]) -> tuple[Iterator[Mapping[str, Any]], str]:
    """Return the rows of an object of objects: by column and row, as pandas writes it, or by row and column."""
    if any(isinstance(item, dict | list) for value in document.values() for item in value.values()):
        raise InputError("The JSON file holds one nested object, not a table.", _HINT)
    inner = list(dict.fromkeys(key for value in document.values() for key in value))
    by_row = _are_numbers(document) and not _are_numbers(inner)
    if by_row or not (_are_numbers(inner) or len(inner) > len(document)):
        return iter(document.values()), "The JSON file has an object for each row."
    rows = ({name: document[name].get(key) for name in document} for key in inner)
    return rows, "The JSON file has an object for each column, with a value for each row."


def _are_numbers(keys: Iterable[str]) -> bool:
    return all(key.isdigit() for key in keys)


def _arrays(rows: Sequence[object]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of arrays; the first has the names if all of its cells are text and others are not."""
    first = rows[0] if rows else None
    if not isinstance(first, list) or not first:
        raise InputError("The JSON file holds no table.", _HINT)
    later = [row for row in islice(rows, 1, 50) if isinstance(row, list)]
    named = all(isinstance(cell, str) for cell in first) and any(
        not isinstance(cell, str | type(None)) for row in later for cell in row
    )
    names = [str(name) for name in first] if named else [f"column_{i}" for i in range(1, len(first) + 1)]
    return _named(names, rows[1:] if named else rows)


def _named(names: Sequence[str], rows: Iterable[object]) -> Iterator[Mapping[str, Any]]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            raise InputError(f"Row {number:,} of the JSON file does not have {len(names):,} values.", _HINT)
        yield dict(zip(names, row, strict=True))

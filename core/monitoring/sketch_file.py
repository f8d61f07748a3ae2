"""Sketches as bytes: arrays in a compressed npz file, the rest in it as JSON."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from core.errors import InputError
from core.monitoring.column_sketches import (
    CategorySketch,
    ColumnSketch,
    DateSketch,
    EmptySketch,
    IdSketch,
    NumberSketch,
    TextSketch,
)
from core.monitoring.quantile_points import QuantilePoints

__all__ = ["VERSION", "read_sketch", "write_sketch"]

VERSION = 1
"""Version of the format; a later one is refused."""

_FORMAT = "plumbline-sketch"
_CLASSES: dict[str, type[ColumnSketch]] = {
    kind.type: kind for kind in (NumberSketch, CategorySketch, DateSketch, TextSketch, IdSketch, EmptySketch)
}
_POINTS = ("points", "below", "upto")
_HINT = "Make the sketch of the batch again."


def write_sketch(
    rows: int, columns: Mapping[str, ColumnSketch], duplicates: int, score: str | None, as_of: float | None
) -> bytes:
    """Return a sketch's parts as bytes, the same ones for the same parts."""
    arrays: dict[str, np.ndarray] = {}
    described = [_describe(column, f"c{index}", arrays) for index, column in enumerate(columns.values())]
    description = {
        "format": _FORMAT,
        "version": VERSION,
        "rows": rows,
        "duplicates": duplicates,
        "score": score,
        "as_of": as_of,
        "columns": described,
    }
    arrays["description"] = np.frombuffer(json.dumps(description, ensure_ascii=False).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _describe(column: ColumnSketch, key: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return the JSON part of a column, and add its arrays."""
    values: dict[str, Any] = {"type": column.type}
    for field in fields(column):
        value = getattr(column, field.name)
        if isinstance(value, QuantilePoints):
            # Steps between ranks are small and alike, so they take few bytes.
            arrays[f"{key}.{field.name}.points"] = value.points
            arrays[f"{key}.{field.name}.below"] = np.diff(value.below, prepend=0)
            arrays[f"{key}.{field.name}.upto"] = value.upto - value.below
        elif isinstance(value, np.ndarray):
            arrays[f"{key}.{field.name}"] = value
        else:
            values[field.name] = None if isinstance(value, float) and not np.isfinite(value) else value
    return values


def read_sketch(content: bytes) -> tuple[int, dict[str, ColumnSketch], int, str | None, float | None]:
    """Return a sketch's parts from its bytes.

    Raises
    ------
    InputError
        When the content is not a sketch, is damaged, or is of a later version.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            description = json.loads(arrays["description"].tobytes())
            if description["format"] != _FORMAT:
                raise ValueError(description["format"])
            if description["version"] > VERSION:
                raise InputError(
                    f"The sketch has version {description['version']}, and this installation reads up to {VERSION}.",
                    "Update Plumbline, or make the sketch of the batch again.",
                )
            columns = [_column(values, f"c{index}", arrays) for index, values in enumerate(description["columns"])]
    except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise InputError("The content is not the sketch of a batch, or is damaged.", _HINT) from error
    return (
        description["rows"],
        {column.name: column for column in columns},
        description["duplicates"],
        description["score"],
        description["as_of"],
    )


def _column(values: dict[str, Any], key: str, arrays: Mapping[str, np.ndarray]) -> ColumnSketch:
    kind = _CLASSES[values["type"]]
    read: dict[str, Any] = {}
    for field in fields(kind):
        name = field.name
        if f"{key}.{name}.points" in arrays:
            points, below, counts = (arrays[f"{key}.{name}.{part}"] for part in _POINTS)
            ranks = np.cumsum(below)
            read[name] = QuantilePoints(points, ranks, ranks + counts)
        elif f"{key}.{name}" in arrays:
            read[name] = arrays[f"{key}.{name}"]
        else:
            value = values[name]
            if value is None and name in ("mean", "std"):
                value = float("nan")
            read[name] = tuple(value) if isinstance(value, list) else value
    return kind(**read)

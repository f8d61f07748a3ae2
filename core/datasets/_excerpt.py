"""The start of a text file as a file of its own: enough to show how the whole of it would be read."""

from __future__ import annotations

import json
from pathlib import Path

from core.datasets._encoding import line_end
from core.datasets._json import looks_like_json
from core.datasets._json_shapes import is_document
from core.datasets._source_file import SourceFile

__all__ = ["START_BYTES", "START_ROWS", "start_of_text"]

START_BYTES = 2**20
"""Size of the start of a text file that is read; its layout is decided on as much of the whole file."""

START_ROWS = 1_000
"""Number of rows of a sheet, or of a table of a database, that are read of its start."""

_ZIP = b"PK\x03\x04"  # of which the members are read, which needs all of it
_MIN_LINES = 20  # fewer tell too little of the file
_MAX_STEPS = 1_000  # line ends that are looked at for one outside of quotes


def start_of_text(file: SourceFile) -> SourceFile:
    """Return a file with the first rows of a text file; return a small one, and any other file, as it is.

    A JSON document that is neither an array of objects nor one object per line is returned whole: its rows are found
    in all of it.

    Parameters
    ----------
    file : SourceFile
        The file.

    Returns
    -------
    SourceFile
        Its attribute `complete` says whether it is the whole file.
    """
    if file.path.stat().st_size <= START_BYTES or file.head.startswith(_ZIP) or not file.is_text:
        return file
    with file.path.open("rb") as source:
        start = source.read(START_BYTES)
    text = start.decode("utf-8-sig", errors="ignore")
    if looks_like_json(text) and (text.lstrip().startswith("[") or is_document(text, complete=False)):
        array = _first_elements(text)
        return file if array is None else _store(file, array.encode())
    newline = line_end(start)
    end = _end_of_rows(start, newline)
    if end is None or start.count(newline, 0, end) < _MIN_LINES:
        return file
    return _store(file, start[:end])


def _store(file: SourceFile, content: bytes) -> SourceFile:
    path = Path(f"{file.path}.start") if file.path.parent == file.scratch else file.scratch / "start"
    path.write_bytes(content)
    start = SourceFile(path, file.scratch, file.limits, file.options, start_only=file.start_only)
    start.complete = False
    return start


def _end_of_rows(start: bytes, newline: bytes) -> int | None:
    """Return the position behind the last line end outside of quotes; without one, behind the last line end."""
    last, end = None, len(start)
    for _ in range(_MAX_STEPS):
        end = start.rfind(newline, 0, end)
        if end < 0:
            break
        if end % len(newline):  # the halves of two other characters
            continue
        last = last or end + len(newline)
        if start.count(b'"', 0, end) % 2 == 0:
            return end + len(newline)
    return last


def _first_elements(text: str) -> str | None:
    """Return the array of the first elements of an array of objects, or None for an array of anything else.

    Examples
    --------
    >>> _first_elements('[{"a": 1}, {"a": 2}, {"a"')
    '[{"a": 1}, {"a": 2}]'
    """
    decoder = json.JSONDecoder()
    position = text.index("[") + 1
    last = None
    try:
        while True:
            while text[position : position + 1] in (" ", "\t", "\r", "\n", ","):
                position += 1
            element, position = decoder.raw_decode(text, position)
            if not isinstance(element, dict):
                return None
            last = position
    except (ValueError, RecursionError):
        return None if last is None else text[:last] + "]"

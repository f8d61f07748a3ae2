"""Text that is not a table: it is refused by its name, with what to do."""

from __future__ import annotations

import re

from core.errors import InputError

__all__ = ["refuse_other_text"]

_COMMENTS = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_STARTS = (
    (r"<!doctype html|<html\b|<table\b", "a web page (HTML)", "Copy the table into a spreadsheet and save it as CSV."),
    (r"<\?xml\b|<[a-z][\w.:-]*(?:\s[^<>]*)?/?>", "XML", "Save the table as CSV."),
    (
        rf"{_COMMENTS}(?:create\s+table|insert\s+into|drop\s+table|begin\s*;|begin\s+transaction|pragma\s)",
        "a script of a database (SQL)",
        "Export the table as CSV.",
    ),
    (r"%yaml\b|---\s*\n\s*[-\w]", "YAML", "Write one object per row as JSON, or save the table as CSV."),
    (r"\|[^\n]*\|\s*\n\s*\|[\s:|-]+\|\s*\n", "a table of Markdown", "Copy it into a spreadsheet, save it as CSV."),
    (r"=+( +=+)+ *\n", "a table of reStructuredText", "Copy it into a spreadsheet, save it as CSV."),
    (r"\{\\rtf", "a formatted document (RTF)", "Save the table as CSV."),
    (r"%!ps|%pdf", "a document for printing", "Save the table as CSV."),
)
_LINES = (
    (
        re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?(?:\s+\d+:[-+]?[\d.eE+-]+)+\s*(?:#.*)?"),
        "a sparse matrix (libsvm)",
        "Save it as CSV with a column for each feature.",
    ),
    (
        re.compile(r"\s*(?:- )?[A-Za-z_][\w .-]{0,40}:(?:\s.*)?|\s*-\s.*|\s*#.*"),
        "YAML",
        "Write one object per row as JSON, or save the table as CSV.",
    ),
)
_MIN_LINES = 3
_MIN_SHARE = 0.95


def refuse_other_text(sample: str) -> None:
    """Raise InputError for text that does not hold a table.

    Parameters
    ----------
    sample : str
        Start of the file.

    Examples
    --------
    >>> refuse_other_text("a,b\\n1,2\\n")
    >>> refuse_other_text("<html><body></body></html>")
    Traceback (most recent call last):
    core.errors.InputError: The file is a web page (HTML), not a table. Copy the table into a spreadsheet and ...
    """
    text = sample.lstrip("\ufeff \t\r\n")
    for pattern, what, hint in _STARTS:
        if re.match(pattern, text[:4_000], re.IGNORECASE | re.DOTALL):
            raise InputError(f"The file is {what}, not a table.", hint)
    lines = [line for line in text[:20_000].splitlines()[:50] if line.strip()]
    for shape, what, hint in _LINES:
        if len(lines) >= _MIN_LINES and _fits(shape, lines):
            raise InputError(f"The file is {what}, not a table that is read.", hint)


def _fits(shape: re.Pattern[str], lines: list[str]) -> bool:
    """Return whether almost all lines have a shape, and none of the usual delimiters the same number of times."""
    if sum(shape.fullmatch(line) is not None for line in lines) < _MIN_SHARE * len(lines):
        return False
    counts = ({line.count(delimiter) for line in lines} for delimiter in ",;\t")
    return not any(len(numbers) == 1 and numbers.pop() for numbers in counts)

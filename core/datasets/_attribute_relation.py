"""Tables in attribute-relation format (ARFF, of Weka and OpenML): names in a header, then delimited rows."""

from __future__ import annotations

import re
from pathlib import Path

from core.datasets._dialect import Layout
from core.datasets._limits import Limits
from core.datasets._options import Decision
from core.datasets._table import Dialect
from core.errors import InputError

__all__ = ["is_attribute_relation", "relation_to_csv"]

_RELATION = re.compile(r"(?:\s*%[^\n]*\n|\s*\n)*\s*@relation\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\s*@attribute\s+(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\S+))\s+\S", re.IGNORECASE)
_HINT = "Save the table as CSV."


def is_attribute_relation(sample: str) -> bool:
    """Return whether a text begins as such a file does.

    Examples
    --------
    >>> is_attribute_relation("% a comment\\n@RELATION iris\\n")
    True
    """
    return _RELATION.match(sample.removeprefix("\ufeff")) is not None


def relation_to_csv(path: Path, out: Path, limits: Limits) -> Layout:
    """Write the rows as delimited text, and return their layout.

    Raises
    ------
    InputError
        When there are no columns or no rows, or the rows are sparse.
    """
    names: list[str] = []
    quote = '"'
    first = None
    with path.open(encoding="utf-8-sig", newline="\n") as source, out.open("w", encoding="utf-8", newline="") as target:
        for line in source:
            if attribute := _ATTRIBUTE.match(line):
                names.append(next(name for name in attribute.groups() if name is not None))
                limits.check_columns(len(names))
            if re.match(r"\s*@data\b", line, re.IGNORECASE):
                break
        for line in source:
            if not line.strip() or line.lstrip().startswith("%"):
                continue
            if first is None:
                first = line
                if line.lstrip().startswith("{"):
                    raise InputError("The ARFF file has sparse rows, which are not read.", _HINT)
            quote = "'" if quote == '"' and "'" in line and '"' not in line else quote
            target.write(line)
    if not names or first is None:
        raise InputError("The ARFF file has no columns or no rows.", _HINT)
    delimiter = "\t" if "\t" in first and "," not in first else ","
    evidence = "An ARFF file has it so."
    decision = Decision("delimiter", delimiter, evidence, "certain")
    return Layout(Dialect(delimiter, quote, False), "\\", names, (), decisions=(decision,))

"""Tables as CSV that a spreadsheet shows and does not run: the one writer of every table that people download.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@``, also in their full-width forms and after a tab
or a line break. Such a text gets a ``'`` in front, which marks it as text there; a text that is a number as a whole
gets none, because a spreadsheet only reads it.

What machines read back with exact equality is not written here: stored tables are Parquet, and the files that an import
leaves for its own reader hold every cell as it was. The code in an edge bundle, which comes without this package, has
the same rule of its own (`core.edge.portable.cells.safe`), and its sample and its expected output follow it, so that
its check compares what it would write.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

from core.query import connect, identifier, literal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FORMULA_STARTS", "spreadsheet_text", "to_csv", "write_csv"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters of a cell that a spreadsheet may run; the last four are full-width forms."""
_SIGNED = r"[+-](?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|nan)"
_TEXT_TYPES = ("VARCHAR", "BLOB", "ENUM", "INTERVAL")


def spreadsheet_text(text: str) -> str:
    """Return a text that a spreadsheet shows instead of running it.

    Examples
    --------
    >>> spreadsheet_text("=1+1"), spreadsheet_text("plain"), spreadsheet_text("-1.5")
    ("'=1+1", 'plain', '-1.5')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not re.fullmatch(_SIGNED, text) else text


def to_csv(frame: pd.DataFrame) -> str:
    r"""Return a frame without its index as CSV (comma, header); its texts and the names of its columns are not run.

    See Also
    --------
    write_csv : The same of a stored table.

    Examples
    --------
    >>> import pandas as pd
    >>> to_csv(pd.DataFrame({"@name": ["=1+1", "b"], "gain": [-1, 2]}))
    "'@name,gain\n'=1+1,-1\nb,2\n"
    """
    import pandas as pd

    texts = {
        index: [_cell(value) for value in column]
        for index, (_, column) in enumerate(frame.items())
        if column.dtype.kind not in "biufcmM"
    }
    shown = {
        index: pd.Series(texts[index], index=frame.index, dtype=object) if index in texts else column
        for index, (_, column) in enumerate(frame.items())
    }
    safe = pd.DataFrame(shown, index=frame.index)
    safe.columns = pd.Index([_cell(name) for name in frame.columns], dtype=object)
    # A reader may take a lone carriage return for the end of a line, so that what follows is a cell of its own.
    turned = any(isinstance(cell, str) and "\r" in cell for cells in [safe.columns, *texts.values()] for cell in cells)
    quoting = csv.QUOTE_NONNUMERIC if turned else csv.QUOTE_MINIMAL
    content: str = safe.to_csv(index=False, lineterminator="\n", quoting=quoting)
    return content


def write_csv(path: str | Path, out: str | Path) -> Path:
    """Write a stored table as CSV (UTF-8, comma, header).

    Text cells and column names that begin like a formula get a ``'`` in front, so that a spreadsheet shows them instead
    of running them. Numbers and dates do not change.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    out : path
        CSV file to write.

    Returns
    -------
    Path
        `out`.

    See Also
    --------
    to_csv : The same of a frame.
    """
    out = Path(out)
    starts = ", ".join(literal(start) for start in FORMULA_STARTS)
    source = f"read_parquet({literal(path)})"
    with connect(out.parent) as connection:
        columns = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        selected = []
        for name, dtype, *_ in columns:
            cell = identifier(name)
            if str(dtype).startswith(_TEXT_TYPES) and not str(dtype).endswith("]"):
                text = f"{cell}::VARCHAR"
                runs = f"left({text}, 1) IN ({starts}) AND NOT regexp_full_match({text}, {literal(_SIGNED)})"
                cell = f"CASE WHEN {runs} THEN '''' || {text} ELSE {text} END"
            selected.append(f"{cell} AS {identifier(spreadsheet_text(name))}")
        connection.execute(f"COPY (SELECT {', '.join(selected)} FROM {source}) TO {literal(out)} (FORMAT csv, HEADER)")
    return out


def _cell(value: object) -> object:
    return spreadsheet_text(value) if isinstance(value, str) else value

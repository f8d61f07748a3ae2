"""Export of a stored table as CSV whose cells a spreadsheet does not run."""

from __future__ import annotations

from pathlib import Path

from core.query import connect, identifier, literal

__all__ = ["spreadsheet_text", "write_csv"]

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_text(text: str) -> str:
    """Return a text that a spreadsheet shows instead of running it.

    Examples
    --------
    >>> spreadsheet_text("=1+1"), spreadsheet_text("plain")
    ("'=1+1", 'plain')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def write_csv(path: str | Path, out: str | Path) -> Path:
    """Write a stored table as CSV (UTF-8, comma, header).

    Text cells and column names that start with ``= + - @``, a tab or a carriage return get a ``'`` in front, so that
    a spreadsheet shows them instead of running them. Numbers and dates do not change.

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
    """
    out = Path(out)
    starts = ", ".join(literal(start) for start in FORMULA_STARTS)
    source = f"read_parquet({literal(path)})"
    with connect(out.parent) as connection:
        columns = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        selected = []
        for name, dtype, *_ in columns:
            cell = identifier(name)
            if str(dtype) == "VARCHAR":
                cell = f"CASE WHEN left({cell}, 1) IN ({starts}) THEN '''' || {cell} ELSE {cell} END"
            selected.append(f"{cell} AS {identifier(spreadsheet_text(name))}")
        connection.execute(f"COPY (SELECT {', '.join(selected)} FROM {source}) TO {literal(out)} (FORMAT csv, HEADER)")
    return out

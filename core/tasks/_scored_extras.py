"""What is made of a scored file besides its predictions: rows by rank, reasons of some rows, metrics."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import LimitError
from core.query import connect, identifier, literal

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

    from core.models import FileEvaluation, RowScorer

__all__ = ["MAX_REASONS", "evaluated", "explained", "ranked", "top_rows"]

MAX_REASONS = 100
"""Maximum number of rows whose reasons are computed."""
_REASONS_S = 120.0  # of all rows together
_BACKGROUND = 200


def ranked(scored: Path, by: str, target: Path) -> None:
    """Write the scored rows by rank, the highest first, with the column "rank" in front.

    Parameters
    ----------
    scored : Path
        Parquet file of the scored rows.
    by : str
        Column that ranks them. Rows without a value come last; ties are in the order of the file.
    target : Path
        Parquet file to write.
    """
    with connect(target.parent) as connection:
        query = _by_rank(connection, scored, by)
        connection.execute(f"COPY ({query} ORDER BY 1) TO {literal(target)} (FORMAT PARQUET)")


def top_rows(scored: Path, by: str, count: int, *, max_chars: int | None = None) -> pd.DataFrame:
    """Return the first rows by rank, as `ranked` orders and numbers them.

    Parameters
    ----------
    scored : Path
        Parquet file of the scored rows.
    by : str
        Column that ranks them.
    count : int
        Number of rows.
    max_chars : int, optional
        Length to which texts are cut, where an ellipsis then stands. By default they are whole.

    Raises
    ------
    LimitError
        When their cells are larger than may be read at once.
    """
    from core.datasets import read_rows_at, top_positions

    rows = read_rows_at(scored, None, top_positions(scored, by, count), max_chars=max_chars).reset_index(drop=True)
    rows.insert(0, _rank_name(rows.columns), range(1, len(rows) + 1))
    return rows


def _by_rank(connection: DuckDBPyConnection, scored: Path, by: str) -> str:
    """Return the query of all rows with their rank in front."""
    source = f"read_parquet({literal(scored)}, file_row_number = true)"
    rank = _rank_name(name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall())
    order = f"ORDER BY {identifier(by)} DESC NULLS LAST, file_row_number"
    return f"SELECT row_number() OVER ({order}) AS {identifier(rank)}, * EXCLUDE file_row_number FROM {source}"


def _rank_name(names: Iterable[str]) -> str:
    """Return the name of the column of ranks, which no other column has."""
    taken, rank = set(names), "rank"
    while rank in taken:
        rank += " (model)"
    return rank


def evaluated(scorer: RowScorer, scored: Path, added: Mapping[str, str]) -> FileEvaluation | None:
    """Return the metrics of a scored file; None where it does not have the target.

    Parameters
    ----------
    scorer : RowScorer
        Scorer that predicted all of its rows.
    scored : Path
        Parquet file of the scored rows.
    added : mapping of str to str
        Columns of the predictions in the file, by the names that the scorer gave them.
    """
    import pandas as pd

    table = pd.read_parquet(scored, columns=list(added.values()))
    return scorer.evaluate(table.set_axis(list(added), axis=1))


def explained(scorer: RowScorer, rows: Path, count: int, *, background: Path) -> pd.DataFrame:
    """Return the reasons of the first rows of a file, as many as there is time for.

    Parameters
    ----------
    scorer : RowScorer
        Scorer that predicted.
    rows : Path
        Parquet file with the rows.
    count : int
        Number of rows, at most `MAX_REASONS`.
    background : Path
        Parquet file whose first rows stand for "unknown".

    Returns
    -------
    DataFrame
        row (from 1, in the order of the given file), reason 1, reason 2, reason 3.
    """
    import pandas as pd
    import pyarrow.parquet as pq

    def head(path: Path, size: int) -> pd.DataFrame:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            return next(file.iter_batches(batch_size=size)).to_pandas()

    first, known = head(rows, min(count, MAX_REASONS)), head(background, _BACKGROUND)
    began, table = time.monotonic(), []
    for index in range(len(first)):
        if time.monotonic() - began > _REASONS_S:
            break
        try:
            reasons = scorer.reasons(first.iloc[[index]], known)
        except LimitError:
            break
        table.append({"row": index + 1, **{f"reason {number}": text for number, text in enumerate(reasons, 1)}})
    return pd.DataFrame(table)

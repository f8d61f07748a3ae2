"""What a column says as a target: the task it implies, and its most frequent values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.datasets._column_profile import ColumnProfile
from core.datasets._task import Task, task_of_values
from core.datasets._value_counts import count_values

__all__ = ["TargetSummary", "summarize_target"]

_COUNTED = 1_000
_CLASSES = 12


@dataclass(frozen=True)
class TargetSummary:
    """Summary of a target column.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        Task that the values imply.
    rows, missing, distinct : int
        Number of rows, of those without a value, and of distinct values.
    counts : dict of str to int
        Number of rows of the most frequent values, the most frequent first.
    exact : bool, default=True
        Whether `distinct` is exact; in large columns of mostly distinct values it is an estimate.
    """

    task: Task
    rows: int
    missing: int
    distinct: int
    counts: dict[str, int]
    exact: bool = True


def summarize_target(path: str | Path, column: ColumnProfile) -> TargetSummary:
    """Summarize a column of a stored table as a target.

    Values are counted one by one where they are few; of a column with many, the numbers are those of its profile.

    Parameters
    ----------
    path : path
        Path of the Parquet file.
    column : ColumnProfile
        Profile of the column.

    Raises
    ------
    InputError
        When the column has no values, or holds dates.

    See Also
    --------
    infer_task : Return the task for values in memory.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> from core.datasets import profile
    >>> frame = pd.DataFrame({"left": ["no", "yes", "no", None]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     frame.to_parquet(f"{folder}/table.parquet")
    ...     summary = summarize_target(f"{folder}/table.parquet", profile(frame)["left"])
    >>> summary.task, summary.missing, summary.counts
    ('binary', 1, {'no': 2, 'yes': 1})
    """
    counted = count_values(path, column.name, max_values=_COUNTED)
    values = counted.counts.index.to_series(name=column.name)
    if counted.complete:
        counts = {str(value): int(count) for value, count in counted.counts.head(_CLASSES).items()}
        task = task_of_values(values, counted.rows - counted.missing)
        return TargetSummary(task, counted.rows, counted.missing, len(values), counts)
    counts = dict(column.top[:_CLASSES])
    task = task_of_values(values, column.rows - column.missing)
    return TargetSummary(task, column.rows, column.missing, column.distinct, counts, column.distinct_exact)

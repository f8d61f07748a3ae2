"""The table that guardrails look at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from core.datasets._task import Task

__all__ = ["CheckedTable"]


@dataclass(frozen=True)
class CheckedTable:
    """A table under check.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows to look at: all, or a sample.
    rows : int
        Number of rows of the whole table.
    target : str or None
        Name of the column to predict.
    labels : pandas.Series or None
        Values of the target in all rows.
    task : {"binary", "multiclass", "regression"} or None
        Task of the target; None without a usable target.
    sensitive : tuple of str
        Names of columns that are confirmed to be sensitive.
    """

    frame: pd.DataFrame
    rows: int
    target: str | None
    labels: pd.Series | None
    task: Task | None
    sensitive: tuple[str, ...]

    @cached_property
    def features(self) -> list[str]:
        """Names of all columns except the target."""
        return [name for name in self.frame.columns if name != self.target]

    @cached_property
    def distinct(self) -> dict[str, int]:
        """Number of distinct values of each column; missing cells do not count."""
        return {name: int(self.frame[name].nunique()) for name in self.frame.columns}

    @cached_property
    def text_columns(self) -> list[str]:
        """Names of the features that are text or categories."""
        return [name for name in self.features if self._is_text(name)]

    @property
    def target_is_text(self) -> bool:
        """Whether there is a target, and it is text or a category."""
        return self.target is not None and self._is_text(self.target)

    def _is_text(self, name: str) -> bool:
        import pandas as pd

        dtype = self.frame[name].dtype
        return bool(pd.api.types.is_string_dtype(dtype)) or isinstance(dtype, pd.CategoricalDtype)

"""Guardrails: what is wrong with a table before a model is sought, and whether a column gives the target away."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from core.datasets._finding import Finding
from core.datasets._task import Task, infer_task
from core.errors import InputError, SettingsError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Subject", "check"]

MAX_ROWS = 200_000
MAX_CELLS = 20_000_000


@dataclass(frozen=True)
class Subject:
    """The table under check.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows that are looked at: all, or a sample.
    rows : int
        Rows of the whole table.
    target : str or None
        The column to predict.
    labels : pandas.Series or None
        The target in all rows.
    task : str or None
        binary, multiclass or regression; None without a usable target.
    sensitive : tuple of str
        Columns confirmed to be sensitive.
    """

    frame: pd.DataFrame
    rows: int
    target: str | None
    labels: pd.Series | None
    task: Task | None
    sensitive: tuple[str, ...]

    @cached_property
    def features(self) -> list[str]:
        """All columns but the target."""
        return [name for name in self.frame.columns if name != self.target]

    @cached_property
    def distinct(self) -> dict[str, int]:
        """Different values of each column, missing cells apart."""
        return {name: int(self.frame[name].nunique()) for name in self.frame.columns}

    @cached_property
    def text_columns(self) -> list[str]:
        """Feature columns of text."""
        from pandas.api import types

        return [
            name
            for name in self.features
            if types.is_string_dtype(self.frame[name].dtype) or isinstance(self.frame[name].dtype, _categorical())
        ]


def _categorical() -> type:
    import pandas as pd

    return pd.CategoricalDtype


def check(
    frame: pd.DataFrame,
    target: str | None,
    *,
    task: Task | Literal["auto"] = "auto",
    sensitive: Sequence[str] = (),
) -> list[Finding]:
    """Check a table, and a target in it, for what would spoil or flatter a model.

    Tables of more than 200,000 rows or 20,000,000 cells are checked on a random sample of rows, and a finding says so.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    target : str or None
        The column to predict; without it, the checks that need one are left out.
    task : str
        auto, binary, multiclass or regression.
    sensitive : sequence of str
        Columns that are known to name groups of people.

    Returns
    -------
    list of Finding
        At least one for each check; its level is "passed" where nothing was found.

    Raises
    ------
    InputError
        When the target or a sensitive column is not in the table, or the table has no rows.
    SettingsError
        When the task is unknown.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": range(100), "one": 1, "y": [0, 1] * 50})
    >>> [(finding.column, finding.level) for finding in check(frame, "y") if finding.check == "constant"]
    [('one', 'notice')]
    """
    from core.datasets import _checks_columns, _checks_target

    frame = frame.rename(columns=str)
    for name in [*([] if target is None else [target]), *sensitive]:
        if name not in frame.columns:
            near = difflib.get_close_matches(name, frame.columns, 1)
            hint = f"Did you mean {near[0]!r}?" if near else "Choose one of the table's columns."
            raise InputError(f"There is no column {name!r}.", hint)
    if task != "auto" and task not in get_args(Task):
        raise SettingsError(f"There is no task {task!r}.", "Choose auto, binary, multiclass or regression.")
    if frame.empty:
        raise InputError("The table has no rows.", "Choose a table with rows and columns.")

    subject, findings = _subject(frame, target, task, tuple(sensitive))
    for run in (*_checks_target.CHECKS, *_checks_columns.CHECKS):
        findings += _run(run, subject)
    return findings


def _subject(
    frame: pd.DataFrame, target: str | None, task: Task | Literal["auto"], sensitive: tuple[str, ...]
) -> tuple[Subject, list[Finding]]:
    rows = len(frame)
    labels = None if target is None else frame[target]
    known: Task | None = None
    if labels is not None and labels.notna().any():
        known = infer_task(labels) if task == "auto" else task
    limit = max(2_000, min(MAX_ROWS, MAX_CELLS // frame.shape[1]))
    findings = []
    if rows > limit:
        frame = frame.take(np.sort(np.random.default_rng(0).choice(rows, limit, replace=False)))
        findings.append(
            Finding(
                "sample",
                "notice",
                None,
                f"The columns were checked on a random sample of {limit:,} of {rows:,} rows.",
                "Shares are estimates; what is rare may be missed.",
                {"rows": rows, "sample": limit},
            )
        )
    return Subject(frame, rows, target, labels, known, sensitive), findings


def _run(run: Callable[[Subject], Iterator[Finding]], subject: Subject) -> list[Any]:
    return list(run(subject))

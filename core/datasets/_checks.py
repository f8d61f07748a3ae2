"""Guardrails: checks of a table before a model is trained, one record each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from core.columns import require_columns
from core.datasets import _checks_columns as columns
from core.datasets import _checks_target as target_checks
from core.datasets import _checks_written as written
from core.datasets._checked_table import CheckedTable
from core.datasets._finding import Finding
from core.datasets._task import Task, infer_task
from core.errors import InputError, SettingsError
from core.registry import Registry, unknown_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GUARDRAILS", "Guardrail", "check"]

MAX_ROWS = 200_000
MAX_CELLS = 20_000_000


@dataclass(frozen=True)
class Guardrail:
    """A check of a table.

    Parameters
    ----------
    name : str
        Name of the check.
    title : str
        Title in lists.
    help : str
        Sentence that says why it matters.
    run : callable
        Function of a `CheckedTable` that yields findings, at least one with the level "passed" if nothing is wrong.
    """

    name: str
    title: str
    help: str
    run: Callable[[CheckedTable], Iterator[Finding]]


GUARDRAILS: Registry[Guardrail] = Registry(
    "guardrail",
    [
        Guardrail(
            "missing_target",
            "Missing targets",
            "A model cannot learn from rows without a target, nor be tested on them.",
            target_checks.missing_target,
        ),
        Guardrail(
            "classes",
            "Class sizes",
            "With a rare class, accuracy misleads; a tiny class can be neither learned nor tested.",
            target_checks.classes,
        ),
        Guardrail(
            "leakage",
            "Target leakage",
            "A column that predicts the target alone is often known only after it.",
            target_checks.leakage,
        ),
        Guardrail(
            "proxy",
            "Proxies of sensitive columns",
            "A column that reveals a sensitive one replaces it when that is left out.",
            target_checks.proxies,
        ),
        Guardrail(
            "constant",
            "Constant columns",
            "A column with a single value carries no information.",
            columns.constant,
        ),
        Guardrail(
            "missing",
            "Missing values",
            "A column that is mostly missing rarely helps, and may reveal the target.",
            columns.missing,
        ),
        Guardrail(
            "identifier",
            "Identifiers",
            "A model memorizes a column that identifies the row, which does not help on new rows.",
            columns.identifiers,
        ),
        Guardrail(
            "high_cardinality",
            "High cardinality",
            "A category with many values has few rows per value.",
            columns.high_cardinality,
        ),
        Guardrail(
            "dates_as_text",
            "Dates as text",
            "A model treats dates that were read as text as unrelated categories.",
            written.dates_as_text,
        ),
        Guardrail(
            "numbers_as_text",
            "Numbers as text",
            "A model treats numbers that were read as text as unrelated categories.",
            written.numbers_as_text,
        ),
        Guardrail(
            "spellings",
            "Spellings",
            "A value that is written in several ways is several values to a model.",
            columns.spellings,
        ),
        Guardrail(
            "duplicate_rows",
            "Duplicate rows",
            "Copies of a row in both the training and the test rows make a model look better than it is.",
            columns.duplicate_rows,
        ),
        Guardrail(
            "near_duplicates",
            "Redundant columns",
            "Two columns with the same information share the importance of one.",
            columns.near_duplicates,
        ),
        Guardrail(
            "sensitive",
            "Sensitive columns",
            "Results should be compared between groups of people, and a model may not use every column.",
            columns.sensitive,
        ),
    ],
)
"""All guardrails by name, in the order in which they run."""


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
        Table to check.
    target : str or None
        Name of the column to predict; without it, checks that need a target do not run.
    task : {"auto", "binary", "multiclass", "regression"}, default="auto"
        Task of the target.
    sensitive : sequence of str, default=()
        Names of columns that are known to name groups of people.

    Returns
    -------
    list of Finding
        At least one per check; its level is "passed" where nothing is wrong.

    Raises
    ------
    InputError
        When the target or a sensitive column is not in the table, or the table has no rows.
    SettingsError
        When the task is unknown.

    See Also
    --------
    profile : Describe the columns of a table.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"x": range(100), "one": 1, "y": [0, 1] * 50})
    >>> [(finding.column, finding.level) for finding in check(frame, "y") if finding.check == "constant"]
    [('one', 'notice')]
    """
    frame = frame.rename(columns=str)
    require_columns(frame, [*([] if target is None else [target]), *sensitive])
    if task != "auto" and task not in get_args(Task):
        raise SettingsError(f"Unknown task {task!r}.", unknown_name(task, ["auto", *get_args(Task)]))
    if frame.empty:
        raise InputError("The table has no rows.", "Choose a table with rows and columns.")
    table, findings = _checked_table(frame, target, task, tuple(sensitive))
    for guardrail in GUARDRAILS.values():
        findings += guardrail.run(table)
    return findings


def _checked_table(
    frame: pd.DataFrame, target: str | None, task: Task | Literal["auto"], sensitive: tuple[str, ...]
) -> tuple[CheckedTable, list[Finding]]:
    rows = len(frame)
    labels = None if target is None else frame[target]
    known_task: Task | None = None
    if labels is not None and labels.notna().any():
        known_task = infer_task(labels) if task == "auto" else task
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
                "Shares are estimates, and rare cases may be missed.",
                {"rows": rows, "sample": limit},
            )
        )
    return CheckedTable(frame, rows, target, labels, known_task, sensitive), findings

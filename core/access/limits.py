"""What one workspace may take of an installation: the record, and the settings that change it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from core.errors import LimitError
from core.settings import Settings

__all__ = ["LIMIT_TITLES", "SETTING", "WorkspaceLimits", "lowest"]

SETTING: Final = "workspace_"
"""Beginning of the names of the settings that change a limit."""


@dataclass(frozen=True)
class WorkspaceLimits:
    """What one workspace may take. None: the workspace has no limit of its own.

    Parameters
    ----------
    running : int, optional
        Number of long runs at the same time, and of pipelines.
    running_short : int, optional
        Number of short runs (imports, checks) at the same time.
    queued : int, optional
        Number of runs that wait.
    upload_mb : int, optional
        Size of an uploaded file, MB.
    rows, columns : int, optional
        Size of a table.
    stored_mb : int, optional
        Size of all stored files, MB.
    budget_s : int, optional
        Time budget of a search, seconds.
    run_s : int, optional
        Working time of a run, seconds.
    kept_hours : int, optional
        Hours after the last visit until all of the workspace is removed.
    """

    running: int | None = None
    running_short: int | None = None
    queued: int | None = None
    upload_mb: int | None = None
    rows: int | None = None
    columns: int | None = None
    stored_mb: int | None = None
    budget_s: int | None = None
    run_s: int | None = None
    kept_hours: int | None = None

    def changed_by(self, settings: Settings) -> WorkspaceLimits:
        """Return the limits with those in place that ``PLUMBLINE_WORKSPACE_*`` sets; 0 sets no limit.

        Examples
        --------
        >>> settings = Settings(workspace_rows=500, workspace_queued=0)
        >>> limits = WorkspaceLimits(rows=100, queued=5, running=1).changed_by(settings)
        >>> limits.rows, limits.queued, limits.running
        (500, None, 1)
        """
        values = {}
        for field in fields(self):
            chosen = getattr(settings, SETTING + field.name)
            values[field.name] = getattr(self, field.name) if chosen is None else chosen or None
        return WorkspaceLimits(**values)

    def check_budget(self, budget_s: float | None) -> None:
        """Raise LimitError when a search has a larger time budget, or none.

        Examples
        --------
        >>> WorkspaceLimits(budget_s=300).check_budget(900)
        Traceback (most recent call last):
        core.errors.LimitError: A search of 900 s is too long: it may take 300 s here. Choose a shorter time budget. ...
        """
        if self.budget_s is None or self.allows_budget(budget_s):
            return
        given = "without a time budget" if budget_s is None else f"of {budget_s:,.0f} s"
        raise LimitError(
            f"A search {given} is too long: it may take {self.budget_s:,} s here.",
            f"Choose a shorter time budget. {_said('budget_s')}",
        )

    def allows_budget(self, budget_s: float | None) -> bool:
        """Return whether a search may have this time budget, or none."""
        return self.budget_s is None or (budget_s is not None and budget_s <= self.budget_s)

    def check_stored(self, stored_bytes: int) -> None:
        """Raise LimitError when the stored files of a workspace leave no room for more.

        Examples
        --------
        >>> WorkspaceLimits(stored_mb=500).check_stored(600 * 2**20)
        Traceback (most recent call last):
        core.errors.LimitError: This workspace stores 600 MB; at most 500 MB are kept. Delete datasets, runs or...
        """
        if self.stored_mb is not None and stored_bytes >= self.stored_mb * 2**20:
            raise LimitError(
                f"This workspace stores {stored_bytes / 2**20:,.0f} MB; at most {self.stored_mb:,} MB are kept.",
                "Delete datasets, runs or models that you do not need: there is room again when that cannot be undone "
                f"any more. {_said('stored_mb')}",
            )


def _said(name: str) -> str:
    return f"PLUMBLINE_{SETTING.upper()}{name.upper()} sets the limit."


def lowest(limit: int, own: int | None) -> int:
    """Return the lower one of a limit of the installation and that of a workspace, where it has one of its own.

    Examples
    --------
    >>> lowest(2_048, 50), lowest(2_048, None)
    (50, 2048)
    """
    return limit if own is None else min(limit, own)


LIMIT_TITLES: Final[dict[str, str]] = {
    "running": "Long runs at the same time",
    "running_short": "Imports and checks at the same time",
    "queued": "Waiting runs",
    "upload_mb": "Size of an uploaded file (MB)",
    "rows": "Rows of a table",
    "columns": "Columns of a table",
    "stored_mb": "Size of all stored files (MB)",
    "budget_s": "Time budget of a search (seconds)",
    "run_s": "Working time of a run (seconds)",
    "kept_hours": "Hours from the last visit until all is removed",
}
"""What each limit counts, by its name."""

"""What one workspace may take of an installation: the record, and the settings that change it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from core.settings import Settings

__all__ = ["LIMIT_TITLES", "SETTING", "WorkspaceLimits"]

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


LIMIT_TITLES: Final[dict[str, str]] = {
    "running": "long runs at the same time",
    "running_short": "imports and checks at the same time",
    "queued": "runs that wait",
    "upload_mb": "MB of an uploaded file",
    "rows": "rows of a table",
    "columns": "columns of a table",
    "stored_mb": "MB of all stored files",
    "budget_s": "seconds of a search",
    "run_s": "seconds of any run",
    "kept_hours": "hours after the last visit until all is removed",
}
"""What each limit counts, by its name."""

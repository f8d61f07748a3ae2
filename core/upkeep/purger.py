"""The purger: removes what people deleted, when it can no longer be undone."""

from __future__ import annotations

import shutil

from core.catalog import deletions
from core.settings import get_settings

__all__ = ["purge"]


def purge(*, after_s: float = deletions.UNDO_S) -> int:
    """Remove rows, logs and working folders of deletions that can no longer be undone; return the number of runs.

    Stored contents follow when the collector finds that no row needs them.

    Parameters
    ----------
    after_s : float, default=600
        Seconds after which a deletion is final.
    """
    run_ids = deletions.purge(after_s=after_s)
    for run_id in run_ids:
        shutil.rmtree(get_settings().runs_dir / run_id, ignore_errors=True)
    return len(run_ids)

"""How much a workspace stores, by its rows."""

from __future__ import annotations

from sqlmodel import col, func, select

from core.access import INSTALLATION, Access, Installation, limits
from core.catalog.engine import reading
from core.catalog.hidden import ALL_ROWS
from core.catalog.tables import Dataset, FileReference, Run, RunArtifact
from core.errors import LimitError
from core.settings import get_settings
from core.storage import get_store

__all__ = ["require_room", "stored_bytes"]


def stored_bytes(*, access: Access | Installation) -> int:
    """Return the size of tables, original files and results, also of those that are deleted and can be had back.

    Parameters
    ----------
    access : Access or Installation
        The workspace whose files they are; `INSTALLATION` for those of all.
    """
    tables = select(func.sum(Dataset.size_bytes + Dataset.upload_bytes))
    results = select(func.sum(RunArtifact.size_bytes))
    if isinstance(access, Access):
        own = select(Run.id).where(Run.workspace == access.workspace)
        tables = tables.where(Dataset.workspace == access.workspace)
        results = results.where(col(RunArtifact.run_id).in_(own))
    with reading(access) as session:
        return sum(session.exec(query, execution_options=ALL_ROWS).one() or 0 for query in (tables, results))


def _named_bytes(*, access: Access) -> int:
    """Return the size of the contents that rows of a workspace name in JSON columns, such as files of pipelines."""
    query = select(FileReference.digest).where(FileReference.workspace == access.workspace).distinct()
    with reading(access) as session:
        digests = session.exec(query, execution_options=ALL_ROWS).all()
    return sum(map(get_store().size, digests))


def require_room(more_bytes: int = 0, *, access: Access) -> None:
    """Refuse to store more where the workspace, or the installation, has reached its limit.

    Parameters
    ----------
    more_bytes : int, default=0
        Size of files of the workspace that no row counts.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    LimitError
        When one of them leaves no room.
    """
    limit = limits()
    if limit.stored_mb is not None:
        limit.check_stored(stored_bytes(access=access) + _named_bytes(access=access) + more_bytes)
    largest_mb = get_settings().max_stored_mb
    if largest_mb is not None and (stored := stored_bytes(access=INSTALLATION)) >= largest_mb * 2**20:
        raise LimitError(
            f"This installation stores {stored / 2**20:,.0f} MB; at most {largest_mb:,} MB are kept.",
            "Try again later: there is room when others' files are removed. PLUMBLINE_MAX_STORED_MB sets the limit.",
        )

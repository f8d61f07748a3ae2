"""What has to be right with an installation's folder, catalog and storage before they are used."""

from __future__ import annotations

import logging
import secrets
from functools import lru_cache

from sqlmodel import col, select

from core.access import INSTALLATION
from core.catalog.engine import get_engine, reading, writing
from core.catalog.pipeline_tables import PipelineComponent, SavedPipeline
from core.catalog.tables import CatalogId, Dataset, Model, QueueLock, Run
from core.errors import StorageError, address_limit_mb
from core.private_folder import check_writable, make_private
from core.settings import get_settings, unknown_variables
from core.storage import ArtifactStore, get_store

__all__ = ["check", "check_once"]

_ADDRESS_SPACE_MB = 8_000
"""Address space below which libraries may fail to load or to work: they reserve much more than they use."""
_QUICK_CHECK_BYTES = 500 * 2**20
_log = logging.getLogger("plumbline")


def check() -> tuple[str, ...]:
    """Prepare the data folder, and check the catalog and the storage; return what the operator should know.

    For a process that stays, such as a server, before its first work. Once it has passed, it is not repeated.

    Returns
    -------
    tuple of str
        Sentences about what is not as it should be, although Plumbline works.

    Raises
    ------
    SettingsError
        When a setting is invalid.
    StorageError
        When the folder cannot be used, or the catalog and the storage are damaged or do not belong together.

    Examples
    --------
    >>> check()
    ()
    """
    settings = get_settings()
    return check_once(str(settings.home.absolute()), settings.database_url, settings.storage_url)


@lru_cache(maxsize=1)
def check_once(_home: str, _database: str, _storage: str) -> tuple[str, ...]:
    """Return what `check` returns, from the first time that it passed with these settings in this process."""
    home = get_settings().home.absolute()
    if make_private(home):
        _log.warning("closed the data folder %s to other users of this machine (mode 0700)", home)
    check_writable(home)
    _check_damage()
    sentences = (*unknown_variables(), *_address_space(), *_pair(get_store()))
    for sentence in sentences:
        _log.warning(sentence)
    return sentences


def _check_damage() -> None:
    """Raise StorageError where the pages of a SQLite file do not fit together."""
    engine = get_engine()
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file:
        return
    with engine.execution_options(read_only=True).connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        size = pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one()
        if size > _QUICK_CHECK_BYTES:  # it would take seconds; a damaged page is found when it is read
            return
        result = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if result != "ok":
        raise StorageError(
            f"The catalog {file} is damaged: {str(result).splitlines()[-1]}.",
            "Put a copy of it back, or move it away to begin with an empty catalog.",
        )


def _address_space() -> list[str]:
    limit_mb = address_limit_mb()
    if limit_mb is None or limit_mb >= _ADDRESS_SPACE_MB:
        return []
    return [
        f"Processes may reserve {limit_mb:,.0f} MB of addresses (ulimit -v). Libraries reserve more than they "
        "use, so runs may fail for lack of memory. Remove the limit (ulimit -v unlimited), and set "
        "PLUMBLINE_MEMORY_LIMIT_MB instead."
    ]


def _pair(store: ArtifactStore) -> list[str]:
    """Check that catalog and storage belong together, by an id that both have; return what is odd about them."""
    with reading(INSTALLATION) as session:
        known = session.exec(select(CatalogId.id)).first()
        used = any(session.exec(select(col(table.id)).limit(1)).first() for table in _TABLES)
    marked, stored = store.mark(), store.has_content()
    if marked is not None and known != marked and (known is not None or used):
        raise StorageError(
            f"The storage {store.url} belongs to another catalog than {_catalog()}.",
            "Set PLUMBLINE_HOME, PLUMBLINE_DATABASE and PLUMBLINE_STORAGE as they were when the storage was made.",
        )
    if known is None:
        known = _identify(marked or secrets.token_hex(16))
    if marked is None:
        store.set_mark(known)
    if stored and not used:
        return [
            f"The catalog {_catalog()} is empty, but the storage {store.url} has files of an earlier one. If the "
            "catalog was lost, stop Plumbline and put it back; to begin anew, use an empty folder as PLUMBLINE_HOME."
        ]
    return []


def _identify(new: str) -> str:
    """Give the catalog an id, unless another process has; return the one that it has."""
    with writing(INSTALLATION) as session:
        session.exec(select(QueueLock).with_for_update()).one()
        known = session.exec(select(CatalogId.id)).first()
        if known is None:
            session.add(CatalogId(id=new))
    return known or new


_TABLES = (Dataset, Run, Model, SavedPipeline, PipelineComponent)


def _catalog() -> str:
    url = get_engine().url
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)

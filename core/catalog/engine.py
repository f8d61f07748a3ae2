"""The catalog's database: engine, schema version, and sessions for reading and writing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import (
    ClauseElement,
    Connection,
    Dialect,
    Engine,
    ExceptionContext,
    Insert,
    bindparam,
    create_engine,
    event,
    select,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection
from sqlmodel import Session, col

from core.access import Access, Installation, Role
from core.catalog import database_file
from core.catalog.confined import ConfinedSession
from core.catalog.schema import HEAD, MIGRATIONS, migrate
from core.catalog.tables import Run
from core.errors import InputError, JobError, NotFoundError, SettingsError, StorageError
from core.settings import get_settings

__all__ = [
    "HEAD",
    "MIGRATIONS",
    "EventRow",
    "append_rows",
    "engine_for",
    "fence",
    "fenced",
    "get_engine",
    "kept_connection",
    "migrate",
    "reading",
    "write_ahead",
    "writing",
]

# Without a lock, threads that come first at the same moment would create one engine per thread.
_opening = threading.Lock()

_BUSY_S = 30
_DAMAGED = "Put a copy of it back, or move it away to begin with an empty catalog."
_REASONS = (
    ("is full", "the disk is full", "Free some space or move PLUMBLINE_HOME, then try again."),
    ("is locked", "it has been busy for too long", "Try again, and check what else uses the same database."),
    ("readonly database", "its file cannot be written", "Check the permissions of the data folder (PLUMBLINE_HOME)."),
    ("unable to open", "its file cannot be opened", "Check the permissions and the space of the data folder."),
    ("not a database", "its file is not a database", _DAMAGED),
    ("malformed", "its file is damaged", _DAMAGED),
    ("disk I/O error", "the disk does not read or write", "Check the disk of the data folder, then try again."),
)
"""Parts of what SQLite says, what the user reads instead, and what to do."""


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(dbapi_connection: sqlite3.Connection, _record: object) -> None:
        # SQLAlchemy emits BEGIN itself (below): the driver would delay it to the first write.
        dbapi_connection.isolation_level = None
        for pragma in (f"busy_timeout={_BUSY_S * 1000}", "synchronous=NORMAL", "foreign_keys=ON"):
            dbapi_connection.execute(f"PRAGMA {pragma}")
        write_ahead(dbapi_connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that starts with a read cannot wait for a writer when it turns to writing.
        reads = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a new file to write-ahead logging, although another process may do so at the same time."""
    last = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > last:
                raise
        time.sleep(0.01)


def _unusable(error: BaseException) -> StorageError:
    """Return an error that tells the user why the database is not available: disk, locks, network."""
    reason = str(error).strip()
    for part, said, hint in _REASONS:
        if part in reason:
            return StorageError(f"The catalog cannot be used: {said}.", hint)
    return StorageError(
        f"The catalog cannot be used: {reason}.", "Check the data folder or the URL of the database, then try again."
    )


def _unowned() -> NotFoundError:
    return NotFoundError("What this belongs to does not exist.", "It may have been deleted. Load the page again.")


def _names_no_row(error: BaseException) -> bool:
    """Return whether a row was refused because it belongs to one that does not exist."""
    return "foreign key constraint" in str(error).lower()


def _explain(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    if isinstance(error, DataError) or isinstance(context.original_exception, UnicodeEncodeError | OverflowError):
        raise InputError(
            "A text or a number is not one that the catalog can hold.",
            "Leave out characters that cannot be seen, and shorten long names.",
        ) from context.original_exception
    if isinstance(error, IntegrityError) and _names_no_row(context.original_exception):
        raise _unowned() from context.original_exception
    # A damaged SQLite file raises DatabaseError itself, which is also the base class of errors in our statements.
    if (isinstance(error, OperationalError) or type(error) is DatabaseError) and not context.is_pre_ping:
        raise _unusable(context.original_exception) from context.original_exception


@lru_cache(maxsize=8)
def engine_for(url: str) -> Engine:
    """Return the engine of a database, made and migrated once per process."""
    try:
        parsed = make_url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        file = Path(parsed.database) if sqlite and parsed.database else None
        if file is not None:
            database_file.make(file)
        engine = create_engine(url, paramstyle="qmark" if sqlite else "format", pool_pre_ping=not sqlite)
    except (ArgumentError, ImportError) as error:  # no URL, an unknown kind of database, or its driver is missing
        raise SettingsError(
            f"PLUMBLINE_DATABASE cannot be used: {str(error).splitlines()[0].rstrip('.')}.",
            "Use a URL of SQLAlchemy, such as postgresql+psycopg://user@host/name, and install its driver.",
        ) from error
    event.listen(engine, "handle_error", _explain)
    if sqlite:
        _tune_sqlite(engine)
    migrate(engine)
    if file is not None:
        database_file.guard(engine, file)
    return engine


def get_engine() -> Engine:
    """Return the engine of the installation's catalog, after migrating its schema.

    Raises
    ------
    StorageError
        When the data folder cannot be created, the database cannot be reached, or its schema is newer than this code.
    """
    with _opening:
        return engine_for(get_settings().database_url)


@contextmanager
def reading(access: Access | Installation) -> Iterator[Session]:
    """Open a session that only reads. Its rows stay usable after it is closed."""
    with ConfinedSession(get_engine().execution_options(read_only=True), access) as session:
        yield session


@contextmanager
def writing(access: Access | Installation) -> Iterator[Session]:
    """Open a session with one transaction, which is committed at the end or rolled back by an error.

    Raises
    ------
    DeniedError
        When the person may only look at the workspace.
    JobError
        When this process works for a run (`fence`) that another one has taken over.
    """
    if isinstance(access, Access):
        access.require(Role.EDITOR)
    with ConfinedSession(get_engine(), access) as session, session.begin():
        held = _fenced.get() or _fence
        if held is not None and session.execute(_HELD, held).first() is None:
            raise _taken_over(held["run_id"])
        yield session


_fence: dict[str, str] | None = None
_fenced: ContextVar[dict[str, str] | None] = ContextVar("fenced", default=None)
# Locked until the end of the transaction, so that nobody takes the run over before that.
_HELD = (
    select(col(Run.id))
    .where(col(Run.id) == bindparam("run_id"), col(Run.claim_token) == bindparam("claim"))
    .with_for_update(read=True)
)


def fence(run_id: str, claim: str) -> None:
    """Let every later transaction of this process, which works for a run, write only while this claim holds the run.

    A process may be suspended for so long that its run is taken for lost and started again. When it wakes, it must not
    write into the work of the other attempt: neither events nor artifacts, datasets or runs that it submits.
    """
    global _fence
    _fence = {"run_id": run_id, "claim": claim}


@contextmanager
def fenced(run_id: str, claim: str) -> Iterator[None]:
    """Let the transactions of this thread within the block write only while this claim holds the run."""
    token = _fenced.set({"run_id": run_id, "claim": claim})
    try:
        yield
    finally:
        _fenced.reset(token)


def _taken_over(run_id: str) -> JobError:
    return JobError(f"Another attempt of run '{run_id}' has taken its place.", "The other attempt continues.")


EventRow: TypeAlias = tuple[str | int | float | None, ...]
"""Values of an event in the order of an INSERT statement's columns."""


def append_rows(statement: Insert, rows: list[EventRow]) -> None:
    """Insert rows in one transaction through the driver itself, which takes a fifth of the time.

    The tuples follow the order of the statement's columns, in the form that the driver stores. Only one thread
    of the process may call this at a time: on SQLite they share a connection that stays open.
    """
    engine = get_engine()
    sqlite = engine.dialect.name == "sqlite"
    database_file.check_unchanged(engine)  # the kept connection is checked out once
    connection = kept_connection(engine) if sqlite else engine.raw_connection()
    try:
        cursor = connection.cursor()
        if sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        else:  # the rows name their workspaces themselves
            cursor.execute("SELECT set_config('plumbline.workspace', '*', true)")
        held = _fenced.get() or _fence
        if held is not None:
            cursor.execute(_compiled(_HELD, engine.dialect), (held["run_id"], held["claim"]))
            if cursor.fetchone() is None:
                raise _taken_over(held["run_id"])
        cursor.executemany(_compiled(statement, engine.dialect), rows)
        connection.commit()
    except BaseException as error:
        connection.rollback()
        if isinstance(error, engine.dialect.loaded_dbapi.OperationalError):
            raise _unusable(error) from error
        if isinstance(error, engine.dialect.loaded_dbapi.IntegrityError) and _names_no_row(error):
            raise _unowned() from error
        raise
    finally:
        if not sqlite:
            connection.close()


@lru_cache(maxsize=1)
def kept_connection(engine: Engine) -> PoolProxiedConnection:
    """Return the connection that this process keeps open for events."""
    return engine.raw_connection()


@lru_cache(maxsize=8)
def _compiled(statement: ClauseElement, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))

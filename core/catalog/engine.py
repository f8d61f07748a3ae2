"""The catalog's database: engine, schema version, and sessions for reading and writing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection, Dialect, Engine, ExceptionContext, Insert, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection
from sqlmodel import Session

from core.access import Access, Installation, Role
from core.errors import StorageError
from core.settings import get_settings

__all__ = [
    "HEAD",
    "MIGRATIONS",
    "EventRow",
    "append_rows",
    "engine_for",
    "get_engine",
    "kept_connection",
    "migrate",
    "reading",
    "write_ahead",
    "writing",
]

HEAD = "0006"
"""Schema version that this code works with: the newest file in ``migrations/versions``."""

# Without a lock, threads that come first at the same moment would create one engine per thread.
_opening = threading.Lock()

_BUSY_S = 30
MIGRATIONS = Path(__file__).with_name("migrations")
"""Folder of Alembic's environment and versions."""


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
    hint = "Check the data folder or the URL of the database, then try again."
    if "is full" in reason:
        reason, hint = "the disk is full", "Free some space or move PLUMBLINE_HOME, then try again."
    elif "is locked" in reason:
        reason, hint = "it has been busy for too long", "Try again, and check what else uses the same database."
    return StorageError(f"The catalog cannot be used: {reason}.", hint)


def _explain(context: ExceptionContext) -> None:
    error = context.sqlalchemy_exception
    # A damaged SQLite file raises DatabaseError itself, which is also the base class of errors in our statements.
    if (isinstance(error, OperationalError) or type(error) is DatabaseError) and not context.is_pre_ping:
        raise _unusable(context.original_exception) from context.original_exception


@lru_cache(maxsize=8)
def engine_for(url: str) -> Engine:
    """Return the engine of a database, made and migrated once per process."""
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    if sqlite and parsed.database:
        try:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The data folder {Path(parsed.database).parent} cannot be created: {error.strerror}.",
                "Set PLUMBLINE_HOME to a folder that you can write to.",
            ) from error
    engine = create_engine(url, paramstyle="qmark" if sqlite else "format", pool_pre_ping=not sqlite)
    event.listen(engine, "handle_error", _explain)
    if sqlite:
        _tune_sqlite(engine)
    migrate(engine)
    return engine


def migrate(engine: Engine) -> None:
    """Bring a database to the schema version `HEAD`, once, whichever process comes first."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # one process migrates, the others wait (SQLite: BEGIN IMMEDIATE)
            connection.execute(text("SELECT pg_advisory_xact_lock(7586253)"))
        if inspect(connection).has_table("alembic_version"):
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if version == HEAD:
                return
            if version is not None and version > HEAD:
                raise StorageError(
                    f"The catalog is from a newer version of Plumbline (schema {version}, this one uses {HEAD}).",
                    "Update this installation, or set PLUMBLINE_HOME to another folder.",
                )
        # Imported here, so that only the first start pays for it.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


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
    engine = get_engine().execution_options(read_only=True)
    with Session(engine, expire_on_commit=False) as session:
        yield session


@contextmanager
def writing(access: Access | Installation) -> Iterator[Session]:
    """Open a session with one transaction, which is committed at the end or rolled back by an error.

    Raises
    ------
    DeniedError
        When the person may only look at the workspace.
    """
    if isinstance(access, Access):
        access.require(Role.EDITOR)
    with Session(get_engine(), expire_on_commit=False) as session, session.begin():
        yield session


EventRow: TypeAlias = tuple[str | int | float | None, ...]
"""Values of an event in the order of an INSERT statement's columns."""


def append_rows(statement: Insert, rows: list[EventRow]) -> None:
    """Insert rows in one transaction through the driver itself, which takes a fifth of the time.

    The tuples follow the order of the statement's columns, in the form that the driver stores. Only one thread
    of the process may call this at a time: on SQLite they share a connection that stays open.
    """
    engine = get_engine()
    sqlite = engine.dialect.name == "sqlite"
    connection = kept_connection(engine) if sqlite else engine.raw_connection()
    try:
        cursor = connection.cursor()
        if sqlite:
            cursor.execute("BEGIN IMMEDIATE")
        cursor.executemany(_compiled(statement, engine.dialect), rows)
        connection.commit()
    except BaseException as error:
        connection.rollback()
        if isinstance(error, engine.dialect.loaded_dbapi.OperationalError):
            raise _unusable(error) from error
        raise
    finally:
        if not sqlite:
            connection.close()


@lru_cache(maxsize=1)
def kept_connection(engine: Engine) -> PoolProxiedConnection:
    """Return the connection that this process keeps open for events."""
    return engine.raw_connection()


@lru_cache(maxsize=8)
def _compiled(statement: Insert, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))

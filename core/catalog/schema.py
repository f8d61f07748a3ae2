"""The version of a database's tables: brought up to date, or refused where they are not ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from core.catalog.confined import EVERY_WORKSPACE, admit
from core.errors import StorageError

__all__ = ["HEAD", "MIGRATIONS", "migrate", "without_foreign_keys"]

HEAD = "0017"
"""Schema version that this code works with: the newest file in ``migrations/versions``."""
MIGRATIONS = Path(__file__).with_name("migrations")
"""Folder of Alembic's environment and versions."""


def migrate(engine: Engine) -> None:
    """Bring a database to the schema version `HEAD`, once, whichever process comes first."""
    with without_foreign_keys(engine) as connection, connection.begin():
        if connection.dialect.name == "postgresql":  # one process migrates, the others wait (SQLite: BEGIN IMMEDIATE)
            connection.execute(text("SELECT pg_advisory_xact_lock(7586253)"))
        admit(connection, EVERY_WORKSPACE)
        if inspect(connection).has_table("alembic_version"):
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if version is not None:
                _check_version(connection, version)
            if version == HEAD:
                return
        else:
            _check_tables(connection)
        # Imported here, so that only the first start pays for it.
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def without_foreign_keys(engine: Engine) -> Iterator[Connection]:
    """Open a connection on which SQLite makes a table anew without removing what belongs to its rows."""
    with engine.connect() as connection:
        own = connection.connection.driver_connection if connection.dialect.name == "sqlite" else None
        if own is not None:  # not as a statement of SQLAlchemy's, which begins a transaction: nothing changes in one
            own.execute("PRAGMA foreign_keys=OFF")
        try:
            yield connection
        finally:
            if own is not None:
                own.execute("PRAGMA foreign_keys=ON")


def _check_version(connection: Connection, version: str) -> None:
    """Raise StorageError where another program, or a newer version of this one, has made the tables."""
    if not re.fullmatch(r"\d{4}", version) or not inspect(connection).has_table("runevent"):
        raise _foreign(connection)
    if version > HEAD:
        raise StorageError(
            f"The catalog is from a newer version of Plumbline (schema {version}, this one uses {HEAD}).",
            "Update this installation, or set PLUMBLINE_HOME to another folder.",
        )


def _check_tables(connection: Connection) -> None:
    """Raise StorageError where a new catalog would be made among the tables of another program."""
    names = set(inspect(connection).get_table_names())
    if names and (connection.dialect.name == "sqlite" or names & {"run", "dataset", "model"}):
        raise _foreign(connection)


def _foreign(connection: Connection) -> StorageError:
    url = connection.engine.url
    name = url.database if connection.dialect.name == "sqlite" else url.render_as_string(hide_password=True)
    return StorageError(
        f"The database {name} is not a catalog of Plumbline: it has the tables of another program.",
        "Set PLUMBLINE_HOME to another folder, or PLUMBLINE_DATABASE to another database.",
    )

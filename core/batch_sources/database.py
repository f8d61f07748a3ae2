"""Connections to databases that are read only, as far as each of them can be held to that."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from core.batch_sources.reach import check_host, check_local, is_restricted, source_credential
from core.credentials import HIDDEN, hide, scrubbed
from core.errors import DeniedError, InputError, RemoteError, SettingsError, shortened

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

__all__ = ["check_database", "read_only"]

PREFIX: Final = "SQL_"
"""Beginning of the names of credentials that are URLs of databases."""
_PORTS: Final = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306, "mssql": 1433, "oracle": 1521}
_CONNECT_S: Final = 10
_LEADING_ELSEWHERE: Final = {"service", "servicefile", "passfile", "hostaddr", "unix_socket", "odbc_connect", "dsn"}
_REASON_CHARS: Final = 300


def check_database(credential: str, *, workspace: str) -> None:
    """Raise what is wrong with a database, as far as it is known before it is connected to."""
    _engine(_url(credential, workspace), 1.0).dispose()


@contextmanager
def read_only(credential: str, timeout_s: float, *, workspace: str) -> Iterator[Connection]:
    """Connect to a database in a transaction that changes nothing and ends within a time.

    Parameters
    ----------
    credential : str
        Name of the credential with the database's URL.
    timeout_s : float
        Seconds that a statement may take.
    workspace : str
        Workspace that reads.

    Raises
    ------
    DeniedError
        When the database may not be reached in this profile.
    InputError
        When the database refuses a statement.
    RemoteError
        When it cannot be reached.
    SettingsError
        When the credential or the database's package is missing.
    """
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    url = _url(credential, workspace)
    engine = _engine(url, timeout_s)
    try:
        with _connected(engine, credential) as connection:
            try:
                _hold(connection, timeout_s)
                yield connection
            except DBAPIError as error:
                raise InputError(
                    f"The database did not answer the query: {_reason(error, url)}",
                    "Try the query in the database's own client, as the same user.",
                ) from None
            except SQLAlchemyError as error:
                raise InputError(
                    f"The query cannot be used: {type(error).__name__}.", "Check its parameters."
                ) from None
            finally:
                connection.rollback()
    finally:
        engine.dispose()


@contextmanager
def _connected(engine: Engine, credential: str) -> Iterator[Connection]:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise RemoteError(
            f"The database of {credential} cannot be reached: {_reason(error, engine.url)}",
            "Check that it runs, and its URL in the credential.",
        ) from None
    with closing(connection):
        yield connection


def _url(credential: str, workspace: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    value = source_credential(credential, PREFIX, workspace=workspace)
    try:
        url = make_url(value.strip())
    except (ArgumentError, ValueError):
        raise SettingsError(
            f"The credential {credential} is not a URL of a database.",
            "Its value is as in postgresql+psycopg://user:password@host/name.",
        ) from None
    hide(url.password)
    return url


def _engine(url: URL, timeout_s: float) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    backend = url.get_backend_name()
    if backend == "sqlite":
        path = _sqlite_file(url)
        return create_engine("sqlite://", creator=lambda: _sqlite(path, timeout_s), poolclass=NullPool)
    arguments: dict[str, Any] = {}
    if backend in _PORTS:
        arguments = _reachable(url, backend)
    elif is_restricted():
        raise DeniedError(
            f"Databases of {shortened(backend, 20)} are not read here.", f"Use one of: sqlite, {', '.join(_PORTS)}."
        )
    try:
        return create_engine(url, connect_args=arguments, poolclass=NullPool)
    except NoSuchModuleError:
        raise SettingsError(
            f"'{shortened(url.drivername, 40)}' is not a database that can be read here.",
            "Check the beginning of its URL.",
        ) from None
    except ImportError as error:
        raise SettingsError(
            f"Databases of {shortened(url.drivername, 40)}:// need the package {error.name}, which is not installed.",
            "Whoever runs the server installs it.",
        ) from None
    except (SQLAlchemyError, TypeError, ValueError):
        raise SettingsError("The URL of the database cannot be used.", "Check its driver and its options.") from None


def _reachable(url: URL, backend: str) -> dict[str, Any]:
    """Check the host of a database, and return what its driver needs to connect to just that."""
    arguments: dict[str, Any] = {"connect_timeout": _CONNECT_S} if backend in ("postgresql", "mysql", "mariadb") else {}
    if not is_restricted():
        return arguments
    if elsewhere := sorted(_LEADING_ELSEWHERE & url.query.keys()) + ["host"] * ("host" in url.query):
        raise DeniedError(
            f"The URL of the database has the option {elsewhere[0]}, which leads elsewhere.",
            "Write its host after the user.",
        )
    ips = check_host(url.host or "127.0.0.1", url.port or _PORTS[backend])
    if backend == "postgresql" and url.get_driver_name() in ("psycopg", "psycopg2"):
        arguments["hostaddr"] = str(ips[0])
    return arguments


def _sqlite_file(url: URL) -> Path:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise SettingsError(
            "The URL of the database names no file.", "Its value is as in sqlite:////srv/scored.db, with four slashes."
        )
    return check_local(Path(url.database))


def _sqlite(path: Path, timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=5.0)
    connection.execute("PRAGMA query_only = ON")
    ends = time.monotonic() + timeout_s
    connection.set_progress_handler(lambda: int(time.monotonic() > ends), 10_000)
    return connection


def _hold(connection: Connection, timeout_s: float) -> None:
    """Hold a transaction to reading, and its statements to a time, where the database has that."""
    milliseconds = int(timeout_s * 1_000)
    match connection.dialect.name:
        case "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
        case "mysql":
            connection.exec_driver_sql(f"SET SESSION max_execution_time = {milliseconds}")
            connection.exec_driver_sql("START TRANSACTION READ ONLY")
        case "mariadb":
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {timeout_s:.1f}")
            connection.exec_driver_sql("START TRANSACTION READ ONLY")
        case _:
            pass


def _reason(error: Exception, url: URL) -> str:
    """Return the first line of what a driver says, without the password."""
    text = str(getattr(error, "orig", None) or type(error).__name__).strip()
    line = scrubbed(text.splitlines()[0] if text else type(error).__name__)
    if url.password:
        line = line.replace(str(url.password), HIDDEN)
    return shortened(line, _REASON_CHARS).rstrip(".") + "."

"""Copies of the catalog's database: SQLite by its backup interface, PostgreSQL by its own programs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from core.errors import SettingsError, StorageError
from core.files import atomic_write
from core.settings import get_settings

__all__ = ["dump", "kind", "load", "require_empty"]

_EVERY_WORKSPACE = "-c plumbline.workspace=*"  # the policies of rows let this session see all of them


def _url() -> URL:
    return make_url(get_settings().database_url)


def kind() -> str:
    """Return the kind of the installation's database: ``sqlite`` or ``postgresql``."""
    name = _url().get_backend_name()
    if name not in ("sqlite", "postgresql"):
        raise SettingsError(
            f"A database of kind '{name}' cannot be backed up here.", "Use its own tools, then copy the storage."
        )
    return name


def dump(target: Path) -> None:
    """Write a consistent copy of the database, while others use it."""
    if kind() == "postgresql":
        _run_program(
            "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--enable-row-security", f"--file={target}"
        )
        return
    source = Path(_url().database or "")
    if not source.exists():
        raise StorageError(
            f"There is no catalog at {source}.", "Set PLUMBLINE_HOME and PLUMBLINE_DATABASE as the server has them."
        )
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file
    except sqlite3.Error as error:
        raise StorageError(
            f"The catalog {source} cannot be copied: {error}.", "Check its file and the free space."
        ) from error


def require_empty() -> None:
    """Raise StorageError where the installation's database exists already."""
    if kind() == "sqlite":
        path = Path(_url().database or "")
        taken = path.exists() and path.stat().st_size > 0
    else:
        engine = create_engine(get_settings().database_url)
        try:
            taken = bool(inspect(engine).get_table_names())
        except OperationalError as error:
            raise StorageError(
                "The database cannot be reached.", "Check that it runs, and PLUMBLINE_DATABASE."
            ) from error
        finally:
            engine.dispose()
    if taken:
        raise StorageError(
            "There is a catalog already, and a restore replaces nothing.",
            "Set PLUMBLINE_HOME, and PLUMBLINE_DATABASE and PLUMBLINE_STORAGE where they are used, to new places.",
        )


def load(source: Path) -> None:
    """Make the installation's database from a copy."""
    if kind() == "postgresql":
        _run_program(
            "pg_restore",
            "--exit-on-error",
            "--no-owner",
            "--no-privileges",
            "--single-transaction",
            str(source),
            to="--dbname",
        )
        return
    path = Path(_url().database or "")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        shutil.copyfile(source, partial)
        os.chmod(partial, 0o600)


def _run_program(name: str, *arguments: str, to: str = "") -> None:
    """Run one of PostgreSQL's programs on the installation's database; its password is not on the command line."""
    programs = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    program = str(programs[-1]) if programs else shutil.which(name)
    if program is None:
        raise SettingsError(f"{name} is not installed.", "apt-get install postgresql-client")
    url = _url()
    variables = {
        "PGHOST": url.host,
        "PGPORT": url.port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
    }
    query = {
        f"PG{name.upper()}": value
        for name, value in url.query.items()
        if name.startswith("ssl") and isinstance(value, str)
    }
    environment = {
        **os.environ,
        **query,
        **{name: str(value) for name, value in variables.items() if value is not None},
    }
    target = [f"{to}={url.database}"] if to else []
    done = subprocess.run(
        [program, "--no-password", *target, *arguments],
        env=environment | {"PGOPTIONS": _EVERY_WORKSPACE},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason was given"])[0]
        raise StorageError(
            f"{name} failed: {reason.rstrip('.')}.", "Check the database, and that the program is as new as it."
        )

"""Hostile databases and files of statistics packages."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pandas as pd
import pyreadstat

from tests.unit.datasets.hostile.columnar import lying
from tests.unit.datasets.hostile.record import HostileFile

__all__ = ["DATABASES"]

_FRAME = pd.DataFrame({"name": [f"person {i}" for i in range(60)], "count": range(60)})


def database(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


_INSERT = "INSERT INTO t(a) VALUES (1), (2), (3)"
_COMPUTED = {
    "zeros of 900 MB": "hex(zeroblob(450000000))",
    "zeros of 9 MB": "zeroblob(9000000)",
    "a padded text": "printf('%.*c', 900000000, 'x')",
    "a repeated text": "replace(hex(zeroblob(20000)), '00', hex(zeroblob(20000)))",
    "a text of 1 MB": "printf('%.*c', 1000000, 'x')",
}
_SERIES = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s LIMIT {}) "
_BYTES = (b"\xff" * 8, b"\0" * 64, b"\x7f\xff\xff\xff", b"\x0d\x00\x00\xff\xff")
_WRITERS = {
    "stata": pyreadstat.write_dta,
    "spss": pyreadstat.write_sav,
    "spss portable": pyreadstat.write_por,
    "sas transport": pyreadstat.write_xport,
}


def _write(path: Path, writer: object) -> None:
    writer(_FRAME, path)  # type: ignore[operator]


def _database(path: Path) -> None:
    database(path, "CREATE TABLE t(a, b)", "INSERT INTO t VALUES " + ",".join(f"({i}, 'text {i}')" for i in range(500)))


DATABASES: list[HostileFile] = [
    *(
        HostileFile(
            f"sqlite/a column computed as {what}",
            partial(_computed, expression=expression),
            what == "zeros of 900 MB",
        )
        for what, expression in _COMPUTED.items()
        for _computed in (lambda path, expression: database(path, f"CREATE TABLE t(a, b AS ({expression}))", _INSERT),)
    ),
    *(
        HostileFile(
            f"sqlite/{rows:,} rows of a column computed as 1 MB",
            lambda path, rows=rows: database(
                path,
                "CREATE TABLE t(a, b AS (printf('%.*c', 1000000, 'x')))",
                "INSERT INTO t(a) " + _SERIES.format(rows) + "SELECT i FROM s",
            ),
            rows == 100,
        )
        for rows in (100, 100_000)
    ),
    HostileFile(
        "sqlite/1,900 columns",
        lambda path: database(path, f"CREATE TABLE t(a, {','.join(f'c{i}' for i in range(1_899))})", _INSERT),
    ),
    HostileFile(
        "sqlite/a view of no end",
        lambda path: database(
            path, "CREATE TABLE t(a)", _INSERT, "CREATE VIEW v AS " + _SERIES.format(10**12) + "SELECT * FROM s"
        ),
    ),
    HostileFile(
        "sqlite/a table with a name like SQL",
        lambda path: database(
            path, 'CREATE TABLE "a""; DROP TABLE t; --"(a)', 'INSERT INTO "a""; DROP TABLE t; --" VALUES (1), (2)'
        ),
    ),
    HostileFile("sqlite/no table", lambda path: database(path, "CREATE TABLE t(a)", "DROP TABLE t", "VACUUM")),
    HostileFile("sqlite/no rows", lambda path: database(path, "CREATE TABLE t(a)")),
    HostileFile(
        "sqlite/1,000 tables",
        lambda path: database(path, *(f"CREATE TABLE t{i}(a)" for i in range(1_000)), "INSERT INTO t7 VALUES (1), (2)"),
    ),
    HostileFile(
        "sqlite/a virtual table",
        lambda path: database(path, "CREATE VIRTUAL TABLE t USING fts5(a)", "INSERT INTO t VALUES ('x'), ('y')"),
    ),
    *(
        HostileFile(
            f"{name}/bytes {value.hex()} at {where}",
            partial(lying, write=partial(_write, writer=writer), where=where, value=value, count=3),
            where == 0.1 and value == _BYTES[0],
        )
        for name, writer in _WRITERS.items()
        for where in (0.02, 0.1, 0.3, 0.7)
        for value in _BYTES
    ),
    *(
        HostileFile(
            f"sqlite/bytes {value.hex()} at {where}",
            partial(lying, write=_database, where=where, value=value, count=3),
        )
        for where in (0.002, 0.01, 0.3, 0.7)
        for value in _BYTES
    ),
]

"""SQL queries as sources: which statements are taken, that each row comes once, and that nothing is changed."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.batch_sources import check_source, look_at
from core.batch_sources.statement import checked_statement
from core.errors import DeniedError, InputError, LimitError, PlumblineError, RemoteError, SettingsError
from tests.unit.batch_sources.conftest import Use

QUERY = "SELECT id, amount FROM scored WHERE id > :since"
Execute = Callable[..., None]


@pytest.fixture
def sqlite_file(use: Use, tmp_path: Path) -> Execute:
    """A database in a file, as the credential SQL_SALES; returns a function that changes it."""
    path = tmp_path / "sales.db"
    use(SECRET_SQL_SALES=f"sqlite:///{path}")

    def execute(statement: str, rows: list[Any] | None = None) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executemany(statement, rows) if rows is not None else connection.execute(statement)

    execute("CREATE TABLE scored (id INTEGER, amount REAL, at TEXT)")
    return execute


@pytest.fixture
def server(use: Use, postgresql: str) -> Execute:
    """A table of a server, as the credential SQL_SALES; returns a function that changes it."""
    import psycopg

    use(SECRET_SQL_SALES=postgresql.replace("postgresql://", "postgresql+psycopg://"))

    def execute(statement: str, rows: list[Any] | None = None) -> None:
        with psycopg.connect(postgresql) as connection, connection.cursor() as cursor:
            if rows is None:
                cursor.execute(statement)
            else:
                cursor.executemany(statement.replace("?", "%s"), rows)

    execute("DROP TABLE IF EXISTS scored")
    execute("CREATE TABLE scored (id BIGINT, amount NUMERIC, at TIMESTAMPTZ)")
    return execute


def look(before: dict[str, Any] | None = None, query: str = QUERY, **values: Any) -> Any:
    own = {"credential": "SQL_SALES", "query": query, "column": "id", "start": "0"}
    return look_at("query", own | values, before or {}, workspace="local")


def rows_of(seen: Any, folder: Path) -> list[Any]:
    """The rows of a look as they are written for the model."""
    if not seen.batches:
        return []
    return pd.read_parquet(seen.fetch(seen.batches[0], folder)).to_records(index=False).tolist()


def test_rows_after_the_largest_value_are_one_batch(sqlite_file, tmp_path):
    assert look().batches == ()
    sqlite_file("INSERT INTO scored VALUES (?, ?, '')", [(2, 0.5), (1, 1.5)])
    seen = look()
    assert [batch.name for batch in seen.batches] == ["id up to 2"]
    assert rows_of(seen, tmp_path) == [(1, 1.5), (2, 0.5)]
    assert rows_of(look(seen.state()), tmp_path) == [(1, 1.5), (2, 0.5)], "nothing says yet that they were brought"
    seen.brought(seen.batches[0])
    assert look(seen.state()).batches == ()
    sqlite_file("INSERT INTO scored VALUES (3, NULL, '')")
    seen = look(seen.state())
    assert len(rows_of(seen, tmp_path)) == 1
    seen.failed(seen.batches[0])
    assert len(look(seen.state()).batches) == 1


def drive(execute: Execute, folder: Path, seed: int, *, column: str, start: str) -> None:
    """Insert rows and check, in any order and with failures; each row has to come once."""
    draw = random.Random(seed)
    query = f"SELECT * FROM scored WHERE {column} > :since"
    written: list[int] = []
    brought: list[int] = []
    state: dict[str, Any] = {}
    moment = 0

    def check(fails: float) -> None:
        nonlocal state
        seen = look(state, query, column=column, start=start, max_rows=4)
        came = [row[0] for row in rows_of(seen, folder)]
        if seen.batches:
            seen.failed(seen.batches[0]) if draw.random() < fails else seen.brought(seen.batches[0])
        if draw.random() < fails:
            return  # killed
        if seen.state() != state:
            brought.extend(came)
        state = seen.state()

    for _ in range(10):
        new = []
        for _ in range(draw.randrange(5)):
            moment += 1
            new.append((moment, moment / 4, f"2026-11-30 00:00:{moment % 60:02d}+00"))
        if new:
            execute("INSERT INTO scored VALUES (?, ?, ?)", draw.sample(new, len(new)))
            written += [row[0] for row in new]
        check(0.4)
    for _ in range(len(written)):
        check(0.0)
    assert sorted(brought) == written


@pytest.mark.parametrize("seed", range(4))
def test_every_row_comes_exactly_once_whatever_fails(sqlite_file, tmp_path, seed):
    drive(sqlite_file, tmp_path, seed, column="id", start="0")


@pytest.mark.parametrize("seed", range(4))
def test_rows_that_come_later_with_the_same_value_come_once_too(sqlite_file, tmp_path, seed, monkeypatch):
    monkeypatch.setattr("core.batch_sources.query._CHUNK", 3)
    draw, written, brought, state = random.Random(seed), 0, [], {}
    for step in range(12):
        new = [(written + number, 0.5, f"t{step // 3:02d}") for number in range(1, draw.randrange(4) + 1)]
        sqlite_file("INSERT INTO scored VALUES (?, ?, ?)", new)
        written += len(new)
        seen = look(state, "SELECT id, at FROM scored WHERE at >= :since", column="at", start="t")
        came = [row[0] for row in rows_of(seen, tmp_path)]
        if draw.random() < 0.4:
            continue
        if seen.batches:
            seen.brought(seen.batches[0])
            brought += came
        state = seen.state()
    seen = look(state, "SELECT id, at FROM scored WHERE at >= :since", column="at", start="t")
    brought += [row[0] for row in rows_of(seen, tmp_path)]
    assert sorted(brought) == list(range(1, written + 1))


@pytest.mark.parametrize(("column", "start"), [("at", "2026-01-01"), ("amount", "0")])
def test_every_row_of_a_server_comes_exactly_once(server, tmp_path, column, start):
    drive(server, tmp_path, 0, column=column, start=start)


def test_rows_that_are_alike_are_counted(sqlite_file, tmp_path):
    query = "SELECT amount FROM scored WHERE amount >= :since"
    sqlite_file("INSERT INTO scored VALUES (1, 1.0, '')")
    seen = look(query=query, column="amount")
    seen.brought(seen.batches[0])
    sqlite_file("INSERT INTO scored VALUES (2, 1.0, '')")
    seen = look(seen.state(), query, column="amount")
    assert rows_of(seen, tmp_path) == [(1.0,)]
    seen.brought(seen.batches[0])
    assert look(seen.state(), query, column="amount").batches == ()


def test_of_too_many_rows_whole_values_come_and_the_others_follow(sqlite_file, tmp_path):
    sqlite_file("INSERT INTO scored VALUES (?, 0, '')", [(number // 2,) for number in range(2, 20)])
    seen = look(max_rows=5)
    assert [row[0] for row in rows_of(seen, tmp_path)] == [1, 1, 2, 2]
    assert seen.notes == ("There are more rows than one check brings; 4 came, the others follow.",)
    with pytest.raises(LimitError, match="More rows than one check brings have the value 1 in 'id'"):
        look(max_rows=1)
    sqlite_file("INSERT INTO scored VALUES (50, 0, ?)", [("x" * 2_000_000,), ("y" * 2_000_000,)])
    with pytest.raises(LimitError, match="have the value 50"):
        look({"since": {"type": "int", "value": "9"}, "rows": []}, "SELECT * FROM scored WHERE id > :since", max_mb=1)


def test_what_cannot_be_told_apart_is_refused(sqlite_file):
    sqlite_file("INSERT INTO scored VALUES (1, NULL, '')")
    with pytest.raises(InputError, match="'amount' is empty in a row"):
        look(query="SELECT id, amount FROM scored WHERE id > :since", column="amount")
    with pytest.raises(InputError, match="no column 'ID'"):
        look(column="ID")
    with pytest.raises(InputError, match=r"no such column: plumbline_rows\.number"):
        look(column="number")
    with pytest.raises(InputError, match="did not answer the query: no such column"):
        look(query="SELECT absent FROM scored WHERE id > :since")
    with pytest.raises(InputError, match="does not have the parameter :since"):
        look(query="SELECT id FROM scored")
    with pytest.raises(InputError, match="has the parameters :until"):
        look(query="SELECT id FROM scored WHERE id BETWEEN :since AND :until")


TAKEN = [
    "SELECT * FROM t WHERE a > :since",
    "with x as (select 1) select * from x where a > :since",
    "SELECT 'it''s; DROP TABLE t -- ' FROM t",
    'SELECT "update", `delete` FROM t /* ; */',
    "SELECT replace(a, 'x', 'y'), updated_at FROM t",
    "-- first\nSELECT a FROM t",
]
REFUSED = [
    "",
    "DROP TABLE t",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE t",
    "SELECT 1 -- x\n; DROP TABLE t",
    "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
    "SELECT * INTO u FROM t",
    "SELECT * FROM t FOR UPDATE",
    "SELECT 'open",
    "SELECT 'a\\' ; DROP TABLE t; -- '",
    "SELECT '\\' '; DROP TABLE t -- '",
    'SELECT "\\" "; DROP TABLE t -- "',
    "SELECT /*! 1; */ 2",
    "SELECT /* /* */ ; DROP TABLE t */ 1",
    "PRAGMA query_only = OFF",
    "EXPLAIN SELECT 1",
    "SELECT 1\0",
    "VALUES (1)",
    "SELECT $a$ open",
    # What one database takes for a text or a comment, and another one runs.
    "SELECT $$ ; drop $$ FROM t",
    "SELECT 1 AS id, :since AS a$$) AS x; COMMIT; DELETE FROM t; SELECT * FROM (SELECT 1 AS id, 2 AS a$$, 3 AS b",
    "SELECT 1 AS id, :since AS [']) AS x; COMMIT; DELETE FROM t; SELECT * FROM (SELECT 1 AS id, 2 AS ['], 3 AS b",
    "SELECT :since, 5--1) AS x; COMMIT; DELETE FROM t; SELECT * FROM (SELECT 1 AS id\n, 3 AS b",
    "SELECT /*M! 1) AS x; COMMIT; DELETE FROM t */ 3 AS b",
]


@pytest.mark.parametrize("text", TAKEN)
def test_statements_that_read(text):
    assert text.startswith(checked_statement(text))
    assert checked_statement(f" {text.partition(' /*')[0]} ; -- done").rstrip() == text.partition(" /*")[0]


@pytest.mark.parametrize("text", REFUSED)
def test_statements_that_do_something_else_are_refused(text):
    with pytest.raises(InputError) as refused:
        checked_statement(text)
    assert refused.value.hint


def test_a_file_is_opened_to_read_only(sqlite_file, tmp_path):
    sqlite_file("INSERT INTO scored VALUES (1, 0.5, '')")
    before = (tmp_path / "sales.db").read_bytes()
    look()
    assert (tmp_path / "sales.db").read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("sales*")) == ["sales.db"]


def test_a_server_refuses_what_a_statement_would_change(server):
    server(
        "CREATE OR REPLACE FUNCTION grow() RETURNS BIGINT LANGUAGE SQL AS 'INSERT INTO scored VALUES (7) RETURNING id'"
    )
    server("INSERT INTO scored VALUES (1, 1, now())")
    with pytest.raises(InputError, match="read-only transaction"):
        look(query="SELECT grow() AS id FROM scored WHERE id > :since")
    assert [row[0] for row in look(query="SELECT id FROM scored WHERE id > :since")._rows] == [1]


def test_a_query_ends_within_its_time(server):
    with pytest.raises(InputError, match="statement timeout"):
        look(query="SELECT 1 AS id FROM (SELECT pg_sleep(30)) AS s WHERE 1 > :since", timeout_s=1)


def test_a_query_of_a_file_ends_within_its_time(sqlite_file):
    endless = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT max(id) AS id FROM n"
    endless += " WHERE id > :since"
    with pytest.raises(InputError, match="interrupted"):
        look(query=endless, timeout_s=1)


def test_values_of_a_server_are_numbers_texts_and_times(server, tmp_path):
    server("INSERT INTO scored VALUES (1, 1.25, '2026-11-30 06:00+00')")
    seen = look(query="SELECT *, gen_random_uuid() AS u, NULL AS nothing, TRUE AS yes FROM scored WHERE id > :since")
    frame = pd.read_parquet(seen.fetch(seen.batches[0], tmp_path))
    assert frame["amount"].tolist() == [1.25]
    assert frame["yes"].tolist() == [True]
    assert isinstance(frame["u"][0], str)
    assert frame["at"][0] == pd.Timestamp("2026-11-30 06:00", tz="UTC")


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("sqlite:////nowhere/secretpath.db", RemoteError, "SQL_A cannot be reached: unable to open"),
        ("sqlite://", SettingsError, "names no file"),
        ("postgresql+psycopg://ann:password1@127.0.0.1:1/x", RemoteError, "SQL_A cannot be reached"),
        ("not a url password1", SettingsError, "not a URL of a database"),
        ("nosuch://ann:password1@host/x", PlumblineError, "nosuch"),
    ],
)
def test_what_is_wrong_with_a_database_is_said_without_its_password(use, url, error, said):
    use(SECRET_SQL_A=url)
    with pytest.raises(error, match=said) as failed:
        look(credential="SQL_A")
    assert "password1" not in str(failed.value)
    assert failed.value.hint


def test_where_several_people_use_it_a_database_is_on_the_internet_or_listed(use, tmp_path):
    use(
        PROFILE="team",
        SECRET_SQL_A="postgresql+psycopg://ann@10.0.0.7/x",
        SECRET_SQL_B="postgresql+psycopg://ann@/x",
        SECRET_SQL_C="postgresql+psycopg://ann@example.org/x?host=10.0.0.7",
        SECRET_SQL_D=f"sqlite:///{tmp_path}/sales.db",
        SECRET_SMTP="password1",
    )

    def check(credential: str) -> None:
        values = {"credential": credential, "query": QUERY, "column": "id", "start": "0"}
        check_source("query", values, workspace="sales")

    for name, said in (
        ("A", "10.0.0.7 is a private address"),
        ("B", "127.0.0.1 is"),
        ("C", "the option host"),
        ("D", "Files of"),
    ):
        with pytest.raises(DeniedError, match=said):
            check(f"SQL_{name}")
    with pytest.raises(InputError, match="not one of this kind of source"):
        check("SMTP")


def test_a_listed_server_is_read_where_several_people_use_it(use, postgresql):
    url = postgresql.replace("postgresql://", "postgresql+psycopg://")
    use(PROFILE="team", SECRET_SQL_SALES=url, OUTBOUND_HOSTS=url.partition("@")[2].partition("/")[0])
    assert len(look(query="SELECT 1 AS id WHERE 1 > :since").batches) == 1

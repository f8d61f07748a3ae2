"""The schema: what the migrations make is what the tables say, made once, whoever comes first."""

import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import String, inspect, text
from sqlmodel import SQLModel, select

from core.access import INSTALLATION, LOCAL
from core.catalog import (
    Dataset,
    Model,
    ModelEvent,
    ModelVersion,
    MonitorPlan,
    PipelineStep,
    Run,
    RunArtifact,
    RunEvent,
    RunState,
    datasets,
    events,
    references,
    runs,
    steps,
)
from core.catalog.alert_tables import Alert, AlertDelivery
from core.catalog.confined import EVERY_WORKSPACE, admit
from core.catalog.engine import HEAD, MIGRATIONS, get_engine, migrate, reading, write_ahead, writing
from core.catalog.hidden import PARTS
from core.catalog.schema import without_foreign_keys
from core.catalog.tables import DatasetChange, ModelAlias, Promotion, RunLog
from core.errors import NotFoundError, StorageError
from core.progress import Event

ROOT = Path(__file__).parents[3]
PART_VALUES = {
    RunEvent: {"phase": "train"},
    RunArtifact: {"name": "model", "digest": "d" * 64, "size_bytes": 1},
    RunLog: {},
    PipelineStep: {"path": "prep"},
    ModelVersion: {"run_id": "1" * 16, "kind": "table"},
    ModelAlias: {"alias": "night", "number": 1},
    ModelEvent: {"action": "alias"},
    Promotion: {"number": 1},
    MonitorPlan: {"settings": {}},
    Alert: {"event": "drift", "title": "Drift"},
    AlertDelivery: dict.fromkeys(("alert_id", "model_id", "channel_id"), "0" * 16)
    | {"channel": "x", "kind": "email", "next_at": 0.0},
    DatasetChange: {"label": "Renamed"},
}
"""What a row of each part needs besides what it belongs to."""


def test_migrations_make_exactly_the_tables(catalog):
    with get_engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_head_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_processes_that_come_at_once_migrate_once(catalog):
    code = "from core.catalog.engine import get_engine; get_engine().dispose()"
    with get_engine().begin() as connection:  # so that the processes start with an empty database
        for table in [*(table.name for table in reversed(SQLModel.metadata.sorted_tables)), "alembic_version"]:
            connection.execute(text(f"DROP TABLE {table}"))
    get_engine().dispose()
    started = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in started] == [(b"", 0)] * 3
    with reading(INSTALLATION) as session:
        assert session.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [HEAD]
        assert session.execute(text("SELECT count(*) FROM queuelock")).scalar() == 1


def test_new_files_opened_by_several_processes_at_once(installation, tmp_path):
    """SQLite's switch to its write-ahead log has no patience of its own."""
    code = "from core.catalog.engine import get_engine; get_engine().dispose()"
    with installation(tmp_path / "home"):
        started = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE) for _ in range(4)]
        assert [(process.communicate()[1], process.returncode) for process in started] == [(b"", 0)] * 4


def test_threads_that_come_at_once_share_one_engine(installation, tmp_path):
    with installation(tmp_path / "home"), ThreadPoolExecutor(8) as pool:
        assert len({id(made) for made in pool.map(lambda _: get_engine(), range(8))}) == 1


def test_sqlite_is_set_up(home):
    with get_engine().connect() as connection:
        values = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert values == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 1}


def test_writers_take_the_lock_at_once_and_readers_do_not(home):
    get_engine()
    other = sqlite3.connect(home / "catalog.db", timeout=0, isolation_level=None)
    with writing(INSTALLATION) as session:
        session.execute(text("SELECT count(*) FROM run"))  # what a compare-and-set reads first
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
    with reading(INSTALLATION) as session:
        session.execute(text("SELECT count(*) FROM run")).scalar()
        other.execute("BEGIN IMMEDIATE")
        other.execute("COMMIT")
    other.close()


def test_error_rolls_back(catalog):
    def delete_and_fail():
        with writing(INSTALLATION) as session:
            session.execute(text("DELETE FROM queuelock"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        delete_and_fail()
    with reading(INSTALLATION) as session:
        assert session.execute(text("SELECT count(*) FROM queuelock")).scalar() == 1


def test_a_catalog_of_the_first_schema_is_brought_up_to_date_with_what_it_holds(catalog):
    datasets.add(
        Dataset(
            workspace="local",
            name="kept",
            fingerprint="f" * 64,
            data_digest="d",
            profile_digest="e",
            rows=1,
            columns=1,
            size_bytes=1,
        ),
        access=LOCAL,
    )
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with get_engine().begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
        assert not inspect(connection).has_table("model")
    migrate(get_engine())
    assert [dataset.name for dataset in datasets.find(access=LOCAL)] == ["kept"]
    with get_engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), SQLModel.metadata) == []


def test_parts_name_what_they_belong_to(catalog):
    with get_engine().connect() as connection:
        named = {
            (table, key["constrained_columns"][0], key["referred_table"], key["options"].get("ondelete"))
            for table in SQLModel.metadata.tables
            for key in inspect(connection).get_foreign_keys(table)
        }
    parts = [*PARTS, (ModelVersion, "model_id", Model), (AlertDelivery, "alert_id", Alert)]
    assert named == {(part.__tablename__, column, owner.__tablename__, "CASCADE") for part, column, owner in parts}
    for part, column, _ in parts:
        with pytest.raises(NotFoundError, match="What this belongs to does not exist"), writing(LOCAL) as session:
            session.add(part(workspace="local", **{column: "0" * 16} | PART_VALUES[part]))


def test_rows_that_belonged_to_nothing_are_removed_and_no_others(catalog):
    """Earlier schemas had no foreign keys."""
    run = runs.add(Run(workspace="local", task="check", state=RunState.SUCCEEDED), access=LOCAL)
    kept = steps.add(_step(run.id, "1" * 64), access=LOCAL)
    events.append(run.id, Event("train", 0.5, "half"), access=LOCAL)
    lost = runs.add(Run(workspace="local", task="check", state=RunState.SUCCEEDED), access=LOCAL)
    orphan = steps.add(_step(lost.id, "2" * 64), access=LOCAL)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with get_engine().begin() as connection:
        admit(connection, EVERY_WORKSPACE)
        config.attributes["connection"] = connection
        command.downgrade(config, "0012")
        connection.execute(text(f"DELETE FROM run WHERE id = '{lost.id}'"))
    migrate(get_engine())
    with reading(INSTALLATION) as session:
        assert [row.id for row in session.exec(select(PipelineStep))] == [kept.id]
    assert references.needed(["1" * 64, "2" * 64]) == {"1" * 64}
    assert [event.message for event in events.read(run.id, access=LOCAL)] == ["half"]
    with pytest.raises(NotFoundError):
        steps.get(orphan.id, access=LOCAL)
    with get_engine().connect() as connection:
        conditions = {
            index["name"]: index["dialect_options"].get(f"{connection.dialect.name}_where") is not None
            for table in ("promotion", "modelversion")
            for index in inspect(connection).get_indexes(table)
            if index["unique"]
        }
    assert conditions["uq_promotion_open"]
    assert conditions["uq_modelversion_model_id_run_id_shown"]


def test_a_table_that_is_made_anew_keeps_what_belongs_to_its_rows(catalog):
    run = runs.add(Run(workspace="local", task="check"), access=LOCAL)
    events.append(run.id, Event("train", 0.5, "half"), access=LOCAL)
    with without_foreign_keys(get_engine()) as connection, connection.begin():
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("run", recreate="never" if is_postgresql() else "always") as table:
            table.alter_column("title", existing_type=String(300), type_=String(301))
    assert [event.message for event in events.read(run.id, access=LOCAL)] == ["half"]
    with get_engine().connect() as connection:
        if not is_postgresql():
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def is_postgresql() -> bool:
    return get_engine().dialect.name == "postgresql"


def _step(run_id: str, digest: str) -> PipelineStep:
    outputs = {"model": {"m": digest}}
    return PipelineStep(workspace="local", pipeline_run_id=run_id, path="prep", outputs=outputs)


def test_newer_schema_is_refused(catalog):
    with writing(INSTALLATION) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="schema 9999") as caught:
        migrate(get_engine())
    assert "Update this installation" in caught.value.hint


@pytest.mark.parametrize("what", ["file", "no database", "locked", "unreachable"])
def test_database_that_cannot_be_used_is_explained(installation, tmp_path, what):
    home = tmp_path / "home"
    settings = {}
    if what == "file":
        home.write_text("a file where the folder should be")
    elif what == "no database":
        home.mkdir()
        (home / "catalog.db").write_text("this is not a database" * 100)
    elif what == "unreachable":
        pytest.importorskip("psycopg")
        settings["DATABASE"] = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    with installation(home, **settings):
        if what == "locked":
            with get_engine().connect() as connection:
                connection.exec_driver_sql("PRAGMA busy_timeout=1")
            holder = sqlite3.connect(home / "catalog.db", isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError) as caught, writing(INSTALLATION) as session:
            session.execute(text("DELETE FROM queuelock"))
        assert caught.value.hint
        if what == "locked":
            assert "busy for too long" in caught.value.message
            holder.close()


def test_a_new_file_that_another_holds_is_waited_for(tmp_path):
    path = tmp_path / "new.db"
    held = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    held.execute("BEGIN EXCLUSIVE")
    with ThreadPoolExecutor(1) as pool, closing(sqlite3.connect(path, timeout=0)) as opened:
        freed = pool.submit(lambda: (time.sleep(0.2), held.rollback(), held.close()))
        write_ahead(opened)
        assert opened.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        freed.result()

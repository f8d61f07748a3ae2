"""The second wall: what PostgreSQL itself keeps apart, for whoever goes around the functions of the catalog."""

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session, SQLModel, select

from core.access import LOCAL, Access
from core.catalog import Run, runs
from core.catalog.confined import ConfinedSession
from core.catalog.engine import get_engine
from core.errors import NotFoundError

OTHER = Access("other", "admin", "")


@pytest.fixture
def owner(catalog):
    """An engine of the role that owns the tables and is not a superuser, as an installation's should be."""
    names = inspect(get_engine()).get_table_names()
    with get_engine().begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS dashboard"))
        connection.execute(text("CREATE ROLE dashboard LOGIN"))
        for name in names:
            connection.execute(text(f'ALTER TABLE "{name}" OWNER TO dashboard'))
    engine = create_engine(catalog.replace("plumbline@", "dashboard@"))
    yield engine
    engine.dispose()
    with get_engine().begin() as connection:
        for name in names:
            connection.execute(text(f'ALTER TABLE "{name}" OWNER TO plumbline'))
        connection.execute(text("DROP ROLE dashboard"))


@pytest.fixture
def both(catalog):
    return [runs.add(Run(workspace=access.workspace, task="count"), access=access).id for access in (LOCAL, OTHER)]


@pytest.mark.parametrize("catalog", ["postgresql"], indirect=True)
def test_a_statement_without_any_condition_sees_and_changes_one_workspace(both, owner):
    with Session(owner) as session, session.begin():
        session.execute(text("SELECT set_config('plumbline.workspace', 'other', true)"))
        assert session.exec(text("SELECT id FROM run")).scalars().all() == [both[1]]
        assert session.execute(text("UPDATE run SET title = 'mine'")).rowcount == 1
        assert session.execute(text("DELETE FROM run WHERE workspace = 'local'")).rowcount == 0
    for statement in (
        "INSERT INTO membership (workspace, person, role, who, since) VALUES ('local', 'eve', 'admin', '', 0)",
        "UPDATE run SET workspace = 'local'",
    ):
        with Session(owner) as session:
            session.execute(text("SELECT set_config('plumbline.workspace', 'other', true)"))
            with pytest.raises(ProgrammingError, match="row-level security"):
                session.execute(text(statement))
    assert runs.get(both[0], access=LOCAL).title == ""


@pytest.mark.parametrize("catalog", ["postgresql"], indirect=True)
def test_a_transaction_that_names_no_workspace_sees_nothing(both, owner):
    with Session(owner) as session:
        assert session.exec(select(Run)).all() == []


@pytest.mark.parametrize("catalog", ["postgresql"], indirect=True)
def test_every_table_of_rows_of_a_workspace_has_the_policy(owner):
    with owner.connect() as connection:
        guarded = set(
            connection.execute(text("SELECT tablename FROM pg_policies WHERE policyname = 'own_workspace'")).scalars()
        )
    with_workspace = {table.name for table in SQLModel.metadata.tables.values() if "workspace" in table.columns}
    assert guarded == with_workspace


def test_a_query_that_forgets_the_workspace_has_it_all_the_same(both):
    with ConfinedSession(get_engine(), OTHER) as session, session.begin():
        assert [run.id for run in session.exec(select(Run))] == [both[1]]
        assert session.get(Run, both[0]) is None
        assert session.exec(select(Run.id).where(Run.id == both[0])).first() is None


def test_rows_of_a_closed_session_cannot_be_moved(both):
    run = runs.get(both[0], access=LOCAL)
    with ConfinedSession(get_engine(), OTHER) as session:
        run.title = "mine"
        session.add(run)
        with pytest.raises(NotFoundError, match="no such run"):
            session.flush()
    assert runs.get(both[0], access=LOCAL).title == ""

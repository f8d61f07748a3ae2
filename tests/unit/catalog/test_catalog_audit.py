"""The audit log: in order, chained, never changed, and for admins alone."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.access import LOCAL, Access, Role
from core.catalog import audit, audit_export, visitors
from core.catalog.audit import AuditFilter
from core.catalog.confined import EVERY_WORKSPACE, admit
from core.catalog.engine import get_engine
from core.errors import DeniedError, NotFoundError

ADA = replace(LOCAL, actor="ada@example.org")


def change(statement, **values):
    """Change the table behind the back of everything that protects it."""
    with get_engine().begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE auditrecord DISABLE TRIGGER append_only"))
        else:
            for action in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER append_only_{action}"))
        connection.execute(text(statement), values)


def test_records_are_chained_by_workspace(catalog):
    audit.add("upload", "prices.csv", access=ADA, rows=3)
    audit.add("run", "A search", access=ADA)
    other = audit.add("sign in", "", access=Access("other", "viewer", "eve"))
    second, first = audit.find(access=ADA)
    assert (first.number, first.who, first.action, first.subject, first.details) == (
        1,
        "ada@example.org",
        "upload",
        "prices.csv",
        {"rows": 3},
    )
    assert (first.previous, second.previous) == ("", first.digest)
    assert (other.number, other.previous) == (1, "")
    assert audit.find(before=2, access=ADA) == [first]
    assert audit.broken(access=ADA) is None
    assert json.dumps(first.to_dict())


def test_records_are_filtered_and_exported(catalog):
    for number, who in enumerate(("ada", "bob", "ada")):
        audit.add("upload" if number else "run", f"=cmd {number}", access=replace(ADA, actor=who), rows=number)
    third, second, first = audit.find(access=ADA)
    for wanted, matches in (
        (AuditFilter(actions=("upload",)), [third, second]),
        (AuditFilter(who="ada"), [third, first]),
        (AuditFilter(since=second.at), [third, second]),
        (AuditFilter(until=second.at), [first]),
        (AuditFilter(("run",), "ada", first.at, third.at), [first]),
        (AuditFilter(who="eve"), []),
    ):
        assert audit.find(wanted, access=ADA) == matches
        assert [record for page in audit.each_page(wanted, access=ADA) for record in page] == matches
    assert audit.people(access=ADA) == ["ada", "bob"]

    lines = audit_export.export("jsonl", AuditFilter(who="ada"), access=ADA).splitlines()
    assert [json.loads(line) for line in lines] == [third.to_dict(), first.to_dict()]
    table = list(csv.DictReader(io.StringIO(audit_export.export("csv", access=ADA))))
    assert [row["Number"] for row in table] == ["4", "3", "2", "1"], "the first export is recorded"
    assert table[0]["Action"] == "Exported"
    assert table[1]["Subject"] == "'=cmd 2", "a spreadsheet does not run it"
    assert [record.details["records"] for record in audit.find(AuditFilter(("export",)), access=ADA)] == [4, 2]


def test_writers_at_once_make_one_chain(catalog):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: audit.add("run", str(number), access=ADA), range(20)))
    assert [record.number for record in audit.find(access=ADA)] == list(range(20, 0, -1))
    assert audit.broken(access=ADA) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE auditrecord SET subject = 'nothing' WHERE number = 2",
        "UPDATE auditrecord SET who = 'eve' WHERE number = 2",
        "UPDATE auditrecord SET at = at - 1 WHERE number = 2",
        "DELETE FROM auditrecord WHERE number = 2",
    ],
)
def test_changes_are_refused_and_show(catalog, statement):
    for subject in "abc":
        audit.add("run", subject, access=ADA)
    with pytest.raises(DBAPIError, match="never changed"), get_engine().begin() as connection:
        connection.execute(text(statement))
    assert audit.broken(access=ADA) is None
    change(statement)
    assert audit.broken(access=ADA) == 2


def test_only_admins_read_it_and_only_known_actions_are_kept(catalog):
    audit.add("run", "x", access=replace(ADA, role=Role.VIEWER))
    for role in (Role.VIEWER, Role.EDITOR):
        for ask in (audit.find, audit.broken, audit.people, lambda access: audit_export.export("csv", access=access)):
            with pytest.raises(DeniedError):
                ask(access=replace(ADA, role=role))
    with pytest.raises(ValueError, match="'peek' is not an action"):
        audit.add("peek", "x", access=ADA)


def test_the_log_of_a_removed_workspace_goes_and_no_other_record_ever(catalog):
    gone, stays = (visitors.visit(f"v-{letter}") for letter in "ab")
    for access in (gone, stays):
        audit.add("upload", "x.csv", access=access)
    assert visitors.close("v-a")
    assert visitors.remove_rows("v-a") == 2  # the workspace and the record
    with pytest.raises(NotFoundError):
        visitors.remove_rows("v-b")
    with get_engine().connect() as connection:
        admit(connection, EVERY_WORKSPACE)
        with pytest.raises(DBAPIError, match="never changed"):
            connection.execute(text("DELETE FROM auditrecord WHERE workspace = 'v-b'"))
    assert [record.subject for record in audit.find(access=replace(stays, role=Role.ADMIN))] == ["x.csv"]

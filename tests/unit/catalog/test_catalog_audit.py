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
                connection.execute(text(f"DROP TRIGGER IF EXISTS append_only_{action}"))
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


@pytest.mark.parametrize("last", [0, 1, 3])
def test_records_that_are_cut_off_at_the_end_are_missed(catalog, last):
    for subject in "abcd":
        audit.add("run", subject, access=ADA)
    change(f"DELETE FROM auditrecord WHERE number > {last}")
    assert audit.broken(access=ADA) == last + 1
    audit.add("run", "later", access=ADA)
    assert audit.broken(access=ADA) == last + 1, "what is added later does not hide it"
    assert audit.broken(access=replace(ADA, workspace="other")) is None


def test_a_newest_record_that_was_written_anew_shows(catalog):
    audit.add("run", "a", access=ADA)
    second = audit.add("run", "b", access=ADA)
    change("DELETE FROM auditrecord WHERE number = 2")
    change("UPDATE audithead SET number = 1, digest = :digest", digest=second.previous)
    audit.add("run", "c", access=ADA)  # with a digest that fits
    change("UPDATE audithead SET digest = :digest", digest=second.digest)  # as it was
    assert audit.broken(access=ADA) == 2


def test_a_log_that_an_earlier_version_continued_is_whole(catalog):
    audit.add("run", "a", access=ADA)
    audit.add("run", "b", access=ADA)
    first = audit.find(access=ADA)[-1]
    change("UPDATE audithead SET number = 1, digest = :digest", digest=first.digest)
    assert audit.broken(access=ADA) is None
    change("DELETE FROM audithead")
    assert audit.broken(access=ADA) is None


def test_what_is_recorded_once_in_a_while_is_recorded_after_the_clock_was_set_back(catalog, monkeypatch):
    times = (9e9, 9e9 + 60, 9e9 - 5 * audit.READ_S, 9e9 - 5 * audit.READ_S + 60)
    for now in times:
        monkeypatch.setattr("time.time", lambda now=now: now)
        audit.once("read", "x", key="k", access=ADA)
        assert audit.is_recorded("read", key="k", within_s=audit.READ_S, access=ADA)
        assert not audit.is_recorded("read", key="other", within_s=audit.READ_S, access=ADA)
    assert [record.at for record in audit.find(access=ADA)] == [times[2], times[0]]


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
    assert visitors.remove_rows("v-a") == 3  # the workspace, the record, and what is kept of the newest one
    with pytest.raises(NotFoundError):
        visitors.remove_rows("v-b")
    with get_engine().connect() as connection:
        admit(connection, EVERY_WORKSPACE)
        with pytest.raises(DBAPIError, match="never changed"):
            connection.execute(text("DELETE FROM auditrecord WHERE workspace = 'v-b'"))
    assert [record.subject for record in audit.find(access=replace(stays, role=Role.ADMIN))] == ["x.csv"]

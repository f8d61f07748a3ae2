"""What people do is in the audit log: a whole story, compared with what was done."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from core import deletion, jobs
from core.access import LOCAL, Access, Role
from core.catalog import Dataset, ModelVersion, RunState, audit, claims, datasets, invitations, models, runs, workspaces
from core.catalog.engine import get_engine
from core.errors import DeniedError
from core.jobs import scheduler
from core.tasks import ingest

ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture(params=["team", "local"])
def profile(request: pytest.FixtureRequest, installation: Callable[..., Any], tmp_path: Path) -> Iterator[str]:
    with installation(tmp_path / "home", PROFILE=request.param):
        yield request.param


def add_table(access: Access) -> Dataset:
    digests = dict.fromkeys(("fingerprint", "data_digest", "profile_digest"), "d" * 64)
    row = Dataset(workspace=access.workspace, name="prices", rows=1, columns=1, size_bytes=1, **digests)
    return datasets.add(row, access=access)[0]


def entries(access: Access) -> list[tuple[str, str, str]]:
    records = reversed(audit.find(access=replace(access, role=Role.ADMIN)))
    return [(record.who.split("@")[0], record.action, record.subject) for record in records]


def test_the_log_says_what_was_done(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_start", lambda run: None)  # what starts stays where it is
    ada = workspaces.add("Sales", person=ADA)
    bob = invitations.accept(invitations.add(Role.EDITOR, access=ada), BOB)
    invitations.add(Role.VIEWER, access=ada)
    invitations.withdraw(invitations.find(access=ada)[0].id, access=ada)

    run_id = ingest.submit_upload(io.BytesIO(b"a\n1\n"), "prices.csv", access=bob)
    jobs.cancel(run_id, access=bob)
    runs.change_state(run_id, [RunState.STARTING], RunState.CANCELLED, access=Access.engine(ada.workspace))
    claims.requeue(run_id, access=bob)
    table = add_table(bob)
    model, _, _ = models.add_version("Churn", model_version(run_id, bob), access=bob)
    models.point(model.id, "champion", 1, action="promote", why="It is better.", access=ada)
    models.point(model.id, "night", 1, access=bob)
    deletion.delete("dataset", table.id, access=bob)
    deletion.undo(deletion.undoable(types=("dataset",), access=bob)[0].id, access=bob)
    workspaces.change_role(BOB, Role.VIEWER, access=ada)
    workspaces.remove(BOB, access=ada)
    assert entries(ada) == [
        ("ada", "make", "Sales"),
        ("ada", "invite", "editor"),
        ("bob", "join", "editor"),
        ("ada", "invite", "viewer"),
        ("ada", "withdraw", "viewer"),
        ("bob", "upload", "prices.csv"),
        ("bob", "run", "Read prices.csv"),
        ("bob", "cancel", "Read prices.csv"),
        ("bob", "resume", "Read prices.csv"),
        ("bob", "register", "Churn, version 1"),
        ("ada", "promote", "Churn, version 1"),
        ("bob", "alias", "Churn, version 1"),
        ("bob", "delete", "prices"),
        ("bob", "restore", "prices"),
        ("ada", "role", BOB),
        ("ada", "remove", BOB),
    ]
    promoted = next(record for record in audit.find(access=ada) if record.action == "promote")
    assert promoted.details == {"alias": "champion", "why": "It is better.", "id": model.id}
    assert audit.broken(access=ada) is None
    with get_engine().begin() as connection:
        for action in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER append_only_{action}"))
        connection.execute(text("UPDATE auditrecord SET who = 'eve' WHERE action = 'promote'"))
    assert audit.broken(access=ada) == promoted.number


def model_version(run_id: str, access: Access) -> ModelVersion:
    return ModelVersion(
        workspace=access.workspace, model_id="", run_id=run_id, number=0, kind="automl", fields=[], lineage={}, code=""
    )


def test_looks_are_recorded_once_in_a_while_whichever_process_sees_them(
    profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit.looks_are_recorded() == (profile == "team")
    viewer = replace(LOCAL, role=Role.VIEWER, actor=BOB)
    for _ in range(3):
        audit.once("read", "prices", key="1", access=viewer)
        monkeypatch.setattr(audit, "_recorded", {})  # as another process
    audit.once("read", "sales", key="2", access=viewer)
    audit.once("read", "prices", key="1", access=replace(viewer, actor=ADA))
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + audit.READ_S + 1)
    audit.once("read", "prices", key="1", access=viewer)
    assert entries(LOCAL) == [
        ("bob", "read", "prices"),
        ("bob", "read", "sales"),
        ("ada", "read", "prices"),
        ("bob", "read", "prices"),
    ]


def test_a_viewer_ends_no_run(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "_start", lambda run: None)
    run_id = jobs.submit("check", {}, access=LOCAL)
    viewer = replace(LOCAL, role=Role.VIEWER)
    for change in (jobs.cancel, jobs.stop, jobs.resume, jobs.repeat):
        with pytest.raises(DeniedError):
            change(run_id, access=viewer)
    assert not jobs.get(run_id, access=viewer).state.terminal
    with pytest.raises(DeniedError):
        jobs.submit("check", {}, access=viewer)

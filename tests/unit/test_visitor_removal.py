"""Nothing of a visitor is left when their workspace is removed, and nothing of another is touched.

Tables and files are found, not listed: one that is added later is looked at as well.
"""

import itertools
import time
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel

from core import jobs, upkeep, wipe
from core.access import INSTALLATION, LOCAL
from core.catalog import Dataset, Run, RunArtifact, RunState, Workspace, artifacts, audit, datasets, runs, visitors
from core.catalog.engine import get_engine, reading, writing
from core.errors import NotFoundError
from core.jobs import scheduler
from core.settings import get_settings
from core.storage import get_store

HOUR_S = 3_600.0
GONE, STAYS = (replace(LOCAL, workspace=f"v-{letter * 32}") for letter in "ab")
TABLES = [table for table in SQLModel.metadata.sorted_tables if "workspace" in table.c]
numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def demo(installation, tmp_path_factory):
    with installation(tmp_path_factory.mktemp("demo"), PROFILE="demo"):
        yield


@pytest.fixture(autouse=True)
def _waiting(monkeypatch):
    """Runs wait."""
    monkeypatch.setattr(scheduler, "_start", lambda run: None)


def value(column, access):
    """A value for a column that needs one; texts and numbers are unlike those of all other rows."""
    number = next(numbers)
    if column.name == "workspace":
        return access.workspace
    if isinstance(column.type, sa.Boolean):
        return False
    if isinstance(column.type, sa.Integer | sa.Float):
        return number
    if isinstance(column.type, sa.JSON):
        return {}
    return f"{number:0{min(getattr(column.type, 'length', None) or 16, 64)}x}"


def fill(access):
    """Add a row to each table, and files to each place, of a visitor; return the paths of the files."""
    visitors.visit(access.workspace)
    added = {}
    with get_engine().begin() as connection:
        for table in TABLES:  # what others belong to comes first
            needed = [column for column in table.c if not column.nullable and column.server_default is None]
            values = {column.name: value(column, access) for column in needed}
            values |= {column.name: added[key.column.table] for column in table.c for key in column.foreign_keys}
            if table.name == "run":
                values["state"] = "SUCCEEDED"
            added[table] = values.get("id")
            if table.name != "workspace":
                connection.execute(table.insert().values(values))
    run = Run(workspace=access.workspace, task="preview", state=RunState.SUCCEEDED)
    run.settings = {"upload": f"{next(numbers):032x}", "folder": f"{next(numbers):032x}"}
    runs.add(run, access=access)
    audit.add("upload", "x.csv", access=access)
    store, settings = get_store(), get_settings()
    shared = store.put_bytes(b"both have it")
    digests = [store.put_bytes(f"{name} of {access.workspace}".encode()) for name in ("table", "profile", "original")]
    file = store.put_bytes(f"result of {access.workspace}".encode())
    table = Dataset(
        workspace=access.workspace,
        name="x",
        fingerprint="f" * 64,
        data_digest=digests[0],
        profile_digest=digests[1],
        upload_digest=digests[2],
        rows=1,
        columns=1,
        size_bytes=1,
    )
    datasets.add(table, access=access)
    for name, digest in (("x", file), ("y", shared)):
        artifact = RunArtifact(workspace=access.workspace, run_id=run.id, name=name, digest=digest, size_bytes=1)
        artifacts.add(artifact, access=access)
    paths = [
        settings.runs_dir / run.id / "log.txt",
        settings.runs_dir / run.id / "work" / "file",
        settings.uploads_dir / run.settings["upload"],
        settings.previews_dir / run.settings["folder"] / "file",
        store.cache / file,
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return [*paths, *(store.local_path(digest) for digest in (*digests, file))], store.local_path(shared)


def rows(access):
    """Return what each table has of a workspace."""
    with get_engine().connect() as connection:
        queries = {table.name: sa.select(table).where(table.c.workspace == access.workspace) for table in TABLES}
        return {name: connection.execute(query).all() for name, query in queries.items()}


def test_all_of_a_visitor_is_removed_and_nothing_of_another():
    (own, shared), (others, _) = fill(GONE), fill(STAYS)
    assert {name for name, matches in rows(GONE).items() if not matches} == set()
    before = rows(STAYS)
    visitors.visit(STAYS.workspace)
    with writing(INSTALLATION) as session:
        session.get(Workspace, STAYS.workspace).expires_at += 2 * HOUR_S
    before = rows(STAYS)
    files = {path: path.read_bytes() for path in others}

    now = time.time() + 25 * HOUR_S
    assert upkeep.remove_due(now - 2 * HOUR_S) == 0
    assert upkeep.remove_due(now) == 1

    assert {name: matches for name, matches in rows(GONE).items() if matches} == {}
    left = [path for path in own if path.exists()]
    assert left == [path for path in own if path.is_relative_to(get_settings().home / "artifacts")]  # too young
    assert rows(STAYS) == before
    assert {path: path.read_bytes() for path in others} == files
    assert shared.read_bytes() == b"both have it"


def test_a_wipe_removes_young_files_as_well():
    access = replace(LOCAL, workspace="v-" + "c" * 32)
    own, shared = fill(access)
    assert wipe.wipe(access.workspace) == access.workspace
    home = get_settings().home
    assert [path for path in own if path.exists()] == []
    names = {path.name for path in own if len(path.name) == 64}
    assert [path for path in home.rglob("*") if path.name[:64] in names] == []
    assert shared.exists()


def test_runs_are_cancelled_first():
    access = replace(LOCAL, workspace="v-" + "d" * 32)
    visitors.visit(access.workspace)
    waiting, working = (runs.add(Run(workspace=access.workspace, task="check"), access=access) for _ in range(2))
    states = {"claim_token": "x" * 32, "lease_until": time.time() + HOUR_S}
    runs.change_state(working.id, [RunState.QUEUED], RunState.RUNNING, **states, access=access)
    assert visitors.close(access.workspace)
    assert upkeep.remove_due() == 0
    jobs.tick()
    assert runs.get(waiting.id, access=access).state is RunState.CANCELLED
    assert runs.get(working.id, access=access).cancel_requested_at is not None
    assert upkeep.remove_due() == 0
    runs.change_state(working.id, [RunState.RUNNING], RunState.CANCELLED, access=access)
    assert upkeep.remove_due() == 1
    assert not any(rows(access).values())
    visitors.visit(access.workspace)  # the visitor may come back, to an empty workspace


def test_any_id_names_the_workspace_and_only_those_of_visitors_are_wiped(capsys):
    access = replace(LOCAL, workspace="v-" + "e" * 32)
    visitors.visit(access.workspace)
    run = runs.add(Run(workspace=access.workspace, task="check", state=RunState.SUCCEEDED), access=access)
    mine = runs.add(Run(workspace="local", task="check", state=RunState.SUCCEEDED), access=LOCAL)
    assert any(line.startswith(access.workspace) and line.endswith("1 runs") for line in wipe.listed())
    for name in (mine.id, "local", "0" * 16, ""):
        with pytest.raises(NotFoundError, match="no such workspace"):
            wipe.wipe(name)
    wipe.main([run.id])
    assert capsys.readouterr().out == f"{access.workspace} is removed.\n"
    assert runs.get(mine.id, access=LOCAL)
    with reading(INSTALLATION) as session:
        assert session.get(Workspace, access.workspace) is None

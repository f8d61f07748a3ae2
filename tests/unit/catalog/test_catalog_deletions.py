"""Deletion by people: what is said, what goes at once, what comes back, and what is removed afterwards."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from sqlalchemy import func, text, update
from sqlmodel import SQLModel, col, select

from core import deletion, jobs, upkeep
from core.access import INSTALLATION, LOCAL
from core.catalog import (
    Dataset,
    Deletion,
    ModelVersion,
    PipelineStep,
    Run,
    RunArtifact,
    RunState,
    SavedPipeline,
    Schedule,
    artifacts,
    audit,
    datasets,
    events,
    models,
    references,
    runs,
    saved_pipelines,
    schedules,
    steps,
    versions,
)
from core.catalog.engine import reading, writing
from core.catalog.hidden import DELETABLE
from core.errors import InputError, NotFoundError, RegistryError
from core.progress import Event
from core.settings import get_settings
from core.storage import get_store

OTHER = replace(LOCAL, workspace="other")


def run(task: str = "automl", state: RunState = RunState.SUCCEEDED, **fields) -> Run:
    """A run with a file, an event and a folder."""
    added = runs.add(Run(**{"workspace": "local", "task": task, "state": state, "title": task} | fields), access=LOCAL)
    digest = get_store().put_bytes(added.id.encode())
    artifacts.add(
        RunArtifact(workspace="local", run_id=added.id, name="file", digest=digest, size_bytes=1), access=LOCAL
    )
    events.append(added.id, Event("read", 0.5, "half"), access=LOCAL)
    (get_settings().runs_dir / added.id).mkdir(parents=True)
    return added


def table(name: str = "people", **fields) -> Dataset:
    values = {"workspace": "local", "fingerprint": name.ljust(64, "0"), "data_digest": "d" * 64, "rows": 5}
    values |= {"profile_digest": "e" * 64, "columns": 1, "size_bytes": 1} | fields
    return datasets.add(Dataset(name=name, **values), access=LOCAL)[0]


def version_of(source: Run, name: str = "Churn") -> ModelVersion:
    made = ModelVersion(workspace="local", model_id="", run_id=source.id, kind="table")
    return models.add_version(name, made, access=LOCAL)[1]


def rows() -> dict[str, int]:
    """Number of all rows by table, hidden ones as well."""
    with reading(INSTALLATION) as session:
        return {
            name: int(session.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())
            for name in SQLModel.metadata.tables
            if name not in ("audithead", "auditrecord", "catalogid", "queuelock")
        }


def age(seconds: float) -> None:
    """Let all deletions be older."""
    with writing(INSTALLATION) as session:
        session.execute(update(Deletion).values(at=Deletion.at - seconds))


def test_a_run_goes_with_its_parts_and_comes_back(catalog):
    search = run(title="Search people")
    child = run("pipeline_step", parent_id=search.id)
    explained = run("explain", settings={"source": search.id})
    export = run("export", settings={"source": search.id}, title="Export of people")
    stays = run("check")
    steps.add(
        PipelineStep(workspace="local", pipeline_run_id=search.id, path="a", key="k", state="SUCCEEDED"), access=LOCAL
    )
    before = rows()

    plan = deletion.plan("run", search.id, access=LOCAL)
    said = " ".join(plan.goes)
    assert "3 files" in said
    assert "Pipeline step (1)" in said
    assert "Explanation (1)" in said
    assert "'Export of people'" in " ".join(plan.stays)
    assert not plan.forbidden
    assert rows() == before

    deleted = deletion.delete("run", search.id, access=replace(LOCAL, actor="ann"))
    assert (deleted.kind, deleted.title, deleted.who) == ("run", "Search people", "ann")
    gone = [search.id, child.id, explained.id]
    for run_id in gone:
        for ask in (runs.get, jobs.get, jobs.events, jobs.log):
            with pytest.raises(NotFoundError):
                ask(run_id, access=LOCAL)
        assert artifacts.find(run_id, access=LOCAL) == []
        assert events.latest(run_id, access=LOCAL) is None
        with pytest.raises(NotFoundError):
            artifacts.get(run_id, "file", access=LOCAL)
    digest = get_store().put_bytes(search.id.encode())
    assert artifacts.run_with("file", digest, access=LOCAL) is None
    assert steps.latest_by_key("k", access=LOCAL) is None
    assert {item.id for item in runs.find(access=LOCAL)} == {export.id, stays.id}
    assert runs.titles(gone, access=LOCAL) == {}
    assert not runs.change_state(search.id, [RunState.SUCCEEDED], RunState.FAILED, access=LOCAL)
    assert references.needed([digest]) == {digest}, "the contents stay as long as it can be undone"
    with pytest.raises(NotFoundError):
        deletion.delete("run", search.id, access=LOCAL)

    assert [item.id for item in deletion.undoable(access=LOCAL)] == [deleted.id]
    assert deletion.undoable(types=["model"], access=LOCAL) == deletion.undoable(access=OTHER) == []
    with pytest.raises(NotFoundError):
        deletion.undo(deleted.id, access=OTHER)
    upkeep.purge()
    deletion.undo(deleted.id, access=LOCAL)
    assert {item.id for item in runs.find(access=LOCAL)} == {*gone, export.id, stays.id}
    assert events.latest(search.id, access=LOCAL).message == "half"
    assert rows() == before
    with pytest.raises(NotFoundError, match="cannot be undone"):
        deletion.undo(deleted.id, access=LOCAL)
    said = [(record.action, record.subject, record.who) for record in audit.find(access=LOCAL)]
    assert said == [("restore", "Search people", ""), ("delete", "Search people", "ann")]


def test_after_ten_minutes_everything_of_it_is_removed(catalog):
    stays = run("check")
    kept = rows()
    search = run(settings={"files": {"a": "a" * 64}})
    run("explain", settings={"source": search.id})
    step = PipelineStep(workspace="local", pipeline_run_id=search.id, path="a", outputs={"o": {"f": "b" * 64}})
    steps.add(step, access=LOCAL)
    source = table()
    model = version_of(run(dataset_id=source.id), "Other")
    saved = saved_pipelines.add(SavedPipeline(workspace="local", name="p", files={"x": "c" * 64}), access=LOCAL)
    schedules.add(
        Schedule(workspace="local", title="s", task="pipeline", settings={"saved": saved.id, "inputs": {}}),
        access=LOCAL,
    )
    versions.set_roles(source, {"target": "a"}, "Target 'a'", access=LOCAL)
    deleted = [
        deletion.delete("run", search.id, access=LOCAL),
        deletion.delete("pipeline", saved.id, access=LOCAL),
        deletion.delete("model", model.model_id, access=LOCAL),
        deletion.delete("run", model.run_id, access=LOCAL),
        deletion.delete("dataset", source.id, access=LOCAL),
    ]
    age(deletion.UNDO_S + 1)
    assert deletion.undoable(access=LOCAL) == []
    for item in deleted:
        with pytest.raises(NotFoundError, match="10 minutes"):
            deletion.undo(item.id, access=LOCAL)
    assert upkeep.purge() == 3
    assert upkeep.purge() == 0
    assert rows() == kept
    assert references.needed(["a" * 64, "b" * 64, "c" * 64, "d" * 64]) == set()
    assert [path.name for path in get_settings().runs_dir.iterdir()] == [stays.id]


def test_what_forbids_a_deletion_says_what_to_do(catalog):
    working = run(state=RunState.RUNNING, title="At work")
    child = run(parent_id=working.id)
    trained, again = run(), run()
    one, two = version_of(trained), version_of(again)
    models.point(one.model_id, "champion", one.number, access=LOCAL)
    models.point(one.model_id, "shadow", two.number, access=LOCAL)
    only = version_of(run(), "Only")
    used = table()
    run(dataset_id=used.id, state=RunState.QUEUED)
    scored = run("score", settings={"version": only.id}, state=RunState.RUNNING)
    before = rows()
    for kind, row_id, why, what in (
        ("run", working.id, "'At work' is running", "Cancel it"),
        ("run", child.id, "part of the run 'At work'", "Delete that run"),
        ("run", trained.id, "version 1 of the model 'Churn'", "Delete that version"),
        ("version", one.id, "is the champion", "Promote another"),
        ("version", two.id, "in use as 'shadow'", "remove it"),
        ("version", only.id, "the only version", "whole model"),
        ("model", only.model_id, "'score' is running", "Cancel it"),
        ("dataset", used.id, "'automl' is queued", "wait until it has ended"),
    ):
        plan = deletion.plan(kind, row_id, access=LOCAL)
        assert why in plan.forbidden
        assert what in plan.hint
        with pytest.raises(InputError, match=why):
            deletion.delete(kind, row_id, access=LOCAL)
    assert rows() == before
    runs.change_state(scored.id, [RunState.RUNNING], RunState.FAILED, access=LOCAL)
    plan = deletion.plan("model", one.model_id, access=LOCAL)
    assert "champion, version 1" in " ".join(plan.goes), "a whole model goes with its champion"


def test_what_depends_on_a_dataset_is_said_and_its_schedules_are_turned_off(catalog):
    people = table("people")
    version = table("prepared", fingerprint="9" * 64, origin_id=people.id, number=2)
    joined = table("joined", lineage={"recipe": {"steps": [{"step": "join", "dataset": version.id}]}})
    trained = run(dataset_id=version.id)
    version_of(trained, "Churn")
    saved_pipelines.add(
        SavedPipeline(workspace="local", name="nightly", text="path: azureml:people@latest"), access=LOCAL
    )
    saved_pipelines.add(
        SavedPipeline(workspace="local", name="not", text="path: azureml:people_2@latest"), access=LOCAL
    )
    at = time.time() + 1_000
    on, off = (
        schedules.add(
            Schedule(
                workspace="local",
                title=title,
                task="check",
                dataset_id=version.id,
                enabled=enabled,
                next_at=at if enabled else None,
            ),
            access=LOCAL,
        )
        for title, enabled in (("daily", True), ("off", False))
    )
    plan = deletion.plan("dataset", version.id, access=LOCAL)
    assert "2 versions" in plan.goes[0]
    assert "'daily', 'off'" in plan.goes[1]
    stays = " ".join(plan.stays)
    for words in ("AutoML (1)", "'Churn'", f"'{joined.name}'", "'nightly'"):
        assert words in stays
    assert "'not'" not in stays
    deleted = deletion.delete("dataset", version.id, access=LOCAL)
    assert {item.id for item in datasets.find(access=LOCAL)} == {joined.id}
    stored = schedules.get(on.id, access=LOCAL)
    assert (stored.enabled, stored.next_at) == (False, None)
    assert "'prepared' was deleted" in stored.problem
    deletion.undo(deleted.id, access=LOCAL)
    assert versions.find(people, access=LOCAL)[1].id == version.id
    stored = schedules.get(on.id, access=LOCAL)
    assert (stored.enabled, stored.next_at, stored.problem) == (True, pytest.approx(at), "")
    assert not schedules.get(off.id, access=LOCAL).enabled


def test_what_comes_in_its_place_is_not_replaced(catalog):
    first = table("people")
    deleted = deletion.delete("dataset", first.id, access=LOCAL)
    again = table("people")
    assert again.id != first.id
    with pytest.raises(InputError, match="something else has its name") as caught:
        deletion.undo(deleted.id, access=LOCAL)
    assert "Rename or delete" in caught.value.hint
    deletion.delete("dataset", again.id, access=LOCAL)
    deletion.undo(deleted.id, access=LOCAL)
    assert [item.id for item in datasets.find(access=LOCAL)] == [first.id]


def test_a_part_comes_back_after_what_it_belongs_to(catalog):
    search = run(title="Search")
    explained = run("explain", settings={"source": search.id}, title="Explain")
    trained, champion = run(title="Trained"), run()
    version = version_of(trained)
    version_of(champion)
    part, number = (
        deletion.delete("run", explained.id, access=LOCAL),
        deletion.delete("version", version.id, access=LOCAL),
    )
    owner = deletion.delete("run", search.id, access=LOCAL)
    source = deletion.delete("run", trained.id, access=LOCAL)
    whole = deletion.delete("model", version.model_id, access=LOCAL)
    with pytest.raises(InputError, match="belongs to 'Search'"):
        deletion.undo(part.id, access=LOCAL)
    with pytest.raises(InputError, match="deleted itself"):
        deletion.undo(number.id, access=LOCAL)
    for item in (owner, part, source, whole, number):
        deletion.undo(item.id, access=LOCAL)
    assert [item.number for item in models.versions(version.model_id, access=LOCAL)] == [2, 1]
    assert len(runs.find(access=LOCAL)) == 4


def test_a_run_that_is_deleted_meanwhile_is_not_registered(catalog):
    trained = run()
    deletion.delete("run", trained.id, access=LOCAL)
    with pytest.raises((NotFoundError, RegistryError)):
        version_of(trained)


def test_other_workspaces_have_nothing_to_delete(catalog):
    things = {"run": run().id, "dataset": table().id}
    version = version_of(run())
    things |= {"version": version.id, "model": version.model_id}
    things["pipeline"] = saved_pipelines.add(SavedPipeline(workspace="local", name="p"), access=LOCAL).id
    things["schedule"] = schedules.add(Schedule(workspace="local", title="s", task="check"), access=LOCAL).id
    before = rows()
    for kind, row_id in things.items():
        for act in (deletion.plan, deletion.delete):
            with pytest.raises(NotFoundError):
                act(kind, row_id, access=OTHER)
            with pytest.raises(NotFoundError):
                act(kind, "0" * 16, access=LOCAL)
    assert rows() == before


def test_no_query_sees_what_is_hidden(home):
    """Whatever the statement: the condition stands in one place for all of them."""
    search = run()
    deletion.delete("run", search.id, access=LOCAL)
    with writing(INSTALLATION) as session:
        assert session.get(Run, search.id) is None
        assert session.exec(select(func.count()).select_from(Run)).one() == 0
        assert session.exec(select(RunArtifact.name).join(Run, col(Run.id) == RunArtifact.run_id)).all() == []
        assert session.execute(update(Run).values(title="changed")).rowcount == 0
    assert {"dataset", "run", "model", "modelversion", "savedpipeline", "schedule"} == {
        item.__tablename__ for item in DELETABLE
    }

"""Approved code and saved pipelines, per workspace."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from core import deletion, upkeep
from core.access import LOCAL
from core.catalog import SavedPipeline, approvals, saved_pipelines
from core.errors import InputError, NotFoundError
from core.storage import get_store
from tests.collecting import collect

A, B, C = "a" * 64, "b" * 64, "c" * 64


def test_what_is_approved_is_so_in_its_workspace_alone(home):
    assert approvals.approved([A], access=LOCAL) == approvals.approved([], access=LOCAL) == set()
    approvals.approve(iter([A, B]), access=replace(LOCAL, actor="ada"))
    approvals.approve([B, C], access=replace(LOCAL, actor="bob"))
    approvals.approve([], access=replace(LOCAL, actor="bob"))
    assert approvals.approved(iter([A, C, "d" * 64]), access=LOCAL) == {A, C}
    assert approvals.approved([A, B, C], access=replace(LOCAL, workspace="other")) == set()
    assert {row.digest: row.who for row in approvals.find(access=LOCAL)} == {A: "ada", B: "ada", C: "bob"}


def test_the_same_approval_at_once_is_one(home):
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(lambda number: approvals.approve([A, B], access=replace(LOCAL, actor=f"user {number}")), range(16))
        )
    assert len(approvals.find(access=LOCAL)) == 2


def test_a_saved_pipeline_changes_only_from_the_state_that_was_seen(catalog):
    saved = saved_pipelines.add(SavedPipeline(workspace="local", name=" Churn ", text="jobs:", who="ada"), access=LOCAL)
    assert saved_pipelines.get(saved.id, access=LOCAL) == saved == saved_pipelines.by_name("Churn", access=LOCAL)
    changed = saved_pipelines.update(saved, text="jobs: {}", access=replace(LOCAL, actor="bob"))
    assert (changed.name, changed.text, changed.who) == ("Churn", "jobs: {}", "bob")
    assert changed.changed_at > saved.changed_at
    with pytest.raises(InputError, match="'Churn' was changed meanwhile"):
        saved_pipelines.update(saved, text="lost", access=LOCAL)
    assert saved_pipelines.get(saved.id, access=LOCAL) == changed
    future = changed.model_copy(update={"changed_at": changed.changed_at})
    for number in range(3):
        future = saved_pipelines.update(future, text=str(number), access=LOCAL)
    assert saved_pipelines.get(saved.id, access=LOCAL).text == "2"


def test_names_are_unique_in_a_workspace(home):
    first = saved_pipelines.add(SavedPipeline(workspace="local", name="one"), access=LOCAL)
    second = saved_pipelines.add(SavedPipeline(workspace="local", name="two"), access=LOCAL)
    saved_pipelines.add(SavedPipeline(workspace="other", name="one"), access=replace(LOCAL, workspace="other"))
    for name, message in (("one", "pipeline 'one' already"), (" ", "not a usable name"), ("x" * 201, "not a usable")):
        with pytest.raises(InputError, match=message):
            saved_pipelines.add(SavedPipeline(workspace="local", name=name), access=LOCAL)
        with pytest.raises(InputError, match=message):
            saved_pipelines.update(second, name=name, access=LOCAL)
    assert [row.name for row in saved_pipelines.find(access=LOCAL)] == ["two", "one"]
    assert saved_pipelines.update(first, name="one", access=LOCAL).name == "one"
    with pytest.raises(NotFoundError):
        saved_pipelines.get(first.id, access=replace(LOCAL, workspace="other"))


def test_files_stay_as_long_as_the_pipeline(home):
    old, new = get_store().put_bytes(b"old"), get_store().put_bytes(b"new")
    saved = saved_pipelines.add(SavedPipeline(workspace="local", name="one", files={"src/a.py": old}), access=LOCAL)
    collect(old)
    assert get_store().exists(old)
    saved_pipelines.update(saved, files={"src/a.py": new, "src/b.py": new}, access=LOCAL)
    collect(old, new)
    assert [get_store().exists(digest) for digest in (old, new)] == [False, True]
    with pytest.raises(NotFoundError):
        deletion.delete("pipeline", saved.id, access=replace(LOCAL, workspace="other"))
    deletion.delete("pipeline", saved.id, access=LOCAL)
    upkeep.purge(after_s=0)
    collect(new)
    assert not get_store().exists(new)
    with pytest.raises(NotFoundError):
        saved_pipelines.update(saved, text="gone", access=LOCAL)

"""Approved code and saved pipelines, per workspace."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from core import housekeeping
from core.catalog import SavedPipeline, approvals, saved_pipelines
from core.errors import InputError, NotFoundError
from core.storage import get_store

A, B, C = "a" * 64, "b" * 64, "c" * 64


def test_what_is_approved_is_so_in_its_workspace_alone(home):
    assert approvals.approved("local", [A]) == approvals.approved("local", []) == set()
    approvals.approve("local", iter([A, B]), who="ada")
    approvals.approve("local", [B, C], who="bob")
    approvals.approve("local", [], who="bob")
    assert approvals.approved("local", iter([A, C, "d" * 64])) == {A, C}
    assert approvals.approved("other", [A, B, C]) == set()
    assert {row.digest: row.who for row in approvals.find("local")} == {A: "ada", B: "ada", C: "bob"}


def test_the_same_approval_at_once_is_one(home):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: approvals.approve("local", [A, B], who=f"user {number}"), range(16)))
    assert len(approvals.find("local")) == 2


def test_a_saved_pipeline_changes_only_from_the_state_that_was_seen(catalog):
    saved = saved_pipelines.add(SavedPipeline(workspace="local", name=" Churn ", text="jobs:", who="ada"))
    assert saved_pipelines.get(saved.id, "local") == saved == saved_pipelines.by_name("Churn", "local")
    changed = saved_pipelines.update(saved, text="jobs: {}", who="bob")
    assert (changed.name, changed.text, changed.who) == ("Churn", "jobs: {}", "bob")
    assert changed.changed_at > saved.changed_at
    with pytest.raises(InputError, match="'Churn' was changed meanwhile"):
        saved_pipelines.update(saved, text="lost")
    assert saved_pipelines.get(saved.id, "local") == changed
    future = changed.model_copy(update={"changed_at": changed.changed_at})
    for number in range(3):
        future = saved_pipelines.update(future, text=str(number))
    assert saved_pipelines.get(saved.id, "local").text == "2"


def test_names_are_unique_in_a_workspace(home):
    first = saved_pipelines.add(SavedPipeline(workspace="local", name="one"))
    second = saved_pipelines.add(SavedPipeline(workspace="local", name="two"))
    saved_pipelines.add(SavedPipeline(workspace="other", name="one"))
    for name, message in (("one", "pipeline 'one' already"), (" ", "not a usable name"), ("x" * 201, "not a usable")):
        with pytest.raises(InputError, match=message):
            saved_pipelines.add(SavedPipeline(workspace="local", name=name))
        with pytest.raises(InputError, match=message):
            saved_pipelines.update(second, name=name)
    assert [row.name for row in saved_pipelines.find("local")] == ["two", "one"]
    assert saved_pipelines.update(first, name="one").name == "one"
    with pytest.raises(NotFoundError):
        saved_pipelines.get(first.id, "other")


def test_files_stay_as_long_as_the_pipeline(home):
    old, new = get_store().put_bytes(b"old"), get_store().put_bytes(b"new")
    saved = saved_pipelines.add(SavedPipeline(workspace="local", name="one", files={"src/a.py": old}))
    housekeeping.delete_unused(old)
    assert get_store().exists(old)
    saved_pipelines.update(saved, files={"src/a.py": new, "src/b.py": new})
    housekeeping.delete_unused(old, new)
    assert [get_store().exists(digest) for digest in (old, new)] == [False, True]
    with pytest.raises(NotFoundError):
        housekeeping.delete_pipeline(saved.id, workspace="other")
    housekeeping.delete_pipeline(saved.id, workspace="local")
    assert not get_store().exists(new)
    with pytest.raises(NotFoundError):
        saved_pipelines.update(saved, text="gone")

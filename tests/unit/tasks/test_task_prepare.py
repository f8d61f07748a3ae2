"""Preparation as real runs: versions with lineage, undo and redo, and what two tabs do to each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core import housekeeping, jobs, upkeep
from core.access import LOCAL
from core.catalog import Dataset, Run, RunState, datasets, versions
from core.datasets import Effect, Recipe, load_frame
from core.errors import InputError, NotFoundError
from core.storage import get_store
from core.tasks import ingest, prepare
from tests.collecting import collect

DROP = {"step": "drop", "columns": ["telephone"]}
RENAME = {"step": "rename", "column": "credit", "to": "decision"}
GROWN = {"step": "filter", "condition": "age >= 30"}


@pytest.fixture(scope="module")
def home(installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One installation for the file: starting a run's process is what takes time here."""
    with installation(tmp_path_factory.mktemp("prepare") / "home") as folder:
        yield folder


@pytest.fixture(scope="module")
def german(home: Path) -> Dataset:
    """The German credit sample as a dataset."""
    run = jobs.wait(ingest.submit_sample("german_credit", access=LOCAL), 60, access=LOCAL)
    return datasets.get((run.result or {})["dataset_id"], access=LOCAL)


def apply(dataset: Dataset, *steps: dict, label: str = "Prepare") -> Run:
    run_id = prepare.submit(dataset, Recipe(steps), label, access=replace(LOCAL, actor="ada"))
    return jobs.wait(run_id, 60, access=LOCAL)


def version_of(run: Run) -> Dataset:
    assert run.state is RunState.SUCCEEDED, run.error_message
    return datasets.get((run.result or {})["dataset_id"], access=LOCAL)


@pytest.fixture(scope="module")
def second(german: Dataset) -> Dataset:
    return version_of(apply(german, DROP, RENAME, label="Drop 'telephone', rename 'credit'"))


@pytest.fixture(scope="module")
def third(second: Dataset) -> Dataset:
    return version_of(apply(second, DROP, RENAME, GROWN, label="Keep adults of 30"))


def test_a_version_has_content_lineage_and_roles(german: Dataset, third: Dataset) -> None:
    frame = load_frame(get_store().local_path(third.data_digest))
    raw = load_frame(get_store().local_path(german.data_digest))
    assert len(frame) == third.rows == int((raw["age"] >= 30).sum())
    assert "telephone" not in frame
    assert third.number == 3
    assert third.origin_id == german.id
    assert third.roles["target"] == "decision"
    effects = [Effect.from_dict(values).summary for values in third.lineage["effects"]]
    assert effects == ["removes 'telephone'", "renames 'credit'", f"removes {1000 - third.rows:,} rows"]
    assert prepare.recipe_of(third) == Recipe([DROP, RENAME, GROWN])
    assert [version.number for version in versions.find(german, access=LOCAL)] == [1, 2, 3]


def test_the_list_has_the_current_version_only(german: Dataset, second: Dataset, third: Dataset) -> None:
    assert [dataset.id for dataset in datasets.find(access=LOCAL)] == [versions.head(german, access=LOCAL).id]


def test_undo_and_redo_move_through_the_versions(german: Dataset, second: Dataset, third: Dataset) -> None:
    assert versions.head(german, access=LOCAL).id == third.id
    change = versions.next_undo(german, access=LOCAL)
    assert change is not None
    assert (change.label, change.who) == ("Keep adults of 30", "ada")
    assert versions.undo(third, access=LOCAL).id == second.id
    assert versions.undo(second, access=LOCAL).id == german.id
    with pytest.raises(InputError, match="nothing to undo"):
        versions.undo(german, access=LOCAL)
    assert versions.redo(german, access=LOCAL).id == second.id
    assert versions.redo(german, access=LOCAL).id == third.id
    with pytest.raises(InputError, match="nothing to redo"):
        versions.redo(german, access=LOCAL)


def test_roles_are_undone_as_well(third: Dataset) -> None:
    roles = datasets.get(third.id, access=LOCAL).roles
    versions.set_roles(third, {**roles, "ignore": ["purpose"]}, "Ignore 'purpose'", access=LOCAL)
    assert datasets.get(third.id, access=LOCAL).roles["ignore"] == ["purpose"]
    assert versions.undo(third, access=LOCAL).roles == roles
    assert versions.redo(third, access=LOCAL).roles["ignore"] == ["purpose"]
    versions.undo(third, access=LOCAL)


def test_the_positive_value_stays_with_its_target(german: Dataset, third: Dataset) -> None:
    roles = datasets.get(third.id, access=LOCAL).roles
    datasets.set_roles(third.id, {**roles, "positive": "bad"}, access=LOCAL)
    versions.set_roles(third, {**roles, "ignore": ["purpose"]}, "Ignore 'purpose'", access=LOCAL)
    assert datasets.get(third.id, access=LOCAL).roles["positive"] == "bad"
    versions.set_roles(third, {**roles, "target": "purpose"}, "Another target", access=LOCAL)
    assert "positive" not in datasets.get(third.id, access=LOCAL).roles
    versions.undo(third, access=LOCAL)
    assert versions.undo(third, access=LOCAL).roles == {**roles, "positive": "bad"}
    datasets.set_roles(third.id, roles, access=LOCAL)


def test_a_change_made_elsewhere_is_not_overwritten(german: Dataset, second: Dataset, third: Dataset) -> None:
    with pytest.raises(InputError, match=r"Version 2 of .* is not the current one"):
        prepare.submit(second, Recipe([DROP]), "Late", access=LOCAL)
    late = Dataset(**third.model_dump(exclude={"id", "fingerprint"}), fingerprint="0" * 64)
    with pytest.raises(InputError, match="Another version became current meanwhile"):
        versions.add(late, second, "Late", access=LOCAL)
    with pytest.raises(InputError, match="Another version became current meanwhile"):
        versions.restore(german, second, "Late", access=LOCAL)
    assert versions.head(german, access=LOCAL).id == third.id


def test_the_draft_is_kept_and_two_tabs_do_not_overwrite_each_other(german: Dataset, third: Dataset) -> None:
    revision = int(datasets.get(german.id, access=LOCAL).draft.get("revision", 0))
    versions.set_draft(third, {"parent": third.id, "steps": [DROP]}, revision=revision, access=LOCAL)
    draft = datasets.get(german.id, access=LOCAL).draft
    assert (draft["steps"], draft["revision"]) == ([DROP], revision + 1)
    with pytest.raises(InputError, match="changed meanwhile"):
        versions.set_draft(third, {"parent": third.id, "steps": []}, revision=revision, access=LOCAL)
    versions.set_draft(third, {}, revision=revision + 1, access=LOCAL)
    assert "steps" not in datasets.get(german.id, access=LOCAL).draft


def test_a_version_with_known_content_is_that_version(german: Dataset, second: Dataset, third: Dataset) -> None:
    run = apply(third, RENAME, DROP, label="The same as before")
    assert (run.result or {})["known"]
    assert versions.head(german, access=LOCAL).id == second.id
    assert versions.undo(german, access=LOCAL).id == third.id


def test_a_step_that_is_not_possible_leaves_everything_as_it_was(german: Dataset, third: Dataset) -> None:
    run = apply(third, DROP, {"step": "fill", "column": "nothing", "how": "mean"})
    assert run.state is RunState.FAILED
    assert run.error_message is not None
    assert run.error_message.startswith("Step 2 (Fill missing cells of 'nothing' with the mean)")
    assert versions.head(german, access=LOCAL).id == third.id
    run = apply(third, {"step": "join", "dataset": "gone", "keys": {"age": "age"}})
    assert run.error_message == "There is no such dataset."


def test_a_name_is_that_of_all_versions_and_deletion_takes_them_all(german: Dataset, third: Dataset) -> None:
    datasets.rename(third.id, "Credit", access=LOCAL)
    assert {version.name for version in versions.find(german, access=LOCAL)} == {"Credit"}
    digests = {version.data_digest for version in versions.find(german, access=LOCAL)}
    housekeeping.delete_dataset(third.id, access=LOCAL)
    with pytest.raises(NotFoundError):
        datasets.get(german.id, access=LOCAL)
    assert versions.changes(german, access=LOCAL) == []
    upkeep.purge(after_s=0)
    collect(*digests)
    assert not any(get_store().exists(digest) for digest in digests)

"""Deleting a dataset removes its row and what nothing else refers to; everything others use stays."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from core import upkeep
from core.access import LOCAL
from core.catalog import Dataset, Run, RunArtifact, RunState, artifacts, datasets, runs
from core.errors import InputError, NotFoundError
from core.housekeeping import delete_dataset
from core.storage import get_store
from tests.collecting import collect

pytestmark = pytest.mark.usefixtures("home")


def keep(name: str, *, data: bytes = b"table", profile: bytes = b"profile", workspace: str = "local") -> Dataset:
    """A dataset whose two contents are in the store."""
    store = get_store()
    dataset, new = datasets.add(
        Dataset(
            workspace=workspace,
            name=name,
            fingerprint=hashlib.sha256(name.encode()).hexdigest(),
            data_digest=store.put_bytes(data),
            profile_digest=store.put_bytes(profile),
            rows=1,
            columns=1,
            size_bytes=len(data),
        ),
        access=replace(LOCAL, workspace=workspace),
    )
    assert new
    return dataset


def stored(dataset: Dataset) -> list[bool]:
    upkeep.purge(after_s=0)
    collect(dataset.data_digest, dataset.profile_digest)
    return [get_store().exists(digest) for digest in (dataset.data_digest, dataset.profile_digest)]


def contents(home: Path) -> int:
    return sum(path.is_file() for path in (home / "artifacts").rglob("*"))


def test_row_and_contents_go(home: Path) -> None:
    dataset = keep("a")
    assert (stored(dataset), contents(home)) == ([True, True], 2)
    delete_dataset(dataset.id, access=LOCAL)
    assert (stored(dataset), contents(home)) == ([False, False], 0)
    assert datasets.find(access=LOCAL) == []
    with pytest.raises(NotFoundError):
        datasets.get(dataset.id, access=LOCAL)


@pytest.mark.parametrize("workspace", ["local", "other"])
def test_what_another_dataset_shares_stays_until_that_goes_too(workspace: str) -> None:
    first = keep("a", data=b"of the first alone")
    second = keep("b", data=b"of the second alone", workspace=workspace)
    assert first.profile_digest == second.profile_digest
    delete_dataset(first.id, access=LOCAL)
    assert stored(first) == [False, True]
    assert stored(second) == [True, True]
    delete_dataset(second.id, access=replace(LOCAL, workspace=workspace))
    assert stored(second) == [False, False]


def test_one_dataset_s_table_may_be_another_s_profile() -> None:
    first, second = keep("a", data=b"same", profile=b"x"), keep("b", data=b"y", profile=b"same")
    delete_dataset(first.id, access=LOCAL)
    assert stored(second) == [True, True]


def test_what_a_run_kept_stays() -> None:
    dataset = keep("a")
    run = runs.add(Run(workspace="local", task="automl", dataset_id=dataset.id, state=RunState.SUCCEEDED), access=LOCAL)
    model = get_store().put_bytes(b"model")
    for name, digest in {"model": model, "train.parquet": dataset.data_digest}.items():
        artifacts.add(
            RunArtifact(workspace="local", run_id=run.id, name=name, digest=digest, size_bytes=5), access=LOCAL
        )
    delete_dataset(dataset.id, access=LOCAL)
    assert stored(dataset) == [True, False]
    assert get_store().read_bytes(model) == b"model"
    assert runs.get(run.id, access=LOCAL).dataset_id == dataset.id
    assert len(artifacts.find(run.id, access=LOCAL)) == 2


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.STARTING, RunState.RUNNING])
def test_nothing_goes_while_a_run_needs_it(state: RunState) -> None:
    dataset = keep("a")
    runs.add(Run(workspace="local", task="check", dataset_id=dataset.id, state=state), access=LOCAL)
    with pytest.raises(InputError, match="in use") as caught:
        delete_dataset(dataset.id, access=LOCAL)
    assert caught.value.hint
    assert stored(dataset) == [True, True]
    assert datasets.get(dataset.id, access=LOCAL) == dataset


@pytest.mark.parametrize("state", [state for state in RunState if state.terminal])
def test_runs_that_have_ended_hold_nothing_back(state: RunState) -> None:
    dataset = keep("a")
    runs.add(Run(workspace="local", task="check", dataset_id=dataset.id, state=state), access=LOCAL)
    delete_dataset(dataset.id, access=LOCAL)
    assert stored(dataset) == [False, False]


def test_another_workspace_s_dataset_is_out_of_reach() -> None:
    dataset = keep("a", workspace="other")
    with pytest.raises(NotFoundError, match=dataset.id):
        delete_dataset(dataset.id, access=LOCAL)
    assert stored(dataset) == [True, True]


def test_a_second_deletion_finds_nothing() -> None:
    dataset, bystander = keep("a"), keep("b", data=b"other", profile=b"other profile")
    delete_dataset(dataset.id, access=LOCAL)
    with pytest.raises(NotFoundError):
        delete_dataset(dataset.id, access=LOCAL)
    assert stored(bystander) == [True, True]


def test_contents_that_were_lost_are_no_obstacle() -> None:
    dataset = keep("a")
    get_store().delete(dataset.data_digest)
    delete_dataset(dataset.id, access=LOCAL)
    assert datasets.find(access=LOCAL) == []
    assert stored(dataset) == [False, False]


def test_the_same_table_can_come_back() -> None:
    delete_dataset(keep("a").id, access=LOCAL)
    again = keep("a")
    assert stored(again) == [True, True]
    assert datasets.find(access=LOCAL) == [again]

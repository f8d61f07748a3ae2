"""The guardrails as a real run: the findings are stored with it, for that target and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core import jobs
from core.access import LOCAL
from core.catalog import Dataset, Run, RunState, datasets, runs
from core.datasets import Finding, check, load_sample
from core.errors import NotFoundError
from core.settings import get_settings
from core.storage import get_store
from core.tasks import check as check_task


@pytest.fixture(scope="module")
def home(installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One installation for the file: starting a run's process is what takes time here."""
    with installation(tmp_path_factory.mktemp("check") / "home") as folder:
        yield folder


@pytest.fixture(scope="module")
def german(home: Path) -> Dataset:
    """The German credit sample as a dataset."""
    table = load_sample("german_credit")
    dataset, _ = datasets.add(
        Dataset(
            workspace="local",
            name=table.name,
            fingerprint=table.fingerprint,
            data_digest=get_store().put_file(table.path),
            profile_digest=get_store().put_bytes(b"{}"),
            rows=table.rows,
            columns=len(table.columns),
            size_bytes=table.path.stat().st_size,
        ),
        access=LOCAL,
    )
    return dataset


@pytest.fixture(scope="module")
def checked(german: Dataset) -> Run:
    """The run that has checked German credit for its target."""
    run = jobs.wait(check_task.submit(german, "credit", ["sex", "age"], access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run.id, access=LOCAL))
    return run


def stored(run: Run) -> list[Finding]:
    assert run.result is not None
    return [Finding.from_dict(values) for values in run.result["findings"]]


def test_findings_are_those_of_the_function(checked: Run) -> None:
    expected = check(load_sample("german_credit").frame, "credit", sensitive=["age", "sex"])
    assert stored(checked) == expected
    assert [finding.column for finding in stored(checked) if finding.check == "proxy"] == ["status_sex"]
    assert not [finding for finding in stored(checked) if finding.level == "alert"]


def test_the_run_says_what_it_is_about(checked: Run, german: Dataset) -> None:
    assert (checked.title, checked.lane) == ("Check German credit risk for credit", "short")
    assert checked.dataset_id == german.id
    content = {"fingerprint": german.fingerprint}
    assert checked.settings == {"target": "credit", "sensitive": ["age", "sex"]} | content
    assert [event.phase for event in jobs.events(checked.id, access=LOCAL)] == ["check"]
    assert not (get_settings().runs_dir / checked.id / "work").exists()


def test_it_leaves_the_dataset_as_it_was(checked: Run, german: Dataset) -> None:
    assert datasets.get(german.id, access=LOCAL) == german
    assert get_store().exists(german.data_digest)


def test_latest_finds_these_very_checks(checked: Run, german: Dataset) -> None:
    newest = check_task.latest(german, "credit", ["age", "sex"], access=LOCAL)
    assert newest is not None
    assert newest.id == checked.id
    assert check_task.latest(german, "credit", ["sex"], access=LOCAL) is None
    assert check_task.latest(german, "purpose", ["sex", "age"], access=LOCAL) is None
    assert check_task.latest(german, None, ["sex", "age"], access=LOCAL) is None


def test_without_a_target_the_columns_are_checked(german: Dataset) -> None:
    run = jobs.wait(check_task.submit(german, None, access=LOCAL), 60, access=LOCAL)
    assert run.title == "Check German credit risk"
    names = {finding.check for finding in stored(run)}
    assert "near_duplicates" in names
    assert not names & {"leakage", "imbalance", "missing_target"}
    assert {f.column for f in stored(run) if f.check == "sensitive"} >= {"sex", "age", "foreign_worker"}


def test_a_target_that_is_not_there_fails_with_a_hint(german: Dataset) -> None:
    run = jobs.wait(check_task.submit(german, "kredit", access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.FAILED
    assert run.error_message == "The table has no column 'kredit'."
    assert "'credit'" in (run.error_hint or "")
    assert run.result is None


def test_a_dataset_that_was_never_there_is_refused_with_a_hint(german: Dataset) -> None:
    ghost = german.model_copy(update={"id": "0" * 16})
    with pytest.raises(NotFoundError, match=ghost.id) as caught:
        check_task.submit(ghost, "credit", access=LOCAL)
    assert caught.value.hint


def test_a_dataset_that_was_deleted_meanwhile_fails_with_a_hint(german: Dataset) -> None:
    ghost = german.model_copy(update={"id": "0" * 16})
    runs.add(Run(workspace="local", task="check", dataset_id=ghost.id, state=RunState.SUCCEEDED), access=LOCAL)
    run = jobs.wait(check_task.submit(ghost, "credit", access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.FAILED
    assert ghost.id in (run.error_message or "")
    assert run.error_hint

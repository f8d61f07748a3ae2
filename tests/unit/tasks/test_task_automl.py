"""A search as a run: its result, its files, and its limits, as the page submits it."""

import json

import pytest

from core import jobs
from core.access import LOCAL
from core.automl import AutoMLResult, AutoMLSettings
from core.catalog import RunState, artifacts, datasets
from core.errors import JobError
from core.tasks import automl


@pytest.fixture(scope="module")
def searched(stocked):
    """A table, settings of a search of three trials, and its run."""
    run = jobs.get(stocked.rival, access=LOCAL)
    return datasets.get(stocked.credit, access=LOCAL), AutoMLSettings.model_validate(run.settings), run


def test_run_succeeds_with_a_verdict(searched):
    dataset, _, run = searched
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert run.result["verdict"].startswith("Better than guessing")
    assert run.result["trials"] == 3
    assert run.result["dataset_fingerprint"] == dataset.fingerprint


def test_files_are_those_of_the_result(searched, tmp_path):
    _, settings, run = searched
    for artifact in artifacts.find(run.id, access=LOCAL):
        (tmp_path / artifact.name).write_bytes(jobs.artifact_path(run.id, artifact.name, access=LOCAL).read_bytes())
    loaded = AutoMLResult.load(tmp_path)
    assert loaded.settings == settings
    assert loaded.verdict == run.result["verdict"]
    assert len(loaded.test) == loaded.rows["test"]


def test_each_trial_is_an_event(searched):
    events = jobs.events(searched[2].id, phase="search", access=LOCAL)
    trials = [event.values["trial"] for event in events if event.values.get("trial")]
    assert trials == [1, 2, 3]


def test_result_is_of_the_stored_table(searched):
    dataset, _, run = searched
    content = json.loads(jobs.artifact_path(run.id, "result.json", access=LOCAL).read_text())
    assert content["fingerprint"] == dataset.fingerprint


@pytest.mark.nightly
def test_repeat_gives_the_same_model(searched):
    _, _, run = searched
    again = jobs.wait(jobs.repeat(run.id, access=LOCAL), 120, access=LOCAL)
    first, second = (
        json.loads(jobs.artifact_path(item.id, "result.json", access=LOCAL).read_text()) for item in (run, again)
    )
    assert first["test_metrics"] == second["test_metrics"]
    assert [trial["config"] for trial in first["trials"]] == [trial["config"] for trial in second["trials"]]


def test_a_hung_search_has_a_wall_behind_it(searched):
    dataset, _, _ = searched
    run = jobs.get(
        automl.submit(dataset, AutoMLSettings(target="credit", time_budget_s=600), access=LOCAL), access=LOCAL
    )
    assert run.timeout_s == 600 * 1.5 + 120 + 300
    jobs.cancel(run.id, access=LOCAL)
    assert jobs.wait(run.id, 30, access=LOCAL).state is RunState.CANCELLED


@pytest.mark.nightly
def test_continue_adds_trials_to_a_finished_search(searched):
    dataset, settings, run = searched
    more = settings.model_copy(update={"max_trials": 5})
    again = jobs.wait(automl.submit(dataset, more, continue_from=run.id, access=LOCAL), 120, access=LOCAL)
    assert again.state is RunState.SUCCEEDED, again.error_message
    first, second = (
        json.loads(jobs.artifact_path(item.id, "result.json", access=LOCAL).read_text()) for item in (run, again)
    )
    assert second["trials"][:3] == [trial | {"at": 0.0} for trial in first["trials"]]  # there from the start
    assert [trial["trial"] for trial in second["trials"]] == [1, 2, 3, 4, 5]
    assert again.settings["continue_from"] == run.id


def test_only_a_finished_search_of_the_same_dataset_goes_on(searched):
    dataset, settings, run = searched
    with pytest.raises(JobError, match="is not a finished search of"):
        automl.submit(dataset.model_copy(update={"id": "other"}), settings, continue_from=run.id, access=LOCAL)


@pytest.mark.nightly
def test_continuing_with_other_splits_fails_with_the_reason(searched):
    dataset, settings, run = searched
    other = settings.model_copy(update={"seed": 5, "max_trials": 5})
    failed = jobs.wait(automl.submit(dataset, other, continue_from=run.id, access=LOCAL), 120, access=LOCAL)
    assert failed.state is RunState.FAILED
    assert "had seed 0, this one has 5" in failed.error_message

"""The Runs page: the list, and one run in each state with its facts, log and files."""

from __future__ import annotations

import time

import pytest

from core import jobs
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import Run, RunState, runs
from core.tasks import automl
from tests.pages.conftest import World, labels, query, texts, visit


def test_the_list_has_every_run_and_its_state(world: World) -> None:
    test = visit("runs")
    assert not test.exception
    table = test.dataframe[0].value
    assert len(table) == len(runs.find(access=LOCAL))
    states = {run: state[0] for run, state in zip(table["Run"], table["State"], strict=True)}
    assert states[world.binary] == "Succeeded"
    assert states[world.failed] == "Failed"
    assert states[world.cancelled] == "Cancelled"


def test_the_list_can_be_narrowed_to_a_kind(world: World) -> None:
    test = visit("runs")
    test.session_state["runs-task"] = "ingest"
    test.run()
    assert set(test.dataframe[0].value["Type"]) == {"Import"}


@pytest.mark.parametrize("tab", ["Facts", "Log", "Files"])
def test_each_tab_of_a_finished_run_draws(world: World, tab: str) -> None:
    test = visit("runs", run=world.binary, tab=tab)
    assert not test.exception
    assert not test.error
    if tab == "Facts":
        facts = str(test.table[0].value.to_dict())
        assert world.binary in facts
    if tab == "Files":
        assert "`model.skops`" in [item.value for item in test.markdown]


def test_a_failed_run_says_why_and_what_to_do(world: World) -> None:
    test = visit("runs", run=world.failed)
    assert not test.exception
    assert "no such column" in texts(test)
    assert test.error[0].value
    assert "Resume" in labels(test)
    assert "Repeat" in labels(test)


def test_a_cancelled_run_says_what_was_kept(world: World) -> None:
    test = visit("runs", run=world.cancelled)
    assert not test.exception
    assert "The run was cancelled. Resume it to continue from what it had done." in texts(test)
    long_ago = time.time() - 365 * 86_400  # its working files were removed since
    runs.set_fields(world.cancelled, [RunState.CANCELLED], finished_at=long_ago, access=LOCAL)
    assert "The run was cancelled. Nothing of it was kept." in texts(test.run())


def test_repeat_starts_a_new_run_with_the_same_settings(world: World) -> None:
    test = visit("runs", run=world.binary)
    next(button for button in test.button if button.label == "Repeat").click().run()
    new = query(test, "run")
    assert new != world.binary
    jobs.cancel(new, access=LOCAL)
    assert jobs.get(new, access=LOCAL).settings == jobs.get(world.binary, access=LOCAL).settings
    jobs.wait(new, 30, access=LOCAL)


def test_a_running_run_can_be_watched_and_cancelled(world: World) -> None:
    run_id = automl.submit(world.credit, AutoMLSettings(target="credit", time_budget_s=300), access=LOCAL)
    test = visit("runs", run=run_id)
    assert not test.exception
    assert "Cancel" in labels(test)
    test.button(key=f"runs-cancel-{run_id}").click().run()
    assert not test.exception
    assert jobs.wait(run_id, 30, access=LOCAL).state is RunState.CANCELLED
    test.run()
    assert "Cancel" not in labels(test)


def test_a_waiting_run_shows_its_place_in_the_queue(world: World) -> None:
    started = [
        automl.submit(world.credit, AutoMLSettings(target="credit", time_budget_s=300), access=LOCAL) for _ in range(3)
    ]
    try:
        test = visit("runs", run=started[-1])
        assert not test.exception
        assert "Next to start" in texts(test)
    finally:
        for run_id in reversed(started):
            jobs.cancel(run_id, access=LOCAL)
        for run_id in started:
            jobs.wait(run_id, 30, access=LOCAL)


def test_steps_of_a_pipeline_are_listed_on_request_and_lead_to_it(world: World) -> None:
    step = runs.add(
        Run(workspace="local", task="automl", parent_id=world.binary, state=RunState.SUCCEEDED), access=LOCAL
    )
    test = visit("runs")
    assert step.id not in set(test.dataframe[0].value["Run"])
    assert world.binary in set(test.dataframe[0].value["Run"])
    assert "Part of" not in test.dataframe[0].value
    test.toggle(key="runs-steps").set_value(True).run()
    listed = test.dataframe[0].value.set_index("Run")
    assert listed["Part of"][step.id] == jobs.get(world.binary, access=LOCAL).title
    assert listed["Part of"].isna()[world.binary]
    test = visit("runs", run=step.id)
    test.button(key="runs-to-parent").click().run()
    assert query(test, "run") == world.binary
    assert "Open the parent run" not in labels(test)

"""The AutoML page's address says what is shown, and settings that do not count are not said to."""

from __future__ import annotations

from tests.pages.conftest import World, query, visit


def test_a_result_opens_at_the_tab_of_its_address(world: World) -> None:
    test = visit("automl", run=world.binary, tab="Charts")
    assert not test.exception
    assert test.session_state["automl-tabs"] == "Charts"
    test.session_state["automl-tabs"] = "Checks"
    test.run()
    assert (query(test, "run"), query(test, "tab")) == (world.binary, "Checks")


def test_a_tab_that_is_not_there_is_the_first(world: World) -> None:
    test = visit("automl", run=world.binary, tab="Nowhere")
    assert not test.exception
    assert test.session_state["automl-tabs"] == "Leaderboard"


def test_another_limit_of_trials_does_not_count_by_trials(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    test.session_state["automl-preset"] = "other"
    test.run()
    test.number_input(key="automl-max-trials").set_value(17).run()
    assert "changed maximum trials" in test.expander[0].label
    test.session_state["automl-preset"] = "trials"
    test.run()
    assert test.number_input(key="automl-max-trials").disabled
    assert "maximum trials" not in test.expander[0].label

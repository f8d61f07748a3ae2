"""The AutoML page: the form, a search under way, a failed one, and results of each task."""

from __future__ import annotations

import time

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.access import LOCAL
from core.automl import METRICS, AutoMLSettings
from core.catalog import RunState, datasets, runs
from core.tasks import automl, check, explain
from pages._ui import downloads
from tests.pages.conftest import World, labels, query, texts, visit


def _submitted(test) -> dict:
    run_id = query(test, "run")
    jobs.cancel(run_id, access=LOCAL)
    return jobs.wait(run_id, 30, access=LOCAL).settings


def test_the_form_is_filled_in_from_the_dataset(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    assert not test.exception
    assert not test.error
    by_label = {box.label: box.value for box in test.selectbox}
    assert by_label["Target"] == "credit"
    assert by_label["Task"] == "binary"
    assert by_label["Metric"] == "roc_auc"
    assert "good 70.0%, bad 30.0%" in texts(test)
    assert "About 37 to 149 trials on 1,000 rows and 21 columns" in texts(test)


def test_a_number_as_target_makes_a_regression(world: World) -> None:
    test = visit("automl", dataset=world.diabetes.id)
    by_label = {box.label: box.value for box in test.selectbox}
    assert (by_label["Task"], by_label["Metric"]) == ("regression", "r2")


def test_the_guardrails_are_shown_before_start(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    assert "Before you start" in texts(test)
    findings = check.latest(world.credit, "credit", ["sex", "age"], access=LOCAL).result["findings"]
    passed = sum(finding["level"] == "passed" for finding in findings)
    assert 0 < passed < len(findings)
    assert f"{passed} checks passed" in [expander.label for expander in test.expander]
    for finding in findings:
        assert finding["message"] in texts(test)


def test_start_submits_what_the_widgets_say(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    test.session_state["automl-preset"] = "other"
    test.run()
    test.number_input(key="automl-budget-seconds").set_value(5).run()
    assert "10 s or more is better" in texts(test)
    assert not test.button(key="automl-start").disabled
    test.number_input(key="automl-budget-seconds").set_value(40)
    test.number_input(key="automl-max-trials").set_value(17)
    test.multiselect(key="automl-learners").set_value(["lgbm", "rf"])
    test.multiselect(key=f"automl-drop-{world.credit.id}").set_value(["age"])
    test.toggle(key="automl-feature-engineering").set_value(False)
    test.multiselect(key=f"automl-increasing-{world.credit.id}-credit").set_value(["credit_amount"])
    test.slider(key="automl-test-share").set_value(30).run()
    changed = "changed maximum trials, test share, further features, learners, monotone relations"
    assert changed in test.expander[0].label
    assert "credit_amount" not in test.multiselect(key=f"automl-decreasing-{world.credit.id}-credit").options
    test.button(key="automl-start").click().run()
    assert not test.exception
    settings = _submitted(test)
    assert settings["time_budget_s"] == 40
    assert settings["max_trials"] == 17
    assert settings["learners"] == ["lgbm", "rf"]
    assert settings["drop_columns"] == ["age"]
    assert settings["feature_engineering"] is False
    assert settings["monotone"] == {"credit_amount": "increasing"}
    assert settings["test_fraction"] == pytest.approx(0.3)
    assert set(settings["sensitive_columns"]) == {"sex", "age"}


def test_defaults_are_those_of_the_settings(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    test.button(key="automl-start").click().run()
    changed = {"task": "binary", "metric": "roc_auc", "sensitive_columns": ["sex", "age"], "positive_label": "good"}
    assert _submitted(test) == AutoMLSettings(target="credit").model_dump(mode="json") | changed


def test_the_outcome_is_asked_for_unless_a_known_word_decides(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    assert test.radio(key=f"automl-positive-{world.credit.id}-credit").value == "good"
    assert "names an outcome that is good for the person" in texts(test)
    test.selectbox(key=f"automl-target-{world.credit.id}").set_value("sex").run()
    outcome = test.radio(key=f"automl-positive-{world.credit.id}-sex")
    assert (outcome.options, outcome.value) == (["male", "female"], None)
    assert "Choose above which outcome the figures are about." in texts(test)
    assert test.button(key="automl-start").disabled
    outcome.set_value("female").run()
    assert not test.button(key="automl-start").disabled
    test.button(key="automl-start").click().run()
    assert _submitted(test)["positive_label"] == "female"


def test_the_outcome_that_a_sample_asks_about_is_suggested(world: World) -> None:
    before = world.credit.roles
    datasets.set_roles(world.credit.id, {**before, "target": "sex", "positive": "female"}, access=LOCAL)
    try:
        test = visit("automl", dataset=world.credit.id)
        assert test.radio(key=f"automl-positive-{world.credit.id}-sex").value == "female"
        assert "Suggested, because the table asks about it." in texts(test)
    finally:
        datasets.set_roles(world.credit.id, before, access=LOCAL)


def test_rows_kept_apart_by_no_column_cannot_be_started(world: World) -> None:
    """A search at random, though time was chosen, would pass for one that looks forward."""
    test = visit("automl", dataset=world.credit.id)
    test.selectbox(key="automl-split-by").set_value("time").run()
    assert "choose the column with the time" in texts(test)
    assert test.button(key="automl-start").disabled
    assert "changed split" in test.expander[0].label
    test.selectbox(key=f"automl-split-time-{world.credit.id}").set_value("age").run()
    assert "choose the column" not in texts(test)
    test.button(key="automl-start").click().run()
    assert _submitted(test)["time_column"] == "age"
    assert _submitted(test)["weight_column"] is None


def test_rows_are_weighted_by_a_column(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    (weights,) = (box for box in test.selectbox if box.label == "Row weights")
    weights.set_value("age").run()
    test.button(key="automl-start").click().run()
    assert _submitted(test)["weight_column"] == "age"


def test_settings_that_do_not_fit_are_an_error_and_no_run(world: World) -> None:
    before = len(runs.find(access=LOCAL))
    test = visit("automl", dataset=world.credit.id)
    test.multiselect(key="automl-learners").set_value([]).run()
    test.button(key="automl-start").click().run()
    assert not test.exception
    assert "no learner is left" in texts(test)
    assert len(runs.find(access=LOCAL)) == before


def test_a_search_under_way_shows_its_trials_and_can_be_stopped(world: World) -> None:
    run_id = automl.submit(
        world.credit,
        AutoMLSettings(
            target="credit", time_budget_s=300, folds=2, early_stopping=False, learners=("lgbm",), ensemble=False
        ),
        access=LOCAL,
    )
    for _ in range(600):
        if len(jobs.events(run_id, phase="search", access=LOCAL)) > 4:
            break
        jobs.tick()
        time.sleep(0.05)
    test = visit("automl", run=run_id)
    assert not test.exception
    assert not test.error
    assert "of 5 min" in texts(test)
    for phase in ("Reading", "Features", "Guessing", "Linear model", "First model", "Search", "Final fit", "Test"):
        assert phase in texts(test)
    assert "to come" in texts(test)
    assert list(test.dataframe[0].value["Score"].dropna()) == sorted(
        test.dataframe[0].value["Score"].dropna(), reverse=True
    )
    test.button(key=f"automl-stop-{run_id}").click().run()
    assert jobs.wait(run_id, 60, access=LOCAL).state is RunState.SUCCEEDED
    test.run()
    assert "You stopped it" in texts(test)
    test.session_state["automl-tabs"] = "Explain"
    test.run()
    assert "The search was stopped, so its model was not explained." in texts(test)
    test.button(key="automl-explain-later").click().run()
    later = explain.later(jobs.get(run_id, access=LOCAL), access=LOCAL)[0].id
    assert f"automl-cancel-{later}" in {button.key for button in test.button}
    jobs.cancel(later, access=LOCAL)


def test_a_later_explanation_is_drawn(world: World) -> None:
    test = visit("automl", run=world.rival, tab="Explain")
    assert not test.exception
    assert "the model would lose" in texts(test)


def test_a_result_begins_with_its_verdict(world: World) -> None:
    test = visit("automl", run=world.binary)
    assert not test.exception
    assert not test.error
    verdict = (jobs.get(world.binary, access=LOCAL).result or {})["verdict"]
    assert test.subheader[0].value.replace("\\", "") == verdict
    assert "All 6 trials were done." in texts(test)
    titles = [metric.label.replace("\\", "") for metric in test.metric]
    assert titles[:4] == ["'good' that are found", "Alarms that are right", "Rows predicted as 'good'", "ROC AUC"]
    assert all(metric.delta.startswith("[") for metric in test.metric)
    rows = pd.read_parquet(jobs.artifact_path(world.binary, "test.parquet", access=LOCAL))
    of_class = rows[rows["credit"] == "good"]
    share = (of_class["prediction"] == "good").mean()
    assert test.metric[0].value == f"{round(100 * share)} of 100"
    assert f"Finds {round(100 * share)} of 100 rows of 'good'" in texts(test).replace("\\", "")


@pytest.mark.parametrize(
    "tab",
    [
        "Leaderboard",
        pytest.param("Winner", marks=pytest.mark.nightly),
        "Charts",
        "Score",
        "Export",
        "Continue",
        "Checks",
        "Method",
    ],
)
@pytest.mark.parametrize("kind", ["binary", "number"])
def test_each_tab_of_a_result_draws(world: World, kind: str, tab: str) -> None:
    test = visit("automl", run=getattr(world, kind), tab=tab)
    assert not test.exception
    assert not test.error
    if tab == "Leaderboard":
        board = test.dataframe[0].value
        assert len(board) == 9  # six trials, a blend, a linear model, guessing
        assert board[""].tolist().count("★") == 1
    if tab == "Winner":
        assert sum(test.dataframe[0].value["Weight"]) == pytest.approx(100)
        assert test.dataframe[1].value["Features"].sum() > 9
        assert "Feature engineering" in texts(test)
    if tab == "Charts":
        assert len(test.get("vega_lite_chart")) == (9 if kind == "binary" else 4)
        assert "Would more rows help?" in texts(test)
    if tab == "Method":
        assert "scikit-learn" in str(test.table[1].value.to_dict())


def test_a_result_offers_model_leaderboard_repeat_and_log(world: World) -> None:
    test = visit("automl", run=world.binary)
    assert {"Repeat", "Log", "New search"} <= set(labels(test))
    assert [item.proto.label for item in test.get("download_button")] == [
        "Model (zip)",
        "Leaderboard (CSV)",
        "Pipeline and script (zip)",
    ]


def test_a_failed_search_says_why_and_can_be_repeated(world: World) -> None:
    test = visit("automl", run=world.failed)
    assert not test.exception
    assert "no such column" in texts(test)
    assert "Repeat" in labels(test)


def test_a_cancelled_search_says_so(world: World) -> None:
    assert "was cancelled. Resume it to continue" in texts(visit("automl", run=world.cancelled))


def test_every_metric_has_a_title_of_its_own() -> None:
    assert len({metric.title for metric in METRICS.values()}) == len(METRICS)


@pytest.mark.parametrize("kind", ["binary", "number"])
def test_every_view_of_the_explanation_draws(world: World, kind: str) -> None:
    test = visit("automl", run=getattr(world, kind), tab="Explain")
    assert "the model would lose" in texts(test)
    views = test.radio(key="automl-explain-view").options
    assert {"Importance", "What pushes predictions up or down", "Effect of one column"} <= set(views)
    for view in views:
        test.radio(key="automl-explain-view").set_value(view).run()
        assert not test.exception, view
        assert not test.error, view


@pytest.mark.parametrize("kind", ["binary", "number"])
def test_what_if_answers_as_the_search_did_and_follows_an_edit(world: World, kind: str) -> None:
    run_id = getattr(world, kind)
    test = visit("automl", run=run_id, tab="What-if")
    assert not test.exception
    assert not test.error
    index = test.selectbox(key="automl-whatif-row-All").value
    stored = pd.read_parquet(jobs.artifact_path(run_id, "test.parquet", access=LOCAL)).set_index("row_id").loc[index]
    shown = next(metric for metric in test.metric if metric.label in ("good", "bad", "Predicted progression"))
    if kind == "binary":
        assert shown.value == f"{stored[f'p({shown.label})']:.1%}"
        assert shown.delta == ""
        test.number_input(key=f"automl-cell-{run_id}-{index}-duration_months").set_value(60).run()
        assert "Changed: duration_months." in texts(test)
    test.button(key=f"automl-nearest-{run_id}-{index}").click().run(timeout=60)
    assert not test.exception
    assert not test.error


def test_a_search_goes_on_with_its_trials(world: World) -> None:
    test = visit("automl", run=world.binary, tab="Continue")
    test.button(key="automl-continue").click().run()
    assert not test.exception
    settings = _submitted(test)
    assert settings["continue_from"] == world.binary
    assert (settings["time_budget_s"], settings["max_trials"], settings["folds"]) == (60, None, 2)


def test_two_searches_are_compared_on_the_same_test_rows(world: World) -> None:
    test = visit("automl", run=world.binary)
    test.selectbox(key="automl-versus").set_value(world.rival).run()
    assert not test.exception
    assert "on 200 test rows: ROC AUC" in texts(test)


def test_a_model_that_no_browser_takes_is_pointed_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "_MEMORY_LIMIT_MB", 0.01)
    test = visit("automl", run=world.binary)
    assert not test.exception
    assert "is too large for a download in the browser" in texts(test)
    call = next(result.value for result in test.code if "artifact_path" in result.value)
    assert '"model.skops"' in call
    exec(compile(call, "shown", "exec"), {})


def test_figures_by_group_say_so() -> None:
    def draw(groups: dict) -> None:
        from pages.automl import tiles

        item = {"value": 0.8, "low": 0.7, "high": 0.9, "n": 200, "rarest": 9} | groups.pop("item", {})
        tiles.metrics({"metric": "accuracy", "test_metrics": {"accuracy": item}, "rows": {"test": 200, **groups}})

    said = [
        AppTest.from_function(draw, args=(groups,), default_timeout=30).run().caption[0].value
        for groups in ({}, {"test_groups": 12}, {"item": {"rarest": None}})
    ]
    assert said == [
        "Metrics on 200 test rows (9 of the rarest class), with 95% intervals",
        "Metrics on 200 test rows in 12 groups (9 groups have the rarest class), with 95% intervals of whole groups",
        "Metrics on 200 test rows, with 95% intervals",
    ]

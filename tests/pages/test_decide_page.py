"""The tab Decide: a threshold with costs on out-of-fold rows, checked on test rows, kept as the model's only rule."""

from __future__ import annotations

import pytest

from core import models, policies
from core.access import LOCAL
from core.catalog import runs
from core.decisions import LabeledScores, decision_curve
from pages._ui import artifacts
from tests.pages.conftest import World, labels, query, repeated, texts, visit

TAB = "Decide"


def test_a_threshold_is_chosen_checked_kept_and_replaced(world: World) -> None:
    run = runs.get(world.binary, access=LOCAL)
    test = visit("automl", run=world.binary, tab=TAB, outcome="bad")
    assert not test.exception
    assert not test.error
    said = texts(test)
    assert "Rule in force:** the model's own labels" in said
    assert "out-of-fold predictions" in said
    key = f"{world.binary}/bad"
    test.number_input(key=f"automl-decide-false-negative-{key}").set_value(-5.0).run()
    assert query(test, "false-negative") == "-5.0"
    reloaded = visit("automl", run=world.binary, tab=TAB, outcome="bad", **{"false-negative": "-5.0"})
    assert reloaded.number_input(key=f"automl-decide-false-negative-{key}").value == -5
    reloaded.selectbox(key="automl-decide-label").set_value("good").run()
    assert reloaded.number_input(key=f"automl-decide-false-negative-{world.binary}/good").value == -1
    rows = LabeledScores.from_predictions(artifacts.predictions_of(run, "oof.parquet").frame, "credit", "bad")
    curve = decision_curve(rows.truth, rows.score, costs={"fn": 5})
    outcome = curve.at(curve.best.threshold)
    said = texts(test)
    assert f"Of 1,000 rows {1_000 * outcome.selected.value:,.0f} are selected" in said
    assert f"{100 * outcome.recall.value:.0f} of 100 'bad' are found" in said
    assert test.slider(key=f"automl-decide-threshold-{key}").value == pytest.approx(curve.best.threshold)
    assert policies.reads(run, access=LOCAL) == 1, "only out-of-fold rows were read"

    test.slider(key=f"automl-decide-threshold-{key}").set_value(float(rows.score.max())).run()
    assert test.radio(key=f"automl-decide-way-{key}").value == "hand"
    assert f"Of 1,000 rows {1_000 * (rows.score >= rows.score.max()).mean():,.0f} are selected" in texts(test)
    test.radio(key=f"automl-decide-way-{key}").set_value("cost").run()

    test.button(key="automl-decide-check").click().run()
    assert not test.exception
    tested = LabeledScores.from_predictions(artifacts.predictions_of(run, "test.parquet").frame, "credit", "bad")
    assert f"{int((tested.score >= curve.best.threshold).sum()):,} rows:" in texts(test)
    test.button(key="automl-decide-check").click().run()
    assert policies.reads(run, access=LOCAL) == 2, "the same rule counts once"

    test.button(key="automl-decide-keep").click().run()
    rule = policies.in_force(run, access=LOCAL)
    assert rule.policy.predict(rows.score).tolist() == (rows.score >= curve.best.threshold).astype(int).tolist()
    assert rule.policy.settings["costs"]["false_negative"] == 5
    assert f"'bad' from {curve.best.threshold:.4g} on, for all rows" in texts(test)
    test.button(key="automl-decide-use-none").click().run()
    assert policies.in_force(run, access=LOCAL).name is None
    assert list(policies.kept(run, access=LOCAL)) == [rule.name], "it stays listed"


def test_the_rule_of_a_registered_model_can_be_changed(world: World) -> None:
    model = models.register(world.rival, name="Rival", access=LOCAL)
    run = runs.get(world.rival, access=LOCAL)
    test = visit("models", model=model.id, tab=TAB)
    assert not test.exception
    assert "thresholds by 'sex' (policy-by-sex.json)" in texts(test)
    test.radio(key=f"models-decide-way-{world.rival}/good").set_value("capacity").run()
    test.number_input(key=f"models-decide-most-{world.rival}/good").set_value(200).run()
    test.number_input(key=f"models-decide-top-{world.rival}/good").set_value(2_000).run()
    assert not test.exception
    assert test.number_input(key=f"models-decide-among-{world.rival}/good").value == 2_000
    assert "of the top 2,000 to be 'good'" in texts(test)
    test.button(key="models-decide-keep").click().run()
    assert not test.exception
    policy = policies.in_force(run, access=LOCAL).policy
    assert policy.columns == ()
    assert policy.expected["by_group"]["all rows"]["selection_rate"] <= 0.2
    assert models.history(model.id, access=LOCAL)[0].action == "rule"
    test.button(key="models-decide-use-policy-by-sex.json").click().run()
    assert policies.in_force(run, access=LOCAL).name == "policy-by-sex.json"


def test_numbers_have_top_rows_texts_have_thresholds_and_what_is_missing_is_said(world: World) -> None:
    test = visit("automl", run=world.number, tab=TAB)
    assert not test.exception
    assert "The top 10% by prediction have a mean of" in texts(test)
    assert "Rule in force:** the predicted numbers alone" in texts(test)
    test.number_input(key=f"automl-decide-event-{world.number}/None").set_value(200.0).run()
    run = runs.get(world.number, access=LOCAL)
    rows = LabeledScores.from_predictions(
        artifacts.predictions_of(run, "oof.parquet").frame, run.settings["target"]
    ).at_least(200.0)
    curve = decision_curve(rows.truth, rows.score, costs={"fp": 1, "fn": 1})
    outcome = curve.at(curve.best.threshold)
    assert f"{100 * outcome.recall.value:.0f} of 100 'at least 200' are found" in texts(test)
    test.button(key="automl-decide-keep").click().run()
    assert not test.exception
    rule = policies.in_force(run, access=LOCAL).policy
    assert rule.predict(rows.score).tolist() == (rows.score >= curve.best.threshold).astype(int).tolist()
    assert f"from {curve.best.threshold:.4g} on, for all rows, to find 'at least 200'" in texts(test)
    assert query(test, "at_least") == "200.0"
    version = models.register(world.number, name="Number", access=LOCAL)
    assert "of the rows with 'at least 200'" in models.card(version.id, access=LOCAL).to_html().replace("&#39;", "'")
    test = visit("finetune", run=world.text, tab=TAB)
    assert not test.exception
    assert "validation texts" in texts(test)
    assert "Check on the test rows" in labels(test)
    test = visit("automl", run=repeated(world.binary, leave_out="oof"), tab=TAB)
    assert "stored no predictions" in texts(test)


def test_a_table_with_scores_of_its_own_has_the_tab(world: World) -> None:
    dataset = world.decisions
    columns = {"label": "truth", "score": "score"}
    test = visit("fairness", dataset=dataset.id, tab=TAB, groups="group", **columns)
    assert not test.exception
    assert "Of 1,000 rows" in texts(test)
    assert "Keep as the decision rule" not in labels(test)
    test.button(key="fairness-decide-check").click().run()
    assert "test rows** the" in texts(test)

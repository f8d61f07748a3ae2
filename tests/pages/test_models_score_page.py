"""New rows on the Models page: one in a form, a file in the background."""

from __future__ import annotations

import io

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs, models
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import Model, RunState, datasets
from core.datasets import load_sample
from core.demo import POLICY
from core.tasks import automl, ingest, score
from tests.pages.conftest import World, labels, query, repeated, table_with, texts, visit


def test_one_row_is_scored_as_the_export_does(credit_model: Model) -> None:
    version = models.versions(credit_model.id, access=LOCAL)[1]
    test = visit("models", model=credit_model.id, version="1", tab="Score")
    test.radio(key="models-score-view").set_value("row").run()
    test.number_input(key=f"models-row-{version.id}-duration_months").set_value(500)
    test.button(key="models-score-row").click().run()
    assert not test.exception
    assert not test.error
    usual = {field.name: field.default for field in models.form_fields(version, access=LOCAL)}
    row = pd.DataFrame([usual | {"duration_months": 500}])
    expected = models.score_rows(
        version.id, row, onnx=models.exported_model(version, access=LOCAL), access=LOCAL
    ).table.iloc[0]
    text = texts(test)
    probability = expected[f"p({expected['prediction']})"]
    assert f"Prediction: {expected['prediction']}, with a probability of {probability:.1%}" in text
    assert "'duration_months': 1 of 1 cells are outside the range of training" in text
    shares = table_with(test, "Probability").set_index("Class")["Probability"]
    assert shares["good"] == pytest.approx(100 * expected["p(good)"])


def test_a_version_that_was_not_exported_scores_files_only(world: World) -> None:
    model = models.register(repeated(world.binary, leave_out="model.onnx"), name="Not exported", access=LOCAL)
    other = visit("models", model=model.id, tab="Score", score="row")
    assert "this version is not exported yet" in texts(other)
    assert "Export it on the Edge page" in labels(other)


def test_a_policy_decides_about_the_row(credit_model: Model) -> None:
    version = models.versions(credit_model.id, access=LOCAL)[0]
    test = visit("models", model=credit_model.id, version="2", tab="Score", score="row")
    file = "policy-by-sex.json"
    assert test.selectbox(key=f"models-score-policy-{version.id}").value == file
    outcomes = set()
    for status, duration in (("no checking account", 4), ("... < 0 DM", 72)):
        for sex in ("female", "male"):
            test.selectbox(key=f"models-row-{version.id}-sex").set_value(sex)
            test.selectbox(key=f"models-row-{version.id}-status").set_value(status)
            test.number_input(key=f"models-row-{version.id}-duration_months").set_value(duration)
            test.button(key="models-score-row").click().run()
            assert not test.exception
            share = table_with(test, "Probability").set_index("Class").loc["good", "Probability"] / 100
            selected = share >= POLICY.rules[sex][0][0]
            outcomes.add(selected)
            said = "check_circle: Selected by" if selected else "cancel: Not selected by"
            assert f"[:material/{said} {file}]" in texts(test)
    assert outcomes == {True, False}
    test.selectbox(key=f"models-score-policy-{version.id}").set_value("none").run()
    assert "Prediction: " in texts(test)
    assert "elected by" not in texts(test)


def test_a_file_is_scored_and_its_differences_are_told(credit_model: Model) -> None:
    rows = load_sample("german_credit").frame.drop(columns="credit").head(60).astype(object)
    rows.loc[:9, "duration_months"] = "long"
    rows.loc[3:5, "purpose"] = "a boat"
    rows["note"] = "=1+1"
    test = visit("models", model=credit_model.id, version="2", tab="Score")
    assert test.button(key="models-score-start").disabled
    test.file_uploader[0].upload("new rows.csv", rows.to_csv(index=False).encode()).run()
    test.button(key="models-score-start").click().run()
    assert not test.exception
    run = jobs.wait(query(test, "run"), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message

    test = visit("models", run=run.id)
    assert not test.error
    assert "60 rows scored; 2 problems in the file may make the predictions wrong" in texts(test)
    assert f"Scored with {credit_model.name}, version 2, decided by the policy policy-by-sex.json" in texts(test)
    columns = table_with(test, "Not readable").set_index("Column")
    assert columns.loc["duration_months", ["Not readable", "New type", "Examples"]].tolist() == [10, "text", "long"]
    assert columns.loc["purpose", ["Unseen values", "Examples"]].tolist() == [3, "a boat"]
    for name in ("Predictions", "Rows"):
        test.session_state["models-scored-tabs"] = name
        test.run()
        assert not test.exception
        assert not test.error
    shown = table_with(test, "prediction")
    assert list(shown.columns[:4]) == ["prediction", "p(bad)", "p(good)", "decision"]
    assert shown["decision"].tolist() == POLICY.predict(shown["p(good)"], shown["sex"]).tolist()
    assert shown["decision"].nunique() == 2
    assert len(shown) == 60
    test.button(key="models-back").click().run()
    assert (query(test, "model"), query(test, "tab")) == (credit_model.id, "Score")
    listed = table_with(test, "File")
    assert listed.loc[0, ["File", "Version", "Rows", "Alerts"]].tolist() == ["new rows.csv", 2, 60, 2]


@pytest.mark.parametrize(
    ("overlap", "message"),
    [
        (
            {"shared": 12, "held_out": 200},
            "12 of 40 rows are also in the training data: these metrics flatter the model.",
        ),
        ({"shared": 30, "held_out": 200, "held_out_shared": 180}, "and so are 90% of the test rows"),
        ({"reason": "the training table was deleted"}, "cannot be checked: the training table was deleted."),
        ({"held_out": 200}, "None of the 40 rows with the target is in the training data."),
    ],
)
def test_metrics_of_rows_of_training_are_said_to_flatter(overlap: dict, message: str) -> None:
    def page(overlap: dict) -> None:
        from core.models import FileEvaluation, StoredEstimate, TrainingOverlap
        from pages.models.file_summary import show_evaluation

        metrics = {"accuracy": StoredEstimate(0.9, 0.8, 0.97, 40)}
        show_evaluation(FileEvaluation(40, 1, metrics, metrics, 40, None, "w", TrainingOverlap(40, **overlap)))

    test = AppTest.from_function(page, kwargs={"overlap": overlap}).run()
    assert not test.exception
    assert message in texts(test)
    assert "40 rows of the file have the target; 1 row without a value that the model knows is left out." in texts(test)
    assert "The test rows count by w, which the file does not have" in texts(test)


def test_a_file_that_lacks_columns_fails_at_its_address(credit_model: Model) -> None:
    version = models.versions(credit_model.id, access=LOCAL)[1]
    run = jobs.wait(
        score.submit_upload(version, io.BytesIO(b"a,b\n1,2\n"), "other.csv", access=LOCAL), 60, access=LOCAL
    )
    test = visit("models", run=run.id)
    assert not test.exception
    assert "The table has no column" in texts(test)


@pytest.mark.nightly
def test_a_label_that_is_a_number_keeps_its_probability(world: World) -> None:
    table = load_sample("german_credit").frame[["duration_months", "credit_amount", "credit"]].head(300)
    table["late"] = (table.pop("credit") == "bad").astype(int)
    read = jobs.wait(
        ingest.submit_upload(io.BytesIO(table.to_csv(index=False).encode()), "late.csv", access=LOCAL), 60, access=LOCAL
    )
    settings = AutoMLSettings(
        target="late", time_budget_s=None, max_trials=2, folds=2, learners=("lgbm",), ensemble=False, explain=False
    )
    run = jobs.wait(
        automl.submit(datasets.get(read.result["dataset_id"], access=LOCAL), settings, access=LOCAL), 120, access=LOCAL
    )
    assert run.state is RunState.SUCCEEDED, run.error_message
    model = models.register(run.id, name="Late", access=LOCAL)
    test = visit("models", model=model.id, tab="Score", score="row")
    test.button(key="models-score-row").click().run()
    assert not test.exception
    assert not test.error
    shares = table_with(test, "Probability").set_index("Class")["Probability"]
    assert sorted(shares.index) == ["0", "1"]
    assert f"Prediction: {shares.idxmax()}, with a probability of {shares.max():.1f}%" in texts(test)


def test_a_result_leads_to_the_score_tab(world: World) -> None:
    run = repeated(world.binary)
    test = _score_tab(run)
    test.button(key="automl-register").click().run()
    assert (query(test, "register"), query(test, "tab")) == (run, "Score")
    test = visit("models", register=run, tab="Score")
    test.text_input[0].set_value("Scored at once").run()
    test.button(key="models-register-start").click().run()
    assert not test.exception
    assert query(test, "tab") == "Score"
    assert "Score the file" in labels(test)
    version = models.versions(query(test, "model"), access=LOCAL)[0]
    test = _score_tab(run)
    test.button(key=f"automl-score-{version.id}").click().run()
    assert (query(test, "model"), query(test, "version"), query(test, "tab")) == (version.model_id, "1", "Score")


def _score_tab(run: str) -> AppTest:
    return visit("automl", run=run, tab="Score")

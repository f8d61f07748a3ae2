"""The Fairness page: a model's test rows, a table's own predictions, numbers, the lab, mitigations, the report."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import streamlit as st

from core import jobs, policies
from core.access import LOCAL
from core.catalog import Dataset, RunArtifact, RunState, artifacts, runs
from core.datasets import load_frame
from core.fairness import CONSTRAINTS, DEFINITIONS, OBJECTIVES, RATES, TECHNIQUES, Definition, Rate
from core.storage import get_store
from core.tasks import mitigate
from tests.golden import decisions
from tests.pages.conftest import World, labels, repeated, texts, visit


def tab(test, name: str):
    test.session_state["fairness-tabs"] = name
    return test.run()


@pytest.fixture
def own(world: World) -> tuple[Dataset, pd.DataFrame]:
    """A table with labels, decisions and scores of its own."""
    return world.decisions, decisions()


def choose(test, dataset, **columns: str):
    for name, column in columns.items():
        if name != "sensitive":
            test.selectbox(key=f"fairness-{name}-{dataset.id}").set_value(column)
    test.run()
    if "sensitive" in columns:
        test.multiselect(key=f"fairness-columns-{dataset.id}").set_value([columns["sensitive"]]).run()
    return test


def test_a_model_is_judged_by_its_test_rows(world: World) -> None:
    test = visit("fairness", run=world.binary)
    assert not test.exception
    assert not test.error
    said = texts(test)
    assert "of 100 get 'good'" in test.subheader[0].value
    assert "200 test rows" in said
    assert "favorable outcome: good" in said
    assert "On 800 out-of-fold predictions: " in said.replace("\\", ""), "the larger evidence"
    shown = test.dataframe[0].value
    assert shown["Rows"].sum() == 200


def test_groups_are_those_of_the_chosen_columns(world: World) -> None:
    test = visit("fairness", run=world.binary)
    test.multiselect(key=f"fairness-columns-{world.binary}").set_value(["sex", "age"]).run()
    assert not test.exception
    groups = test.dataframe[0].value["Group"]
    assert all("," in group for group in groups), "ages are binned and crossed with sex"
    assert "Too few rows to compare" in str([item.label for item in test.expander])
    test.number_input(key="fairness-min-group-size").set_value(90)
    test = tab(test, "Threshold lab")
    assert "Too few rows to compare: " in texts(test)
    test.button(key="fairness-optimize").click().run()
    assert not test.exception
    assert "without a rule of their own, and not part of the difference: " in texts(test)


@pytest.mark.parametrize("definition", ["equalized_odds", "predictive_parity", "four_fifths"])
def test_each_definition_has_a_verdict(world: World, definition: str) -> None:
    test = visit("fairness", run=world.binary)
    test.selectbox(key="fairness-definition").set_value(definition).run()
    assert not test.exception
    assert test.subheader[0].value


def test_a_number_is_judged_by_its_errors(world: World) -> None:
    test = visit("fairness", run=world.number)
    test.multiselect(key=f"fairness-columns-{world.number}").set_value(["sex"]).run()
    assert not test.exception
    assert "Mean error" in test.dataframe[0].value.columns
    assert "numbers" in texts(tab(test, "Threshold lab"))


def test_a_slider_moves_counts_and_says_who_is_affected(world: World) -> None:
    test = tab(visit("fairness", run=world.binary), "Threshold lab")
    before = test.dataframe[0].value.set_index("Group")["Selected"]
    test.slider[0].set_value(test.slider[0].min).run()
    assert not test.exception
    after = test.dataframe[0].value.set_index("Group")["Selected"]
    assert (after >= before).all()
    assert "selected, " in texts(test)


def test_the_optimizer_finds_applies_and_keeps_a_policy(world: World) -> None:
    test = tab(visit("fairness", run=world.binary), "Threshold lab")
    test.selectbox(key="fairness-constraint").set_value("demographic_parity").run()
    said = texts(test)
    assert said.index("It leaves a difference of") < said.index("Title VII, section 703(l)")
    single = "policy-one-threshold-for-all.json"
    test.button(key="fairness-single-keep").click().run()
    assert policies.kept(runs.get(world.binary, access=LOCAL), access=LOCAL)[single].columns == ()
    assert f"{single} (in force)" in texts(test)
    test.button(key="fairness-optimize").click().run()
    assert not test.exception
    assert "to 0.0 points" in texts(test)
    run = runs.get(world.binary, access=LOCAL)
    reads = policies.reads(run, access=LOCAL)
    test.button(key="fairness-apply").click().run()
    assert "On the test rows the rule gives" in texts(test)
    assert policies.reads(run, access=LOCAL) == reads + 1
    test.button(key="fairness-apply").click().run()
    assert policies.reads(run, access=LOCAL) == reads + 1, "the same rule counts once"
    test.button(key="fairness-keep").click().run()
    kept = policies.kept(run, access=LOCAL)
    assert list(kept) == ["policy-demographic-parity-by-sex.json", single]
    policy = kept["policy-demographic-parity-by-sex.json"]
    assert set(policy.rules) == {"female", "male"}
    assert policy.settings["positive"] == "good"
    test = tab(test, "Report")
    assert "Rules" in texts(test)


def weigh(result: dict) -> None:
    result["settings"]["weight_column"] = "credit_amount"


def test_rows_count_by_the_weights_of_the_search(world: World) -> None:
    run_id = repeated(world.binary, edit=weigh)
    run, tables = runs.get(run_id, access=LOCAL), {}
    for name in ("test.parquet", "oof.parquet"):
        table = pd.read_parquet(jobs.artifact_path(run_id, name, access=LOCAL))
        weights = np.random.default_rng(0).choice([1.0, 5.0], len(table))
        table.insert(1, "plumbline:weight", weights)
        content = table.to_parquet()
        artifacts.add(
            RunArtifact(
                workspace="local",
                run_id=run.id,
                name=name,
                digest=get_store().put_bytes(content),
                size_bytes=len(content),
            ),
            access=LOCAL,
        )
        tables[name] = table
    test = visit("fairness", run=run_id)
    assert not test.exception
    assert "rows count by their weight in credit_amount" in texts(test)
    rows, shown = tables["test.parquet"], test.dataframe[0].value.set_index("Group")
    assert shown["Rows"].sum() == 200
    for group, own in rows.groupby(world_column(world, "sex").iloc[rows["row_id"]].to_numpy()):
        selected = np.average(own["prediction"] == "good", weights=own["plumbline:weight"])
        assert shown.loc[group, "Selection rate (%)"] == pytest.approx(100 * selected)
        right = np.average(own["prediction"] == own["credit"], weights=own["plumbline:weight"])
        assert shown.loc[group, "Accuracy (%)"] == pytest.approx(100 * right)
    test = tab(test, "Threshold lab")
    counts = test.dataframe[0].value.set_index("Group")
    assert (counts["Selected"] % 1 == 0).all(), "rows are counted, whatever they weigh"
    test.button(key="fairness-optimize").click().run()
    assert not test.exception
    test = tab(test, "Mitigations")
    assert "Exponentiated gradient and Grid search take no weights of rows and are not offered." in texts(test)
    assert test.multiselect(key="fairness-mitigation-techniques").value == ["reweighing", "correlation_remover"]
    test = tab(test, "Report")
    assert not test.exception


def world_column(world: World, name: str) -> pd.Series:
    """Return a column of the credit table."""
    return load_frame(get_store().local_path(world.credit.data_digest), [name])[name]


def test_techniques_are_trained_and_compared(world: World) -> None:
    test = tab(visit("fairness", run=world.binary), "Mitigations")
    test.multiselect(key="fairness-mitigation-techniques").set_value(["reweighing", "correlation_remover"])
    test.button(key="fairness-mitigate").click().run()
    assert not test.exception
    newest = mitigate.latest(runs.get(world.binary, access=LOCAL), access=LOCAL)
    ended = jobs.wait(newest.id, 120, access=LOCAL)
    assert ended.state is RunState.SUCCEEDED, ended.error_message
    test.run()
    shown = test.dataframe[0].value
    assert shown["Technique"].tolist() == ["Unmitigated", "Reweighing", "Correlation remover"]
    stored = json.loads(jobs.artifact_path(newest.id, "mitigation.json", access=LOCAL).read_text())
    assert shown["Accuracy (%)"].tolist() == pytest.approx([100 * row["accuracy"] for row in stored["table"]])


def test_a_table_of_its_own_decisions(world: World, own) -> None:
    dataset, frame = own
    test = choose(
        visit("fairness", dataset=dataset.id), dataset, label="truth", prediction="decision", sensitive="group"
    )
    assert not test.exception
    assert not test.error
    table = test.dataframe[0].value.set_index("Group")
    rate = (frame["decision"] == "yes").groupby(frame["group"]).mean()
    assert table["Selection rate (%)"].to_dict() == pytest.approx((100 * rate).to_dict())
    assert "a score column" in texts(tab(test, "Threshold lab"))


def test_a_table_with_scores_opens_the_lab_on_half_of_its_rows(world: World, own) -> None:
    dataset, frame = own
    test = choose(visit("fairness", dataset=dataset.id), dataset, label="truth", score="score", sensitive="group")
    assert not test.exception
    said = texts(tab(test, "Threshold lab"))
    assert "half of the rows" in said
    assert test.dataframe[0].value["Rows"].sum() == pytest.approx(len(frame) / 2, rel=0.1)
    assert "No two groups have enough rows to be compared." in said, "this half has one group"
    test.button(key="fairness-single-apply").click().run()
    assert not test.exception
    said = texts(test)
    assert "the rule gives an accuracy of" in said
    assert "refitted" not in said, "a table has no model"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"label": "truth", "prediction": "decision", "sensitive": "one"}, "No two groups have enough rows"),
        ({"label": "truth", "prediction": "decision", "sensitive": "name"}, "1,500 groups"),
        ({"label": "one", "prediction": "decision", "sensitive": "group"}, ""),
        ({"label": "truth", "score": "decision", "sensitive": "group"}, "is not a number in every row"),
    ],
    ids=["one group", "a group a row", "one class", "a score of words"],
)
def test_what_cannot_be_compared_is_said(world: World, own, columns: dict[str, str], said: str) -> None:
    dataset, _ = own
    test = choose(visit("fairness", dataset=dataset.id), dataset, **columns)
    assert not test.exception
    assert said in texts(test)


def test_a_constant_score_is_said(world: World, own) -> None:
    dataset, _ = own
    test = choose(visit("fairness", dataset=dataset.id), dataset, label="truth", score="constant", sensitive="group")
    assert "no threshold separates rows" in texts(tab(test, "Threshold lab"))
    test.button(key="fairness-optimize").click().run()
    assert not test.exception


def test_the_result_page_leads_here(world: World) -> None:
    test = visit("automl", run=world.binary)
    assert "Fairness" in labels(test)


@pytest.fixture
def added_rate():
    """A rate from outside, with a definition about it."""
    RATES.add(
        Rate(
            "false_discovery_rate",
            "False discovery rate",
            "Share of the selected rows that do not have the positive label.",
            hits=(0, 1, 0, 0),
            among=(0, 1, 0, 1),
        )
    )
    DEFINITIONS.add(
        Definition(
            "reliability_parity",
            "Reliability parity",
            ("false_discovery_rate",),
            "Are selections wrong equally often in every group?",
            "When wrong selections do harm.",
        )
    )
    st.cache_resource.clear()
    yield "reliability_parity"
    DEFINITIONS.remove("reliability_parity")
    RATES.remove("false_discovery_rate")
    st.cache_resource.clear()


def test_an_added_rate_and_definition_are_on_the_page(world: World, added_rate: str) -> None:
    test = visit("fairness", run=world.binary)
    test.selectbox(key="fairness-definition").set_value(added_rate).run()
    assert not test.exception
    assert "False discovery rate (%)" in test.dataframe[0].value.columns
    assert "false discovery rate" in test.subheader[0].value.lower()
    assert "Difference in false discovery rate" in [metric.label for metric in test.metric]
    assert "Reliability parity" in texts(test)
    report = tab(test, "Report")
    assert not report.exception
    assert "Definitions" in texts(report)


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_every_constraint_and_objective_can_be_optimized(world: World, constraint: str) -> None:
    test = tab(visit("fairness", run=world.binary), "Threshold lab")
    test.selectbox(key="fairness-constraint").set_value(constraint)
    for objective in OBJECTIVES:
        test.selectbox(key="fairness-objective").set_value(objective).run()
        test.button(key="fairness-optimize").click().run()
        assert not test.exception
        assert f"On the calibration rows {OBJECTIVES[objective].title.lower()} goes from" in texts(test)


def test_every_technique_and_constraint_of_training_is_offered(world: World) -> None:
    test = tab(visit("fairness", run=world.binary), "Mitigations")
    techniques = [record.title for record in TECHNIQUES.values()]
    assert test.multiselect(key="fairness-mitigation-techniques").options == techniques
    assert "out-of-fold predictions of the training rows" in texts(test)
    test.number_input(key="fairness-mitigation-bound").set_value(50.0).run()
    nothing = "on these predictions exponentiated gradient and grid search have no difference left to reduce."
    assert f"{nothing} They do not tell what reweighing and correlation remover would change." in texts(test)
    assert test.button(key="fairness-mitigate").label == "Train and compare"
    test.multiselect(key="fairness-mitigation-techniques").set_value(["exponentiated_gradient", "grid_search"]).run()
    assert nothing in texts(test)
    assert "They do not tell" not in texts(test)
    assert test.button(key="fairness-mitigate").label == "Train and compare anyway"
    test.multiselect(key="fairness-mitigation-techniques").set_value(["reweighing"]).run()
    assert "no difference left" not in texts(test), "reweighing changes the training whatever the difference is"
    assert test.button(key="fairness-mitigate").label == "Train and compare"
    constraints = [record.title for record in CONSTRAINTS.values() if record.fairlearn_moment]
    assert test.selectbox(key="fairness-mitigation-constraint").options == constraints

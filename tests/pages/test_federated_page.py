"""The Federated page: the form for one table and for several, a study under way, and every tab of a finished one."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.access import LOCAL
from core.catalog import Run, RunState, datasets, runs
from core.federated import ALGORITHMS, FederatedSettings, spent_epsilon
from core.tasks import federated, ingest
from tests.golden import Golden
from tests.pages.conftest import labels, query, texts, visit
from tests.pages.test_light_pages import loaded_by_visits
from tests.unit.test_layout import HEAVY

TABS = [
    "Sites",
    "Rounds",
    "Messages",
    "Privacy",
    "Model",
    "Charts",
    "Explain",
    "Where it fails",
    "Decide",
    "What-if",
    "Score",
    "Export",
    "Checks",
    "Method",
]
CHOSEN = {"target": "credit", "sites": "purpose"}


@pytest.fixture(scope="module")
def study(stocked: Golden) -> str:
    """A finished study of German credit by purpose."""
    settings = FederatedSettings(
        target="credit",
        site_column="purpose",
        algorithm="linear",
        folds=2,
        positive_label="bad",
        sensitive_columns=("sex",),
    )
    run_id = federated.submit(datasets.get(stocked.credit, access=LOCAL), settings, access=LOCAL)
    run = jobs.wait(run_id, 120, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    return run.id


@pytest.fixture(scope="module")
def clinics(stocked: Golden) -> list[str]:
    """Two tables with the same columns, and one with a column less."""
    made = []
    for number in range(3):
        random = np.random.default_rng(number)
        table = pd.DataFrame({"age": random.integers(20, 90, 120), "dose": random.normal(size=120).round(3)})
        table["ill"] = np.where(table["age"] + 10 * table["dose"] > 55, "yes", "no")
        content = io.BytesIO((table if number < 2 else table.drop(columns="dose")).to_csv(index=False).encode())
        made.append(ingest.submit_upload(content, f"clinic{number}.csv", access=LOCAL))
    return [jobs.wait(run_id, 60, access=LOCAL).result["dataset_id"] for run_id in made]


@pytest.fixture
def form(stocked: Golden) -> AppTest:
    """The form, filled in for German credit by purpose."""
    test = visit("federated", dataset=stocked.credit, **CHOSEN)
    assert not test.exception
    assert not test.error
    return test


def _submitted(test: AppTest) -> Run:
    assert not test.exception
    run_id = query(test, "run")
    jobs.cancel(run_id, access=LOCAL)
    return jobs.wait(run_id, 30, access=LOCAL)


def _disabled(test: AppTest) -> str:
    """Return why a study cannot start."""
    assert test.button(key="federated-start").disabled
    return test.warning[0].value.replace("\\", "")


def test_without_a_table_the_samples_are_the_way_to_begin(home: Path) -> None:
    test = visit("federated")
    assert not test.exception
    assert "There is no table yet" in texts(test)
    test.button(key="federated-sample-german_credit").click().run()
    run = jobs.wait(query(test, "sample"), 60, access=LOCAL)
    test.run()
    assert not test.exception
    assert query(test, "dataset") == run.result["dataset_id"]
    assert (query(test, "target"), query(test, "sites")) == ("credit", "purpose")
    assert not test.button(key="federated-start").disabled
    linked = visit("federated", sample=run.id)  # Back leads here, and from here only a button leads on
    assert "run" not in linked.query_params
    linked.button(key="federated-open-sample").click().run()
    assert query(linked, "dataset") == run.result["dataset_id"]


def test_a_sample_that_is_loaded_fills_the_form_at_once(stocked: Golden) -> None:
    test = visit("federated", dataset=stocked.diabetes)
    before = len(runs.find(task="ingest", access=LOCAL))
    test.button(key="federated-sample-german_credit").click().run()
    assert test.selectbox(key="federated-dataset").value == stocked.credit
    assert test.selectbox(key=f"federated-sites-{stocked.credit}").value == "purpose"
    assert len(runs.find(task="ingest", access=LOCAL)) == before


def test_another_table_keeps_the_algorithm_and_has_columns_of_its_own(form: AppTest, stocked: Golden) -> None:
    form.selectbox(key="federated-algorithm").set_value("fedprox").run()
    form.selectbox(key="federated-dataset").set_value(stocked.diabetes).run()
    assert not form.exception
    assert (query(form, "dataset"), query(form, "algorithm")) == (stocked.diabetes, "fedprox")
    assert form.selectbox(key="federated-algorithm").value == "fedprox"
    assert form.selectbox(key=f"federated-target-{stocked.diabetes}").value == "progression"
    assert form.selectbox(key=f"federated-sites-{stocked.diabetes}").value is None


def test_the_form_says_who_takes_part(form: AppTest) -> None:
    chart = form.get("vega_lite_chart")[0]
    assert "6 of 10 sites have at least 40 rows and take part" in chart.proto.alt
    assert "radio/television 280" in chart.proto.alt
    assert "Left out, with fewer than 40 rows: repairs (22)" in texts(form)
    assert "good 70.0%, bad 30.0%" in texts(form)
    assert "Before you start" in texts(form)


def test_only_columns_with_few_values_can_be_sites(form: AppTest, stocked: Golden) -> None:
    offered = form.selectbox(key=f"federated-sites-{stocked.credit}").options
    assert {"purpose", "housing", "credit"} <= set(offered)
    assert "credit_amount" not in offered


def test_start_says_what_is_missing(stocked: Golden, form: AppTest) -> None:
    assert _disabled(visit("federated", dataset=stocked.credit)) == "Choose the column of sites."
    form.selectbox(key=f"federated-sites-{stocked.credit}").set_value("credit").run()
    assert "cannot be the column of sites" in _disabled(form)
    form.selectbox(key=f"federated-sites-{stocked.credit}").set_value("foreign_worker")
    form.selectbox(key=f"federated-target-{stocked.credit}").set_value("sex").run()
    assert "Only 1 of 2 sites have enough rows" in _disabled(form)
    form.selectbox(key=f"federated-sites-{stocked.credit}").set_value("purpose").run()
    assert "which outcome" in _disabled(form)


def test_defaults_are_those_of_the_settings(form: AppTest, stocked: Golden) -> None:
    form.button(key="federated-start").click().run()
    changed: dict[str, Any] = {"task": "binary", "metric": "roc_auc", "sensitive_columns": ["sex", "age"]}
    changed |= {"positive_label": "good"}
    expected = FederatedSettings(target="credit", site_column="purpose").model_dump(mode="json") | changed
    run = _submitted(form)
    assert run.settings == expected
    assert run.dataset_id == stocked.credit


def test_start_submits_what_the_widgets_say(form: AppTest, stocked: Golden) -> None:
    columns = f"{stocked.credit}-credit-20"
    form.number_input(key="federated-rounds-boosting").set_value(7)
    form.number_input(key="federated-learning-rate-boosting").set_value(0.3)
    form.number_input(key="federated-max_leaves").set_value(5)
    form.slider(key="federated-test-share").set_value(30)
    form.selectbox(key="federated-folds").set_value(0)
    form.toggle(key="federated-pooled").set_value(False)
    form.multiselect(key=f"federated-drop-{columns}").set_value(["age"])
    form.radio(key=f"federated-positive-{stocked.credit}-credit").set_value("bad")
    form.selectbox(key="federated-metric-binary").set_value("log_loss").run()
    label = next(item.label for item in form.expander if item.label.startswith("Advanced"))
    assert label == "Advanced: changed test share, folds, pooled model, maximum leaves"
    form.button(key="federated-start").click().run()
    settings = FederatedSettings.model_validate(_submitted(form).settings)
    assert (settings.rounds, settings.learning_rate, settings.max_leaves) == (7, 0.3, 5)
    assert (settings.test_fraction, settings.folds, settings.pooled) == (0.3, 0, False)
    assert (settings.drop_columns, settings.positive_label, settings.metric) == (("age",), "bad", "log_loss")


@pytest.mark.parametrize("algorithm", list(ALGORITHMS))
def test_each_algorithm_has_its_own_options(form: AppTest, algorithm: str) -> None:
    form.selectbox(key="federated-algorithm").set_value(algorithm).run()
    assert not form.exception
    titles = {field.label for field in form.number_input}
    assert ("Trees per class" in titles) == (algorithm == "boosting")
    assert ("Learning rate" in titles) == (algorithm != "linear")
    assert ("Maximum leaves" in titles) == (algorithm == "boosting")
    assert ("Local epochs" in titles) == ALGORITHMS[algorithm].averages
    assert ("Proximal weight" in titles) == (algorithm == "fedprox")
    assert ("Coordinator's learning rate" in titles) == (algorithm == "fedadam")
    assert any(box.label == "Aggregation" for box in form.selectbox) == ALGORITHMS[algorithm].averages
    assert ("Secure sums, always on." in texts(form)) != ALGORITHMS[algorithm].averages


def test_a_robust_aggregation_lets_the_coordinator_see_updates(form: AppTest) -> None:
    form.selectbox(key="federated-algorithm").set_value("fedavg").run()
    assert form.toggle(key="federated-secure-sums").value
    form.selectbox(key="federated-aggregation").set_value("trimmed_mean").run()
    assert form.toggle(key="federated-secure-none").disabled
    assert "The coordinator sees the update of each site" in texts(form)
    form.number_input(key="federated-faulty-3").set_value(2).run()
    form.button(key="federated-start").click().run()
    settings = FederatedSettings.model_validate(_submitted(form).settings)
    assert (settings.aggregation, settings.assumed_faulty, settings.secure_sums) == ("trimmed_mean", 2, False)


def test_an_epsilon_becomes_noise_that_the_smallest_site_needs(form: AppTest) -> None:
    form.selectbox(key="federated-algorithm").set_value("fedavg").run()
    form.number_input(key="federated-local_epochs").set_value(5)
    form.number_input(key="federated-rounds-fedavg").set_value(4)
    form.radio(key="federated-noise").set_value("row").run()
    form.number_input(key="federated-epsilon").set_value(2.0).run()
    assert "Epsilon 2: with and without any one row" in texts(form)
    assert "24 steps of 80% of 40 rows, at the smallest site" in texts(form)
    form.button(key="federated-start").click().run()
    noise = _submitted(form).settings["noise_multiplier"]
    assert spent_epsilon(0.8, noise, 24, 1e-5) <= 2 < spent_epsilon(0.8, noise - 0.002, 24, 1e-5)


def test_each_site_can_have_a_table(clinics: list[str]) -> None:
    test = visit("federated", **{"from": "tables"})
    assert "Choose at least two tables" in texts(test)
    test.multiselect(key="federated-tables").set_value(clinics).run()
    assert "2 columns are in all tables. Left out: dose." in texts(test)
    test.selectbox(key="federated-target-of-tables").set_value("ill").run()
    assert not test.exception
    assert "All 3 sites have at least 40 rows" in test.get("vega_lite_chart")[0].proto.alt
    test.text_input(key=f"federated-site-{clinics[0]}").input("clinic1").run()
    assert "Several sites are called 'clinic1'" in _disabled(test)
    test.text_input(key=f"federated-site-{clinics[0]}").input("North").run()
    assert test.query_params["table"] == clinics
    test.button(key="federated-start").click().run()
    run = _submitted(test)
    assert run.settings["tables"] == {"North": clinics[0], "clinic1": clinics[1], "clinic2": clinics[2]}
    assert run.settings["site_column"] is None


def test_a_result_begins_with_its_verdict(study: str) -> None:
    test = visit("federated", run=study)
    assert not test.exception
    assert not test.error
    assert test.subheader[0].value.replace("\\", "") == (jobs.get(study, access=LOCAL).result or {})["verdict"]
    assert "trained by 6 sites in 6 rounds" in texts(test)
    titles = [metric.label for metric in test.metric]
    assert titles == [
        "ROC AUC",
        "Sites that surely gain",
        "Distance to pooled training",
        "Data sent per site",
        "Rounds",
    ]
    assert test.metric[1].value.endswith(" of 6")
    assert {"Repeat", "Log", "New study", "Fairness", "Edge"} <= set(labels(test))
    assert [item.proto.label for item in test.get("download_button")] == ["Model (zip)"]


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_of_a_result_draws(study: str, tab: str) -> None:
    test = visit("federated", run=study, tab=tab)
    assert not test.exception
    assert not test.error
    assert test.session_state["federated-tabs"] == tab
    said = texts(test)
    match tab:
        case "Sites":
            table = test.dataframe[0].value
            assert len(table) == 6
            assert table["Gain"].is_monotonic_decreasing
            assert table["Note"].str.contains("No interval").any()
        case "Rounds":
            assert "The loss fell from 0.693" in test.get("vega_lite_chart")[0].proto.alt
            assert len(test.dataframe[0].value) == 6
        case "Messages":
            masked = test.table[0].value["Masked"]
            assert [name.split("**")[1] for name in masked.index if masked[name] == "yes"][-1] == "Gradient"
            assert [item.proto.label for item in test.get("download_button")][-1] == "Messages (CSV)"
            assert len(test.dataframe[0].value) == 6
        case "Privacy":
            assert "No row left a site" in said
            assert "This was a simulation" in said
        case "Model":
            assert "learned from the training rows of all 6 sites" in said
            assert "Feature engineering" not in said
        case "Explain":
            assert "the model would lose" in said
        case "Decide":
            assert "out-of-fold predictions" in said
        case "Score":
            assert "Register this model" in labels(test)
        case "Checks":
            assert "Sites with fewer than 40 rows that have a" in said
        case "Method":
            assert "scikit-learn" in str(test.table[1].value.to_dict())


def test_the_result_loads_nothing_that_only_a_run_needs(study: str) -> None:
    tabs = ["Sites", "Rounds", "Messages", "Privacy", "Model", "Charts", "Checks"]
    assert not loaded_by_visits([["federated", {"run": study}, "federated-tabs", tabs]]) & {*HEAVY, "sklearn"}


def test_sites_are_compared_as_groups(study: str) -> None:
    test = visit("fairness", run=study, groups="purpose")
    assert not test.exception
    assert not test.error
    assert test.multiselect(key=f"fairness-columns-{study}").value == ["purpose"]
    mitigations = visit("fairness", run=study, tab="Mitigations")
    assert not mitigations.exception
    assert "Training again needs a search" in texts(mitigations)


def test_a_study_is_among_recent_work_and_can_be_registered(study: str) -> None:
    test = visit("home")
    assert not test.exception
    assert f"home-open-{study}" in {button.key for button in test.button}
    assert not visit("models").exception
    form = visit("models", register=study)
    assert not form.exception
    assert form.selectbox(key=f"models-register-run-{study}").value == study


def test_a_study_is_repeated_without_a_column(study: str) -> None:
    run_id = federated.train_without(jobs.get(study, access=LOCAL), ["status"], access=LOCAL)
    test = visit("federated", run=run_id)
    assert not test.exception
    assert "This study leaves out 'status'" in texts(test)
    assert _submitted(test).settings["drop_columns"] == ["status"]
    assert "Trained again without 'status'" in texts(visit("federated", run=study))


def test_a_study_that_failed_says_why(stocked: Golden) -> None:
    settings = FederatedSettings(target="credit", site_column="no such column")
    run_id = federated.submit(datasets.get(stocked.credit, access=LOCAL), settings, access=LOCAL)
    jobs.wait(run_id, 60, access=LOCAL)
    test = visit("federated", run=run_id)
    assert not test.exception
    assert "no such column" in texts(test)
    assert "Repeat" in labels(test)


def test_rounds_are_drawn_while_they_happen() -> None:
    def draw(losses: list[float], missing: list[list[str]]) -> None:
        from core.catalog import Run, RunEvent, RunState
        from pages.federated import live

        run = Run(workspace="local", task="federated", state=RunState.RUNNING, settings={"folds": 0})
        phases = [("prepare", {}), ("agree", {}), ("features", {})]
        phases += [
            ("train", {"round": number, "loss": loss, "by_site": {"a": loss, "b": loss / 2}, "missing": away})
            for number, (loss, away) in enumerate(zip(losses, missing, strict=True), start=1)
        ]
        events = [
            RunEvent(workspace="local", run_id=run.id, at=float(at), phase=phase, values=values)
            for at, (phase, values) in enumerate(phases)
        ]
        live.details(run, events)

    test = AppTest.from_function(draw, args=([0.7, 0.5], [[], ["b"]]), default_timeout=30).run()
    assert not test.exception
    said = texts(test)
    assert "Rounds  \n:material/progress_activity: at work" in said
    assert ":gray[Own models" in said
    assert "Out-of-fold" not in said
    assert "Rounds without a site: b 1." in said
    assert "The loss fell from 0.700 to 0.500 in 2 rounds" in test.get("vega_lite_chart")[0].proto.alt
    single = AppTest.from_function(draw, args=([0.7], [[]]), default_timeout=30).run()
    assert "Loss before round 1: 0.700" in single.get("vega_lite_chart")[0].proto.alt


def _evidence(site: str, gain: tuple[float, float | None, float | None] | None, error: str = "") -> dict[str, Any]:
    def item(value: float, low: float | None = None, high: float | None = None) -> dict[str, Any]:
        return {"value": value, "low": low, "high": high, "n": 50, "reason": "" if low is not None else "too few rows"}

    metrics = {"federated": {"log_loss": item(0.5)}} | ({} if gain is None else {"local": {"log_loss": item(0.6)}})
    own = None if gain is None else item(*gain)
    record = {"site": site, "train": 90, "test": 50, "metrics": metrics, "gain": own}
    return record | {"distance": None, "local_error": error}


@pytest.mark.parametrize(
    ("sites", "title"),
    [
        ([_evidence("a", (0.1, 0.05, 0.2)), _evidence("b", (0.2, 0.1, 0.3))], "All 2 sites surely gain"),
        ([_evidence("a", (0.1, 0.05, 0.2)), _evidence("b", (-0.2, -0.3, -0.1))], "and 1 surely lose"),
        ([_evidence("a", (0.1, None, None)), _evidence("b", None, "one class")], "No site has enough test rows"),
        ([_evidence(f"s{number}", (0.0, -0.1, 0.1)) for number in range(60)], "No site surely gains or loses"),
    ],
)
def test_gains_are_told_as_they_are(sites: list[dict[str, Any]], title: str) -> None:
    def draw(sites: list[dict]) -> None:
        from core.catalog import Run
        from pages.federated import sites as tab

        record = {"metric": "log_loss", "sites": sites, "settings": {"site_column": "site"}}
        tab.show(Run(workspace="local", task="federated"), record)

    test = AppTest.from_function(draw, args=(sites,), default_timeout=30).run()
    assert not test.exception
    assert title in test.get("vega_lite_chart")[0].proto.alt
    table = test.dataframe[0].value
    assert len(table) == len(sites)
    assert "Pooled training" not in table.columns
    assert "A smaller Log loss is better" in texts(test)
    if len(sites) > 40:
        assert "The charts show the 40 sites" in texts(test)

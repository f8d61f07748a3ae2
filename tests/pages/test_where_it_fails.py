"""The tab Where it fails of a search's result: groups of rows with larger errors, the error map, saved cohorts."""

from __future__ import annotations

import pandas as pd
import pytest

from core import policies, saved_cohorts
from core.access import LOCAL
from core.catalog import runs
from core.cohorts import Cohort, NumberCondition, ValueCondition
from core.datasets import load_frame
from core.housekeeping import delete_dataset
from core.storage import get_store
from pages._ui import artifacts, frame
from tests.pages.conftest import World, labels, repeated, texts, visit

TAB = "Where it fails"


def test_a_search_of_classes_says_which_rows_were_used(world: World) -> None:
    test = visit("automl", run=world.binary, tab=TAB)
    assert not test.exception
    assert not test.error
    said = texts(test)
    assert "Errors are surest among rows where" in said or "No group of rows stands out" in said
    predictions = artifacts.predictions_of(runs.get(world.binary, access=LOCAL), "oof.parquet").frame
    half = len(predictions) // 2
    assert f"looked for on {half:,} training rows and judged on {len(predictions) - half:,} others" in said
    assert "the test rows are not read here" in said


def test_a_search_of_numbers_has_its_own_errors(world: World) -> None:
    test = visit("automl", run=world.number, tab=TAB, loss="squared")
    assert not test.exception
    assert test.radio(key="automl-loss").value == "squared"
    assert "squared error" in texts(test)
    test.radio(key="automl-loss").set_value("absolute").run()
    assert "absolute error" in texts(test)


def test_a_cohort_is_saved_and_removed(world: World) -> None:
    test = visit("automl", run=world.binary, tab=TAB)
    cohort = str(test.selectbox(key="automl-cohort-choice").value)
    test.button(key="automl-cohort-save").click().run()
    assert not test.exception
    run = runs.get(world.binary, access=LOCAL)
    kept = saved_cohorts.kept(run, access=LOCAL)
    assert [item.text for item in kept.values()] == [cohort]
    assert "Saved cohorts" in texts(test)
    assert frame.plain(cohort).replace("\\", "") in texts(test)
    test.button(key=f"automl-cohort-remove-{next(iter(kept))}").click().run()
    assert saved_cohorts.kept(run, access=LOCAL) == {}
    assert "Remove" not in labels(test)


def test_a_cohort_of_a_column_that_is_gone_is_named(world: World) -> None:
    run = runs.get(world.binary, access=LOCAL)
    saved_cohorts.keep(run, Cohort((ValueCondition(column="planet", values=("Mars",)),)), access=LOCAL)
    test = visit("automl", run=world.binary, tab=TAB)
    assert not test.exception
    assert "the table has no column planet" in texts(test)


def test_the_map_is_of_two_columns_in_the_address(world: World) -> None:
    test = visit("automl", run=world.binary, tab=TAB, across="age", down="sex")
    assert not test.exception
    assert test.selectbox(key="automl-map-across").value == "age"
    assert test.selectbox(key="automl-map-down").value == "sex"
    assert "age" not in test.selectbox(key="automl-map-down").options


def test_without_the_table_or_the_predictions_the_tab_says_why(world: World) -> None:
    without = repeated(world.binary, leave_out="oof")
    assert "no predictions of its training rows" in texts(visit("automl", run=without, tab=TAB))
    delete_dataset(world.diabetes.id, access=LOCAL)
    test = visit("automl", run=world.number, tab=TAB)
    assert not test.exception
    assert "table of this search was deleted" in texts(test)


@pytest.mark.parametrize("name", ["binary", "number", "rival"])
def test_the_table_of_groups_has_rows_errors_and_intervals(world: World, name: str) -> None:
    test = visit("automl", run=getattr(world, name), tab=TAB)
    assert not test.exception
    table = next(item.value for item in test.table if "Stands out" in item.value.columns)
    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == ["Error", "Difference", "Stands out"]
    assert table["Error"].str.fullmatch(r"[\d.,]+%? (of|over) [\d,]+ rows, [\d.,]+%? elsewhere").all()


def test_two_searches_are_compared_within_a_saved_cohort(world: World) -> None:
    run = runs.get(world.binary, access=LOCAL)
    table = load_frame(get_store().local_path(world.credit.data_digest))
    cohort = Cohort((ValueCondition(column="sex", values=(str(table["sex"].iloc[0]),)),))
    file = saved_cohorts.keep(run, cohort, access=LOCAL)
    test = visit("automl", run=world.binary)
    test.selectbox(key="automl-versus").set_value(world.rival).run()
    test.selectbox(key="automl-versus-cohort").set_value(file).run()
    assert not test.exception
    rows = artifacts.predictions_of(run, "test.parquet").frame["row_id"]
    count = int((table["sex"].iloc[rows] == table["sex"].iloc[0]).sum())
    assert 0 < count < len(rows)
    assert f"on {count} test rows where {frame.plain(cohort.text)}: ROC AUC".replace("\\", "") in texts(test)
    assert [policies.reads(runs.get(search, access=LOCAL), access=LOCAL) for search in (world.binary, world.rival)] == [
        2,
        2,
    ]


def test_charts_and_explanations_are_read_for_a_saved_cohort(world: World) -> None:
    run = runs.get(world.binary, access=LOCAL)
    table = load_frame(get_store().local_path(world.credit.data_digest))
    sex = str(table["sex"].iloc[0])
    file = saved_cohorts.keep(run, Cohort((ValueCondition(column="sex", values=(sex,)),)), access=LOCAL)
    small = saved_cohorts.keep(run, Cohort((NumberCondition(column="age", high=20.0),)), access=LOCAL)
    test = visit("automl", run=world.binary, tab="Charts", cohort=file)
    assert not test.exception
    assert not test.error
    predictions = artifacts.predictions_of(run, "test.parquet").frame
    own = predictions[(table["sex"].iloc[predictions["row_id"]] == sex).to_numpy()]
    right = (own["credit"].astype(str) == own["prediction"].astype(str)).mean()
    assert f"{len(own)} of 200 test rows where 'sex' is '{sex}'" in texts(test)
    shown = next(item.value for item in test.table if "This model" in item.value.columns)
    assert shown.loc["Accuracy", "This model"].startswith(f"{right:.2f}")
    test.session_state["automl-tabs"] = "Explain"
    test.run()
    assert not test.exception
    assert test.selectbox(key="automl-explain-cohort").value == file, "the address carries the choice"
    assert "of these rows are among the" in texts(test)
    assert "Importance" not in test.radio(key="automl-explain-view").options
    assert policies.reads(run, access=LOCAL) == 2, "the same cohort counts once"
    test.selectbox(key="automl-explain-cohort").set_value(small).run()
    assert not test.exception
    assert "test rows belong to this cohort: at least 30 are needed" in texts(test)
    assert policies.reads(run, access=LOCAL) == 3
    test.selectbox(key="automl-explain-cohort").set_value(file).run()
    test.session_state["automl-tabs"] = "Decide"
    test.run()
    assert not test.exception
    training = artifacts.predictions_of(run, "oof.parquet").frame["row_id"]
    count = int((table["sex"].iloc[training] == sex).sum())
    assert f"On {count} out-of-fold predictions where 'sex' is '{sex}', " in texts(test)
    assert "A rule decides on all rows" in texts(test)
    assert "automl-decide-keep" not in [button.key for button in test.button]
    assert policies.reads(run, access=LOCAL) == 3, "out-of-fold rows are no test rows"

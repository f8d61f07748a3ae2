"""The page of a column and the tab Correlations: what a run has measured, the way there and back, the column's role."""

from __future__ import annotations

import io
from typing import cast

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.access import LOCAL
from core.catalog import Dataset, Run, RunState, datasets, runs
from core.datasets import MEASURES, load_sample, relate_columns
from core.tasks import ingest, relations
from pages.data.column_charts import bin_label
from tests.pages.conftest import World, query, table_with, texts, visit


def measure(dataset: Dataset) -> Run:
    run_id = relations.submit(dataset, dataset.roles.get("target"), access=LOCAL)
    run = jobs.wait(run_id, 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    return run


def figures(test: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\\", "") for metric in test.metric}


def test_a_column_shows_its_distribution_and_its_relation_to_the_target(world: World) -> None:
    measure(world.credit)
    frame = load_sample("german_credit").frame
    test = visit("data", dataset=world.credit.id, column="duration_months")
    assert not test.exception
    assert not test.error
    assert test.title[0].value.replace("\\", "") == "duration_months"
    values = frame["duration_months"]
    shown = figures(test)
    assert shown["Mean"] == f"{values.mean():.4g}"
    assert shown["Median"] == f"{values.median():.0f}"
    assert (shown["Minimum"], shown["Maximum"]) == (str(values.min()), str(values.max()))
    assert shown["Distinct values"] == str(values.nunique())
    assert shown["Missing"] == "0 (0.0%)"
    relation = relate_columns(frame, "credit").between("duration_months", "credit")
    assert relation is not None
    assert shown["Strength, from 0 to 1"] == f"{relation.strength:.2f}"
    (delta,) = [metric.delta for metric in test.metric if metric.label == "Strength, from 0 to 1"]
    assert delta == f"[{relation.low:.2f}, {relation.high:.2f}]"
    quantiles = table_with(test, "Quantile").set_index("Quantile")["Value"]
    assert quantiles["75%"] == f"{values.quantile(0.75):.0f}"
    similar = table_with(test, "Strength")
    assert similar["95% interval"].str.fullmatch(r"\[0\.\d+, [01]\.\d+\]").all()
    assert similar["Column"].iloc[0] == "credit_amount"
    assert list(similar["Strength"]) == sorted(similar["Strength"], reverse=True)
    bad = frame["credit"].value_counts(normalize=True).min()
    assert f"{bad:.1%} in all of them" in texts(test)


def test_the_run_is_started_once_and_its_result_is_used_by_the_tab_columns(world: World) -> None:
    assert "Relation" not in visit("data", dataset=world.diabetes.id).dataframe[0].value.columns
    for _ in range(2):
        test = visit("data", dataset=world.diabetes.id, column="bmi")
        assert not test.exception
        (run,) = runs.find(task="relations", access=LOCAL)
        assert jobs.wait(run.id, 60, access=LOCAL).state is RunState.SUCCEEDED
    target = world.diabetes.roles["target"]
    expected = relate_columns(load_sample("diabetes").frame, target).between("bmi", target)
    assert expected is not None
    table = visit("data", dataset=world.diabetes.id).dataframe[0].value.set_index("Column")
    assert table.loc["bmi", "Relation"] == pytest.approx(expected.strength)
    assert pd.isna(table.loc[target, "Relation"])


def test_a_column_that_is_not_there_says_so_and_leads_back(world: World) -> None:
    test = visit("data", dataset=world.credit.id, column="kredit")
    assert test.title[0].value == "Column not found"
    assert "'German credit risk' has no such column." in texts(test)
    assert runs.find(task="relations", access=LOCAL) == []
    next(button for button in test.button if button.label == "All columns").click().run()
    assert query(test, "dataset") == world.credit.id
    assert "column" not in test.query_params
    assert "Column" in test.dataframe[0].value


def test_next_and_previous_go_through_the_columns(world: World) -> None:
    measure(world.diabetes)
    names = list(load_sample("diabetes").frame.columns)
    test = visit("data", dataset=world.diabetes.id, column=names[0])
    assert next(button for button in test.button if button.label == "Previous column").disabled
    next(button for button in test.button if button.label == "Next column").click().run()
    assert query(test, "column") == names[1]
    assert query(test, "dataset") == world.diabetes.id


def test_the_role_is_edited_on_the_page(world: World) -> None:
    datasets.set_roles(world.credit.id, {"target": "credit", "sensitive": ["age"], "ignore": []}, access=LOCAL)
    for chosen, expected in (
        (["sensitive"], {"target": "credit", "sensitive": ["age", "purpose"], "ignore": []}),
        (["sensitive", "ignore"], {"target": "credit", "sensitive": ["age", "purpose"], "ignore": ["purpose"]}),
        (["ignore"], {"target": "credit", "sensitive": ["age"], "ignore": ["purpose"]}),
        (["ignore", "target"], {"target": "purpose", "sensitive": ["age"], "ignore": []}),
        (["target", "ignore"], {"target": None, "sensitive": ["age"], "ignore": ["purpose"]}),
        ([], {"target": None, "sensitive": ["age"], "ignore": []}),
    ):
        test = visit("data", dataset=world.credit.id, column="purpose")
        test.multiselect[0].set_value(chosen).run()
        assert not test.exception
        assert datasets.get(world.credit.id, access=LOCAL).roles == expected


def test_the_overview_names_pairs_measures_and_rows(world: World) -> None:
    measure(world.credit)
    test = visit("data", dataset=world.credit.id, tab="Correlations")
    assert not test.exception
    expected = relate_columns(load_sample("german_credit").frame, "credit")
    table = table_with(test, "And")
    assert len(table) == min(100, len(expected.pairs))
    for (_, row), pair in zip(table.iterrows(), expected.pairs, strict=False):
        assert (row["Column"], row["And"], row["Rows"]) == (pair.one, pair.other, pair.rows)
        assert row["Measure"] == MEASURES[pair.measure]
        assert row["Strength"] == pytest.approx(pair.strength)
    text = texts(test)
    surest = max(expected.pairs, key=lambda pair: pair.low or 0.0)
    assert f"The surest relation is that of '{surest.one}' and '{surest.other}'" in text
    assert "Measured on all 1,000 rows" in text


def test_a_run_that_failed_can_be_repeated(world: World) -> None:
    run = measure(world.credit)
    failed = Run(**run.model_dump(exclude={"id"}) | {"state": RunState.FAILED, "error_message": "Out of luck."})
    failed.created_at = run.created_at + 0.001
    runs.add(failed, access=LOCAL)
    test = visit("data", dataset=world.credit.id, tab="Correlations")
    assert "Out of luck." in texts(test)
    next(button for button in test.button if button.label == "Measure again").click().run()
    assert not test.exception
    newest = cast(Run, relations.latest(world.credit, "credit", access=LOCAL))
    assert newest.id not in (run.id, failed.id)


def test_columns_of_every_kind_draw(world: World) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 300, 60), unit="D"),
            "flag": rng.random(60) < 0.5,
            "key": [f"K{index:03}" for index in range(60)],
            "one": 1,
            "empty": None,
            "Old_Town": rng.choice(["Old_Town", "T-T", "2024"], 60),
            "y": rng.normal(size=60),
        }
    )
    file = io.BytesIO(frame.to_csv(index=False).encode())
    run = jobs.wait(ingest.submit_upload(file, "kinds.csv", access=LOCAL), 60, access=LOCAL)
    assert run.result is not None
    datasets.set_roles(run.result["dataset_id"], {"target": "y", "sensitive": [], "ignore": []}, access=LOCAL)
    dataset = datasets.get(run.result["dataset_id"], access=LOCAL)
    measure(dataset)
    said = {}
    for name in frame:
        test = visit("data", dataset=dataset.id, column=name)
        assert not test.exception, name
        assert not test.error, name
        said[name] = texts(test) + repr(figures(test))
    assert "'one' has a single value" in said["one"]
    assert "'empty' has no values" in said["empty"]
    assert "'key' is text whose values hardly repeat" in said["key"]
    assert f"'Minimum': '{frame['when'].min():%Y-%m-%d}'" in said["when"]


def test_bins_have_the_values_as_they_are() -> None:
    for label in ("Old_Town", "T-T", "2024-01-01T00:00:00", "1.0"):
        assert bin_label((label,)) == label
    assert bin_label(("",)) == "(empty text)"
    assert bin_label((1.0, 5.0)) == "1 to 5"
    assert bin_label((2.0, 2.0)) == "2"
    assert bin_label(("2024-01-01T00:00:00.000000000", "2024-03-01T07:30:00")) == "2024-01-01 to 2024-03-01 07:30:00"

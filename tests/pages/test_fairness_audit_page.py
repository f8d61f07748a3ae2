"""The Fairness page's tabs Bias audit and Compare."""

from __future__ import annotations

import io
from datetime import date

import pandas as pd
import pytest

from core import jobs, policies, saved_cohorts
from core.access import LOCAL
from core.catalog import RunArtifact, artifacts, datasets, runs
from core.cohorts import Cohort, NumberCondition
from core.datasets import load_frame
from core.fairness import AUDITOR_SENTENCE, compare_gaps
from core.storage import get_store
from tests.golden import decisions
from tests.pages.conftest import World, labels, repeated, texts, visit


def published(test) -> dict[str, pd.DataFrame]:
    """Return the tables of the audit by the title of their first column."""
    return {str(item.value.index.name): item.value for item in test.table}


def test_a_table_of_decisions_becomes_the_tables_of_the_law(world: World) -> None:
    dataset = world.decisions
    test = visit("fairness", dataset=dataset.id, tab="Bias audit")
    assert not test.exception
    assert AUDITOR_SENTENCE in texts(test)
    assert "Choose the outcome" in texts(test), "neither labels nor sensitive columns are needed"
    key = f"{dataset.id}-"
    test.selectbox(key=f"fairness-audit-outcome-{key}").set_value("decision")
    test.selectbox(key=f"fairness-audit-sex-{key}").set_value("group").run()
    assert test.selectbox(key=f"fairness-audit-selected-{key}-decision").value is None, "nothing is guessed"
    test.selectbox(key=f"fairness-audit-selected-{key}-decision").set_value("yes").run()
    assert "Choose a category for 'a', 'b', 'tiny'." in texts(test)
    for value, category in {"a": "Male", "b": "Female", "tiny": "Unknown"}.items():
        test.selectbox(key=f"fairness-audit-sex-{key}-group-{value}").set_value(category)
    test.run()
    assert not test.exception
    assert not test.error
    table = decisions()
    rates = (table["decision"] == "yes").groupby(table["group"]).mean()
    shown = published(test)["Sex Category"]
    assert shown["Selection Rate"].to_dict() == {"Male": f"{rates['a']:.1%}", "Female": f"{rates['b']:.1%}"}
    assert shown.loc["Female", "Impact Ratio"] == f"{rates['b'] / rates['a']:.2f}"
    unknown = int((table["group"] == "tiny").sum())
    assert f"{unknown} of 1,500 people are in an unknown category" in texts(test)
    assert {"To print (HTML)", "Numbers (CSV)"} <= {item.label for item in test.get("download_button")}
    assert "Printed as not stated: tool, date of the audit" in texts(test).replace("Tool", "tool")
    test.selectbox(key=f"fairness-audit-outcome-{key}").set_value("score").run()
    assert "Scoring Rate" in published(test)["Sex Category"].columns
    test.text_input(key=f"fairness-audit-auditor-{key}").set_value("An office")
    test.text_area(key=f"fairness-audit-explanation-{key}").set_value("Applicants of 2025")
    test.date_input(key=f"fairness-audit-date-{key}").set_value(date(2026, 3, 1)).run()

    again = visit("fairness", dataset=dataset.id, tab="Bias audit", outcome="decision", sex="group", selected="yes")
    assert not again.exception
    assert published(again)["Sex Category"]["Selection Rate"].to_dict() == shown["Selection Rate"].to_dict()
    assert again.text_input(key=f"fairness-audit-auditor-{key}").value == "An office"
    assert again.text_area(key=f"fairness-audit-explanation-{key}").value == "Applicants of 2025"
    assert again.date_input(key=f"fairness-audit-date-{key}").value == date(2026, 3, 1)
    again.text_input(key=f"fairness-audit-auditor-{key}").set_value("").run()
    assert "auditor" not in datasets.get(dataset.id, access=LOCAL).audits[""], "what was taken back is not kept"


def test_two_models_are_compared_on_the_rows_of_both(world: World) -> None:
    own, rival = (
        pd.read_parquet(jobs.artifact_path(run, "test.parquet", access=LOCAL)) for run in (world.binary, world.rival)
    )
    part = repeated(world.rival, leave_out="test")
    content = io.BytesIO()
    rival.iloc[:150].to_parquet(content)
    digest = get_store().put_bytes(content.getvalue())
    artifacts.add(
        RunArtifact(workspace="local", run_id=part, name="test.parquet", digest=digest, size_bytes=1), access=LOCAL
    )
    test = visit("fairness", run=world.binary, tab="Compare")
    test.selectbox(key="fairness-compare-with").set_value(world.rival).run()
    assert not test.exception
    assert not test.error
    said = texts(test)
    assert "On the 200 test rows of both models; selected means good" in said
    rival = rival.set_index("row_id").loc[own["row_id"]]
    sex = load_frame(get_store().local_path(world.credit.data_digest), ["sex"])["sex"].iloc[own["row_id"]]
    expected = compare_gaps(
        (own["credit"] == "good").to_numpy(),
        (own["prediction"] == "good").to_numpy(),
        (rival["prediction"] == "good").to_numpy(),
        sex.to_numpy(),
    )
    assert expected.describe("this model", "the other model") in said
    shown = next(item.value for item in test.dataframe if "Gap, this model" in item.value.columns)
    gap = 100 * abs(expected.pairs.loc[0, "first"])  # in as many digits as its interval allows
    assert float(shown["Gap, this model"].iloc[0]) == pytest.approx(gap, abs=0.5)
    assert [policies.reads(runs.get(run, access=LOCAL), access=LOCAL) for run in (world.binary, world.rival)] == [2, 2]
    test.selectbox(key="fairness-compare-with").set_value(part).run()
    assert "On the 150 rows that both held out, of 200 test rows here and 150 there" in texts(test)
    assert "Compare with" in [item.label for item in test.selectbox]
    assert "Report" not in labels(test)


def test_groups_are_read_for_a_saved_cohort(world: World) -> None:
    run = runs.get(world.binary, access=LOCAL)
    file = saved_cohorts.keep(run, Cohort((NumberCondition(column="age", high=40.0),)), access=LOCAL)
    test = visit("fairness", run=world.binary, cohort=file)
    assert not test.exception
    assert not test.error
    predictions = pd.read_parquet(jobs.artifact_path(world.binary, "test.parquet", access=LOCAL))
    table = load_frame(get_store().local_path(world.credit.data_digest), ["age", "sex"]).iloc[predictions["row_id"]]
    young = (table["age"] < 40).to_numpy()
    said = texts(test)
    assert f"{young.sum()} of 200 test rows where 'age' is below 40" in said
    assert "only rows where 'age' is below 40" in said
    assert "test rows used to check 1 rule and to read 1 cohort so far" in said
    shown = next(item.value for item in test.dataframe if "Selection rate (%)" in item.value.columns)
    rates = (predictions["prediction"] == "good")[young].groupby(table["sex"].to_numpy()[young]).mean()
    assert shown.set_index("Group")["Selection rate (%)"].to_dict() == pytest.approx((100 * rates).to_dict())
    assert [item.label for item in test.tabs] == ["Groups", "Compare", "Report", "Bias audit"], "no rule for a part"

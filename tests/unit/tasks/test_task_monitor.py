"""Batches compared by a run: states, what is kept of them, labels that come later, and files that are scored."""

import io

import numpy as np
import pandas as pd
import pytest

from core import alerts, jobs, models, monitored
from core.access import LOCAL
from core.catalog import RunState, artifacts, datasets
from core.charts import svg_of
from core.datasets import load_sample
from core.monitored import MonitorSettings
from core.monitoring import DropLevel, MultiplyColumn, distribution_table
from core.summary import render_html, summarize_batch
from core.tasks import ingest, monitor, score

DAY = 86_400.0
START = pd.Timestamp("2026-03-01", tz="UTC").timestamp()


@pytest.fixture(scope="module")
def version(stocked):
    """A version that predicts credit risk."""
    return models.resolve(stocked.model, access=LOCAL)


@pytest.fixture(scope="module")
def rows(version):
    """Applicants with ids: those of the test first, which the model has not learned from, then others at random."""
    tested = models.RunEvidence.of(version.run_id, access=LOCAL).test["row_id"]
    frame = load_sample("german_credit").frame
    frame = pd.concat(
        [frame.iloc[tested], frame.drop(index=tested).sample(frac=1.0, random_state=3)], ignore_index=True
    )
    frame.insert(0, "person", [f"p{number}" for number in range(len(frame))])
    return frame


def content(frame):
    return io.BytesIO(frame.to_csv(index=False).encode())


def compared(version, frame, name, day):
    run_id = monitor.submit_upload(version, content(frame), name, at=START + day * DAY, access=LOCAL)
    return jobs.wait(run_id, 240, access=LOCAL)


def batch_named(version, name):
    return next(batch for batch in monitored.batches_of(version.model_id, access=LOCAL) if batch.name == name)


@pytest.fixture(scope="module")
def series(version, rows):
    """Three batches: as before, drifted, and without a column that the model reads."""
    rules = MonitorSettings(row_id="person", muted={"age": "grows with the customers"})
    monitored.change_plan(version.model_id, rules, access=LOCAL)
    plain = rows.drop(columns="credit")
    drifted = plain.iloc[300:600].copy()
    drifted["duration_months"] += 24
    drifted["age"] += 30
    broken = plain.iloc[600:900].rename(columns={"credit_amount": "amount_eur"})
    frames = {"as before": plain.iloc[:200], "drifted": drifted, "broken": broken}
    runs = {name: compared(version, frame, name, day) for day, (name, frame) in enumerate(frames.items())}
    assert all(run.state is RunState.SUCCEEDED for run in runs.values()), [run.error_message for run in runs.values()]
    return frames


def test_a_batch_like_the_reference_is_fine_and_kept_without_its_rows(version, series):
    batch = batch_named(version, "as before")
    assert (batch.states["drift"].state, batch.rows, batch.drifted, batch.look) == ("fine", 200, (), 1)
    assert batch.state.state != "alarm", batch.state.reasons
    assert batch.state.caveat, "what cannot be seen without labels is said"
    kept = monitored.sketch_of(batch, access=LOCAL)
    assert kept.rows == 200
    names = {item.name for item in artifacts.find(batch.run_id, access=LOCAL)}
    assert names == {
        monitored.file_of(batch.key, name)
        for name in ("drift.json", "sketch.npz", "reference.npz", "rows.parquet", "members.parquet")
    }
    table = pd.read_parquet(io.BytesIO(monitored.read_file(batch.run_id, batch.key, monitored.ROWS, access=LOCAL)))
    assert sorted(table.columns) == ["row_id", "y_score"], "ids and scores, and no other column"


def test_what_drifted_is_named_and_what_is_muted_raises_nothing(version, series):
    batch = batch_named(version, "drifted")
    assert batch.state.state == "alarm"
    assert batch.drifted == ("duration_months",)
    assert batch.muted == {"age": "grows with the customers"}
    assert any("'duration_months'" in reason for reason in batch.state.reasons)
    assert not any("'age'" in reason for reason in batch.state.reasons)
    report = monitored.report_of(batch, access=LOCAL)
    assert report["age"].drifted, "a muted column is still compared"
    sides = [monitored.sketch_of(batch, access=LOCAL, reference=side) for side in (True, False)]
    shares = distribution_table(*sides, "duration_months")
    middle = (shares["low"] + shares["high"]) / 2
    means = [(middle * shares[side]).sum() for side in ("reference", "current")]
    assert means[1] - means[0] == pytest.approx(24, abs=3)


def test_a_renamed_column_is_an_alarm_that_names_both(version, series):
    batch = batch_named(version, "broken")
    assert batch.state.state == "alarm"
    assert "'credit_amount' is missing; 'amount_eur' looks like it." in batch.state.reasons
    assert "credit_amount" in batch.problem
    assert batch.performance is None
    assert not any("score" in reason for reason in batch.state.reasons)


def test_an_alarm_is_an_alert_once_and_the_same_rows_are_no_other_batch(version, series):
    def events():
        return [item.event for item in alerts.alerts_of(version.model_id, access=LOCAL)]

    before, known = events(), monitored.batches_of(version.model_id, access=LOCAL)
    drifted = batch_named(version, "drifted")
    assert before.count(f"batch/{drifted.fingerprint}") == 1
    run = compared(version, series["drifted"], "the same under another name", 9)
    assert run.result["monitored"] == []
    assert run.result["repeated"] == [{"name": "the same under another name", "key": drifted.key}]
    assert (events(), monitored.batches_of(version.model_id, access=LOCAL)) == (before, known)


def joined(version, frame, **columns):
    chosen = {"row_id": "person", "label": "credit"} | columns
    return jobs.wait(
        monitor.submit_labels(version, content(frame), "labels.csv", **chosen, access=LOCAL), 240, access=LOCAL
    )


def test_labels_come_in_parts_twice_and_wrong(version, rows, series):
    labels = rows[["person", "credit"]]
    first = joined(version, labels.iloc[:120])
    assert first.state is RunState.SUCCEEDED, first.error_message
    batch = batch_named(version, "as before")
    assert (batch.labels.known, batch.labels.measured.labeled) == (120, 120)
    again = joined(version, labels.iloc[:120])
    assert again.result["labeled"] == []
    assert again.result["deliveries"][0]["said"].startswith("0 of 120 rows got their label; 120 had the same one")
    assert batch_named(version, "as before") == batch
    other = labels.iloc[90:200].copy()
    other.loc[other.index[0], "credit"] = "bad" if other["credit"].iloc[0] == "good" else "good"
    second = joined(version, other)
    batch = batch_named(version, "as before")
    assert batch.labels.known == 200
    assert "1 contradict what was known" in second.result["labeled"][0]["delivery"]
    truth = rows["credit"].iloc[:200]
    expected = models.score(version.id, rows.drop(columns="credit").iloc[:200], access=LOCAL)["p(good)"]
    from sklearn.metrics import roc_auc_score

    assert batch.labels.measured.metric == "roc_auc"
    assert batch.labels.measured.measured.value == pytest.approx(roc_auc_score(truth == "good", expected))
    assert batch.performance.value is not None, "the estimate is kept beside it"


def test_labels_that_find_no_row_and_columns_that_lack_are_refused(version, rows, series):
    strange = joined(version, rows[["person", "credit"]].assign(person=lambda frame: "x" + frame["person"]).head(5))
    assert strange.state is RunState.FAILED
    assert strange.error_message == "None of the 5 labels found a row of a batch; their ids are such as xp0, xp1, xp2."
    lacking = joined(version, rows[["person"]].head(5))
    assert "no column 'credit'" in lacking.error_message


def test_a_file_that_is_scored_is_a_batch_of_a_watched_model(version, rows, series):
    frame = rows.drop(columns="credit").iloc[900:]
    run = jobs.wait(score.submit_upload(version, content(frame), "scored.csv", access=LOCAL), 240, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    batch = batch_named(version, "scored.csv")
    assert (batch.rows, batch.run_id) == (100, run.id)
    assert score.ScoredFile.from_dict(run.result).rows == 100


def test_a_table_is_replayed_by_its_dates(version, rows, series):
    dated = rows.drop(columns=["credit", "person"]).assign(
        decided=pd.date_range("2025-01-01", periods=len(rows), freq="12h").strftime("%Y-%m-%d")
    )
    dated.loc[dated.index[-5:], "decided"] = None
    imported = jobs.wait(ingest.submit_upload(content(dated), "dated.csv", access=LOCAL), 120, access=LOCAL)
    dataset = datasets.get(imported.result["dataset_id"], access=LOCAL)
    run_id = monitor.submit_dataset(version, dataset, replay=monitor.Replay("decided", 3), access=LOCAL)
    run = jobs.wait(run_id, 400, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert run.result["undated"] == 5
    batches = [batch for batch in monitored.batches_of(version.model_id, access=LOCAL) if batch.run_id == run.id]
    assert [batch.name for batch in batches] == sorted(batch.name for batch in batches)
    assert sum(batch.rows for batch in batches) == 995
    moments = np.array([batch.at for batch in batches])
    assert (np.diff(moments) > 100 * DAY).all()
    assert pd.Timestamp(moments[0], unit="s").year == 2025


def test_a_simulated_change_is_found_and_raises_no_alert(version, series):
    before = [item.event for item in alerts.alerts_of(version.model_id, access=LOCAL)]
    looks = max(batch.look for batch in monitored.batches_of(version.model_id, access=LOCAL))
    changes = [MultiplyColumn(column="credit_amount", factor=1000.0), DropLevel(column="housing", level="own")]
    run_id = monitor.submit_simulation(version, changes, rows=400, access=LOCAL)
    run = jobs.wait(run_id, 240, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    batch = next(item for item in monitored.batches_of(version.model_id, access=LOCAL) if item.run_id == run_id)
    assert batch.simulated == "credit_amount times 1000; housing without 'own'"
    assert batch.state.state == "alarm"
    assert {"credit_amount", "housing"} <= set(batch.drifted)
    assert any("1,000 times" in reason for reason in batch.state.reasons), batch.state.reasons
    assert [item.event for item in alerts.alerts_of(version.model_id, access=LOCAL)] == before
    later = compared(version, series["as before"].assign(person=lambda frame: "z" + frame["person"]), "later", 400)
    assert later.result["monitored"][0]["look"] == looks + 1, "a simulation uses no look"


def test_the_card_has_the_plan_and_the_record(version, series):
    card = models.card(version.id, access=LOCAL)
    section = next(item for item in card.sections if item.key == "monitoring")
    assert section.measured
    assert any("Drift of 'age' is known: grows with the customers." in text for text in section.text)
    names = [row[1] for row in section.tables[0].rows]
    assert {"as before", "drifted", "broken"} <= set(names)
    assert not any("Simulation" in name for name in names)
    states = {row[1]: row[3] for row in section.tables[0].rows}
    assert (states["drifted"], states["broken"]) == ("Alarm", "Alarm")


def test_the_report_of_a_batch_says_what_the_page_says(version, series):
    batch = batch_named(version, "drifted")
    before, now = (monitored.sketch_of(batch, access=LOCAL, reference=side) for side in (True, False))
    report = summarize_batch("Credit <b>risk</b>", batch, monitored.report_of(batch, access=LOCAL), before, now)
    assert report.answer == f"Alarm. {batch.state.reasons[0]}"
    assert any(row[:2] == ("duration_months", "drifted") for row in report["columns"].tables[0].rows)
    page = render_html(report, svg_of(report.charts))
    assert page.count("<svg") == len(report.charts) > 0
    assert "<b>risk" not in page


def test_another_model_has_none_of_them(version, series):
    assert monitored.batches_of("0" * 16, access=LOCAL) == []

"""A file scored as a run: by a model that a run searched, in a process of its own."""

import csv
import io
import json

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core import jobs, models, policies
from core.access import LOCAL
from core.automl import AutoMLSettings
from core.catalog import RunState, datasets
from core.datasets import load_frame, load_sample
from core.errors import LimitError
from core.fairness import ThresholdPolicy
from core.settings import get_settings
from core.storage import get_store
from core.tasks import automl, ingest, score
from core.tasks.score import PartsWriter, read_parts


@pytest.fixture(scope="module")
def version(stocked):
    """A version without a policy."""
    return models.resolve(stocked.model, access=LOCAL)


@pytest.fixture(scope="module")
def rows(version):
    frame = load_sample("german_credit").frame.head(120).drop(columns="credit")
    notes = ["=HYPERLINK(1)", "+1", "plain", None] * 30
    frame = frame.assign(note=notes, prediction=range(120), key=[f"k{n}" for n in range(120)])
    frame.loc[3, "purpose"] = "a moon rocket"
    return frame


def scored(version, content, name="rows.csv", **values):
    run = jobs.wait(score.submit_upload(version, io.BytesIO(content), name, **values, access=LOCAL), 120, access=LOCAL)
    assert not list((get_settings().home / "uploads").iterdir()), "an upload is removed, whatever came of it"
    return run


def read(run, name):
    return jobs.artifact_path(run.id, name, access=LOCAL)


def test_a_csv_file(version, rows):
    run = scored(version, rows.to_csv(index=False).encode())
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert run.title == "Score rows.csv with Credit risk, version 1"  # the model's name, not that of its search
    assert run.result["rows"] == 120
    assert run.result["columns"] == ["prediction (model)", "p(bad)", "p(good)"]
    table = pd.read_parquet(read(run, "scored.parquet"))
    expected = models.score(version.id, rows, access=LOCAL)
    assert table["prediction (model)"].tolist() == expected["prediction"].tolist()
    assert table["p(good)"].tolist() == pytest.approx(expected["p(good)"].tolist())
    assert table["purpose"].tolist() == rows["purpose"].tolist()
    report = json.loads(read(run, "report.json").read_text())
    assert any("a moon rocket" in finding["message"] for finding in report["findings"])
    with open(read(run, "scored.csv"), newline="", encoding="utf-8") as file:
        cells = [row["note"] for row in csv.DictReader(file)]
    assert cells[:4] == ["'=HYPERLINK(1)", "+1", "plain", ""]


def test_a_file_with_the_target_is_ranked_evaluated_and_explained(version, rows):
    truth = load_sample("german_credit").frame["credit"].head(120)
    frame = rows.drop(columns=["note", "prediction"]).assign(credit=truth, rank=1)
    frame.loc[5, "credit"] = "never seen"
    run = scored(version, frame.to_csv(index=False).encode(), reasons=2)
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert (run.result["ranked_by"], run.result["reasons"]) == ("p(good)", 2)
    table = pd.read_parquet(read(run, "scored.parquet"))
    with open(read(run, "ranked.csv"), newline="", encoding="utf-8") as file:
        ranked = list(csv.DictReader(file))
    order = table["p(good)"].sort_values(ascending=False, kind="stable").index
    assert [row["key"] for row in ranked] == table["key"][order].tolist()
    assert [row["rank (model)"] for row in ranked] == [str(number) for number in range(1, 121)]
    report = models.ScoringReport.from_json(read(run, "report.json").read_bytes())
    scores = table["p(good)"]
    expected = report.expected["good"]
    assert expected.value == pytest.approx(scores.sum(), abs=0.06)
    spread = 1.96 * (scores * (1 - scores)).sum() ** 0.5
    assert expected.high - expected.value > spread - 0.1  # not less than by the chance of the rows alone
    known = truth.drop(index=5)
    evaluation = report.evaluation
    assert (evaluation.rows, evaluation.left_out) == (119, 1)
    area = roc_auc_score(known == "good", scores.drop(index=5))
    assert evaluation.metrics["roc_auc"].value == pytest.approx(area)
    assert evaluation.metrics["roc_auc"].low < area < evaluation.metrics["roc_auc"].high
    assert evaluation.test_metrics["roc_auc"].n > 0
    assert not any("credit" in finding.message for finding in report.findings if finding.check == "ignored")
    reasons = pd.read_parquet(read(run, "reasons.parquet"))
    assert reasons["row"].tolist() == [1, 2]
    assert reasons["reason 1"].str.contains(r" = .+ \([+-]").all()


def test_a_parquet_file_with_a_policy_that_draws(version, rows):
    policy = ThresholdPolicy({"male": ((0.5, 0.5), (0.9, 0.5)), "female": ((0.6, 1.0),)}, ("sex",))
    run = jobs.get(version.run_id, access=LOCAL)
    file = policies.keep(run, "drawn", policy, access=LOCAL)
    target = io.BytesIO()
    rows.to_parquet(target)
    done = scored(version, target.getvalue(), "rows.parquet", row_id="key")
    assert done.state is RunState.SUCCEEDED, done.error_message
    assert done.result["policy"] == file
    table = pd.read_parquet(read(done, "scored.parquet"))
    expected = policy.predict(table["p(good)"], table["sex"], row_ids=table["key"])
    assert table["decision"].tolist() == expected.tolist()
    for values, message in (({"row_id": "purpose"}, "are not unique"), ({}, "draws some decisions")):
        refused = scored(version, target.getvalue(), "rows.parquet", **values)
        assert refused.state is RunState.FAILED
        assert message in refused.error_message


def test_files_that_cannot_be_scored(version, rows, monkeypatch):
    run = scored(version, rows.drop(columns="age").to_csv(index=False).encode(), policy="none")
    assert (run.state, run.error_message) == (RunState.FAILED, "The table has no column 'age'.")
    run = scored(version, b"\x80\x04K\x01.", "model.pkl")
    assert run.state is RunState.FAILED
    monkeypatch.setattr(get_settings(), "max_upload_mb", 1)
    with pytest.raises(LimitError, match=r"rows\.csv"):
        score.submit_upload(version, io.BytesIO(b"x" * (2**20 + 1)), "rows.csv", access=LOCAL)


def test_parts_are_written_as_one_table(tmp_path, monkeypatch):
    """What is missing throughout a part has the type of the first part all the same."""
    frame = pd.DataFrame({"x": range(7), "t": [None, "a", None, None, None, None, "b"]})
    frame.to_parquet(tmp_path / "in.parquet")
    monkeypatch.setattr(score, "_ROWS", 3)
    with PartsWriter(tmp_path / "out.parquet") as writer:
        for batch, part in read_parts(tmp_path / "in.parquet", ["x", "t"]):
            label = pd.Series(["yes", None, "no"][: len(part)], index=part.index).where(part["x"] < 3)
            writer.add(batch, pd.DataFrame({"prediction": label, "decision": (part["x"] % 2).astype("Int64")}))
    table = pd.read_parquet(tmp_path / "out.parquet")
    assert table["x"].tolist() == list(range(7))
    assert table["t"].fillna("").tolist() == frame["t"].fillna("").tolist()
    assert table["prediction"].fillna("").tolist() == ["yes", "", "no", "", "", "", ""]
    assert table["decision"].tolist() == [0, 1, 0, 1, 0, 1, 0]


WRITTEN = {
    "flag": ["TRUE", "FALSE", "unknown", "TRUE"],
    "code": ["1.0", "2.0", "x", "1.0"],
    "sum": ["1.500", "2,5", "12.000", "900"],
    "day": ["13/02/2024", "03/04/2024", "01/02/2024", "05/06/2024"],
    "outcome": ["ill", "well", "well", "ill"],
}


@pytest.mark.nightly
def test_some_rows_of_the_training_file_have_its_answers(stocked):
    """Also where a column of so few rows alone would have another type."""
    rows = pd.concat([pd.DataFrame(WRITTEN)] * 25, ignore_index=True)
    content = rows.to_csv(index=False).encode()
    read_in = jobs.wait(ingest.submit_upload(io.BytesIO(content), "train.csv", access=LOCAL), 60, access=LOCAL)
    dataset = datasets.get(read_in.result["dataset_id"], access=LOCAL)
    values = AutoMLSettings(target="outcome", time_budget_s=None, max_trials=2, folds=2, explain=False, ensemble=False)
    run = jobs.wait(automl.submit(dataset, values, access=LOCAL), 120, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    model = models.register(run.id, name="As written", access=LOCAL)
    version = models.resolve(model.id, access=LOCAL)
    frame = load_frame(get_store().local_path(dataset.data_digest))
    expected = models.score(model.id, frame, access=LOCAL)
    some = rows.drop(columns="outcome").iloc[[1, 0, 7], ::-1]
    some.loc[7, "sum"] = "much"
    done = scored(version, some.to_csv(index=False).encode())
    assert done.state is RunState.SUCCEEDED, done.error_message
    table = pd.read_parquet(read(done, "scored.parquet"))
    assert table["p(ill)"].tolist()[:2] == expected["p(ill)"].iloc[[1, 0]].tolist()
    report = json.loads(read(done, "report.json").read_text())
    (finding,) = [finding for finding in report["findings"] if finding["check"] == "reading"]
    assert finding["message"] == "1 of 3 cells of 'sum' could not be read as in training; they are missing."

"""Groups of rows from the search to its evidence: stored, read again whatever columns are called, and resampled."""

import numpy as np
import pandas as pd
import pytest

from core.automl import AutoMLSettings, compare_tables, compare_trials, prepare, search
from core.automl.data.training_data import TrainingData
from core.automl.ensemble.selection import judging_parts
from core.automl.results.predictions import predictions_table
from core.evaluation import Estimate, group_name, groups_in, verdict_sentence


def table(seed=0):
    random = np.random.default_rng(seed)
    patient = np.repeat([f"p{number}" for number in range(30)], 20)
    return pd.DataFrame({"a": random.normal(size=600), "patient": patient, "y": random.normal(size=600)})


def test_the_evidence_has_the_groups_of_the_rows():
    frame = table().rename(columns={"a": "plumbline:group"})
    for target, sensitive in (("y", ("plumbline:group",)), ("plumbline:group", ())):
        chosen = AutoMLSettings(target=target, group_column="patient", sensitive_columns=sensitive)
        prepared = prepare(frame, chosen)
        output = prepared.y_test + 1.0
        result = predictions_table(frame, prepared, chosen, prepared.test_rows, output, prepared.test_groups)
        codes = groups_in(result, target)
        of = frame["patient"].to_numpy()[result["row_id"]]
        assert len(set(zip(codes, of, strict=True))) == len(set(codes)) == len(set(of)) > 2
        assert (result[target] == frame[target].to_numpy()[result["row_id"]]).all()
        for name in sensitive:
            assert (result[name] == frame[name].to_numpy()[result["row_id"]]).all()
        without = predictions_table(frame, prepared, chosen, prepared.test_rows, output, None)
        assert groups_in(without, target) is None
        assert list(without.columns) == list(dict.fromkeys(["row_id", target, "prediction", *sensitive]))


def test_later_comparisons_resample_the_groups_that_a_table_has():
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(20), 30)
    y = random.normal(size=600)
    error = np.abs(random.normal(size=20))[groups]
    old = pd.DataFrame({"row_id": np.arange(600), "y": y, "prediction": y + error})
    worse = old.assign(prediction=y + 0.8)
    new = old.copy()
    new.insert(1, group_name(["y"]), groups)

    def width(first, other):
        gain = compare_tables(first, other, target="y", task="regression", metric="mae").gains["other"]
        return gain.high - gain.low

    assert width(new, worse) == pytest.approx(width(worse, new))
    assert width(new, worse) > 3 * width(old, worse)
    kept = {1: (y + error)[None].astype(np.float32), 2: (y + 0.8)[None].astype(np.float32)}
    trials = compare_trials(kept, new, 1, 2, target="y", task="regression", metric="mae").gains["other"]
    assert trials.high - trials.low == pytest.approx(width(new, worse), rel=1e-3)


@pytest.mark.parametrize("classes", [0, 2])
def test_a_blend_is_judged_on_groups_that_did_not_choose_it(classes):
    random = np.random.default_rng(2)
    groups = random.integers(0, 12, 400)
    y = random.integers(0, 2, 400) if classes else random.normal(size=400)
    output = random.random((400, 2)) if classes else random.random(400)
    parts = judging_parts(y, output, groups)
    assert sorted(np.concatenate(parts)) == sorted(np.tile(np.arange(400), len(parts) // 5))
    for part in parts:
        assert set(groups[part]).isdisjoint(groups[np.setdiff1d(np.arange(400), part)])
    assert judging_parts(y, output, np.zeros(400, int)) == []


def test_training_data_keeps_its_groups(tmp_path):
    chosen = AutoMLSettings(target="y", group_column="patient")
    data = prepare(table(), chosen).data
    data.save(tmp_path)
    assert (TrainingData.load(tmp_path).groups == data.groups).all()
    assert len(np.unique(data.groups)) * 20 == len(data.y)


def test_without_an_interval_there_is_no_verdict():
    few = Estimate(0.2, None, None, 50, 3, "no interval: the test has only 3 rows of 'fraud'")
    said = verdict_sentence("AUC", {"prior": few}, {"prior": "guessing"})
    assert said == "No verdict: the test has only 3 rows of 'fraud'."
    old = verdict_sentence("AUC", {"prior": Estimate(np.nan, None, None, 50)}, {"prior": "guessing"})
    assert "nan" not in old
    both = {"prior": Estimate(0.2, 0.1, 0.3, 50), "linear": few}
    said = verdict_sentence("AUC", both, {"prior": "guessing", "linear": "a linear model"})
    assert said.startswith("Better than guessing by 0.200 AUC [0.100, 0.300], on 50 rows")
    assert said.endswith("No verdict against a linear model: the test has only 3 rows of 'fraud'.")


def test_a_search_by_group_tells_its_groups(tmp_path):
    frame = table()
    frame["y"] = frame["a"] + np.repeat(np.random.default_rng(3).normal(size=30), 20)
    chosen = AutoMLSettings(
        target="y",
        group_column="patient",
        time_budget_s=None,
        max_trials=2,
        folds=2,
        cv_repeats=1,
        learners=("rf",),
        test_fraction=0.4,
    )
    result = search(frame, chosen)
    of = frame["patient"].to_numpy()
    for actual in (result.test, result.oof):
        codes = groups_in(actual, "y")
        pairs = set(zip(codes, of[actual["row_id"]], strict=True))
        assert len(pairs) == len(set(codes)) == len({patient for _, patient in pairs})
    assert result.rows["test_groups"] == result.test["plumbline:group"].nunique()
    again = compare_tables(result.test, result.test, target="y", task="regression", metric="mae").metrics["first"]
    assert again["mae"].low == pytest.approx(result.test_metrics["mae"].low, rel=1e-5)
    by_row = result.test.drop(columns="plumbline:group")
    alone = compare_tables(by_row, by_row, target="y", task="regression", metric="mae").metrics["first"]["mae"]
    assert again["mae"].high - again["mae"].low > 1.5 * (alone.high - alone.low)

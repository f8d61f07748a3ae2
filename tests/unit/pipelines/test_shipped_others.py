"""Thresholds, exports, latency and text models as components, on what the chain of components left."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from core.errors import InputError, SettingsError
from core.fairness import ThresholdPolicy
from core.models import load_served_model
from core.pipelines.shipped import (
    export_onnx,
    fairness_thresholds,
    fine_tune_text,
    latency_test,
    model_evaluation,
    monitor_batch,
)
from core.pipelines.tables import read_data
from tests.golden import tiny_base
from tests.unit.pipelines.shipped_chain import NUMBERS, execute


def test_thresholds_are_found_on_predictions_of_the_cross_validation(shipped_chain, tmp_path):
    log = execute(fairness_thresholds, model=shipped_chain.model, policy=tmp_path, tolerance=0.01)
    assert "each scored by a model of the cross-validation that had not seen it" in log
    assert "predicted as 'good'" in log
    policy = ThresholdPolicy.from_dict(json.loads((tmp_path / "policy.json").read_text()))
    assert list(policy.columns) == ["gender"]
    scores = pd.read_parquet(shipped_chain.model / "data" / "oof.parquet")
    people = read_data(shipped_chain.features, "train").frame.iloc[scores["row_id"]].reset_index(drop=True)
    selected = pd.Series(policy.predict(scores["p(good)"], people[["gender"]])).astype(bool)
    rates = selected.groupby(people["gender"]).mean()
    assert rates.max() - rates.min() <= 0.02  # one threshold per group is as near to 0.01 as scores allow
    plain = pd.Series(scores["p(good)"] >= 0.5).groupby(people["gender"]).mean()
    assert rates.max() - rates.min() < plain.max() - plain.min()


def test_one_threshold_for_all_and_rows_that_are_given(shipped_chain, tmp_path):
    log = execute(
        fairness_thresholds,
        model=shipped_chain.model,
        validation_data=shipped_chain.features,
        by_group="False",
        policy=tmp_path,
    )
    policy = ThresholdPolicy.from_dict(json.loads((tmp_path / "policy.json").read_text()))
    assert not policy.columns
    assert "held out before the training" in log
    with pytest.raises(InputError, match="were not held out"):
        execute(
            fairness_thresholds,
            model=shipped_chain.model,
            validation_data=shipped_chain.features / "train",
            policy=tmp_path,
        )
    with pytest.raises(SettingsError, match="draws nothing at random"):
        execute(fairness_thresholds, model=shipped_chain.model, by_group="no", randomized="yes", policy=tmp_path)
    with pytest.raises(InputError, match="holds no model"):
        execute(fairness_thresholds, model=shipped_chain.features, policy=tmp_path)


@pytest.mark.nightly
def test_an_export_answers_as_the_model_and_is_measured(shipped_chain, tmp_path):
    for name in ("policy", "onnx", "latency"):
        (tmp_path / name).mkdir()
    execute(fairness_thresholds, model=shipped_chain.model, policy=tmp_path / "policy")
    log = execute(
        export_onnx,
        model=shipped_chain.model,
        test_data=shipped_chain.features,
        policy=tmp_path / "policy",
        onnx_model=tmp_path / "onnx",
    )
    assert "Held out rows: 199 compared" in log
    test = read_data(shipped_chain.features, "test").frame
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "model.onnx")
    feeds = {}
    for item in session.get_inputs():
        dtype = np.float32 if "float" in item.type else np.float64 if "double" in item.type else np.int64
        feeds[item.name] = test[[item.name]].to_numpy(dtype)
    assert set(feeds) == set(NUMBERS)
    answers = dict(zip([item.name for item in session.get_outputs()], session.run(None, feeds), strict=True))
    expected = load_served_model(shipped_chain.model / "data").predict(test)
    np.testing.assert_allclose(answers["probabilities"][:, 1], expected["p(good)"], atol=1e-4)
    log = execute(
        latency_test, onnx_model=tmp_path / "onnx", duration_s=0.3, warmup_s=0.1, latency=tmp_path / "latency"
    )
    assert "rows that were exported with the model" in log
    report = json.loads((tmp_path / "latency" / "latency.json").read_text())
    assert report["percentiles"]["50"]["value"] > 0
    assert report["settings"]["scenario"] == "single_stream"


@pytest.mark.nightly
def test_a_text_model_is_trained_evaluated_and_exported(tmp_path: Path):
    generator = np.random.default_rng(0)
    words = {"good": ["lovely", "great", "fine"], "bad": ["awful", "poor", "sad"]}
    labels = generator.choice(list(words), 240)
    texts = [f"the film was {generator.choice(words[label])} and {generator.choice(words[label])}" for label in labels]
    frame = pd.DataFrame({"review": texts, "stars": labels})
    base = tiny_base(tmp_path / "tiny", texts)
    for name in ("train", "test", "model", "results", "onnx"):
        (tmp_path / name).mkdir()
    frame[:200].to_csv(tmp_path / "train" / "table.csv", index=False)
    frame[200:].to_csv(tmp_path / "test" / "table.csv", index=False)
    log = execute(
        fine_tune_text,
        training_data=tmp_path / "train",
        base_model=base,
        epochs=4,
        learning_rate=0.002,
        max_length=16,
        model=tmp_path / "model",
    )
    assert "'review' (the column with the longest texts" in log
    assert "'stars' (the last column" in log
    execute(
        model_evaluation, model=tmp_path / "model", test_data=tmp_path / "test", evaluation_results=tmp_path / "results"
    )
    figures = json.loads((tmp_path / "results" / "metrics.json").read_text())
    predicted = load_served_model(tmp_path / "model" / "data").predict(frame[200:])["prediction"]
    accuracy = float((predicted == frame["stars"][200:]).mean())
    assert accuracy > 0.9
    assert figures["metrics"]["accuracy"]["value"] == pytest.approx(accuracy)
    assert (tmp_path / "model" / "MLmodel").is_file()
    execute(export_onnx, model=tmp_path / "model", test_data=tmp_path / "test", onnx_model=tmp_path / "onnx")
    assert (tmp_path / "onnx" / "model.onnx").is_file()


def test_a_batch_is_compared_with_rows_that_the_model_had_not_seen(shipped_chain, tmp_path):
    rows = read_data(shipped_chain.features, "test").frame
    moved = rows.assign(**{NUMBERS[0]: rows[NUMBERS[0]] * 1_000})
    for name, frame in (("same", rows), ("moved", moved)):
        (tmp_path / name).mkdir()
        frame.to_parquet(tmp_path / name / "rows.parquet", index=False)
    execute(monitor_batch, model=shipped_chain.model, batch=tmp_path / "same", monitoring=tmp_path / "a")
    report = json.loads((tmp_path / "a" / "report.json").read_text())
    assert report["state"] != "alarm", report["reasons"]
    assert report["rows"] == len(rows)
    assert report["performance"]["metric"]
    log = execute(monitor_batch, model=shipped_chain.model, batch=tmp_path / "moved", monitoring=tmp_path / "b")
    report = json.loads((tmp_path / "b" / "report.json").read_text())
    assert report["state"] == "alarm"
    assert NUMBERS[0] in report["drifted"]
    assert "alarm" in log
    assert f'plumbline_column_drifted{{column="{NUMBERS[0]}"}} 1' in (tmp_path / "b" / "metrics.prom").read_text()
    with pytest.raises(InputError, match="raises an alarm"):
        execute(
            monitor_batch,
            model=shipped_chain.model,
            batch=tmp_path / "moved",
            fail_on_alarm="yes",
            monitoring=tmp_path / "c",
        )
    assert (tmp_path / "c" / "report.json").is_file(), "what was found is written before the step fails"

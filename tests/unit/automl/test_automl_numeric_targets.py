"""The offset and the unit of a numeric target do not matter: to learners, metrics, predictions kept, and exports."""

from __future__ import annotations

import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score

from core.automl import LEARNERS, AutoMLResult, build_estimator
from core.edge import TableScorer, export_onnx, write_bundle
from core.edge.portable.cli import predict

ROWS = 600
SMALL = {"n_estimators": 40, "max_leaves": 32}


def table(offset: float = 0.0, scale: float = 1.0) -> pd.DataFrame:
    """Return a noise-free linear target beside two columns of numbers that float32 does not hold."""
    random = np.random.default_rng(0)
    x0 = random.normal(size=ROWS)
    return pd.DataFrame(
        {
            "x0": x0,
            "day": 20240300 + random.integers(1, 29, ROWS),
            "moment": 1_709_300_000 + random.integers(0, 4_000, ROWS),
            "y": (offset + x0) * scale,
        }
    )


@pytest.mark.parametrize(
    ("offset", "scale"), [(2e7, 1.0), (1.7e9, 1.0), (-3e8, 1.0), (0.0, 1e-6), (2e7, 1e-6), (5.0, 1e12)]
)
@pytest.mark.parametrize("learner", ["linear", *LEARNERS])
def test_a_learner_does_as_well_as_without_offset_and_unit(learner, offset, scale):
    plain, moved = table(), table(offset, scale)
    config = {} if learner in ("linear", "gam", "mlp") else SMALL
    if learner == "lgbm":
        config = {"n_estimators": 40, "num_leaves": 32}
    if learner == "xgb_limitdepth":
        config = {"n_estimators": 40, "max_depth": 5}
    if learner == "catboost":
        config = {"n_estimators": 40, "learning_rate": 0.3}
    scores = []
    for frame in (plain, moved):
        X = frame[["x0"]].to_numpy(np.float32)
        model = build_estimator(learner, config, "regression", jobs=1, seed=0).fit(X[:400], frame["y"].to_numpy()[:400])
        predicted = model.predict(X[400:])
        assert predicted.dtype == np.float64
        scores.append(r2_score(frame["y"][400:], predicted))
    assert scores[1] > 0.999 if learner == "linear" else scores[1] > 0.9
    assert scores[1] == pytest.approx(scores[0], abs=0.005)


def test_weights_move_the_center():
    X, y = np.zeros((3, 1), np.float32), np.array([1e9, 1e9 + 1, 1e9 + 5])
    model = build_estimator("linear", {}, "regression", jobs=1, seed=0).fit(X, y, sample_weight=np.array([1.0, 2.0, 1]))
    assert model.predict(X).tolist() == [1e9 + 7 / 4] * 3


@pytest.fixture(scope="module")
def searched(run_search):
    return run_search(
        table(2e7),
        target="y",
        time_budget_s=None,
        max_trials=2,
        folds=2,
        cv_repeats=2,
        learners=("lgbm",),
        explain=False,
    )


def test_a_search_scores_and_keeps_all_digits(searched, tmp_path):
    result, frame = searched.result, searched.frame
    assert result.test_metrics["r2"].value > 0.999
    assert result.baseline_metrics["linear"]["r2"].value > 0.999
    known = frame["y"].iloc[result.test["row_id"]].to_numpy()
    assert result.test_metrics["r2"].value == pytest.approx(r2_score(known, result.test["prediction"]), abs=1e-9)
    assert result.test_metrics["mae"].value == pytest.approx(np.abs(known - result.test["prediction"]).mean())
    for predictions in (result.oof["prediction"], result.test["prediction"], *result.candidates.values()):
        assert predictions.dtype == np.float64
    spread = result.oof["prediction"].to_numpy() - 2e7
    assert len(np.unique(spread)) > len(np.unique((spread + 2e7).astype(np.float32)))  # float32 has steps of 2 here
    result.save(tmp_path)
    loaded = AutoMLResult.load(tmp_path)
    assert np.array_equal(loaded.model.predict(frame), result.model.predict(frame))


def test_the_exported_file_and_the_bundle_answer_as_the_model(searched, tmp_path):
    model, frame = searched.result.model, searched.frame
    exported = export_onnx(model, tmp_path / "m.onnx", train=frame[:400], held_out=frame[400:], target="y")
    expected = model.predict(frame)
    assert np.abs(TableScorer(tmp_path / "m.onnx").outputs(frame)[:, 0] - expected).max() < 1e-4
    bundle = write_bundle(tmp_path / "b.zip", exported, sample=frame.head(20), card="card", license="MIT")
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path / "b")
    frame.to_csv(tmp_path / "rows.csv", index=False)
    with (tmp_path / "out.csv").open("w", newline="") as file:
        predict(tmp_path / "b", tmp_path / "rows.csv", file)
    assert np.abs(pd.read_csv(tmp_path / "out.csv")["label"].to_numpy() - expected).max() < 1e-4

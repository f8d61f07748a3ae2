"""Additive models: their splines are scikit-learn's, a logarithm of the target helps where it should, both export."""

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler

from core.automl import LEARNERS, build_estimator
from core.automl.data.training_data import TrainingData
from core.automl.learners.additive_model import AdditiveClassifier, AdditiveRegressor
from core.automl.learners.scaled_target import ScaledTargetRegressor
from core.automl.learners.spline_features import Spline, SplineFeatures
from core.automl.results.model_file import load_model, save_model
from core.edge.export.estimators import FEATURES, convert_estimator


def rows_of(seed=0, count=600):
    """Numbers of several sizes, one of three values, and one that is nearly always the same."""
    random = np.random.default_rng(seed)
    X = random.gamma(1.0, size=(count, 5)) * [1, 1e4, 1e-3, 1, 1] + [0, 1e6, 0, 0, 0]
    X[:, 3] = random.integers(0, 3, count)
    X[: int(0.95 * count), 4] = 2
    return X.astype(np.float32)


def beyond(X):
    """The rows, and others outside their range."""
    return np.vstack([X, X * 1.3, X * 0.5, X - 1]).astype(np.float32)


def signal(X):
    return np.sin(2 * X[:, 0].astype(float)) + 1e3 * X[:, 2] + X[:, 3]


TARGETS = {
    "two classes": lambda X: (signal(X) > 2).astype(int),
    "three classes": lambda X: np.digitize(signal(X), [1.5, 2.5]),
    "a number": signal,
}


def fitted(target, X, **parameters):
    kind = AdditiveRegressor if target == "a number" else AdditiveClassifier
    return kind(**parameters).fit(X, TARGETS[target](X))


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=3, max_size=12, unique=True))
def test_splines_are_those_of_scikit_learn(values):
    knots = np.sort(np.array(values))
    if np.diff(knots).min() < 1e-3 * (knots[-1] - knots[0]):
        return  # the reference loses its own digits there
    x = np.concatenate([np.linspace(knots[0], knots[-1], 50), knots, [knots[0] - 1, knots[-1] + 1]])
    reference = SplineTransformer(knots=knots[:, None], degree=3, extrapolation="linear").fit(x[:, None])
    np.testing.assert_allclose(Spline.between(knots)(x), reference.transform(x[:, None]), atol=1e-6)


def test_columns_with_few_values_stay_as_they_are():
    X = rows_of()
    features = SplineFeatures(5).fit(X)
    assert list(features.splines_) == [0, 1, 2, 4], "three values have no curve"
    assert len(features.splines_[4].knots) == 3, "most quantiles of a number that hardly varies are equal"
    assert features.transform(X).shape == (len(X), len(features.sources_)) == (600, 5 + 3 * 7 + 5)
    assert features.sources_.tolist() == [*range(5), *[0] * 7, *[1] * 7, *[2] * 7, *[4] * 5]
    np.testing.assert_array_equal(features.transform(X)[:, :5], X)


@pytest.mark.parametrize("target", TARGETS)
def test_models_are_those_of_a_pipeline_of_scikit_learn(target):
    X, y = rows_of(), TARGETS[target](rows_of())
    model = fitted(target, X, C=0.5)
    curves = [
        SplineTransformer(knots=spline.knots[:, None], extrapolation="linear").fit_transform(
            X[:, [column]].astype(float)
        )
        for column, spline in model.features_.splines_.items()
    ]
    wide = np.hstack([X, *curves])
    last = Ridge(1 / 0.5) if target == "a number" else LogisticRegression(C=0.5, tol=1e-8, max_iter=50_000)
    reference = make_pipeline(StandardScaler(), last).fit(wide.astype(float), y)
    ask = "predict" if target == "a number" else "predict_proba"
    np.testing.assert_allclose(getattr(model, ask)(X), getattr(reference, ask)(wide.astype(float)), atol=5e-3)


@pytest.mark.parametrize("target", TARGETS)
def test_a_graph_answers_as_the_model_also_beyond_its_rows(target):
    X = rows_of()
    model = fitted(target, X, C=5.0, knots=9)
    session = onnxruntime.InferenceSession(convert_estimator(model, X.shape[1]).SerializeToString())
    answers = session.run(None, {FEATURES: beyond(X)})[-1]
    expected = model.predict(beyond(X))[:, None] if target == "a number" else model.predict_proba(beyond(X))
    assert np.abs(answers - expected).max() < 1e-5 * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("target", TARGETS)
def test_a_saved_model_answers_as_before(target, tmp_path):
    X = rows_of()
    model = make_pipeline(fitted(target, X))
    save_model(model, tmp_path / "model.skops")
    np.testing.assert_array_equal(load_model(tmp_path / "model.skops").predict(X), model.predict(X))


def test_the_logarithm_of_a_skewed_target_is_learned_better():
    X = rows_of(1, 1_000)
    train, test = slice(0, 700), slice(700, None)
    y = np.exp(2 * np.sin(2 * X[:, 0].astype(float)) + X[:, 3])
    scores = []
    for log in (False, True):
        model = build_estimator("gam", {"log_target": log}, "regression", jobs=1, seed=0).fit(X[train], y[train])
        scores.append(model.score(X[test], y[test]))
    assert scores[1] > scores[0] + 0.1


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=30))
def test_a_logarithm_is_undone(values):
    y = np.array(values)
    scaled = ScaledTargetRegressor(Ridge(), log=True)
    scaled.learn_scale(y)
    np.testing.assert_allclose(scaled.unscaled(scaled.scaled(y)), y, rtol=1e-6, atol=1e-6 * max(np.abs(y).max(), 1))


@pytest.mark.parametrize("shift", [0.0, -20.0])
def test_a_logarithm_is_part_of_the_graph(shift):
    X = rows_of()
    y = np.exp(signal(X)) + shift
    model = ScaledTargetRegressor(AdditiveRegressor(), log=True).fit(X, y)
    session = onnxruntime.InferenceSession(convert_estimator(model, X.shape[1]).SerializeToString())
    answers = session.run(None, {FEATURES: beyond(X)})[-1][:, 0]
    predicted = model.predict(beyond(X))
    np.testing.assert_allclose(answers, predicted, rtol=1e-4, atol=1e-4)
    bounded = (y.min() <= predicted) & (predicted <= y.max())
    assert bounded.all(), "a straight line in a logarithm has no bounds"


def test_logarithms_are_suggested_for_skewed_targets_alone():
    X = rows_of()
    for y, expected in ((signal(X), [False] * 3), (np.exp(3 * signal(X)), [True, *[False] * 3])):
        data = TrainingData(X, y, 0, [(np.arange(300), np.arange(300, 600))])
        suggested = LEARNERS["gam"].suggest(data, 60.0)
        assert ["log_target" in config for config in suggested] == expected


def test_wide_and_long_tables_are_left_to_other_learners():
    gate = LEARNERS["gam"].why_left_out
    folds = [(np.arange(2), np.arange(2))]
    few = TrainingData(np.zeros((2_000, 300), np.float32), np.zeros(2_000), 0, folds)
    many = TrainingData(np.broadcast_to(np.float32(0), (1_000_000, 100)), np.zeros(1_000_000), 0, folds)
    assert gate(few) == ""
    assert gate(many) == "its curves of 100 features of 1,000,000 training rows would fill 6.4 GB"

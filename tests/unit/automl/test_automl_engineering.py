"""Made features: target means are scikit-learn's, nothing leaks, graphs give the same bits, a search shows the gain."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.preprocessing import TargetEncoder

from core.automl import LEARNERS, AutoMLResult, AutoMLSettings, build_estimator, prepare, search
from core.automl.data.training_data import TrainingData
from core.automl.engineering.engineered_model import EngineeredRegressor
from core.automl.engineering.feature_maker import FeatureMaker
from core.automl.engineering.made_features import OPERATORS, Arithmetic, calculate, category_codes
from core.automl.learners.early_stopping import StopRule
from core.automl.results.feature_report import feature_report
from core.automl.results.model_file import load_model, save_model
from core.automl.tuning.grown_fold import GrownFold
from core.automl.tuning.trials import Trial
from core.edge import export_onnx
from core.edge.export.estimators import FEATURES, convert_estimator
from core.errors import SettingsError
from core.features import FeatureGroups, TableEncoder, feature_groups


def table_of(rows=600, seed=0):
    """Numbers with zeros, a date, a category with a column per value and one with codes; two numbers as a ratio."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "debt": random.gamma(2.0, 1_000, rows).round(),
            "income": random.gamma(2.0, 2_000, rows).round() * (random.random(rows) > 0.05),
            "age": random.integers(18, 80, rows).astype(float),
            "opened": pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, rows), "D"),
            "closed": pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 900, rows), "D"),
            "job": random.choice(["clerk", "cook", "driver", "nurse"], rows),
            "town": random.choice([f"town {number}" for number in range(40)], rows),
        }
    )
    frame.loc[::17, "age"] = np.nan
    frame.loc[::23, "job"] = None
    return frame


def targets_of(frame, seed=0):
    random = np.random.default_rng(seed)
    ratio = np.log1p(frame["debt"] / frame["income"].where(frame["income"] > 0, 1_000))
    town = frame["town"].str.split().str[1].astype(int) % 5
    signal = (ratio + 0.3 * town + 0.2 * random.normal(size=len(frame))).to_numpy()
    return {
        "binary": (signal > np.median(signal)).astype(int),
        "multiclass": np.digitize(signal, np.quantile(signal, [0.3, 0.6])),
        "regression": signal,
    }


@pytest.fixture(scope="module")
def encoded():
    frame = table_of()
    encoder = TableEncoder().fit(frame)
    return encoder.transform(frame), targets_of(frame), feature_groups(encoder)


def test_groups_are_the_encoder_s_columns(encoded):
    X, _, groups = encoded
    frame = table_of()
    assert list(groups.numbers) == ["debt", "income", "age"]
    assert list(groups.shifted) == ["opened", "closed"]
    assert groups.families == ["none", "target_means", "arithmetic", "all"]
    np.testing.assert_array_equal(X[:, groups.numbers["debt"]], frame["debt"].astype(np.float32))
    days = X[:, groups.shifted["closed"]] - X[:, groups.shifted["opened"]]
    known = (frame["closed"] - frame["opened"]).dt.total_seconds()
    assert np.ptp(days - known) <= 64, "but for their centers, in float32"
    for name in ("job", "town"):
        codes = category_codes(X, groups.categories[name])
        values = frame[name].fillna("(missing)")
        assert pd.DataFrame({"code": codes, "value": values}).drop_duplicates().shape[0] == values.nunique()
        assert 1 <= codes.min() <= codes.max() < groups.sizes[name]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_target_means_are_those_of_scikit_learn(encoded, task):
    X, targets, groups = encoded
    y = targets[task]
    maker = FeatureMaker(groups, "target_means")
    maker.fit_transform(X, y, classes=task != "regression")
    codes = np.stack([category_codes(X, groups.categories[name]) for name in ("job", "town")], axis=1)
    kind = "continuous" if task == "regression" else task
    reference = TargetEncoder(smooth=20.0, target_type=kind).fit(codes, y).transform(codes)
    width = reference.shape[1] // 2
    for index, name in enumerate(("job", "town")):
        (feature,) = (made for made in maker.made_ if made.columns == [name])
        np.testing.assert_allclose(feature.values(X), reference[:, index * width : (index + 1) * width], rtol=1e-5)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_no_row_s_own_target_is_in_its_features(encoded, task):
    X, targets, groups = encoded
    y = targets[task].astype(float)
    made = FeatureMaker(groups, "target_means").fit_transform(X, y)[:, X.shape[1] :]
    changed = y.copy()
    changed[7] += 50
    again = FeatureMaker(groups, "target_means").fit_transform(X, changed)[:, X.shape[1] :]
    width = min(made.shape[1], again.shape[1], len(groups.categories))
    np.testing.assert_array_equal(np.sort(made[7, :width]), np.sort(again[7, :width]))
    assert not np.array_equal(made[:, :width], again[:, :width]), "other rows have it"


def test_weights_are_repetitions(encoded):
    X, targets, groups = encoded
    times = np.random.default_rng(3).integers(1, 4, len(X))
    maker = FeatureMaker(groups, "target_means")
    maker.fit_transform(X, targets["regression"], times.astype(float))
    repeated = FeatureMaker(groups, "target_means")
    repeated.fit_transform(np.repeat(X, times, axis=0), np.repeat(targets["regression"], times))
    by_columns = {tuple(made.columns): made.table for made in repeated.made_}
    for made in maker.made_[:2]:
        np.testing.assert_allclose(made.table, by_columns[tuple(made.columns)], rtol=1e-5)


numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), st.sampled_from("+-*/"))
def test_arithmetic_is_finite(pairs, operator):
    first, second = np.array(pairs, dtype=np.float32).T
    assert np.isfinite(calculate(operator, first, second, 1.0)).all()


def test_a_ratio_without_a_divisor_is_the_usual_one(encoded):
    X, targets, groups = encoded
    maker = FeatureMaker(groups, "arithmetic")
    maker.fit_transform(X, targets["regression"])
    ratio = next(made for made in maker.made_ if made.title == "debt ÷ income")
    assert isinstance(ratio, Arithmetic)
    debt, income = table_of()["debt"].to_numpy(), table_of()["income"].to_numpy()
    known = debt[income > 0] / income[income > 0]
    assert ratio.otherwise == pytest.approx(np.median(known), rel=1e-5)
    assert ratio.values(X)[income == 0] == pytest.approx(np.median(known), rel=1e-5)


def test_what_says_nothing_new_is_not_made():
    random = np.random.default_rng(0)
    X = random.normal(size=(2_000, 4)).astype(np.float32)
    maker = FeatureMaker(FeatureGroups({"a": 0, "b": 1, "c": 2, "d": 3}), "arithmetic")
    maker.fit_transform(X, X[:, 0])
    assert len(maker.made_) <= 1, "of thirty, at two standard errors"
    maker.fit_transform(X, X[:, 0] * X[:, 1])
    assert maker.made_[0].title == "a × b"
    titles = [made.title for made in maker.made_]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("learner", [*LEARNERS, "gam"])
def test_a_learner_with_made_features_exports_and_is_stored(encoded, tmp_path, learner, task):
    """The made features are equal to the last bit, so what differs is the learner's own arithmetic."""
    X, targets, groups = encoded
    few = {} if learner == "gam" else {LEARNERS[learner].grown: 8}
    config = {**few, "made_features": "all"}
    model = build_estimator(learner, config, task, jobs=1, seed=0, groups=groups).fit(X, targets[task])
    engineered = model.estimator_ if task == "regression" else model
    made = engineered.features(X)
    assert made.shape[1] > X.shape[1] + 3

    graph = convert_estimator(model, X.shape[1])
    (concat,) = (node for node in graph.graph.node if node.output[0].startswith("of_made/features"))
    graph.graph.output.append(type(graph.graph.output[0])(name=concat.output[0]))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    strange = np.vstack([X, np.zeros_like(X), -X, X * np.float32(1e20)])
    strange[len(X) :, [position for block in groups.categories.values() for position in block]] = 0
    strange[len(X) :: 2, groups.categories["town"]] = -1
    *_, features = session.run(None, {FEATURES: strange})
    np.testing.assert_array_equal(features, engineered.features(strange))
    answers = session.run(None, {FEATURES: X})[-2]
    expected = model.predict(X) if task == "regression" else model.predict_proba(X)
    np.testing.assert_allclose(np.reshape(answers, expected.shape), expected, rtol=1e-4, atol=1e-5)

    save_model(model, tmp_path / "model.skops")
    again = load_model(tmp_path / "model.skops")
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_every_operator_has_the_same_bits_in_a_graph():
    """Also where a result overflows, and where the divisor is zero."""
    values = [0.0, -0.0, 1.0, -3.7, 1e-30, 1e25, -1e25, 3e38]
    X = np.array([[one, other] for one in values for other in values], dtype=np.float32)
    model = EngineeredRegressor(Ridge(), FeatureGroups({"a": 0, "b": 1})).fit(X * 0, np.arange(len(X)))
    model.maker_.made_ = [Arithmetic(["a", "b"], operator, 0, 1, 7.0) for operator in OPERATORS]
    model.estimator_ = Ridge().fit(np.zeros((3, 6), np.float32), np.arange(3))
    graph = convert_estimator(model, 2)
    graph.graph.output.append(type(graph.graph.output[0])(name="of_made/features"))
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    *_, features = session.run(None, {FEATURES: X})
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(features, model.features(X))
    assert np.abs(features[:, 2:]).max() == np.float32(1e30)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_grown_model_is_what_as_many_trees_would_have_made(encoded, task):
    X, targets, groups = encoded
    data = TrainingData(X, targets[task], 0 if task == "regression" else 2, [], feature_groups=groups)
    config = {"made_features": "all", "learning_rate": 0.3, "num_leaves": 4}
    train, validation = np.arange(400), np.arange(400, 600)

    def build(further):
        return build_estimator("lgbm", config | further, task, jobs=1, seed=0, groups=groups)

    rule = StopRule("squared" if task == "regression" else "log_loss", max_trees=30)
    grown = GrownFold(build({}), LEARNERS["lgbm"].grow, data, train, validation, rule)
    cut = grown.cut(12)
    whole = build({"n_estimators": 12}).fit(X[train], targets[task][train])
    ask = "predict" if task == "regression" else "predict_proba"
    np.testing.assert_allclose(getattr(cut, ask)(X), getattr(whole, ask)(X), rtol=1e-6)
    assert len(rule.losses) == 30


def test_made_features_need_columns_to_make_them_of():
    with pytest.raises(SettingsError, match="made_features: all"):
        build_estimator("rf", {"made_features": "all"}, "binary", jobs=1, seed=0)


def test_data_for_other_processes_has_the_groups(encoded, tmp_path):
    X, targets, groups = encoded
    TrainingData(X, targets["binary"], 2, [], feature_groups=groups).save(tmp_path)
    assert TrainingData.load(tmp_path).feature_groups == groups


@pytest.fixture(scope="module")
def ratio_result(tmp_path_factory):
    frame = table_of(900)
    frame["target"] = targets_of(frame)["regression"]
    settings = AutoMLSettings(
        target="target", time_budget_s=None, max_trials=8, learners=("lgbm",), folds=3, cv_repeats=1, ensemble=False
    )
    result = search(frame, settings)
    folder = tmp_path_factory.mktemp("result")
    result.save(folder)
    return frame, result, AutoMLResult.load(folder)


def test_a_search_makes_features_and_says_what_they_brought(ratio_result):
    _, result, loaded = ratio_result
    report = result.feature_engineering
    assert report == loaded.feature_engineering
    (gain,) = report["gains"]
    by_number = {trial.number: trial for trial in result.trials}
    assert gain["gain"] == pytest.approx(gain["score"] - gain["plain_score"])
    assert gain["gain"] > 0.02
    assert "made_features" not in by_number[gain["plain_trial"]].config
    assert by_number[gain["trial"]].score == gain["score"]
    assert report["engineered"] == report["models"] == 3, "the models of the folds"
    assert report["features"][0]["columns"] == ["town"]
    assert all(1 <= feature["models"] <= 3 for feature in report["features"])


def test_the_final_model_exports(ratio_result, tmp_path):
    frame, _, loaded = ratio_result
    columns = frame.drop(columns="target")
    exported = export_onnx(loaded.model, tmp_path / "m.onnx", train=columns[:700], held_out=columns[700:])
    for part in exported.parity.values():
        assert part["rows_over"] == 0
        assert part["largest_difference"] < 1e-5


def test_feature_engineering_can_be_switched_off(ratio_result):
    frame, *_ = ratio_result
    off = AutoMLSettings(target="target", max_trials=3, time_budget_s=None, feature_engineering=False)
    assert prepare(frame, off).data.feature_groups == FeatureGroups()
    result = search(frame, off.model_copy(update={"learners": ("gam",)}))
    assert result.feature_engineering is None
    assert not any("made_features" in trial.config for trial in result.trials)
    numeric = frame[["debt", "income", "target"]]
    plain = AutoMLSettings(target="target", max_trials=3, time_budget_s=None, featurization="off")
    assert prepare(numeric, plain).data.feature_groups == FeatureGroups()


def test_a_column_named_as_a_flag_is_not_one():
    frame = pd.DataFrame({"age": [20.0, None, 40.0] * 10, "missingindicator_age": np.arange(30.0) % 7})
    encoder = TableEncoder().fit(frame)
    position = feature_groups(encoder).numbers["missingindicator_age"]
    assert encoder.transform(frame)[:, position].tolist() == frame["missingindicator_age"].tolist()


def test_rows_of_one_class_can_be_learned(encoded):
    X, _, groups = encoded
    made = FeatureMaker(groups, "all").fit_transform(X, np.zeros(len(X), int), classes=True)
    assert np.isfinite(made).all()


def test_trials_of_other_folds_are_not_compared():
    plain = Trial(1, "lgbm", {"num_leaves": 8}, "finished", score=0.5, fold_scores=[0.5] * 5)
    made = Trial(2, "lgbm", {"num_leaves": 8, "made_features": "all"}, "finished", score=0.6, fold_scores=[0.6] * 15)
    estimator = build_estimator("lgbm", {}, "binary", jobs=1, seed=0)
    assert feature_report(estimator, [plain, made], "roc_auc")["gains"] == []
    same = replace(made, fold_scores=[0.6] * 5)
    (gain,) = feature_report(estimator, [plain, same], "roc_auc")["gains"]
    assert gain["gain"] == pytest.approx(0.1)
    (loss,) = feature_report(estimator, [plain, same], "log_loss")["gains"]
    assert loss["gain"] == pytest.approx(-0.1)
    trees = (
        replace(plain, learner="rf", config={"n_estimators": 50}),
        replace(same, learner="rf", config={"n_estimators": 80, "made_features": "all"}),
    )
    assert feature_report(estimator, trees, "roc_auc")["gains"] == [], "a forest's number of trees is searched"

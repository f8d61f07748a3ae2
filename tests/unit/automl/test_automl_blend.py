"""A search's blend: it wins where it should, is listed and explained, repeats itself, and predicts wherever it is."""

import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, VotingClassifier, VotingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeRegressor

from core.automl import AutoMLResult, Trial, build_estimator, bundle
from core.automl.ensemble.blend import BlendClassifier, BlendRegressor
from core.automl.ensemble.candidates import load_out_of_fold
from core.automl.ensemble.selection import choose_blend
from core.edge import TableScorer, export_onnx
from core.features import feature_groups


def table(rows=500, seed=0):
    """Half of what there is to know is linear, half is in boxes: neither kind of model knows all of it."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(rows, 6)), columns=list("abcdef"))
    frame["town"] = random.choice(["here", "there", "elsewhere"], rows)
    boxes = (np.abs(frame["a"]) < 0.7).astype(float) * 2 + (frame["town"] == "here") * (frame["b"] > 0) * 2
    frame["signal"] = 1.2 * frame["c"] - frame["d"] + boxes + random.normal(size=rows)
    return frame


SETTINGS = {"learners": ("lgbm", "rf"), "time_budget_s": None, "max_trials": 10, "folds": 4, "early_stopping": False}


@pytest.fixture(scope="module")
def classes(run_search, tmp_path_factory):
    frame = table()
    frame["y"] = pd.cut(frame.pop("signal"), [-99, 0.5, 99], labels=["low", "high"]).astype(str)
    folder = tmp_path_factory.mktemp("classes")
    return run_search(frame, target="y", workdir=folder, bagging=False, **SETTINGS), folder


@pytest.fixture(scope="module")
def number(run_search):
    return run_search(table(), target="signal", metric="rmse", **SETTINGS)


def test_blend_wins_where_no_model_knows_all(classes):
    result = classes[0].result
    assert result.winner["learner"] == "blend"
    assert result.winner["trial"] is None
    judged = result.blend["judged"]
    assert judged["score_on_other_rows"] > judged["best_single_on_other_rows"]


def test_blend_is_the_first_row_with_its_members(classes):
    result = classes[0].result
    first = result.leaderboard.iloc[0]
    assert (first["name"], first["learner"], first["score"]) == ("blend", "blend", result.winner["score"])
    members = first["config"]["members"]
    assert len({(member["learner"], member["trial"]) for member in members}) > 1
    assert sum(member["weight"] for member in members) == pytest.approx(1)
    known = {trial["trial"]: trial for trial in result.trials}
    for member in members:
        if member["learner"] != "linear":
            assert known[member["trial"]]["config"] == member["config"]
    assert len(result.leaderboard) == len(result.trials) + 3  # blend, linear, prior


def test_out_of_fold_predictions_are_the_weighted_mean(classes):
    searched, folder = classes
    result = searched.result
    expected = sum(
        member["weight"] * load_out_of_fold(folder, Trial.from_record({"status": "finished", **member})).astype(float)
        for member in result.winner["config"]["members"]
    )
    assert np.allclose(result.oof["p(low)"], expected[:, 1], atol=1e-6)
    folds = result.blend["fold_scores"]
    assert result.winner["score"] == pytest.approx(np.mean(folds))
    pooled = roc_auc_score(result.oof["y"] == "low", result.oof["p(low)"])
    assert pooled == pytest.approx(result.winner["score"], abs=0.01)


def test_members_are_fitted_on_all_training_rows(classes):
    """The model is the mean of models fitted anew, outside, with the members' configurations."""
    result, frame = classes[0].result, classes[0].frame
    encoder = result.model.named_steps["features"]
    train = frame.iloc[result.oof["row_id"]]
    X, y = encoder.transform(train), (train["y"] == "low").astype(int)
    expected = 0.0
    for member in result.winner["config"]["members"]:
        learner, config = member["learner"], member["config"]
        estimator = build_estimator(learner, config, "binary", jobs=1, seed=0, groups=feature_groups(encoder))
        estimator.fit(X, y)
        expected = expected + member["weight"] * estimator.predict_proba(encoder.transform(frame))
    assert np.allclose(result.model.predict_proba(frame), expected, atol=1e-6)
    assert set(result.model.predict(frame)) <= {"low", "high"}


def test_winner_can_be_built_again_from_its_configuration(classes):
    """As mitigations of unfairness do, with weights of the rows."""
    result, frame = classes[0].result, classes[0].frame
    encoder = result.model.named_steps["features"]
    train = frame.iloc[result.oof["row_id"]]
    X, y = encoder.transform(train), (train["y"] == "low").to_numpy(dtype=int)
    groups = feature_groups(encoder)
    again = build_estimator("blend", result.winner["config"], "binary", jobs=1, seed=0, groups=groups)
    again.fit(X, y, sample_weight=np.ones(len(y)))
    probabilities = again.predict_proba(encoder.transform(frame))
    assert np.allclose(probabilities, result.model.predict_proba(frame), atol=1e-6)


def test_number_is_the_mean_of_numbers(number):
    result = number.result
    assert result.winner["learner"] == "blend"
    predicted = result.model.predict(number.frame)
    assert np.issubdtype(predicted.dtype, np.floating)
    assert not hasattr(result.model, "predict_proba")
    blend = result.model.named_steps["estimator"]
    X = result.model.named_steps["features"].transform(number.frame)
    values = [member.predict(X) for member in blend.estimators_]
    assert np.allclose(predicted, np.average(values, axis=0, weights=blend.weights), rtol=1e-6)


@pytest.mark.nightly
def test_reproducible_search_repeats_its_blend(classes, run_search):
    again = run_search(classes[0].frame, target="y", bagging=False, **SETTINGS).result
    assert again.winner["config"] == classes[0].result.winner["config"]
    assert np.array_equal(
        again.model.predict_proba(classes[0].frame), classes[0].result.model.predict_proba(classes[0].frame)
    )


def test_without_ensemble_the_best_single_model_wins(classes, run_search):
    result = run_search(classes[0].frame, target="y", ensemble=False, **SETTINGS).result
    assert result.blend is None
    assert "blend" not in set(result.leaderboard["learner"])
    assert result.winner["trial"] is not None


def test_blend_that_is_no_gain_is_listed_and_not_used(run_search, quick, yes_or_no):
    """Copies of one configuration are no blend, and the linear model beside them knows all there is to know."""
    result = run_search(yes_or_no, target="y", time_budget_s=None, max_trials=3, folds=2, configs=[quick] * 3).result
    assert result.winner["learner"] == "linear"
    row = result.leaderboard.set_index("learner").loc["blend"]
    if row["status"] == "finished":
        pytest.fail("a mix with trees cannot be better than the truth")
    assert row["status"] == "not_better"
    assert np.isnan(row["score"])
    assert "is not used" in result.blend["message"]


@pytest.mark.parametrize(
    "limits",
    [
        {"time_budget_s": None, "max_trials": 3},
        {"time_budget_s": None, "max_trials": 3, "max_concurrent_trials": 2},
        {"time_budget_s": 60, "max_trials": 3},  # the learners' order of a search with a clock, soon over
    ],
    ids=["three trials", "two searchers", "three trials with a clock"],
)
def test_models_of_each_kind_are_among_the_candidates_of_any_short_search(limits, run_search, yes_or_no, monkeypatch):
    asked = []

    def watched(outputs, learners, *arguments, **options):
        asked.append(set(learners))
        return choose_blend(outputs, learners, *arguments, **options)

    monkeypatch.setattr("core.automl.ensemble.candidates.choose_blend", watched)
    run_search(yes_or_no, target="y", folds=2, **limits)
    assert len(asked) == 1
    assert asked[0] >= {"lgbm", "linear", "gam"}


@pytest.mark.parametrize("kind", ["classes", "number"])
def test_blend_exports_and_answers_the_same(kind, request, tmp_path):
    actual = request.getfixturevalue(kind)
    searched = actual[0] if kind == "classes" else actual
    result, frame = searched.result, searched.frame
    train, test = frame.iloc[result.oof["row_id"]], frame.iloc[result.test["row_id"]]
    onnx = export_onnx(result.model, tmp_path / "m.onnx", train=train, held_out=test, target=result.settings.target)
    for part in onnx.parity.values():
        assert (part["rows_over"], part["label_flips"]) == (0, 0)
    table = TableScorer(onnx.path).predict(test)
    if kind == "classes":
        assert np.allclose(table["p(low)"], result.test["p(low)"], atol=1e-5)
        assert table["label"].tolist() == result.test["prediction"].tolist()
    else:
        assert np.allclose(table["label"], result.test["prediction"], rtol=1e-4)


@pytest.mark.parametrize("kind", ["classes", "number"])
def test_blend_is_saved_and_loaded(kind, request, tmp_path):
    actual = request.getfixturevalue(kind)
    searched = actual[0] if kind == "classes" else actual
    searched.result.save(tmp_path)
    loaded = AutoMLResult.load(tmp_path)
    assert np.array_equal(loaded.model.predict(searched.frame), searched.result.model.predict(searched.frame))
    assert loaded.to_dict() == searched.result.to_dict()


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["classes", "number"])
def test_blend_predicts_without_the_project(kind, request, tmp_path):
    actual = request.getfixturevalue(kind)
    searched = actual[0] if kind == "classes" else actual
    searched.result.save(tmp_path / "saved")
    rows = searched.frame.iloc[:30]
    bundle({path.name: path for path in (tmp_path / "saved").iterdir()}, tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path)
    rows.to_csv(tmp_path / "model" / "rows.csv", index=False)
    done = subprocess.run(
        [sys.executable, "predict.py", "rows.csv", "out.csv"],
        cwd=tmp_path / "model",
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    predicted = pd.read_csv(tmp_path / "model" / "out.csv")["prediction"]
    if kind == "classes":
        assert predicted.tolist() == searched.result.model.predict(rows).tolist()
    else:
        assert np.allclose(predicted, searched.result.model.predict(rows))


def test_estimators_are_scikit_learns_voting():
    random = np.random.default_rng(0)
    X, weights = random.normal(size=(200, 4)), [2.0, 1.0]
    y = (X[:, 0] + random.normal(size=200) > 0).astype(int)
    members = [LogisticRegression(), RandomForestClassifier(10, random_state=0)]
    own = BlendClassifier(members, weights).fit(X, y)
    theirs = VotingClassifier([("a", members[0]), ("b", members[1])], voting="soft", weights=weights).fit(X, y)
    assert np.allclose(own.predict_proba(X), theirs.predict_proba(X))
    assert np.array_equal(own.predict(X), theirs.predict(X))
    numbers = [Ridge(), DecisionTreeRegressor(max_depth=3, random_state=0)]
    mine = BlendRegressor(numbers, weights).fit(X, X[:, 1], sample_weight=np.arange(200.0))
    voting = VotingRegressor([("a", numbers[0]), ("b", numbers[1])], weights=weights)
    assert np.allclose(mine.predict(X), voting.fit(X, X[:, 1], sample_weight=np.arange(200.0)).predict(X))
    assert np.allclose(clone(own).fit(X, y).predict_proba(X), own.predict_proba(X))


def test_a_class_that_a_member_missed_has_no_share_of_it():
    X = np.array([[0.0], [1.0], [2.0]])
    narrow = LogisticRegression().fit(X[:2], [0, 1])
    wide = LogisticRegression().fit(X, [0, 1, 2])
    blend = BlendClassifier([narrow, wide], [1, 1])
    blend.estimators_ = [narrow, wide]
    assert blend.classes_.tolist() == [0, 1, 2]
    expected = (np.column_stack([narrow.predict_proba(X), np.zeros(3)]) + wide.predict_proba(X)) / 2
    assert np.allclose(blend.predict_proba(X), expected)

"""Classes that folds lack, names that stand in the way, linear models that are too large: a search copes or says so."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from core.automl import LEARNERS, AutoMLSettings, Trial, build_estimator, make_folds, prepare
from core.automl._fitting import fit, outputs
from core.automl.data.training_data import TrainingData
from core.automl.ensemble.candidates import KEPT_TRIALS, worth_keeping
from core.automl.learners.linear import linear, linear_config
from core.errors import InputError

TRIALS = {"time_budget_s": None, "max_trials": 6, "folds": 3, "ensemble": False}


def classes_of(counts, columns=4, seed=0):
    """Rows of a table whose classes are told apart by their columns."""
    random = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(counts)), counts)
    X = random.normal(size=(len(y), columns)) + y[:, None] * 1.5
    frame = pd.DataFrame(X, columns=[f"x{index}" for index in range(columns)])
    return frame.assign(y=[f"c{code}" for code in y]).sample(frac=1, random_state=seed, ignore_index=True)


def test_every_learner_learns_though_a_fold_lacks_a_class(run_search):
    """A class of one row, in the middle of the order, is in the training part of some folds only."""
    result = run_search(classes_of([60, 1, 60, 60]), target="y", **TRIALS).result
    assert {trial["learner"] for trial in result.trials} == {*LEARNERS} - {"catboost", "mlp"}, "which are for more rows"
    assert [trial["status"] for trial in result.trials] == ["finished"] * 6
    assert min(trial["score"] for trial in result.trials) > 0.8


@pytest.mark.parametrize("learner", ["xgboost", "xgb_limitdepth"])
@pytest.mark.parametrize("weighted", [False, True])
def test_an_absent_class_is_unlikely_and_the_others_are_told_apart_as_without_it(learner, weighted):
    """Beside XGBoost itself on the classes that are there, numbered without a gap."""
    frame = classes_of([50, 30, 50])
    X, y = frame.drop(columns="y").to_numpy(np.float32), frame["y"].str[1:].to_numpy(int)
    config = (
        {"n_estimators": 40, "max_depth": 3} if learner == "xgb_limitdepth" else {"n_estimators": 40, "max_leaves": 8}
    )
    gap = np.array([0, 2, 3])[y]
    data = TrainingData(X, gap, 4, [], weighted)
    own = outputs(fit(build_estimator(learner, config, "multiclass", jobs=1, seed=0), X, gap, data), X, 4)
    weights = compute_sample_weight("balanced", y) if weighted else None
    theirs = (
        build_estimator(learner, config, "multiclass", jobs=1, seed=0).fit(X, y, sample_weight=weights).predict_proba(X)
    )
    assert own[:, 1].mean() < 0.02
    assert (own[:, [0, 2, 3]].argmax(axis=1) == theirs.argmax(axis=1)).mean() > 0.95
    scores = [roc_auc_score(y == code, own[:, [0, 2, 3]][:, code]) for code in range(3)]
    assert np.allclose(scores, [roc_auc_score(y == code, theirs[:, code]) for code in range(3)], atol=0.02)


@pytest.mark.parametrize("rare", [1, 2, 4])
def test_classes_stay_spread_over_the_folds_beside_a_rare_one(rare):
    y = np.repeat([0, 1, 2], [80, 20, rare])
    settings = AutoMLSettings(target="y", folds=5)
    folds = make_folds(y, True, settings)
    assert [int((y[part] == 1).sum()) for _, part in folds.pairs] == [4] * 5
    with pytest.warns(UserWarning, match="least populated class"):
        theirs = list(StratifiedKFold(5, shuffle=True, random_state=0).split(y, y))
    assert all(np.array_equal(one[1], other[1]) for one, other in zip(folds.pairs, theirs, strict=True))


def test_folds_of_one_class_are_left_out_and_said(run_search):
    """Days with one outcome only, as a test of a campaign has them: ROC AUC is undefined there."""
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=400), "day": np.repeat(np.arange(40), 10)})
    frame["y"] = np.where((frame["day"] >= 8) & (frame["day"] < 16), "no", np.where(frame["x"] > 0, "yes", "no"))
    settings = {"target": "y", "time_column": "day", "test_fraction": 0}
    prepared = prepare(frame, AutoMLSettings(**settings, folds=4))
    messages = [finding for finding in prepared.findings if finding.check == "folds"]
    assert [finding.values["folds"] for finding in messages] == [1]
    assert "1 of 4 folds is left out" in messages[0].message
    assert len(prepared.data.folds) == 3
    accurate = prepare(frame, AutoMLSettings(**settings, folds=4, metric="accuracy"))
    assert len(accurate.data.folds) == 4
    result = run_search(frame, **settings | TRIALS | {"folds": 4, "max_trials": 2}).result
    assert result.split_method.endswith("1 left out")
    assert [trial["status"] for trial in result.trials] == ["finished"] * 2


def test_folds_that_are_all_of_one_class_are_refused_before_the_search():
    frame = pd.DataFrame(
        {"x": np.sqrt(np.arange(80.0)), "who": np.repeat(["a", "b"], 40), "y": np.repeat(["no", "yes"], 40)}
    )
    settings = AutoMLSettings(target="y", group_column="who", test_fraction=0)
    with pytest.raises(InputError, match="ROC AUC cannot be computed") as caught:
        prepare(frame, settings)
    assert "another metric" in caught.value.hint


def test_a_search_whose_trials_all_fail_ends_early(run_search, yes_or_no):
    """XGBoost refuses a negative depth; the linear model is what is left."""
    wrong = ["xgb_limitdepth", {"n_estimators": 5, "max_depth": -3}]
    result = run_search(yes_or_no, target="y", time_budget_s=None, max_trials=60, folds=2, configs=[wrong] * 60).result
    assert result.stop_code == "failed"
    assert 20 <= len(result.trials) < 60
    assert result.winner["learner"] == "linear"
    (alert,) = [finding for finding in result.findings if finding.check == "learner"]
    assert alert.level == "alert"
    assert alert.message.startswith(f"XGBoost, by depth failed in all of its {len(result.trials)} trials; the first: ")


@pytest.mark.parametrize("name", ["prediction", "row_id", "p(c1)"])
def test_names_that_results_need_are_refused(name):
    frame = classes_of([30, 30])
    with pytest.raises(InputError, match="has a name that a result needs"):
        prepare(frame.rename(columns={"x0": name}), AutoMLSettings(target="y", sensitive_columns=(name,)))
    prepare(frame.rename(columns={"x0": name}), AutoMLSettings(target="y"))


def test_a_target_with_such_a_name_is_refused():
    with pytest.raises(InputError, match="has a name that a result needs"):
        prepare(classes_of([30, 30]).rename(columns={"y": "prediction"}), AutoMLSettings(target="prediction"))


def test_a_text_column_may_have_two_underscores_in_its_name(run_search):
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"y": random.integers(0, 2, 200)})
    words = np.where(frame["y"] == 1, "good fine", "bad poor")
    frame["Description__c"] = [f"{word} thing number {index} of the long list" for index, word in enumerate(words)]
    result = run_search(frame, target="y", **TRIALS | {"max_trials": 2}).result
    assert result.winner["score"] > 0.9


def test_a_large_linear_model_needs_no_square_of_its_coefficients():
    """The other solver finds the same optimum."""
    assert linear_config(100, 0) == linear_config(1_000, 2) == linear_config(100, 10) == {}
    assert linear_config(1_001, 2) == linear_config(101, 10) == {"solver": "lbfgs"}
    frame = classes_of([40, 40, 40])
    X, y = frame.drop(columns="y").to_numpy(), frame["y"].to_numpy()
    own = linear("multiclass", seed=0, solver="lbfgs").fit(X, y)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky")).fit(X, y)
    assert np.abs(own.predict_proba(X) - theirs.predict_proba(X)).max() < 1e-3


@pytest.mark.nightly
def test_many_classes_of_wide_rows_have_a_linear_model(run_search):
    frame = classes_of([12] * 30, columns=60)
    result = run_search(frame, target="y", time_budget_s=40, max_trials=2, folds=2, ensemble=False).result
    row = result.leaderboard.set_index("learner").loc["linear"]
    assert (row["status"], row["config"]) == ("finished", {"solver": "lbfgs"})
    assert row["score"] > 0.9


def test_stop_is_heard_while_the_linear_model_is_waited_for(run_search, yes_or_no, quick, monkeypatch):
    """A double: the answer of the helper never comes, as with a table that is too large for it."""
    monkeypatch.setattr("core.automl.refit.refitter.Refitter.read", lambda self, budget: None)
    ends = []

    def watch(event):
        if event.values.get("trial"):
            ends.append(time.monotonic())

    searched = run_search(
        yes_or_no,
        target="y",
        time_budget_s=None,
        max_trials=2,
        folds=2,
        ensemble=False,
        configs=[quick, quick],
        watch=watch,
        should_stop=lambda: len(ends) == 2 and time.monotonic() - ends[1] > 2,
    )
    result = searched.result
    assert result.winner["learner"] == "xgb_limitdepth"
    assert any(finding.check == "linear" and "was not finished" in finding.message for finding in result.findings)
    assert searched.left == []


def test_the_best_of_every_kind_are_kept_however_many_trials_there_are():
    data = TrainingData(np.zeros((100, 2), np.float32), np.zeros(100, int), 2, [])
    ranked = [Trial(2 + index, "lgbm", {}, "finished") for index in range(KEPT_TRIALS + 50)]
    ranked += [Trial(1, "rf", {}, "finished"), Trial(0, "linear", {}, "finished")]
    assert worth_keeping(ranked, data) == {0, 1, *range(2, KEPT_TRIALS + 2)}


def test_folds_of_one_value_are_left_out_and_said(run_search):
    """R² is undefined where nothing varies: the months in which a machine stood still, say."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"x": random.normal(size=400), "day": np.repeat(np.arange(40), 10)})
    frame["y"] = np.where((frame["day"] >= 8) & (frame["day"] < 16), 0.0, frame["x"] + random.normal(size=400))
    settings = {"target": "y", "time_column": "day", "test_fraction": 0, "folds": 4}
    prepared = prepare(frame, AutoMLSettings(**settings))
    (messages,) = [finding for finding in prepared.findings if finding.check == "folds"]
    assert messages.message == "1 of 4 folds is left out: its rows are of one value only, so R² is undefined on it."
    assert len(prepare(frame, AutoMLSettings(**settings, metric="mae")).data.folds) == 4
    result = run_search(frame, **settings | TRIALS | {"folds": 4, "max_trials": 2}).result
    assert [trial["status"] for trial in result.trials] == ["finished"] * 2
    flat = frame.assign(y=np.where(frame["day"] == 0, frame["x"], 0.0))
    with pytest.raises(InputError, match="in each of the 4 folds the rows are of one value only") as caught:
        prepare(flat, AutoMLSettings(**settings))
    assert "RMSE" in caught.value.hint


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([[1, 2]] * 80, "'odd' are lists or similar"),
        (pd.Series([{"a": 1}] * 80), "'odd' are lists or similar"),
        (np.ones(80) * 1j, "'odd' holds values of the type complex128"),
        (pd.cut(np.arange(80), 4), "'odd' holds values of the type interval"),
        (pd.arrays.SparseArray(np.zeros(80)), "'odd' holds values of the type Sparse"),
    ],
    ids=["lists", "dicts", "complex", "intervals", "sparse"],
)
def test_cells_that_have_no_place_in_a_table_are_refused(column, message):
    frame = pd.DataFrame({"x": np.arange(80.0), "y": ["no", "yes"] * 40, "odd": column})
    with pytest.raises(InputError, match=message):
        prepare(frame, AutoMLSettings(target="y"))


@pytest.mark.parametrize(
    ("names", "message"), [(["a", "a", "y"], "'a' is there twice"), ([0, 1, "y"], "0 is not a text")]
)
def test_columns_need_names_of_their_own(names, message):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(80, 3)))
    frame.columns = names
    with pytest.raises(InputError, match=message):
        prepare(frame, AutoMLSettings(target="y"))


def test_a_number_that_no_model_can_predict_is_refused():
    frame = pd.DataFrame({"x": np.arange(80.0), "y": np.arange(80.0) * 1e200})
    with pytest.raises(InputError, match=r"reaches 7.9e\+201, and models predict numbers up to 3.4e\+38"):
        prepare(frame, AutoMLSettings(target="y"))


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_a_forest_learns_from_numbers_near_the_largest(run_search):
    """Their sum is infinite, and scikit-learn then looks for gaps in a way that needs rows it may write to."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"h": random.choice([3e38, 2e38, 0], 120), "x": random.normal(size=120)})
    frame["y"] = frame["h"] > 2.5e38
    result = run_search(frame, target="y", **TRIALS | {"max_trials": 2, "learners": ("rf",)}).result
    assert result.winner["learner"] == "rf"
    assert not [finding for finding in result.findings if finding.check == "refit"]


def test_classes_of_whole_numbers_keep_their_names_beside_missing_targets(run_search):
    """A missing cell makes a column of integers one of floats; its classes are 0 and 1 all the same."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=120), "y": random.integers(0, 2, 120).astype(float)})
    frame["a"] += 2 * frame["y"]
    frame.loc[[3, 50], "y"] = np.nan
    settings = {"target": "y", "time_budget_s": None, "max_trials": 2, "folds": 2, "explain": False}
    result = run_search(frame, positive_label="0", ensemble=False, learners=("lgbm",), **settings).result
    assert result.model.classes_.tolist() == [1, 0]
    assert {"p(0)", "p(1)"} <= set(result.test.columns)
    assert set(map(str, result.test["y"])) == {"0", "1"}
    assert set(map(str, result.test["prediction"])) <= {"0", "1"}

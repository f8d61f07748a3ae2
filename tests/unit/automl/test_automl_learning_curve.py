"""The learning curve: nested shares of the rows, scores of models that learned from them, and what follows from it."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from core.automl import CurvePoint, LearningCurve, describe_curve
from core.automl.data.training_data import TrainingData
from core.automl.refit.row_shares import possible_shares, rows_of_share, score_share


def training_data(rows=400, *, groups=None, cut=0.0):
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, 3)).astype(np.float32)
    y = (X[:, 0] + random.normal(size=rows) > cut).astype(np.intp)
    position = np.arange(rows) if groups is None else groups
    folds = [(np.flatnonzero(position % 4 != fold), np.flatnonzero(position % 4 == fold)) for fold in range(4)]
    return TrainingData(X, y, 2, folds, groups=groups)


def test_a_share_has_its_part_of_each_class_and_of_every_larger_share():
    data = training_data(cut=1.5)
    rows = data.folds[0][0]
    half, tenth = (rows_of_share(data, rows, share, seed=3) for share in (0.5, 0.1))
    assert set(tenth) < set(half) < set(rows)
    for part, share in ((half, 0.5), (tenth, 0.1)):
        expected = np.round(share * np.bincount(data.y[rows]))
        assert np.bincount(data.y[part], minlength=2).tolist() == expected.tolist()
    assert rows_of_share(data, rows, 0.5, seed=3).tolist() == half.tolist()
    assert rows_of_share(data, rows, 0.5, seed=4).tolist() != half.tolist()


def test_groups_stay_whole():
    groups = np.repeat(np.arange(80), 5)
    data = training_data(groups=groups)
    rows = data.folds[0][0]
    for share in (0.5, 0.1):
        part = rows_of_share(data, rows, share, seed=1)
        assert len(part) == 5 * len(np.unique(groups[part]))
        assert len(part) / len(rows) == pytest.approx(share, abs=0.02)


def test_scores_are_those_of_models_that_learned_from_the_share():
    data = training_data()
    rows, scores = score_share(LogisticRegression, data, "roc_auc", 0.25, seed=7)
    expected = []
    for index, (train, validation) in enumerate(data.folds):
        part = rows_of_share(data, train, 0.25, 7 + index)
        model = LogisticRegression().fit(data.X[part], data.y[part])
        expected.append(roc_auc_score(data.y[validation], model.predict_proba(data.X[validation])[:, 1]))
    assert rows == 75
    assert scores == pytest.approx(expected)


def test_shares_with_too_few_rows_are_not_scored():
    assert possible_shares(training_data(400), 0) == [0.5, 0.25, 0.1]
    assert possible_shares(training_data(200), 0) == [0.5, 0.25]
    assert possible_shares(training_data(60), 0) == []
    rare = replace(training_data(400), y=(np.arange(400) % 50 == 0).astype(np.intp))
    assert possible_shares(rare, 0) == [0.5]  # three folds' four rows of the class, halved


def curve(half, full, *, metric="roc_auc", guessing=0.5, reason=""):
    points = (CurvePoint(0.5, 400, tuple(half)), CurvePoint(1.0, 800, tuple(full)))
    return LearningCurve(metric, "lgbm", 7, points, guessing, 0.25, reason)


def test_the_interval_is_that_of_nadeau_and_bengio():
    half, full = (0.70, 0.74, 0.71, 0.73, 0.72), (0.75, 0.76, 0.74, 0.79, 0.75)
    gains = np.subtract(full, half)
    error = math.sqrt((1 / 5 + 0.25) * np.var(gains, ddof=1))
    low, high = stats.t.interval(0.95, 4, loc=gains.mean(), scale=error)
    gain = curve(half, full).gain
    assert (gain.value, gain.low, gain.high, gain.n) == pytest.approx((gains.mean(), low, high, 800))
    down = curve(half, full, metric="log_loss").gain
    assert (down.value, down.low, down.high) == pytest.approx((-gains.mean(), -high, -low))


@pytest.mark.parametrize(
    ("made", "beginning"),
    [
        (curve((0.70, 0.71, 0.72), (0.76, 0.77, 0.79)), "More rows would probably help: from 400 to 800 training rows"),
        (curve((0.70, 0.78, 0.74), (0.76, 0.77, 0.79)), "Whether more rows would help is not certain: from 400 to"),
        (curve((0.80, 0.81, 0.79), (0.801, 0.812, 0.791)), "More rows of the same kind would hardly help: from 400"),
        (
            curve((0.70,), (0.76,)),
            "From 400 to 800 training rows the ROC AUC of LightGBM 7 improved by 0.060 (no interv",
        ),
        (
            replace(curve((), ()), points=(CurvePoint(1.0, 40, (0.7, 0.8)),), reason="too few rows"),
            "Whether more rows would help was not measured: too few rows.",
        ),
    ],
)
def test_a_sentence_says_whether_more_rows_would_help(made, beginning):
    assert describe_curve(made).startswith(beginning)


def test_equal_gains_in_every_fold_have_no_interval():
    gain = curve((0.7, 0.8), (0.75, 0.85)).gain
    assert gain.value == pytest.approx(0.05)
    assert gain.low is None
    assert gain.reason


def test_a_search_has_the_curve_of_its_best_model(credit, tmp_path):
    result = credit.result
    made = result.learning_curve
    assert [point.share for point in made.points] == [0.1, 0.25, 0.5, 1.0]
    board = result.leaderboard.set_index("trial")
    full = made.points[-1]
    if made.trial:
        assert full.score == pytest.approx(board.loc[made.trial, "score"])
    assert full.rows == round(2 / 3 * result.rows["train"])
    assert [point.rows for point in made.points[:-1]] == pytest.approx(
        [share * full.rows for share in (0.1, 0.25, 0.5)], abs=1
    )
    assert made.guessing == pytest.approx(0.5)
    assert made.reason == ""
    assert describe_curve(made)
    assert LearningCurve.from_dict(json.loads(json.dumps(result.to_dict()["learning_curve"]))) == made

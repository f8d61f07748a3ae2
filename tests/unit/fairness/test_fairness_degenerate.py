"""Degenerate input: it is refused with a hint, or measured as far as possible."""

import json

import numpy as np
import pandas as pd
import pytest

from core.errors import PlumblineError
from core.fairness import CONSTRAINTS, bin_numbers, group_metrics, optimize_thresholds, score_table

RANDOM = np.random.default_rng(0)
N = 120
Y, SCORE, GROUP = RANDOM.integers(0, 2, N), RANDOM.random(N).round(2), RANDOM.choice(list("ab"), N)
P = (SCORE >= 0.5).astype(int)
FRAME = pd.DataFrame([["a", "x"]] * N, columns=["same", "same"])
BROKEN = {
    "empty": lambda: group_metrics([], [], []),
    "lengths of predictions": lambda: group_metrics(Y, P[1:], GROUP),
    "lengths of groups": lambda: group_metrics(Y, P, GROUP[1:]),
    "lengths of controls": lambda: group_metrics(Y, P, GROUP, control_features=GROUP[1:]),
    "lengths of scores": lambda: group_metrics(Y, P, GROUP, y_score=SCORE[1:]),
    "lengths of weights": lambda: group_metrics(Y, P, GROUP, sample_weight=SCORE[1:]),
    "two dimensions": lambda: group_metrics(np.c_[Y, Y], P, GROUP),
    "labels are NaN": lambda: group_metrics(np.where(Y, np.nan, 0.0), P, GROUP),
    "labels are None": lambda: group_metrics([None, *Y[1:]], P, GROUP),
    "labels are NaN among texts": lambda: group_metrics(
        [np.nan, *["yes", "no"] * 3], ["yes"] * 7, ["a"] * 7, pos_label="yes"
    ),
    "predictions are NaN": lambda: group_metrics(Y, np.where(P, np.nan, 0.0), GROUP),
    "infinite scores": lambda: group_metrics(Y, P, GROUP, y_score=np.r_[np.inf, SCORE[1:]]),
    "infinite scores of a table": lambda: score_table(Y, np.r_[-np.inf, SCORE[1:]], GROUP),
    "missing scores": lambda: score_table(Y, np.r_[np.nan, SCORE[1:]], GROUP),
    "scores are text": lambda: score_table(Y, ["high"] * N, GROUP),
    "negative weights": lambda: group_metrics(Y, P, GROUP, sample_weight=-SCORE),
    "weights of 0": lambda: group_metrics(Y, P, GROUP, sample_weight=np.zeros(N)),
    "a group of weight 0": lambda: optimize_thresholds(Y, SCORE, GROUP, sample_weight=np.where(GROUP == "a", 1, 0)),
    "10,000 groups": lambda: group_metrics(np.tile(Y, 100), np.tile(P, 100), np.arange(N * 100) % 10_000),
    "groups of many columns": lambda: group_metrics(np.tile(Y, 20), np.tile(P, 20), np.arange(N * 60).reshape(-1, 3)),
    "no sensitive column": lambda: group_metrics(Y, P, pd.DataFrame(index=range(N))),
    "columns of one name": lambda: group_metrics(Y, P, FRAME),
    "the control is the sensitive column": lambda: group_metrics(Y, P, {"sex": GROUP}, control_features={"sex": GROUP}),
    "groups are sets": lambda: group_metrics([0, 1], [0, 1], [{"a"}, {"b"}]),
    "unknown metric": lambda: group_metrics(Y, P, GROUP, metrics=["acuracy"]).by_group,
    "unknown reference": lambda: group_metrics(Y, P, GROUP, reference_group="c").difference_intervals,
    "unknown method": lambda: group_metrics(Y, P, GROUP).difference("to_all"),
    "numbers are text": lambda: group_metrics(["a", "b"], [1, 0], ["a", "b"], task="regression"),
    "summary of numbers": lambda: group_metrics(SCORE, SCORE, GROUP).summary,
    "ratios of numbers": lambda: group_metrics(SCORE, SCORE, GROUP).ratio_intervals,
    "one class": lambda: optimize_thresholds(np.ones(N, int), SCORE, GROUP, objective="balanced_accuracy"),
    "text in bins": lambda: bin_numbers(["a", "b"]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_cannot_be_used_is_refused_with_a_hint(what):
    with pytest.raises(PlumblineError) as refused:
        BROKEN[what]()
    assert refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("groups", [["a"] * N, [None] * N, np.full(N, np.nan), np.arange(N)])
def test_groups_that_cannot_be_compared_have_no_difference(groups):
    metrics = group_metrics(Y, P, groups, y_score=SCORE)
    assert metrics.difference().isna().all()
    assert metrics.summary["p_value"].isna().all()
    json.dumps(metrics.to_dict(), default=float)


@pytest.mark.parametrize("y", [np.zeros(N, int), np.ones(N, int)])
def test_one_class_has_what_can_be_told(y):
    metrics = group_metrics(y, P, GROUP, y_score=SCORE)
    assert metrics.by_group["roc_auc"].isna().all()
    assert metrics.difference()["selection_rate"] >= 0
    json.dumps(metrics.to_dict(), default=float)


def test_a_group_of_one_class_has_no_area_with_weights_either():
    y = np.where(GROUP == "b", 1, Y)
    for seed in range(5):
        weights = np.random.default_rng(seed).random(N)
        table = score_table(y, SCORE, GROUP, sample_weight=weights)
        assert np.isnan(table.auc()["b"])
        assert np.isnan(table.at(0.5).by_group.loc["b", "false_positive_rate"])
        assert np.isnan(group_metrics(y, P, GROUP, y_score=SCORE, sample_weight=weights).by_group.loc["b", "roc_auc"])


@pytest.mark.parametrize("randomized", [True, False])
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_constant_score_selects_everybody_or_nobody(constraint, randomized):
    policy = optimize_thresholds(Y, np.full(N, 0.3), GROUP, constraint=constraint, randomized=randomized)
    assert policy.expected["objective"] == pytest.approx(max(Y.mean(), 1 - Y.mean()))
    assert policy.expected["violation"] == 0

"""Traps: where Fairlearn is silent or arbitrary, what is said instead."""

import json

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fl

from core.errors import InputError, SettingsError
from core.fairness import CONSTRAINTS, FairnessReport, group_metrics, optimize_thresholds

RANDOM = np.random.default_rng(0)
N = 120
Y, SCORE, GROUP = RANDOM.integers(0, 2, N), RANDOM.random(N).round(2), RANDOM.choice(list("ab"), N)
P = (SCORE >= 0.5).astype(int)


def test_trap_1_unseen_groups_are_refused():
    policy = optimize_thresholds(Y, SCORE, GROUP)
    with pytest.raises(InputError, match=r"1 rows belong to groups .* c") as refused:
        policy.expected_rate([0.9, 0.9], ["a", "c"])
    assert "a, b" in refused.value.hint


def test_trap_1_groups_match_whatever_their_type():
    policy = optimize_thresholds(Y, SCORE, np.where(GROUP == "a", 1, 2))
    rates = [policy.expected_rate([0.9, 0.1], groups).tolist() for groups in ([1, 2], ["1", "2"], [1.0, 2.0])]
    assert rates[0] == rates[1] == rates[2]


def test_trap_2_missing_is_a_group():
    groups = [None if label == "b" else label for label in GROUP]
    metrics = group_metrics(Y, P, groups)
    assert metrics.by_group.index.tolist() == ["a", "(missing)"]
    assert metrics.by_group["count"].sum() == N
    policy = optimize_thresholds(Y, SCORE, groups)
    for missing in (None, np.nan, pd.NA):
        assert policy.expected_rate([2.0], pd.Series([missing], dtype=object)) == [1.0]


def test_trap_3_labels_as_text_say_which_one_is_positive():
    words = np.array(["no", "yes"])
    metrics = group_metrics(words[Y], words[P], GROUP)
    assert metrics.options.positive.label == "yes"
    assert metrics.options.positive.reason == "'yes' is the affirmative answer."
    expected = fl.demographic_parity_difference(Y, P, sensitive_features=GROUP)
    assert metrics.difference()["selection_rate"] == pytest.approx(expected)
    with pytest.raises(SettingsError, match="No row has the positive label 'Yes'"):
        group_metrics(words[Y], words[P], GROUP, pos_label="Yes")
    # The last in the alphabet would be "reject".
    words = np.array(["reject", "invite"])
    invited = group_metrics(words[Y], words[P], GROUP)
    assert invited.options.positive.label == "invite"
    pd.testing.assert_frame_equal(invited.by_group, metrics.by_group)


def test_trap_3_labels_without_a_known_word_are_said_to_be_chosen_by_order():
    words = np.array(["<=50K", ">50K"])
    metrics = group_metrics(words[Y], words[P], GROUP, min_group_size=0)
    assert metrics.options.positive.label == ">50K"
    assert metrics.options.positive.by_order
    assert "The rates are about the label '>50K'. It is the last of '<=50K', '>50K' in sorted order" in metrics.verdict
    chosen = group_metrics(words[Y], words[P], GROUP, min_group_size=0, pos_label=">50K")
    assert "sorted order" not in chosen.verdict


@pytest.mark.parametrize(
    ("truth", "predicted"),
    [(["no", "yes"], ["No", "Yes"]), (["0.0", "1.0"], ["0", "1"]), (["no", "yes"], [0, 1]), (["a", "b"], ["c", "d"])],
)
def test_trap_3_labels_and_predictions_without_a_label_in_common_are_refused(truth, predicted):
    with pytest.raises(InputError, match="no label is in both") as refused:
        group_metrics(np.array(truth)[Y], np.array(predicted)[P], GROUP, pos_label=truth[1])
    assert refused.value.hint == "Give both in the same coding."


def test_trap_3_a_label_that_is_written_in_two_ways_is_refused():
    with pytest.raises(InputError, match="The prediction 'Yes' is written 'yes' among the labels"):
        group_metrics(np.array(["no", "yes"])[Y], np.array(["no", "Yes"])[P], GROUP, pos_label="yes")


def test_trap_3_a_label_that_is_only_predicted_is_named():
    predicted = np.where(np.arange(N) < 9, "maybe", np.array(["no", "yes"])[P])
    metrics = group_metrics(np.array(["no", "yes"])[Y], predicted, GROUP)
    assert metrics.notices == ("The predicted label 'maybe' never occurs among the true labels.",)
    assert metrics.notices[0] in metrics.verdict


def test_trap_3_labels_of_several_types_are_matched_or_refused():
    numbers = group_metrics(Y, P, GROUP).by_group
    for positive in (1, "1", 1.0):
        assert group_metrics(Y.astype(str), P, GROUP, pos_label=positive).by_group.equals(numbers)
        assert group_metrics(Y.astype(float), P.astype(str), GROUP, pos_label=positive).by_group.equals(numbers)


def test_trap_4_a_group_without_positives_has_no_true_positive_rate():
    y = np.where(GROUP == "b", 0, Y)
    metrics = group_metrics(y, P, GROUP, min_group_size=10)
    assert np.isnan(metrics.by_group.loc["b", "true_positive_rate"])
    assert np.isnan(metrics.difference()["true_positive_rate"])
    listed = metrics.small_groups.set_index("group").loc["b"]
    assert "true_positive_rate" in listed["metrics"]
    assert listed["reason"] == "no row to compute it from"
    odds = metrics.summary.loc["equalized_odds"]
    assert odds["metric"] == "false_positive_rate"
    assert odds["difference"] == metrics.difference()["false_positive_rate"]


def test_trap_4_small_groups_are_shown_but_not_compared():
    group = np.where(np.arange(N) < 5, "tiny", GROUP)
    p = np.where(np.arange(N) < 5, 1, P)
    metrics = group_metrics(Y, p, group)
    assert metrics.by_group.loc["tiny", "selection_rate"] == 1.0
    assert metrics.difference()["selection_rate"] < 0.5
    assert metrics.small_groups.set_index("group").loc["tiny", "reason"] == "5 rows, fewer than 30"
    assert metrics.intervals.loc["tiny", "small"].all()


def test_trap_5_the_largest_difference_has_a_p_value_and_signed_gaps_have_intervals():
    y = np.tile([0, 1], 300)
    metrics = group_metrics(y, np.tile([0, 1, 1, 0], 150), np.repeat(["a", "b"], 300))
    gaps = metrics.difference_intervals
    assert ((gaps["low"] < 0) & (gaps["high"] > 0)).all()
    assert metrics.tests["p_value"].min() > 0.5


def test_trap_6_decisions_of_a_drawing_policy_depend_on_the_row_alone():
    policy = optimize_thresholds(Y, SCORE, GROUP)
    assert policy.randomized
    order, ids = RANDOM.permutation(N), np.arange(N)
    first = policy.predict(SCORE, GROUP, row_ids=ids)
    assert (policy.predict(SCORE[order], GROUP[order], row_ids=ids[order]) == first[order]).all()
    with pytest.raises(InputError, match="draws some decisions at random"):
        policy.predict(SCORE, GROUP)


@pytest.mark.parametrize("objective", ["accuracy", "balanced_accuracy"])
def test_trap_7_the_objective_told_is_that_of_the_decisions(objective):
    policy = optimize_thresholds(Y, SCORE, GROUP, constraint="equalized_odds", objective=objective)
    rates = policy.expected_rate(SCORE, GROUP)
    true, false = rates[Y == 1], rates[Y == 0]
    by_hand = {
        "accuracy": (true.sum() + (1 - false).sum()) / N,
        "balanced_accuracy": (true.mean() + 1 - false.mean()) / 2,
    }
    assert policy.expected["objective"] == pytest.approx(by_hand[objective], abs=1e-12)


@pytest.mark.parametrize("objective", ["selection_rate", "true_positive_rate"])
def test_trap_8_objectives_that_accept_everyone_are_none(objective):
    with pytest.raises(SettingsError, match=objective) as refused:
        optimize_thresholds(Y, SCORE, GROUP, objective=objective)
    assert "accuracy" in refused.value.hint


@pytest.mark.parametrize("constraint", [name for name in CONSTRAINTS if name != "demographic_parity"])
@pytest.mark.parametrize("only", [0, 1])
def test_trap_10_a_group_of_one_class_is_refused_where_it_matters(constraint, only):
    y = np.where(GROUP == "b", only, Y)
    lacks = "negative" if only else "positive"
    needs = {"true_positive": {"positive"}, "false_negative": {"positive"}, "equalized_odds": {"positive", "negative"}}
    if lacks in needs.get(constraint.removesuffix("_rate_parity"), {"negative"}):
        with pytest.raises(InputError, match=f"The group b has no row with a {lacks} label") as refused:
            optimize_thresholds(y, SCORE, GROUP, constraint=constraint)
        assert "Merge" in refused.value.hint
    else:
        assert optimize_thresholds(y, SCORE, GROUP, constraint=constraint).expected["violation"] == pytest.approx(0)


def test_trap_10_demographic_parity_needs_no_labels_of_both_kinds():
    policy = optimize_thresholds(np.where(GROUP == "b", 0, Y), SCORE, GROUP).expected
    assert policy["violation"] == pytest.approx(0, abs=1e-12)
    assert policy["by_group"]["b"]["true_positive_rate"] is None


def test_trap_12_infinite_thresholds_can_be_stored():
    policy = optimize_thresholds(Y, np.full(N, 0.3), GROUP)
    stored = json.loads(json.dumps(policy.to_dict(), allow_nan=False))
    words = [part["threshold"] for rule in stored["rules"].values() for part in rule]
    assert set(words) <= {"always", "never"}


@pytest.mark.parametrize("name", ["y_true", "y_pred", "score", "label", "count", "metric", "value", "definition", 0])
def test_trap_14_a_sensitive_column_may_have_any_name(name):
    frame = pd.DataFrame({name: GROUP, "other": RANDOM.choice(["u", "v"], N)})
    for columns in ([name], [name, "other"]):
        metrics = group_metrics(Y, P, frame[columns], y_score=SCORE, min_group_size=0)
        assert str(name) in metrics.by_group.index.names
        stored = json.loads(json.dumps(metrics.to_dict(), allow_nan=False, default=float))
        assert len(stored["intervals"]) == len(metrics.by_group) * len(metrics.metrics)
        assert set(GROUP) <= {value for record in stored["intervals"] for value in record.values()}
        assert str(name).replace("_", "\\_") in FairnessReport("t", {}, metrics).to_markdown()
    assert group_metrics(Y, P, pd.Series(GROUP, name=name)).by_group.index.name == str(name)


def test_trap_15_equalized_odds_is_the_worse_of_both_gaps():
    summary = group_metrics(Y, P, GROUP, min_group_size=0).summary.loc["equalized_odds"]
    assert summary["difference"] == pytest.approx(fl.equalized_odds_difference(Y, P, sensitive_features=GROUP))
    assert summary["ratio"] == pytest.approx(fl.equalized_odds_ratio(Y, P, sensitive_features=GROUP))
    assert summary["metric"] in ("true_positive_rate", "false_positive_rate")


@pytest.mark.parametrize("swap", [False, True])
def test_ratio_of_equalized_odds_passes_over_what_says_nothing(swap):
    """No false (or no true) positive anywhere: that ratio is 0 / 0, the other one counts."""
    y, p = np.tile([0, 0, 1, 1], 2), np.array([0, 0, 1, 1, 0, 0, 0, 1])
    y, p = (1 - y, p) if swap else (y, p)
    summary = group_metrics(y, p, np.repeat(["a", "b"], 4), min_group_size=0).summary
    assert summary.loc["equalized_odds", "ratio"] == 0.5

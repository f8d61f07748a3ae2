"""Score tables: every threshold gives what the rows give, and the curves are scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from core.errors import InputError
from core.fairness import group_metrics, optimize_thresholds, score_table

SEEDS = st.integers(0, 2**32 - 1)


def rows(seed, n=80, decimals=1, groups="abc"):
    random = np.random.default_rng(seed)
    y, score = random.integers(0, 2, n), random.random(n).round(decimals)
    return y, score, random.choice(list(groups), n), random.random(n) + 0.01


@given(SEEDS, st.sampled_from([0, 1, 3]), st.booleans(), st.booleans())
@settings(max_examples=40, deadline=None)
def test_at_thresholds_is_what_the_rows_give(seed, decimals, weighted, single):
    y, score, group, weights = rows(seed, decimals=decimals)
    random = np.random.default_rng(seed)
    thresholds = dict(zip("abc", random.choice([*score, -np.inf, np.inf, -1.0, 0.55], 3), strict=True))
    thresholds = {label: threshold for label, threshold in thresholds.items() if label in group}
    given_to_it = thresholds["a"] if single else thresholds
    chosen = np.full(len(y), thresholds["a"]) if single else np.array([thresholds[label] for label in group])
    w = weights if weighted else None
    metrics = score_table(y, score, group, sample_weight=w, min_group_size=0).at(given_to_it)
    expected = group_metrics(y, score >= chosen, group, sample_weight=w, min_group_size=0)
    pd.testing.assert_frame_equal(metrics.by_group, expected.by_group, rtol=1e-9, atol=1e-12)
    pd.testing.assert_series_equal(metrics.overall, expected.overall, rtol=1e-9, atol=1e-12)
    pd.testing.assert_frame_equal(metrics.intervals, expected.intervals, rtol=1e-9, atol=1e-9)


@given(SEEDS, st.booleans())
@settings(max_examples=20, deadline=None)
def test_under_a_policy_is_what_its_expected_rates_give(seed, weighted):
    y, score, group, weights = rows(seed, groups="ab")
    w = weights if weighted else None
    policy = optimize_thresholds(y, score, group, min_group_size=0, constraint="equalized_odds", sample_weight=w)
    metrics = score_table(y, score, group, sample_weight=w, min_group_size=0).under(policy).by_group
    rates, w = policy.expected_rate(score, group), np.ones(len(y)) if w is None else w
    for label in "ab":
        own = group == label
        assert metrics.loc[label, "selection_rate"] == pytest.approx(np.average(rates[own], weights=w[own]))
        for name, kind in (("true_positive_rate", 1), ("false_positive_rate", 0)):
            part = own & (y == kind)
            assert metrics.loc[label, name] == pytest.approx(np.average(rates[part], weights=w[part]), abs=1e-12)


def test_weights_do_not_make_expected_rates_surer():
    y, score, group, _ = rows(5, 400, 3, "ab")
    policy = optimize_thresholds(y, score, group)
    plain, heavy = (score_table(y, score, group, sample_weight=w).under(policy) for w in (None, np.full(400, 50.0)))
    pd.testing.assert_frame_equal(plain.by_group, heavy.by_group)
    pd.testing.assert_frame_equal(plain.intervals, heavy.intervals)
    uneven = score_table(y, score, group, sample_weight=np.tile([1, 50], 200)).under(policy)
    wider = (uneven.intervals["high"] - uneven.intervals["low"]) / (plain.intervals["high"] - plain.intervals["low"])
    assert wider.between(1.1, 1.8).all()  # about half the rows count
    assert uneven.by_group["count"].equals(plain.by_group["count"])


@given(SEEDS, st.sampled_from([1, 3]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_curves_lie_on_scikit_learns(seed, decimals, weighted):
    y, score, group, weights = rows(seed, 150, decimals, "ab")
    w = weights if weighted else None
    table = score_table(y, score, group, sample_weight=w)
    roc, pr = table.roc(), table.precision_recall()
    for label in "ab":
        own = group == label
        given_to_it = {"sample_weight": None if w is None else w[own]}
        false, true, thresholds = sk.roc_curve(y[own], score[own], drop_intermediate=False, **given_to_it)
        known = {t: (f, h) for f, h, t in zip(false, true, thresholds, strict=True)}
        for point in roc[roc["group"] == label].itertuples():
            assert (point.false_positive_rate, point.true_positive_rate) == pytest.approx(known[point.threshold])
        precision, recall, thresholds = sk.precision_recall_curve(y[own], score[own], **given_to_it)
        known = {t: (r, p) for p, r, t in zip(precision, recall, thresholds, strict=False)}
        for point in pr[pr["group"] == label].itertuples():
            assert (point.recall, point.precision) == pytest.approx(known[point.threshold])


def test_thinned_curves_keep_their_ends_and_their_area():
    random = np.random.default_rng(1)
    y = random.integers(0, 2, 20_000)
    score = random.normal(y, 1)
    curve = score_table(y, score, np.zeros(20_000, int)).roc(200)
    assert len(curve) <= 202
    ends = curve.iloc[[0, -1]][["false_positive_rate", "true_positive_rate"]].to_numpy().tolist()
    assert ends == [[0.0, 0.0], [1.0, 1.0]]
    area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(sk.roc_auc_score(y, score), abs=1e-3)


@given(SEEDS, st.booleans())
@settings(max_examples=30, deadline=None)
def test_auc_is_scikit_learns(seed, weighted):
    y, score, group, weights = rows(seed, 100, groups="ab")
    w = weights if weighted else np.ones(100)
    auc = score_table(y, score, group, sample_weight=w if weighted else None).auc()
    for label in "ab":
        own = group == label
        expected = sk.roc_auc_score(y[own], score[own], sample_weight=w[own])
        assert auc[label] == pytest.approx(expected, abs=1e-12)


def test_a_group_of_one_class_has_no_curve():
    table = score_table([1, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], list("aabb"))
    assert set(table.roc()["group"]) == {"b"}
    assert set(table.precision_recall()["group"]) == {"b"}
    assert np.isnan(table.auc()["a"])
    nobody = score_table([1, 1], [0.1, 0.2], list("ab"))
    assert nobody.roc().empty
    assert nobody.roc().columns.tolist() == ["group", "threshold", "false_positive_rate", "true_positive_rate"]


@given(SEEDS, st.integers(1, 100), st.sampled_from([0, 1, 6]), st.sampled_from([1, 5, 10]))
@settings(max_examples=30, deadline=None)
def test_calibration_adds_up(seed, n, decimals, bins):
    y, score, group, _ = rows(seed, n, decimals)
    calibration_table = score_table(y, score, group).calibration(bins)
    for label in set(group):
        own, part = group == label, calibration_table[calibration_table["group"] == label]
        assert part["n"].sum() == own.sum()
        assert len(part) <= bins
        assert (part["n"] * part["observed"]).sum() == pytest.approx(y[own].sum())
        assert (part["n"] * part["predicted"]).sum() == pytest.approx(score[own].sum())
        assert part["predicted"].is_monotonic_increasing
        assert ((part["low"] <= part["observed"]) & (part["observed"] <= part["high"])).all()


def test_calibration_bins_hold_as_many_rows_each():
    y, score, _, _ = rows(2, 1000, 9)
    assert score_table(y, score, ["a"] * 1000).calibration()["n"].tolist() == [100] * 10


def test_calibration_keeps_rows_of_one_score_together():
    y, score = [0, 1, 0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5, 0.9, 0.9]
    calibration_table = score_table(y, score, ["a"] * 6).calibration(3)
    assert calibration_table[["predicted", "observed", "n"]].to_numpy().tolist() == [[0.5, 0.5, 4], [0.9, 1.0, 2]]


def test_calibration_counts_weights():
    y, score, group, weights = rows(3, 200, 2, "a")
    calibration_table = score_table(y, score, group, sample_weight=weights).calibration(1).iloc[0]
    assert calibration_table["observed"] == pytest.approx(np.average(y, weights=weights))
    assert calibration_table["predicted"] == pytest.approx(np.average(score, weights=weights))
    assert calibration_table["n"] == 200


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"a": 0.5}, "no threshold for b"),
        ({"a": 0.5, "b": 0.5, "c": 0.5}, "no group c"),
        ({}, "no threshold for a, b"),
        (float("nan"), "NaN"),
        ({"a": float("nan"), "b": 0.5}, "NaN"),
    ],
)
def test_thresholds_that_do_not_fit_are_refused(thresholds, message):
    with pytest.raises(InputError, match=message) as refused:
        score_table([0, 1], [0.1, 0.9], ["a", "b"]).at(thresholds)
    assert refused.value.hint


def test_thresholds_match_groups_of_any_type():
    table = score_table([0, 1, 1], [0.1, 0.9, 0.5], [1, 2, None], min_group_size=0)
    for given_to_it in (
        {1: 0.5, 2: 0.5, None: 0.6},
        {"1": 0.5, "2": 0.5, "(missing)": 0.6},
        {1.0: 0.5, 2.0: 0.5, np.nan: 0.6},
    ):
        assert table.at(given_to_it).by_group["selection_rate"].tolist() == [0.0, 1.0, 0.0]


def test_range_and_quantiles_are_of_all_scores():
    y, score, group, _ = rows(4)
    table = score_table(y, score, group)
    assert table.range == (score.min(), score.max())
    assert table.quantiles(np.array([0.25, 0.5])).tolist() == np.quantile(score, [0.25, 0.5]).tolist()
    assert table.with_options(min_group_size=7).at(0.5).options.min_group_size == 7

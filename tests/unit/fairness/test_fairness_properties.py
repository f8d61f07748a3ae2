"""What must not matter: the order of the rows, the names of the groups, how others are put together."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fairness import group_metrics, optimize_thresholds, score_table

BY_ROWS = ["count", "calibration_error"]  # the error is corrected for chance, which more rows have less of
SEEDS = st.integers(0, 2**32 - 1)


def rows(seed, n=90, groups="abc", decimals=1):
    random = np.random.default_rng(seed)
    y, group = random.integers(0, 2, n), random.choice(list(groups), n)
    score = random.random(n).round(decimals)
    return y, (score >= 0.5).astype(int), group, score


def same(first, other):
    pd.testing.assert_frame_equal(first, other, check_exact=False, check_index_type=False, rtol=1e-9, atol=1e-12)


@given(SEEDS, st.booleans())
@settings(max_examples=25, deadline=None)
def test_order_of_rows_does_not_matter(seed, weighted):
    y, p, group, score = rows(seed)
    random = np.random.default_rng(seed)
    weights = random.random(len(y)) if weighted else None
    order = random.permutation(len(y))

    def tables(at):
        w = None if weights is None else weights[at]
        metrics = group_metrics(
            y[at], p[at], group[at], y_score=score[at], sample_weight=w, n_boot=100, min_group_size=0
        )
        table = score_table(y[at], score[at], group[at], sample_weight=w)
        curves = [table.roc(), table.precision_recall(), table.calibration()]
        sure = [] if weighted else [metrics.intervals, metrics.difference_intervals, metrics.ratio_intervals]
        return [metrics.by_group, metrics.tests, *curves, *sure]

    for first, other in zip(tables(np.arange(len(y))), tables(order), strict=True):
        same(first, other)


@given(SEEDS, st.sampled_from(["demographic_parity", "equalized_odds"]))
@settings(max_examples=25, deadline=None)
def test_order_of_rows_does_not_change_the_policy(seed, constraint):
    y, _, group, score = rows(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    first = optimize_thresholds(y, score, group, min_group_size=0, constraint=constraint)
    assert optimize_thresholds(y[order], score[order], group[order], min_group_size=0, constraint=constraint) == first


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_merging_two_groups_leaves_the_others_as_they_are(seed):
    y, p, group, score = rows(seed)
    merged = np.where(group == "c", "b", group)
    before = group_metrics(y, p, group, y_score=score, min_group_size=0)
    after = group_metrics(y, p, merged, y_score=score, min_group_size=0)
    same(before.by_group.loc[["a"]], after.by_group.loc[["a"]])
    assert after.overall.equals(before.overall)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_merging_two_equal_groups_changes_no_rate(seed):
    y, p, group, score = rows(seed, groups="ab")
    twin = group == "b"
    y, p, score = (np.r_[values, values[twin]] for values in (y, p, score))
    apart = group_metrics(y, p, np.r_[group, np.full(twin.sum(), "c")], y_score=score, min_group_size=0)
    together = group_metrics(y, p, np.r_[group, np.full(twin.sum(), "b")], y_score=score, min_group_size=0)
    same(apart.by_group.loc[["a", "b"]].drop(columns=BY_ROWS), together.by_group.drop(columns=BY_ROWS))
    assert together.by_group.loc["b", "count"] == 2 * twin.sum()
    for method in ("between_groups", "to_overall"):
        gaps = (metrics.difference(method).drop("calibration_error").to_dict() for metrics in (together, apart))
        assert next(gaps) == pytest.approx(next(gaps), abs=1e-12)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_groups_add_up_to_the_overall_figures(seed):
    y, p, group, _ = rows(seed)
    control = np.random.default_rng(seed).choice([1, 2], len(y))
    metrics = group_metrics(y, p, group, control_features={"level": control}, min_group_size=0)
    count = metrics.by_group["count"]
    assert count.sum() == len(y)
    assert count.groupby(level="level").sum().to_dict() == metrics.overall["count"].to_dict()
    for name in ("base_rate", "selection_rate", "accuracy"):
        total = (metrics.by_group[name] * count).groupby(level="level").sum() / metrics.overall["count"]
        assert total.to_dict() == pytest.approx(metrics.overall[name].to_dict()), name


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_renaming_groups_only_renames(seed):
    y, p, group, score = rows(seed)
    names = {"a": "Ähre", "b": "x, y", "c": " "}  # another order as well
    renamed = np.array([names[label] for label in group])
    first = group_metrics(y, p, group, y_score=score, min_group_size=0)
    other = group_metrics(y, p, renamed, y_score=score, min_group_size=0)
    same(first.by_group.rename(index=names), other.by_group.loc[[names[label] for label in first.by_group.index]])
    assert other.difference().equals(first.difference())
    assert other.ratio().equals(first.ratio())
    best = (
        optimize_thresholds(y, score, group, min_group_size=0).expected,
        optimize_thresholds(y, score, renamed, min_group_size=0).expected,
    )
    assert best[0]["objective"] == pytest.approx(best[1]["objective"], abs=1e-12)


@given(SEEDS, st.integers(2, 5))
@settings(max_examples=25, deadline=None)
def test_a_weight_is_so_many_copies(seed, times):
    y, p, group, score = rows(seed, 40)
    weights = np.random.default_rng(seed).integers(0, times, len(y))
    weights[0] += 1
    copies = np.repeat(np.arange(len(y)), weights)
    weighted = group_metrics(y, p, group, y_score=score, sample_weight=weights, min_group_size=0).by_group
    copied = group_metrics(y[copies], p[copies], group[copies], y_score=score[copies], min_group_size=0).by_group
    same(weighted.loc[copied.index].drop(columns=BY_ROWS), copied.drop(columns=BY_ROWS))


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_the_unit_of_the_weights_does_not_matter(seed):
    y, p, group, score = rows(seed)
    weights = np.random.default_rng(seed).random(len(y))
    first, other = (
        group_metrics(y, p, group, y_score=score, sample_weight=w, n_boot=100, min_group_size=0).intervals
        for w in (weights, weights * 1024)
    )
    same(first.drop(columns="method"), other.drop(columns="method"))


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_swapping_the_positive_label_swaps_the_rates(seed):
    y, p, group, _ = rows(seed)
    yes, no = (group_metrics(y, p, group, pos_label=label, min_group_size=0).by_group for label in (1, 0))
    assert yes["accuracy"].equals(no["accuracy"])
    assert yes["true_positive_rate"].equals(no["true_negative_rate"])
    assert yes["false_positive_rate"].equals(no["false_negative_rate"])

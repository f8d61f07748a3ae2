"""Time and groups: no group on both sides of any split, nothing learned from what comes later, for any table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.automl import AutoMLSettings, make_folds, prepare
from core.automl.data.splits import Roles, split_roles
from core.errors import InputError


def chosen(**values):
    return AutoMLSettings(target="y", **values)


@st.composite
def rows(draw):
    """So many rows in so many groups, with classes or numbers that may hang on the group."""
    count, groups = draw(st.integers(12, 300)), draw(st.integers(2, 40))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    of = random.integers(0, groups, count)
    if draw(st.booleans()):
        return of, (of + random.integers(0, 2, count)) % 3, True
    return of, of + random.normal(size=count), False


@given(rows(), st.floats(0.1, 0.5), st.sampled_from(["auto", 2, 4]), st.sampled_from(["auto", 2]))
@settings(max_examples=120, deadline=None)
def test_a_group_is_never_on_both_sides(table, fraction, folds, repeats):
    groups, y, classification = table
    y = np.unique(y, return_inverse=True)[1] if classification else y
    roles = Roles(groups=groups)
    try:
        train, test = split_roles(y, classification, fraction, 1, roles)
        made = make_folds(y[train], classification, chosen(folds=folds, cv_repeats=repeats), roles.take(train))
    except InputError:
        assert len(np.unique(groups)) < 6 or len(groups) < 25, "only with few groups may there be nothing to split"
        return
    assert sorted([*train, *test]) == list(range(len(y)))
    assert set(groups[train]).isdisjoint(groups[test])
    for learn, validate in made.pairs:
        assert len(learn)
        assert len(validate)
        assert set(groups[train][learn]).isdisjoint(groups[train][validate])
    assert made.covered.tolist() == list(range(len(train)))


@given(st.integers(12, 300), st.integers(1, 60), st.integers(0, 10_000), st.floats(0.1, 0.5))
@settings(max_examples=120, deadline=None)
def test_nothing_is_learned_from_what_comes_later(count, moments, seed, fraction):
    random = np.random.default_rng(seed)
    times = random.integers(0, moments, count).astype(float)
    times[random.random(count) < 0.05] = -np.inf  # no time
    y = random.integers(0, 2, count)
    roles = Roles(times=times)
    try:
        train, test = split_roles(y, True, fraction, 1, roles)
        made = make_folds(y[train], True, chosen(), roles.take(train))
    except InputError:
        assert moments < 8 or count < 25, "only with few moments may there be nothing to split"
        return
    assert sorted([*train, *test]) == list(range(count))
    assert times[train].max() < times[test].min()
    ends = []
    for learn, validate in made.pairs:
        assert times[train][learn].max() < times[train][validate].min()
        ends.append(times[train][validate].max())
    assert ends == sorted(ends)


@pytest.mark.parametrize("count", [4, 6, 10])
def test_a_handful_of_rows_is_refused_and_not_a_traceback(count):
    with pytest.raises(InputError, match="too few moments"):
        split_roles(np.arange(count) % 2, True, 0.05, 0, Roles(times=np.arange(count, dtype=float)))


def test_size_of_the_test_is_what_was_asked_for():
    random = np.random.default_rng(0)
    groups, y = random.integers(0, 100, 2_000), random.integers(0, 2, 2_000)
    for classification in (True, False):
        _, test = split_roles(y, classification, 0.2, 0, Roles(groups=groups))
        assert len(test) == pytest.approx(400, abs=60)
    _, test = split_roles(y, True, 0.2, 0, Roles(times=np.arange(2_000.0)))
    assert test.tolist() == list(range(1_600, 2_000))


def test_classes_keep_their_mix_across_groups():
    random = np.random.default_rng(1)
    groups = np.repeat(np.arange(200), 10)
    y = (random.random(200) < 0.3).astype(int)[groups]
    train, test = split_roles(y, True, 0.2, 0, Roles(groups=groups))
    assert y[test].mean() == pytest.approx(y.mean(), abs=0.03)
    for _, validate in make_folds(y[train], True, chosen(folds=5), Roles(groups=groups[train])).pairs:
        assert y[train][validate].mean() == pytest.approx(y.mean(), abs=0.05)


def visits(rows=400):
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"a": random.normal(size=rows), "patient": random.integers(0, 60, rows).astype(str)})
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(random.permutation(rows), unit="D")
    frame["y"] = np.where(frame["a"] > 0, "yes", "no")
    return frame


def test_time_column_orders_the_splits_and_is_no_feature():
    frame = visits()
    frame.loc[[5, 9], "day"] = None
    prepared = prepare(frame, chosen(time_column="day"))
    assert prepared.encoder.columns_ == ["a", "patient"]
    assert prepared.split_method == "5 folds forward in time"
    assert frame["day"].iloc[prepared.train_rows].max() < frame["day"].iloc[prepared.test_rows].min()
    assert {5, 9} <= set(prepared.train_rows)
    messages = next(finding for finding in prepared.findings if finding.check == "time")
    assert "2 of 400 rows have no time in 'day'" in messages.message


@pytest.mark.parametrize("days", ["text", "number"])
def test_time_may_be_text_or_a_number(days):
    frame = visits()
    plain = prepare(frame, chosen(time_column="day"))
    other = frame["day"].astype(str) if days == "text" else frame["day"].astype("int64")
    assert np.array_equal(prepare(frame.assign(day=other), chosen(time_column="day")).test_rows, plain.test_rows)


def test_group_column_keeps_patients_together_and_is_no_feature():
    frame = visits()
    frame.loc[::50, "patient"] = None
    prepared = prepare(frame, chosen(group_column="patient"))
    assert "patient" not in prepared.encoder.columns_
    assert "by group" in prepared.split_method
    groups = frame["patient"].fillna("?")
    assert set(groups.iloc[prepared.train_rows]).isdisjoint(groups.iloc[prepared.test_rows])


def test_they_are_features_when_somebody_says_so():
    asked = {"featurization": "custom", "column_types": {"day": "date"}}
    assert "day" in prepare(visits(), chosen(time_column="day", **asked)).encoder.columns_


def test_a_time_column_without_times_is_named():
    with pytest.raises(InputError, match="'patient' holds neither dates nor numbers"):
        prepare(visits().assign(patient="x"), chosen(time_column="patient"))


def test_a_search_forward_in_time_predicts_only_what_it_validated(run_search):
    """The first rows are never validated on, so they have no out-of-fold prediction, and everything else works."""
    frame = visits()
    result = run_search(
        frame, target="y", time_column="day", time_budget_s=None, max_trials=5, learners=("xgb_limitdepth", "lgbm")
    ).result
    first = frame["day"].iloc[result.oof["row_id"]].min()
    assert first > frame["day"].sort_values().iloc[50]
    assert result.test_metrics["accuracy"].value > 0.9
    assert result.oof["p(yes)"].notna().all()

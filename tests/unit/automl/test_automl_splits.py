"""Test rows and folds: stratified, disjoint, complete, the same for a seed, and possible with tiny classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.automl import AutoMLSettings, make_folds
from core.errors import InputError
from core.evaluation import split_test


def chosen(**values):
    return AutoMLSettings(target="y", **values)


def classes(*counts, seed=0):
    """Shuffled codes with so many rows each."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


@given(st.lists(st.integers(1, 60), min_size=2, max_size=6), st.floats(0.05, 0.5), st.integers(0, 1000))
@settings(max_examples=150, deadline=None)
def test_test_rows_and_training_rows_are_a_partition(counts, fraction, seed):
    y = classes(*counts)
    try:
        train, test = split_test(y, True, fraction, seed)
    except InputError:
        assert len(y) * fraction < 2.5 + fraction * len(counts) or len(y) < 12
        return
    assert sorted([*train, *test]) == list(range(len(y)))
    assert len(test) == pytest.approx(fraction * len(y), abs=1 + fraction * len(counts))
    assert set(np.unique(y)) == set(np.unique(y[train])), "each class must be there to learn from"


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_test_rows_keep_the_shares_of_the_classes(fraction):
    y = classes(900, 80, 20)
    _, test = split_test(y, True, fraction, 3)
    assert np.bincount(y[test]) == pytest.approx(fraction * np.array([900, 80, 20]), abs=1)


def test_test_rows_of_a_number_keep_its_distribution():
    y = np.random.default_rng(0).lognormal(size=1000)
    train, test = split_test(y, False, 0.2, 0)
    edges = np.quantile(y, np.linspace(0, 1, 11))
    assert np.histogram(y[test], edges)[0] == pytest.approx(np.full(10, 20), abs=1)
    assert set(train).isdisjoint(test)


def test_split_follows_the_seed():
    y = classes(60, 40)
    again = [split_test(y, True, 0.2, seed)[1].tolist() for seed in (7, 7, 8)]
    assert again[0] == again[1] != again[2]


def test_no_test_rows_without_a_test():
    train, test = split_test(classes(5, 5), True, 0, 0)
    assert train.tolist() == list(range(10))
    assert test.tolist() == []


def test_class_of_one_row_stays_in_training():
    y = classes(60, 40, 1)
    for seed in range(20):
        _, test = split_test(y, True, 0.2, seed)
        assert 2 not in y[test]


def test_class_of_two_rows_is_in_training_with_at_least_one():
    y = classes(60, 40, 2)
    for seed in range(20):
        train, _ = split_test(y, True, 0.5, seed)
        assert 2 in y[train]


@pytest.mark.parametrize("counts", [(2, 2), (1, 1, 1, 1, 1, 1, 1, 1), (3, 1)])
def test_too_few_rows_for_a_test_is_said(counts):
    with pytest.raises(InputError) as caught:
        split_test(classes(*counts), True, 0.2, 0)
    assert f"{sum(counts)} usable rows are too few" in caught.value.message
    assert "test share to 0" in caught.value.hint


@pytest.mark.parametrize(
    ("n", "count", "method"),
    [
        (1_999, 15, "5-fold cross-validation, repeated 3 times"),
        (2_000, 5, "5-fold cross-validation"),
        (20_000, 5, "5-fold cross-validation"),
        (20_001, 3, "3-fold cross-validation"),
        (100_000, 3, "3-fold cross-validation"),
        (100_001, 1, "20% holdout"),
    ],
)
@pytest.mark.parametrize("classification", [True, False])
def test_number_of_folds_follows_the_rows(n, count, method, classification):
    y = np.arange(n) % 2 if classification else np.linspace(0, 1, n)
    folds = make_folds(y, classification, chosen())
    assert (len(folds.pairs), folds.method) == (count, method)
    if count == 1:
        assert len(folds.pairs[0][1]) == pytest.approx(0.2 * n, abs=1)
        assert set(folds.pairs[0][0]).isdisjoint(folds.pairs[0][1])


@pytest.mark.parametrize("repeats", [1, 3])
def test_each_row_is_validated_on_once_a_repeat(repeats):
    y = classes(70, 30)
    folds = make_folds(y, True, chosen(folds=5, cv_repeats=repeats))
    assert len(folds.pairs) == 5 * repeats
    seen = np.zeros(100, int)
    for train, validation in folds.pairs:
        assert set(train).isdisjoint(validation)
        assert len(train) + len(validation) == 100
        assert np.bincount(y[validation]).tolist() == [14, 6]
        seen[validation] += 1
    assert (seen == repeats).all()
    assert ("repeated 3 times" in folds.method) == (repeats == 3)


def test_repeats_use_other_folds():
    folds = make_folds(classes(70, 30), True, chosen(folds=5, cv_repeats=2))
    first, second = ([tuple(validation) for _, validation in folds.pairs[start : start + 5]] for start in (0, 5))
    assert set(first).isdisjoint(second)


def test_folds_follow_the_seed():
    y = classes(50, 50)
    one, same, other = (
        [validation.tolist() for _, validation in make_folds(y, True, chosen(seed=seed)).pairs] for seed in (4, 4, 5)
    )
    assert one == same != other


@pytest.mark.parametrize("rare", [1, 2, 4])
def test_class_smaller_than_the_folds_is_no_obstacle(rare):
    y = classes(50, 50, rare)
    folds = make_folds(y, True, chosen(folds=5))
    assert len(folds.pairs) == 5
    assert folds.covered.tolist() == list(range(len(y)))


def test_folds_never_outnumber_half_of_the_rows():
    folds = make_folds(classes(4, 4), True, chosen(cv_repeats=1))
    assert len(folds.pairs) == 4
    assert min(len(validation) for _, validation in folds.pairs) >= 2


def test_five_rows_are_too_few_to_search():
    with pytest.raises(InputError, match="5 training rows are too few"):
        make_folds(np.array([0, 1, 0, 1, 0]), True, chosen())

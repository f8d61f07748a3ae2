"""Folds: stratified, disjoint, complete, the same for a seed, and possible with tiny classes."""

import numpy as np
import pytest

from core.automl import AutoMLSettings, make_folds
from core.errors import InputError


def chosen(**values):
    return AutoMLSettings(target="y", **values)


def classes(*counts, seed=0):
    """Shuffled codes with so many rows each."""
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


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

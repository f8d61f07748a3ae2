"""Test rows: stratified, disjoint from the training rows, the same for a seed, and possible with tiny classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.evaluation import split_test


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

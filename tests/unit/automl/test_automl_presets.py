"""What pages say about a time budget: more time, more trials; larger tables, fewer; and when it is too short."""

import itertools

import pytest

from core.automl import (
    BUDGET_PRESETS,
    SHORTEST_BUDGET_S,
    AutoMLSettings,
    budget_warning,
    expected_trials,
    sensible_budget_s,
)

TABLES = [(150, 4), (1_000, 21), (48_842, 14), (500, 2_000), (1_000_000, 50)]


def test_presets_get_longer_and_the_first_is_the_default():
    seconds = [preset.seconds for preset in BUDGET_PRESETS.values()]
    assert seconds == sorted(seconds)
    assert seconds[0] == AutoMLSettings(target="y").time_budget_s


@pytest.mark.parametrize(("rows", "columns"), TABLES)
def test_more_time_is_no_fewer_trials(rows, columns):
    ranges = [expected_trials(rows, columns, preset.seconds) for preset in BUDGET_PRESETS.values()]
    assert all(low < high for low, high in ranges)
    assert all(earlier <= later for earlier, later in itertools.pairwise(ranges))


def test_what_was_measured_lies_within_the_range():
    """500 rows by 2,000 columns had 4 and 7 trials in 60 s (`docs/figures.md`)."""
    low, high = expected_trials(500, 2_000, 60)
    assert low <= 4 < 7 <= high


def test_the_smallest_sensible_budget_grows_with_the_table_and_is_ten_seconds_at_least():
    by_size = sorted(TABLES, key=lambda table: table[0] * table[1])
    budgets = [sensible_budget_s(rows, columns) for rows, columns in by_size]
    assert budgets == sorted(budgets)
    assert budgets[0] == 10
    assert all(budget % 5 == 0 for budget in budgets)


@pytest.mark.parametrize(("rows", "columns"), TABLES)
def test_below_it_a_sentence_says_so_and_nothing_is_refused(rows, columns):
    sensible = sensible_budget_s(rows, columns)
    assert budget_warning(rows, columns, sensible) is None
    assert f"{sensible:,.0f} s or more" in str(budget_warning(rows, columns, SHORTEST_BUDGET_S))
    for seconds in (5.0, 5.5, 7.0, 9.9):
        assert AutoMLSettings(target="y", time_budget_s=seconds).time_budget_s == seconds

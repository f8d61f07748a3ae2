"""Two variants of a model on the same rows: what the second gains or loses, with intervals of the difference."""

import json

import numpy as np
import pytest

from core.edge.variants.compare import compare_variants
from core.errors import InputError, SettingsError

ROWS = 400


@pytest.fixture
def binary():
    """Codes, probabilities of a fair model, and those of one with a little noise."""
    random = np.random.default_rng(0)
    y = random.integers(0, 2, ROWS)
    share = np.clip(0.5 + (y - 0.5) * 0.5 + random.normal(0, 0.25, ROWS), 0.01, 0.99)
    noisy = np.clip(share + random.normal(0, 0.01, ROWS), 0.01, 0.99)
    return y, np.column_stack([1 - share, share]), np.column_stack([1 - noisy, noisy])


def test_a_little_noise_costs_little_and_the_interval_is_paired(binary):
    y, before, after = binary
    comparison = compare_variants(y, before, after, task="binary")
    assert list(comparison.gains) == ["accuracy", "roc_auc"]
    assert comparison.gains["accuracy"].value == pytest.approx(
        comparison.after["accuracy"].value - comparison.before["accuracy"].value
    )
    own = comparison.before["accuracy"]
    gain = comparison.gains["accuracy"]
    assert gain.low <= 0 <= gain.high
    assert gain.high - gain.low < (own.high - own.low) / 2  # unpaired it would be wider than one of them
    assert comparison.largest_difference == pytest.approx(np.abs(before - after).max())


def test_a_clear_loss_has_an_interval_below_zero(binary):
    y, before, _ = binary
    comparison = compare_variants(y, before, np.roll(before, 1, axis=0), task="binary")
    assert comparison.gains["accuracy"].high < 0
    assert comparison.gains["roc_auc"].high < 0
    assert comparison.equal_labels.high < 0.7


def test_equal_labels_are_counted_with_wilsons_interval(binary):
    y, before, _ = binary
    after = before.copy()
    after[:4] = after[:4, ::-1]
    comparison = compare_variants(y, before, after, task="binary").equal_labels
    assert comparison.value == (ROWS - 4) / ROWS
    assert 0.97 < comparison.low < comparison.value < comparison.high <= 1
    same = compare_variants(y, before, before, task="binary").equal_labels
    assert (same.value, same.high) == (1.0, 1.0)
    assert 0.98 < same.low < 1


def test_three_classes_have_no_auc(binary):
    random = np.random.default_rng(1)
    output = random.dirichlet([1, 1, 1], ROWS)
    comparison = compare_variants(random.integers(0, 3, ROWS), output, output, task="multiclass")
    assert list(comparison.gains) == ["accuracy"]


def test_numbers_are_compared_by_their_errors():
    random = np.random.default_rng(0)
    y = random.normal(size=ROWS)
    before, after = y + random.normal(0, 0.1, ROWS), y + random.normal(0, 0.5, ROWS)
    comparison = compare_variants(y, before, after, task="regression")
    assert list(comparison.gains) == ["r2", "rmse"]
    assert comparison.gains["rmse"].high < 0  # negative is worse, although the error is larger
    assert comparison.gains["rmse"].value == pytest.approx(
        comparison.before["rmse"].value - comparison.after["rmse"].value
    )
    assert comparison.equal_labels is None


def test_what_the_rows_do_not_define_is_named(binary):
    _, before, after = binary
    comparison = compare_variants(np.zeros(ROWS, dtype=int), before, after, task="binary")
    assert comparison.undefined == ("roc_auc",)
    assert list(comparison.gains) == ["accuracy"]


def test_the_same_seed_gives_the_same_figures_and_json(binary):
    y, before, after = binary
    first, second = (compare_variants(y, before, after, task="binary", seed=3) for _ in range(2))
    assert first == second
    assert json.loads(json.dumps(first.to_dict(), allow_nan=False))["gains"]["accuracy"]["n"] == ROWS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y, b, a: (y, b, a[:-1]), "outputs 'after' of 399"),
        (lambda y, b, a: (y[:0], b[:0], a[:0]), "There are 0 rows"),
        (lambda y, b, a: (y, b, np.where(a > 0.98, np.nan, a)), "'after' are not finite"),
        (lambda y, b, a: (y, np.log(b), a), "'before' are not probabilities"),
        (lambda y, b, a: (y, b, a[:, 1]), r"shape \(400,\), which does not fit binary"),
        (lambda y, b, a: (y, b, np.column_stack([a / 2, a / 2])), "the other of"),
    ],
)
def test_what_does_not_fit_is_refused(binary, change, message):
    with pytest.raises(InputError, match=message) as caught:
        compare_variants(*change(*binary), task="binary")
    assert caught.value.hint


def test_an_unknown_task_is_refused(binary):
    with pytest.raises(SettingsError, match="Unknown task 'ranking'"):
        compare_variants(*binary, task="ranking")

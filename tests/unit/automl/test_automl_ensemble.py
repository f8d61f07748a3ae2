"""Selection of a blend: it is Caruana's, within its costs, judged on other rows, and no better than chance allows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from core.automl import METRICS, metric_choices
from core.automl.ensemble.selection import STEPS, best_of_each, choose_blend, select


def absolute(truth):
    return lambda mean: float(np.abs(mean - truth).mean())


def plain_caruana(outputs, loss):
    """The selection as the paper has it, written without any short cut."""
    chosen, best = [], (np.inf, [])
    for _ in range(STEPS):
        values = [
            loss(np.mean([outputs[index] for index in [*chosen, other]], axis=0)) for other in range(len(outputs))
        ]
        chosen.append(int(np.argmin(values)))
        if min(values) < best[0] - 1e-12:
            best = min(values), list(chosen)
    return best[1]


@given(st.integers(0, 10_000), st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_selection_is_that_of_the_paper(seed, count):
    """With an early end of two rounds without gain: never worse than the best single, and a prefix of the paper's."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=40)
    outputs = [truth + random.normal(scale=1 + index / 4, size=40) for index in range(count)]
    result = select(outputs, absolute(truth), [0.0] * count, 0.0)
    expected = plain_caruana(outputs, absolute(truth))
    assert result == expected[: len(result)]
    mixed = absolute(truth)(np.mean([outputs[index] for index in result], axis=0))
    assert mixed <= min(absolute(truth)(output) for output in outputs) + 1e-12


def test_members_are_within_their_costs():
    truth = np.zeros(3)
    outputs = [np.array([1.0, 0, 0]), np.array([-1.0, 0, 0]), np.array([-0.5, 0, 0.6])]
    assert select(outputs, absolute(truth), [9, 5, 1], 5)[:2] == [0, 1]
    assert 1 not in select(outputs, absolute(truth), [9, 5, 1], 4), "too dear"
    assert set(select(outputs, absolute(truth), [9, 5, 1], 0)) == {0}, "the first is always there"


def test_a_candidate_without_a_score_is_never_chosen():
    truth = np.array([0.0, 1.0])
    assert select([np.array([np.nan, np.nan]), truth + 1], absolute(truth), [0, 0], 0) == [1]


def test_only_the_best_three_of_a_learner_are_looked_at():
    assert best_of_each([5, 4, 3, 2, 1, 0], ["b", "a", "a", "a", "a", "b"]) == [5, 4, 3, 2, 0]


def noisy(y, k, random, strength):
    raw = np.exp(strength * np.eye(k)[y] + random.normal(size=(len(y), k)))
    return raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_models_with_errors_of_their_own_are_better_together(task):
    """For every metric: five equally good models that err independently; the blend wins on rows it did not choose."""
    random = np.random.default_rng(1)
    k = {"binary": 2, "multiclass": 3, "regression": 0}[task]
    y = random.integers(0, k, 600) if k else random.normal(10, 3, 600)
    outputs = [noisy(y, k, random, 1.0) if k else y + random.normal(size=600) for _ in range(5)]
    for metric in metric_choices(task):
        result = choose_blend(outputs, list("abcde"), y, metric)
        assert result.wins, metric
        assert len(result.weights) >= 3, metric
        gain = result.score - result.best_score
        assert (gain > 0) == METRICS[metric].larger_is_better


def test_copies_of_one_model_are_no_blend():
    random = np.random.default_rng(2)
    y = random.integers(0, 2, 300)
    one = noisy(y, 2, random, 1.0)
    result = choose_blend([one, one.copy(), one.copy()], ["a", "b", "c"], y, "roc_auc")
    assert not result.wins
    assert result.weights == {0: 1}
    assert result.score == result.best_score


def test_judgment_is_on_rows_that_did_not_choose():
    """Sixty models that know nothing: the best of them looks good on its own rows, and the judgment says it is not."""
    random = np.random.default_rng(3)
    y = random.integers(0, 2, 150)
    outputs = [noisy(y, 2, random, 0.0) for _ in range(60)]
    best = max(roc_auc_score(y, output[:, 1]) for output in outputs)
    result = choose_blend(outputs, [str(index) for index in range(60)], y, "roc_auc")
    assert best > 0.58
    assert abs(result.score - 0.5) < 0.06
    assert abs(result.best_score - 0.5) < 0.06


def test_drawing_the_parts_anew_does_not_make_the_judgment_surer(monkeypatch):
    random = np.random.default_rng(0)
    y = random.normal(size=200)
    outputs = [y + random.normal(size=200) for _ in range(3)]
    errors = []
    for repeats in (1, 10):
        monkeypatch.setattr("core.automl.ensemble.selection.REPEATS", repeats)
        errors.append(choose_blend(outputs, ["a", "b", "c"], y, "rmse").gap_error)
    assert 0.5 < errors[1] / errors[0] < 2


def test_score_agrees_with_scikit_learn():
    """One candidate: the judgment is its own metric, the mean over the parts."""
    random = np.random.default_rng(4)
    y = random.integers(0, 2, 500)
    one = noisy(y, 2, random, 1.0)
    assert choose_blend([one], ["a"], y, "log_loss").best_score == pytest.approx(log_loss(y, one), rel=1e-6)


def test_weights_do_not_depend_on_chance():
    random = np.random.default_rng(5)
    y = random.integers(0, 3, 20_000)  # more rows than are looked at
    outputs = [noisy(y, 3, random, 1.0) for _ in range(4)]
    assert choose_blend(outputs, list("abcd"), y, "roc_auc") == choose_blend(outputs, list("abcd"), y, "roc_auc")

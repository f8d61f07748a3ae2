"""Intervals: none where a class is rare, of the published width elsewhere, and never without width."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from scipy import optimize, stats
from sklearn import metrics as sk

from core.automl import metric_choices
from core.automl.results.store import read_estimates
from core.evaluation import Estimate, compare_outputs, wilson
from tests.unit.evaluation.test_evaluation_estimates import logits, of_scikit


def of_newcombe(area, hits, misses, quantile, variance=None):
    """Bounds of an area: Newcombe (2006), method 5, scaled to a variance; each is the root of one equation."""

    def expected(at):
        pairs = (hits + misses) / 2 - 1
        return at * (1 - at) * (1 + pairs * ((1 - at) / (2 - at) + at / (1 + at))) / (hits * misses)

    scale = 1 if variance is None else variance / expected(area)

    def distance(at):
        return (at - area) ** 2 - quantile**2 * scale * expected(at)

    low = optimize.brentq(distance, 1e-9, area - 1e-9)
    return low, 1.0 if area == 1 else optimize.brentq(distance, area + 1e-9, 1 - 1e-9)


@pytest.mark.parametrize(("hits", "n"), [(10, 20), (90, 100)])
def test_faultless_model_still_has_an_interval(hits, n):
    """All of `n` rows right proves no perfection."""
    y = (np.arange(n) < hits).astype(int)
    right = np.eye(2)[y]
    prior = np.tile([1 - hits / n, hits / n], (n, 1))
    comparison = compare_outputs("binary", "roc_auc", y, {"model": right, "prior": prior})
    model, rare = comparison.metrics["model"], min(hits, n - hits)
    assert model["accuracy"].low == pytest.approx(stats.binomtest(n, n).proportion_ci(method="wilson").low)
    expected = of_newcombe(1.0, hits, n - hits, stats.t.ppf(0.975, rare - 1))
    assert (model["roc_auc"].low, model["roc_auc"].high) == pytest.approx(expected, abs=1e-6)
    for name in ("balanced_accuracy", "f1_macro", "average_precision"):
        assert model[name].value == model[name].high == pytest.approx(1)
        assert 0.5 < model[name].low < 0.97, name
    gain, own = comparison.gains["prior"], model["roc_auc"]
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.5, own.low - 0.5, own.high - 0.5))


@pytest.mark.parametrize("rare", [8, 30])
def test_an_area_has_the_variance_of_delong(rare):
    """DeLong, DeLong, Clarke-Pearson (1988) by placements, with Satterthwaite's degrees of freedom."""
    random = np.random.default_rng(rare)
    y = np.repeat([0, 1], [60, rare])
    score = stats.norm.cdf(random.normal(size=len(y)) + y)
    above = (score[y == 1][:, None] > score[y == 0]) * 1.0
    parts = np.array([above.mean(axis=1).var(ddof=1) / rare, above.mean(axis=0).var(ddof=1) / 60])
    freedom = parts.sum() ** 2 / (parts**2 / [rare - 1, 59]).sum()
    quantile = stats.t.ppf(0.975, freedom)
    estimate = compare_outputs("binary", "roc_auc", y, {"m": np.column_stack([1 - score, score])}).metrics["m"][
        "roc_auc"
    ]
    assert estimate.value == pytest.approx(above.mean())
    expected = of_newcombe(above.mean(), rare, 60, quantile, parts.sum())
    assert (estimate.low, estimate.high) == pytest.approx(expected, abs=1e-6)


def test_hanley_and_mcneils_readings_have_their_published_area():
    """Radiology 143 (1982), table I: 51 abnormal, 58 normal images in five ratings: area .893, standard error .032."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    y = np.repeat([0, 1], [58, 51])
    score = np.concatenate([np.repeat(np.arange(5), normal), np.repeat(np.arange(5), abnormal)]) / 5 + 0.1
    area = compare_outputs("binary", "roc_auc", y, {"m": np.column_stack([1 - score, score])}).metrics["m"]["roc_auc"]
    assert area.value == pytest.approx(0.893, abs=5e-4)
    assert (area.high - area.low) / 3.92 == pytest.approx(0.032, abs=2e-3)
    assert area.rarest == 51


@pytest.mark.parametrize("rare", [1, 3, 7])
def test_few_rows_of_a_class_give_no_interval_and_the_reason(rare):
    y = np.repeat([0, 1], [100, rare])
    output = logits(np.random.default_rng(3), y, 2, 1.0)
    prior = np.tile([0.9, 0.1], (len(y), 1))
    comparison = compare_outputs("binary", "roc_auc", y, {"m": output, "prior": prior}, labels=["ok", "fraud"])
    reason = f"no interval: the test has only {rare} row{'s' * (rare > 1)} of 'fraud'"
    for name, estimate in comparison.metrics["m"].items():
        assert estimate.value == pytest.approx(of_scikit(name, y, output)), name
        assert estimate.rarest == rare
        if name == "accuracy":
            assert estimate.low < estimate.value <= estimate.high
        else:
            assert (estimate.low, estimate.high) == (None, None), name
            assert estimate.reason == reason, name
    assert comparison.gains["prior"].reason == reason
    assert np.isfinite(compare_outputs("binary", "accuracy", y, {"m": output, "prior": prior}).gains["prior"].low)


def test_groups_that_have_the_class_are_counted():
    y = np.repeat([0, 1], [200, 30])
    groups = np.concatenate([np.arange(200) % 40, np.arange(30) % 3])
    output = logits(np.random.default_rng(3), y, 2, 1.0)
    estimate = compare_outputs("binary", "roc_auc", y, {"m": output}, groups=groups).metrics["m"]["roc_auc"]
    assert (estimate.rarest, estimate.reason) == (3, "no interval: the test has only 3 groups with class 1")
    assert estimate.low is None


def test_no_discordant_pair_leaves_room_for_some():
    """82 rows without a discordant pair: up to 3.6% of the rows may be discordant (1 - 0.05 ** (1 / 82))."""
    y = np.arange(82) % 2
    output = np.where((y == 1) == (np.arange(82) % 10 > 0), 0.8, 0.2)
    other = np.where(output > 0.5, 0.9, 0.1)
    gain = compare_outputs(
        "binary", "accuracy", y, {n: np.column_stack([1 - o, o]) for n, o in (("a", output), ("b", other))}
    ).gains["b"]
    assert gain.value == 0
    assert gain.high == pytest.approx(-gain.low)
    assert 0.03 < gain.high < 0.05


def test_an_old_record_has_no_rarest_class():
    assert Estimate(0.5, 0.4, 0.6, 10).to_dict() == {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}
    assert read_estimates({"mae": {"value": None, "low": None, "high": None, "n": 3}})["mae"].rarest is None
    few = Estimate(0.5, 0.4, 0.6, 10, 4, "why")
    assert read_estimates({"auc": few.to_dict()})["auc"] == few


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    seed=strategies.integers(0, 10**6),
    task=strategies.sampled_from(["binary", "multiclass", "regression"]),
    shape=strategies.sampled_from(["random", "perfect", "wrong", "tied", "constant", "one class"]),
    weighted=strategies.booleans(),
    grouped=strategies.booleans(),
)
def test_a_value_lies_within_its_interval_which_has_a_width(seed, task, shape, weighted, grouped):
    random = np.random.default_rng(seed)
    n, k = int(random.integers(2, 60)), 2 if task == "binary" else 3
    if task == "regression":
        y = np.ones(n) if shape == "one class" else random.normal(5, 2, n)
        output = {
            "perfect": y.copy(),
            "wrong": y + 3,
            "tied": y.round(),
            "constant": np.full(n, 4.0),
        }.get(shape, y + random.normal(size=n))
    else:
        y = np.zeros(n, int) if shape == "one class" else random.integers(0, k, n)
        output = {
            "perfect": np.eye(k)[y],
            "wrong": np.eye(k)[(y + 1) % k],
            "tied": np.eye(k)[random.integers(0, k, n)] * 0.4 + 0.6 / k,
            "constant": np.tile(random.dirichlet(np.ones(k)), (n, 1)),
        }.get(shape, random.dirichlet(np.ones(k), n))
    other = np.roll(output, 1, axis=0)
    weights = random.choice([0.0, 0.5, 3.0], n) + (np.arange(n) == 0) if weighted else None
    groups = random.integers(0, 12, n) if grouped else None
    metric = metric_choices(task)[int(random.integers(len(metric_choices(task))))]
    comparison = compare_outputs(task, metric, y, {"m": output, "o": other}, sample_weight=weights, groups=groups)
    # What a constant scores is known from the classes alone.
    known = shape == "constant" and task != "regression"
    for name, estimate in [*comparison.metrics["m"].items(), (metric, comparison.gains["o"])]:
        if estimate.low is None:
            assert estimate.high is None, name
            assert estimate.reason, name
        else:
            assert estimate.low <= estimate.value <= estimate.high, name
            assert estimate.low < estimate.high or known, name


def test_a_class_that_the_test_lacks_does_not_count_as_the_rarest():
    y = np.repeat([0, 1], [100, 60])
    model = compare_outputs("multiclass", "balanced_accuracy", y, {"model": np.eye(3)[y]}).metrics["model"]
    assert model["balanced_accuracy"].rarest == 60
    assert 0.9 < model["balanced_accuracy"].low < 1
    assert 0.9 < model["roc_auc"].low < 1


def test_r2_of_a_number_that_is_mostly_zero_has_a_sane_interval():
    y = np.r_[np.zeros(49), 7.1]
    estimate = compare_outputs("regression", "r2", y, {"model": np.full(50, 0.3)}).metrics["model"]["r2"]
    assert estimate.value == pytest.approx(sk.r2_score(y, np.full(50, 0.3)))
    assert estimate.low is None or -10 < estimate.low <= estimate.value <= estimate.high <= 1


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (1, 10), (5, 10), (81, 263), (15, 148), (10, 10), (999, 1000)])
def test_wilson_is_scipys(hits, n):
    expected = stats.binomtest(hits, n).proportion_ci(0.95, "wilson")
    assert wilson(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_the_published_one(hits, n, low, high):
    """Newcombe (1998), Statistics in Medicine 17, table I, method 3."""
    assert [round(float(bound), 4) for bound in wilson(hits, n)] == [low, high]

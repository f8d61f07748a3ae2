"""Intervals: they agree with a bootstrap written with scikit-learn, cover the truth, and gains point the right way."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies
from scipy import optimize, stats
from sklearn import metrics as sk

from core.automl import METRICS, metric_choices
from core.automl.results.store import read_estimates
from core.evaluation import Estimate, compare_outputs, effective_rows, wilson


def logits(random, y, k, strength):
    """Probabilities that know the class more or less well."""
    raw = random.normal(size=(len(y), k)) + strength * np.eye(k)[y]
    raw = np.exp(raw)
    return raw / raw.sum(axis=1, keepdims=True)


def of_scikit(name, y, output):
    """The metric, straight from scikit-learn."""
    if output.ndim == 1:
        return {
            "r2": sk.r2_score,
            "rmse": sk.root_mean_squared_error,
            "mae": sk.mean_absolute_error,
            "mape": sk.mean_absolute_percentage_error,
        }[name](y, output)
    k = output.shape[1]
    codes = output.argmax(axis=1)
    match name:
        case "roc_auc":
            return sk.roc_auc_score(y, output[:, 1] if k == 2 else output, multi_class="ovr", average="weighted")
        case "average_precision":
            if k == 2:
                return sk.average_precision_score(y, output[:, 1])
            return sk.average_precision_score(np.eye(k)[y], output, average="weighted")
        case "log_loss":
            return sk.log_loss(y, output, labels=range(k))
        case "accuracy":
            return sk.accuracy_score(y, codes)
        case "balanced_accuracy":
            return sk.balanced_accuracy_score(y, codes)
    return sk.f1_score(y, codes, average=name.removeprefix("f1_"))


def tables(task):
    random = np.random.default_rng(11)
    if task == "regression":
        y = random.normal(50, 10, 120)
        return y, y + random.normal(0, 6, 120), y + random.normal(2, 9, 120)
    k = 2 if task == "binary" else 3
    y = random.integers(0, k, 120)
    return y, logits(random, y, k, 2.0), logits(random, y, k, 1.0)


@pytest.mark.parametrize(
    ("task", "names"),
    [
        ("binary", ["roc_auc", "log_loss"]),
        ("multiclass", ["roc_auc", "f1_weighted"]),
        ("regression", ["r2", "rmse", "mae", "mape"]),
    ],
)
def test_intervals_agree_with_another_bootstrap(task, names):
    """Of each metric and of the paired gain: as wide as resamples scored by scikit-learn vary, and where they are."""
    y, good, poor = tables(task)
    draws = np.random.default_rng(99).integers(0, len(y), (120, len(y)))
    for name in names:
        comparison = compare_outputs(task, name, y, {"good": good, "poor": poor})
        sign = 1 if METRICS[name].larger_is_better else -1
        one = np.array([of_scikit(name, y[rows], good[rows]) for rows in draws])
        other = np.array([of_scikit(name, y[rows], poor[rows]) for rows in draws])
        for estimate, value, sampled in (
            (comparison.metrics["good"][name], of_scikit(name, y, good), one),
            (
                comparison.gains["poor"],
                sign * (of_scikit(name, y, good) - of_scikit(name, y, poor)),
                sign * (one - other),
            ),
        ):
            assert estimate.value == pytest.approx(value, abs=1e-9), name
            assert estimate.n == len(y)
            assert (estimate.high - estimate.low) / 3.92 == pytest.approx(sampled.std(), rel=0.25), name
            assert 0.88 <= np.mean((sampled >= estimate.low) & (sampled <= estimate.high)) <= 0.995, name


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_metric_is_estimated_as_scikit_learn_does(task):
    y, good, poor = tables(task)
    result = compare_outputs(task, metric_choices(task)[0], y, {"good": good, "poor": poor}).metrics
    for model, output in (("good", good), ("poor", poor)):
        assert set(result[model]) == set(metric_choices(task))
        for name, estimate in result[model].items():
            assert estimate.value == pytest.approx(of_scikit(name, y, output), abs=1e-9), name
            assert estimate.low < estimate.value < estimate.high, name


def test_intervals_cover_the_truth():
    """Accuracy of 0.8 and a mean error of 1, each told from 150 rows: about 95 of 100 intervals hold it."""
    random = np.random.default_rng(4)
    covered = {"accuracy": 0, "mae": 0}
    count = 80
    for number in range(count):
        y = random.integers(0, 2, 150)
        right = random.random(150) < 0.8
        output = np.where((y == 1) == right, 0.7, 0.3)
        comparison = compare_outputs("binary", "accuracy", y, {"m": np.column_stack([1 - output, output])}, seed=number)
        covered["accuracy"] += (
            comparison.metrics["m"]["accuracy"].low <= 0.8 <= comparison.metrics["m"]["accuracy"].high
        )
        comparison = compare_outputs(
            "regression", "mae", np.ones(150), {"m": 1 + random.exponential(1, 150)}, seed=number
        )
        covered["mae"] += comparison.metrics["m"]["mae"].low <= 1 <= comparison.metrics["m"]["mae"].high
    lowest = stats.binom.ppf(0.001, count, 0.93)  # a percentile interval of 150 rows falls a little short of 95 %
    assert all(lowest <= hits <= count for hits in covered.values()), covered


@pytest.mark.parametrize("name", METRICS)
def test_gain_is_positive_for_the_better_model(name):
    task = "regression" if METRICS[name].tasks == ("regression",) else "multiclass"
    y, good, poor = tables(task)
    better = compare_outputs(task, name, y, {"model": good, "other": poor}).gains["other"]
    worse = compare_outputs(task, name, y, {"model": poor, "other": good}).gains["other"]
    assert better.low <= better.value <= better.high
    assert better.value > 0 > worse.value
    assert (worse.value, worse.low, worse.high) == pytest.approx((-better.value, -better.high, -better.low))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_gain_over_itself_is_nothing_with_a_width(task):
    """Models that agree on all rows may differ on rows that were not drawn."""
    y, good, _ = tables(task)
    for metric in metric_choices(task):
        gain = compare_outputs(task, metric, y, {"model": good, "twin": good.copy()}).gains["twin"]
        assert gain.value == 0, metric
        assert gain.low < 0 < gain.high, metric


def test_paired_gain_is_narrower_than_unpaired():
    """A model that is always closer by one is better by about one, however wide its own interval is."""
    y = np.random.default_rng(0).normal(0, 100, 80)
    error = np.random.default_rng(1).exponential(30, 80) + 1
    comparison = compare_outputs("regression", "mae", y, {"model": y + error - 1, "other": y + error})
    own, gain = comparison.metrics["model"]["mae"], comparison.gains["other"]
    assert own.high - own.low > 5
    assert gain.value == pytest.approx(1)
    assert 0 < gain.high - gain.low < 0.4 * (own.high - own.low)


def test_estimates_follow_the_seed():
    y, good, poor = tables("binary")
    one, same, other = (
        compare_outputs("binary", "log_loss", y, {"a": good, "b": poor}, seed=seed) for seed in (1, 1, 2)
    )
    assert one == same != other


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
            assert np.isnan([estimate.low, estimate.high]).all(), name
            assert estimate.reason == reason, name
    assert comparison.gains["prior"].reason == reason
    assert np.isfinite(compare_outputs("binary", "accuracy", y, {"m": output, "prior": prior}).gains["prior"].low)


def test_groups_that_have_the_class_are_counted():
    y = np.repeat([0, 1], [200, 30])
    groups = np.concatenate([np.arange(200) % 40, np.arange(30) % 3])
    output = logits(np.random.default_rng(3), y, 2, 1.0)
    estimate = compare_outputs("binary", "roc_auc", y, {"m": output}, groups=groups).metrics["m"]["roc_auc"]
    assert (estimate.rarest, estimate.reason) == (3, "no interval: the test has only 3 groups with class 1")
    assert np.isnan(estimate.low)


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
        if np.isnan(estimate.low):
            assert np.isnan(estimate.high), name
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
    assert np.isnan(estimate.low) or -10 < estimate.low <= estimate.value <= estimate.high <= 1


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


def patients(seed=5):
    """Forty patients of very unlike numbers of rows, each with an error of its own: a probability, and the truth."""
    random = np.random.default_rng(seed)
    groups = np.repeat(np.arange(40) * 7 + 3, random.integers(5, 40, 40))
    y = random.integers(0, 2, len(groups))
    own = random.normal(0, 1.5, 400)[groups]
    first = 1 / (1 + np.exp(-(2 * (2 * y - 1) + own * (2 * y - 1) + random.normal(size=len(y)))))
    return groups, y, np.column_stack([1 - first, first])


def test_groups_are_resampled_as_a_loop_over_them_does():
    groups, y, output = patients()
    result = compare_outputs("binary", "roc_auc", y, {"a": output}, groups=groups).metrics["a"]
    by_row = compare_outputs("binary", "roc_auc", y, {"a": output}).metrics["a"]
    random = np.random.default_rng(99)
    members = {group: np.flatnonzero(groups == group) for group in np.unique(groups)}
    names = ("accuracy", "roc_auc")
    drawn = {name: [] for name in names}
    for _ in range(400):
        rows = np.concatenate([members[group] for group in random.choice(list(members), len(members))])
        for name in names:
            drawn[name].append(of_scikit(name, y[rows], output[rows]))
    for name in names:
        low, high = np.quantile(drawn[name], [0.025, 0.975])
        width = high - low
        # A percentile interval of 40 unequal groups is too narrow, so ours is somewhat wider, and about the same place.
        own = result[name].high - result[name].low
        assert width * 0.95 < own < width * 1.5
        assert (result[name].low + result[name].high) / 2 == pytest.approx((low + high) / 2, abs=0.25 * width)
        assert result[name].n == len(y)
        assert by_row[name].high - by_row[name].low < 0.75 * width, "rows alone claim too much"


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_copies_of_rows_tell_no_more_than_the_rows(task):
    y, first, other = tables(task)
    copies = np.repeat(np.arange(len(y)), 7)
    metric = "mae" if task == "regression" else "accuracy"
    alone = compare_outputs(task, metric, y, {"a": first, "b": other})
    copied = compare_outputs(task, metric, y[copies], {"a": first[copies], "b": other[copies]}, groups=copies)
    for name, known in alone.metrics["a"].items():
        assert copied.metrics["a"][name].low == pytest.approx(known.low, rel=0.02)
        assert copied.metrics["a"][name].high == pytest.approx(known.high, rel=0.02)
    width = alone.gains["b"].high - alone.gains["b"].low
    assert copied.gains["b"].low == pytest.approx(alone.gains["b"].low, abs=0.05 * width)


def test_rows_of_groups_are_worth_as_many_as_drawing_groups_shows():
    groups, y, output = patients()
    hits = (output[:, 1] > 0.5) == (y == 1)
    random = np.random.default_rng(3)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    shares = [
        hits[np.concatenate([members[integer] for integer in random.integers(0, 40, 40)])].mean() for _ in range(4000)
    ]
    worth = effective_rows(hits, groups)
    assert np.sqrt(hits.mean() * (1 - hits.mean()) / worth) == pytest.approx(np.std(shares), rel=0.1)
    assert worth < 0.5 * len(hits)
    # Copies tell what the rows tell; rows of one group have no say beyond their group.
    assert effective_rows(np.repeat(hits, 7), np.repeat(np.arange(len(hits)), 7)) == pytest.approx(len(hits), rel=0.01)
    assert effective_rows(hits, np.arange(len(hits))) == pytest.approx(len(hits), rel=0.01)
    assert effective_rows(hits, np.zeros(len(hits))) == 1
    assert effective_rows(np.ones(len(hits), bool), groups) == 40


def test_a_faultless_model_is_as_sure_as_its_groups_are_many():
    y = np.repeat([0, 1], 500)
    groups = np.arange(1_000) // 50  # ten groups of each class
    result = compare_outputs("binary", "accuracy", y, {"a": np.eye(2)[y]}, groups=groups).metrics["a"]
    assert wilson(10, 10)[0] <= result["balanced_accuracy"].low < 0.85
    assert result["accuracy"].low == pytest.approx(wilson(20, 20)[0])
    assert result["accuracy"].high == pytest.approx(1)


def test_one_group_has_no_interval():
    y, first, other = tables("binary")
    comparison = compare_outputs("binary", "accuracy", y, {"a": first, "b": other}, groups=np.zeros(len(y), int))
    assert np.isnan(
        [comparison.metrics["a"]["accuracy"].low, comparison.gains["b"].low, comparison.gains["b"].high]
    ).all()

"""Intervals: they agree with a bootstrap written with scikit-learn, cover the truth, and gains point the right way."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from core.automl import METRICS, metric_choices
from core.errors import PlumblineError
from core.evaluation import compare_outputs, effective_rows, estimate, wilson


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
        for measured, value, sampled in (
            (comparison.metrics["good"][name], of_scikit(name, y, good), one),
            (
                comparison.gains["poor"],
                sign * (of_scikit(name, y, good) - of_scikit(name, y, poor)),
                sign * (one - other),
            ),
        ):
            assert measured.value == pytest.approx(value, abs=1e-9), name
            assert measured.n == len(y)
            assert (measured.high - measured.low) / 3.92 == pytest.approx(sampled.std(), rel=0.25), name
            assert 0.88 <= np.mean((sampled >= measured.low) & (sampled <= measured.high)) <= 0.995, name


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_metric_is_estimated_as_scikit_learn_does(task):
    y, good, poor = tables(task)
    result = compare_outputs(task, metric_choices(task)[0], y, {"good": good, "poor": poor}).metrics
    for model, output in (("good", good), ("poor", poor)):
        assert set(result[model]) == set(metric_choices(task))
        for name, measured in result[model].items():
            assert measured.value == pytest.approx(of_scikit(name, y, output), abs=1e-9), name
            assert measured.low < measured.value < measured.high, name


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


@pytest.mark.parametrize("name", [name for name in METRICS if name not in metric_choices("multilabel")])
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
    bounds = comparison.metrics["a"]["accuracy"].low, comparison.gains["b"].low, comparison.gains["b"].high
    assert bounds == (None, None, None)


def test_one_estimate_is_that_of_the_comparison():
    y, first, _ = tables("binary")
    groups = np.arange(len(y)) // 4
    for options in ({}, {"groups": groups}, {"sample_weight": np.linspace(0.5, 2, len(y))}):
        compared = compare_outputs("binary", "accuracy", y, {"a": first}, labels=[0, 1], **options).metrics["a"]
        for name in metric_choices("binary"):
            assert estimate(name, y, first, **options) == compared[name], name
    words = np.array(["no", "yes"])[y]
    assert estimate("roc_auc", words, first[:, 1]) == estimate("roc_auc", y, first)


@pytest.mark.parametrize("name", ["accuracy", "roc_auc", "f1_macro", "log_loss"])
def test_more_confidence_is_a_wider_interval_of_the_same_value(name):
    y, first, _ = tables("binary")
    results = [estimate(name, y, first, confidence=confidence) for confidence in (0.5, 0.8, 0.95, 0.99)]
    widths = [result.high - result.low for result in results]
    assert widths == sorted(widths)
    assert len({result.value for result in results}) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: estimate("auc", [0, 1], [0.1, 0.9]), "Unknown metric"),
        (lambda: estimate("roc_auc", [0, 1], [0.1, 0.9], confidence=95), "confidence is 95"),
        (lambda: estimate("roc_auc", [0, 1], [0.1]), "do not fit 2 labels"),
        (lambda: estimate("roc_auc", [0, 1], [0.1, np.nan]), "not all finite"),
        (lambda: estimate("log_loss", [0, 1], [-3.0, 2.0]), "outputs reach from -3 to 2"),
        (lambda: estimate("accuracy", list("abc"), [0.1, 0.5, 0.9]), "3 labels and one output"),
    ],
)
def test_what_cannot_be_estimated_is_refused_with_a_hint(call, message):
    with pytest.raises(PlumblineError, match=message) as refused:
        call()
    assert refused.value.hint

"""What is drawn of the test rows: figures by threshold and calibration against scikit-learn's."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import f1_score, precision_recall_curve, precision_score, recall_score, roc_curve

from core.evaluation import by_threshold, calibration, curves, wilson


@pytest.mark.parametrize("seed", range(3))
def test_figures_by_threshold_are_scikit_learns(seed):
    random = np.random.default_rng(seed)
    positive = random.random(300) < 0.3
    scores = np.clip(0.4 * positive + random.random(300) * 0.6, 0, 1).round(2)  # many rows lie on a threshold
    result = by_threshold(positive, scores)
    for index, threshold in enumerate(result["threshold"]):
        chosen = scores >= threshold
        assert result["selected"][index] == pytest.approx(chosen.mean(), abs=1e-6)
        assert result["recall"][index] == pytest.approx(recall_score(positive, chosen), abs=1e-6)
        if chosen.any():
            assert result["precision"][index] == pytest.approx(precision_score(positive, chosen))
            assert result["f1"][index] == pytest.approx(f1_score(positive, chosen), abs=1e-6)
        else:
            assert result["precision"][index] is None
            assert result["f1"][index] == 0


def test_calibration_is_scikit_learns():
    random = np.random.default_rng(1)
    scores = random.random(1_000)
    positive = random.random(1_000) < scores**1.5
    result = calibration(positive, scores)
    observed, predicted = calibration_curve(positive, scores, n_bins=10, strategy="quantile")
    assert [point["observed"] for point in result] == pytest.approx(observed.tolist())
    assert [point["predicted"] for point in result] == pytest.approx(predicted.tolist())
    assert [(point["low"], point["high"]) for point in result] == [
        pytest.approx(wilson(round(100 * share), 100)) for share in observed
    ]


def test_copies_of_rows_make_calibration_no_surer():
    """With ten copies of each row the shares are the same, and so is what can be known of them."""
    random = np.random.default_rng(2)
    scores = random.random(400)
    positive = random.random(400) < scores
    alone = calibration(positive, scores)
    copies = np.repeat(np.arange(400), 10)
    copied = calibration(positive[copies], scores[copies], groups=copies)
    for known, result in zip(alone, copied, strict=True):
        assert (result["observed"], result["n"]) == (known["observed"], 10 * known["n"])
        assert result["high"] - result["low"] == pytest.approx(known["high"] - known["low"], rel=0.03)
    unaware = calibration(positive[copies], scores[copies])
    assert unaware[5]["high"] - unaware[5]["low"] < 0.4 * (alone[5]["high"] - alone[5]["low"])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("decimals", [1, 6])
@pytest.mark.parametrize("n", [2, 9, 150])
def test_roc_and_precision_recall_are_scikit_learns(n, decimals, weighted):
    random = np.random.default_rng(n)
    y = np.r_[0, 1, random.integers(0, 2, n - 2)]
    scores = np.clip(0.3 * y + 0.7 * random.random(n), 0, 1).round(decimals)  # with one decimal, many rows are tied
    weights = random.integers(0, 4, n).astype(float) if weighted else None
    if weights is not None:
        weights[:2] = 1.0  # both classes weigh something
    drawn = curves(y, np.column_stack([1 - scores, scores]), ["no", "yes"], sample_weight=weights)["classes"]["yes"]
    false_rate, true_rate, _ = roc_curve(y, scores, sample_weight=weights)
    precision, recall, _ = precision_recall_curve(y, scores, sample_weight=weights)
    assert drawn["roc"]["fpr"] == pytest.approx(false_rate.tolist(), abs=1e-6)
    assert drawn["roc"]["tpr"] == pytest.approx(true_rate.tolist(), abs=1e-6)
    assert drawn["pr"]["recall"] == pytest.approx(recall.tolist(), abs=1e-6)
    assert drawn["pr"]["precision"] == pytest.approx(precision.tolist(), abs=1e-6)

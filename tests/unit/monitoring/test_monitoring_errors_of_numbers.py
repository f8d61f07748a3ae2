"""Performance of models of numbers without labels: a second model, of the error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError
from core.monitoring import estimate_performance
from core.monitoring.error_features import ErrorFeatures


def cars(random: np.random.Generator, n: int, *, old: float = 0.3) -> pd.DataFrame:
    """Return predicted prices whose errors are larger for old and for foreign cars."""
    age = np.where(random.random(n) < old, random.uniform(8, 15, n), random.uniform(0, 8, n))
    make = random.choice(["home", "abroad"], n)
    spread = (200 + 60 * age) * np.where(make == "abroad", 2.0, 1.0)
    score = 30_000 - 1_500 * age + random.normal(0, 1_000, n)
    frame = pd.DataFrame({"age": age, "make": make, "day": pd.Timestamp("2024-01-01"), "y_score": score})
    return frame.assign(y_true=score + spread * random.normal(size=n))


REFERENCE = cars(np.random.default_rng(0), 4_000)
CURRENT = cars(np.random.default_rng(1), 2_000, old=0.8)


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_errors_are_estimated_where_rows_change(metric: str) -> None:
    estimate = estimate_performance(REFERENCE, CURRENT.drop(columns="y_true"), metric=metric)
    errors = CURRENT["y_true"] - CURRENT["y_score"]
    truth = errors.abs().mean() if metric == "mae" else np.sqrt((errors**2).mean())
    before = REFERENCE["y_true"] - REFERENCE["y_score"]
    assert estimate.reference == pytest.approx(before.abs().mean() if metric == "mae" else np.sqrt((before**2).mean()))
    assert truth > 1.2 * estimate.reference
    assert abs(estimate.value / truth - 1) < 0.1
    assert estimate.low < truth < estimate.high
    assert (estimate.method, estimate.n) == ("DLE", 2_000)
    assert "concept drift" in estimate.caveat


def test_chunks_have_their_own_errors() -> None:
    mixed = pd.concat([CURRENT.assign(lot="old"), REFERENCE.head(2_000).assign(lot="usual")])
    parts = estimate_performance(REFERENCE, mixed, metric="mae", chunks="lot", columns=["age", "make"]).estimates
    assert [part.chunk for part in parts] == ["old", "usual"]
    assert parts[0].low > parts[1].value


def test_errors_that_cannot_be_predicted_are_refused() -> None:
    random = np.random.default_rng(2)
    few = estimate_performance(REFERENCE.head(299), CURRENT, metric="mae")
    assert few.refused == "The reference has 299 rows with a label, and 300 are needed."
    assert "There are 20 rows" in estimate_performance(REFERENCE, CURRENT.head(20), metric="mae").refused
    far = CURRENT.assign(y_score=CURRENT["y_score"] + 1e6)
    assert "outside of the reference's range" in estimate_performance(REFERENCE, far, metric="mae").refused
    wild = REFERENCE.head(400).copy()
    wild["y_true"] = wild["y_score"] + random.standard_cauchy(400) ** 3
    refused = estimate_performance(wild, CURRENT, metric="mae").refused
    assert refused is not None
    assert refused.startswith("A model of the error")


@pytest.mark.nightly
@pytest.mark.parametrize("metric", ["mae", "rmse"])
@pytest.mark.parametrize(("reference_n", "n"), [(1_500, 600), (5_000, 300)])
def test_intervals_of_errors_cover_what_labels_show(metric: str, reference_n: int, n: int) -> None:
    hits, count = 0, 60
    for seed in range(count):
        random = np.random.default_rng([seed, 4])
        reference, current = cars(random, reference_n), cars(random, n, old=0.6)
        estimate = estimate_performance(reference, current, metric=metric)
        errors = current["y_true"] - current["y_score"]
        truth = errors.abs().mean() if metric == "mae" else np.sqrt((errors**2).mean())
        hits += estimate.low is not None and estimate.low <= truth <= estimate.high
    assert hits >= 0.88 * count  # P(fewer than 53 of 60 | 95%) is below 2%


def test_errors_of_one_size_are_not_refused() -> None:
    random = np.random.default_rng(3)
    frame = REFERENCE.assign(y_true=REFERENCE["y_score"] + random.normal(0, 500, len(REFERENCE)))
    estimate = estimate_performance(frame, CURRENT, metric="mae")
    assert estimate.refused is None
    assert estimate.value == pytest.approx(500 * np.sqrt(2 / np.pi), rel=0.05)


def test_labels_must_be_numbers() -> None:
    with pytest.raises(InputError, match="is a metric of numbers"):
        estimate_performance(REFERENCE.assign(y_true="dear"), CURRENT, metric="mae")
    with pytest.raises(InputError, match="The batch has no column 'make'"):
        estimate_performance(REFERENCE, CURRENT.drop(columns="make"), metric="mae", columns=["make"])


def test_columns_become_numbers() -> None:
    frame = pd.DataFrame(
        {
            "y_score": [1.0] * 60,
            "id": range(60),
            "color": ["red"] * 40 + ["blue"] * 20,
            "when": pd.to_datetime(["2024-01-01"] * 59 + [None]),
        }
    )
    features = ErrorFeatures.of(frame, ("id", "color", "when"))
    assert features.left_out == ("id",)
    matrix = features.matrix(frame)
    assert matrix.shape == (60, 3)
    assert matrix[[0, 59], 1].tolist() == [0, 1]
    assert np.isnan(matrix[59, 2])
    other = features.matrix(frame.assign(color="green"))
    assert np.isnan(other[:, 1]).all()

"""Published figures: examples, COMPAS, Adult and German credit give what others have printed."""

import pandas as pd
import pytest
from sklearn.tree import DecisionTreeClassifier

from core.datasets import load_sample
from core.fairness import bin_numbers, group_metrics, optimize_thresholds

# ProPublica 2016, decile_score >= 5: true negatives, false positives, false negatives, true positives.
COMPAS = {"African-American": (990, 805, 532, 1369), "Caucasian": (1139, 349, 461, 505)}


@pytest.fixture(scope="module")
def compas():
    cells = [
        (label, y, p, count)
        for label, counts in COMPAS.items()
        for (y, p), count in zip([(0, 0), (0, 1), (1, 0), (1, 1)], counts, strict=True)
    ]
    table = pd.DataFrame(cells, columns=["race", "y", "p", "count"])
    table = table.loc[table.index.repeat(table["count"])]
    return group_metrics(table["y"], table["p"], table["race"], reference_group="Caucasian")


@pytest.fixture(scope="module")
def adult():
    """Labels, scores and sex."""
    frame = load_sample("adult").frame
    y = (frame["income"] == ">50K").astype(int)
    features = pd.get_dummies(frame.drop(columns="income"))
    tree = DecisionTreeClassifier(min_samples_leaf=10, max_depth=4, random_state=0).fit(features, y)
    return y, tree.predict_proba(features)[:, 1], frame["sex"]


def test_fairlearns_example_of_18_rows():
    y_true = [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    y_pred = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
    metrics = group_metrics(y_true, y_pred, list("bbabbcccaacabccbcc"), min_group_size=0)
    summary = metrics.summary
    assert summary.loc["demographic_parity", "difference"] == pytest.approx(0.25)
    assert summary.loc["demographic_parity", "ratio"] == pytest.approx(0.6667, abs=5e-5)
    assert summary.loc["equalized_odds", "difference"] == 1.0
    assert summary.loc["equalized_odds", "ratio"] == 0.0


def test_compas_rates(compas):
    rates = compas.by_group
    assert rates["count"].sum() == 6150
    assert rates["false_positive_rate"].round(4).tolist() == [0.4485, 0.2345]
    assert rates["false_negative_rate"].round(4).tolist() == [0.2799, 0.4772]


def test_compas_disparities(compas):
    summary = compas.summary
    assert summary.loc["demographic_parity", ["difference", "ratio"]].tolist() == pytest.approx(
        [0.240200, 0.591638], abs=1e-6
    )
    assert summary.loc["equalized_odds", ["difference", "ratio"]].tolist() == pytest.approx(
        [0.213925, 0.522987], abs=1e-6
    )
    assert summary.loc["equal_opportunity", "difference"] == pytest.approx(0.197373, abs=1e-6)
    assert summary.loc["four_fifths", "holds"] is False


def test_compas_intervals_of_wilson(compas):
    bounds = compas.intervals.xs("false_positive_rate", level="metric")[["low", "high"]]
    assert bounds.loc["African-American"].tolist() == pytest.approx([0.425595, 0.471561], abs=1e-6)
    assert bounds.loc["Caucasian"].tolist() == pytest.approx([0.213715, 0.256738], abs=1e-6)


@pytest.mark.parametrize(
    ("metric", "gap", "low", "high"),
    [("false_positive_rate", 0.214, 0.182, 0.245), ("false_negative_rate", -0.197, -0.235, -0.159)],
)
def test_compas_gaps_are_those_of_a_bootstrap(compas, metric, gap, low, high):
    row = compas.difference_intervals.loc[("African-American", metric)]
    assert row["gap"] == pytest.approx(gap, abs=5e-4)
    assert [row["low"], row["high"]] == pytest.approx([low, high], abs=2e-3)


def test_compas_gaps_are_no_chance(compas):
    assert compas.tests.loc[["selection_rate", "false_positive_rate", "false_negative_rate"], "p_value"].max() < 1e-3


def test_adult_tree(adult):
    y, score, sex = adult
    metrics = group_metrics(y, score > 0.5, sex)
    assert metrics.overall["count"] == 48_842
    # Printed with the last digit cut off.
    assert metrics.overall[["accuracy", "selection_rate"]].tolist() == pytest.approx([0.8443, 0.1638], abs=1e-4)
    rates = metrics.by_group[["accuracy", "selection_rate"]]
    assert rates.loc["Female"].tolist() == pytest.approx([0.9251, 0.0635], abs=1e-4)
    assert rates.loc["Male"].tolist() == pytest.approx([0.8042, 0.2135], abs=1e-4)
    assert metrics.summary.loc["demographic_parity", "difference"] == pytest.approx(0.150049, abs=1e-6)
    assert metrics.summary.loc["equalized_odds", "difference"] == pytest.approx(0.081166, abs=1e-6)


@pytest.mark.parametrize(("constraint", "published"), [("demographic_parity", 0.82489), ("equalized_odds", 0.82970)])
def test_adult_thresholds(adult, constraint, published):
    """Exact, so at least what Fairlearn's grid finds."""
    y, score, sex = adult
    expected = optimize_thresholds(y, score, sex, constraint=constraint).expected
    assert published - 5e-6 <= expected["objective"] <= published + 1e-4
    assert expected["violation"] == pytest.approx(0, abs=1e-12)
    assert expected["unconstrained_objective"] >= 0.84435  # the tree's own, with one threshold for all


@pytest.mark.parametrize(
    ("column", "reference", "gap"), [("age", "25 and above", -0.128550), ("sex", "male", -0.074801)]
)
def test_german_credit(column, reference, gap):
    """Good credit of those below 25, and of women, against the others."""
    frame = load_sample("german_credit").frame
    groups = bin_numbers(frame["age"], [25]) if column == "age" else frame["sex"]
    metrics = group_metrics(frame["credit"], frame["credit"], groups, pos_label="good", reference_group=reference)
    assert metrics.difference_intervals.xs("base_rate", level="metric")["gap"].item() == pytest.approx(gap, abs=1e-6)
    assert metrics.difference()["base_rate"] == pytest.approx(-gap, abs=1e-6)

"""Versions side by side: paired differences against scikit-learn and a bootstrap of its own."""

import re

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score

from core import models
from core.access import LOCAL
from core.errors import RegistryError


@pytest.fixture
def pair(finish, credit, other_credit, credit_frame):
    one = models.register(credit.id, name="credit", access=LOCAL)
    models.register(finish(other_credit, credit_frame).id, name="credit", access=LOCAL)
    second, first = models.versions(one.id, access=LOCAL)
    return first, second


def test_the_paired_difference_is_that_of_the_rows(pair, credit_result, other_credit):
    comparison = models.compare(pair[0].id, pair[1].id, access=LOCAL)
    assert comparison.same_rows
    assert comparison.metric == "roc_auc"
    first, second = credit_result.test, other_credit.test
    assert first["row_id"].tolist() == second["row_id"].tolist()
    y, a, b = first["credit"] == "good", first["p(good)"].to_numpy(), second["p(good)"].to_numpy()
    gap = roc_auc_score(y, b) - roc_auc_score(y, a)
    assert comparison.difference.value == pytest.approx(gap)
    random, drawn = np.random.default_rng(5), []
    for _ in range(600):
        rows = random.integers(0, len(y), len(y))
        drawn.append(roc_auc_score(y.to_numpy()[rows], b[rows]) - roc_auc_score(y.to_numpy()[rows], a[rows]))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert (comparison.difference.low, comparison.difference.high) == pytest.approx((low, high), abs=0.015)
    assert comparison.difference.n == len(y)
    assert comparison.verdict.startswith("Version 2 is")
    match = re.search(r"([+-]\d\.(\d+)) ROC AUC \[(-?\d\.(\d+)), (-?\d\.(\d+))\]", comparison.verdict.replace("−", "-"))
    assert match is not None
    assert len(match[2]) == len(match[4]) == len(match[6]) == 3
    shown = [float(match[group]) for group in (1, 3, 5)]
    assert shown == pytest.approx(
        [comparison.difference.value, comparison.difference.low, comparison.difference.high], abs=5e-4
    )


def test_the_sign_is_that_of_better(pair, credit_result, other_credit):
    comparison = models.compare(pair[0].id, pair[1].id, metric="log_loss", access=LOCAL)
    losses = [
        log_loss(result.test["credit"] == "good", result.test["p(good)"]) for result in (credit_result, other_credit)
    ]
    assert comparison.difference.value == pytest.approx(losses[0] - losses[1], abs=1e-5)
    assert abs(losses[0] - losses[1]) > 1e-3
    back = models.compare(pair[1].id, pair[0].id, metric="log_loss", access=LOCAL)
    assert back.difference.value == pytest.approx(-comparison.difference.value)


def test_figures_stand_side_by_side(pair, credit_result, other_credit):
    table = models.compare(pair[0].id, pair[1].id, access=LOCAL).table.set_index("metric")
    for name, estimate in credit_result.test_metrics.items():
        row = table.loc[name]
        assert (row["first_value"], row["first_low"], row["first_n"]) == (estimate.value, estimate.low, estimate.n)
        assert row["second_high"] == other_credit.test_metrics[name].high


def test_other_tables_have_no_paired_difference(pair, diabetes):
    other = models.register(diabetes.id, access=LOCAL)
    comparison = models.compare(pair[0].id, other.id, access=LOCAL)
    assert (comparison.difference, comparison.same_rows) == (None, False)
    assert comparison.verdict == "There is no paired difference: they were tested on different tables."
    assert {"roc_auc", "rmse"} <= set(comparison.table["metric"])


def test_rows_that_both_held_out_count(finish, credit, credit_result, credit_frame, with_model):
    half = with_model(credit_result, credit_result.model)
    object.__setattr__(half, "test", credit_result.test.iloc[:120])
    model = models.register(credit.id, name="credit", access=LOCAL)
    models.register(finish(half, credit_frame).id, name="credit", access=LOCAL)
    comparison = models.compare(*(version.id for version in models.versions(model.id, access=LOCAL)), access=LOCAL)
    assert (comparison.difference.n, comparison.difference.value, comparison.same_rows) == (120, 0, False)
    assert "not clearly different" in comparison.verdict


def test_what_cannot_be_compared(pair):
    with pytest.raises(RegistryError, match="same version"):
        models.compare(pair[1].model_id, pair[1].id, access=LOCAL)
    with pytest.raises(RegistryError, match="'rmse' does not fit"):
        models.compare(pair[0].id, pair[1].id, metric="rmse", access=LOCAL)


@pytest.mark.parametrize("groups", [2, 20])
def test_groups_of_the_stored_rows_are_left_out_as_a_whole(
    finish, credit_result, other_credit, credit_frame, with_model, groups
):
    sides = []
    for number, result in enumerate((credit_result, other_credit)):
        grouped = with_model(result, result.model)
        table = result.test.copy()
        table.insert(1, "plumbline:group", np.arange(len(table)) % groups)
        object.__setattr__(grouped, "test", table)
        version = models.register(finish(grouped, credit_frame).id, name=f"{groups} groups {number}", access=LOCAL)
        sides.append(version)
    comparison = models.compare(sides[0].id, sides[1].id, access=LOCAL)
    assert comparison.groups == groups
    if groups == 2:
        assert comparison.difference.low is None
        assert comparison.verdict == "No verdict: the test has only 2 groups."
        assert comparison.to_dict()["difference"]["low"] is None
        return
    first, second = credit_result.test, other_credit.test
    y, a, b = (first["credit"] == "good").to_numpy(), first["p(good)"].to_numpy(), second["p(good)"].to_numpy()
    kept = [np.arange(len(y)) % groups != group for group in range(groups)]
    gains = np.array([roc_auc_score(y[rows], b[rows]) - roc_auc_score(y[rows], a[rows]) for rows in kept])
    error = np.sqrt((groups - 1) / groups * ((gains - gains.mean()) ** 2).sum())  # the jackknife over groups
    width = comparison.difference.high - comparison.difference.low
    assert width / 2 == pytest.approx(stats.t.ppf(0.975, groups - 1) * error, rel=0.2)

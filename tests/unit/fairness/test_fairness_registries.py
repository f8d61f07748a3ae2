"""Every record of the registries works, and so does one that is added from outside."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import MetricFrame
from sklearn.metrics import precision_score

from core.errors import SettingsError
from core.evaluation import mover, wilson
from core.fairness import (
    CONSTRAINTS,
    DEFINITIONS,
    NUMBER_METRICS,
    OBJECTIVES,
    RATES,
    SCORE_METRICS,
    TECHNIQUES,
    Definition,
    FairnessReport,
    MitigationSettings,
    Rate,
    group_metrics,
    metric_record,
    optimize_thresholds,
    score_table,
    verdict,
)

FALSE_DISCOVERY_RATE = Rate(
    "false_discovery_rate",
    "False discovery rate",
    "Share of the selected rows that do not have the positive label.",
    larger_is_better=False,
    hits=(0, 1, 0, 0),
    among=(0, 1, 0, 1),
)
RELIABILITY_PARITY = Definition(
    "reliability_parity",
    "Reliability parity",
    ("false_discovery_rate",),
    "Are selections wrong equally often in every group?",
    "When wrong selections do harm.",
)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    n = 3_000
    group = random.choice(["a", "b", "c"], n)
    truth = random.integers(0, 2, n)
    score = np.clip(0.4 * truth + 0.6 * random.random(n) + 0.05 * (group == "a"), 0, 1)
    return truth, (score > 0.5).astype(int), score, group


@pytest.fixture
def added():
    RATES.add(FALSE_DISCOVERY_RATE)
    DEFINITIONS.add(RELIABILITY_PARITY)
    yield FALSE_DISCOVERY_RATE
    DEFINITIONS.remove(RELIABILITY_PARITY.name)
    RATES.remove(FALSE_DISCOVERY_RATE.name)


@pytest.mark.parametrize("name", [*RATES, *SCORE_METRICS, *NUMBER_METRICS])
def test_every_metric_has_values_intervals_and_a_test(rows, name):
    truth, selected, score, group = rows
    if name in NUMBER_METRICS:
        metrics = group_metrics(score, score + 0.1 * truth, group, task="regression", metrics=[name])
    else:
        metrics = group_metrics(truth, selected, group, y_score=score, metrics=[name])
    record = metric_record(name)
    assert record.title
    assert record.help.endswith(".")
    assert record.unit in ("share", "number")
    assert metrics.metrics == [name]
    table = metrics.intervals
    assert (table["low"] <= table["value"]).all()
    assert (table["value"] <= table["high"]).all()
    assert metrics.difference()[name] >= 0
    assert 0 <= metrics.tests.loc[name, "p_value"] <= 1 or name == "calibration_error"
    assert record.compare_groups(high="'a'", low="'b'", gap="1.0 points").count("'a'") == 1


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_definition_is_summarized(rows, name):
    truth, selected, _, group = rows
    metrics = group_metrics(truth, selected, group)
    definition = DEFINITIONS[name]
    assert set(definition.metrics) <= set(RATES)
    assert metrics.summary.loc[name, "metric"] in definition.metrics
    assert verdict(metrics, name).endswith(".")
    assert definition.question in definition.help


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_every_constraint_holds_with_every_objective(rows, constraint, objective):
    truth, _, score, group = rows
    policy = optimize_thresholds(truth, score, group, constraint=constraint, objective=objective)
    assert policy.expected["violation"] == pytest.approx(0, abs=1e-9)
    under = score_table(truth, score, group).under(policy)
    for rate in CONSTRAINTS[constraint].rates:
        assert under.difference()[rate] == pytest.approx(0, abs=1e-9)
    assert CONSTRAINTS[constraint].help.endswith(".")
    assert OBJECTIVES[objective].help.endswith(".")


@pytest.mark.parametrize("name", TECHNIQUES)
def test_every_technique_can_be_chosen(name):
    assert MitigationSettings(sensitive_columns=("sex",), techniques=(name,)).techniques == (name,)
    assert TECHNIQUES[name].help.endswith(".")


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_of_training_are_those_that_fairlearn_has(name):
    moment = CONSTRAINTS[name].fairlearn_moment
    if moment is None:
        with pytest.raises(SettingsError, match=f"unknown constraint '{name}'"):
            MitigationSettings(sensitive_columns=("sex",), constraint=name)
    else:
        from fairlearn import reductions

        assert MitigationSettings(sensitive_columns=("sex",), constraint=name).constraint == name
        assert hasattr(reductions, moment)


def test_an_added_rate_is_that_of_scikit_learn_by_group(rows, added):
    truth, selected, _, group = rows
    metrics = group_metrics(truth, selected, group, metrics=["false_discovery_rate"])
    frame = MetricFrame(metrics=precision_score, y_true=truth, y_pred=selected, sensitive_features=group)
    expected = 1 - frame.by_group
    assert metrics.by_group.columns.tolist() == ["count", "false_discovery_rate"]
    assert metrics.by_group["false_discovery_rate"].to_dict() == pytest.approx(expected.to_dict())
    assert metrics.overall["false_discovery_rate"] == pytest.approx(1 - precision_score(truth, selected))
    assert metrics.difference()["false_discovery_rate"] == pytest.approx(frame.difference())
    assert metrics.ratio()["false_discovery_rate"] == pytest.approx(expected.min() / expected.max())
    to_overall = metrics.difference("to_overall")["false_discovery_rate"]
    assert to_overall == pytest.approx(frame.difference(method="to_overall"))


def test_an_added_rate_has_intervals_gaps_ratios_and_a_test(rows, added):
    truth, selected, _, group = rows
    metrics = group_metrics(truth, selected, group)
    for label in "abc":
        own = (group == label) & (selected == 1)
        hits, n = int((truth[own] == 0).sum()), int(own.sum())
        row = metrics.intervals.loc[(label, "false_discovery_rate")]
        assert [row["low"], row["high"]] == pytest.approx([float(bound) for bound in wilson(hits, n)])
        assert row["n"] == n
        assert row["method"] == "Wilson"
    complement = metrics.tests.loc[["precision", "false_discovery_rate"], "difference"]
    assert complement.iloc[0] == pytest.approx(complement.iloc[1])
    assert metrics.tests.loc["false_discovery_rate", "p_value"] == pytest.approx(
        metrics.tests.loc["precision", "p_value"], abs=0.05
    )
    gaps = metrics.difference_intervals.xs("false_discovery_rate", level="metric")
    reference, other = (
        metrics.intervals.loc[(name, "false_discovery_rate")] for name in (gaps["reference"].iloc[0], gaps.index[0])
    )
    low, high = mover(
        other["value"], (other["low"], other["high"]), reference["value"], (reference["low"], reference["high"])
    )
    assert gaps[["low", "high"]].iloc[0].tolist() == pytest.approx([float(low), float(high)])
    ratios = metrics.ratio_intervals.xs("false_discovery_rate", level=1)
    assert (ratios["low"] < ratios["ratio"]).all()
    assert (ratios["ratio"] < ratios["high"]).all()


def test_an_added_rate_and_definition_are_in_the_verdict_and_the_report(rows, added):
    truth, selected, _, group = rows
    metrics = group_metrics(truth, selected, group)
    sentence = verdict(metrics, "reliability_parity")
    assert sentence.startswith("The false discovery rate of 'b' is ") or "false discovery rate" in sentence
    report = FairnessReport("Fairness of a model", {"Rows": "3,000"}, metrics, "reliability_parity")
    html, markdown = report.to_html(), report.to_markdown()
    assert "False discovery rate by group, with 95% intervals" in html
    assert "Reliability parity" in markdown
    assert "false discovery rate" in markdown
    assert "false_discovery_rate" in report.tables()["Groups"]


def test_other_results_stay_the_same_when_a_rate_is_added(rows):
    truth, selected, _, group = rows
    before = group_metrics(truth, selected, group)
    tests = before.tests
    RATES.add(FALSE_DISCOVERY_RATE)
    try:
        after = group_metrics(truth, selected, group)
        pd.testing.assert_frame_equal(after.by_group[before.by_group.columns], before.by_group)
        assert after.tests.loc[tests.index, "p_value"].tolist() == tests["p_value"].tolist()
        assert before.metrics == [name for name in after.metrics if name != "false_discovery_rate"]
    finally:
        RATES.remove("false_discovery_rate")


def test_a_rate_needs_a_ratio_or_two_other_rates():
    with pytest.raises(ValueError, match="needs either hits and among, or mean_of"):
        Rate("empty", "Empty", "Nothing.")
    with pytest.raises(ValueError, match="mean of two rates"):
        _ = RATES["balanced_accuracy"].ratio


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rows: group_metrics(rows[0], rows[1], rows[3], metrics=["precision_"]).by_group, "Unknown metric"),
        (lambda rows: optimize_thresholds(rows[0], rows[2], rows[3], constraint="equal_odds"), "Unknown constraint"),
        (lambda rows: optimize_thresholds(rows[0], rows[2], rows[3], objective="acuracy"), "Unknown objective"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest_one(rows, call, message):
    with pytest.raises(SettingsError, match=message) as refused:
        call(rows)
    assert refused.value.hint.startswith("Did you mean")

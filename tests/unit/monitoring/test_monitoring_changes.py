"""Simulated changes, replays, cohorts of a batch and exports."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest

from core.cohorts import Cohort, NumberCondition, ValueCondition, judge_cohort
from core.errors import InputError, SettingsError
from core.evaluation import wilson
from core.monitoring import (
    DropLevel,
    MeasuredPerformance,
    MetricSample,
    MultiplyColumn,
    PerformanceEstimate,
    RemoveColumn,
    RenameColumn,
    SetMissing,
    ShiftColumn,
    ShuffleLevels,
    changes_adapter,
    cohort_shares,
    compare,
    judge_look,
    metrics_json,
    monitoring_metrics,
    prometheus_text,
    simulate,
    split_by_date,
)
from tests.unit.monitoring import monitoring_tables as tables

BEFORE = tables.mixed(np.random.default_rng(0), 800)
NOW = tables.mixed(np.random.default_rng(1), 500)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (MultiplyColumn(column="income"), "unit_changed"),
        (RemoveColumn(column="income"), "missing_column"),
        (RenameColumn(column="plan", name="tariff"), "renamed_column"),
        (ShuffleLevels(column="plan"), "shuffled_labels"),
        (SetMissing(column="city", share=0.3), "missing_values"),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_each_simulated_change_gets_its_finding(change: object, check: str) -> None:
    report = compare(BEFORE, simulate(NOW, [change]))
    assert check in {finding.check for finding in report.data_quality}
    assert judge_look(report, look=100).state == "alarm"


def test_shifts_are_by_standard_deviations() -> None:
    shifted = simulate(NOW, [ShiftColumn(column="children", deviations=2)])
    difference = shifted["children"] - NOW["children"]
    assert difference.to_numpy() == pytest.approx(2 * NOW["children"].std(ddof=0))
    assert compare(BEFORE, shifted)["children"].drifted


def test_levels_are_dropped_and_cells_go_missing() -> None:
    without = simulate(NOW, [DropLevel(column="plan", level="plus")])
    assert len(without) == (NOW["plan"] != "plus").sum()
    assert set(without["plan"]) == {"basic", "pro"}
    for column in ("active", "children", "since", "review"):
        missing = simulate(NOW, [SetMissing(column=column, share=0.5)], seed=3)
        assert missing[column].isna().sum() == 250
        assert missing[column].dropna().tolist() == NOW.loc[missing[column].notna(), column].tolist()
    assert NOW["children"].notna().all()


def test_changes_follow_each_other_and_are_read_from_json() -> None:
    text = '[{"kind": "rename", "column": "plan", "name": "tariff"}, {"kind": "shuffle", "column": "tariff"}]'
    result = simulate(NOW, changes_adapter().validate_json(text))
    assert sorted(result["tariff"].value_counts()) == sorted(NOW["plan"].value_counts())
    assert (result["tariff"] != NOW["plan"]).all()


def test_changes_that_cannot_be_made_are_named() -> None:
    with pytest.raises(InputError, match="no column 'pln'"):
        simulate(NOW, [ShuffleLevels(column="pln")])
    with pytest.raises(InputError, match="no level 'plusx'"):
        simulate(NOW, [DropLevel(column="plan", level="plusx")])
    with pytest.raises(InputError, match="does not hold numbers"):
        simulate(NOW, [ShiftColumn(column="plan")])
    with pytest.raises(InputError, match="has a column 'income' already"):
        simulate(NOW, [RenameColumn(column="plan", name="income")])
    with pytest.raises(InputError, match="fewer than two levels"):
        simulate(NOW.assign(plan="basic"), [ShuffleLevels(column="plan")])
    with pytest.raises(InputError, match="only column"):
        simulate(NOW[["plan"]], [RemoveColumn(column="plan")])
    with pytest.raises(SettingsError, match="share"):
        SetMissing(column="plan", share=1.5)


def test_tables_are_replayed_by_date() -> None:
    frame = NOW.copy()
    frame.loc[:4, "since"] = None
    months, undated = split_by_date(frame, "since")
    assert len(undated) == 5
    assert sum(len(batch.frame) for batch in months) == 495
    assert [batch.name for batch in months] == sorted(batch.name for batch in months)
    for batch in months:
        assert (batch.frame["since"].dt.strftime("%Y-%m") == batch.name).all()
        assert (batch.frame["since"] <= batch.as_of).all()
    assert all(first.as_of < later.frame["since"].min() for first, later in itertools.pairwise(months))


@pytest.mark.parametrize("count", [1, 2, 7, 30])
def test_tables_are_replayed_in_equal_batches(count: int) -> None:
    batches, undated = split_by_date(NOW, "since", count)
    sizes = [len(batch.frame) for batch in batches]
    assert len(sizes) == count
    assert sum(sizes) == 500
    assert len(undated) == 0
    assert max(sizes) - min(sizes) <= 12
    ends = [(batch.frame["since"].min(), batch.frame["since"].max()) for batch in batches]
    assert all(before[1] < after[0] for before, after in itertools.pairwise(ends))


def test_replays_need_dates() -> None:
    with pytest.raises(InputError, match="does not hold dates"):
        split_by_date(NOW, "income")
    with pytest.raises(SettingsError, match="Unknown period 'fortnight'"):
        split_by_date(NOW, "since", "fortnight")
    with pytest.raises(SettingsError, match="cannot be cut into 1,000 batches"):
        split_by_date(NOW, "since", 1_000)


def test_cohorts_have_their_share_and_error() -> None:
    rich = Cohort((NumberCondition(column="income", low=5_000.0),))
    basic = Cohort((ValueCondition(column="plan", values=("basic",)),))
    lost = Cohort((ValueCondition(column="region", values=("a",)),))
    loss = np.where(NOW["plan"] == "basic", 0.5, 0.1) + np.random.default_rng(2).random(500)
    first, other, missing = cohort_shares(NOW, [rich, basic, lost], reference=BEFORE, loss=loss)
    rows = int((NOW["income"] >= 5_000).sum())
    assert (first.rows, first.share) == (rows, rows / 500)
    assert (first.low, first.high) == pytest.approx(wilson(rows, 500))
    assert first.reference_share == (BEFORE["income"] >= 5_000).mean()
    assert first.change_low < 0 < first.change_high
    judged = judge_cohort(basic, NOW, loss)
    assert (other.error, other.error_gap, other.error_gap_low) == (judged.error, judged.difference, judged.low)
    assert other.error_gap_low > 0.2
    assert missing.reason == "The batch has no column 'region'."
    half = np.where(np.arange(500) < 250, loss, np.nan)
    assert cohort_shares(NOW, [basic], loss=half)[0].error == judge_cohort(basic, NOW.head(250), loss[:250]).error
    json.dumps([item.to_dict() for item in (first, other, missing)], allow_nan=False)
    with pytest.raises(InputError, match="and 500 rows"):
        cohort_shares(NOW, [basic], loss=[1.0])


LINE = re.compile(r'([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*",?)*\})? (\S+)')


def parsed(text: str) -> dict[tuple[str, str], float]:
    """Return the samples of a text by Prometheus's grammar."""
    values = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            values[match.group(1), match.group(2) or ""] = float(match.group(3))
    return values


def test_reports_become_metrics() -> None:
    nasty = 'plan "a\\b"\nc'
    report = compare(BEFORE.rename(columns={"plan": nasty}), NOW.rename(columns={"plan": nasty}), score="income")
    estimate = PerformanceEstimate("roc_auc", 0.8, 0.75, 0.85, 500)
    refused = PerformanceEstimate("f1", None, None, None, 500, refused="Too few.")
    samples = monitoring_metrics(
        report, performance=(estimate, refused), state=judge_look(report, look=1), labels={"model": "churn v2"}
    )
    text = prometheus_text(samples)
    values = parsed(text)
    assert values["plumbline_batch_rows", '{model="churn v2"}'] == 500
    assert values["plumbline_state", '{model="churn v2"}'] == 0
    assert values["plumbline_performance", '{model="churn v2",metric="roc_auc",source="estimated"}'] == 0.8
    escaped = '{model="churn v2",column="plan \\"a\\\\b\\"\\nc"}'
    assert values["plumbline_column_drifted", escaped] == 0
    assert values["plumbline_column_effect", escaped] == pytest.approx(report[nasty].effect)
    assert not any(metric == "f1" for sample in samples for metric in sample.labels.values())
    assert text.count("# TYPE plumbline_column_drifted gauge\n") == 1
    assert text.endswith("\n")
    plain = metrics_json(samples)
    assert plain["plumbline_score_drifted" + '{model="churn v2"}'] == 0
    assert len(plain) == len(samples) == len(values)
    json.dumps(plain, allow_nan=False)


def test_measured_performance_is_told_apart_and_names_are_checked() -> None:
    from core.evaluation import Estimate

    measured = MeasuredPerformance("roc_auc", Estimate(0.7, 0.6, 0.8, 100), 100, 200)
    samples = monitoring_metrics(compare(BEFORE, NOW), performance=(measured,))
    assert any(sample.labels.get("source") == "measured" for sample in samples)
    with pytest.raises(SettingsError, match="The label 'a-b' cannot be used"):
        monitoring_metrics(compare(BEFORE, NOW), labels={"a-b": "x"})
    with pytest.raises(SettingsError, match="The label 'column' cannot be used"):
        monitoring_metrics(compare(BEFORE, NOW), labels={"column": "x"})
    with pytest.raises(SettingsError, match="The metric 'a b' cannot be exported"):
        prometheus_text((MetricSample("a b", 1.0, {}),))
    assert prometheus_text((MetricSample("x", float("inf"), {}),)).endswith("x +Inf\n")
    assert prometheus_text(()) == ""

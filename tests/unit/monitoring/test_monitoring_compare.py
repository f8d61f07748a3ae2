"""Reports of drift: their contract, their level over many columns, and what they find."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from core.errors import InputError, SettingsError
from core.monitoring import (
    DriftReport,
    compare,
    judge_look,
    judge_p_values,
    judge_series,
    look_alpha,
    sketch,
    worst_state,
)
from core.monitoring.look_states import LookState
from tests.unit.monitoring import monitoring_tables as tables


def two(seed: int, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    random = np.random.default_rng(seed)
    return tables.thirty_columns(random, n), tables.thirty_columns(random, n)


@pytest.mark.parametrize("n", [300, 800])
def test_tables_without_drift_have_hardly_a_drifted_column(n: int) -> None:
    false = [len(compare(*two(seed, n)).drifted_columns) for seed in range(15)]
    assert sum(false) <= 3


@pytest.mark.nightly
@pytest.mark.parametrize("n", [300, 800, 2_000, 20_000])
def test_tables_without_drift_have_at_most_a_tenth_of_a_drifted_column(n: int) -> None:
    seeds = 200 if n < 20_000 else 60
    false = [len(compare(*two(seed, n)).drifted_columns) for seed in range(seeds)]
    assert np.mean(false) <= 0.1


@pytest.mark.parametrize(("n", "seeds"), [(800, 12), (3_000, 4)])
def test_three_drifts_are_found(n: int, seeds: int) -> None:
    hits, others = 0, 0
    for seed in range(seeds):
        before, now = two(seed, n)
        drifted = set(compare(before, tables.with_three_drifts(np.random.default_rng(seed), now)).drifted_columns)
        hits += len(drifted & tables.DRIFTED)
        others += len(drifted - tables.DRIFTED)
    assert hits >= 2.9 * seeds
    assert others <= 2


@pytest.mark.nightly
def test_three_drifts_are_found_in_200_tables() -> None:
    hits = 0
    for seed in range(200):
        before, now = two(seed, 800)
        now = tables.with_three_drifts(np.random.default_rng(seed), now)
        hits += len(set(compare(before, now).drifted_columns) & tables.DRIFTED)
    assert hits >= 2.9 * 200


def test_p_values_are_adjusted_over_columns_and_their_tests() -> None:
    random = np.random.default_rng(1)
    before = pd.DataFrame({name: random.normal(size=200) for name in "abc"})
    now = pd.DataFrame({"a": random.normal(0.4, size=200), "b": random.normal(size=200), "c": random.normal(size=200)})
    before.loc[:9, "b"], now.loc[:29, "b"] = None, None
    table = compare(before, now).columns
    p_ks = {name: stats.ks_2samp(before[name].dropna(), now[name].dropna(), method="asymp").pvalue for name in "abc"}
    p_missing = stats.chi2_contingency([[10, 190], [30, 170]], correction=False).pvalue
    assert table["p"].to_dict() == pytest.approx(p_ks)
    assert table.loc["b", "missing_p"] == pytest.approx(p_missing)
    assert table["missing_p"].isna().to_dict() == {"a": True, "b": False, "c": True}
    together = {"a": p_ks["a"], "b": min(1, 2 * min(p_ks["b"], p_missing)), "c": p_ks["c"]}
    expected = dict(zip(together, stats.false_discovery_control(list(together.values())), strict=True))
    assert table["p_adjusted"].to_dict() == pytest.approx(expected)
    assert table["drifted"].to_dict() == {"a": True, "b": True, "c": False}
    assert table.loc["b", "reason"] == "missing values: 5% before, 15% now"


def test_what_is_significant_must_also_matter() -> None:
    random = np.random.default_rng(2)
    before, now = (pd.DataFrame({"x": random.normal(shift, size=60_000)}) for shift in (0.0, 0.04))
    row = compare(before, now)["x"]
    assert row.p_adjusted < 0.001
    assert not row.drifted
    assert row.reason == f"the change is significant, and too small to matter ({row.effect:.3f})"
    assert compare(before, now, relevance=0.01)["x"].drifted


def test_few_rows_are_said_to_be_too_few() -> None:
    before, now = two(0, 400)
    report = compare(before, now.head(49))
    assert set(report.columns["state"]) == {"not enough data"}
    assert not report.columns["drifted"].any()
    assert report.columns["drifted"].dtype == bool
    assert judge_look(report, look=1).state == "not enough data"
    half = now.copy()
    half.loc[45:, "normal 0"] = None
    row = compare(before, half)["normal 0"]
    assert row.drifted
    assert row.p is None
    assert row.reason.startswith("missing values appeared")


def test_order_is_by_importance_then_by_effect() -> None:
    before, now = two(3, 500)
    now = tables.with_three_drifts(np.random.default_rng(3), now)
    report = compare(before, now, importance={"category 8": 0.5, "normal 5": 0.7})
    assert list(report.columns.index[:2]) == ["normal 5", "category 8"]
    assert set(report.columns.index[2:5]) == tables.DRIFTED
    assert report.columns.loc["normal 5", "importance"] == 0.7


def test_columns_and_tests_can_be_chosen() -> None:
    batch = tables.mixed(np.random.default_rng(4), 200)
    report = compare(batch, batch, columns=["income", "since"], tests={"since": "dates"})
    assert list(report.columns.index) == ["income", "since"]
    assert report["since"].test == "dates"
    with pytest.raises(SettingsError, match="The test 'ks' does not fit the column 'plan' of categories"):
        compare(batch, batch, tests={"plan": "ks"})
    with pytest.raises(SettingsError, match=r"Unknown test of drift 'kss'\. Did you mean 'ks'"):
        compare(batch, batch, tests={"plan": "kss"})
    with pytest.raises(InputError, match=r"The reference has no column 'incom'\. Did you mean 'income'"):
        compare(batch, batch, columns=["incom"])
    with pytest.raises(InputError, match="no column 'incom'"):
        compare(sketch(batch), batch, columns=["incom"])
    with pytest.raises(InputError, match="no column in common"):
        compare(batch, pd.DataFrame({"other": [1]}))
    with pytest.raises(InputError, match="0 rows"):
        compare(batch, batch.head(0))
    with pytest.raises(SettingsError, match=r"'relevance' is 1\.5"):
        compare(batch, batch, relevance=1.5)


def test_the_score_is_tested_by_itself() -> None:
    random = np.random.default_rng(5)
    before = pd.DataFrame({"x": random.normal(size=300), "score": random.random(300)})
    now = pd.DataFrame({"x": random.normal(size=300), "score": random.random(300) ** 2})
    report = compare(before, now, score="score")
    assert list(report.columns.index) == ["x"]
    expected = stats.ks_2samp(before["score"], now["score"], method="asymp").pvalue
    assert report.score.p_adjusted == report.score.p == pytest.approx(expected)
    assert report.score.drifted
    assert [finding.check for finding in report.findings] == ["score_drift"]
    assert compare(sketch(before, score="score"), now).score.drifted
    assert compare(before, now).score is None
    with pytest.raises(InputError, match="The reference has no column 'scre'"):
        compare(before, now, score="scre")


def test_columns_of_different_types_are_named_and_not_compared() -> None:
    random = np.random.default_rng(6)
    before = pd.DataFrame({"x": random.normal(size=100), "y": random.normal(size=100)})
    now = pd.DataFrame({"x": random.choice(list("ab"), 100), "y": random.normal(size=100)})
    report = compare(before, now)
    assert report["x"].state == "not compared"
    assert report["x"].reason == "not comparable: numbers became categories"
    assert [finding.check for finding in report.data_quality] == ["type_changed"]
    assert report.is_broken
    gone = compare(before, now.assign(x=None))
    assert gone["x"].drifted
    assert gone["x"].missing_current == 1.0


def test_sketches_give_what_their_tables_give() -> None:
    before, now = two(7, 500)
    tables_report, sketches_report = compare(before, now), compare(sketch(before), sketch(now))
    assert tables_report == sketches_report
    with_history = tables.mixed(np.random.default_rng(7), 300)
    assert (
        compare(with_history, with_history.head(200)).to_dict()
        == compare(sketch(with_history), sketch(with_history.head(200))).to_dict()
    )


def test_reports_survive_json() -> None:
    random = np.random.default_rng(12)
    before, now = tables.mixed(random, 300), tables.mixed(random, 300)
    now["income"] *= 1000
    report = compare(before, now.rename(columns={"plan": "tariff"}), importance={"income": 1.0})
    again = DriftReport.from_dict(json.loads(json.dumps(report.to_dict(), allow_nan=False)))
    assert again == report
    pd.testing.assert_frame_equal(again.columns, report.columns)
    assert [finding.level for finding in report.findings][:2] == ["alert", "alert"]
    assert report.sentence == "1 of 5 columns drifted; 3 could not be compared; 3 alerts about the data."


def test_levels_of_all_looks_add_up_to_that_of_the_series() -> None:
    levels = np.array([look_alpha(look) for look in range(1, 20_001)])
    assert (np.diff(levels) < 0).all()
    assert levels[:200].sum() < 0.05
    # The rest of the sum by its integral: with u = sqrt(log t), 0.0772 times that of 2 u^3 exp(-u).
    from scipy.special import gamma, gammaincc

    rest = 0.05 * 0.07720838 * 2 * gamma(4) * gammaincc(4, np.sqrt(np.log(20_000.5)))
    assert 0.048 < levels.sum() + rest < 0.05
    with pytest.raises(SettingsError, match="The look has the number 0"):
        look_alpha(0)
    with pytest.raises(SettingsError, match="series is 1"):
        look_alpha(1, 1.0)


def series_alarms(seed: int, looks: int, *, n: int = 120, drift_from: int | None = None) -> list[str]:
    """Return the states of daily batches of 8 columns, the last two of which are moved from a look on."""
    random = np.random.default_rng([seed, 9])
    names = [f"x{index}" for index in range(6)]

    def batch(rows: int, shift: float = 0.0) -> pd.DataFrame:
        frame = pd.DataFrame({name: random.normal(size=rows) for name in names})
        frame["x0"] += shift
        frame["level"] = random.integers(0, 4, rows).astype(str)
        frame.loc[random.random(rows) < 0.1, "x1"] = None
        return frame

    reference = sketch(batch(1_000))
    reports = [
        compare(reference, batch(n, 1.0 if drift_from is not None and look >= drift_from else 0.0))
        for look in range(1, looks + 1)
    ]
    return [state.state for state in judge_series(reports)]


def test_a_series_without_drift_has_looks_and_hardly_an_alarm() -> None:
    states = [series_alarms(seed, 40) for seed in range(3)]
    assert sum("alarm" in series for series in states) <= 1
    assert set(np.concatenate(states)) <= {"fine", "look"}


def test_a_drift_raises_an_alarm_at_once() -> None:
    assert series_alarms(1, 12, drift_from=12)[-2:] == ["fine", "alarm"]


@pytest.mark.nightly
def test_at_most_5_percent_of_series_of_200_looks_raise_an_alarm() -> None:
    # P(more than 9 of 80 | 5%) is below 1%; the rate itself is far below.
    assert sum("alarm" in series_alarms(seed, 200) for seed in range(80)) <= 4


def test_a_batch_that_comes_again_changes_nothing() -> None:
    random = np.random.default_rng(10)
    before = tables.mixed(random, 400)
    batches = [tables.mixed(random, 200) for _ in range(3)]
    sketches = [sketch(batch) for batch in [*batches, batches[1]]]
    reports = [compare(before, batch) for batch in sketches]
    assert reports[3] == reports[1]
    states = judge_series(reports, batches=[batch.fingerprint for batch in sketches])
    assert states[3] == states[1]
    assert [state.look for state in states] == [1, 2, 3, 2]


def test_p_values_alone_have_states() -> None:
    def state(*p_values: float, look: int = 100) -> str:
        return judge_p_values({str(index): p for index, p in enumerate(p_values)}, look=look).state

    assert state(0.2, 0.4) == "fine"
    assert state(0.03, 0.4) == "fine"
    assert state(0.02, 0.4) == "look"
    assert state(0.5 * look_alpha(100), 0.9) == "look"
    assert state(0.49 * look_alpha(100), 0.9) == "alarm"
    assert state(0.9) == "fine"
    assert state() == "not enough data"


def test_constant_columns_are_named() -> None:
    frame = pd.DataFrame({"one": [7] * 60, "word": ["a"] * 60, "x": np.arange(60) / 7})
    report = compare(frame, frame)
    assert report["one"].reason == report["word"].reason == "constant: all rows have one value, on both sides"
    assert report["x"].reason == "chance explains the difference"
    assert compare(frame, frame.assign(one=8))["one"].drifted


def test_broken_data_are_an_alarm_and_states_say_what_they_cannot_see() -> None:
    before, now = two(11, 300)
    state = judge_look(compare(before, now.drop(columns="normal 3")), look=150)
    assert (state.state, state.reasons[0]) == ("alarm", "The column 'normal 3' is missing.")
    fine = judge_look(compare(before, before), look=150)
    assert fine.state == "fine"
    assert fine.caveat.startswith("Without labels")
    assert LookState.from_dict(json.loads(json.dumps(fine.to_dict()))) == fine
    assert worst_state([fine, state]).state == "alarm"
    assert worst_state([fine, fine]).caveat == fine.caveat

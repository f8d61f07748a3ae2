"""Batches of one row, endless words, dates far away, true as 1: no drift raises no alarm, and drift does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.monitoring import (
    DriftReport,
    compare,
    estimate_performance,
    judge_look,
    judge_p_values,
    read_labels,
    sketch,
    split_by_date,
)
from core.monitoring import schema_checks as schema
from core.monitoring.text_tests import unknown_shares

RANDOM = np.random.default_rng(0)


def levels(report: DriftReport, kind: str) -> list[str]:
    return [finding.level for finding in report.data_quality if finding.check == kind]


@pytest.mark.parametrize(("share", "rows"), [(0.3, 1), (0.9, 10), (0.99, 60)])
def test_cells_that_are_all_missing_in_a_small_batch_are_as_before(share: float, rows: int) -> None:
    before = pd.DataFrame({"x": RANDOM.normal(size=600), "y": RANDOM.normal(size=600)})
    before.loc[RANDOM.random(600) < share, "x"] = None
    now = before[before["x"].isna()].head(rows)
    assert judge_look(compare(before, now), look=1).state != "alarm"
    assert levels(compare(before, before.head(100).assign(x=None)), "missing_values") == (
        ["alert"] if share < 0.8 else []
    )


def test_new_levels_of_few_rows_are_noted_and_of_many_an_alarm() -> None:
    before = pd.DataFrame({"plan": RANDOM.choice(["a", "b"], 600)})
    assert levels(compare(before, pd.DataFrame({"plan": ["c"]})), "new_levels") == ["notice"]
    assert levels(compare(before, pd.DataFrame({"plan": ["c"] * 30 + ["a"] * 70})), "new_levels") == ["alert"]


@pytest.mark.parametrize(("exponent", "words"), [(0.95, 12), (1.0, 20), (0.8, 10)])
def test_texts_with_more_words_than_are_kept_do_not_drift(exponent: float, words: int) -> None:
    random = np.random.default_rng(words)
    weights = np.arange(1, 200_001, dtype=float) ** -exponent
    drawn = random.choice(200_000, (11_500, words), p=weights / weights.sum())
    texts = [" ".join(f"w{word}" for word in row) for row in drawn]
    types = {"text": "text"}
    before = sketch(pd.DataFrame({"text": texts[:10_000]}), types=types)
    now = sketch(pd.DataFrame({"text": texts[10_000:]}), types=types)
    assert not compare(before, now)["text"].drifted
    own, new = (
        unknown_shares(before["text"], before["text"], own=True),
        unknown_shares(now["text"], before["text"], own=False),
    )
    assert own.mean() == pytest.approx(new.mean(), abs=0.02), "rows of both sides are treated alike"
    other = [" ".join(f"x{word}" if word % 3 else f"w{word}" for word in row) for row in drawn[10_000:]]
    assert compare(before, sketch(pd.DataFrame({"text": other}), types=types))["text"].drifted


def test_dates_far_away_are_dates() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=200)).astype("datetime64[us]")
    days[199] = pd.Timestamp("9999-12-31").as_unit("us")
    frame = pd.DataFrame({"until": days, "x": range(200)})
    assert sketch(frame)["until"].distinct == 200
    assert judge_look(compare(frame, frame), look=1).state != "alarm"
    batches, undated = split_by_date(frame, "until", "year")
    assert [batch.name for batch in batches] == ["2020", "9999"]
    assert sum(len(batch.frame) for batch in batches) == 200
    assert undated.empty
    assert split_by_date(frame, "until", 2)[0][-1].name.endswith("9999-12-31")


def test_dates_before_all_others_are_found() -> None:
    before = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=500)})
    now = before.tail(200).reset_index(drop=True)
    now.loc[:99, "day"] = pd.Timestamp("1970-01-01")
    report = compare(before, now)
    assert levels(report, "outside_range") == ["alert"]
    assert "50% of the dates of 'day' are before 2020-01-01" in judge_look(report, look=1).reasons[0]


def test_dates_that_lie_in_the_future_as_before_are_no_finding() -> None:
    random = np.random.default_rng(1)
    ends = pd.Timestamp("2026-06-01") + pd.to_timedelta(random.integers(1, 1_000, 900), unit="D")
    before = sketch(pd.DataFrame({"end": ends[:600]}))
    now = sketch(pd.DataFrame({"end": ends[600:]}), as_of="2026-06-01")
    assert levels(compare(before, now), "future_dates") == []


@pytest.mark.parametrize("values", [[0, 1], ["0", "1"], ["False", "TRUE"], [0.0, 1.0]])
def test_true_and_false_may_be_written_as_numbers(values: list[object]) -> None:
    before = pd.DataFrame({"paid": RANDOM.random(500) < 0.7})
    now = pd.DataFrame({"paid": [values[int(paid)] for paid in before["paid"].head(300)]})
    now.loc[0, "paid"] = None
    report = compare(before, now)
    assert judge_look(report, look=1).state == "fine", report.data_quality
    other = pd.DataFrame({"paid": [2, 3] * 100})
    assert judge_look(compare(before, other), look=1).state == "alarm", "other numbers are none of them"


def test_tests_that_were_not_made_change_nothing() -> None:
    state = judge_p_values({"a": 1e-12, "b": float("nan")}, look=3)
    assert (state.state, state.reasons) == ("alarm", ("'a': p = 1e-12 after adjustment over 1 tests",))
    assert judge_p_values({"b": float("nan")}, look=3).state == "not enough data"


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc", "balanced_accuracy"])
def test_an_estimate_of_a_share_is_one(metric: str) -> None:
    random = np.random.default_rng(4)
    codes = random.integers(0, 3, 800)
    scores = np.where(np.eye(3)[codes] > 0, 0.98, 0.01)
    frame = pd.DataFrame(scores, columns=["p(a)", "p(b)", "p(c)"]).assign(y_true=np.array(["a", "b", "c"])[codes])
    estimate = estimate_performance(frame[:600], frame[600:].drop(columns="y_true"), metric=metric)
    if estimate.refused is None:
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.value is not None
        assert estimate.low <= estimate.value <= estimate.high <= 1.0


def test_a_wide_table_with_other_names_is_compared_name_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"column {number}" for number in range(150)]
    before = pd.DataFrame(RANDOM.normal(size=(120, 150)), columns=names)
    now = before.rename(columns={name: name.replace(" ", "_").title() for name in names[1:]})
    calls = []
    original = schema.likeness

    def counted(*sides: object) -> float:
        calls.append(sides)
        return original(*sides)

    monkeypatch.setattr(schema, "likeness", counted)
    report = compare(before, now)
    assert len(levels(report, "renamed_column")) == 149
    assert len(calls) <= 2 * 149
    other = before.rename(columns={name: f"z{number * 7919}" for number, name in enumerate(names[1:])})
    calls.clear()
    compare(before, other)
    assert len(calls) <= 100 * 100


def test_a_unit_is_found_where_most_values_are_0() -> None:
    random = np.random.default_rng(5)
    gains = np.where(random.random(4_000) < 0.9, 0.0, random.lognormal(8, 1, 4_000))
    before, now = pd.DataFrame({"gain": gains[:3_000]}), pd.DataFrame({"gain": gains[3_000:] * 1_000})
    report = compare(before, now)
    (finding,) = [item for item in report.data_quality if item.check == "unit_changed"]
    assert finding.values["factor"] == 1_000
    assert "all values but 0 are 1,000 times as large" in finding.message
    assert levels(compare(before, pd.DataFrame({"gain": gains[3_000:]})), "unit_changed") == []
    fewer = pd.DataFrame({"gain": np.where(random.random(1_000) < 0.5, 0.0, random.lognormal(8, 1, 1_000))})
    assert levels(compare(before, fewer), "unit_changed") == [], "more of the same values are no other unit"


def test_numbers_as_labels_are_finite_and_the_others_are_said() -> None:
    read = read_labels(pd.Series(["inf", "1e3", "pending", None, 7]), None)
    assert read.labels.dropna().tolist() == [1_000.0, 7.0]
    assert read.sentence == "2 rows have a label that the model does not have, such as 'inf'."
    spelled = read_labels(pd.Series(["Yes", "yes"]), ["Yes", "yes"])
    assert spelled.labels.tolist() == ["Yes", "yes"], "labels that only spelling tells apart stay apart"

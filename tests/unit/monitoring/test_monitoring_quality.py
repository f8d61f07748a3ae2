"""Each defect of a batch has a finding of its own, and a batch without one has none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.datasets import Finding
from core.monitoring import QUALITY_CHECKS, check_quality, compare, sketch
from core.monitoring.quantile_points import QuantilePoints
from core.monitoring.unit_checks import UNIT_CHANGES, unit_change
from tests.unit.monitoring import monitoring_tables as tables

BEFORE = tables.mixed(np.random.default_rng(0), 1_000)
NOW = tables.mixed(np.random.default_rng(1), 600)


def findings(now: pd.DataFrame, before: pd.DataFrame = BEFORE) -> list[Finding]:
    reference = sketch(before)
    return list(check_quality(reference, sketch(now, like=reference)))


def only(now: pd.DataFrame, before: pd.DataFrame = BEFORE) -> Finding:
    result = findings(now, before)
    assert len(result) == 1, result
    return result[0]


def test_a_batch_like_its_reference_has_no_finding() -> None:
    assert findings(NOW) == []
    for seed in range(8):
        random = np.random.default_rng(seed)
        before, now = tables.thirty_columns(random, 400), tables.thirty_columns(random, 300)
        assert [item for item in findings(now, before) if item.level == "alert"] == []


def test_every_check_has_a_title_and_a_help_text() -> None:
    assert all(check.title and check.help.endswith(".") for check in QUALITY_CHECKS.values())


def test_missing_and_additional_columns() -> None:
    finding = only(NOW.drop(columns="income"))
    assert (finding.check, finding.level, finding.column) == ("missing_column", "alert", "income")
    finding = only(NOW.assign(weather=np.random.default_rng(2).normal(size=600)))
    assert (finding.check, finding.level, finding.column) == ("additional_column", "notice", "weather")


@pytest.mark.parametrize("name", ["income", "plan", "city", "since", "review", "customer"])
def test_a_renamed_column_is_proposed_by_its_values(name: str) -> None:
    finding = only(NOW.rename(columns={name: f"{name.title()}_EUR"}))
    assert (finding.check, finding.level, finding.column) == ("renamed_column", "alert", name)
    assert finding.values["candidate"] == f"{name.title()}_EUR"
    assert finding.message.startswith(f"'{name}' is missing; '{name.title()}_EUR' ")


def test_a_renamed_column_needs_no_like_name_and_a_like_name_not_the_values() -> None:
    assert only(NOW.rename(columns={"income": "zz9"})).values["candidate"] == "zz9"
    changed = NOW.drop(columns="income").assign(Income_EUR=np.random.default_rng(2).normal(size=600))
    assert {finding.check for finding in findings(changed)} == {"missing_column", "additional_column"}


def test_of_two_like_columns_the_name_decides() -> None:
    random = np.random.default_rng(3)
    before = pd.DataFrame({"left": random.normal(size=300), "right": random.normal(size=300), "z": range(300)})
    now = pd.DataFrame({"RIGHT": random.normal(size=300), "LEFT": random.normal(size=300), "z": range(300)})
    renamed = {finding.column: finding.values["candidate"] for finding in findings(now, before)}
    assert renamed == {"left": "LEFT", "right": "RIGHT"}


def test_a_changed_type() -> None:
    finding = only(NOW.assign(income=NOW["income"].map(lambda value: f"{value:.2f} EUR", na_action="ignore")))
    assert (finding.check, finding.level) == ("type_changed", "alert")
    assert finding.message == "'income' held numbers (numbers) and now holds text."
    codes = BEFORE.assign(plan=np.random.default_rng(4).integers(1, 3, 1_000).astype(str))
    as_numbers = NOW.assign(plan=np.random.default_rng(5).integers(1, 3, 600))
    finding = only(as_numbers, codes)
    assert (finding.check, finding.level) == ("type_changed", "notice")


@pytest.mark.parametrize(("factor", "words"), [(1000, "1,000 times as large"), (0.01, "100 times smaller")])
def test_a_changed_unit(factor: float, words: str) -> None:
    unit = next(item for item in findings(NOW.assign(income=NOW["income"] * factor)) if item.check == "unit_changed")
    assert (unit.level, unit.column) == ("alert", "income")
    assert unit.values["factor"] == pytest.approx(factor)
    assert words in unit.message


@pytest.mark.parametrize("change", UNIT_CHANGES, ids=lambda change: f"{change.factor:g}+{change.offset:g}")
def test_every_change_of_unit_is_recognized(change: object) -> None:
    random = np.random.default_rng(6)
    before, now = random.normal(20, 2, 2_000), random.normal(20, 2, 500)
    result = unit_change(QuantilePoints.of(before), QuantilePoints.of(change.factor * now + change.offset))
    assert result is not None
    assert (result.factor, result.offset) == pytest.approx((change.factor, change.offset))


def test_a_change_of_shape_is_no_change_of_unit() -> None:
    random = np.random.default_rng(7)
    before = QuantilePoints.of(random.lognormal(0, 1, 1_000))
    assert unit_change(before, QuantilePoints.of(random.lognormal(1.5, 0.2, 1_000))) is None
    assert unit_change(before, QuantilePoints.of(random.lognormal(0, 1, 40) * 1_000)) is None
    same = QuantilePoints.of(np.ones(100))
    assert unit_change(same, QuantilePoints.of(np.zeros(100))) is None


def test_large_tables_have_their_unit_checked_as_well() -> None:
    random = np.random.default_rng(8)
    before, now = (QuantilePoints.of(random.lognormal(0, 1, 30_000)) for _ in range(2))
    thousand = QuantilePoints(now.points * 1000, now.below, now.upto)
    assert unit_change(before, thousand).factor == 1000


def test_new_levels_have_their_share() -> None:
    changed = NOW.copy()
    changed.loc[:5, "plan"] = "trial"
    finding = only(changed)
    assert (finding.check, finding.level) == ("new_levels", "notice")
    assert finding.values == {"levels": ["trial"], "share": 0.01}
    changed.loc[:119, "plan"] = "trial"
    levels = [item for item in findings(changed) if item.check == "new_levels"]
    assert (levels[0].level, levels[0].values["share"]) == ("alert", 0.2)


def test_levels_that_most_batches_bring_are_no_alert() -> None:
    random = np.random.default_rng(9)
    before, now = (pd.DataFrame({"name": random.zipf(1.3, 1_500).astype(str)}) for _ in range(2))
    levels = [item for item in findings(now, before) if item.check == "new_levels"]
    assert levels[0].values["share"] > 0.05
    assert levels[0].level == "notice"


def test_levels_that_are_not_kept_cannot_be_new() -> None:
    random = np.random.default_rng(10)
    before = pd.DataFrame({"code": random.integers(0, 3_000, 20_000).astype(str)})
    now = pd.DataFrame({"code": ["other"] * 500 + random.integers(0, 3_000, 500).astype(str).tolist()})
    levels = [item for item in findings(now, before) if item.check == "new_levels"]
    assert [item.level for item in levels] == ["passed"]
    assert "1,000 are kept" in levels[0].message
    assert compare(before, now)["code"].drifted


def test_shuffled_labels() -> None:
    shuffled = NOW["plan"].map({"basic": "pro", "plus": "basic", "pro": "plus"})
    finding = only(NOW.assign(plan=shuffled))
    assert (finding.check, finding.level, finding.column) == ("shuffled_labels", "alert", "plan")
    assert "'basic' was the most frequent and now 'pro' is" in finding.message
    moved = np.random.default_rng(11).choice(["basic", "plus", "pro"], 600, p=[0.34, 0.33, 0.33])
    assert "shuffled_labels" not in {item.check for item in findings(NOW.assign(plan=moved))}
    swapped = only(NOW.assign(active=~NOW["active"].to_numpy()))
    assert (swapped.check, swapped.column) == ("shuffled_labels", "active")


def test_values_outside_of_the_range() -> None:
    top = BEFORE["income"].max()
    changed = NOW.copy()
    changed.loc[:11, "income"] = top + 1 + np.arange(12)
    finding = only(changed)
    assert (finding.check, finding.level) == ("outside_range", "notice")
    outside = (changed["income"] > top) | (changed["income"] < BEFORE["income"].min())
    assert finding.values["share"] == pytest.approx(outside.sum() / changed["income"].notna().sum())
    assert outside.sum() >= 12
    changed.loc[:2, "income"] = 1.0
    assert only(NOW.assign(children=NOW["children"].where(NOW.index > 99, -1))).level == "alert"


def test_missing_values() -> None:
    changed = NOW.copy()
    changed.loc[:149, "plan"] = None
    finding = only(changed)
    assert (finding.check, finding.level) == ("missing_values", "alert")
    assert finding.message == "25% of the values of 'plan' are missing, 0% in the reference."
    finding = only(NOW.assign(income=NOW["income"].fillna(3000.0)))
    assert (finding.check, finding.level) == ("missing_values", "notice")
    gone = only(NOW.assign(plan=None))
    assert (gone.level, gone.message) == ("alert", "All values of 'plan' are missing.")


def test_constant_columns() -> None:
    finding = next(item for item in findings(NOW.assign(children=1)) if item.check == "constant_column")
    assert (finding.level, finding.column) == ("alert", "children")
    constant = findings(NOW.assign(one=7), BEFORE.assign(one=7))
    assert [(item.check, item.level) for item in constant] == [("constant_column", "passed")]
    rare = BEFORE.assign(flag=[True] * 998 + [False] * 2)
    assert findings(NOW.assign(flag=True), rare) == []


def test_duplicate_rows() -> None:
    plain = ["income", "plan", "city", "since", "review"]
    before, now = BEFORE[plain], NOW[plain]
    finding = only(pd.concat([now, now.head(60)]), before)
    assert (finding.check, finding.level) == ("duplicate_rows", "notice")
    assert finding.values["current"] == pytest.approx(60 / 660)
    assert only(pd.concat([now, now]), before).level == "alert"
    coarse = pd.DataFrame({"a": np.random.default_rng(12).integers(0, 4, 900)})
    assert findings(coarse.head(600), coarse) == []
    assert findings(coarse, coarse.head(100)) == []


def test_stale_and_future_dates() -> None:
    finding = only(NOW.assign(since=NOW["since"] - pd.Timedelta(days=200)))
    assert (finding.check, finding.level, finding.column) == ("stale_dates", "alert", "since")
    before = sketch(BEFORE[["since"]], as_of="2024-10-27")
    fresh = sketch(NOW[["since"]] + pd.Timedelta(days=30), as_of="2024-11-26")
    assert check_quality(before, fresh) == ()
    late = sketch(NOW[["since"]] + pd.Timedelta(days=30), as_of="2024-12-10")
    assert [finding.check for finding in check_quality(before, late)] == ["stale_dates"]
    early = sketch(NOW[["since"]] + pd.Timedelta(days=30), as_of="2024-11-01")
    assert [finding.check for finding in check_quality(before, early)] == ["future_dates"]


def test_dates_of_few_rows_are_not_stale_by_chance() -> None:
    for seed in range(20):
        random = np.random.default_rng([seed, 13])
        before, now = (sketch(tables.mixed(random, 80)[["since"]], as_of="2024-11-01") for _ in range(2))
        assert check_quality(before, now) == ()


def test_columns_in_another_order() -> None:
    finding = only(NOW[NOW.columns[::-1]])
    assert (finding.check, finding.level, finding.column) == ("column_order", "notice", None)

"""Gaps of two models on the same rows: values, intervals against a plain bootstrap, coverage, and the sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.errors import InputError, SettingsError
from core.fairness import RATES, compare_gaps, group_metrics


def rows(n: int, seed: int, *, shift: float = 0.0, bias: float = 0.9) -> dict[str, np.ndarray]:
    """Return labels, groups, and two models of which the second selects group b less often than the first."""
    random = np.random.default_rng(seed)
    group = random.choice(["a", "b"], n, p=[0.6, 0.4])
    truth = random.random(n) < 0.5
    score = truth + random.normal(0, 1, n) - shift * (group == "b")
    second = score + random.normal(0, 0.5, n) - bias * (group == "b")
    return {"truth": truth, "first": score > 0.5, "second": second > 0.5, "group": group}


@pytest.mark.parametrize("metric", RATES)
def test_gaps_are_those_of_each_models_own_table(metric: str) -> None:
    table = rows(400, 1)
    comparison = compare_gaps(table["truth"], table["first"], table["second"], table["group"], metrics=[metric])
    pair = comparison.pairs.iloc[0]
    for name in ("first", "second"):
        values = group_metrics(table["truth"], table[name], table["group"]).by_group[metric]
        assert pair[name] == pytest.approx(values["a"] - values["b"])
        own = comparison.groups.set_index("group")[name]
        assert own.to_dict() == pytest.approx(values.to_dict())
    assert pair["difference"] == pytest.approx(abs(pair["second"]) - abs(pair["first"]))
    assert pair["low"] < pair["difference"] < pair["high"]


def plain_bootstrap(table: dict[str, np.ndarray], draws: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Draw rows with replacement, and return the change of the gap in selection rates (b - a), row by row."""
    random = np.random.default_rng(7)
    n = len(table["group"])
    weights = np.ones(n) if weights is None else weights
    changes = []
    for _ in range(draws):
        chosen = random.integers(0, n, n)
        sizes = []
        for name in ("first", "second"):
            rates = [
                np.average(table[name][chosen][mask], weights=weights[chosen][mask])
                for mask in (table["group"][chosen] == "a", table["group"][chosen] == "b")
            ]
            sizes.append(abs(rates[0] - rates[1]))
        changes.append(sizes[1] - sizes[0])
    return np.array(changes)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_interval_is_that_of_a_plain_paired_bootstrap(weighted: bool) -> None:
    table = rows(800, 3, shift=0.8, bias=0.4)
    weights = np.random.default_rng(0).choice([1.0, 3.0], 800) if weighted else None
    comparison = compare_gaps(table["truth"], table["first"], table["second"], table["group"], sample_weight=weights)
    changes = plain_bootstrap(table, 600, weights)
    pair = comparison.pairs.iloc[0]
    assert (pair["high"] - pair["low"]) / 2 == pytest.approx(1.96 * changes.std(), rel=0.08)
    assert (pair["high"] + pair["low"]) / 2 == pytest.approx(pair["difference"], abs=0.15 * changes.std())
    unpaired = sum(
        group_metrics(table["truth"], table[name], table["group"])
        .difference_intervals.loc[("b", "selection_rate"), ["low", "high"]]
        .diff()
        .iloc[-1]
        ** 2
        for name in ("first", "second")
    )
    assert pair["high"] - pair["low"] < 0.8 * np.sqrt(unpaired), "what both models share cancels"


def test_copies_of_a_row_do_not_count_as_rows_of_their_own() -> None:
    table = rows(300, 5)
    once = compare_gaps(table["truth"], table["first"], table["second"], table["group"])
    copies = {name: np.repeat(values, 4) for name, values in table.items()}
    units = np.repeat(np.arange(300), 4)
    together = compare_gaps(copies["truth"], copies["first"], copies["second"], copies["group"], units=units)
    apart = compare_gaps(copies["truth"], copies["first"], copies["second"], copies["group"])

    def width(comparison) -> float:
        pair = comparison.pairs.iloc[0]
        return float(pair["high"] - pair["low"])

    assert width(together) == pytest.approx(width(once), rel=0.06)
    assert width(apart) == pytest.approx(width(once) / 2, rel=0.06)


def coverage(groups: int, shift: tuple[float, float], tables: int, size: int) -> tuple[float, float]:
    """Return how often all intervals hold the true differences, and how often a model is named."""
    random = np.random.default_rng(groups)
    names = np.repeat(np.arange(groups), size)
    base = 0.4 + 0.1 * (np.arange(groups) % 2)
    true = [base + amount * (np.arange(groups) == 0) for amount in shift]
    held = named = 0
    for _ in range(tables):
        common = random.random(len(names))  # both models mostly decide the same rows alike
        own = [np.where(random.random(len(names)) < 0.6, common, random.random(len(names))) for _ in range(2)]
        first, second = (own[side] < true[side][names] for side in range(2))
        comparison = compare_gaps(np.ones(len(names)), first, second, names, n_boot=400)
        pairs = comparison.pairs
        truth = [
            abs(true[1][group] - true[1][other]) - abs(true[0][group] - true[0][other])
            for group, other in zip(pairs["group"], pairs["other"], strict=True)
        ]
        held += bool(((pairs["low"] <= truth) & (truth <= pairs["high"])).all())
        named += comparison.conclusive
    return held / tables, named / tables


def test_equal_gaps_are_rarely_told_apart() -> None:
    held, named = coverage(3, (0.0, 0.0), 30, 80)
    assert named <= 0.17, "5% and three standard errors"
    assert held >= 0.83


@pytest.mark.nightly
@pytest.mark.parametrize("groups", [2, 5])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.2, 0.2), (0.0, 0.25), (0.3, 0.05)])
@pytest.mark.parametrize("size", [40, 200])
def test_the_intervals_cover(groups: int, shift: tuple[float, float], size: int) -> None:
    held, named = coverage(groups, shift, 1_000, size)
    assert held >= 0.935
    if shift[0] == shift[1]:
        assert named <= 0.065


def test_a_smaller_gap_is_named_with_its_model() -> None:
    table = rows(4_000, 2)
    comparison = compare_gaps(table["truth"], table["first"], table["second"], table["group"])
    assert comparison.conclusive
    said = comparison.describe("this model", "the other model")
    assert said.startswith(
        "This model leaves these groups closer together: the selection rate of 'a' and 'b' differs by"
    )
    turned = compare_gaps(table["truth"], table["second"], table["first"], table["group"])
    assert turned.describe().startswith("The second model leaves these groups closer together")
    assert turned.pairs.loc[0, "difference"] == pytest.approx(-comparison.pairs.loc[0, "difference"])


def test_gaps_of_the_same_size_in_the_other_direction_are_not_smaller() -> None:
    group = np.repeat(["a", "b"], 1_000)
    first, second = (np.r_[np.arange(1_000) < a, np.arange(1_000) < b] for a, b in ((600, 400), (400, 600)))
    comparison = compare_gaps(np.ones(2_000), first, second, group)
    pair = comparison.pairs.iloc[0]
    assert pair["difference"] == 0
    assert not comparison.conclusive
    assert comparison.describe().startswith("These 2,000 rows cannot tell which model")


def test_two_models_that_agree_everywhere_are_not_proven_equal() -> None:
    table = rows(82, 4)
    comparison = compare_gaps(table["truth"], table["first"], table["first"], table["group"])
    pair = comparison.pairs.iloc[0]
    assert pair["difference"] == 0
    assert pair["low"] < -0.01
    assert pair["high"] > 0.01
    assert "cannot tell" in comparison.describe()


def test_small_groups_are_shown_and_not_compared() -> None:
    table = rows(300, 6)
    group = table["group"].astype(object)
    group[:20] = "tiny"
    comparison = compare_gaps(table["truth"], table["first"], table["second"], group)
    assert set(comparison.pairs["group"]) | set(comparison.pairs["other"]) == {"a", "b"}
    assert comparison.groups.set_index("group")["small"].to_dict() == {"a": False, "b": False, "tiny": True}
    alone = compare_gaps(table["truth"], table["first"], table["second"], ["a"] * 300)
    assert alone.pairs.empty
    assert alone.describe() == "No two groups have enough rows to compare gaps: a group needs at least 30."


def test_many_groups_are_cut_at_the_largest_and_counted() -> None:
    random = np.random.default_rng(0)
    group = np.repeat(np.arange(24), 40)
    truth = random.random(960) < 0.5
    comparison = compare_gaps(truth, truth, ~truth, group)
    assert comparison.left_out == 4
    assert len(comparison.pairs) == 20 * 19 / 2


def test_numbers_are_compared_by_their_errors() -> None:
    random = np.random.default_rng(3)
    group = np.repeat(["a", "b"], 400)
    truth = random.normal(0, 1, 800)
    first = truth + random.normal(0, 1, 800)
    second = first + 0.8 * (group == "b")
    comparison = compare_gaps(truth, first, second, group, metrics=["mean_error", "mae"], task="regression")
    pair = comparison.pairs.set_index("metric").loc["mean_error"]
    errors = {
        name: [(values - truth)[group == g].mean() for g in "ab"]
        for name, values in (("first", first), ("second", second))
    }
    assert pair["second"] == pytest.approx(errors["second"][0] - errors["second"][1])
    assert pair["difference"] == pytest.approx(abs(np.diff(errors["second"]))[0] - abs(np.diff(errors["first"]))[0])
    assert comparison.conclusive
    same = compare_gaps(truth, first, first, group, metrics=["mean_error"], task="regression")
    assert same.pairs["low"].isna().all()
    assert "no interval, because both predict the same" in same.describe()


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(SettingsError, match="'rmse' cannot be compared"):
        compare_gaps([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], ["a", "b"], metrics=["rmse"], task="regression")
    with pytest.raises(InputError, match="which do not say which one is positive"):
        compare_gaps(["x", "y"], ["x", "y"], ["x", "y"], ["a", "b"])
    assert isinstance(compare_gaps([1, 0] * 50, [1, 0] * 50, [0, 1] * 50, ["a"] * 50 + ["b"] * 50).to_dict(), dict)
    assert pd.notna(
        compare_gaps(
            ["x", "y"] * 50, ["x", "y"] * 50, ["y", "x"] * 50, ["a"] * 50 + ["b"] * 50, pos_label="x"
        ).pairs.loc[0, "low"]
    )

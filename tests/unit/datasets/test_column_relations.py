"""Relations between columns: each measure equals an independent one in pairwise complete rows; wide tables are fast."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.datasets import ColumnRelations, load_frame, load_random_rows, profile, relate_columns
from core.errors import InputError

N = 300
RNG = np.random.default_rng(1)


def _table() -> pd.DataFrame:
    base = RNG.normal(size=N)
    frame = pd.DataFrame(
        {
            "x": base,
            "rounded": np.round(base + RNG.normal(size=N), 1),
            "falls": -np.exp(base) + RNG.normal(size=N),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta((base * 40).round(), unit="D"),
            "size": pd.cut(base + RNG.normal(size=N), [-9, -1, 0, 1, 9], labels=["S", "M", "L", "XL"]).astype("str"),
            "shade": RNG.choice(["red", "green", "blue"], N),
            "flag": base + RNG.normal(size=N) > 0.5,
        }
    )
    for name in ("rounded", "size"):
        frame.loc[RNG.random(N) < 0.15, name] = None
    return frame


TABLE = _table()


def _reference(one: pd.Series, other: pd.Series) -> float:
    """Return the strength of a pair by other means: SciPy, and the formulas as they were published."""
    both = pd.DataFrame({"one": one, "other": other}).dropna()
    numeric = {name: both[name].dtype.kind in "fiM" for name in both}
    values = {
        name: both[name].astype("int64") if both[name].dtype.kind == "M" else both[name] for name in ("one", "other")
    }
    n = len(both)
    if all(numeric.values()):
        return abs(stats.spearmanr(values["one"], values["other"]).statistic)
    if any(numeric.values()):
        number, category = ("one", "other") if numeric["one"] else ("other", "one")
        groups = [group.to_numpy() for _, group in values[number].groupby(both[category])]
        k = len(groups)
        h = stats.kruskal(*groups).statistic
        return max(0.0, (h - k + 1) / (n - k)) ** 0.5  # Tomczak and Tomczak (2014)
    table = pd.crosstab(both["one"], both["other"]).to_numpy()
    phi = stats.chi2_contingency(table, correction=False).statistic / n
    r, c = table.shape
    phi = max(0.0, phi - (r - 1) * (c - 1) / (n - 1))  # Bergsma (2013)
    return (phi / min(r - (r - 1) ** 2 / (n - 1) - 1, c - (c - 1) ** 2 / (n - 1) - 1)) ** 0.5


def test_every_pair_has_the_strength_of_the_reference_on_complete_rows() -> None:
    relations = relate_columns(TABLE)
    assert len(relations.pairs) == 7 * 6 / 2
    assert relations.all_pairs
    for pair in relations.pairs:
        assert pair.strength == pytest.approx(_reference(TABLE[pair.one], TABLE[pair.other]), abs=1e-9), pair
        assert pair.rows == len(TABLE[[pair.one, pair.other]].dropna())
        numbers = {"x", "rounded", "falls", "when"} & {pair.one, pair.other}
        assert pair.measure == {2: "spearman", 1: "correlation_ratio", 0: "cramers_v"}[len(numbers)]
    strengths = [pair.strength for pair in relations.pairs]
    assert strengths == sorted(strengths, reverse=True)
    falling = relations.between("x", "falls")
    assert falling is not None
    assert falling.direction == -1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_relations_do_not_depend_on_order_units_or_names(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(N)
    changed = TABLE.iloc[rows, rng.permutation(TABLE.shape[1])].assign(
        x=lambda frame: np.exp(frame["x"]) * 1e6, shade=lambda frame: frame["shade"].map(str.upper)
    )
    relations = relate_columns(changed)
    for pair in relate_columns(TABLE).pairs:
        other = relations.between(pair.one, pair.other)
        assert other is not None
        assert other.strength == pytest.approx(pair.strength, abs=1e-9)
        assert (other.rows, other.direction) == (pair.rows, pair.direction)


def test_the_ends_of_the_scale() -> None:
    frame = pd.DataFrame({"x": range(200), "same": np.arange(200) * 3.0 + 1, "half": ["a", "b"] * 100})
    frame["renamed"] = frame["half"].map({"a": "left", "b": "right"})
    frame["noise"] = RNG.permutation(200) % 7
    relations = relate_columns(frame)
    strength = {frozenset((pair.one, pair.other)): pair.strength for pair in relations.pairs}
    assert strength[frozenset(("x", "same"))] == pytest.approx(1)
    assert strength[frozenset(("half", "renamed"))] == pytest.approx(1)
    assert strength[frozenset(("x", "half"))] < 0.05
    assert strength[frozenset(("half", "noise"))] < 0.25


def test_columns_without_relations_are_left_out_with_the_reason() -> None:
    frame = TABLE.assign(one=1, empty=None, key=[f"row {index}" for index in range(N)], few=None)
    frame.loc[:4, "few"] = range(5)
    relations = relate_columns(frame.astype({"few": float}))
    assert relations.left_out == {
        "one": "has a single value",
        "empty": "has no values",
        "key": "is text whose values hardly repeat",
        "few": "has 5 values; at least 10 are needed",
    }
    assert set(relations.overview) == set(TABLE.columns)
    assert set(relations.columns) == set(frame.columns)


def test_pairs_without_common_rows_have_no_relation() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0] * 20 + [None] * 40, "b": [None] * 40 + [3.0, 4.0] * 20, "c": range(80)})
    relations = relate_columns(frame)
    assert relations.between("a", "b") is None
    assert relations.between("a", "c") is not None
    assert relate_columns(frame.iloc[:3]).pairs == ()


def test_related_columns_are_neighbors_in_the_overview() -> None:
    base = RNG.normal(size=(500, 5))
    noise = RNG.normal(size=(500, 20)) * 0.3
    columns = {f"{group}{copy}": base[:, group] + noise[:, 5 * copy + group] for copy in range(4) for group in range(5)}
    frame = pd.DataFrame(columns)
    groups = [name[0] for name in relate_columns(frame).overview]
    assert sum(one != other for one, other in itertools.pairwise(groups)) == 4


def test_the_target_by_bins_equals_pandas() -> None:
    frame = TABLE.assign(y=TABLE["x"] * 2 + RNG.normal(size=N), label=np.where(TABLE["flag"], 1, 0))
    for target, kind in (("y", "number"), ("label", "classes")):
        relations = relate_columns(frame, target)
        assert set(relations.targets) == set(frame.columns) - {target}
        for name, result in relations.targets.items():
            assert sum(result.rows) == N
            missing = result.rows[-1] if result.bins[-1] == ("(missing)",) else 0
            assert missing == frame[name].isna().sum()
            for index, (label, rows) in enumerate(zip(result.bins, result.rows, strict=True)):
                column = frame[name]
                if label == ("(missing)",):
                    part = frame[column.isna()]
                elif len(label) == 2:
                    low, high = (pd.Timestamp(end) if name == "when" else end for end in label)
                    part = frame[column.between(low, high)]
                else:
                    part = frame[column.astype("str") == label[0]]
                assert len(part) == rows, (name, label)
                if kind == "classes":
                    assert result.hits["1"][index] == (part[target] == 1).sum()
                    assert result.hits["0"][index] == (part[target] == 0).sum()
                else:
                    assert result.mean[index] == pytest.approx(part[target].mean())
                    low, high = stats.t.interval(0.95, rows - 1, loc=part[target].mean(), scale=part[target].sem())
                    assert (result.low[index], result.high[index]) == pytest.approx((low, high))
        assert len(relations.targets["x"].bins) == 10
        assert min(relations.targets["x"].rows) == N / 10


def test_classes_written_as_numbers_are_categories() -> None:
    frame = TABLE.assign(grade=pd.Series([0.0, 1.0, 2.0] * (N // 3)))
    frame.loc[0, "grade"] = None
    relations = relate_columns(frame, "grade")
    assert {pair.measure for pair in relations.of("grade")} == {"correlation_ratio", "cramers_v"}
    assert set(relations.targets["x"].hits) == {"0", "1", "2"}
    assert {pair.measure for pair in relate_columns(frame).of("grade")} == {"spearman", "correlation_ratio"}


def test_rare_values_are_together_and_counted() -> None:
    values = [f"v{index % 25:02}" for index in range(N)]
    result = relate_columns(TABLE.assign(many=values), "flag").targets["many"]
    assert [label for (label,) in result.bins] == [*(f"v{index:02}" for index in range(10)), "(other values)"]
    assert result.rows[-1] == N - 10 * N // 25


def test_a_wide_table_takes_seconds_and_keeps_the_close_pairs() -> None:
    rows, columns = 1_000, 600
    numbers = RNG.normal(size=(rows, columns))
    frame = pd.DataFrame(numbers, columns=[f"x{index}" for index in range(columns)])
    frame["copy"] = frame["x7"] * 2 + RNG.normal(size=rows) * 0.1
    frame["bands"] = pd.cut(frame["x11"], 5, labels=list("abcde")).astype("str")
    frame["y"] = np.where(frame["x13"] > 0, "yes", "no")
    start = time.perf_counter()
    relations = relate_columns(frame, "y")
    assert time.perf_counter() - start < 20
    assert not relations.all_pairs
    assert len(relations.overview) == 60
    assert {frozenset((pair.one, pair.other)) for pair in relations.pairs[:3]} == {
        frozenset(("x7", "copy")),
        frozenset(("x11", "bands")),
        frozenset(("x13", "y")),
    }
    assert {"y", "x13", "copy", "x7", "bands", "x11"} <= set(relations.overview)
    assert len(relations.of("y")) == columns + 2
    shown = [pair for pair in relations.pairs if {pair.one, pair.other} <= set(relations.overview)]
    assert len(shown) == 60 * 59 / 2


def test_the_result_survives_json() -> None:
    for target in (None, "flag", "x"):
        relations = relate_columns(TABLE, target)
        assert ColumnRelations.from_dict(json.loads(json.dumps(relations.to_dict()))) == relations


def test_an_unknown_target_is_named() -> None:
    with pytest.raises(InputError, match="'flags'"):
        relate_columns(TABLE, "flags")


def test_random_rows_are_those_of_the_table(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    frame = TABLE.assign(row=range(N))
    path = tmp_path / "table.parquet"
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=70)
    whole = load_frame(path)
    pd.testing.assert_frame_equal(load_random_rows(path, N), whole)
    sample = load_random_rows(path, 100)
    assert sample["row"].is_monotonic_increasing
    assert sample["row"].nunique() == 100
    pd.testing.assert_frame_equal(sample, whole.iloc[sample["row"]].reset_index(drop=True))
    pd.testing.assert_frame_equal(load_random_rows(path, 100), sample)
    assert not load_random_rows(path, 100, seed=1).equals(sample)
    assert profile(path).rows == N

"""Sketches: what they keep, how large they are, and that nothing is lost or depends on the order of rows."""

from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.errors import InputError, SettingsError
from core.monitoring import BatchSketch, compare, distribution_table, sketch
from core.monitoring.quantile_points import MAX_POINTS, QuantilePoints
from core.monitoring.sketch_file import VERSION, write_sketch
from core.monitoring.word_hashes import embed
from tests.unit.monitoring import monitoring_tables as tables

RANDOM = np.random.default_rng(0)
MIXED = tables.mixed(RANDOM, 400)
NUMBERS = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-5, 5, width=16) | st.sampled_from([0.0, 1.0]))


@given(NUMBERS, NUMBERS)
@settings(deadline=None)
def test_shares_of_few_rows_are_exact(values: np.ndarray, at: np.ndarray) -> None:
    points = QuantilePoints.of(values)
    assert points.is_exact
    assert points.rows == len(values)
    np.testing.assert_allclose(points.share_upto(at), [(values <= x).mean() for x in at])
    np.testing.assert_allclose([points.share_below(x) for x in at], [(values < x).mean() for x in at])
    np.testing.assert_array_equal(
        points.quantiles(np.array([0.1, 0.5, 1.0])), np.quantile(values, [0.1, 0.5, 1.0], method="inverted_cdf")
    )


def test_shares_of_many_rows_are_within_a_ten_thousandth() -> None:
    values = np.concatenate([RANDOM.normal(size=150_000), np.full(50_000, 0.25)])
    points = QuantilePoints.of(values)
    assert len(points.points) <= MAX_POINTS
    assert not points.is_exact
    at = RANDOM.normal(size=2_000)
    exact = np.searchsorted(np.sort(values), at, side="right") / len(values)
    assert np.abs(points.share_upto(at) - exact).max() <= 1.01 / MAX_POINTS
    below, upto = (points.share_below(0.25), points.share_upto(np.array([0.25]))[0])
    assert below == (values < 0.25).mean()
    assert upto == (values <= 0.25).mean()
    assert points.bounds == (values.min(), values.max())


def test_many_rows_of_few_numbers_are_exact() -> None:
    values = RANDOM.integers(0, 3_000, 100_000).astype(float)
    points = QuantilePoints.of(values)
    assert points.is_exact
    np.testing.assert_array_equal(points.counts, np.unique(values, return_counts=True)[1])


def test_types_of_columns_and_what_is_counted() -> None:
    batch = sketch(MIXED)
    assert {name: column.type for name, column in batch.columns.items()} == {
        "income": "number",
        "children": "number",
        "plan": "category",
        "city": "category",
        "active": "category",
        "since": "date",
        "review": "text",
        "customer": "id",
        "note": "empty",
    }
    income, plan, since, review = (batch[name] for name in ("income", "plan", "since", "review"))
    assert income.missing == MIXED["income"].isna().sum()
    assert income.mean == pytest.approx(MIXED["income"].mean())
    assert income.std == pytest.approx(MIXED["income"].std(ddof=0))
    assert batch["children"].zeros == (MIXED["children"] == 0).sum()
    assert dict(zip(plan.levels, plan.counts.tolist(), strict=True)) == MIXED["plan"].value_counts().to_dict()
    assert since.values.bounds == (MIXED["since"].min().timestamp(), MIXED["since"].max().timestamp())
    lengths = MIXED["review"].str.split().str.len()
    assert review.lengths.quantiles(np.array([0.5]))[0] == lengths.quantile(0.5, interpolation="lower")
    assert batch["customer"].distinct == 400
    assert sketch(pd.DataFrame({"a": [7, 7, None]}))["a"].is_constant


def test_types_can_be_given() -> None:
    batch = sketch(MIXED, types={"children": "category", "customer": "number"})
    assert batch["children"].levels[0] == "0"
    assert batch["customer"].type == "number"
    with pytest.raises(SettingsError, match="holds text and cannot be compared as numbers"):
        sketch(MIXED, types={"plan": "number"})
    with pytest.raises(SettingsError, match=r"Unknown type 'numberx'.*Did you mean 'number'"):
        sketch(MIXED, types={"plan": "numberx"})


def test_types_follow_the_reference() -> None:
    reference = sketch(pd.DataFrame({"code": ["1", "2", "b"] * 40, "text": tables.texts(RANDOM, 120)}))
    batch = sketch(pd.DataFrame({"code": [1, 2] * 30, "text": ["good"] * 60}), like=reference)
    assert batch["code"].levels == ("1", "2")
    assert batch["text"].type == "text"


def test_duplicates_are_counted_without_identifiers() -> None:
    frame = pd.DataFrame({"id": range(100), "a": [1.0, -0.0, 0.0, None, None] * 20, "b": list("xyyzz") * 20})
    assert sketch(frame)["id"].type == "id"
    assert sketch(frame).duplicates == frame[["a", "b"]].duplicated().sum() == 97
    assert sketch(MIXED.drop(columns="customer")).duplicates == MIXED.drop(columns="customer").duplicated().sum()


def test_rows_in_another_order_make_the_same_sketch() -> None:
    shuffled = MIXED.sample(frac=1, random_state=1).reset_index(drop=True)
    assert sketch(shuffled).fingerprint == sketch(MIXED).fingerprint
    assert sketch(MIXED.assign(children=MIXED["children"] + 1)).fingerprint != sketch(MIXED).fingerprint


def test_columns_in_another_order_make_the_same_tests() -> None:
    batch = tables.mixed(np.random.default_rng(3), 300)
    turned = batch[batch.columns[::-1]]
    pd.testing.assert_frame_equal(compare(MIXED, batch).columns, compare(MIXED, turned).columns)


def test_bytes_hold_the_whole_sketch() -> None:
    batch = sketch(MIXED, score="income", as_of="2024-11-01")
    again = BatchSketch.from_bytes(batch.to_bytes())
    assert again.to_bytes() == batch.to_bytes()
    assert (again.rows, again.score, again.as_of) == (400, "income", pd.Timestamp("2024-11-01").timestamp())
    other = tables.mixed(np.random.default_rng(1), 200)
    pd.testing.assert_frame_equal(compare(batch, other).columns, compare(again, other).columns)
    assert compare(again, other.head(1)).columns["state"].isin(["not enough data", "not compared"]).all()
    assert compare(again, batch).columns["effect"].max() < 1e-12


def test_nothing_is_pickled_and_damage_is_refused() -> None:
    content = sketch(MIXED).to_bytes()
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind in "iufb" for name in arrays.files)
    for damaged in (b"", b"no sketch", content[: len(content) // 2], content[:-200]):
        with pytest.raises(InputError, match="not the sketch of a batch, or is damaged"):
            BatchSketch.from_bytes(damaged)
    buffer = io.BytesIO()
    np.savez(buffer, description=np.frombuffer(b'{"format": "other"}', dtype=np.uint8))
    with pytest.raises(InputError, match="not the sketch"):
        BatchSketch.from_bytes(buffer.getvalue())


def test_a_later_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = sketch(MIXED)
    monkeypatch.setattr("core.monitoring.sketch_file.VERSION", VERSION + 1)
    content = write_sketch(batch.rows, batch.columns, 0, None, None)
    monkeypatch.undo()
    with pytest.raises(InputError, match=f"has version {VERSION + 1}.*reads up to {VERSION}"):
        BatchSketch.from_bytes(content)


def test_size_does_not_grow_with_the_rows() -> None:
    n = 60_000
    words = np.array([f"w{index}" for index in range(40_000)])
    frame = pd.DataFrame(
        {
            "number": RANDOM.normal(size=n),
            "level": RANDOM.integers(0, 20_000, n).astype(str),
            "text": [" ".join(words[RANDOM.integers(0, 40_000, 80)]) for _ in range(2_000)] * 30,
        }
    )
    batch = sketch(frame, types={"level": "category"})
    assert len(batch["level"].levels) == 1_000
    assert batch["level"].rest == n - batch["level"].counts.sum() > 0
    assert len(batch.to_bytes()) < 3 * 300_000


def test_what_cannot_be_sketched_is_named() -> None:
    with pytest.raises(InputError, match="0 rows and 1 columns"):
        sketch(pd.DataFrame({"a": []}))
    with pytest.raises(InputError, match="0 columns"):
        sketch(pd.DataFrame(index=[1, 2]))
    with pytest.raises(InputError, match="the column 'a' twice"):
        sketch(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(InputError, match=r"The batch has no column 'incme'\. Did you mean 'income'"):
        sketch(MIXED, columns=["incme"])
    with pytest.raises(InputError, match="no column 'score'"):
        sketch(MIXED, score="score")
    with pytest.raises(InputError, match="no column 'x'"):
        _ = sketch(MIXED)["x"]


def test_cells_of_any_kind_are_taken() -> None:
    frame = pd.DataFrame(
        {
            "lists": [[1], [1, 2], None] * 20,
            "mixed": [1, "1", 1.0] * 20,
            "infinite": [np.inf, 1.0, -np.inf] * 20,
            "kind": pd.Categorical(["a", "b", None] * 20),
            "zone": pd.to_datetime(["2024-01-01", "2024-01-02", None] * 20, utc=True),
            "flag": pd.array([True, False, None] * 20, dtype="boolean"),
            "whole": pd.array([1, 2, None] * 20, dtype="Int64"),
        }
    )
    batch = sketch(frame)
    assert batch["mixed"].levels == ("1",)
    assert batch["infinite"].infinite == 40
    assert batch["infinite"].mean == 1.0
    assert {name: batch[name].missing for name in frame} == frame.isna().sum().to_dict()
    assert batch["flag"].levels == ("False", "True")
    assert compare(frame, frame).columns["drifted"].sum() == 0


def test_projections_keep_angles() -> None:
    same, other = np.arange(40, dtype=np.uint32), np.arange(100, 140, dtype=np.uint32)
    rows = embed(np.concatenate([same, same, other]), np.array([0, 40, 80, 120]))
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1)
    assert rows[0] @ rows[1] == pytest.approx(1)
    assert abs(rows[0] @ rows[2]) < 0.4


def test_distributions_are_those_of_the_rows() -> None:
    now = tables.mixed(np.random.default_rng(2), 300)
    first, other = sketch(MIXED), sketch(now)
    for name in ("income", "children", "since", "review", "plan", "city"):
        table = distribution_table(first, other, name, bins=12)
        assert table[["reference", "current"]].sum().tolist() == pytest.approx([1, 1])
    table = distribution_table(first, other, "income", bins=12)
    assert table["label"].tolist() == [""] * 12 + ["(missing)"]
    inner = table.iloc[3]
    inside = (now["income"] >= inner["low"]) & (now["income"] < inner["high"])
    assert inner["current"] == pytest.approx(inside.mean())
    assert table.iloc[-1]["current"] == pytest.approx(now["income"].isna().mean())
    cities = distribution_table(first, other, "city", bins=5)
    assert cities["label"].tolist()[-1] == "(other levels)"
    assert cities.iloc[0]["reference"] == pytest.approx((MIXED["city"] == cities.iloc[0]["label"]).mean())
    gone = distribution_table(first, sketch(now.assign(income=np.nan)), "income")
    assert gone["current"].tolist() == [0.0] * 20 + [1.0]
    same = distribution_table(*(sketch(pd.DataFrame({"x": [2.0] * n})) for n in (5, 9)), "x")
    assert same[["low", "high", "reference", "current"]].to_numpy().tolist() == [[2, 2, 1, 1]]
    with pytest.raises(InputError, match="'customer' cannot be compared: identifiers"):
        distribution_table(first, other, "customer")
    with pytest.raises(SettingsError, match="0 bins"):
        distribution_table(first, other, "income", bins=0)


def any_column(random: np.random.Generator, n: int) -> pd.Series:
    """Return a column as a file or a program may bring one."""
    cells: list[object] = [
        random.normal(size=n),
        random.integers(-3, 3, n),
        np.full(n, np.nan),
        np.array([None] * n, dtype=object),
        random.random(n) < 0.5,
        random.choice(np.array(["a", "b", "ä", "", None], dtype=object), n),
        pd.Timestamp("2024-01-01") + pd.to_timedelta(random.integers(0, 9_999, n), unit="h"),
        [Decimal(int(number)) for number in random.integers(0, 9, n)],
        [date(2024, 1, 1 + int(day)) for day in random.integers(0, 28, n)],
        pd.Categorical(random.choice(["x", "y"], n), categories=["x", "y", "z"]),
        tables.texts(random, n),
        [[index] for index in range(n)],
        pd.array(random.integers(0, 5, n), dtype="Int64"),
        np.where(random.random(n) < 0.2, np.inf, random.normal(size=n)),
        [(1, "a", None, 2.5)[index % 4] for index in range(n)],
        [f"id-{index}" for index in range(n)],
    ]
    return pd.Series(cells[random.integers(len(cells))])


@pytest.mark.parametrize("seed", range(30))
def test_tables_of_any_cells_can_be_compared(seed: int) -> None:
    random = np.random.default_rng([seed, 14])
    n, m = random.choice([1, 2, 60, 120], 2)
    before, now = (pd.DataFrame({f"c{index}": any_column(random, size) for index in range(6)}) for size in (n, m))
    report = compare(before, now)
    again = compare(BatchSketch.from_bytes(sketch(before).to_bytes()), now)
    assert again.to_dict() == report.to_dict()
    assert len(report.columns) == 6
    assert all(result.reason for result in report.results)
    json.dumps(report.to_dict(), allow_nan=False)

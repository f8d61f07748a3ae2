"""The profile's figures are those of pandas and NumPy, whatever the column holds."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from core.datasets import ColumnProfile, Profile, load_sample, profile

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def column(values: object) -> ColumnProfile:
    return profile(pd.DataFrame({"v": values}))["v"]


def expect_numbers(actual: ColumnProfile, values: pd.Series) -> None:
    """Compare with pandas and NumPy; `values` may have missing cells, but no infinities."""
    known = values.dropna().to_numpy(dtype=float)
    scale = np.abs(known).max()
    assert (actual.rows, actual.missing, actual.distinct) == (len(values), values.isna().sum(), values.nunique())
    assert actual.distinct_exact
    assert (actual.minimum, actual.maximum) == (known.min(), known.max())
    assert list(actual.quantiles) == [str(share) for share in SHARES]
    assert np.allclose(list(actual.quantiles.values()), np.quantile(known, SHARES), rtol=1e-12, atol=1e-14 * scale)
    assert actual.mean == pytest.approx(known.mean(), rel=1e-9, abs=1e-9 * scale)
    assert sum(actual.counts) == len(known)
    assert np.allclose(actual.edges, np.histogram_bin_edges(known, bins=20), rtol=1e-12, atol=1e-14 * scale)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("draw", ["normal", "lognormal", "few", "whole"])
def test_numbers_are_described_as_numpy_does(seed: int, draw: str) -> None:
    rng = np.random.default_rng(seed)
    values = {
        "normal": lambda: rng.normal(size=5_000),
        "lognormal": lambda: rng.lognormal(sigma=3, size=5_000),
        "few": lambda: rng.choice([0.0, 0.5, 7.25], size=5_000),
        "whole": lambda: rng.integers(-400, 400, size=5_000).astype(float),
    }[draw]()
    values[rng.random(5_000) < 0.1] = np.nan
    actual = column(values)
    expect_numbers(actual, pd.Series(values))
    known = values[~np.isnan(values)]
    assert actual.std == pytest.approx(known.std(ddof=1))
    # A value on an edge may fall to either side of it; none moves by more than that.
    counts, edges = np.histogram(known, bins=20)
    loose = sum(np.isclose(known, edge, rtol=1e-12).sum() for edge in edges[1:-1])
    assert np.abs(np.subtract(actual.counts, counts)).sum() <= 2 * loose
    if draw in ("normal", "lognormal"):
        assert actual.counts == tuple(counts)


@FEW
@given(st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), min_size=1, max_size=60).filter(any))
def test_any_numbers_agree_with_numpy(values: list[float | None]) -> None:
    series = pd.Series(values, dtype=float) + 0.0  # no -0.0
    if np.ptp(series.dropna()) > 1e-300:  # numpy has no histogram of a narrower range
        expect_numbers(column(series), series)


@FEW
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=40))
@example([-1.7e308, 1.7e308])
@example([0.0, 8.98846567431158e306])
@example([8.98846567431158e307])
@example([np.inf, -np.inf, 1.0])
def test_any_floats_at_all_give_a_profile_that_is_json(values: list[float]) -> None:
    actual = profile(pd.DataFrame({"v": values}))
    text = json.dumps(actual.to_dict(), allow_nan=False)
    assert Profile.from_dict(json.loads(text)) == actual
    finite = [value for value in values if np.isfinite(value)]
    assert sum(actual["v"].counts) == len(finite)
    assert actual["v"].missing == sum(np.isnan(value) for value in values)
    if finite:
        assert (actual["v"].minimum, actual["v"].maximum) == (min(finite), max(finite))


def test_infinities_are_no_missing_cells_and_leave_the_finite_figures() -> None:
    values = [1.0, 2.0, 3.0, np.inf, np.nan, -np.inf, 5.0]
    actual = column(values)
    assert (actual.missing, actual.distinct) == (1, 6)
    assert (actual.minimum, actual.maximum) == (1.0, 5.0)
    assert actual.quantiles["0.5"] == 2.5 == np.quantile([-np.inf, 1, 2, 3, 5, np.inf], 0.5)
    assert "0.95" not in actual.quantiles
    assert actual.mean is None
    assert sum(actual.counts) == 4


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([2**63 - 1, 2**63 - 2, -(2**63)], "BIGINT"),
        (np.array([2**64 - 1, 2**64 - 2, 0], dtype="uint64"), "UBIGINT"),
        ([2**200, 2**200 + 1, 5], "VARCHAR"),
        ([decimal.Decimal("1.50"), decimal.Decimal("2.25"), decimal.Decimal("2.26")], "DECIMAL(3,2)"),
    ],
)
def test_large_and_exact_numbers_stay_apart(values: object, kind: str) -> None:
    actual = column(values)
    assert (actual.dtype, actual.distinct, actual.missing) == (kind, 3, 0)
    assert sorted(value for value, _ in actual.top) == sorted(str(value) for value in values)  # type: ignore[attr-defined]
    assert kind == "VARCHAR" or sum(actual.counts) == 3


def test_one_value_gets_a_bin_around_it() -> None:
    actual = column([7, 7, None])
    assert (actual.edges[0], actual.edges[-1]) == (6.5, 7.5)
    assert actual.counts == tuple(np.histogram([7, 7], bins=20)[0])
    assert actual.std == 0
    assert column([7]).std is None


@pytest.mark.parametrize(("values", "kind"), [([None] * 3, "category"), (np.full(3, np.nan), "number")])
def test_an_empty_column_has_no_figures(values: object, kind: str) -> None:
    actual = column(values)
    assert (actual.kind, actual.missing, actual.missing_share, actual.distinct) == (kind, 3, 1.0, 0)
    assert (actual.minimum, actual.mean, actual.quantiles, actual.counts, actual.top) == (None, None, {}, (), ())


def test_a_table_without_rows_has_none() -> None:
    actual = profile(pd.DataFrame({"x": pd.Series([], dtype=float), "y": pd.Series([], dtype=str)}))
    assert actual.rows == 0
    assert [(c.rows, c.distinct, c.missing_share) for c in actual.columns] == [(0, 0, 0.0)] * 2


def test_dates_are_described_in_iso() -> None:
    days = pd.Series([*pd.date_range("2020-01-01", periods=101).tolist(), None])
    actual = column(days)
    assert (actual.kind, actual.missing, actual.distinct) == ("date", 1, 101)
    assert (actual.minimum, actual.maximum) == ("2020-01-01T00:00:00", "2020-04-10T00:00:00")
    assert {q: pd.Timestamp(v) for q, v in actual.quantiles.items()} == {str(q): days.quantile(q) for q in SHARES}
    assert (len(actual.edges), sum(actual.counts)) == (21, 101)
    wide = column([datetime.date(1, 1, 1), datetime.date(9999, 12, 31)])
    assert (wide.minimum, wide.maximum) == ("0001-01-01T00:00:00", "9999-12-31T00:00:00")


@FEW
@given(st.lists(st.one_of(st.none(), st.text(st.characters(codec="utf-8"), max_size=5)), min_size=1, max_size=40))
def test_top_values_of_text_are_those_of_pandas(values: list[str | None]) -> None:
    series = pd.Series(values, dtype=object)
    actual = column(series)
    counts = series.value_counts()
    assert (actual.missing, actual.distinct) == (series.isna().sum(), series.nunique())
    assert [n for _, n in actual.top] == counts.head(10).tolist()
    assert all(counts[value] == n for value, n in actual.top)
    if len(counts):
        lengths = series.dropna().str.len()
        assert actual.lengths == pytest.approx({"min": lengths.min(), "mean": lengths.mean(), "max": lengths.max()})


def test_what_is_no_plain_type_is_described_by_what_it_prints() -> None:
    frame = pd.DataFrame({"t": [datetime.time(1, 2)], "b": [b"ab"], "l": [[1, 2]], "s": [{"a": 1}]})
    actual = profile(frame)
    assert [c.distinct for c in actual.columns] == [1] * 4
    assert actual["t"].top == (("01:02:00", 1),)
    assert actual["l"].top == (("[1, 2]", 1),)


def test_names_keep_their_order_and_case() -> None:
    actual = profile(pd.DataFrame([[1, 2, 3]], columns=["A", "a", 'say "x"; --']))
    assert [(c.name, c.maximum) for c in actual.columns] == [("A", 1), ("a", 2), ('say "x"; --', 3)]


def test_adult_agrees_with_pandas_in_every_column() -> None:
    table = load_sample("adult")
    actual = profile(table.path)
    assert actual.rows == 48_842
    assert [c.name for c in actual.columns] == list(table.frame.columns)
    for name, values in table.frame.items():
        one = actual[str(name)]
        assert (one.missing, one.distinct) == (values.isna().sum(), values.nunique()), name
        assert [n for _, n in one.top] == values.value_counts().head(10).tolist(), name
        if values.dtype.kind in "if":
            expect_numbers(one, values)
            assert one.std == pytest.approx(values.std())
    with pytest.raises(KeyError):
        actual["nothing"]


def test_the_names_of_columns_change_no_figure():
    """Columns may be called as anything that a query could call a figure of its own."""
    random = np.random.default_rng(0)
    types = {
        "number": random.normal(size=200),
        "whole": random.integers(0, 5, 200),
        "word": random.choice(["red", "blue", "green"], 200),
        "day": pd.to_datetime("2024-01-01") + pd.to_timedelta(random.integers(0, 9, 200), unit="D"),
        "flag": random.random(200) > 0.3,
    }
    names = ["n", "cell", "times", "counted", "value", "count"]
    for values in types.values():
        actual = profile(pd.DataFrame(dict.fromkeys(names, values)))
        expected = dataclasses.replace(column(values), name="")
        assert [dataclasses.replace(item, name="") for item in actual.columns] == [expected] * len(names)
    expect_numbers(profile(pd.DataFrame({"n": types["number"]}))["n"], pd.Series(types["number"]))


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32"])
def test_numbers_of_any_width_are_numbers(dtype: str) -> None:
    actual = column(np.array([1, 2, 100], dtype=dtype))
    assert (actual.kind, actual.mean, actual.maximum) == ("number", pytest.approx(103 / 3), 100)
    assert column(np.arange(30).astype(dtype)).kind == ("number" if dtype == "float32" else "identifier")


def test_a_wide_table_has_the_profile_of_its_columns() -> None:
    rng = np.random.default_rng(3)
    examples = {
        "number": rng.normal(size=40),
        "whole": rng.integers(0, 5, 40),
        "infinite": np.where(rng.random(40) > 0.5, np.inf, rng.random(40)),
        "endless": np.full(40, -np.inf),
        "sparse": np.where(rng.random(40) > 0.2, np.nan, rng.random(40)),
        "empty": np.full(40, np.nan),
        "huge": rng.choice([-1e308, 1e308, 0], 40),
        "same": np.full(40, 7.5),
        "word": rng.choice(["a", "b b", "ü"], 40),
        "none": np.full(40, None),
        "yes": rng.random(40) > 0.5,
        "day": pd.to_datetime("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**6, 40), unit="min"),
    }
    columns = {
        f"{name} {number}": np.roll(np.asarray(cells), number)
        for number in range(3)
        for name, cells in examples.items()
    }
    wide = profile(pd.DataFrame(columns))
    for name, cells in columns.items():
        alone = dataclasses.asdict(profile(pd.DataFrame({name: cells}))[name])
        assert dataclasses.asdict(wide[name]) == {
            **alone,
            "mean": approx(alone["mean"]),
            "std": approx(alone["std"]),
        }, name


def approx(value: float | None) -> object:
    """Return what is equal to a value that was summed in another order."""
    return None if value is None else pytest.approx(value, rel=1e-12)

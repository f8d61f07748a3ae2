"""Sweeps: one row a combination, those that fail with their reason; and the rows that nothing beats."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.edge.latency import pareto, sweep
from core.errors import SettingsError, StoppedError


def test_a_combination_that_fails_does_not_end_the_others(file, quick):
    events = []
    table = sweep(
        {"open": file("matmul"), "fixed": file("fixed")},
        quick(duration_s=0.1),
        {"batch_size": [1, 4], "graph_optimization": ["all"]},
        accuracy={"open": 0.9},
        report=events.append,
    )
    assert list(table.columns[:3]) == ["variant", "batch_size", "graph_optimization"]
    assert len(table) == 4
    failed = table[table["error"] != ""]
    assert failed[["variant", "batch_size"]].to_numpy().tolist() == [["fixed", 4]]
    assert "takes batches of 1, not of 4" in failed["error"].iloc[0]
    assert failed["p50_ms"].isna().all()
    assert failed["size_mb"].notna().all()
    worked = table[table["error"] == ""]
    assert worked[["p50_ms", "throughput", "cpu_s", "peak_rss_mb", "size_mb"]].notna().all(axis=None)
    assert table["accuracy"].tolist()[:2] == [0.9, 0.9]
    assert table["accuracy"].isna().sum() == 2
    fractions = [event.fraction for event in events]
    assert fractions == sorted(fractions)
    assert "4 of 4: fixed, batch_size 4" in events[-1].message


def test_too_few_samples_leave_a_gap(file, quick):
    table = sweep({"m": file("loop")}, quick(scenario="server", target_qps=100))
    assert table["p50_ms"].notna().all()
    assert table["p99_ms"].isna().all()


def test_bad_axes_and_stops(file, quick):
    with pytest.raises(SettingsError, match="'batch' is not a setting"):
        sweep({"m": file("matmul")}, quick(), {"batch": [1]})
    with pytest.raises(SettingsError, match="nothing to measure"):
        sweep({"m": file("matmul")}, quick(), {"batch_size": []})
    with pytest.raises(StoppedError):
        sweep({"m": file("matmul")}, quick(), should_stop=lambda: True)
    table = sweep({"m": file("matmul")}, quick(), {"batch_size": [0]})
    assert "batch_size" in table["error"][0]


few = st.one_of(st.integers(0, 3).map(float), st.just(float("nan")))


@given(st.lists(st.tuples(few, few, few), max_size=12))
def test_pareto_is_what_nothing_beats(rows):
    table = pd.DataFrame(rows, columns=["p50_ms", "size_mb", "accuracy"], dtype=float)
    optimal = pareto(table)

    def beats(a, b):
        pairs = [(a[0], b[0]), (a[1], b[1]), (-a[2], -b[2])]
        return all(x <= y for x, y in pairs) and any(x < y for x, y in pairs)

    for row, kept in zip(rows, optimal, strict=True):
        known = all(value == value for value in row)
        assert kept == (known and not any(beats(other, row) for other in rows))
    assert optimal.index.equals(table.index)
    assert optimal.dtype == bool

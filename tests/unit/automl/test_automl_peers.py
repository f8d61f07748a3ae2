"""The arithmetic of ``benchmarks/automl_peers.py`` and ``benchmarks/anytime.py``, and how they resume."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.anytime import is_below
from benchmarks.automl_fits import Job, System, missing_jobs
from benchmarks.automl_results import Fit, Results
from benchmarks.automl_summary import (
    Interval,
    TableFits,
    by_table,
    judge,
    mean_ranks,
    newest_fits,
    over_budget,
    paired_bootstrap,
)
from benchmarks.automl_tables import BenchmarkTable, make_split, read_tables

FIT = Fit(
    table="a",
    data="rows",
    seed=0,
    budget=10.0,
    busy=0,
    system="ours",
    version="1",
    commit=None,
    metric="roc_auc",
    rows=800,
    started="",
    load_start=0,
    load_end=0,
    wall=12,
    seconds=10.0,
)


def fits(table: str, metric: str, **scores: list[float | None]) -> list[Fit]:
    return [
        replace(FIT, table=table, metric=metric, system=system, seed=seed, score=score)
        for system, values in scores.items()
        for seed, score in enumerate(values)
    ]


def tables() -> list[TableFits]:
    measured = [
        *fits("a", "roc_auc", ours=[0.80, 0.82], flaml=[0.79, 0.81], h2o=[0.85, 0.75]),
        *fits("b", "log_loss", ours=[0.40, 0.42], flaml=[0.41, 0.41], h2o=[0.30, None]),
    ]
    return by_table(measured, ["ours", "flaml", "h2o"], [0, 1])


def test_ranks_and_gaps() -> None:
    first, second = tables()
    assert first.ranks() == {"ours": 1, "flaml": 2.5, "h2o": 2.5}
    assert second.ranks() == {"ours": 1.5, "flaml": 1.5, "h2o": 3}  # a failure at one seed is last
    assert mean_ranks([first, second]) == {"ours": 1.25, "flaml": 2, "h2o": 2.75}
    assert first.gap("flaml") == pytest.approx(0.01)
    assert second.gap("h2o") == pytest.approx(-0.10)  # of the seed that both have; a lower loss is better
    assert second.best_peer() == "flaml"
    assert all(table.complete() for table in (first, second))
    assert not by_table(fits("a", "r2", ours=[0.5], flaml=[0.4, 0.4]), ["ours", "flaml"], [0, 1])[0].complete()


def test_verdicts() -> None:
    narrow, wide = Interval(0.01, 0.003, 0.02), Interval(0.01, 0.001, 0.02)
    passed = judge(tables(), {"a": {"flaml": wide}, "b": {"flaml": wide}})
    assert [verdict.met for verdict in passed] == [True] * 5
    surely = judge(tables(), {"a": {"flaml": narrow}, "b": {"flaml": Interval(math.nan, math.nan, math.nan)}})
    assert [verdict.met for verdict in surely] == [True, True, False, True, True]
    assert surely[2].figure == "a (flaml), b (flaml)"
    assert over_budget(replace(FIT, seconds=12.2)) == pytest.approx(0)
    late = [replace(fit, seconds=12.3) for fit in fits("a", "r2", ours=[0.5, None], flaml=[0.6, 0.6])]
    assert [verdict.met for verdict in judge(by_table(late, ["ours", "flaml"], [0, 1]), {})] == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_anytime_allows_a_small_gap() -> None:
    def below(metric: str, ours: float | None, flaml: float | None) -> bool:
        return is_below(by_table(fits("a", metric, ours=[ours], flaml=[flaml]), ["ours", "flaml"], [0])[0], "flaml")

    assert [below("r2", 0.9, value) for value in (0.9029, 0.9031, None)] == [False, True, False]
    assert [below("log_loss", value, 0.4) for value in (0.4039, 0.4041)] == [False, True]
    assert below("roc_auc", None, 0.6)
    assert not below("roc_auc", None, None)


@pytest.mark.parametrize("metric", ["r2", "log_loss"])
def test_the_paired_bootstrap_is_that_of_a_direct_computation(metric: str) -> None:
    random = np.random.default_rng(1)
    pairs = []
    for quality in (0.5, 0.9, 0.7):
        y = random.normal(size=60) if metric == "r2" else random.integers(2, size=60)
        outputs = []
        for noise in (quality, 0.8):
            output = y + noise * random.normal(size=60)
            if metric == "log_loss":
                share = 1 / (1 + np.exp(-3 * (output - 0.5)))
                output = np.column_stack([1 - share, share])
            outputs.append(output)
        pairs.append(((y, outputs[0]), (y, outputs[1])))

    def score(y: np.ndarray, output: np.ndarray) -> float:
        if metric == "r2":
            return float(1 - ((y - output) ** 2).sum() / ((y - y.mean()) ** 2).sum())
        return float(np.log(output[np.arange(len(y)), y]).mean())

    draws = []
    for _ in range(1500):
        differences = []
        for index in random.integers(3, size=3):
            (y, first), (_, second) = pairs[index]
            rows = random.integers(60, size=60)
            differences.append(score(y[rows], first[rows]) - score(y[rows], second[rows]))
        draws.append(np.mean(differences))
    interval = paired_bootstrap(pairs, metric, resamples=2000)
    assert interval.value == pytest.approx(np.mean([score(*first) - score(*second) for first, second in pairs]))
    spread = np.std(draws)
    assert [interval.low, interval.high] == pytest.approx(list(np.quantile(draws, [0.025, 0.975])), abs=0.3 * spread)


def test_a_later_run_leaves_out_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    pd.DataFrame({"x": range(40), "y": ["1", "0"] * 20}).to_csv(path, index=False)
    table = BenchmarkTable("a", "y", path)
    ours, newer = System("ours", "python", "1"), System("ours", "python", "2")
    jobs = [Job(table, seed, 10.0, 0, system) for seed in (0, 1) for system in (ours, newer)]
    done = replace(FIT, data=make_split(table, 0).data, score=0.5)
    results = Results(tmp_path / "fits.jsonl")
    y, output = np.array([0, 1]), np.array([[0.7, 0.3], [0.2, 0.8]])
    stored = results.append(done, (y, output))
    results.append(replace(done, seed=1, data=make_split(table, 1).data, score=None, error="out of memory"))
    with results.path.open("a") as file:
        file.write('{"table": "cut off')

    resumed = Results(results.path)
    assert resumed.fits == results.fits
    assert missing_jobs(jobs, resumed) == [jobs[1], jobs[3]]
    assert missing_jobs(jobs, resumed, retry_failed=True) == jobs[1:]
    assert [array.tolist() for array in resumed.predictions(stored)] == [y.tolist(), output.tolist()]
    replaced = resumed.append(replace(done, version="2", score=0.6))
    assert newest_fits(resumed.fits, {}) == [replaced]
    assert newest_fits(resumed.fits, {"ours": "1"})[0] == stored


def test_tables_of_a_folder(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": range(60), "kind": [2, 10, 1] * 20, "left": [True, False] * 30, "price": range(60)})
    frame.to_csv(tmp_path / "one.csv.gz", index=False)
    frame.to_parquet(tmp_path / "two.parquet")
    (tmp_path / "targets.json").write_text('{"one": "kind", "two": {"target": "price", "metric": "r2"}}')
    one, two = read_tables(tmp_path, {}, None)
    split = make_split(one, 0)
    assert (split.metric, split.labels) == ("log_loss", ["1", "10", "2"])
    assert (len(split.y), split.rows, split.test.splitlines()[0]) == (12, 48, "x,left,price")
    assert make_split(two, 0).metric == "r2"
    (given, _) = read_tables(tmp_path, {"one": "left"}, None)
    assert make_split(given, 0).metric == "roc_auc"
    with pytest.raises(SystemExit, match=r"Unknown table 'three'. Tables: one, two"):
        read_tables(tmp_path, {}, ["three"])
    with pytest.raises(SystemExit, match="--target names tables that are not in the folder: three"):
        read_tables(tmp_path, {"three": "x"}, None)
    (tmp_path / "targets.json").unlink()
    with pytest.raises(SystemExit, match="The target of 'one' is unknown"):
        read_tables(tmp_path, {}, None)

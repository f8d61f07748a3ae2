"""Intervals hold the truth as often as they say: coarse versions of ``benchmarks/coverage.py``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    path = Path(__file__).parents[3] / "benchmarks" / "coverage.py"
    spec = importlib.util.spec_from_file_location("benchmark_coverage", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_few_rows_are_not_judged_and_eight_are_covered(coverage: ModuleType) -> None:
    cells = {cell.name: cell for cell in coverage.CELLS["evaluation"]()}
    few = coverage.measure(cells["two classes, 3 of 200 rows, good"], 5)
    assert {name for name, tally in few.items() if sum(tally.shown)} == {"accuracy", "gain accuracy"}
    enough = coverage.measure(cells["two classes, 8 of 200 rows, good"], 50)
    assert {name for name, tally in enough.items() if tally.misses} == set()
    assert all(sum(tally.shown) == tally.tables == 50 for tally in enough.values())


@pytest.mark.parametrize(
    ("area", "name"),
    [
        ("fairness", "decisions, 200 rows, many hits, weighted"),
        ("fairness", "scores, 100 rows, 10% positive, too sure"),
        ("fairness", "numbers by group, 40 rows, exponential"),
        ("nothing differs", "nothing differs, 5 groups of 50: decisions"),
        ("importance", "importance for R², 100 rows"),
    ],
)
def test_figures_by_group_hold_the_truth(coverage: ModuleType, area: str, name: str) -> None:
    cells = {cell.name: cell for cell in coverage.CELLS[area]()}
    tallies = coverage.measure(cells[name], 25)
    fewest = coverage.LOW - 2.6 * (0.93 * 0.07 / 25) ** 0.5
    assert {figure: tally.share for figure, tally in tallies.items() if tally.share < fewest} == {}
    assert all(sum(tally.shown) >= 10 for tally in tallies.values())


def test_a_figure_that_misses_is_marked(coverage: ModuleType) -> None:
    sound, narrow = coverage.Tally([60] * 5, [57] * 5, 300), coverage.Tally([60] * 5, [50] * 5, 300)
    one_point = coverage.Tally([60] * 5, [60, 60, 60, 60, 40], 300)
    never = coverage.Tally([0] * 5, [0] * 5, 300)
    assert [tally.misses for tally in (sound, narrow, one_point, never)] == [False, True, True, False]
    table, share = coverage.report({"here": {"a": sound, "b": narrow, "c": never}})
    assert share == 0.5
    assert "| here | b | 83.3% | 83.3% | 300 of 300 | **misses** |" in table


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("area", "tables"), [("evaluation", 40), ("fairness", 20), ("nothing differs", 20), ("importance", 40)]
)
def test_intervals_cover_over_many_situations(coverage: ModuleType, area: str, tables: int) -> None:
    results = {cell.name: coverage.measure(cell, tables) for cell in coverage.CELLS[area]()}
    table, share = coverage.report(results)
    assert share <= coverage.ALLOWED, table

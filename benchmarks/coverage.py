"""Coverage of the intervals that the product shows, by simulation: how often they hold the truth.

    python benchmarks/coverage.py [--tables 1000] [--cells fairness] [--seed 1] [--kept coverage.json] [--fresh]

A cell is one situation with several figures. Its tables come from models whose true value is measured on a large table,
and lies at one of five points of a band. Required at nominal 95%: a figure covers 93% to 98.5% over its band and 90% at
each point, but for Monte Carlo error, in at least 98% of the figures. Finished cells are kept in a file, so a run that
was interrupted continues. The exit status is 1 when more figures miss.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import coverage_fairness as fairness  # noqa: E402
from coverage_importance import importances  # noqa: E402

from core.evaluation import METRICS, Estimate, compare_outputs, compute_metrics, metric_choices, verdict_sentence  # noqa: E402

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator], list[tuple[str, float, float, float]]]
"""One simulated table: for each figure its name, true value and bounds (NaN: not shown)."""

LOW, HIGH, POINT, ALLOWED = 0.93, 0.985, 0.90, 0.02
NULL_HIGH = 0.97  # of tests where nothing differs
STRENGTHS = 5  # points of a band
_WEIGHTED = {"none": "", "random": ", weighted", "class": ", classes weighted"}


@dataclass(frozen=True)
class Cell:
    """One situation, in which several figures are measured at once.

    Parameters
    ----------
    name : str
        Situation, as ``"binary, 10 rows of the class"``.
    points : tuple of callable
        One for each point of the band of true values.
    high : float, default=0.985
        Highest share of intervals that may hold the truth: that of a test is lower, of 95% simultaneous ones 1.
    """

    name: str
    points: tuple[Draw, ...]
    high: float = HIGH


@dataclass
class Tally:
    """Tables of one figure in one cell, by point of the band: with an interval, and with one that holds the truth."""

    shown: list[int]
    held: list[int]
    tables: int = 0
    highest: float = HIGH

    @property
    def share(self) -> float:
        """Share of the shown intervals that hold the truth, averaged over the band."""
        shares = [held / shown for held, shown in zip(self.held, self.shown, strict=True) if shown]
        return float(np.mean(shares)) if shares else math.nan

    @property
    def worst(self) -> float:
        """The smallest share of any point."""
        return min((held / shown for held, shown in zip(self.held, self.shown, strict=True) if shown), default=math.nan)

    @property
    def misses(self) -> bool:
        """Whether the coverage is outside of what is required, beyond 2.6 standard errors of the simulation."""
        total = sum(self.shown)
        if not total:
            return False
        wide = [2.6 * math.sqrt(POINT * (1 - POINT) / shown) for shown in self.shown if shown]
        points = [held / shown for held, shown in zip(self.held, self.shown, strict=True) if shown]
        low = LOW - 2.6 * math.sqrt(LOW * (1 - LOW) / total)
        high = self.highest + 2.6 * math.sqrt(self.highest * (1 - self.highest) / total)
        return not low <= self.share <= high or any(
            share < POINT - margin for share, margin in zip(points, wide, strict=True)
        )


def _bounds(estimate: Estimate) -> tuple[float, float]:
    if estimate.low is None or estimate.high is None:
        return math.nan, math.nan
    return estimate.low, estimate.high


def _probabilities(random: np.random.Generator, y: NDArray[np.intp], k: int, strength: float, own: Array) -> Array:
    """Return probabilities that know the class more or less well, shifted by what rows of a group share."""
    raw = random.normal(size=(len(y), k)) + strength * np.eye(k)[y] + own[:, None] * np.eye(k)[y]
    shares = np.bincount(y, minlength=k) / len(y)
    raw = raw * max(strength, 0.3) + 0.5 * np.log(np.maximum(shares, 1e-3))
    raw = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def _classes(counts: tuple[int, ...]) -> NDArray[np.intp]:
    return np.repeat(np.arange(len(counts)), counts)


def _rows(
    counts: tuple[int, ...], strength: float, groups: int, weighted: bool, clustered: float, random: np.random.Generator
) -> tuple[NDArray[np.intp], Array, Array, NDArray[np.intp] | None, Array | None]:
    """Return classes, probabilities of two models, groups and weights of a table."""
    y = _classes(counts)
    members = random.integers(0, groups, len(y)) if groups else None
    shift = np.zeros(len(y)) if members is None else random.normal(0, clustered, groups)[members]
    model = _probabilities(random, y, len(counts), strength, shift)
    other = _probabilities(random, y, len(counts), 0.7 * strength, shift)
    other = np.where(random.random((len(y), 1)) < 0.5, model, other)  # two models agree on many rows
    weights = random.gamma(2.0, 0.5, len(y)) if weighted else None
    return y, model, other, members, weights


def _test_metrics(
    counts: tuple[int, ...], strength: float, groups: int = 0, weighted: bool = False, clustered: float = 0.7
) -> Draw:
    """Return a draw of all metrics of a classifier, and of its gains in three of them."""
    task = "binary" if len(counts) == 2 else "multiclass"
    names = metric_choices(task)
    gained = ("roc_auc", "accuracy", "log_loss")
    truth: dict[str, float] = {}

    def draw(random: np.random.Generator) -> list[tuple[str, float, float, float]]:
        if not truth:
            large = np.random.default_rng(7)
            scale = -(-60_000 // sum(counts))
            many = tuple(count * scale for count in counts)
            y, model, other, *_ = _rows(many, strength, groups and 20_000, False, clustered, large)
            truth.update(compute_metrics(names, y, model))
            second = compute_metrics(gained, y, other)
            for name in gained:
                sign = 1 if METRICS[name].larger_is_better else -1
                truth[f"gain {name}"] = sign * (truth[name] - second[name])
        y, model, other, members, weights = _rows(counts, strength, groups, weighted, clustered, random)
        figures = []
        for name in gained:
            compared = compare_outputs(
                task, name, y, {"model": model, "other": other}, groups=members, sample_weight=weights
            )
            gain = compared.gains["other"]
            figures.append((f"gain {name}", truth[f"gain {name}"], *_bounds(gain)))
        own = compared.metrics["model"]
        return figures + [(name, truth[name], *_bounds(own[name])) for name in names]

    return draw


def _errors(n: int, shape: float, spread: str, weighted: bool = False, groups: int = 0) -> Draw:
    """Return a draw of all metrics of predicted numbers, and of the gain in MAE and RMSE."""
    truth: dict[str, float] = {}

    def table(n: int, groups: int, random: np.random.Generator) -> tuple[Array, Array, Array, NDArray[np.intp] | None]:
        members = random.integers(0, groups, n) if groups else None
        shift = np.zeros(n) if members is None else random.normal(0, shape, groups)[members]
        y = random.normal(40, 2, n) + shift
        if spread == "normal":
            first, second = random.normal(0, shape, n), random.normal(0, 1.2 * shape, n)
        else:
            first = shape * random.exponential(1, n) * random.choice([-1, 1], n)
            second = 1.2 * shape * random.exponential(1, n) * random.choice([-1, 1], n)
        return y, y + first + 0.5 * shift, y + (first + second) / 1.5 + 0.5 * shift, members

    def draw(random: np.random.Generator) -> list[tuple[str, float, float, float]]:
        names = metric_choices("regression")
        if not truth:
            y, model, other, _ = table(400_000, groups and 40_000, np.random.default_rng(7))
            truth.update(compute_metrics(names, y, model))
            second = compute_metrics(["mae"], y, other)
            truth["gain mae"] = second["mae"] - truth["mae"]
        y, model, other, members = table(n, groups, random)
        weights = random.gamma(2.0, 0.5, n) if weighted else None
        compared = compare_outputs(
            "regression", "mae", y, {"model": model, "other": other}, groups=members, sample_weight=weights
        )
        own, gain = compared.metrics["model"], compared.gains["other"]
        return [(name, truth[name], *_bounds(own[name])) for name in names] + [
            ("gain mae", truth["gain mae"], *_bounds(gain))
        ]

    return draw


def _band(make: Callable[[float], Draw], low: float, high: float) -> tuple[Draw, ...]:
    return tuple(make(float(value)) for value in np.linspace(low, high, STRENGTHS))


def _evaluation_cells() -> list[Cell]:
    cells = []
    for level, (low, high) in {"weak": (0.2, 0.8), "good": (1.2, 2.0)}.items():
        for rare in (1, 3, 8, 12, 20):
            cells.append(
                Cell(
                    f"two classes, {rare} of 200 rows, {level}",
                    _band(lambda strength, rare=rare: _test_metrics((200 - rare, rare), strength), low, high),  # type: ignore[misc]
                )
            )
        cells += [
            Cell(f"two classes, 40 and 60 rows, {level}", _band(lambda s: _test_metrics((60, 40), s), low, high)),
            Cell(
                f"two classes, 20 of 200 rows, weighted, {level}",
                _band(lambda s: _test_metrics((180, 20), s, weighted=True), low, high),
            ),
            Cell(
                f"three classes, 10 of 150 rows, {level}",
                _band(lambda s: _test_metrics((80, 60, 10), s), low, high),
            ),
            Cell(
                f"two classes, 30 groups of 300 rows, {level}",
                _band(lambda s: _test_metrics((200, 100), s, groups=30), low, high),
            ),
        ]
    for n in (10, 40, 150):
        for spread in ("normal", "skewed"):
            cells.append(
                Cell(
                    f"numbers, {n} rows, {spread} errors",
                    _band(lambda shape, n=n, spread=spread: _errors(n, shape, spread), 0.5, 2.0),  # type: ignore[misc]
                )
            )
    cells += [
        Cell("numbers, 60 rows, weighted", _band(lambda s: _errors(60, s, "normal", weighted=True), 0.5, 2.0)),
        Cell("numbers, 20 groups of 200 rows", _band(lambda s: _errors(200, s, "normal", groups=20), 0.5, 2.0)),
    ]
    return cells


def _fairness_cells() -> list[Cell]:
    cells = []
    sizes: list[tuple[int, fairness.Weighting]] = [(20, "none"), (60, "none"), (200, "none"), (2_000, "none")]
    sizes += [(60, "random"), (200, "random"), (60, "class"), (200, "class")]
    for title, true, false in (("few hits", 0.05, 0.0), ("many hits", 0.55, 0.15), ("nearly all", 0.85, 0.8)):
        for n, weighting in sizes:
            make = partial(_decisions, n=n, true=true, false=false, weighting=weighting)
            cells.append(Cell(f"decisions, {n:,} rows, {title}{_WEIGHTED[weighting]}", _band(make, 0.0, 0.1)))
    tables: list[tuple[int, float, fairness.Weighting]] = [(20, 0.5, "none"), (40, 0.5, "none"), (100, 0.1, "none")]
    tables += [(200, 0.1, "none"), (2_000, 0.3, "none"), (100, 0.4, "random"), (100, 0.4, "class")]
    for n, base, weighting in tables:
        for title, shift, slope in (("calibrated", 0.0, 1.0), ("shifted", 0.4, 1.0), ("too sure", 0.0, 1.6)):
            make = partial(_scores, n=n, base=base, shift=shift, slope=slope, weighting=weighting)
            name = f"scores, {n:,} rows, {base:.0%} positive, {title}{_WEIGHTED[weighting]}"
            cells.append(Cell(name, _band(make, 1.0, 1.6)))
    for n in (20, 40, 150, 1_000):
        for spread in ("normal", "exponential", "one-sided", "uneven"):
            make = partial(_numbers, n=n, spread=spread)
            cells.append(Cell(f"numbers by group, {n:,} rows, {spread}", _band(make, 0.8, 1.2)))
    make = partial(_numbers, n=60, spread="normal", weighting="random")
    cells.append(Cell("numbers by group, 60 rows, normal, weighted", _band(make, 0.8, 1.2)))
    return cells


def _decisions(rate: float, *, n: int, true: float, false: float, weighting: fairness.Weighting) -> Draw:
    return fairness.decisions(n, 300, 0.4, true + rate, false + rate, weighting)


def _scores(strength: float, *, n: int, base: float, shift: float, slope: float, weighting: fairness.Weighting) -> Draw:
    return fairness.scores(n, 500, strength, base, shift, slope, weighting)


def _numbers(scale: float, *, n: int, spread: str, weighting: fairness.Weighting = "none") -> Draw:
    return fairness.numbers(n, 300, spread, scale, weighting)


def _null_cells() -> list[Cell]:
    """Tests where nothing differs: the interval of a figure holds 0 where the test finds nothing."""
    cells = []
    tables = {"5 groups of 50": [50] * 5, "20 groups of 40": [40] * 20, "5 uneven groups": [1_500, 1_200, 60, 40, 30]}
    for title, sizes in tables.items():
        weightings: tuple[fairness.Weighting, ...] = ("none", "random")
        for weighting in weightings:
            rates = partial(_no_difference_in_decisions, sizes=sizes, weighting=weighting)
            areas = partial(_no_difference_in_scores, sizes=sizes, weighting=weighting)
            name = f"nothing differs, {title}{_WEIGHTED[weighting]}"
            cells += [
                Cell(f"{name}: decisions", _band(rates, 0.1, 0.4), NULL_HIGH),
                Cell(f"{name}: scores", _band(areas, 1.0, 2.0), NULL_HIGH),
            ]
        for spread in ("normal", "exponential"):
            draws = (fairness.null_numbers(sizes, spread),)
            cells.append(Cell(f"nothing differs, {title}: numbers, {spread}", draws, NULL_HIGH))
    draws = (fairness.null_numbers([50] * 5, "normal", "random"),)
    cells.append(Cell("nothing differs, 5 groups of 50, weighted: numbers, normal", draws, NULL_HIGH))
    for rare in (8, 20, 100):
        cells.append(Cell(f"a model that guesses, {rare} of 200 rows", (_guessing(rare),), 1.0))
    return cells


def _no_difference_in_decisions(share: float, *, sizes: list[int], weighting: fairness.Weighting) -> Draw:
    return fairness.null_decisions(sizes, share, weighting)


def _no_difference_in_scores(strength: float, *, sizes: list[int], weighting: fairness.Weighting) -> Draw:
    return fairness.null_scores(sizes, strength, weighting)


def _guessing(rare: int) -> Draw:
    """Return a draw of whether a verdict calls a model of chance alone better or worse than guessing."""

    def draw(random: np.random.Generator) -> list[tuple[str, float, float, float]]:
        y = _classes((200 - rare, rare))
        chance = np.clip(random.normal(rare / 200, 0.3 * rare / 200, 200), 0.001, 0.999)
        outputs = {
            "model": np.column_stack([1 - chance, chance]),
            "prior": np.tile([1 - rare / 200, rare / 200], (200, 1)),
        }
        gain = compare_outputs("binary", "roc_auc", y, outputs).gains["prior"]
        sentence = verdict_sentence("ROC AUC", {"prior": gain}, {"prior": "guessing"})
        wrong = sentence.startswith(("Better", "Worse"))
        return [("verdict", 0.0, 1.0 if wrong else 0.0, 2.0)]

    return draw


def _importance_cells() -> list[Cell]:
    cells = []
    for n in (100, 400, 2_000):
        draws = tuple(importances(n, "r2", noise) for noise in np.linspace(0.5, 2.5, STRENGTHS))
        cells.append(Cell(f"importance for R², {n:,} rows", draws))
        cells.append(Cell(f"importance for ROC AUC, {n:,} rows", (importances(n, "roc_auc"),)))
    return cells


CELLS: dict[str, Callable[[], list[Cell]]] = {
    "evaluation": _evaluation_cells,
    "fairness": _fairness_cells,
    "nothing differs": _null_cells,
    "importance": _importance_cells,
}
"""Cells by the area that they belong to; a further area is one more entry."""


def measure(cell: Cell, tables: int, seed: int = 0) -> dict[str, Tally]:
    """Return the tallies of a cell's figures over a number of tables, the same for each point."""
    further = [seed] if seed else []
    tallies: dict[str, Tally] = {}
    for index, draw in enumerate(cell.points):
        random = np.random.default_rng([index, zlib.crc32(cell.name.encode()), *further])
        for _ in range(-(-tables // len(cell.points))):
            for figure, truth, low, high in draw(random):
                highest = 1.0 if figure.startswith("surest gap") else cell.high  # for all pairs together
                empty = Tally([0] * len(cell.points), [0] * len(cell.points), highest=highest)
                tally = tallies.setdefault(figure, empty)
                tally.tables += 1
                if math.isfinite(low) and math.isfinite(high):
                    tally.shown[index] += 1
                    tally.held[index] += int(low <= truth <= high)
    return tallies


def report(results: dict[str, dict[str, Tally]]) -> tuple[str, float]:
    """Return the table in Markdown, and the share of the shown figures that miss."""
    lines = ["| situation | figure | coverage | lowest point | shown |  |", "|---|---|---|---|---|---|"]
    shown = missed = 0
    for name, tallies in results.items():
        for figure, tally in tallies.items():
            total = sum(tally.shown)
            shown += total > 0
            missed += tally.misses
            held = f"{tally.share:.1%} | {tally.worst:.1%}" if total else "no interval |"
            mark = "**misses**" if tally.misses else ""
            lines.append(f"| {name} | {figure} | {held} | {total:,} of {tally.tables:,} | {mark} |")
    return "\n".join(lines), missed / max(shown, 1)


def main() -> int:
    """Measure the chosen cells, print them, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=1_000, help="tables per cell, over all points of its band")
    parser.add_argument("--cells", default="", help="only cells whose area or name contains this")
    parser.add_argument("--kept", type=Path, default=Path("coverage.json"), help="file of the finished cells")
    parser.add_argument("--seed", type=int, default=0, help="seed of the tables")
    parser.add_argument("--fresh", action="store_true", help="measure finished cells again")
    options = parser.parse_args()
    kept = {} if options.fresh or not options.kept.exists() else json.loads(options.kept.read_text(encoding="utf-8"))
    results = {}
    for area, make in CELLS.items():
        for cell in make():
            if options.cells not in area and options.cells not in cell.name:
                continue
            key = f"{cell.name} @{options.tables}" + (f" seed {options.seed}" if options.seed else "")
            if key not in kept:
                kept[key] = {
                    figure: asdict(tally) for figure, tally in measure(cell, options.tables, options.seed).items()
                }
                options.kept.write_text(json.dumps(kept), encoding="utf-8")
                print(f"finished: {cell.name}", file=sys.stderr)
            results[cell.name] = {figure: Tally(**values) for figure, values in kept[key].items()}
    table, share = report(results)
    print(table)
    print(f"\n{share:.1%} of the figures miss (allowed: {ALLOWED:.0%}).")
    return int(share > ALLOWED)


if __name__ == "__main__":
    raise SystemExit(main())

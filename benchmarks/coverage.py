"""Coverage of the intervals that the product shows, by simulation: how often they hold the truth.

    python benchmarks/coverage.py [--tables 1000] [--cells fairness] [--seed 1] [--kept coverage.json] [--fresh]

A cell is one situation with several figures. Its tables come from models whose true value is measured on a large table,
and lies at one of five points of a band. Required at nominal 95%: a figure covers 93% to 98.5% over its band and 90% at
each point, but for the error of the simulation, in at least 98% of the figures. Finished cells are kept in a file, so a
run that was interrupted continues. The exit status is 1 when more figures miss.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import binom

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from coverage_cells import CELLS, HIGH, Cell  # noqa: E402

LOW, POINT, ALLOWED = 0.93, 0.90, 0.02
RARE = 0.005


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
        """Whether the coverage is outside of what is required, by more than the simulation errs in one of 200 cases."""
        held, total = sum(self.held), sum(self.shown)
        low = binom.cdf(held, total, LOW) < RARE
        high = binom.sf(held - 1, total, self.highest) < RARE
        points = [binom.cdf(held, shown, POINT) < RARE for held, shown in zip(self.held, self.shown, strict=True)]
        return bool(total) and bool(low or high or any(points))


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

"""How good a model is after 5 seconds, and after 300: test score against budget, on a quiet machine and a busy one.

Same fits, results and options as `automl_peers.py`, beside FLAML and AutoGluon. Busy: so many endless loops on the
same two cores, which this script starts and ends, at the usual priority (do not start the script with `nice`). Three
seeds at 10, 30 and 60 s, one elsewhere. A system that fails is a result. Prints a table, writes a chart (SVG or PNG),
and judges what is asked: on at least five tables of six ours is nowhere below a peer by more than 0.003 AUC, 0.003 R²
or 1% log loss; each search of up to 10,000 rows ends in a model; on a quiet machine it is ready between 92% and 102% of
its budget.

    python benchmarks/anytime.py [--folder tables --target churn=left] [--python autogluon=/path/to/python]
        [--budgets 5 10 20 30 60 120 300] [--busy 16] [--results anytime.jsonl] [--chart anytime.svg]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.automl_fits import Job  # noqa: E402
from benchmarks.automl_options import (  # noqa: E402
    add_arguments,
    chosen_systems,
    chosen_tables,
    measured_fits,
    reported_fits,
)
from benchmarks.automl_results import Fit  # noqa: E402
from benchmarks.automl_summary import (  # noqa: E402
    OURS,
    TableFits,
    Verdict,
    by_table,
    listed,
    markdown,
    over_budget,
)
from benchmarks.automl_systems import SYSTEMS  # noqa: E402
from core.charts import PRINT  # noqa: E402
from core.evaluation import METRICS  # noqa: E402

BUDGETS, REPEATED = (5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0), (10.0, 30.0, 60.0)
TOLERANCE, RELATIVE_TOLERANCE = 0.003, 0.01
ENOUGH = 5 / 6
"""Share of the tables on which ours must be nowhere below."""
READY = (0.92, 1.02)
MOST_ROWS = 10_000


@dataclass(frozen=True)
class Point:
    """The fits of one table at one budget and load."""

    busy: int
    budget: float
    fits: TableFits


def points_of(
    fits: Sequence[Fit], systems: Sequence[str], seeds: Sequence[int], jobs: set[tuple[int, float]]
) -> list[Point]:
    """Return the points of all tables, by load and budget; those that were asked for."""
    points = []
    for busy, budget in sorted(jobs):
        here = [fit for fit in fits if (fit.busy, fit.budget) == (busy, budget)]
        points += [Point(busy, budget, table) for table in by_table(here, systems, seeds_at(budget, seeds))]
    return points


def seeds_at(budget: float, seeds: Sequence[int]) -> Sequence[int]:
    """Return the seeds of a budget: all of them where fits are repeated, elsewhere the first."""
    return seeds if budget in REPEATED else seeds[:1]


def is_below(table: TableFits, peer: str) -> bool:
    """Return whether ours is below a peer by more than is allowed, or has no model where the peer has one."""
    ours, theirs = table.by_system[OURS], table.by_system[peer]
    if any(fit.score is not None and seed in ours and ours[seed].score is None for seed, fit in theirs.items()):
        return True
    allowed = TOLERANCE if table.metric != "log_loss" else RELATIVE_TOLERANCE * table.score(peer)
    return table.gap(peer) < -allowed


def judge(points: Sequence[Point]) -> list[Verdict]:
    """Judge what is asked; a table with a point that is not complete does not count."""
    names = list(dict.fromkeys(point.fits.name for point in points))
    whole = [name for name in names if all(point.fits.complete() for point in points if point.fits.name == name)]
    below = {
        name: [
            f"{name} ({peer}, {point.budget:g} s, {_load(point.busy)})"
            for point in points
            for peer in point.fits.by_system
            if point.fits.name == name and peer != OURS and is_below(point.fits, peer)
        ]
        for name in whole
    }
    held = sum(not items for items in below.values())
    where = [item for items in below.values() for item in items]
    own = [fit for point in points for fit in point.fits.by_system[OURS].values()]
    small = [fit for fit in own if fit.rows <= MOST_ROWS and fit.budget >= 5]
    without = [
        f"{fit.table} ({fit.budget:g} s, {_load(fit.busy)}, seed {fit.seed})" for fit in small if fit.score is None
    ]
    quiet = [fit for fit in own if fit.busy == 0 and fit.seconds is not None]
    shares = [fit.seconds / fit.budget for fit in quiet if fit.seconds is not None]
    ready = sum(READY[0] <= share <= READY[1] for share in shares)
    return [
        Verdict(
            "nowhere below a peer by more than 0.003 AUC, 0.003 R² or 1% log loss, on at least 5 of 6 tables",
            f"{held} of {len(whole)} complete tables; below: {listed(where)}",
            bool(whole) and held >= ENOUGH * len(whole),
        ),
        Verdict(
            "each search of up to 10,000 rows with 5 s or more ends in a model",
            f"{len(small) - len(without)} of {len(small)}; without: {listed(without)}",
            bool(small) and not without,
        ),
        Verdict(
            "ready between 92% and 102% of the budget on a quiet machine",
            f"{ready} of {len(shares)}"
            + (f"; shortest {min(shares):.0%}, longest {max(shares):.0%}" if shares else ""),
            bool(shares) and ready == len(shares),
        ),
    ]


def _load(busy: int) -> str:
    return f"{busy} loops" if busy else "quiet"


def table_of(points: Sequence[Point], systems: Sequence[str], busy: int) -> str:
    """Return the scores at one load: a row per table and system, a column per budget."""
    here = [point for point in points if point.busy == busy]
    budgets = sorted({point.budget for point in here})
    rows = []
    for name in dict.fromkeys(point.fits.name for point in here):
        at = {point.budget: point.fits for point in here if point.fits.name == name}
        metric = METRICS[next(iter(at.values())).metric].title
        for system in systems:
            rows.append([name, metric, system, *(_cell(at.get(budget), system) for budget in budgets)])
    return markdown(["table", "metric", "system", *(f"{budget:g} s" for budget in budgets)], rows)


def _cell(table: TableFits | None, system: str) -> str:
    if table is None or not table.by_system[system]:
        return "not yet"
    fits = list(table.by_system[system].values())
    failures = table.failures(system)
    if failures == len(fits):
        return "failed"
    text = f"{table.score(system):.4f}"
    if system == OURS and not any(is_below(table, peer) for peer in table.by_system if peer != OURS):
        text = f"**{text}**"
    late = [fit.seconds for fit in fits if over_budget(fit) > 0 and fit.seconds is not None]
    notes = [f"{failures} of {len(fits)} failed"] if failures else []
    notes += [f"{max(late):.0f} s"] if late else []
    return f"{text} ({', '.join(notes)})" if notes else text


def draw(points: Sequence[Point], systems: Sequence[str], path: Path) -> None:
    """Write the chart: a row per table, a column per load, a line per system."""
    import altair as alt
    import pandas as pd

    records: list[dict[str, Any]] = []
    for point in points:
        for system in systems:
            fits = point.fits.by_system[system].values()
            score = point.fits.score(system)
            kept = "late" if any(over_budget(fit) > 0 for fit in fits) else "in time"
            if fits:
                state = kept if score == score else "no model"
                record = {"table": point.fits.name, "busy": point.busy, "budget": point.budget, "system": system}
                records.append(record | {"score": score, "state": state})
    frame = pd.DataFrame(records)
    rows = []
    budgets = sorted(frame["budget"].unique().tolist())
    scale = alt.Scale(type="log", domain=[0.85 * budgets[0], 1.15 * budgets[-1]], nice=False)
    for name, own in frame.groupby("table", sort=False):
        metric = METRICS[next(point.fits.metric for point in points if point.fits.name == name)]
        worst = own["score"].min() if metric.larger_is_better else own["score"].max()
        own = own.assign(score=own["score"].fillna(worst))  # where a failure is marked
        cells = []
        for busy, cell in own.groupby("busy"):
            base = alt.Chart(cell, width=320, height=180, title=f"{name}, {_load(int(str(busy)))}").encode(
                x=alt.X("budget:Q", title="budget (s)", scale=scale, axis=alt.Axis(values=budgets)),
                y=alt.Y("score:Q", title=metric.title, scale=alt.Scale(zero=False)),
                color=alt.Color(
                    "system:N",
                    title=None,
                    scale=alt.Scale(domain=list(systems), range=list(PRINT.categorical[: len(systems)])),
                ),
            )
            line = base.transform_filter("datum.state != 'no model'").mark_line()
            shapes = alt.Scale(domain=["in time", "late", "no model"], range=["circle", "triangle-right", "cross"])
            marks = base.mark_point(filled=True, size=60).encode(shape=alt.Shape("state:N", title=None, scale=shapes))
            cells.append(line + marks)
        rows.append(alt.hconcat(*cells).resolve_scale(y="shared"))
    alt.vconcat(*rows).resolve_scale(color="shared", shape="shared").save(str(path))


def main() -> int:
    """Measure, print, draw and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, [OURS, "flaml", "autogluon_medium"], "anytime.jsonl")
    parser.add_argument("--budgets", type=float, nargs="+", default=list(BUDGETS), help="seconds")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0, 1, 2], help="all at 10, 30, 60 s; elsewhere the first"
    )
    parser.add_argument("--busy", type=int, default=16, help="number of busy loops; 0 measures the quiet machine only")
    parser.add_argument("--chart", type=Path, default=Path("anytime.svg"), help="file that ends in .svg or .png")
    arguments = parser.parse_args()
    loads = sorted({0, arguments.busy})
    if arguments.report:
        fits = reported_fits(arguments)
        asked = {(fit.busy, fit.budget) for fit in fits}
    else:
        tables, chosen = chosen_tables(arguments), chosen_systems(arguments)
        asked = {(busy, budget) for busy in loads for budget in arguments.budgets}
        jobs = [
            Job(table, seed, budget, busy, system)
            for busy in loads
            for seed in arguments.seeds
            for budget in arguments.budgets
            if seed in seeds_at(budget, arguments.seeds)
            for table in tables
            for system in chosen
        ]
        fits = measured_fits(arguments, chosen, tables, jobs)
    systems = [system for system in SYSTEMS if any(fit.system == system for fit in fits)]
    points = points_of(fits, systems, arguments.seeds, asked)
    if OURS not in systems or len(systems) < 2 or not points:
        print("Nothing to compare: the results need fits of ours and of a peer.")
        return 1
    for busy in sorted({point.busy for point in points}):
        print(f"\n{_load(busy).capitalize()}; a time is that of a model that came late\n")
        print(table_of(points, systems, busy))
    draw(points, systems, arguments.chart)
    print(f"\nChart: {arguments.chart}\n")
    verdicts = judge(points)
    incomplete = sorted({point.fits.name for point in points if not point.fits.complete()})
    print(*verdicts, sep="\n")
    if incomplete:
        print(f"- INCOMPLETE: {listed(incomplete)}")
    passed = not incomplete and all(verdict.met for verdict in verdicts)
    print("\nPASS" if passed else "\nFALLS SHORT")
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())

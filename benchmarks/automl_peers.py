"""How good a search is beside its peers with the same rows, cores and wall-clock time.

Each table is split 80/20 once per seed; each system gets the same training rows in a process of its own on two cores,
and its probabilities (or numbers) of the same test rows are scored here: ROC AUC for two classes, log loss for several,
R² for numbers. All systems optimize the same metric. FLAML is installed with this project. AutoGluon (two systems:
medium_quality and best_quality), H2O and mljar run in environments of their own, given by their Python. Each fit is
appended to the results at once; a later run resumes with what is missing. The summary is printed as Markdown, with what
is asked: best mean rank, mean gap to the best peer at least -0.003, no peer better by more than 0.002 with 95%
confidence on any table, no search over its budget.

With --parallel: a fixed list of 60 single-threaded configurations by two searchers in at most 1/1.6 of the time of one,
and in free search a best score that is not below that of one.

    python benchmarks/automl_peers.py [--folder tables --target churn=left] [--tables adult ...] [--budget 60]
        [--seeds 0 1 2] [--python autogluon=/path/to/python h2o=... mljar=...] [--results peers.jsonl] [--parallel]
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

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
from benchmarks.automl_parallel import parallel  # noqa: E402
from benchmarks.automl_results import Fit, Results  # noqa: E402
from benchmarks.automl_summary import (  # noqa: E402
    MARGIN,
    OURS,
    Interval,
    TableFits,
    by_table,
    judge,
    listed,
    markdown,
    mean_ranks,
    over_budget,
    paired_bootstrap,
)
from benchmarks.automl_systems import SYSTEMS  # noqa: E402
from benchmarks.automl_tables import SAMPLES  # noqa: E402
from core.evaluation import METRICS  # noqa: E402


def summarize(fits: Sequence[Fit], seeds: Sequence[int], results: Results) -> bool:
    """Print what the fits of one budget say; return whether all that is asked is met, by complete tables."""
    systems = [system for system in SYSTEMS if any(fit.system == system for fit in fits)]
    tables = by_table(fits, systems, seeds)
    peers = [system for system in systems if system != OURS]
    if not tables or not peers or OURS not in systems:
        print("\nNothing to compare: the results need fits of ours and of a peer.")
        return False
    print(f"\n{_provenance(fits, systems)}\n")
    complete = [table for table in tables if table.complete()]
    print(_scores(tables, complete, systems), end="\n\n")
    intervals = {
        table.name: {
            peer: paired_bootstrap(pairs, table.metric)
            for peer in peers
            if (pairs := table.paired(peer, results.predictions))
        }
        for table in complete
    }
    print(_gaps(complete, intervals), end="\n\n")
    verdicts = judge(complete, intervals) if complete else []
    print(*verdicts, sep="\n")
    open_tables = [table.name for table in tables if not table.complete()]
    if open_tables:
        print(f"- INCOMPLETE, left out of ranks and verdicts: {listed(open_tables)}")
    missing = [system for system in SYSTEMS if system not in systems]
    if missing:
        print(f"- Not measured: {listed(missing)}")
    return bool(verdicts) and not open_tables and all(verdict.met for verdict in verdicts)


def _provenance(fits: Sequence[Fit], systems: Sequence[str]) -> str:
    versions = {fit.system: fit.version + (f" (commit {fit.commit})" if fit.commit else "") for fit in fits}
    loads = [fit.load_start for fit in fits]
    return (
        f"{fits[0].budget:g} s; "
        + ", ".join(f"{system} {versions[system]}" for system in systems)
        + f". Load average at the start of a fit: median {statistics.median(loads):.1f}, highest {max(loads):.1f}."
    )


def _scores(tables: Sequence[TableFits], complete: Sequence[TableFits], systems: Sequence[str]) -> str:
    rows = [
        [table.name, METRICS[table.metric].title, *(_cell(table, system) for system in systems)] for table in tables
    ]
    if complete:
        ranks = mean_ranks(complete)
        rows.append([f"mean rank ({len(complete)} tables)", "", *(f"{ranks[system]:.2f}" for system in systems)])
    late, median = [], []
    for system in systems:
        own = [fit for table in tables for fit in table.by_system[system].values() if fit.seconds is not None]
        over = [fit.seconds for fit in own if over_budget(fit) > 0 and fit.seconds is not None]
        late.append(f"{len(over)} of {len(own)}" + (f", at most {max(over):.1f} s" if over else ""))
        times = [fit.seconds for fit in own if fit.seconds is not None]
        median.append(f"{statistics.median(times):.1f} s" if times else "")
    rows += [["over budget", "", *late], ["to a model (median)", "", *median]]
    return markdown(["table", "metric", *systems], rows)


def _cell(table: TableFits, system: str) -> str:
    fits, failures = table.by_system[system], table.failures(system)
    if not fits:
        return "not yet"
    if failures == len(fits):
        return "failed"
    best = min(table.ranks().values()) == table.ranks()[system]
    text = f"**{table.score(system):.4f}**" if best else f"{table.score(system):.4f}"
    if failures:
        return f"{text} ({failures} of {len(fits)} failed)"
    return text if len(fits) == len(table.seeds) else f"{text} ({len(fits)} of {len(table.seeds)})"


def _gaps(tables: Sequence[TableFits], intervals: dict[str, dict[str, Interval]]) -> str:
    head = [
        "table",
        "best peer",
        "ours minus best peer",
        "best peer minus ours, 95% interval",
        f"peers surely better by more than {MARGIN}",
    ]
    rows = []
    for table in tables:
        peer, known = table.best_peer(), intervals[table.name]
        better = [name for name, interval in known.items() if interval.low > MARGIN]
        if peer is None:
            rows.append([table.name, "none has a model", "", "", ""])
            continue
        gap = f"{table.gap(peer):+.4f}" + (" (loss, turned)" if table.metric == "log_loss" else "")
        interval = known.get(peer)
        shown = "" if interval is None else f"{interval.value:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"
        rows.append([table.name, peer, gap, shown, listed(better)])
    return markdown(head, rows)


def peers(arguments: argparse.Namespace, seeds: list[int]) -> bool:
    """Measure every system on every table, and print the summary."""
    if arguments.report:
        fits = reported_fits(arguments)
    else:
        tables, systems = chosen_tables(arguments), chosen_systems(arguments)
        jobs = [
            Job(table, seed, arguments.budget, 0, system) for seed in seeds for table in tables for system in systems
        ]
        fits = measured_fits(arguments, systems, tables, jobs)
    asked = [fit for fit in fits if fit.budget == arguments.budget and fit.busy == 0 and fit.seed in seeds]
    return summarize(asked, seeds, Results(arguments.results))


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser, list(SYSTEMS), "peers.jsonl")
    parser.add_argument("--budget", type=float, default=60, help="seconds")
    parser.add_argument("--seeds", type=int, nargs="+", help="default: 0 1 2; with --parallel 0 to 4")
    parser.add_argument("--parallel", action="store_true", help="compare one searcher with two instead")
    arguments = parser.parse_args()
    if arguments.parallel:
        passed = parallel(arguments.tables or list(SAMPLES), arguments.seeds or list(range(5)), arguments.budget)
    else:
        passed = peers(arguments, arguments.seeds or [0, 1, 2])
    print("\nPASS" if passed else "\nFALLS SHORT")
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())

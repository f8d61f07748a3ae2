"""Options that the comparisons of AutoML systems share."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.automl_fits import Job, System, describe, find_systems, measure_all, missing_jobs
from benchmarks.automl_results import Fit, Results
from benchmarks.automl_summary import newest_fits
from benchmarks.automl_systems import SYSTEMS
from benchmarks.automl_tables import BenchmarkTable, read_tables


def add_arguments(parser: argparse.ArgumentParser, systems: list[str], results: str) -> None:
    """Add the options, with the default systems and file of results."""
    parser.add_argument("--folder", type=Path, help="folder of tables (csv, csv.gz, parquet); by default the samples")
    parser.add_argument(
        "--target",
        nargs="+",
        default=[],
        metavar="TABLE=COLUMN",
        help="targets; also read from targets.json or targets.toml in the folder",
    )
    parser.add_argument("--tables", nargs="+", help="names of tables in the folder or of samples")
    parser.add_argument("--python", nargs="+", default=[], metavar="PEER=PATH", help="autogluon, h2o, mljar")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=systems)
    parser.add_argument("--results", type=Path, default=Path(results), help="file to append to, and to resume from")
    parser.add_argument("--minutes", type=float, help="begin no fit after so many minutes; a later run resumes")
    parser.add_argument("--retry-failed", action="store_true", help="repeat the fits that ended without a model")
    parser.add_argument("--report", action="store_true", help="measure nothing; summarize the results")


def pairs(items: list[str], option: str) -> dict[str, str]:
    """Return NAME=VALUE items as a dictionary."""
    if wrong := [item for item in items if "=" not in item]:
        raise SystemExit(f"{option} takes NAME=VALUE, not {wrong[0]!r}")
    return dict(item.split("=", 1) for item in items)


def chosen_tables(arguments: argparse.Namespace) -> list[BenchmarkTable]:
    """Return the tables that the options ask for."""
    return read_tables(arguments.folder, pairs(arguments.target, "--target"), arguments.tables)


def chosen_systems(arguments: argparse.Namespace) -> list[System]:
    """Return the systems that the options ask for and give a Python for."""
    pythons = pairs(arguments.python, "--python")
    if strangers := set(pythons) - {"autogluon", "h2o", "mljar"}:
        raise SystemExit(f"--python takes autogluon, h2o and mljar, not {', '.join(sorted(strangers))}")
    return find_systems(arguments.systems, pythons)


def measured_fits(
    arguments: argparse.Namespace, systems: list[System], tables: list[BenchmarkTable], jobs: list[Job]
) -> list[Fit]:
    """Do what is missing, and return the fits of the given tables that belong together, also those of earlier runs."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that processes and busy loops are ended
    results = Results(arguments.results)
    missing = missing_jobs(jobs, results, arguments.retry_failed)
    hours, done = sum(job.budget for job in missing) / 3600, len(jobs) - len(missing)
    print(f"{done} of {len(jobs)} fits are in {arguments.results}; budgets of the others: {hours:.2f} h")
    if not measure_all(missing, results, arguments.minutes, lambda fit: print(describe(fit), flush=True)):
        print("The time is up; run the same command again to resume.")
    names = {table.name for table in tables}
    versions = {system.name: system.version for system in systems}
    return newest_fits((fit for fit in results.fits if fit.table in names), versions)


def reported_fits(arguments: argparse.Namespace) -> list[Fit]:
    """Return the fits in the results that belong together, of the named tables or of all."""
    if not arguments.results.exists():
        raise SystemExit(f"There are no results in {arguments.results}")
    fits = Results(arguments.results).fits
    return newest_fits((fit for fit in fits if not arguments.tables or fit.table in arguments.tables), {})

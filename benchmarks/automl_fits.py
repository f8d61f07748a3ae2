"""One fit of one AutoML system: done in a process of its own, judged, and appended to the results at once.

The version of this project is the hash of `core/automl` and `core/features`; the commit is noted beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks.automl_results import Fit, Key, Pair, Results
from benchmarks.automl_systems import PACKAGES
from benchmarks.automl_tables import BenchmarkTable, Split, make_split

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "benchmarks" / "automl_systems.py"
CORES = 2
MARK = "PLUMBLINE_BENCHMARK_FIT"
"""Environment variable by which the processes of a fit are known."""
LOOP = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(10**6): pass"


class FitError(Exception):
    """A system that failed or returned nothing usable; the message says what."""


@dataclass(frozen=True)
class System:
    """A system by its name, the Python that has it, and its version."""

    name: str
    python: str
    version: str
    commit: str | None = None


@dataclass(frozen=True)
class Job:
    """A fit that is asked for."""

    table: BenchmarkTable
    seed: int
    budget: float
    busy: int
    system: System


def missing_jobs(jobs: list[Job], results: Results, retry_failed: bool = False) -> list[Job]:
    """Return the jobs without a fit; with `retry_failed`, a failed fit does not count."""
    done = {fit.key for fit in results.fits if not (retry_failed and fit.error)}
    return [job for job in jobs if _key(job) not in done]


def _key(job: Job) -> Key:
    data = make_split(job.table, job.seed).data
    return (job.table.name, data, job.seed, job.budget, job.busy, job.system.name, job.system.version)


def find_systems(names: list[str], pythons: dict[str, str]) -> list[System]:
    """Return the systems that can be measured, with their versions; those without a Python are named."""
    systems = []
    for name in names:
        if name == "ours":
            systems.append(System(name, sys.executable, _source_hash(), _commit()))
            continue
        python = sys.executable if name == "flaml" else pythons.get(name.partition("_")[0])
        if python is None:
            print(f"{name}: not measured, no --python {name.partition('_')[0]}=... was given")
            continue
        command = [python, str(SCRIPT), "--version", name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{python} has no {PACKAGES[name]}: {_last_line(done.stderr)}")
        systems.append(System(name, python, done.stdout.strip()))
    return systems


def _source_hash() -> str:
    content = hashlib.sha256()
    for package in ("automl", "features"):
        for path in sorted((ROOT / "core" / package).rglob("*.py")):
            content.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return content.hexdigest()[:12]


def _commit() -> str | None:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        return git("rev-parse", "--short=10", "HEAD") + ("+changes" if git("status", "--porcelain", "core") else "")
    except (OSError, subprocess.CalledProcessError):
        return None  # an archive without its history


@contextlib.contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep the cores of the fits busy with so many endless loops, at the usual priority."""
    loops = [subprocess.Popen([sys.executable, "-c", LOOP]) for _ in range(count)]
    try:
        for loop in loops:
            if os.getpriority(os.PRIO_PROCESS, loop.pid) != 0:
                os.setpriority(os.PRIO_PROCESS, loop.pid, 0)
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(loop.pid, sorted(os.sched_getaffinity(0))[:CORES])
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def run_process(
    system: System, split: Split, budget: float, **settings: Any
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """Fit in a process of its own; return its answer and the output of the test rows, in the order of the labels.

    Raises
    ------
    FitError
        When the process fails, ends without usable predictions, or has not ended after ten budgets and ten minutes.
    """
    job = {
        "target": split.table.target,
        "metric": split.metric,
        "budget": budget,
        "seed": split.seed,
        "cores": CORES,
        "settings": settings,
    }
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as scratch:
        folder = Path(scratch)
        (folder / "train.csv").write_text(split.train)
        (folder / "test.csv").write_text(split.test)
        (folder / "job.json").write_text(json.dumps(job))
        with (folder / "log").open("w") as log:
            command = [system.python, str(SCRIPT), system.name, str(folder)]
            environment = os.environ | {MARK: folder.name}
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment)
            try:
                status = process.wait(timeout=10 * budget + 600)
            except subprocess.TimeoutExpired:
                raise FitError(f"no answer after {10 * budget + 600:.0f} s") from None
            finally:
                _end(folder.name)
                process.wait()
        if status:
            text = (folder / "log").read_text(errors="replace")
            raise FitError(_last_line(text) if status > 0 else f"ended by signal {-status}")
        return json.loads((folder / "answer.json").read_text()), _aligned(folder, split)


def _aligned(folder: Path, split: Split) -> NDArray[np.float64]:
    output = np.load(folder / "output.npy")
    if split.labels:
        labels = json.loads((folder / "answer.json").read_text())["labels"]
        if strangers := sorted(set(labels) - set(split.labels)):
            raise FitError(f"predicts classes that the table does not have: {', '.join(strangers)}")
        probabilities = np.zeros((len(output), len(split.labels)))
        probabilities[:, [split.labels.index(label) for label in labels]] = output
        output = probabilities
    if len(output) != len(split.y) or not np.isfinite(output).all():
        raise FitError("its predictions are not finite numbers for all test rows")
    return np.asarray(output, dtype=np.float64)


def _end(mark: str) -> None:
    """End what a fit started and left behind, such as a server of H2O that did not answer, and the fit if it runs."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            if process.environ().get(MARK) == mark:
                process.kill()


def _last_line(text: str) -> str:
    return ([line for line in text.splitlines() if line.strip()] or ["no message"])[-1].strip()[:200]


def measure(job: Job, results: Results) -> Fit:
    """Do a fit, store it and return it; a failure is a result too."""
    from core.evaluation import compute_metric

    split = make_split(job.table, job.seed)
    system, began, load = job.system, time.perf_counter(), os.getloadavg()[0]
    fit = Fit(
        *_key(job),
        commit=system.commit,
        metric=split.metric,
        rows=split.rows,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        load_start=load,
        load_end=load,
        wall=0,
    )
    predictions: Pair | None = None
    changes: dict[str, Any]
    try:
        answer, output = run_process(system, split, job.budget)
        predictions = split.y, output
        score = compute_metric(split.metric, split.y, output)
        changes = {"seconds": answer["seconds"], "score": score, "what": str(answer["what"])}
    except FitError as error:
        changes = {"error": str(error)}
    fit = replace(fit, wall=time.perf_counter() - began, load_end=os.getloadavg()[0], **changes)
    return results.append(fit, predictions)


def measure_all(jobs: list[Job], results: Results, minutes: float | None, report: Callable[[Fit], None]) -> bool:
    """Do the jobs in their order, with busy loops where asked; return whether there was time for all.

    Parameters
    ----------
    minutes : float or None
        Minutes after which no fit is begun; a later run resumes.
    """
    end = None if minutes is None else time.monotonic() + 60 * minutes
    for busy, group in groupby(jobs, key=lambda job: job.busy):
        with busy_loops(busy):
            for job in group:
                if end is not None and time.monotonic() > end:
                    return False
                report(measure(job, results))
    return True


def describe(fit: Fit) -> str:
    """Return a line about a fit."""
    head = f"  {fit.table:14} seed {fit.seed}  {fit.budget:4g} s  {fit.busy:2} loops  {fit.system:16}"
    load = f"load {fit.load_start:.1f} to {fit.load_end:.1f}"
    if fit.error is not None:
        return f"{head} failed after {fit.wall:.1f} s: {fit.error}   {load}"
    return f"{head} {fit.score:.4f}  {fit.seconds:6.1f} s (process {fit.wall:.1f} s)  {fit.what}   {load}"

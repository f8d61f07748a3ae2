"""What a second node gains: ``python -m benchmarks.scale_search``.

A fixed list of 60 single-threaded configurations is tried on one node and on two, each with one core, of a Ray cluster
on this machine, in turns, each time in a new process, as a run has. It prints the seconds from the call of the search
to the end of the last trial, and their ratio, and ends with exit code 1 below 1.6. The machine needs two free cores:
what two searchers gain without a cluster, measured beside it, says how much of them there was.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from core.automl import AutoMLSettings, search
from core.datasets import load_sample
from tests.ray_nodes import ray_cluster

ROOT = Path(__file__).resolve().parents[1]
TARGET = 1.6
REPEATS = 3


def seconds_on(nodes: int, searchers: int) -> float:
    """Return the seconds from the call of a search with so many nodes and searchers to the end of its last trial."""
    # Two of a learner in a row: workers take turns, so that none gets all that is slow.
    configs = [
        [
            "rf" if number // 2 % 2 else "extra_tree",
            {"n_estimators": 200, "max_leaves": 8 + number, "max_features": 0.4, "criterion": "gini"},
        ]
        for number in range(60)
    ]
    settings = AutoMLSettings(
        target="credit",
        time_budget_s=None,
        max_trials=len(configs),
        folds=3,
        early_stopping=False,
        ensemble=False,
        max_concurrent_trials=searchers,
        nodes=nodes,
    )
    result = search(load_sample("german_credit").frame, settings, configs=configs)
    if len(result.trials) != len(configs) or not all(trial.finished for trial in result.trials):
        raise RuntimeError("not all trials have finished, so their times cannot be compared")
    return max(trial.at for trial in result.trials if trial.at is not None)


def measure(nodes: int, searchers: int, environment: dict[str, str]) -> float:
    """Return what `seconds_on` returns in a new process."""
    command = [sys.executable, "-m", "benchmarks.scale_search", str(nodes), str(searchers)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> int:
    """Measure, print and judge."""
    with ray_cluster() as cluster:
        for _ in range(2):
            cluster.add(cpus=1)
        environment = os.environ | cluster.variables() | {"RAY_ADDRESS": cluster.address}
        measured = []
        for _ in range(REPEATS):  # in turns, and the best of each: other work comes and goes
            measured.append([measure(*shape, environment) for shape in ((1, 1), (2, 2), (1, 2))])
            one, two, here = measured[-1]
            print(f"  one node {one:.1f} s, two nodes {two:.1f} s, two searchers of one node {here:.1f} s", flush=True)
    one, two, here = (min(seconds) for seconds in zip(*measured, strict=True))
    print(f"60 configurations: {one:.1f} s on one node, {two:.1f} s on two: {one / two:.2f} (at least {TARGET})")
    print(f"Two searchers without a cluster: {here:.1f} s, {one / here:.2f}")
    return 0 if one / two >= TARGET else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(seconds_on(*map(int, sys.argv[1:])))
    else:
        sys.exit(main())

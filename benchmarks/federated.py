"""Federated learning: what it brings on known tables, and how long a simulated study takes.

    python benchmarks/federated.py [--seeds 10] [--repeats 5] [--flower PYTHON] [--only quality,speed]

* quality: breast cancer in four sites that differ (a noisy quantile of its first column), 30% test: mean ROC AUC over
the
  seeds of a logistic regression on all rows, of FedAvg (10 full local steps, 30 rounds), of the exact federated one, of
  boosted trees, and of the sites' own models. German credit in its four largest purposes, likewise.
* speed: the seconds of FedAvg's four sites and 30 rounds, masked sums included, in this process. With ``--flower``, the
  Python of an environment that has ``flwr[simulation]`` and scikit-learn, Flower's own simulation of the same study
  runs next to it, and the ratio is printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.datasets import load_sample  # noqa: E402
from core.federated import FederatedSettings, federate  # noqa: E402

SITES, ROUNDS, STEPS = 4, 30, 10
FEDAVG = {"algorithm": "fedavg", "hidden": 0, "local_epochs": STEPS, "batch_size": None, "rounds": ROUNDS}
ALGORITHMS = {"fedavg": FEDAVG, "linear": {"algorithm": "linear"}, "boosting": {"algorithm": "boosting"}}


def cancer(seed: int) -> pd.DataFrame:
    """Return breast cancer with a column of four sites that differ."""
    table = load_breast_cancer(as_frame=True).frame
    first = table.iloc[:, 0]
    noisy = first + np.random.default_rng(seed).normal(0, 0.5 * first.std(), len(table))
    return table.assign(site=pd.qcut(noisy.rank(method="first"), SITES, labels=list("abcd")).astype(str))


def credit(seed: int) -> pd.DataFrame:
    """Return German credit of its four largest purposes."""
    table = load_sample("german_credit").frame
    return table[table["purpose"].isin(table["purpose"].value_counts().index[:SITES])].reset_index(drop=True)


def quality(seeds: int) -> None:
    """Print mean ROC AUC by table and algorithm: federated, pooled, mean and worst of the sites' own models."""
    tables = {"breast cancer": (cancer, "target", "site"), "German credit": (credit, "credit", "purpose")}
    print(f"{'table':14} {'algorithm':10} {'federated':>17} {'pooled':>17} {'own, mean':>10} {'own, worst':>10}")
    for name, (make, target, column) in tables.items():
        for algorithm, values in ALGORITHMS.items():
            rows = []
            for seed in range(seeds):
                settings = FederatedSettings(
                    target=target, site_column=column, folds=0, seed=seed, test_fraction=0.3, **values
                )
                result = federate(make(seed), settings)
                assert result.overall is not None
                overall = result.overall.metrics
                local = result.by_site["local"].astype(float)
                rows.append(
                    [
                        overall["federated"]["roc_auc"].value,
                        overall["pooled"]["roc_auc"].value,
                        local.mean(),
                        local.min(),
                    ]
                )
            mean, spread = np.nanmean(rows, axis=0), np.nanstd(rows, axis=0, ddof=1)
            print(
                f"{name:14} {algorithm:10} {mean[0]:.4f} +/- {spread[0]:.4f} {mean[1]:.4f} +/- {spread[1]:.4f} "
                f"{mean[2]:10.4f} {mean[3]:10.4f}"
            )


def speed(repeats: int, flower: str | None) -> None:
    """Print the seconds of a simulated study, and the ratio to Flower's."""
    table = cancer(0)
    settings = FederatedSettings(target="target", site_column="site", folds=0, pooled=False, **FEDAVG)
    federate(table, settings)  # loads the libraries
    own, whole = [], []
    for _ in range(repeats):
        began = time.perf_counter()
        result = federate(table, settings)
        whole.append(time.perf_counter() - began)
        own.append(result.elapsed_s)
    median = statistics.median(own)
    print(
        f"{SITES} sites x {ROUNDS} rounds, masked: {median:.3f} s ({'PASS' if median < 0.5 else 'FALLS SHORT'} of 0.5 s)"
    )
    print(f"with the own model of each site and all intervals: {statistics.median(whole):.3f} s")
    if flower is None:
        print("Flower's simulation: not run (--flower)")
        return
    script = Path(__file__).with_name("federated_flower.py")
    done = subprocess.run([flower, str(script)], capture_output=True, text=True, timeout=1_800, check=False)
    if done.returncode:
        print(f"Flower's simulation failed: {done.stderr.strip().splitlines()[-1:]}")
        return
    seconds = json.loads(done.stdout.strip().splitlines()[-1])["seconds"]
    print(f"Flower's simulation: {seconds:.1f} s, ratio {seconds / median:.0f}")


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--flower")
    parser.add_argument("--only", default="quality,speed")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    wanted = arguments.only.split(",")
    if "speed" in wanted:
        speed(arguments.repeats, arguments.flower)
    if "quality" in wanted:
        quality(arguments.seeds)


if __name__ == "__main__":
    main()

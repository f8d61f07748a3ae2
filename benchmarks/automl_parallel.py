"""What a second searcher gains: part of `automl_peers.py`."""

from __future__ import annotations

import numpy as np
from scipy import stats

from benchmarks.automl_fits import find_systems, run_process
from benchmarks.automl_tables import make_split, read_tables
from core.automl import AutoMLSettings, search


def interval(values: list[float]) -> tuple[float, float, float]:
    """Return the mean with its 95% t interval."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, float("nan"), float("nan")
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return mean, mean - half, mean + half


def seconds_of_list(count: int) -> float:
    """Return the seconds of a fixed list of 60 single-threaded configurations by so many searchers."""
    # Two of a learner in a row: workers take turns, so that none gets all that is slow.
    configs = [
        [
            "rf" if number // 2 % 2 else "extra_tree",
            {"n_estimators": 60, "max_leaves": 8 + number, "max_features": 0.4, "criterion": "gini"},
        ]
        for number in range(60)
    ]
    settings = AutoMLSettings(
        target="credit",
        time_budget_s=None,
        max_trials=60,
        folds=3,
        early_stopping=False,
        ensemble=False,
        max_concurrent_trials=count,
    )
    result = search(read_tables(None, {}, ["german_credit"])[0].frame, settings, configs=configs)
    ends = [(trial.at, trial.seconds) for trial in result.trials if trial.at is not None]
    return max(at for at, _ in ends) - min(at - seconds for at, seconds in ends)


def parallel(tables: list[str], seeds: list[int], budget: float) -> bool:
    """Compare one searcher with two."""
    # In turns, and the best of each: other work comes and goes.
    measured = [(seconds_of_list(1), seconds_of_list(2)) for _ in range(2)]
    one, two = (min(seconds) for seconds in zip(*measured, strict=True))
    print(f"60 single-threaded configurations: {one:.1f} s by one, {two:.1f} s by two: {one / two:.2f} (at least 1.6)")
    passed = bool(one / two >= 1.6)
    (system,) = find_systems(["ours"], {})
    for table in read_tables(None, {}, tables):
        name, gains = table.name, []
        for seed in seeds:
            answers = [
                run_process(system, make_split(table, seed), budget, metric="auto", max_concurrent_trials=count)[0]
                for count in (1, 2)
            ]
            gains.append(answers[1]["best"] - answers[0]["best"])
            print(
                f"  {name:14} seed {seed}  best of one {answers[0]['best']:.4f} ({answers[0]['what']})  of two "
                f"{answers[1]['best']:.4f} ({answers[1]['what']})",
                flush=True,
            )
        mean, low, high = interval(gains)
        print(f"{name}: two minus one {mean:+.4f} [{low:+.4f}, {high:+.4f}]")
        passed = passed and not bool(high < 0)
    return passed

"""What the search adds to the fitting: the same configurations replayed by it, and fitted directly.

A search first finds the configurations. Then both do all of them on the same encoded rows and folds, each in a process
of its own, in turns; the direct way is the plain loop that one would write: fit, predict, score, with all cores for
each fit. Both scores are compared, so that the same work is done. The search's side has all that a user gets
(features, events, out-of-fold predictions, all metrics, baselines, final fit, test with intervals).
Asked: at most 1.1 times the time.

    python benchmarks/automl_overhead.py [--sample adult] [--trials 50] [--repeats 2]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

TARGETS = {"adult": "income", "german_credit": "credit", "breast_cancer": "diagnosis", "diabetes": "progression"}
LIMIT = 1.1


def _settings(sample: str, trials: int) -> Any:
    from core.automl import AutoMLSettings

    return AutoMLSettings(target=TARGETS[sample], time_budget_s=None, max_trials=trials, early_stopping=False)


def ours(sample: str, configs: list[Any]) -> dict[str, Any]:
    """Replay by the search."""
    from core.automl import search
    from core.datasets import load_sample

    frame = load_sample(sample).frame
    began = time.perf_counter()
    result = search(frame, _settings(sample, len(configs)), configs=configs)
    return {"seconds": time.perf_counter() - began, "scores": [trial.score for trial in result.trials]}


def direct(sample: str, configs: list[Any]) -> dict[str, Any]:
    """Fit, predict and score in a loop."""
    import os
    import warnings

    import numpy as np

    from core.automl import build_estimator, prepare
    from core.automl._fitting import outputs
    from core.datasets import load_sample
    from core.evaluation import compute_metric

    warnings.simplefilter("ignore")
    frame = load_sample(sample).frame
    began = time.perf_counter()
    prepared = prepare(frame, _settings(sample, len(configs)))
    data, scores = prepared.data, []
    best: Any = None
    for learner, config in configs:
        fold_scores = []
        for train, validation in data.folds:
            estimator = build_estimator(learner, config, data.task, jobs=os.cpu_count() or 1, seed=0)
            estimator.fit(data.X[train], data.y[train])
            output = outputs(estimator, data.X[validation], data.classes)
            fold_scores.append(compute_metric(prepared.metric, data.y[validation], output))
        scores.append(float(np.mean(fold_scores)))
        if best is None or scores[-1] > best[0]:
            best = scores[-1], learner, config
    final = build_estimator(best[1], best[2], data.task, jobs=os.cpu_count() or 1, seed=0).fit(data.X, data.y)
    compute_metric(prepared.metric, prepared.y_test, outputs(final, prepared.X_test, data.classes))
    return {"seconds": time.perf_counter() - began, "scores": scores}


def in_child(kind: str, sample: str, configs: Path) -> dict[str, Any]:
    """Run one of the two in a process of its own."""
    command = [sys.executable, __file__, "--child", kind, sample, str(configs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", choices=TARGETS, default="adult")
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=2, help="measure so many times and take each side's best")
    parser.add_argument("--child", nargs=3, metavar=("KIND", "SAMPLE", "CONFIGS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        kind, sample, path = arguments.child
        print(json.dumps({"ours": ours, "direct": direct}[kind](sample, json.loads(Path(path).read_text()))))
        return 0
    from core.automl import search
    from core.datasets import load_sample

    result = search(load_sample(arguments.sample).frame, _settings(arguments.sample, arguments.trials))
    with tempfile.TemporaryDirectory(prefix="plumbline-bench-") as folder:
        configs = Path(folder) / "configs.json"
        configs.write_text(json.dumps([[trial.learner, trial.config] for trial in result.trials]))
        seconds: dict[str, list[float]] = {"direct": [], "ours": []}
        for _ in range(arguments.repeats):
            answers = {kind: in_child(kind, arguments.sample, configs) for kind in seconds}
            for kind, answer in answers.items():
                seconds[kind].append(answer["seconds"])
            print("   ".join(f"{kind} {answer['seconds']:.2f} s" for kind, answer in answers.items()), flush=True)
    gap = max(abs(a - b) for a, b in zip(answers["ours"]["scores"], answers["direct"]["scores"], strict=True))
    ratio = min(seconds["ours"]) / min(seconds["direct"])
    passed = ratio <= LIMIT
    print(f"{arguments.sample}, {len(result.trials)} configurations: scores differ by at most {gap:.1e}")
    print(f"ratio {ratio:.2f} (at most {LIMIT}): {'PASS' if passed else 'FALLS SHORT'}")
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Makes results of small searches, one for each learner and task, packed into ``tests/data``, to be read later.

    python tests/data/make_old_results.py results-1 [learner ...]

An issue that changes stored results makes a new one with the code before it; an archive that is there is never changed.
``expected.json`` holds what each model predicted of the first rows of ``rows.csv``.
"""

from __future__ import annotations

import json
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
KEPT = ("model.skops", "result.json", "oof.parquet", "test.parquet", "trials.npz")


def main() -> None:
    """Search, save, and write down what the models predict."""
    import numpy as np
    import pandas as pd

    from core.automl import LEARNERS, AutoMLSettings, search

    archive, *names = sys.argv[1:]
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.gamma(2, 50, 160).round(1), "age": random.integers(18, 80, 160)})
    frame["town"] = random.choice(["here", "there", "elsewhere"], 160)
    frame.loc[::13, "size"] = None
    number = frame["size"].fillna(100) * (1 + (frame["town"] == "here")) + frame["age"]
    targets = {"binary": np.where(number > number.median(), "yes", "no"), "regression": number}
    expected = {}
    with tempfile.TemporaryDirectory() as folder:
        frame.to_csv(Path(folder) / "rows.csv", index=False)
        for learner in names or LEARNERS:
            for task, target in targets.items():
                settings = AutoMLSettings(
                    target="y",
                    learners=(learner,),
                    time_budget_s=None,
                    max_trials=2,
                    folds=2,
                    cv_repeats=1,
                    ensemble=False,
                    explain=False,
                )
                result = search(frame.assign(y=target), settings)
                name = f"{learner}-{task}"
                result.save(Path(folder) / name)
                rows = pd.read_csv(Path(folder) / "rows.csv").head(20)
                model = result.model
                predicted = model.predict(rows) if task == "regression" else model.predict_proba(rows)[:, 1]
                expected[name] = [float(value) for value in predicted]
                for path in (Path(folder) / name).iterdir():
                    if path.name not in KEPT:
                        path.unlink()
        (Path(folder) / "expected.json").write_text(json.dumps(expected, indent=1), encoding="utf-8")
        with tarfile.open(HERE / f"{archive}.tar.xz", "w:xz") as packed:
            packed.add(folder, "results")


if __name__ == "__main__":
    main()

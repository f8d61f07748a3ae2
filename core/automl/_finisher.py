"""The finisher: ``python -m core.automl._finisher FOLDER``, a process that fits final models on request.

It is started early, so that its libraries are loaded when the search ends, and is killed when a fit takes too long.
A request is a line of JSON on its standard input; the answer is a file that appears whole.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from core.automl._learners import preload
from core.automl._processes import end_with_parent


def answer(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Fit what is asked for on all training rows; for the linear model, score it on the folds first."""
    import joblib
    import numpy as np

    from core.automl import _learners
    from core.automl._trial import TrainingData, fit, run_trial, share_cores

    data = TrainingData.load(folder)

    threads = share_cores(request["learner"], data, request["jobs"])[1]

    def make() -> Any:
        return _learners.build(request["learner"], request["config"], data.task, jobs=threads, seed=request["seed"])

    record: dict[str, Any] = {}
    if request["score"]:
        record, out_of_fold = run_trial(make, data, request["metric"])
        np.save(folder / f"{request['name']}.oof.npy", out_of_fold)
    began = time.perf_counter()
    estimator = fit(make(), np.asarray(data.X), data.y, data)
    joblib.dump(estimator, folder / f"{request['name']}.joblib")
    return {**record, "refit_s": time.perf_counter() - began}


def main(folder: Path) -> int:
    """Serve requests until the input ends."""
    end_with_parent(os.getppid())
    warnings.simplefilter("ignore")
    preload("core.automl._trial", "sklearn.linear_model", "sklearn.pipeline", "sklearn.metrics")
    for line in sys.stdin:
        request = json.loads(line)
        try:
            result = answer(folder, request)
        except Exception as error:  # noqa: BLE001  (any library's error is this fit's, and is reported as such)
            result = {"error": f"{type(error).__name__}: {error}"[:500]}
        path = folder / f"{request['name']}.json"
        path.with_suffix(".tmp").write_text(json.dumps(result), encoding="utf-8")
        path.with_suffix(".tmp").replace(path)
        if request["name"] == "linear":  # what a refit needs, loaded while the search goes on
            preload()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

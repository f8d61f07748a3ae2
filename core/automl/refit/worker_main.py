"""The finisher: ``python -m core.automl.refit.worker_main FOLDER``, a process that fits final models on request.

It is started early, so that its libraries are loaded when the search ends, and is killed when a fit takes too long.
A request is a line of JSON on its standard input; the answer is a file for each model, which appears whole.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from core.automl.tuning.learners import preload
from core.automl.tuning.processes import end_with_parent


def score(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Score the model that is asked for on the folds, and keep its out-of-fold predictions."""
    import numpy as np

    from core.automl.data.training_data import TrainingData
    from core.automl.tuning import learners as _learners
    from core.automl.tuning.trial import run_trial

    data = TrainingData.load(folder)
    model = request["models"][0]
    make = partial(
        _learners.build_estimator, model["learner"], model["config"], data.task, jobs=1, seed=request["seed"]
    )
    record, out_of_fold = run_trial(make, data, request["metric"])
    np.save(folder / f"{model['name']}.oof.npy", out_of_fold)
    return record


def refit(folder: Path, request: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """Fit one of the models that are asked for on all training rows."""
    import joblib
    import numpy as np

    from core.automl.data.training_data import TrainingData
    from core.automl.tuning import learners as _learners
    from core.automl.tuning.trial import fit

    data = TrainingData.load(folder)
    # Threads of one fit wait for the slowest of them, so one core is left to whatever else there is.
    threads = max(1, (request["jobs"] - 1) // len(request["models"]))
    began = time.perf_counter()
    estimator = _learners.build_estimator(
        model["learner"], model["config"], data.task, jobs=threads, seed=request["seed"]
    )
    joblib.dump(fit(estimator, np.asarray(data.X), data.y, data), folder / f"{model['name']}.joblib")
    return {"refit_s": time.perf_counter() - began, "threads": threads}


def serve(folder: Path, request: dict[str, Any]) -> None:
    """Answer a request: models are fitted side by side, and each has its answer as soon as it is done."""

    def one(model: dict[str, Any]) -> None:
        try:
            record = score(folder, request) if request["score"] else {}
            result = record | refit(folder, request, model)
        except Exception as error:  # noqa: BLE001  (any library's error is this fit's, and is reported as such)
            result = {"error": f"{type(error).__name__}: {error}"[:500]}
        path = folder / f"{model['name']}.json"
        path.with_suffix(".tmp").write_text(json.dumps(result), encoding="utf-8")
        path.with_suffix(".tmp").replace(path)

    with ThreadPoolExecutor(min(len(request["models"]), request["jobs"])) as pool:
        list(pool.map(one, request["models"]))


def main(folder: Path) -> int:
    """Serve requests until the input ends."""
    end_with_parent(os.getppid())
    warnings.simplefilter("ignore")
    preload("core.automl.tuning.trial", "sklearn.linear_model", "sklearn.pipeline", "sklearn.metrics")
    first = True
    for line in sys.stdin:
        serve(folder, json.loads(line))
        if first:  # what a refit needs, loaded while the search goes on
            preload()
            first = False
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

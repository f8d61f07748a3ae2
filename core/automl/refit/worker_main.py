"""The refit worker: ``python -m core.automl.refit.worker_main FOLDER``, a process that fits models on request.

It is started early, so that its libraries are loaded when the search ends, and is killed when a fit takes too long.
A request is a line of JSON on its standard input; the answer is a file for each model, which appears whole.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.automl._types import Estimator
from core.automl.learners.build import build_estimator, preload_learners
from core.automl.refit.refit_worker import (
    CurveAnswer,
    CurveRequest,
    ModelRequest,
    RefitRequest,
    answer_file,
    curve_file,
    model_file,
)
from core.automl.tuning.processes import describe_fit_error, end_with_parent, errors_recorded, preload
from core.errors import to_record
from core.files import write_text

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["main", "serve"]


def _maker(model: ModelRequest, data: TrainingData, *, jobs: int, seed: int) -> Callable[[], Estimator]:
    """Return what makes the unfitted estimator of a model."""
    learner, config = model["learner"], model["config"]
    return partial(build_estimator, learner, config, data.task, jobs=jobs, seed=seed, groups=data.feature_groups)


def score(folder: Path, request: RefitRequest, model: ModelRequest) -> dict[str, Any]:
    """Score a model on the folds, keep its out-of-fold predictions, and return the record of its `Evaluation`."""
    import numpy as np

    from core.automl.data.training_data import TrainingData
    from core.automl.tuning.cross_validation import run_trial

    data = TrainingData.load(folder)
    make = _maker(model, data, jobs=1, seed=request["seed"])
    outcome = run_trial(make, data, request["metric"])
    np.save(folder / f"{model['name']}.oof.npy", outcome.out_of_fold)
    return asdict(outcome.evaluation)


def refit(folder: Path, request: RefitRequest, model: ModelRequest) -> dict[str, Any]:
    """Fit a model on all training rows, or one on each fold."""
    import joblib
    import numpy as np

    from core.automl._fitting import fit
    from core.automl.data.training_data import TrainingData
    from core.automl.ensemble.fold_models import fit_fold_models

    data = TrainingData.load(folder)
    # Threads of one fit wait for the slowest of them, so one core is left to whatever else there is.
    threads = max(1, (request["jobs"] - 1) // len(request["models"]))
    began = time.perf_counter()
    make = _maker(model, data, jobs=threads, seed=request["seed"])
    fitted = (
        fit_fold_models(make, data)
        if model["of_folds"]
        else fit(make(), np.asarray(data.X), data.y, data, data.weights)
    )
    joblib.dump(fitted, model_file(folder, model["name"]))
    return {"refit_s": time.perf_counter() - began, "threads": threads}


def serve(folder: Path, request: RefitRequest) -> None:
    """Answer a request: models are fitted side by side, and each has its answer as soon as it is done."""

    def serve_model(model: ModelRequest) -> None:
        try:
            scored = {"evaluation": score(folder, request, model)} if request["score"] else {}
            answer = scored | refit(folder, request, model)
        except Exception as error:  # noqa: BLE001  (any library's error is this fit's, and is reported as such)
            answer = {"error": to_record(describe_fit_error(error))}
        write_text(answer_file(folder, model["name"]), json.dumps(answer))

    with ThreadPoolExecutor(min(len(request["models"]), request["jobs"])) as pool:
        list(pool.map(serve_model, request["models"]))


def curve(folder: Path, request: CurveRequest) -> None:
    """Score a model on shares of the training rows, and write down after each share what is known."""
    from core.automl.data.training_data import TrainingData
    from core.automl.refit.row_shares import SHARES, possible_shares, score_share
    from core.automl.tuning.cross_validation import share_cores

    def write(*, done: bool, reason: str = "") -> None:
        answer: CurveAnswer = {"points": points, "done": done, "reason": reason}
        write_text(curve_file(folder), json.dumps(answer))

    points: list[tuple[float, int, list[float]]] = []
    model, seed = request["curve"], request["seed"]
    try:
        data = TrainingData.load(folder)
        at_a_time, threads = share_cores(model["learner"], data, request["jobs"])
        make = _maker(model, data, jobs=threads, seed=seed)
        shares = possible_shares(data, seed)
        for share in shares:
            points.append((share, *score_share(make, data, request["metric"], share, seed=seed, at_a_time=at_a_time)))
            write(done=False)
        write(done=True, reason="" if len(shares) == len(SHARES) else "smaller shares have too few rows")
    except Exception as error:  # noqa: BLE001  (any library's error is this fit's, and is reported as such)
        write(done=True, reason=describe_fit_error(error).message)


def main(folder: Path) -> int:
    """Serve requests until the input ends."""
    end_with_parent(os.getppid())
    warnings.simplefilter("ignore")
    with errors_recorded(folder):
        preload("core.automl.tuning.cross_validation", "sklearn.linear_model", "sklearn.pipeline", "sklearn.metrics")
        first = True
        for line in sys.stdin:
            request = json.loads(line)
            if "curve" in request:
                curve(folder, request)
                continue
            serve(folder, request)
            if first:  # what a refit needs, loaded while the search runs
                preload_learners()
                first = False
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""The AutoML systems that are compared: one function each, run as a script by the Python that has the system.

    python benchmarks/automl_systems.py SYSTEM FOLDER

FOLDER has `train.csv`, `test.csv` and `job.json` (target, metric, budget, seed, cores, settings). The script leaves
`output.npy`, the probabilities or numbers of the test rows, and `answer.json`. Environments of peers have pandas and
the peer, not this project, so nothing else is imported here. A system's libraries are loaded, and its server is
started, before its clock: `seconds` is the time from the training rows to a model that predicts.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import socket
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Job = dict[str, Any]


@dataclass(frozen=True)
class Predicted:
    """Output of the test rows, the labels of its columns (none for numbers), what the model is, its validated score."""

    output: Any
    labels: list[str]
    what: str
    best: float | None = None


class Clock:
    """Measures the fit alone."""

    seconds = 0.0

    @contextmanager
    def fit(self) -> Iterator[None]:
        """Measure what is done within."""
        began = time.perf_counter()
        yield
        self.seconds = time.perf_counter() - began


def ours(train: Any, test: Any, job: Job, clock: Clock) -> Predicted:
    """Search with this project; the test rows are outside, so none are held out inside."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from core.automl import AutoMLSettings, search

    task = {"r2": "regression", "roc_auc": "binary", "log_loss": "multiclass"}[job["metric"]]
    values = {"task": task, "metric": job["metric"], "early_stopping": False, **job["settings"]}
    settings = AutoMLSettings(
        target=job["target"], time_budget_s=job["budget"], seed=job["seed"], test_fraction=0, **values
    )
    with clock.fit():
        result = search(train, settings)
    model = result.model
    best, what = result.winner["score"], f"{result.winner['learner']}, {len(result.trials)} trials"
    if task == "regression":
        return Predicted(model.predict(test), [], what, best)
    return Predicted(model.predict_proba(test), [str(label) for label in result.labels or ()], what, best)


def flaml(train: Any, test: Any, job: Job, clock: Clock) -> Predicted:
    """Plain FLAML on the raw columns."""
    from flaml import AutoML

    model, numbers = AutoML(), job["metric"] == "r2"
    with clock.fit():
        model.fit(
            train.drop(columns=job["target"]),
            train[job["target"]],
            task="regression" if numbers else "classification",
            metric=job["metric"],
            time_budget=job["budget"],
            seed=job["seed"],
            n_jobs=job["cores"],
            verbose=0,
        )
    if model.best_estimator is None:
        raise RuntimeError("FLAML ended without a model")
    if numbers:
        return Predicted(model.predict(test), [], model.best_estimator)
    return Predicted(model.predict_proba(test), [str(label) for label in model.classes_], model.best_estimator)


def autogluon_medium(train: Any, test: Any, job: Job, clock: Clock) -> Predicted:
    """AutoGluon at its preset for short fits."""
    return _autogluon("medium_quality", train, test, job, clock)


def autogluon_best(train: Any, test: Any, job: Job, clock: Clock) -> Predicted:
    """AutoGluon at its preset for the best models."""
    return _autogluon("best_quality", train, test, job, clock)


def _autogluon(preset: str, train: Any, test: Any, job: Job, clock: Clock) -> Predicted:
    from autogluon.tabular import TabularPredictor  # type: ignore[import-not-found]

    types = {"r2": "regression", "roc_auc": "binary", "log_loss": "multiclass"}
    with tempfile.TemporaryDirectory() as folder:
        model = TabularPredictor(
            job["target"], problem_type=types[job["metric"]], eval_metric=job["metric"], path=folder, verbosity=0
        )
        with clock.fit():
            model.fit(train, time_limit=job["budget"], presets=preset, num_cpus=job["cores"], num_gpus=0)
        if job["metric"] == "r2":
            return Predicted(model.predict(test).to_numpy(), [], model.model_best)
        output = model.predict_proba(test)
        return Predicted(output.to_numpy(), [str(label) for label in output.columns], model.model_best)


def h2o(train: Any, test: Any, job: Job, clock: Clock) -> Predicted:
    """H2O AutoML; its server of Java runs while this process does."""
    import h2o as library  # type: ignore[import-not-found]
    from h2o.automl import H2OAutoML  # type: ignore[import-not-found]

    order = {"r2": "RMSE", "roc_auc": "AUC", "log_loss": "logloss"}[job["metric"]]
    with socket.socket() as free:  # at the usual port a server that runs already would be taken, with its own limits
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    library.init(port=port, nthreads=job["cores"], log_level="FATA", verbose=False)
    try:
        library.no_progress()
        search = H2OAutoML(
            max_runtime_secs=round(job["budget"]), seed=job["seed"] + 1, sort_metric=order, verbosity=None
        )
        with clock.fit():
            rows = library.H2OFrame(train)
            if job["metric"] != "r2":
                rows[job["target"]] = rows[job["target"]].asfactor()
            search.train(y=job["target"], training_frame=rows)
        if search.leader is None:
            raise RuntimeError("H2O ended without a model")
        predictions = search.leader.predict(library.H2OFrame(test)).as_data_frame()
        if job["metric"] == "r2":
            return Predicted(predictions["predict"].to_numpy(), [], search.leader.algo)
        labels = [str(label) for label in rows[job["target"]].levels()[0]]
        return Predicted(predictions.drop(columns="predict").to_numpy(), labels, search.leader.algo)
    finally:
        library.cluster().shutdown()


def mljar(train: Any, test: Any, job: Job, clock: Clock) -> Predicted:
    """Fit mljar at its mode for good models."""
    from supervised.automl import AutoML  # type: ignore[import-not-found]

    metric = {"r2": "r2", "roc_auc": "auc", "log_loss": "logloss"}[job["metric"]]
    with tempfile.TemporaryDirectory() as folder:
        model = AutoML(
            results_path=folder,
            total_time_limit=round(job["budget"]),
            mode="Perform",
            eval_metric=metric,
            random_state=job["seed"],
            n_jobs=job["cores"],
            verbose=0,
        )
        with clock.fit():
            model.fit(train.drop(columns=job["target"]), train[job["target"]])
        if job["metric"] == "r2":
            return Predicted(model.predict(test), [], "perform")
        output = model.predict_all(test).filter(like="prediction_")
        labels = [column.removeprefix("prediction_") for column in output.columns]
        return Predicted(output.to_numpy(), labels, "perform")


SYSTEMS = {
    "ours": ours,
    "autogluon_medium": autogluon_medium,
    "autogluon_best": autogluon_best,
    "h2o": h2o,
    "mljar": mljar,
    "flaml": flaml,
}
PACKAGES = {
    "autogluon_medium": "autogluon.tabular",
    "autogluon_best": "autogluon.tabular",
    "h2o": "h2o",
    "mljar": "mljar-supervised",
    "flaml": "flaml",
}
"""Distribution that has a system's version."""


def _version(system: str) -> str:
    """Return a system's version; that of FLAML with the learners that it finds beside it."""
    version = importlib.metadata.version(PACKAGES[system])
    if system != "flaml":
        return version
    learners = []
    for name in ("catboost", "lightgbm", "xgboost"):
        with suppress(importlib.metadata.PackageNotFoundError):
            learners.append(f"{name} {importlib.metadata.version(name)}")
    return f"{version} with {', '.join(learners)}"


def main() -> None:
    """Learn and predict; leave the answer in the folder."""
    system, folder = sys.argv[1], Path(sys.argv[2])
    if system == "--version":
        print(_version(sys.argv[2]))
        return
    import numpy as np
    import pandas as pd

    warnings.simplefilter("ignore")
    job = json.loads((folder / "job.json").read_text())
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job["cores"]])
    target = job["target"]
    as_text = {} if job["metric"] == "r2" else {target: str}  # "1", "NA" and "True" are labels, not values
    train = pd.read_csv(folder / "train.csv", converters=as_text)
    test = pd.read_csv(folder / "test.csv")
    if job["metric"] == "r2":
        train[target] = train[target].astype(float)
    clock = Clock()
    predicted = SYSTEMS[system](train, test, job, clock)
    np.save(folder / "output.npy", np.asarray(predicted.output, dtype=float))
    answer = {"labels": predicted.labels, "what": predicted.what, "best": predicted.best, "seconds": clock.seconds}
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main()

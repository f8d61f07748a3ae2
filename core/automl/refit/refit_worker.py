"""The process that fits models on all training rows while the search runs, as the search sees it."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from core.automl._types import Config, Estimator
from core.automl.tuning.cross_validation import Evaluation
from core.automl.tuning.processes import HelperProcess
from core.automl.tuning.trials import Trial
from core.errors import ErrorRecord, PlumblineError, from_record

__all__ = [
    "CurveAnswer",
    "CurveRequest",
    "ModelRequest",
    "RefitAnswer",
    "RefitRequest",
    "RefitWorker",
    "answer_file",
    "curve_file",
    "model_file",
]

_MODULE = "core.automl.refit.worker_main"


class ModelRequest(TypedDict):
    """A model to fit: the name of its files, and what it is; with `of_folds` the mean of models of the folds."""

    name: str
    learner: str
    config: Config
    of_folds: bool


class RefitRequest(TypedDict):
    """A line of the worker's standard input.

    Parameters
    ----------
    models : list of ModelRequest
        Models to fit side by side.
    score : bool
        Whether to score the first one on the folds too.
    metric : str
        Key of `METRICS` that the search optimizes.
    jobs : int
        Number of cores.
    seed : int
        Seed of the estimators.
    """

    models: list[ModelRequest]
    score: bool
    metric: str
    jobs: int
    seed: int


class CurveRequest(TypedDict):
    """Another line of the worker's standard input: a model to score on shares of the training rows.

    Parameters
    ----------
    curve : ModelRequest
        The model.
    metric : str
        Key of `METRICS` that the search optimizes.
    jobs : int
        Number of cores.
    seed : int
        Seed of the estimators and of the draws.
    """

    curve: ModelRequest
    metric: str
    jobs: int
    seed: int


class CurveAnswer(TypedDict):
    """What is known of a learning curve so far.

    Parameters
    ----------
    points : list of [share, rows, scores]
        Shares that were scored.
    done : bool
        Whether no more points come.
    reason : str
        Reason why points are missing; empty where none are.
    """

    points: list[tuple[float, int, list[float]]]
    done: bool
    reason: str


@dataclass(frozen=True)
class RefitAnswer:
    """What came of one model.

    Parameters
    ----------
    refit_s : float
        Seconds of the fit on all training rows.
    threads : int
        Threads of the fit.
    evaluation : dict or None
        Fields of the model's `Evaluation` on the folds, if it was asked for.
    error : PlumblineError or None
        Why there is no model.
    """

    refit_s: float = 0.0
    threads: int = 1
    evaluation: Evaluation | None = None
    error: PlumblineError | None = None


def answer_file(folder: Path, name: str) -> Path:
    """Return where the answer about a model appears."""
    return folder / f"{name}.json"


def curve_file(folder: Path) -> Path:
    """Return where the learning curve appears, once more after each share."""
    return folder / "curve.json"


def model_file(folder: Path, name: str) -> Path:
    """Return where a fitted model is."""
    return folder / f"{name}.joblib"


def model_name(trial: Trial) -> str:
    """Return the name of the files of a trial's model."""
    return "linear" if trial.learner == "linear" else f"fit{trial.number}"


class RefitWorker:
    """The process, its requests and its answers. It starts at once, to load its libraries.

    Parameters
    ----------
    folder : Path
        Folder of the search, where the training data will be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = HelperProcess(_MODULE, folder)

    def request(
        self,
        trials: Sequence[Trial],
        *,
        of_folds: Collection[int | None] = (),
        score: bool = False,
        metric: str,
        jobs: int,
        seed: int,
    ) -> None:
        """Ask for the models of trials; of the numbers in `of_folds` for the mean of models of the folds."""
        models: list[ModelRequest] = []
        for trial in trials:
            answer_file(self.folder, model_name(trial)).unlink(missing_ok=True)
            models.append(
                {
                    "name": model_name(trial),
                    "learner": trial.learner,
                    "config": trial.config,
                    "of_folds": trial.number in of_folds,
                }
            )
        request: RefitRequest = {"models": models, "score": score, "metric": metric, "jobs": jobs, "seed": seed}
        self._process.send(json.dumps(request))

    def answer(self, trial: Trial) -> RefitAnswer | None:
        """Return what came of a trial's model; None while it is not done."""
        try:
            record = json.loads(answer_file(self.folder, model_name(trial)).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        error: ErrorRecord | None = record.get("error")
        if error is not None:
            return RefitAnswer(error=from_record(error))
        evaluation = record.get("evaluation")
        return RefitAnswer(
            record["refit_s"], record["threads"], None if evaluation is None else Evaluation(**evaluation)
        )

    def load(self, trial: Trial) -> Estimator:
        """Return a model that this search's worker has fitted."""
        import joblib

        # Written by our own worker a moment ago.
        model: Estimator = joblib.load(model_file(self.folder, model_name(trial)))
        return model

    def request_curve(self, trial: Trial, *, metric: str, jobs: int, seed: int) -> None:
        """Ask for the learning curve of a trial's configuration."""
        curve_file(self.folder).unlink(missing_ok=True)
        model: ModelRequest = {
            "name": model_name(trial),
            "learner": trial.learner,
            "config": trial.config,
            "of_folds": False,
        }
        request: CurveRequest = {"curve": model, "metric": metric, "jobs": jobs, "seed": seed}
        self._process.send(json.dumps(request))

    def curve(self) -> CurveAnswer | None:
        """Return what is known of the learning curve; None before the first share is scored."""
        try:
            answer: CurveAnswer = json.loads(curve_file(self.folder).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return answer

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self._process.ended

    @property
    def error(self) -> PlumblineError | None:
        """The error that ended the process, if it wrote one down."""
        return self._process.error

    def restart(self) -> None:
        """End the process, and start another."""
        self.close()
        self._process = HelperProcess(_MODULE, self.folder)

    def close(self) -> None:
        """End the process."""
        self._process.kill()

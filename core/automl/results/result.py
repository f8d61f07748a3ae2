"""The result of a search, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import pandas as pd

from core.automl._settings import AutoMLSettings
from core.automl._types import Config, Label, OutOfFold
from core.automl.ensemble.calibration import CalibrationRecord
from core.automl.results.decision_figures import DecisionFigures
from core.automl.results.learning_curve import LearningCurve
from core.automl.results.store import ResultFiles, read_decision, read_estimates, read_files, write_files
from core.automl.tuning.trials import Trial
from core.datasets import Finding
from core.evaluation import Estimate
from core.features import FeatureStep
from core.jsonable import jsonable

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from core.automl.results.feature_report import FeatureReport

__all__ = ["AutoMLResult", "PositiveClass", "Winner"]

_PLAIN = (
    "task",
    "metric",
    "winner",
    "verdict",
    "curves",
    "confusion",
    "stop_code",
    "stop_reason",
    "elapsed_s",
    "model_ready_s",
    "split_method",
    "rows",
    "features",
    "feature_steps",
    "feature_engineering",
    "fingerprint",
    "packages",
    "positive_class",
)


class Winner(TypedDict):
    """The trial that won, and how long its final fit took.

    Parameters
    ----------
    trial : int or None
        Number of the trial; 0 for the linear model, None for a blend.
    learner : str
        Key of `LEARNERS`, "linear" or "blend".
    config : dict
        Values of the hyperparameters; of a blend, its members.
    score, score_std : float or None
        Mean and standard deviation of the metric over the folds.
    refit_s : float
        Seconds of fitting the final model; 0 where the models of the folds had it.
    at_s : float
        Seconds from the start to the trial's end; results of earlier versions have none.
    fitted : int
        Number of fitted models whose weighted mean the final one is; results of earlier versions have none.
    calibration : CalibrationRecord or None
        Calibration of the probabilities, used or not; None of numbers, where it is switched off, and in results of
        earlier versions.
    """

    trial: int | None
    learner: str
    config: Config
    score: float | None
    score_std: float | None
    refit_s: float
    at_s: NotRequired[float]
    fitted: NotRequired[int]
    calibration: NotRequired[CalibrationRecord | None]


class PositiveClass(TypedDict):
    """The class of two that the figures are about.

    Parameters
    ----------
    label : str
        Its label.
    reason : str
        Why it is this one, as a sentence.
    """

    label: str
    reason: str


@dataclass(frozen=True)
class AutoMLResult:
    """The result of a search.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        Fitted pipeline: ``predict`` and ``predict_proba`` on raw frames; ``classes_`` holds the original labels.
    settings : AutoMLSettings
        Settings of the search.
    task, metric : str
        Task, and key of the metric that was optimized.
    labels : list or None
        Labels of the target; None for regression.
    winner : Winner
        The trial that won.
    leaderboard : DataFrame
        One row per trial, best first, and the baselines: name, learner, trial, status, score (mean over folds),
        score_std, the other metrics, fit_s (all folds), predict_ms_a_row, size_bytes (a fold's model), config.
    trials : list of Trial
        Every trial with its configuration, also those that failed or were ended.
    blend : Trial or None
        The blend that was considered: its members and their weights are in ``config``, and ``judged`` has its score
        and that of the best single model on rows that chose neither. Its status is finished when it won, and not_better
        when it did not.
    hyperparameters : dict of dict of Estimate
        Importance of each hyperparameter, as `hyperparameter_importance` describes it, by learner with twelve finished
        trials and more.
    candidates : dict of int to array
        Out-of-fold predictions of the best trials of each learner by their numbers, (repeats, n, k) or (repeats, n) in
        the order of the training rows, for a search that continues from this one.
    test_metrics : dict of Estimate
        Metrics on rows the search never saw; empty without a test.
    baseline_metrics : dict of dict of Estimate
        The same of "prior" (class shares, or the mean) and "linear" (logistic or ridge regression).
    differences : dict of Estimate
        The search's metric, model minus baseline, paired on the test rows, larger being better for the model.
    verdict : str
        One sentence about whether the model is better than the baselines.
    oof, test : DataFrame
        row_id (position in the table), the target, prediction, a probability per class, sensitive columns;
        out-of-fold for training rows (those that some fold validated on), and for the test rows. With a group column
        the second column has the codes of the groups; with a weight column the next one has the weights.
    curves : dict
        Curves of the test rows, as `core.evaluation.curves` returns them.
    confusion : list of list of int or None
        Counts of the test rows, whatever their weight, rows by the true class; None for regression.
    findings : list of Finding
        Notices and alerts about the table, the trials and the final fit.
    stop_code, stop_reason : str
        Reason why the search ended, in one word and in a sentence.
    elapsed_s, model_ready_s : float
        Seconds from the start to the end, and to a model that predicts.
    split_method : str
        Description of the folds.
    rows : dict of str to int
        Number of rows: all, train, test.
    features : list of str
        Columns that the model uses.
    feature_steps : list of FeatureStep or None
        Steps of the encoder that make features of the columns; results of earlier versions have none.
    feature_engineering : FeatureReport or None
        Features that were made of the columns, and their gain; None where nothing was tried, and in results of earlier
        versions.
    fingerprint : str
        Fingerprint of the table.
    packages : dict of str to str
        Versions of the libraries.
    positive_class : PositiveClass or None
        Class of two that precision, recall, curves and decisions are about, and why; results of earlier versions have
        none.
    decision : DecisionFigures or None
        Predictions of the positive class on the test rows: recall, precision and share, at a threshold of 0.5; None
        without two classes or a test, and in results of earlier versions.
    learning_curve : LearningCurve or None
        Scores by the number of training rows; results of earlier versions have none.
    """

    model: Pipeline
    settings: AutoMLSettings
    task: str
    metric: str
    labels: list[Label] | None
    winner: Winner
    leaderboard: pd.DataFrame
    trials: list[Trial]
    test_metrics: dict[str, Estimate]
    baseline_metrics: dict[str, dict[str, Estimate]]
    differences: dict[str, Estimate]
    verdict: str
    oof: pd.DataFrame
    test: pd.DataFrame
    curves: dict[str, Any]
    confusion: list[list[int]] | None
    findings: list[Finding]
    stop_code: str
    stop_reason: str
    elapsed_s: float
    model_ready_s: float
    split_method: str
    rows: dict[str, int]
    features: list[str]
    fingerprint: str
    packages: dict[str, str] = field(default_factory=dict)
    feature_steps: list[FeatureStep] | None = None
    feature_engineering: FeatureReport | None = None
    blend: Trial | None = None
    hyperparameters: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    candidates: dict[int, OutOfFold] = field(default_factory=dict, repr=False)
    positive_class: PositiveClass | None = None
    decision: DecisionFigures | None = None
    learning_curve: LearningCurve | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return all but the model and the predictions as JSON-serializable values."""
        record: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        record["labels"] = self.labels
        record["settings"] = self.settings.model_dump(mode="json")
        record["trials"] = [trial.to_record() for trial in self.trials]
        record["blend"] = None if self.blend is None else self.blend.to_record()
        record["leaderboard"] = self.leaderboard.to_dict(orient="records")
        record["test_metrics"] = _records(self.test_metrics)
        record["baseline_metrics"] = {name: _records(metrics) for name, metrics in self.baseline_metrics.items()}
        record["hyperparameters"] = {name: _records(values) for name, values in self.hyperparameters.items()}
        record["decision"] = None if self.decision is None else self.decision.to_dict()
        record["learning_curve"] = None if self.learning_curve is None else self.learning_curve.to_dict()
        record["differences"] = _records(self.differences)
        record["findings"] = [finding.to_dict() for finding in self.findings]
        plain: dict[str, Any] = jsonable(record)
        return plain

    def save(self, folder: str | Path) -> None:
        """Write the result into a folder: model, evidence, and what is needed to use them elsewhere."""
        files = ResultFiles(self.to_dict(), self.model, self.oof, self.test, self.candidates)
        write_files(Path(folder), files, self.leaderboard)

    @classmethod
    def load(cls, folder: str | Path) -> AutoMLResult:
        """Read what `save` wrote; nothing is unpickled."""
        files = read_files(Path(folder))
        record = files.record
        blend, curve, decision = (record.get(name) for name in ("blend", "learning_curve", "decision"))
        plain: dict[str, Any] = {name: record.get(name) for name in _PLAIN}
        return cls(
            model=files.model,
            settings=AutoMLSettings(**record["settings"]),
            labels=None if record["labels"] is None else files.model.classes_.tolist(),
            leaderboard=pd.DataFrame(record["leaderboard"]),
            trials=[Trial.from_record(trial) for trial in record["trials"]],
            blend=None if blend is None else Trial.from_record(blend),
            test_metrics=read_estimates(record["test_metrics"]),
            baseline_metrics={name: read_estimates(items) for name, items in record["baseline_metrics"].items()},
            hyperparameters={
                name: read_estimates(items) for name, items in (record.get("hyperparameters") or {}).items()
            },
            differences=read_estimates(record["differences"]),
            oof=files.oof,
            test=files.test,
            candidates=files.candidates,
            decision=None if decision is None else read_decision(decision),
            learning_curve=None if curve is None else LearningCurve.from_dict(curve),
            findings=[Finding.from_dict(item) for item in record["findings"]],
            **plain,
        )


def _records(estimates: dict[str, Estimate]) -> dict[str, dict[str, Any]]:
    return {name: estimate.to_dict() for name, estimate in estimates.items()}

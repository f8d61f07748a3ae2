"""The end of a search: the winner is tested once, beside the baselines, and the evidence is gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.automl._fitting import outputs
from core.automl._model import make_model
from core.automl._settings import AutoMLSettings
from core.automl._types import Codes, Estimator, OutOfFold, Output
from core.automl.data.prepare import Prepared
from core.automl.ensemble.blend import Blend
from core.automl.ensemble.calibration import CalibratedClassifier, Calibration, calibrate
from core.automl.ensemble.candidates import load_out_of_fold, out_of_fold_file
from core.automl.ensemble.selection import best_of_each
from core.automl.refit.refits import FinalModel
from core.automl.results.baselines import prior
from core.automl.results.decision_figures import DecisionFigures, decision_figures
from core.automl.results.feature_report import feature_report
from core.automl.results.findings import deployment_findings, linear_findings, trial_findings
from core.automl.results.hyperparameters import hyperparameter_importance
from core.automl.results.leaderboard import leaderboard_table
from core.automl.results.model_packages import installed_packages
from core.automl.results.predictions import predictions_table
from core.automl.results.result import AutoMLResult
from core.automl.tuning.budget import Budget
from core.automl.tuning.stopping import StopReason
from core.automl.tuning.trials import Trial, Trials
from core.datasets import Finding, fingerprint
from core.evaluation import (
    METRICS,
    Comparison,
    Estimate,
    compare_outputs,
    confusion,
    curves,
    verdict_sentence,
)
from core.features import feature_steps

__all__ = ["Outcome", "conclude"]


@dataclass(frozen=True)
class Outcome:
    """What the search and the final fit have left.

    Parameters
    ----------
    board : Trials
        Trials of the search.
    folder : Path
        Folder of the search, where the out-of-fold predictions are.
    final : FinalModel
        The final model of the winner.
    guessing : Trial
        The baseline that knows no column, as a trial.
    linear : Trial or None
        The linear model as a trial; None when it was not there in time.
    linear_model : fitted estimator or None
        The linear model.
    blend : Trial or None
        The blend that was considered.
    stop : StopReason
        Reason why the search ended.
    findings : list of Finding
        Findings of the search and of the final fit.
    ready_s : float
        Seconds from the start to a model that predicts.
    """

    board: Trials
    folder: Path
    final: FinalModel
    guessing: Trial
    linear: Trial | None
    linear_model: Estimator | None
    blend: Trial | None
    stop: StopReason
    findings: list[Finding]
    ready_s: float


def conclude(
    frame: pd.DataFrame, settings: AutoMLSettings, prepared: Prepared, outcome: Outcome, budget: Budget
) -> AutoMLResult:
    """Test the winner once, beside the baselines, and gather the evidence.

    Parameters
    ----------
    frame : DataFrame
        Table of the search.
    settings : AutoMLSettings
        Settings of the search.
    prepared : Prepared
        Target, features and splits.
    outcome : Outcome
        Trials and final model.
    budget : Budget
        Clock of the search.
    """
    data, seed, final, board = prepared.data, settings.seed, outcome.final, outcome.board
    y, groups, weights = prepared.y_test, prepared.test_groups, prepared.test_weights
    out_of_fold = load_out_of_fold(outcome.folder, final.trial)
    covered = np.flatnonzero(np.isfinite(out_of_fold if out_of_fold.ndim == 1 else out_of_fold[:, 0]))
    out_of_fold = out_of_fold[covered]
    estimator, calibration = final.estimator, _calibration(prepared, settings, out_of_fold, covered)
    if calibration is not None and calibration.record["used"]:
        estimator = CalibratedClassifier(estimator, calibration.record["slope"], calibration.biases)
        out_of_fold = calibration.out_of_fold
    tested = _test_outputs(prepared, outcome, estimator)
    compared = Comparison({}, {})
    if tested:
        compared = compare_outputs(
            prepared.task,
            prepared.metric,
            y,
            tested,
            groups=groups,
            sample_weight=weights,
            labels=prepared.label_names,
            seed=seed,
        )
    gains = dict(compared.gains)
    if final.trial.learner == "linear":
        gains.pop("linear", None)
    return AutoMLResult(
        model=make_model(prepared.encoder, estimator, prepared.labels),
        settings=settings,
        task=prepared.task,
        metric=prepared.metric,
        labels=prepared.labels,
        winner={
            "trial": final.trial.number,
            "learner": final.trial.learner,
            "config": final.trial.config,
            "score": final.trial.score,
            "score_std": final.trial.score_std,
            "refit_s": final.refit_s,
            "at_s": outcome.ready_s if final.trial.at is None else final.trial.at,
            "fitted": len(final.estimator.estimators_) if isinstance(final.estimator, Blend) else 1,
            "calibration": None if calibration is None else calibration.record,
        },
        leaderboard=leaderboard_table(board, outcome.blend, outcome.linear, outcome.guessing),
        trials=list(board),
        blend=outcome.blend,
        hyperparameters=_hyperparameters(list(board), settings),
        candidates=_candidates(board, outcome.folder),
        test_metrics=compared.metrics.get("model", {}),
        baseline_metrics={name: metrics for name, metrics in compared.metrics.items() if name != "model"},
        differences=gains,
        verdict=_verdict(prepared, gains),
        oof=predictions_table(
            frame,
            prepared,
            settings,
            prepared.train_rows[covered],
            out_of_fold,
            None if data.groups is None else data.groups[covered],
        ),
        test=predictions_table(
            frame, prepared, settings, prepared.test_rows, tested.get("model", out_of_fold[:0]), groups
        ),
        curves=curves(y, tested["model"], prepared.label_names, groups=groups, sample_weight=weights, seed=seed)
        if len(y)
        else {},
        confusion=confusion(y, tested["model"]) if len(y) and data.classes else None,
        positive_class=None
        if prepared.task != "binary"
        else {"label": (prepared.label_names or [])[1], "reason": prepared.positive_reason},
        decision=_decision(prepared, tested["model"]) if len(y) and data.classes == 2 else None,
        findings=[
            *prepared.findings,
            *outcome.findings,
            *deployment_findings(final.trial),
            *linear_findings(outcome.linear),
            *trial_findings(board),
        ],
        stop_code=outcome.stop.code,
        stop_reason=outcome.stop.sentence,
        elapsed_s=budget.elapsed(),
        model_ready_s=outcome.ready_s,
        split_method=prepared.split_method,
        rows={"all": len(frame), "train": len(data.y), "test": len(y)}
        | ({} if groups is None else {"test_groups": len(np.unique(groups))}),
        features=list(prepared.encoder.columns_),
        feature_steps=feature_steps(prepared.encoder),
        feature_engineering=feature_report(final.estimator, list(board), prepared.metric),
        fingerprint=fingerprint(frame),
        packages=installed_packages(),
    )


def _calibration(
    prepared: Prepared, settings: AutoMLSettings, out_of_fold: OutOfFold, covered: Codes
) -> Calibration | None:
    """Return the calibration of the final model, used or not; None of numbers, or where it is switched off."""
    data = prepared.data
    if not data.classes or not settings.calibrate or settings.class_weights:
        return None
    return calibrate(
        np.asarray(out_of_fold, dtype=np.float64),
        data.y[covered],
        prepared.metric,
        weights=data.weights_of(covered),
        groups=None if data.groups is None else data.groups[covered],
    )


def _test_outputs(prepared: Prepared, outcome: Outcome, estimator: Estimator) -> dict[str, Output]:
    """Return what the winner and the baselines predict of the test rows; nothing without a test."""
    X, classes = prepared.X_test, prepared.data.classes
    if not len(prepared.y_test):
        return {}
    tested = {"model": outputs(estimator, X, classes), "prior": prior(prepared, len(X))}
    if outcome.linear_model is not None:
        tested["linear"] = outputs(outcome.linear_model, X, classes)
    return tested


def _decision(prepared: Prepared, output: Output) -> DecisionFigures:
    """Return what predicting the more probable class comes to for the positive one."""
    return decision_figures(
        prepared.y_test == 1,
        output.argmax(axis=1) == 1,
        (prepared.label_names or [])[1],
        groups=prepared.test_groups,
        sample_weight=prepared.test_weights,
    )


def _hyperparameters(trials: Sequence[Trial], settings: AutoMLSettings) -> dict[str, dict[str, Estimate]]:
    by_learner = {
        name: hyperparameter_importance(trials, name, seed=settings.seed) for name in settings.chosen_learners
    }
    return {name: importance for name, importance in by_learner.items() if importance}


def _candidates(board: Trials, folder: Path) -> dict[int, OutOfFold]:
    ranked = board.ranked()
    best = [ranked[index] for index in best_of_each(range(len(ranked)), [trial.learner for trial in ranked])]
    files = {trial.number: out_of_fold_file(folder, trial) for trial in best if trial.number is not None}
    return {number: np.load(file) for number, file in files.items() if file.exists()}


def _verdict(prepared: Prepared, gains: dict[str, Estimate]) -> str:
    guessing = "guessing the mean" if prepared.task == "regression" else "guessing"
    names = {"prior": guessing, "linear": "a linear model"}
    return verdict_sentence(METRICS[prepared.metric].title, gains, names)

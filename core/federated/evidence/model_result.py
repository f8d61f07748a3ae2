"""The federated model as a result like that of a search, which everything that is built on results reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.automl import AutoMLResult, AutoMLSettings, Trial, add_test, installed_packages
from core.datasets import Finding, fingerprint, whole_numbers
from core.evaluation import compute_metrics, metric_choices
from core.features import feature_steps
from core.federated.algorithms.registry import ALGORITHMS

if TYPE_CHECKING:
    from core.federated._settings import FederatedSettings
    from core.federated.coordinator.training import Fitted

__all__ = ["OutOfFoldRows", "model_result"]


class OutOfFoldRows:
    """Predictions of training rows by models that did not see them.

    Parameters
    ----------
    rows : array of int of shape (n,)
        Positions in the table.
    folds : array of int of shape (n,)
        Fold of each row.
    y : array of shape (n,)
        Class codes or numbers.
    output : array of shape (n, k) or (n,)
        Probabilities, or numbers.
    """

    def __init__(
        self,
        rows: NDArray[np.intp],
        folds: NDArray[np.intp],
        y: NDArray[np.generic],
        output: NDArray[np.float64],
    ) -> None:
        order = np.argsort(rows)
        self.rows, self.folds, self.y, self.output = rows[order], folds[order], y[order], output[order]


def model_result(
    table: pd.DataFrame | None,
    settings: FederatedSettings,
    fitted: Fitted,
    *,
    metric: str,
    site_column: str | None,
    train_rows: NDArray[np.intp],
    test_rows: NDArray[np.intp],
    out_of_fold: OutOfFoldRows | None,
    elapsed_s: float,
    stopped: bool,
) -> AutoMLResult:
    """Return the result of a federated model.

    Parameters
    ----------
    table : DataFrame or None
        Rows of all sites; None where they are elsewhere, and the result has neither test nor predictions.
    settings : FederatedSettings
        Settings of the study.
    fitted : Fitted
        The model.
    metric : str
        Key of the metric that models are compared by.
    site_column : str or None
        Column of `table` with the sites.
    train_rows, test_rows : array of int
        Positions of the rows in `table`.
    out_of_fold : OutOfFoldRows or None
        Predictions of the training rows.
    elapsed_s : float
        Duration of the study.
    stopped : bool
        Whether the study was ended early.
    """
    plan, algorithm = fitted.plan, ALGORITHMS[settings.algorithm]
    own = _settings(settings, fitted, metric, site_column)
    trial = _trial(settings, fitted, metric, out_of_fold)
    names = None if plan.labels is None else [str(label) for label in plan.labels]
    predictions = _predictions(table, own, names, out_of_fold)
    rounds = len(fitted.rounds.records)
    result = AutoMLResult(
        model=fitted.model,
        settings=own,
        task=plan.task,
        metric=metric,
        labels=plan.labels,
        winner={
            "trial": trial.number,
            "learner": trial.learner,
            "config": trial.config,
            "score": trial.score,
            "score_std": trial.score_std,
            "refit_s": elapsed_s,
            "fitted": 1,
            "calibration": None,
        },
        leaderboard=_leaderboard(trial),
        trials=[trial],
        test_metrics={},
        baseline_metrics={},
        differences={},
        verdict="",
        oof=predictions,
        test=predictions.iloc[:0],
        curves={},
        confusion=None,
        findings=[
            *_unfinished(fitted),
            *fitted.agreement.findings,
            *fitted.features.findings,
            *fitted.features.encoder.findings(),
        ],
        stop_code="stopped" if stopped else "finished",
        stop_reason=f"{algorithm.title}: {'stopped after' if stopped else 'all'} {rounds:,} rounds.",
        elapsed_s=elapsed_s,
        model_ready_s=elapsed_s,
        split_method=_split_method(settings, out_of_fold is not None),
        rows={
            "all": sum(fitted.study.rows.values()) if table is None else len(table),
            "train": sum(fitted.study.rows.values()),
            "test": 0,
        },
        features=list(fitted.features.encoder.columns_),
        feature_steps=feature_steps(fitted.features.encoder),
        fingerprint="" if table is None else fingerprint(table),
        packages=installed_packages(),
        positive_class=None
        if plan.classes != 2
        else {"label": str((plan.labels or [])[1]), "reason": fitted.agreement.positive_reason},
    )
    if table is None or not len(test_rows):
        return result
    training, held_out = table.iloc[train_rows], table.iloc[test_rows]
    tested, _ = add_test(result, training.reset_index(drop=True), held_out.reset_index(drop=True))
    test = tested.test.assign(row_id=test_rows[tested.test["row_id"].to_numpy() - len(training)])
    return replace(
        tested,
        settings=own,
        test=test.sort_values("row_id", ignore_index=True),
        fingerprint=result.fingerprint,
        rows={"all": len(table), "train": len(training), "test": len(test)},
    )


def _findings(fitted: Fitted) -> list[Finding]:
    features = fitted.features
    return [*_unfinished(fitted), *fitted.agreement.findings, *features.findings, *features.encoder.findings()]


def _unfinished(fitted: Fitted) -> list[Finding]:
    """Return that a regression has not converged, if it has not."""
    if fitted.state.content.get("converged", True):
        return []
    return [
        Finding(
            "not_converged",
            "alert",
            None,
            f"The regression has not converged in {len(fitted.rounds.records):,} rounds: its coefficients are not yet "
            "those of all rows in one place.",
            "Allow more rounds, or a larger penalty.",
        )
    ]


def _settings(settings: FederatedSettings, fitted: Fitted, metric: str, site_column: str | None) -> AutoMLSettings:
    """Return the settings of a search that would use the same columns in the same way."""
    sites = () if site_column is None else (site_column,)
    learner = ALGORITHMS[settings.algorithm].learner
    return AutoMLSettings(
        target=settings.target,
        task=fitted.plan.task,
        metric=metric,
        time_budget_s=None,
        max_trials=2,
        learners="auto" if learner == "linear" else (learner,),
        featurization="custom",
        column_types={column["name"]: column["type"] for column in fitted.features.columns},
        feature_engineering=False,
        ensemble=False,
        bagging=False,
        calibrate=False,
        drop_columns=tuple(dict.fromkeys([*settings.drop_columns, *sites])),
        sensitive_columns=tuple(dict.fromkeys([*settings.sensitive_columns, *sites])),
        positive_label=settings.positive_label,
        test_fraction=settings.test_fraction,
        seed=settings.seed,
    )


def _configuration(settings: FederatedSettings) -> dict[str, Any]:
    """Return the hyperparameters by the names that the learner's own have."""
    if settings.algorithm == "boosting":
        return {
            "n_estimators": settings.rounds_to_train,
            "num_leaves": settings.max_leaves,
            "learning_rate": settings.step,
            "min_child_samples": settings.min_leaf_rows,
            "reg_lambda": settings.l2,
        }
    if settings.algorithm == "linear":
        return {}
    return {"hidden": settings.hidden, "layers": 2 if settings.hidden else 0, "learning_rate": settings.step}


def _trial(settings: FederatedSettings, fitted: Fitted, metric: str, out_of_fold: OutOfFoldRows | None) -> Trial:
    learner = ALGORITHMS[settings.algorithm].learner
    number = 0 if learner == "linear" else 1
    seconds = sum(record.seconds for record in fitted.rounds.records)
    trial = Trial(number, learner, _configuration(settings), "finished", seconds=seconds, fit_s=seconds)
    if out_of_fold is None:
        return trial
    names = metric_choices(fitted.plan.task)
    by_fold = [
        compute_metrics(names, out_of_fold.y[rows], out_of_fold.output[rows])
        for rows in (np.flatnonzero(out_of_fold.folds == fold) for fold in np.unique(out_of_fold.folds))
    ]
    metrics = {name: float(np.mean([values[name] for values in by_fold])) for name in names}
    scores = [float(values[metric]) for values in by_fold]
    spread = float(np.std(scores, ddof=1)) if len(scores) > 1 else None
    return replace(trial, score=metrics[metric], score_std=spread, fold_scores=scores, metrics=metrics)


def _leaderboard(trial: Trial) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "name": f"federated {trial.learner}",
                "learner": trial.learner,
                "trial": trial.number or None,
                "status": trial.status,
                "score": trial.score,
                "score_std": trial.score_std,
                **(trial.metrics or {}),
                "fit_s": trial.fit_s,
                "predict_ms_a_row": None,
                "size_bytes": None,
                "config": trial.config,
            }
        ]
    )


def _predictions(
    table: pd.DataFrame | None,
    settings: AutoMLSettings,
    names: list[str] | None,
    out_of_fold: OutOfFoldRows | None,
) -> pd.DataFrame:
    """Return out-of-fold predictions as a search stores them; no rows without any."""
    columns: dict[str, Any] = {}
    rows = np.array([], dtype=np.intp) if out_of_fold is None else out_of_fold.rows
    columns["row_id"] = rows
    truth = None if table is None else table[settings.target]
    if truth is not None and names is not None:
        truth = whole_numbers(truth)
    columns[settings.target] = [] if truth is None else truth.iloc[rows].to_numpy()
    output = None if out_of_fold is None else out_of_fold.output
    if names is None:
        columns["prediction"] = np.array([]) if output is None else output
    else:
        labels = pd.Series([] if truth is None else truth.dropna().unique()).astype(object)
        by_name = {str(label): label for label in labels}
        chosen = [] if output is None else [by_name.get(names[code], names[code]) for code in output.argmax(axis=1)]
        columns["prediction"] = np.asarray(chosen) if chosen else np.array([], dtype=object)
        for code, name in enumerate(names):
            columns[f"p({name})"] = np.array([]) if output is None else output[:, code]
    for column in settings.sensitive_columns:
        if table is not None and column in table.columns:
            columns.setdefault(column, whole_numbers(table[column]).iloc[rows].reset_index(drop=True))
    return pd.DataFrame(columns)


def _split_method(settings: FederatedSettings, folded: bool) -> str:
    parts = f"At each site, {settings.test_fraction:.0%} of the rows are the test, drawn within classes."
    if folded:
        parts += (
            f" Out-of-fold predictions: the federation was trained {settings.folds} times without a fold of each site."
        )
    return parts

"""What a search found, with its evidence."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.automl._model import make_model
from core.automl._settings import AutoMLSettings
from core.automl.data.prepare import Prepared
from core.automl.ensemble.candidates import load_out_of_fold, out_of_fold_file
from core.automl.ensemble.selection import best_of_each
from core.automl.results.baselines import prior, prior_trial
from core.automl.results.hyperparameters import hyperparameter_importance
from core.automl.tuning.budget import Budget
from core.automl.tuning.trial import outputs
from core.datasets import Finding, fingerprint
from core.evaluation import (
    METRICS,
    Comparison,
    Estimate,
    compare_outputs,
    confusion,
    curves,
    group_name,
    verdict_sentence,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.automl.refit.refitter import Final, Finisher
    from core.automl.tuning.search import Search

__all__ = ["AutoMLResult", "conclude"]

PACKAGES = (
    "scikit-learn",
    "flaml",
    "lightgbm",
    "xgboost",
    "pandas",
    "numpy",
    "skops",
    "pyarrow",
    "duckdb",
    "openpyxl",
    "charset-normalizer",
    "pydantic-settings",
)


@dataclass(frozen=True)
class AutoMLResult:
    """The result of a search.

    Parameters
    ----------
    model : sklearn.pipeline.Pipeline
        ``predict`` and ``predict_proba`` on raw frames; ``classes_`` holds the original labels.
    leaderboard : DataFrame
        One row a trial, best first, and the baselines: name, learner, trial, status, score (mean over folds),
        score_std, the other metrics, fit_s (all folds), predict_ms_a_row, size_bytes (a fold's model), config.
    trials : list of dict
        Every trial with its configuration, also those that failed or were ended.
    blend : dict or None
        The blend that was considered, as a trial is listed: its members and their weights are in ``config``, and
        ``judged`` has its score and that of the best single model on rows that chose neither. Its status is
        finished when it won, and not_better when it did not.
    hyperparameters : dict of dict of Estimate
        By learner with twelve finished trials and more: the importance of each hyperparameter, as
        `hyperparameter_importance` describes it.
    candidates : dict of int to array
        Out-of-fold predictions of the best trials of each learner by their numbers, (repeats, n, k) or (repeats, n) in
        the order of the training rows, for a search that goes on.
    test_metrics : dict of Estimate
        By metric, on rows the search never saw; empty without a test.
    baseline_metrics : dict of dict of Estimate
        The same of "prior" (class shares, or the mean) and "linear" (logistic or ridge regression).
    differences : dict of Estimate
        The search's metric, model minus baseline, paired on the test rows, larger being better for the model.
    oof, test : DataFrame
        row_id (position in the table), the target, prediction, a probability a class, sensitive columns;
        out-of-fold for training rows (those that some fold validated on), and for the test rows. With a group column
        the second column has the codes of the groups.
    curves, confusion : JSON-like
        What a page draws, of the test rows.
    stop_reason : str
        Why the search ended, in words; ``stop_code`` in one word.
    elapsed_s, model_ready_s : float
        Seconds from the start to the end, and to a model that predicts.
    """

    model: Any
    settings: AutoMLSettings
    task: str
    metric: str
    labels: list[Any] | None
    winner: dict[str, Any]
    leaderboard: pd.DataFrame
    trials: list[dict[str, Any]]
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
    blend: dict[str, Any] | None = None
    hyperparameters: dict[str, dict[str, Estimate]] = field(default_factory=dict)
    candidates: dict[int, NDArray[np.float32]] = field(default_factory=dict, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the model and the predictions as JSON-serialisable values."""
        from core.automl.results.store import summary

        return summary(self)

    def save(self, folder: str | Path) -> None:
        """Write the result into a folder: model, evidence, and what is needed to use them elsewhere."""
        from core.automl.results.store import save

        save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> AutoMLResult:
        """Read what `save` wrote; nothing is unpickled."""
        from core.automl.results.store import load

        return load(Path(folder))


def packages() -> dict[str, str]:
    """Return the versions that the result depends on."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def _predictions(
    frame: pd.DataFrame,
    prepared: Prepared,
    settings: AutoMLSettings,
    rows: NDArray[np.intp],
    output: NDArray[Any],
    groups: NDArray[np.intp] | None,
) -> pd.DataFrame:
    table: dict[str, Any] = {"row_id": rows}
    if groups is not None:
        table[group_name([settings.target, *settings.sensitive_columns])] = groups
    table[settings.target] = frame[settings.target].to_numpy()[rows]
    if prepared.labels is None:
        table["prediction"] = output
    else:
        table["prediction"] = np.asarray(prepared.labels)[output.argmax(axis=1)] if len(rows) else []
        for code, name in enumerate(prepared.label_names or ()):
            table[f"p({name})"] = output[:, code]
    for name in settings.sensitive_columns:
        table.setdefault(name, frame[name].to_numpy()[rows])
    return pd.DataFrame(table)


def _leaderboard(
    run: Search, blend: dict[str, Any] | None, linear: dict[str, Any] | None, guess: dict[str, Any]
) -> pd.DataFrame:
    rows = []
    ranked = sorted([*run.trials, *(trial for trial in (linear, blend) if trial)], key=run.rank)
    if blend is not None and blend["status"] == "finished":  # it was found to be better, if not on these very rows
        ranked.remove(blend)
        ranked.insert(0, blend)
    for trial in [*ranked, guess]:
        learner = trial["learner"]
        rows.append(
            {
                "name": learner if trial["trial"] in (None, 0) else f"{learner} {trial['trial']}",
                "learner": learner,
                "trial": trial["trial"] or None,
                "status": trial["status"],
                "score": trial.get("score"),
                "score_std": trial.get("score_std"),
                **(trial.get("metrics") or {}),
                "fit_s": trial.get("fit_s"),
                "predict_ms_a_row": trial.get("predict_ms_a_row"),
                "size_bytes": trial.get("size_bytes"),
                "config": trial["config"],
            }
        )
    return pd.DataFrame(rows)


def _hyperparameters(run: Search) -> dict[str, dict[str, Estimate]]:
    found = {
        name: hyperparameter_importance(run.trials, name, seed=run.settings.seed)
        for name in run.settings.chosen_learners
    }
    return {name: importance for name, importance in found.items() if importance}


def _candidates(run: Search) -> dict[int, NDArray[np.float32]]:
    ranked = sorted((trial for trial in run.trials if trial["status"] == "finished"), key=run.rank)
    best = [ranked[place] for place in best_of_each(range(len(ranked)), [trial["learner"] for trial in ranked])]
    files = {trial["trial"]: out_of_fold_file(run.folder, trial) for trial in best}
    return {number: np.load(file) for number, file in files.items() if file.exists()}


def _verdict(prepared: Prepared, gains: dict[str, Estimate]) -> str:
    names = {"prior": "guessing the mean" if prepared.task == "regression" else "guessing", "linear": "a linear model"}
    return verdict_sentence(METRICS[prepared.metric].title, gains, names)


def conclude(
    frame: pd.DataFrame,
    settings: AutoMLSettings,
    prepared: Prepared,
    run: Search,
    finisher: Finisher,
    final: Final,
    reason: tuple[str, str],
    ready_s: float,
    budget: Budget,
) -> AutoMLResult:
    """Test the winner once, beside the baselines, and gather the evidence."""
    data, seed = prepared.data, settings.seed
    linear = finisher.linear if finisher.linear and finisher.linear["status"] == "finished" else None
    X, y = prepared.X_test, prepared.y_test
    tested: dict[str, NDArray[np.float64]] = {}
    if len(y):
        tested["model"] = outputs(final.estimator, X, data.classes)
        tested["prior"] = prior(prepared, len(y))
        if linear is not None:
            estimator = finisher.load("linear")
            tested["linear"] = outputs(estimator, X, data.classes)
    groups = prepared.test_groups
    compared = Comparison({}, {})
    if tested:
        compared = compare_outputs(prepared.task, prepared.metric, y, tested, groups=groups, seed=seed)
    gains = dict(compared.gains)
    if final.trial["learner"] == "linear":
        gains.pop("linear", None)

    out_of_fold = load_out_of_fold(run.folder, final.trial)
    covered = np.flatnonzero(np.isfinite(out_of_fold if out_of_fold.ndim == 1 else out_of_fold[:, 0]))
    failed = [trial for trial in run.trials if trial["status"] not in ("finished", "pruned")]
    findings = [*prepared.findings, *finisher.findings]
    if linear is None:
        why = (finisher.linear or {}).get("message") or "it was not finished in the time there was"
        findings.append(
            Finding(
                "linear",
                "notice",
                None,
                f"There is no linear model to compare with: {why}.",
                "Give the search more time, or use fewer columns.",
            )
        )
    if failed:
        findings.append(
            Finding(
                "trials",
                "notice",
                None,
                f"{len(failed)} of {len(run.trials)} trials gave no score; the first: {failed[0].get('message')}.",
                "They are in the leaderboard with their state; the others are not affected.",
                {"trials": [trial["trial"] for trial in failed]},
            )
        )
    return AutoMLResult(
        model=make_model(prepared.encoder, final.estimator, prepared.labels),
        settings=settings,
        task=prepared.task,
        metric=prepared.metric,
        labels=prepared.labels,
        winner={name: final.trial.get(name) for name in ("trial", "learner", "config", "score", "score_std")}
        | {"refit_s": final.refit_s},
        leaderboard=_leaderboard(run, finisher.blend, finisher.linear, prior_trial(prepared)),
        trials=run.trials,
        blend=finisher.blend,
        hyperparameters=_hyperparameters(run),
        candidates=_candidates(run),
        test_metrics=compared.metrics.get("model", {}),
        baseline_metrics={name: found for name, found in compared.metrics.items() if name != "model"},
        differences=gains,
        verdict=_verdict(prepared, gains),
        oof=_predictions(
            frame,
            prepared,
            settings,
            prepared.train_rows[covered],
            out_of_fold[covered],
            None if data.groups is None else data.groups[covered],
        ),
        test=_predictions(frame, prepared, settings, prepared.test_rows, tested.get("model", out_of_fold[:0]), groups),
        curves=curves(y, tested["model"], prepared.label_names, groups=groups, seed=seed) if len(y) else {},
        confusion=confusion(y, tested["model"]) if len(y) and data.classes else None,
        findings=findings,
        stop_code=reason[0],
        stop_reason=reason[1],
        elapsed_s=budget.elapsed(),
        model_ready_s=ready_s,
        split_method=prepared.split_method,
        rows={"all": len(frame), "train": len(data.y), "test": len(y)}
        | ({} if groups is None else {"test_groups": len(np.unique(groups))}),
        features=list(prepared.encoder.columns_),
        fingerprint=fingerprint(frame),
        packages=packages(),
    )

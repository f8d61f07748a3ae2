"""What feature engineering made, and what it brought."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypedDict

import numpy as np

from core.automl._types import Estimator
from core.automl.engineering.engineered_model import EngineeredModel
from core.automl.ensemble.blend import Blend
from core.automl.learners.registry import LEARNERS, MADE_FEATURES
from core.automl.learners.scaled_target import ScaledTargetRegressor
from core.automl.tuning.trials import Trial
from core.evaluation import METRICS

__all__ = ["FeatureGain", "FeatureReport", "UsedFeature", "feature_report"]


class UsedFeature(TypedDict):
    """A feature that models of the final one are given.

    Parameters
    ----------
    title : str
        Its name.
    kind : str
        target_means, arithmetic or group_differences.
    columns : list of str
        Columns that it is made of.
    models : int
        Number of fitted models that are given it.
    """

    title: str
    kind: str
    columns: list[str]
    models: int


class FeatureGain(TypedDict):
    """Two trials of a learner that differ in the features only.

    Parameters
    ----------
    learner : str
        Key of `LEARNERS`.
    families : str
        Family that was made, one of `FAMILIES`.
    trial, plain_trial : int
        Trial with the features, and the one without.
    score, plain_score : float
        Their scores.
    gain : float
        Mean difference of the scores of the folds; positive where the features are better.
    error : float or None
        Standard error of the gain over the folds; None with one fold.
    """

    learner: str
    families: str
    trial: int
    plain_trial: int
    score: float
    plain_score: float
    gain: float
    error: float | None


class FeatureReport(TypedDict):
    """What feature engineering made, and what it brought.

    Parameters
    ----------
    features : list of UsedFeature
        Features of the final model, those of most models first.
    models, engineered : int
        Number of fitted models of the final one, and of those that have features made.
    gains : list of FeatureGain
        One for each learner that was tried with the features and without, the largest first.
    """

    features: list[UsedFeature]
    models: int
    engineered: int
    gains: list[FeatureGain]


def feature_report(estimator: Estimator, trials: Sequence[Trial], metric: str) -> FeatureReport | None:
    """Return what was made and what it brought; None where no trial had features made.

    Parameters
    ----------
    estimator : fitted estimator
        The final model.
    trials : sequence of Trial
        Trials of the search.
    metric : str
        Key of `METRICS` that the search optimizes.
    """
    if all(trial.config.get(MADE_FEATURES, "none") == "none" for trial in trials):
        return None
    models = list(_models(estimator))
    engineered = [model for model in models if isinstance(model, EngineeredModel)]
    used: dict[str, UsedFeature] = {}
    for model in engineered:
        for feature in model.maker_.made_:
            row: UsedFeature = {"title": feature.title, "kind": feature.kind, "columns": feature.columns, "models": 0}
            used.setdefault(feature.title, row)["models"] += 1
    gains = [gain for learner in LEARNERS if (gain := _gain(learner, trials, metric)) is not None]
    return {
        "features": sorted(used.values(), key=lambda feature: -feature["models"]),
        "models": len(models),
        "engineered": len(engineered),
        "gains": sorted(gains, key=lambda gain: -gain["gain"]),
    }


def _models(estimator: Any) -> Iterator[Any]:
    """Return the fitted models that a final one is made of."""
    if isinstance(estimator, Blend):
        for member in estimator.estimators_:
            yield from _models(member)
    else:
        yield estimator.estimator_ if isinstance(estimator, ScaledTargetRegressor) else estimator


def _gain(learner: str, trials: Iterable[Trial], metric: str) -> FeatureGain | None:
    """Return the comparison of a learner with the best features; None where it has none."""
    record = LEARNERS[learner]
    found_out = {MADE_FEATURES} | ({record.grown} if record.grow is not None else set())
    plain: dict[str, Trial] = {}
    made: list[tuple[str, Trial]] = []
    for trial in trials:
        if trial.learner != learner or not trial.finished:
            continue
        rest = repr(sorted((name, value) for name, value in trial.config.items() if name not in found_out))
        if trial.config.get(MADE_FEATURES, "none") == "none":
            plain.setdefault(rest, trial)
        else:
            made.append((rest, trial))
    sign = 1 if METRICS[metric].larger_is_better else -1
    pairs = [(trial, plain[rest]) for rest, trial in made if rest in plain]
    gains = [_compared(trial, other, sign) for trial, other in pairs if _folds(trial) == _folds(other)]
    return max(gains, key=lambda gain: sign * gain["score"], default=None)


def _folds(trial: Trial) -> int:
    return len(trial.fold_scores or [])


def _compared(trial: Trial, plain: Trial, sign: int) -> FeatureGain:
    differences = sign * (np.array(trial.fold_scores or []) - np.array(plain.fold_scores or []))
    folds = len(differences)
    return {
        "learner": trial.learner,
        "families": trial.config[MADE_FEATURES],
        "trial": trial.number or 0,
        "plain_trial": plain.number or 0,
        "score": trial.score or 0.0,
        "plain_score": plain.score or 0.0,
        "gain": float(differences.mean()) if folds else 0.0,
        "error": float(differences.std(ddof=1) / np.sqrt(folds)) if folds > 1 else None,
    }

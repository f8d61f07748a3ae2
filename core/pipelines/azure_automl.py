"""Azure's AutoML in our names: metrics, algorithms, and the keys of an ``automl`` node as inputs of a component."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from core.errors import SettingsError
from core.evaluation import METRICS
from core.jsonable import JsonObject
from core.registry import unknown_name

__all__ = ["ALGORITHMS", "PRIMARY_METRICS", "AutoMLInputs", "automl_inputs", "metric_of"]

PRIMARY_METRICS: Mapping[str, tuple[str, str]] = {
    "auc_weighted": ("roc_auc", ""),
    "accuracy": ("accuracy", ""),
    "norm_macro_recall": ("balanced_accuracy", "the same order of models, not rescaled by chance"),
    "average_precision_score_weighted": ("average_precision", "of the positive class with two classes"),
    "precision_score_weighted": ("f1_weighted", "the nearest metric here, which counts recall as well"),
    "r2_score": ("r2", ""),
    "normalized_root_mean_squared_error": ("rmse", "the same order of models, in the target's unit"),
    "normalized_mean_absolute_error": ("mae", "the same order of models, in the target's unit"),
    "spearman_correlation": ("r2", "the nearest metric here, which counts values and not ranks"),
}
"""Azure's metrics: ours, and in which way it differs."""

ALGORITHMS: Mapping[str, str] = {
    "lightgbm": "lgbm",
    "light_gbm": "lgbm",
    "xgboostclassifier": "xgboost",
    "xg_boost_classifier": "xgboost",
    "xgboostregressor": "xgboost",
    "xg_boost_regressor": "xgboost",
    "randomforest": "rf",
    "random_forest": "rf",
    "extremerandomtrees": "extra_tree",
    "extreme_random_trees": "extra_tree",
}
"""Azure's algorithms that are searched here, by our names."""


_LIMITS = {
    "timeout_minutes",
    "trial_timeout_minutes",
    "max_trials",
    "max_concurrent_trials",
    "exit_score",
    "enable_early_termination",
}


class AutoMLInputs(NamedTuple):
    """The inputs of ``train_automl`` for an ``automl`` node.

    Parameters
    ----------
    values : dict
        Values by the name of an input.
    notes : tuple of str
        Sentences about keys that have no effect here, or another one.
    """

    values: dict[str, str | int | float | bool]
    notes: tuple[str, ...]


def metric_of(name: str) -> tuple[str, str]:
    """Return our name of a metric, and a sentence about the difference where there is one.

    Parameters
    ----------
    name : str
        Name of ours or of Azure's, in any case, or "auto".

    Raises
    ------
    SettingsError
        When the metric is unknown.

    Examples
    --------
    >>> metric_of("AUC_weighted")
    ('roc_auc', "The metric is 'roc_auc' for Azure's 'AUC_weighted'.")
    >>> metric_of("f1_macro")
    ('f1_macro', '')
    """
    plain = name.strip().lower()
    if plain == "auto" or (plain in METRICS and plain not in PRIMARY_METRICS):
        return plain, ""
    if plain not in PRIMARY_METRICS:
        raise SettingsError(f"Unknown metric '{name}'.", unknown_name(name, ["auto", *METRICS, *PRIMARY_METRICS]))
    ours, difference = PRIMARY_METRICS[plain]
    if ours == plain:
        return ours, ""
    return ours, f"The metric is '{ours}' for Azure's '{name}'{f': {difference}' if difference else ''}."


def automl_inputs(task: str, settings: JsonObject) -> AutoMLInputs:
    """Return the inputs of ``train_automl`` for the keys of an ``automl`` node.

    Parameters
    ----------
    task : str
        "classification" or "regression".
    settings : dict
        Plain values by key: target_column_name, primary_metric, limits, training, n_cross_validations, featurization.

    Raises
    ------
    SettingsError
        When the metric or a limit is not valid.

    Examples
    --------
    >>> inputs = automl_inputs("regression", {"target_column_name": "y", "limits": {"timeout_minutes": 2}})
    >>> inputs.values
    {'task': 'regression', 'target': 'y', 'time_budget_s': 120.0}
    """
    values: dict[str, str | int | float | bool] = {"task": task.lower()}
    notes: list[str] = []
    if "target_column_name" in settings:
        values["target"] = str(settings["target_column_name"])
    if "primary_metric" in settings:
        values["primary_metric"] = str(settings["primary_metric"])
        metric_of(str(settings["primary_metric"]))
    _limits(settings.get("limits") or {}, values, notes)
    _training(settings.get("training") or {}, values, notes)
    folds = settings.get("n_cross_validations")
    if isinstance(folds, int) and not isinstance(folds, bool):
        values["folds"] = folds
    featurization = settings.get("featurization") or {}
    mode = featurization.get("mode", "auto") if isinstance(featurization, dict) else featurization
    if str(mode).lower() not in ("auto", "default"):
        notes.append(f"The featurization '{mode}' has no effect: columns become features as in every search here.")
    for key in ("validation_data_size", "test_data_size", "cv_split_column_names", "weight_column_name"):
        if settings.get(key) is not None:
            notes.append(f"'{key}' has no effect here: the search validates by cross-validation.")
    return AutoMLInputs(values, tuple(notes))


def _limits(limits: JsonObject, values: dict[str, str | int | float | bool], notes: list[str]) -> None:
    for key, name in (("timeout_minutes", "time_budget_s"), ("trial_timeout_minutes", "trial_timeout_s")):
        if limits.get(key) is not None:
            values[name] = 60.0 * _number(key, limits[key])
    for key, name in (("max_trials", "max_trials"), ("max_concurrent_trials", "max_concurrent_trials")):
        if limits.get(key) is not None:
            values[name] = int(_number(key, limits[key]))
    if limits.get("exit_score") is not None:
        values["exit_score"] = _number("exit_score", limits["exit_score"])
    if "enable_early_termination" in limits:
        values["early_stopping"] = bool(limits["enable_early_termination"])
    notes += [f"The limit '{key}' has no effect here." for key in limits if key not in _LIMITS]


def _training(training: JsonObject, values: dict[str, str | int | float | bool], notes: list[str]) -> None:
    for key, name in (
        ("allowed_training_algorithms", "learners"),
        ("blocked_training_algorithms", "blocked_learners"),
    ):
        listed = _learners(training.get(key) or [], notes)
        if listed:
            values[name] = ",".join(listed)
    ensembles = [training.get(key) for key in ("enable_stack_ensemble", "enable_vote_ensemble")]
    if False in ensembles and True not in ensembles:
        values["ensemble"] = False


def _learners(names: Iterable[object], notes: list[str]) -> list[str]:
    from core.automl import LEARNERS

    learners: dict[str, None] = {}
    for name in map(str, names):
        ours = ALGORITHMS.get(name.lower(), name.lower())
        if ours in LEARNERS:
            learners |= {"xgboost": None, "xgb_limitdepth": None} if ours == "xgboost" else {ours: None}
        else:
            notes.append(f"The algorithm '{name}' is not among the learners here.")
    return list(learners)


def _number(key: str, value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise SettingsError(f"The limit {key} is {value!r}.", "Give a number.") from None

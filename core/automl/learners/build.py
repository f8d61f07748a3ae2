"""From the name of a learner and a configuration to an estimator, and the configurations to try first."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from core.automl._types import Config, Estimator
from core.automl.learners.linear import linear
from core.automl.learners.registry import LEARNERS, LOG_TARGET, LOSS, MADE_FEATURES, Learner
from core.automl.learners.space import Hyperparameter
from core.errors import SettingsError

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData
    from core.features import FeatureGroups

__all__ = ["ABSOLUTE_METRICS", "build_estimator", "low_cost", "preload_learners", "search_space", "start_points"]

ABSOLUTE_METRICS = ("mae", "mape")
"""Metrics that absolute errors decide on."""


def preload_learners() -> None:
    """Load the modules of all learners, which takes seconds, before they are needed."""
    for module in dict.fromkeys(module for learner in LEARNERS.values() for module in learner.modules):
        import_module(module)


def build_estimator(
    learner: str, config: Config, task: str, *, jobs: int, seed: int, groups: FeatureGroups | None = None
) -> Estimator:
    """Return the unfitted estimator of a configuration; one of numbers learns a centered and scaled target.

    Parameters
    ----------
    learner : str
        Key of `LEARNERS`, "linear", or "blend".
    config : dict
        Values of the hyperparameters; of a blend, its members with their weights.
    task : str
        binary, multiclass or regression.
    jobs : int
        Number of threads.
    seed : int
        Seed of the estimator's random numbers.
    groups : FeatureGroups, optional
        Encoded columns to make features of, for configurations that have some made, and the directions in which the
        answer may change with each column.

    Raises
    ------
    SettingsError
        When the learner is unknown, or `groups` is missing for a configuration with made features.

    Examples
    --------
    >>> build_estimator("rf", {"n_estimators": 10}, "binary", jobs=1, seed=0).n_estimators
    10
    >>> build_estimator("rf", {"n_estimators": 10}, "regression", jobs=1, seed=0).estimator.n_estimators
    10
    """
    if learner == "blend":
        from core.automl.ensemble.blend import make_blend

        members = config["members"]
        estimators = [
            build_estimator(member["learner"], member["config"], task, jobs=jobs, seed=seed, groups=groups)
            for member in members
        ]
        return make_blend(estimators, [member["weight"] for member in members], task)
    if learner == "linear":
        plain = linear(task, seed=seed, **config)
    else:
        record = LEARNERS.require(learner)
        own = {name: value for name, value in config.items() if name not in (LOG_TARGET, LOSS, MADE_FEATURES)}
        plain = record.build(own, task, jobs=jobs, seed=seed)
        parameters: Config = {}
        if groups is not None and groups.monotone and record.monotone is not None:
            parameters = record.monotone(groups.monotone)  # learners of absolute errors do not keep to it
        elif config.get(LOSS) == "absolute":
            parameters = dict(record.absolute)
        if parameters:
            plain.set_params(**parameters)
        if (families := config.get(MADE_FEATURES, "none")) != "none":
            plain = _engineered(plain, families, task, seed, groups)
    if task != "regression":
        return plain
    from core.automl.learners.scaled_target import ScaledTargetRegressor

    scaled: Estimator = ScaledTargetRegressor(plain, log=bool(config.get(LOG_TARGET)))
    return scaled


def _engineered(estimator: Estimator, families: str, task: str, seed: int, groups: FeatureGroups | None) -> Estimator:
    """Return an estimator that makes features first."""
    from core.automl.engineering.engineered_model import EngineeredClassifier, EngineeredRegressor

    if groups is None:
        raise SettingsError(
            f"The configuration has features made ({MADE_FEATURES}: {families}), and no columns to make them of.",
            "Pass groups=feature_groups(encoder) of the encoder that encoded the rows.",
        )
    kind = EngineeredRegressor if task == "regression" else EngineeredClassifier
    engineered: Estimator = kind(estimator, groups, families, seed)
    return engineered


def search_space(learner: str, data: TrainingData, metric: str = "auto") -> dict[str, Hyperparameter]:
    """Return the search space of a learner on these rows, with which features are made and which loss is minimized.

    Parameters
    ----------
    learner : str
        Key of `LEARNERS`.
    data : TrainingData
        Rows to learn from.
    metric : str, default="auto"
        Key of `METRICS` that the search optimizes.
    """
    record = LEARNERS[learner]
    rows, columns = data.X.shape
    space = dict(record.space(rows, columns, data.task))
    if metric in ABSOLUTE_METRICS and record.absolute and not data.feature_groups.monotone:
        space[LOSS] = Hyperparameter.choice(["squared", "absolute"], initial="absolute")
    families = data.feature_groups.families
    return space | ({MADE_FEATURES: Hyperparameter.choice(families, initial="none")} if len(families) > 1 else {})


def low_cost(space: Mapping[str, Hyperparameter]) -> Config:
    """Return the values that make a trial cheap, where the cost-frugal search starts."""
    return {name: entry.low_cost for name, entry in space.items() if entry.low_cost is not None}


def start_points(learner: str, data: TrainingData, seconds: float | None = None, metric: str = "auto") -> list[Config]:
    """Return the configurations to try first: those that usually do well, and what the learner itself suggests.

    Parameters
    ----------
    learner : str
        Key of `LEARNERS`.
    data : TrainingData
        Rows to learn from.
    seconds : float, optional
        Time budget; a configuration that would take too much of it is left out.
    metric : str, default="auto"
        Key of `METRICS` that the search optimizes.
    """
    record = LEARNERS[learner]
    space = search_space(learner, data, metric)
    space.pop(MADE_FEATURES, None)
    initial = {name: entry.initial for name, entry in space.items() if entry.initial is not None}
    wanted = [*(record.portfolio or ({},)), *_suggestions(record, data, seconds)]
    return [initial | _within(config, space) for config in wanted]


def _suggestions(record: Learner, data: TrainingData, seconds: float | None) -> list[Config]:
    return [] if record.suggest is None else record.suggest(data, seconds)


def _within(wanted: Config, space: Mapping[str, Hyperparameter]) -> Config:
    """Return the values of hyperparameters that the learner has, clipped to their domains."""
    values: Config = {}
    for name, value in wanted.items():
        if name not in space:
            continue
        domain = space[name].domain
        lower, upper = getattr(domain, "lower", None), getattr(domain, "upper", None)
        if isinstance(value, int | float) and lower is not None and upper is not None:
            values[name] = type(value)(min(max(value, lower), upper - 1 if isinstance(value, int) else upper))
        else:
            values[name] = value
    return values

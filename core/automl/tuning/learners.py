"""The learners: what FLAML's search space of each is, and the plain estimator that a configuration stands for.

FLAML's wrappers are used for their spaces and their translation of a configuration only: what is trained is the
plain estimator of LightGBM, XGBoost or scikit-learn, which exports and loads without FLAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["build_estimator", "linear", "linear_config", "low_cost", "preload", "space", "start_points"]

# A second starting point a learner: FLAML's own is tiny and cheap, this is what the libraries recommend.
_SENSIBLE: dict[str, dict[str, Any]] = {
    "lgbm": {"n_estimators": 100, "num_leaves": 31},
    "xgboost": {"n_estimators": 100, "max_leaves": 31},
    "xgb_limitdepth": {"n_estimators": 100, "max_depth": 6, "learning_rate": 0.1},
    "rf": {"n_estimators": 100, "max_leaves": 256},
    "extra_tree": {"n_estimators": 100, "max_leaves": 256},
}
_SMALL = 200_000  # cells, below which a plain forest takes about a second
_WORK_A_SECOND = 1_000_000  # of the budget: rows times trees times folds of what may be tried first
_MOST_TREES = 1_000
_NEWTON_COEFFICIENTS = 1_000
_CLASSES = {
    "lgbm": "LGBMEstimator",
    "xgboost": "XGBoostSklearnEstimator",
    "xgb_limitdepth": "XGBoostLimitDepthEstimator",
    "rf": "RandomForestEstimator",
    "extra_tree": "ExtraTreesEstimator",
}


def preload(*names: str) -> None:
    """Load libraries, which takes seconds, before they are needed; by default those of the search."""
    for name in names or ("flaml.automl.model", "lightgbm", "xgboost"):
        import_module(name)


def _wrapper(learner: str) -> Any:
    from flaml.automl import model

    return getattr(model, _CLASSES[learner])


def _entries(learner: str, rows: int, columns: int, task: str) -> dict[str, dict[str, Any]]:
    from flaml.automl.task.factory import task_factory

    return _wrapper(learner).search_space(data_size=(rows, columns), task=task_factory(task))


def space(learner: str, rows: int, columns: int, task: str) -> dict[str, Any]:
    """Return FLAML's domains of the learner's hyperparameters."""
    return {name: entry["domain"] for name, entry in _entries(learner, rows, columns, task).items()}


def low_cost(learner: str, rows: int, columns: int, task: str) -> dict[str, Any]:
    """Return the values that make a trial cheap, where the cost-frugal search begins."""
    entries = _entries(learner, rows, columns, task)
    return {name: entry["low_cost_init_value"] for name, entry in entries.items() if "low_cost_init_value" in entry}


def start_points(learner: str, data: TrainingData, seconds: float | None = None) -> list[dict[str, Any]]:
    """Return the configurations to try first: the cheap one, a sensible one, and what served a similar table best.

    Parameters
    ----------
    data : TrainingData
        What is learned from.
    seconds : float, optional
        The time budget: what would take too much of it is left out.
    """
    entries = _entries(learner, data.X.shape[0], data.X.shape[1], data.task)
    first = {name: entry["init_value"] for name, entry in entries.items() if entry.get("init_value") is not None}
    points = [first, first | _fitting(_SENSIBLE[learner], entries)]
    if data.X.size < _SMALL and learner in ("rf", "extra_tree"):
        points.reverse()  # cheap enough, and a plain forest should be among the models of every search
    work = _WORK_A_SECOND * (seconds or 60.0)
    for portfolio in _portfolio(learner, data):
        if portfolio and portfolio["n_estimators"] <= min(_MOST_TREES, work / len(data.y) / len(data.folds)):
            points.append(first | _fitting(portfolio, entries))
            break
    return points


def _fitting(wanted: Mapping[str, Any], entries: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the values that the learner has, cut to its domains."""
    found: dict[str, Any] = {}
    for name, value in wanted.items():
        domain = entries[name]["domain"] if name in entries else None
        if isinstance(value, int | float) and domain is not None and hasattr(domain, "upper"):
            upper = domain.upper - 1 if isinstance(value, int) else domain.upper
            found[name] = type(value)(min(max(value, domain.lower), upper))
        elif domain is not None:
            found[name] = value
    return found


def _portfolio(learner: str, data: TrainingData) -> list[dict[str, Any]]:
    """Return FLAML's meta-learned configurations: those that were best on the tables most like this one."""
    from flaml.default import suggest_config

    task = "regression" if data.task == "regression" else "classification"
    return [dict(each["hyperparameters"]) for each in suggest_config(task, data.X, data.y, learner)]


def build_estimator(learner: str, config: Mapping[str, Any], task: str, *, jobs: int, seed: int) -> Any:
    """Return the plain, unfitted estimator of a configuration."""
    if learner == "linear":
        return linear(task, seed=seed, **config)
    if learner == "blend":
        from core.automl.ensemble.blend import make_blend

        members = config["members"]
        built = [build_estimator(each["learner"], each["config"], task, jobs=jobs, seed=seed) for each in members]
        return make_blend(built, [each["weight"] for each in members], task)
    from flaml.automl.task.factory import task_factory

    wrapper = _wrapper(learner)(task=task_factory(task), n_jobs=jobs, **config)
    parameters = {name: getattr(value, "item", lambda v=value: v)() for name, value in wrapper.params.items()}
    if learner == "xgb_limitdepth":
        parameters["tree_method"] = "hist"
    return wrapper.estimator_class(**(parameters | {"random_state": seed}))


def linear_config(features: int, classes: int) -> dict[str, Any]:
    """Return what `linear` needs to know of a table: Newton's steps take the square of all coefficients in memory.

    Examples
    --------
    >>> linear_config(300, 2), linear_config(300, 20)
    ({}, {'solver': 'lbfgs'})
    """
    sets = 1 if classes == 2 else classes
    return {"solver": "lbfgs"} if classes and features * sets > _NEWTON_COEFFICIENTS else {}


def linear(task: str, *, seed: int, solver: str = "newton-cholesky") -> Any:
    """Return the linear model that every result is compared with: logistic or ridge regression, standardised."""
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if task == "regression":
        return make_pipeline(StandardScaler(), Ridge(random_state=seed))
    return make_pipeline(StandardScaler(), LogisticRegression(solver=solver, max_iter=100, random_state=seed))

"""Search spaces and plain estimators of the boosted trees and the forests.

FLAML's wrappers are used for their spaces and their translation of a configuration only: what is trained is the
plain estimator of LightGBM, XGBoost or scikit-learn, which exports and loads without FLAML.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.automl._types import Config, Estimator
from core.automl.learners.space import Hyperparameter

if TYPE_CHECKING:
    from flaml.automl.model import SKLearnEstimator

    from core.automl.data.training_data import TrainingData

__all__ = ["build", "meta_learned", "search_space"]

_WORK_PER_SECOND = 1_000_000  # of the budget: rows times trees times folds of what may be tried first
_MAX_TREES = 1_000


def _wrapper(name: str) -> type[SKLearnEstimator]:
    from flaml.automl import model

    wrapper: type[SKLearnEstimator] = getattr(model, name)
    return wrapper


def search_space(
    wrapper: str,
    rows: int,
    columns: int,
    task: str,
    *,
    grown: bool = False,
    further: Callable[[str], dict[str, Hyperparameter]] | None = None,
) -> dict[str, Hyperparameter]:
    """Return FLAML's search space of a learner.

    Parameters
    ----------
    wrapper : str
        Name of FLAML's class.
    rows, columns : int
        Size of the encoded training table.
    task : str
        binary, multiclass or regression.
    grown : bool, default=False
        Whether the number of trees is found out by growing, and no dimension of the space.
    further : callable, optional
        Returns the dimensions of a task that FLAML's space lacks, or has otherwise.
    """
    from flaml.automl.task.factory import task_factory

    entries = _wrapper(wrapper).search_space(data_size=(rows, columns), task=task_factory(task))
    space = {
        name: Hyperparameter(entry["domain"], entry.get("init_value"), entry.get("low_cost_init_value"))
        for name, entry in entries.items()
        if not (grown and name == "n_estimators")
    }
    return space if further is None else space | further(task)


def build(wrapper: str, fixed: Config, config: Config, task: str, *, jobs: int, seed: int) -> Estimator:
    """Return the plain, unfitted estimator of a configuration.

    Parameters
    ----------
    wrapper : str
        Name of FLAML's class.
    fixed : dict
        Parameters that are the same for every configuration.
    config : dict
        Values of the hyperparameters.
    task : str
        binary, multiclass or regression.
    jobs : int
        Number of threads.
    seed : int
        Seed of the estimator's random numbers.
    """
    from flaml.automl.task.factory import task_factory

    translated = _wrapper(wrapper)(task=task_factory(task), n_jobs=jobs, **config)
    parameters = {name: getattr(value, "item", lambda v=value: v)() for name, value in translated.params.items()}
    estimator: Estimator = translated.estimator_class(**(parameters | fixed | {"random_state": seed}))
    return estimator


def meta_learned(learner: str, grown: bool, data: TrainingData, seconds: float | None) -> list[Config]:
    """Return FLAML's meta-learned configuration: the best one on the tables most like this one.

    Parameters
    ----------
    learner : str
        Name of the learner.
    grown : bool
        Whether the number of trees is found out by growing.
    data : TrainingData
        Rows to learn from.
    seconds : float or None
        Time budget; a configuration that would take too much of it is left out.

    Returns
    -------
    list of dict
        One configuration, or none.
    """
    from flaml.default import suggest_config

    task = "regression" if data.task == "regression" else "classification"
    work = _WORK_PER_SECOND * (seconds or 60.0)
    for suggestion in suggest_config(task, data.X, data.y, learner):
        config: Config = dict(suggestion["hyperparameters"])
        if grown:
            config.pop("n_estimators", None)
            return [config] if config else []
        if config and config["n_estimators"] <= min(_MAX_TREES, work / len(data.y) / len(data.folds)):
            return [config]
    return []

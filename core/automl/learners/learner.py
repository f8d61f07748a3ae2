"""What a search, a saved result and a page need to know about a learner: one record each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from core.automl._types import Config, Estimator
from core.automl.learners.early_stopping import Grow
from core.automl.learners.space import Hyperparameter

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["TREES", "BuildEstimator", "Learner"]

TREES = "n_estimators"
"""Hyperparameter that is a number of trees."""


class BuildEstimator(Protocol):
    """Makes the estimator of a configuration."""

    def __call__(self, config: Config, task: str, *, jobs: int, seed: int) -> Estimator:
        """Return the unfitted estimator."""
        ...


@dataclass(frozen=True)
class Learner:
    """One learner.

    Parameters
    ----------
    name : str
        Key that settings and results use.
    title : str
        Name that pages and reports show.
    build : callable
        ``build(config, task, jobs=, seed=)`` returns the unfitted estimator of a configuration; `task` is binary,
        multiclass or regression, `jobs` the number of threads.
    space : callable
        ``space(rows, columns, task)`` returns a `Hyperparameter` by name.
    help : str, default=""
        One sentence about when the learner does well.
    portfolio : tuple of mapping, default=()
        Configurations that usually do well, tried first and in this order; what one does not name has its initial
        value. Without any, the search begins at the initial values.
    suggest : callable, optional
        ``suggest(data, seconds)`` returns further configurations to try early in a budget of so many seconds.
    grow : callable, optional
        Function that grows its trees one by one, so that their number is found out.
    grown : str, default="n_estimators"
        Hyperparameter that growing finds out, which its space does not have.
    why_left_out : callable, optional
        Function that returns the reason why a search whose learners are "auto" does without this one on these
        rows, as half a sentence; empty where it does not. By default it is tried on all.
    absolute : dict, default={}
        Parameters of an estimator that minimizes absolute instead of squared errors; empty where there is none.
    monotone : callable, optional
        Function that takes the direction, 1, -1 or 0, in which the answer may change with each feature, and returns the
        parameters of an estimator that keeps to them.
    parallel : {"folds", "fit"}, default="folds"
        Work that is done side by side: several folds with a thread each, or one fit after the other with several
        threads.
    deployment : str, default=""
        Sentences about what it means to use a model of it elsewhere, where that is not a matter of course.
    needs_every_class : bool, default=False
        Whether a fit fails on rows that lack a class; it is then shown a row of each, without any weight.
    estimators : tuple of str
        Classes of its estimators, such as "lightgbm.sklearn.LGBMClassifier".
    trusted_types : tuple of str
        Types that a saved model may hold besides the estimators and those that skops trusts by default.
    packages : tuple of str
        Distributions that a saved model needs.
    modules : tuple of str
        Modules to load before the first trial of a search, because loading them takes seconds.
    late_modules : tuple of str
        Modules to load before the learner's own first trial, whose clock does not run meanwhile.

    Examples
    --------
    >>> from core.automl import LEARNERS
    >>> LEARNERS["lgbm"].title
    'LightGBM'
    """

    name: str
    title: str
    build: BuildEstimator
    space: Callable[[int, int, str], Mapping[str, Hyperparameter]]
    help: str = ""
    portfolio: tuple[Config, ...] = ()
    suggest: Callable[[TrainingData, float | None], list[Config]] | None = None
    grow: Grow | None = None
    grown: str = TREES
    why_left_out: Callable[[TrainingData], str] | None = None
    absolute: Config = field(default_factory=dict)
    monotone: Callable[[list[int]], Config] | None = None
    parallel: Literal["folds", "fit"] = "folds"
    deployment: str = ""
    needs_every_class: bool = False
    estimators: tuple[str, ...] = ()
    trusted_types: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    late_modules: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.title

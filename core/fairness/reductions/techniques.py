"""Techniques that mitigate unfairness in training, one record each.

Each technique takes a `TrainingSetup` and returns the probability that each test row is selected. Fairlearn is imported
in the techniques that use it only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.fairness.metrics.arrays import FloatArray
from core.fairness.postprocessing.objectives import CONSTRAINTS
from core.registry import Registry

if TYPE_CHECKING:
    from fairlearn.reductions import ClassificationMoment

    from core.fairness.reductions.training import TrainingSetup

__all__ = ["TECHNIQUES", "UNMITIGATED", "Technique", "technique_title"]


@dataclass(frozen=True)
class Technique:
    """A technique that trains a model anew to be fairer.

    Parameters
    ----------
    name : str
        Name in settings and files.
    title : str
        Name on pages.
    help : str
        Method in one sentence.
    train : callable
        Takes a `TrainingSetup`, returns the probability that each test row is selected.
    takes_weights : bool, default=True
        Whether it trains with the weights of the search's rows.
    constrained : bool, default=False
        Whether it trains until the constraint holds within the difference that is allowed. The others change the rows
        or their weights, whatever the difference is.
    """

    name: str
    title: str
    help: str
    train: Callable[[TrainingSetup], FloatArray]
    takes_weights: bool = True
    constrained: bool = False


def _unmitigated(setup: TrainingSetup) -> FloatArray:
    return _selected(setup.fit(setup.X, setup.weights).predict_proba(setup.X_test))


def _reweighing(setup: TrainingSetup) -> FloatArray:
    groups = setup.group.max() + 1
    own = np.ones(len(setup.y)) if setup.weights is None else setup.weights
    cells = np.bincount(setup.group * 2 + setup.y, weights=own, minlength=groups * 2).reshape(groups, 2)
    expected = cells.sum(axis=1, keepdims=True) * cells.sum(axis=0) / cells.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(cells > 0, expected / cells, 0.0)[setup.group, setup.y]
    return _selected(setup.fit(setup.X, own * factor).predict_proba(setup.X_test))


def _correlation_remover(setup: TrainingSetup) -> FloatArray:
    from fairlearn.preprocessing import CorrelationRemover

    groups = int(max(setup.group.max(), setup.test_group.max())) + 1
    dummies = np.eye(groups)[:, 1:]  # the first group is where the others are 0
    remover = CorrelationRemover(sensitive_feature_ids=list(range(groups - 1)))
    train = remover.fit_transform(np.hstack([dummies[setup.group], setup.X]))
    if setup.weights is not None:  # Fairlearn takes none: its mean and its least squares, with weights
        root = np.sqrt(setup.weights)[:, None]
        remover.sensitive_mean_ = np.average(dummies[setup.group], axis=0, weights=setup.weights)
        centered = dummies[setup.group] - remover.sensitive_mean_
        remover.beta_ = np.linalg.lstsq(root * centered, root * setup.X, rcond=None)[0]
        train = remover.transform(np.hstack([dummies[setup.group], setup.X]))
    test = remover.transform(np.hstack([dummies[setup.test_group], setup.X_test]))
    return _selected(setup.fit(train, setup.weights).predict_proba(test))


def _exponentiated_gradient(setup: TrainingSetup) -> FloatArray:
    from fairlearn.reductions import ExponentiatedGradient

    search = ExponentiatedGradient(
        setup.estimator(),
        _moment(setup),
        eps=setup.difference_bound,
        max_iter=setup.iterations,
        sample_weight_name=setup.weight_name,
    )
    search.fit(setup.X, setup.y, sensitive_features=setup.group)
    return np.asarray(search._pmf_predict(setup.X_test)[:, 1], dtype=float)


def _grid_search(setup: TrainingSetup) -> FloatArray:
    from fairlearn.reductions import GridSearch

    search = GridSearch(
        setup.estimator(),
        _moment(setup),
        grid_size=setup.grid_size,
        sample_weight_name=setup.weight_name,
    )
    search.fit(setup.X, setup.y, sensitive_features=setup.group)
    return np.asarray(search.predict(setup.X_test), dtype=float)


def _selected(probabilities: FloatArray) -> FloatArray:
    return (probabilities[:, 1] >= 0.5).astype(np.float64)


def _moment(setup: TrainingSetup) -> ClassificationMoment:
    """Return Fairlearn's class of the constraint."""
    from fairlearn import reductions

    name = CONSTRAINTS[setup.constraint].fairlearn_moment
    assert name is not None
    return getattr(reductions, name)(difference_bound=setup.difference_bound)


UNMITIGATED = Technique("unmitigated", "Unmitigated", "The search's winner, trained as the search did.", _unmitigated)
"""The comparison: no technique at all."""

TECHNIQUES: Registry[Technique] = Registry(
    "technique",
    [
        Technique(
            "reweighing",
            "Reweighing",
            "Weights the rows so that group and label are independent (Kamiran, Calders 2012).",
            _reweighing,
        ),
        Technique(
            "correlation_remover",
            "Correlation remover",
            "Removes from the features what is linear in the group.",
            _correlation_remover,
        ),
        Technique(
            "exponentiated_gradient",
            "Exponentiated gradient",
            "Draws each decision from several models, trained with changing weights (Agarwal et al. 2018).",
            _exponentiated_gradient,
            takes_weights=False,
            constrained=True,
        ),
        Technique(
            "grid_search",
            "Grid search",
            "Takes the best of several models, each with another weight of the constraint (Agarwal et al. 2018).",
            _grid_search,
            takes_weights=False,
            constrained=True,
        ),
    ],
)
"""Techniques that train a model anew."""


def technique_title(name: str) -> str:
    """Return the title of a technique or of the comparison; the name of a technique that is not registered.

    Examples
    --------
    >>> technique_title("grid_search"), technique_title("unmitigated"), technique_title("lost")
    ('Grid search', 'Unmitigated', 'lost')
    """
    if name == UNMITIGATED.name:
        return UNMITIGATED.title
    return TECHNIQUES[name].title if name in TECHNIQUES else name

"""The algorithms that several sites can train together: one record each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from core.registry import Registry

__all__ = ["ALGORITHMS", "Algorithm"]

_HERE = "core.federated.algorithms"


@dataclass(frozen=True)
class Algorithm:
    """One algorithm.

    Parameters
    ----------
    name : str
        Key that settings use.
    title : str
        Name that pages show.
    help : str
        Sentence about what it learns, and what it equals.
    module : str
        Full name of the module with its functions: ``fit(study, plan, features, rounds)`` asks the sites and returns
        a `ModelState`, and ``assemble(state, plan, features)`` returns the fitted estimator of encoded rows. It is
        imported when it is used.
    learner : str
        Key of the learner in results: one of `core.automl.LEARNERS`, or "linear".
    messages : tuple of str
        Kinds of messages of its training, keys of `MESSAGES`.
    averages : bool, default=False
        Whether it averages what sites have trained by themselves, so that updates can be aggregated robustly, and noise
        can be added to them.
    """

    name: str
    title: str
    help: str
    module: str
    learner: str
    messages: tuple[str, ...]
    averages: bool = False

    def __str__(self) -> str:
        return self.title

    @property
    def fit(self) -> Callable[..., Any]:
        """The function that trains it."""
        function: Callable[..., Any] = import_module(self.module).fit
        return function

    @property
    def assemble(self) -> Callable[..., Any]:
        """The function that makes an estimator of what was learned."""
        function: Callable[..., Any] = import_module(self.module).assemble
        return function


_AVERAGING: dict[str, Any] = {
    "module": f"{_HERE}.averaging",
    "learner": "mlp",
    "messages": ("update",),
    "averages": True,
}

ALGORITHMS: Registry[Algorithm] = Registry(
    "algorithm",
    [
        Algorithm(
            "boosting",
            "Boosted trees",
            "Grows the trees that LightGBM would grow on the rows of all sites in one place, with the same bins.",
            f"{_HERE}.boosting.training",
            "lgbm",
            ("label_sums", "tree", "leaf"),
        ),
        Algorithm(
            "linear",
            "Logistic or linear regression",
            "Has the coefficients that a regression on the rows of all sites in one place has.",
            f"{_HERE}.linear",
            "linear",
            ("moments", "products", "slope"),
        ),
        Algorithm(
            "fedavg",
            "Neural net, FedAvg",
            "Each site trains a small net for a few epochs; the changes are averaged by rows.",
            **_AVERAGING,
        ),
        Algorithm(
            "fedprox",
            "Neural net, FedProx",
            "FedAvg that keeps each site near the shared net, for sites that differ a lot.",
            **_AVERAGING,
        ),
        Algorithm(
            "fedadam",
            "Neural net, FedAdam",
            "FedAvg whose averaged change goes through Adam's step at the coordinator.",
            **_AVERAGING,
        ),
    ],
)
"""Algorithms by name."""

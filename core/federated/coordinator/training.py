"""One training from the first question to the model, the same with sites here, elsewhere, or one alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.automl import make_model
from core.errors import SettingsError
from core.evaluation import METRICS, resolve_metric
from core.federated._settings import FederatedSettings
from core.federated.algorithms.registry import ALGORITHMS
from core.federated.algorithms.rounds import Rounds
from core.federated.algorithms.state import ModelState
from core.federated.coordinator.features import Agreement, SharedFeatures, agree, share_features
from core.federated.coordinator.study import Study
from core.federated.site.site import Plan
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["Fitted", "outputs", "train"]


@dataclass(frozen=True)
class Fitted:
    """A trained model with the way to it.

    Parameters
    ----------
    agreement : Agreement
        Agreement of the sites.
    features : SharedFeatures
        Features of the model.
    state : ModelState
        Parameters that were learned.
    rounds : Rounds
        Rounds that were made.
    study : Study
        The study, with its log.
    """

    agreement: Agreement
    features: SharedFeatures
    state: ModelState
    rounds: Rounds
    study: Study

    @property
    def plan(self) -> Plan:
        """What the sites agreed on."""
        return self.agreement.plan

    @property
    def model(self) -> Pipeline:
        """The model, on raw frames, which answers with the target's own labels."""
        return fitted_model(self.state, self.plan, self.features)


def fitted_model(state: ModelState, plan: Plan, features: SharedFeatures) -> Pipeline:
    """Return the model of a state."""
    estimator = ALGORITHMS[plan.settings.algorithm].assemble(state, plan, features)
    return make_model(features.encoder, estimator, plan.labels)


def outputs(model: Pipeline, frame: pd.DataFrame, plan: Plan) -> NDArray[np.float64]:
    """Return probabilities of the classes, shape (n, k), or numbers, shape (n,)."""
    if frame.empty:
        return np.zeros((0, plan.classes) if plan.classes else 0)
    values = model.predict_proba(frame) if plan.classes else model.predict(frame)
    return np.asarray(values, dtype=np.float64)


def train(
    study: Study,
    settings: FederatedSettings,
    *,
    task: str | None = None,
    labels: Any = None,
    report: Report = silent,
    should_stop: Callable[[], bool] = bool,
) -> Fitted:
    """Train a model.

    Parameters
    ----------
    study : Study
        Way to the sites.
    settings : FederatedSettings
        Settings of the study.
    task : str, optional
        Task that was settled before.
    labels : list, optional
        Labels that were settled before, with `task`.
    report : callable, optional
        Function that receives an event per round.
    should_stop : callable, optional
        Function that returns whether to end after the present round, with what was learned.
    """
    report(Event("agree", 0.0, "Comparing the sites' schemas"))
    agreement = agree(study, settings, task=task, labels=labels)
    metric = resolve_metric(settings.metric, agreement.plan.task)
    if agreement.plan.task not in METRICS[metric].tasks:
        raise SettingsError(
            f"The metric '{metric}' does not fit a {agreement.plan.task} target.", "Choose another metric, or auto."
        )
    report(Event("features", 0.0, "Making features of shared statistics"))
    features = share_features(study, agreement.plan)
    rounds = Rounds(study, settings.rounds_to_train, report, should_stop)
    state = ALGORITHMS[settings.algorithm].fit(study, agreement.plan, features, rounds)
    return Fitted(agreement, features, state, rounds, study)

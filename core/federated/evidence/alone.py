"""What a site can do alone: the same training on its own rows, to compare the shared model with."""

from __future__ import annotations

import pandas as pd

from core.federated.coordinator.study import Study
from core.federated.coordinator.training import Fitted, train
from core.federated.site.in_process import InProcessSites
from core.federated.site.site import Plan, Site

__all__ = ["train_alone"]


def train_alone(name: str, frame: pd.DataFrame, plan: Plan, rounds: int | None = None) -> Fitted:
    """Train on the rows of one table: what a site can do alone, or what all rows in one place allow.

    Parameters
    ----------
    name : str
        Name of the site.
    frame : DataFrame
        Its training rows.
    plan : Plan
        Plan that the sites of the study have agreed on.
    rounds : int, optional
        Number of rounds, at most; by default that of the study.
    """
    update: dict[str, object] = {
        "test_fraction": 0.0,
        "min_sites": 1,
        "aggregation": "mean",
        "noise_multiplier": None,
        "secure_sums": True,
    }
    if rounds is not None:
        update["rounds"] = rounds
    settings = plan.settings.model_copy(update=update)
    study = Study(InProcessSites([Site(name, frame, plain_sums=True)]), masked=False)
    return train(study, settings, task=plan.task, labels=plan.labels)

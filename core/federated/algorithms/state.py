"""What a federated training has learned: numbers, from which each side builds the same estimator."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.federated.protocol.message import Arrays
from core.jsonable import JsonObject

__all__ = ["ModelState", "RoundRecord"]


@dataclass(frozen=True)
class ModelState:
    """The parameters of a model.

    Parameters
    ----------
    content : dict, default={}
        Values that JSON has.
    arrays : dict of str to array, default={}
        Arrays by name.
    """

    content: JsonObject = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return np.asarray(self.arrays[name], dtype=np.float64)


@dataclass(frozen=True)
class RoundRecord:
    """One round of training.

    Parameters
    ----------
    round : int
        Number of the round, from 1.
    loss : float or None
        Mean loss of the training rows of all sites before the round; None where it is not shared.
    by_site : dict of str to float
        The same by site, in a simulation; elsewhere it does not leave a site.
    missing : list of str
        Sites that did not take part.
    seconds : float
        Time that the round took.
    """

    round: int
    loss: float | None
    by_site: dict[str, float]
    missing: list[str]
    seconds: float

"""Parts that tests of federated learning share: sites of a known table, and a study of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer

from core.federated import FederatedSettings
from core.federated.coordinator.study import Study
from core.federated.coordinator.training import Fitted, train
from core.federated.protocol.message import Reply, Request
from core.federated.site.in_process import InProcessSites
from core.federated.site.site import Site


class RecordingSites(InProcessSites):
    """Sites that keep all that they say, and of which some can be made to fail.

    Attributes
    ----------
    said : list of (Request, str, Reply)
        Every reply with its request and its site.
    lost : dict of int to set of str
        Sites that do not answer a request, by its number.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        super().__init__(sites)
        self.said: list[tuple[Request, str, Reply]] = []
        self.lost: dict[int, set[str]] = {}

    def ask(self, request: Request, sites: Sequence[str]) -> dict[str, Reply]:
        there = [name for name in sites if name not in self.lost.get(request.number, ())]
        replies = super().ask(request, there)
        self.said += [(request, name, reply) for name, reply in replies.items()]
        return replies


def cancer_sites(sizes: Sequence[int] = (100, 120, 149, 200)) -> dict[str, pd.DataFrame]:
    """Return breast cancer in sites that differ: consecutive parts by the first column."""
    table = load_breast_cancer(as_frame=True).frame
    order = np.argsort(table.iloc[:, 0].to_numpy(), kind="stable")
    parts = np.split(order, np.cumsum(sizes)[:-1])
    return {f"site {index}": table.iloc[part].reset_index(drop=True) for index, part in enumerate(parts)}


def channel_of(frames: Mapping[str, pd.DataFrame]) -> RecordingSites:
    """Return a channel to sites with the given tables."""
    return RecordingSites([Site(name, frame) for name, frame in frames.items()])


def train_on(channel: InProcessSites, settings: FederatedSettings, *, masked: bool = True) -> Fitted:
    """Train on the sites of a channel."""
    return train(Study(channel, masked and settings.masked, settings.min_sites), settings)


def training_rows(channel: InProcessSites) -> tuple[np.ndarray, np.ndarray]:
    """Return the encoded training rows of all sites, and their targets."""
    sites = list(channel.by_name.values())
    return np.concatenate([site.X for site in sites]), np.concatenate([site.y for site in sites])

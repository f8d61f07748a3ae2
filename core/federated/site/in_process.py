"""Sites in this process: a simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from core.federated.protocol.message import Reply, Request
from core.federated.site.answering import answer
from core.federated.site.site import Site

__all__ = ["InProcessSites"]


class InProcessSites:
    """A channel to sites whose tables are all here; they answer one after the other.

    Parameters
    ----------
    sites : sequence of Site
        The sites.
    """

    def __init__(self, sites: Sequence[Site]) -> None:
        self.by_name = {site.name: site for site in sites}

    @classmethod
    def of(cls, frames: Mapping[str, pd.DataFrame]) -> InProcessSites:
        """Return sites with the given tables."""
        return cls([Site(name, frame) for name, frame in frames.items()])

    @property
    def sites(self) -> list[str]:
        return list(self.by_name)

    def losses(self) -> dict[str, float]:
        return {name: site.loss for name, site in self.by_name.items() if site.loss is not None}

    def ask(self, request: Request, sites: Sequence[str]) -> dict[str, Reply]:
        return {name: answer(self.by_name[name], request) for name in sites}

"""How a coordinator reaches the sites of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from core.federated.protocol.message import Reply, Request

__all__ = ["Channel"]


class Channel(Protocol):
    """Carries requests to sites, and their replies back."""

    @property
    def sites(self) -> Sequence[str]:
        """Names of all sites of the study."""
        ...

    def losses(self) -> dict[str, float]:
        """Return the mean loss of each site's training rows before the present round, where the sites are here."""
        ...

    def ask(self, request: Request, sites: Sequence[str]) -> Mapping[str, Reply]:
        """Return the replies of the sites that answered in time, by name."""
        ...

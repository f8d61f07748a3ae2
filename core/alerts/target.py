"""Where a channel leads, before it is stored."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ChannelTarget"]


@dataclass(frozen=True)
class ChannelTarget:
    """Where a channel leads, and what it signs with.

    Parameters
    ----------
    target : str
        Mail addresses, or the address of a server.
    credential : str
        Name of a credential; empty for none.
    workspace : str
        Workspace of the channel, which the credential has to be for.
    """

    target: str
    credential: str
    workspace: str

"""The profiles of installations, as one table: people, sign-in, workspaces, and what pages show of the server."""

from __future__ import annotations

from dataclasses import dataclass

from core.registry import Registry
from core.settings import get_settings

__all__ = ["PROFILES", "Profile", "profile"]


@dataclass(frozen=True)
class Profile:
    """One kind of installation.

    Parameters
    ----------
    name : str
        Value of ``PLUMBLINE_PROFILE``.
    title : str
        Title in lists.
    people : str
        Phrase that says who uses it.
    signs_in : bool
        Whether everyone signs in, and the server does not start without a provider.
    workspaces : str
        Phrase that says which workspaces there are.
    shows_server : bool
        Whether pages show the server's paths, hosts and addresses, and the logs of runs.
    """

    name: str
    title: str
    people: str
    signs_in: bool
    workspaces: str
    shows_server: bool


PROFILES: Registry[Profile] = Registry(
    "profile",
    [
        Profile(
            "local",
            "Local",
            people="one person, on this machine",
            signs_in=False,
            workspaces="one",
            shows_server=True,
        ),
        Profile(
            "team",
            "Team",
            people="people who sign in with OpenID Connect",
            signs_in=True,
            workspaces="one for each person, and shared ones by invitation, with roles",
            shows_server=False,
        ),
    ],
)
"""The kinds of installation."""


def profile() -> Profile:
    """Return what this installation is for (``PLUMBLINE_PROFILE``)."""
    return PROFILES.require(get_settings().profile)

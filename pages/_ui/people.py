"""Who can confirm what the user asks for."""

from __future__ import annotations

from core.access import Access, Role
from core.catalog import workspaces

__all__ = ["NOBODY_CONFIRMS", "others_confirm"]

NOBODY_CONFIRMS = "Nobody can confirm: no one else here is an editor or admin. Invite someone, or change a role."


def others_confirm(access: Access) -> bool:
    """Return whether someone else in the workspace may confirm a promotion."""
    members = workspaces.members(access=access)
    return any(member.person != access.actor and Role(member.role).includes(Role.EDITOR) for member in members)

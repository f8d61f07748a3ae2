"""A person's rights in one workspace."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from core.access.visits import EXAMPLES
from core.errors import DeniedError, SettingsError

__all__ = ["INSTALLATION", "LOCAL", "Access", "Installation", "Role"]


class Role(enum.StrEnum):
    """What a person may do in a workspace; each role may do what those before it may.

    Examples
    --------
    >>> Role.ADMIN.includes(Role.EDITOR), Role.VIEWER.includes(Role.EDITOR)
    (True, False)
    """

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Return whether this role may do all that another one may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True)
class Access:
    """Whose rows a function reads and changes, and who calls it with which role.

    Parameters
    ----------
    workspace : str
        The workspace. Rows of all others do not exist for the function.
    role : Role or str
        Role of the person in it.
    actor : str
        Name of the person, for histories; empty where nobody signs in.

    Raises
    ------
    SettingsError
        When the role is unknown, or the name of the workspace is empty.

    Examples
    --------
    >>> Access("sales", "viewer", "ada@example.org").may(Role.EDITOR)
    False
    """

    workspace: str
    role: Role
    actor: str

    def __post_init__(self) -> None:
        if self.role not in list(Role):
            raise SettingsError(f"'{self.role}' is not a role.", f"The roles are {', '.join(Role)}.")
        if not self.workspace:
            raise SettingsError("No workspace is named.", "Name one, such as 'local'.")
        object.__setattr__(self, "role", Role(self.role))

    @classmethod
    def engine(cls, workspace: str) -> Access:
        """Return the access of the run engine to a workspace whose run it works on."""
        return cls(workspace, Role.ADMIN, "")

    def may(self, role: Role) -> bool:
        """Return whether this person may do what a role may."""
        return self.role.includes(role)

    def require(self, role: Role) -> None:
        """Refuse what this person may not do.

        Raises
        ------
        DeniedError
            When the role does not suffice.
        """
        if not self.may(role):
            raise DeniedError(
                f"You may look at this workspace as {self.role}; only {role}s may change this.",
                "Ask an admin of the workspace for another role."
                if self.workspace != EXAMPLES
                else "Choose your own workspace for that: this one is for everybody to look at.",
            )


class Installation:
    """The run engine's and housekeeping's view: rows of all workspaces. No page and no task has it."""


INSTALLATION: Final = Installation()
"""The view of all workspaces."""

LOCAL: Final = Access("local", Role.ADMIN, "")
"""The access of a script, and of the one person on a laptop."""

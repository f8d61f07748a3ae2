"""The Workspace page: the people of the chosen workspace, its rules, and the other workspaces of the user."""

from core.access import Role
from core.catalog import workspaces
from core.catalog.workspaces import PERSONAL
from pages._ui import frame, header, tabs
from pages.workspace import invitations, others, people, settings

access = frame.access()
workspace = workspaces.get(access=access)

if workspace.kind == PERSONAL:
    header.show("Your own workspace", "Only you see what is in it. Make a shared one to work with others.")
    others.show()
else:
    members = workspaces.members(access=access)
    count = "1 person" if len(members) == 1 else f"{len(members):,} people"
    header.show(frame.plain(workspace.title), f"Shared by {count}. You are {people.with_article(access.role)}.")

    def _people() -> None:
        people.show(members)
        if access.may(Role.ADMIN):
            invitations.show()

    tabs.show(
        {"People": _people, "Settings": lambda: settings.show(workspace), "Your workspaces": others.show},
        key="workspace-tabs",
    )

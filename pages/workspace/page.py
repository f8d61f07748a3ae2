"""The Workspace page: the people of the chosen workspace, its rules, where its alerts go, and the user's other ones."""

from core.access import Role, profile
from core.catalog import workspaces
from core.catalog.workspaces import PERSONAL
from pages._ui import frame, header, tabs
from pages.workspace import channels, invitations, others, people, settings

access = frame.access()

if not profile().signs_in:  # one person, or a visitor: there are no people to show
    header.show("Alert channels", "Alerts about models go out by e-mail or to a webhook.")
    channels.show()
elif (workspace := workspaces.get(access=access)).kind == PERSONAL:
    header.show("Your own workspace", "Only you see what is in it. Make a shared one to work with others.")
    tabs.show({"Your workspaces": others.show, "Alert channels": channels.show}, key="workspace-tabs")
else:
    members = workspaces.members(access=access)
    count = "1 person" if len(members) == 1 else f"{len(members):,} people"
    header.show(frame.plain(workspace.title), f"Shared by {count}. You are {people.with_article(access.role)}.")

    def _people() -> None:
        people.show(members)
        if access.may(Role.ADMIN):
            invitations.show()

    tabs.show(
        {
            "People": _people,
            "Settings": lambda: settings.show(workspace),
            "Alert channels": channels.show,
            "Your workspaces": others.show,
        },
        key="workspace-tabs",
    )

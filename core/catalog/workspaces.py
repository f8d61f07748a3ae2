"""Queries over workspaces and the people in them.

Which workspaces a person may enter is asked before there is an `Access`, so these functions take the person: the name
that sign-in vouches for. What is done within a workspace takes the access to it.
"""

from __future__ import annotations

import contextlib
import hashlib
import time

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.access import INSTALLATION, Access, Role
from core.catalog import audit
from core.catalog.access_tables import Membership, Workspace
from core.catalog.engine import reading, writing
from core.errors import InputError, NotFoundError

__all__ = [
    "PERSONAL",
    "SHARED",
    "add",
    "change_role",
    "choose",
    "chosen",
    "enter",
    "find",
    "get",
    "members",
    "of_person",
    "personal",
    "remove",
    "rules",
    "set_rules",
]

PERSONAL = "personal"
SHARED = "shared"


def personal(person: str) -> Access:
    """Return a person's access to their own workspace, which is made when they come for the first time."""
    if not person:
        raise InputError("A workspace of one's own needs a person.", "Sign in.")
    name = "p-" + hashlib.sha256(person.encode()).hexdigest()[:32]
    with reading(INSTALLATION) as session:
        known = session.get(Workspace, name) is not None
    if not known:
        with contextlib.suppress(IntegrityError):  # another process of the same person was first
            _make(Workspace(workspace=name, title="Your own", kind=PERSONAL, who=person[:200]), person)
    return Access(name, Role.ADMIN, person)


def add(title: str, *, person: str) -> Access:
    """Make a workspace that others can be invited to, and return the access of the person who makes it.

    Raises
    ------
    InputError
        When the title is empty or longer than 200 characters.
    """
    title = title.strip()
    if not title:
        raise InputError("An empty text is not a usable name.", "Write one, such as the name of your team.")
    if len(title) > 200 or not title.isprintable():
        raise InputError(f"'{title[:40]}' is not a usable name.", "Choose a name of 1 to 200 printable characters.")
    made = Workspace(title=title, kind=SHARED, who=person[:200])
    _make(made, person)
    return Access(made.workspace, Role.ADMIN, person)


def _make(made: Workspace, person: str) -> None:
    access = Access(made.workspace, Role.ADMIN, person)
    with writing(access) as session:
        session.add(made)
        session.add(Membership(workspace=made.workspace, person=person[:200], role=Role.ADMIN, who=person[:200]))
        audit.note(session, "make", made.title, access=access, kind=made.kind)


def of_person(person: str) -> list[tuple[Workspace, Role]]:
    """Return the workspaces that a person may enter, the own one first, with the role in each."""
    query = (
        select(Workspace, Membership.role)
        .join(Membership, col(Membership.workspace) == col(Workspace.workspace))
        .where(Membership.person == person)
        .order_by(col(Workspace.kind) != PERSONAL, func.lower(Workspace.title), col(Workspace.workspace))
    )
    with reading(INSTALLATION) as session:
        return [(workspace, Role(role)) for workspace, role in session.exec(query)]


def enter(workspace: str, person: str) -> Access:
    """Return a person's access to a workspace, with the role that they have at this moment.

    Raises
    ------
    NotFoundError
        When there is no such workspace, or the person is not a member.
    """
    with reading(INSTALLATION) as session:
        role = session.exec(
            select(Membership.role).where(Membership.workspace == workspace, Membership.person == person)
        ).first()
    if role is None:
        raise NotFoundError("There is no such workspace.", "Choose one of yours.")
    return Access(workspace, Role(role), person)


def get(*, access: Access) -> Workspace:
    """Return the workspace itself.

    Raises
    ------
    NotFoundError
        When it is the workspace of an installation without sign-in, which has no row.
    """
    with reading(access) as session:
        stored = session.get(Workspace, access.workspace)
    if stored is None:
        raise NotFoundError("There is no such workspace.", "Choose one of yours.")
    return stored


def find() -> list[Workspace]:
    """Return all workspaces of the installation, for those who run it."""
    with reading(INSTALLATION) as session:
        return list(session.exec(select(Workspace).order_by(col(Workspace.created_at))))


def members(*, access: Access) -> list[Membership]:
    """Return the people in a workspace, by name."""
    with reading(access) as session:
        return list(
            session.exec(
                select(Membership).where(Membership.workspace == access.workspace).order_by(col(Membership.person))
            )
        )


def set_rules(*, two_people: bool, needs_reason: bool, access: Access) -> None:
    """Decide whether promotions need a second person who confirms them, and whether they need a reason.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    """
    access.require(Role.ADMIN)
    rules = {"two_people": two_people, "needs_reason": needs_reason}
    titles = {"two_people": "a second person confirms promotions", "needs_reason": "promotions need a reason"}
    with writing(access) as session:
        stored = session.get(Workspace, access.workspace, with_for_update=True)
        if stored is None:
            raise NotFoundError("There is no such workspace.", "Choose one of yours.")
        for name, value in rules.items():
            if getattr(stored, name) != value:
                setattr(stored, name, value)
                audit.note(session, "rule", titles[name], access=access, holds=value)
        session.add(stored)


def rules(*, access: Access) -> tuple[bool, bool]:
    """Return whether promotions need a second person, and whether they need a reason."""
    with reading(access) as session:
        stored = session.get(Workspace, access.workspace)
    return (False, False) if stored is None else (stored.two_people, stored.needs_reason)


def choose(*, access: Access) -> None:
    """Note that the person works in this workspace from now on, so that they come back to it."""
    own = col(Membership.workspace) == access.workspace, col(Membership.person) == access.actor
    with writing(Access(access.workspace, Role.EDITOR, access.actor)) as session:
        session.execute(update(Membership).where(*own).values(chosen_at=time.time()))


def chosen(person: str) -> str | None:
    """Return the workspace that a person chose last, or None."""
    query = (
        select(Membership.workspace)
        .where(Membership.person == person, col(Membership.chosen_at).is_not(None))
        .order_by(col(Membership.chosen_at).desc())
        .limit(1)
    )
    with reading(INSTALLATION) as session:
        return session.exec(query).first()


def change_role(person: str, role: Role, *, access: Access) -> None:
    """Give a person in a workspace another role.

    Raises
    ------
    DeniedError
        When the one who acts is not an admin.
    InputError
        When nobody would be left as admin.
    NotFoundError
        When the person is not in the workspace.
    """
    access.require(Role.ADMIN)
    with writing(access) as session:
        member = _member(session, person, access=access)
        if role is not Role.ADMIN:
            _keep_an_admin(session, person, access=access)
        member.role = role
        session.add(member)
        audit.note(session, "role", person, access=access, role=role)


def remove(person: str, *, access: Access) -> None:
    """Remove a person from a workspace; people may remove themselves.

    Raises
    ------
    DeniedError
        When the one who acts is not an admin, and someone else.
    InputError
        When nobody would be left as admin.
    NotFoundError
        When the person is not in the workspace.
    """
    if person != access.actor:
        access.require(Role.ADMIN)
    with writing(Access(access.workspace, Role.ADMIN, access.actor)) as session:
        _member(session, person, access=access)
        _keep_an_admin(session, person, access=access)
        session.execute(
            delete_rows(Membership).where(
                col(Membership.workspace) == access.workspace, col(Membership.person) == person
            )
        )
        audit.note(session, "remove", person, access=access)


def _member(session: Session, person: str, *, access: Access) -> Membership:
    """Return a membership; all of the workspace are locked, so that two changes do not both take the last admin."""
    query = select(Membership).where(Membership.workspace == access.workspace).with_for_update()
    member = next((row for row in session.exec(query) if row.person == person), None)
    if member is None:
        raise NotFoundError("This person is not in the workspace.", "Look at the list of people.")
    return member


def _keep_an_admin(session: Session, person: str, *, access: Access) -> None:
    others = session.exec(
        select(Membership.person).where(
            Membership.workspace == access.workspace, Membership.role == Role.ADMIN, Membership.person != person
        )
    )
    if others.first() is None:
        raise InputError("Nobody would be left as admin of the workspace.", "Make someone else an admin first.")

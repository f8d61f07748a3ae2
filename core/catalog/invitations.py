"""Invitations to workspaces: links that give whoever opens one first a role in a workspace."""

from __future__ import annotations

import hashlib
import secrets
import time

from sqlalchemy import update
from sqlmodel import col, select

from core.access import INSTALLATION, Access, Role
from core.catalog import audit, workspaces
from core.catalog.access_tables import Invitation, Membership
from core.catalog.engine import reading, writing
from core.errors import InputError, NotFoundError

__all__ = ["VALID_S", "accept", "add", "find", "withdraw"]

VALID_S = 7 * 86_400.0
"""Seconds until an invitation expires."""


def add(role: Role, *, access: Access) -> str:
    """Make an invitation, and return the token of its link, which is not kept.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    InputError
        When it is a personal workspace.
    """
    access.require(Role.ADMIN)
    if workspaces.get(access=access).kind != workspaces.SHARED:
        raise InputError("Nobody can be invited to a personal workspace.", "Make a shared one for that.")
    token = secrets.token_urlsafe(32)
    with writing(access) as session:
        session.add(
            Invitation(
                workspace=access.workspace,
                role=role,
                token_digest=_digest(token),
                who=access.actor[:200],
                expires_at=time.time() + VALID_S,
            )
        )
        audit.note(session, "invite", role, access=access)
    return token


def find(*, access: Access) -> list[Invitation]:
    """Return the open invitations to a workspace, the newest first.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    """
    access.require(Role.ADMIN)
    query = select(Invitation).where(
        Invitation.workspace == access.workspace,
        col(Invitation.accepted_at).is_(None),
        col(Invitation.withdrawn_at).is_(None),
        col(Invitation.expires_at) > time.time(),
    )
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Invitation.created_at).desc())))


def withdraw(invitation_id: str, *, access: Access) -> None:
    """Withdraw an invitation, so that its link leads nowhere.

    Raises
    ------
    DeniedError
        When the person is not an admin of the workspace.
    NotFoundError
        When the workspace has no such open invitation.
    """
    access.require(Role.ADMIN)
    own = select(Invitation.role).where(Invitation.id == invitation_id, Invitation.workspace == access.workspace)
    statement = (
        update(Invitation)
        .where(
            col(Invitation.id) == invitation_id,
            col(Invitation.workspace) == access.workspace,
            col(Invitation.accepted_at).is_(None),
            col(Invitation.withdrawn_at).is_(None),
        )
        .values(withdrawn_at=time.time())
    )
    with writing(access) as session:
        if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
            raise NotFoundError("This invitation is not open.", "It was accepted or withdrawn already.")
        audit.note(session, "withdraw", session.exec(own).one(), access=access)


def accept(token: str, person: str) -> Access:
    """Accept an invitation, and return the access to its workspace. It can be accepted once.

    Someone who is in the workspace already keeps the higher of both roles, and does not use up an invitation that
    would give them nothing more.

    Raises
    ------
    NotFoundError
        When the invitation does not exist, has expired, was withdrawn or accepted; the message is the same for all.
    """
    gone = NotFoundError("This invitation cannot be used.", "Ask for a new one: each can be used once, within 7 days.")
    now = time.time()
    with reading(INSTALLATION) as session:
        offer = session.exec(select(Invitation).where(Invitation.token_digest == _digest(token))).first()
        member = None if offer is None else session.get(Membership, (offer.workspace, person))
    if offer is None:
        raise gone
    access = Access(offer.workspace, Role(offer.role), person)
    if member is not None and Role(member.role).includes(access.role):
        return Access(offer.workspace, Role(member.role), person)
    taken = (
        update(Invitation)
        .where(
            col(Invitation.id) == offer.id,
            col(Invitation.accepted_at).is_(None),
            col(Invitation.withdrawn_at).is_(None),
            col(Invitation.expires_at) > now,
        )
        .values(accepted_at=now, accepted_by=person[:200])
    )
    with writing(Access(offer.workspace, Role.ADMIN, person)) as session:
        if session.execute(taken).rowcount != 1:  # type: ignore[attr-defined]
            raise gone
        known = session.get(Membership, (offer.workspace, person))
        if known is None:
            session.add(Membership(workspace=offer.workspace, person=person, role=offer.role, who=offer.who))
        elif not Role(known.role).includes(access.role):
            known.role = offer.role
            session.add(known)
        audit.note(session, "join", offer.role, access=access, invited_by=offer.who)
    return workspaces.enter(offer.workspace, person)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()

"""The catalog's tables of workspaces, of the people in them, and of what they did."""

from __future__ import annotations

import time

from sqlalchemy import JSON, Boolean, Column, Index, UniqueConstraint, false
from sqlmodel import Field

from core.catalog.row import Row, new_id
from core.jsonable import JsonObject

__all__ = ["REMOVED", "VISITOR", "AuditHead", "AuditRecord", "Invitation", "Membership", "Workspace"]

VISITOR = "visitor"
"""Kind of the workspace of an anonymous visitor."""
REMOVED = "removed"
"""Kind of a visitor's workspace that is being removed: nobody enters it any more."""


class Workspace(Row, table=True):
    """What belongs together and is shared as a whole. Its id is the workspace that all rows name."""

    workspace: str = Field(default_factory=new_id, primary_key=True, max_length=64)
    title: str = Field(max_length=200)
    kind: str = Field(default="shared", max_length=16)  # personal, shared, visitor or removed
    two_people: bool = False  # whether a second person has to confirm a promotion
    needs_reason: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )  # whether a promotion has to say why
    who: str = Field(default="", max_length=200)  # the person who made it
    created_at: float = Field(default_factory=time.time)
    expires_at: float | None = Field(default=None, index=True)  # when all of it is removed; None for never


class Membership(Row, table=True):
    """The role of a person in a workspace."""

    workspace: str = Field(primary_key=True, max_length=64)
    person: str = Field(primary_key=True, index=True, max_length=200)
    role: str = Field(max_length=16)
    who: str = Field(default="", max_length=200)  # the person who gave it
    since: float = Field(default_factory=time.time)
    chosen_at: float | None = None  # when the person chose to work in it


class Invitation(Row, table=True):
    """An offer of a role in a workspace. Whoever has the link may accept it, once, until it expires."""

    id: str = Field(default_factory=new_id, primary_key=True, max_length=16)
    workspace: str = Field(index=True, max_length=64)
    role: str = Field(max_length=16)
    token_digest: str = Field(max_length=64, unique=True)  # the link has the token, and nobody else
    who: str = Field(default="", max_length=200)
    created_at: float = Field(default_factory=time.time)
    expires_at: float
    accepted_by: str = Field(default="", max_length=200)
    accepted_at: float | None = None
    withdrawn_at: float | None = None


class AuditRecord(Row, table=True):
    """One thing that a person did in a workspace. Rows are only added, and each holds the digest of the one before."""

    __table_args__ = (
        UniqueConstraint("workspace", "number"),
        Index("ix_auditrecord_who", "workspace", "action", "who", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    workspace: str = Field(max_length=64)
    number: int  # from 1 within the workspace
    at: float = Field(default_factory=time.time)
    who: str = Field(default="", max_length=200)
    action: str = Field(max_length=40)
    subject: str = Field(default="", max_length=300)
    details: JsonObject = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    previous: str = Field(default="", max_length=64)
    digest: str = Field(max_length=64)


class AuditHead(Row, table=True):
    """The newest record of a workspace's log, as it was written: without it, records could be cut off at the end."""

    workspace: str = Field(primary_key=True, max_length=64)
    number: int
    digest: str = Field(max_length=64)

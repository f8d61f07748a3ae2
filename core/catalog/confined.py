"""Sessions that see and change the rows of one workspace alone, whatever is asked of them."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy import Connection, event, text
from sqlalchemy.orm import ORMExecuteState, SessionTransaction, with_loader_criteria
from sqlmodel import Session

from core.access import Access, Installation
from core.errors import NotFoundError

__all__ = ["EVERY_WORKSPACE", "ConfinedSession", "admit"]

EVERY_WORKSPACE: Final = "*"
"""What a transaction of the run engine or of housekeeping names in place of a workspace."""

_ADMIT = text("SELECT set_config('plumbline.workspace', :workspace, true)")


class ConfinedSession(Session):
    """A session that adds the condition on the workspace to every query, and refuses other workspaces' rows.

    Functions of the catalog name the workspace in their conditions as well. This session holds where one of them
    forgets it; on PostgreSQL the policies of the tables hold where this one is gone around.

    Parameters
    ----------
    bind : Engine
        The catalog's engine.
    access : Access or Installation
        Workspace whose rows there are, or the view of all of them.
    """

    def __init__(self, bind: object, access: Access | Installation) -> None:
        super().__init__(bind, expire_on_commit=False)  # type: ignore[arg-type]
        self.info["workspace"] = access.workspace if isinstance(access, Access) else EVERY_WORKSPACE


def admit(connection: Connection, workspace: str) -> None:
    """Tell PostgreSQL's policies whose rows the transaction is about; other databases have none."""
    if connection.dialect.name == "postgresql":
        connection.execute(_ADMIT, {"workspace": workspace})


@event.listens_for(ConfinedSession, "after_begin")
def _begin(session: ConfinedSession, _transaction: SessionTransaction, connection: Connection) -> None:
    admit(connection, session.info["workspace"])


@event.listens_for(ConfinedSession, "do_orm_execute")
def _narrow(state: ORMExecuteState) -> None:
    workspace = state.session.info["workspace"]
    if workspace == EVERY_WORKSPACE:
        return
    for table in {mapper.class_ for mapper in state.all_mappers}:
        own = with_loader_criteria(table, table.workspace == workspace, include_aliases=True)
        state.statement = state.statement.options(own)


@event.listens_for(ConfinedSession, "before_flush")
def _refuse(session: ConfinedSession, _context: object, _instances: object) -> None:
    workspace = session.info["workspace"]
    if workspace == EVERY_WORKSPACE:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if row.workspace != workspace:
            noun = re.sub(r"(?<!^)(?=[A-Z])", " ", type(row).__name__).lower()  # such as "saved pipeline"
            raise NotFoundError(f"There is no such {noun} in this workspace.", "It may have been deleted.")

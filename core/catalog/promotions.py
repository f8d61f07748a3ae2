"""Queries over promotions that a second person confirms, where the workspace wants that."""

from __future__ import annotations

import time

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.access import Access
from core.catalog import audit
from core.catalog._model_rows import CHAMPION, locked, point_alias, require_reason, require_usable
from core.catalog.access_tables import Workspace
from core.catalog.engine import reading, writing
from core.catalog.tables import Model, ModelAlias, Promotion
from core.errors import DeniedError, NotFoundError, RegistryError

__all__ = ["confirm", "decline", "find", "request", "waiting", "waiting_anywhere", "withdraw"]

_STATES = {
    "confirmed": "was confirmed",
    "declined": "was declined",
    "withdrawn": "was withdrawn",
    "overtaken": "was overtaken by another one",
}


def request(model_id: str, number: int, *, why: str = "", access: Access) -> Promotion:
    """Ask for a version to become champion, which a second person then confirms or declines.

    Raises
    ------
    InputError
        When the workspace wants a reason, and there is none.
    NotFoundError
        When the model or the version does not exist.
    RegistryError
        When the version is archived or champion already, or another request waits.
    """
    with writing(access) as session:
        model = locked(session, model_id, access=access)
        require_usable(session, model, number)
        workspace = session.get(Workspace, access.workspace)
        if workspace is not None:
            require_reason(workspace, why)
        champion = _champion(session, model)
        if champion == number:
            raise RegistryError(f"Version {number} of '{model.name}' is the champion already.", "Choose another one.")
        other = session.exec(_open(model_id, access)).first()
        if other is not None:
            raise RegistryError(
                f"Version {other.number} of '{model.name}' waits to become champion already.",
                "It has to be confirmed, declined or withdrawn first.",
            )
        asked = Promotion(
            workspace=access.workspace,
            model_id=model_id,
            number=number,
            previous=champion,
            why=why.strip(),
            who=access.actor[:200],
        )
        session.add(asked)
        audit.note(session, "ask", f"{model.name}, version {number}", access=access, id=model_id, why=asked.why)
    return asked


def waiting(model_id: str, *, access: Access) -> Promotion | None:
    """Return the request that waits for a second person, or None."""
    with reading(access) as session:
        return session.exec(_open(model_id, access)).first()


def waiting_anywhere(*, access: Access) -> list[Promotion]:
    """Return the requests of the workspace that wait for a second person, the oldest first."""
    query = select(Promotion).where(Promotion.workspace == access.workspace, Promotion.state == "open")
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Promotion.at))))


def find(model_id: str, *, limit: int = 200, access: Access) -> list[Promotion]:
    """Return the requests for a model, the newest first."""
    query = select(Promotion).where(Promotion.model_id == model_id, Promotion.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(Promotion.at).desc()).limit(limit)))


def confirm(promotion_id: str, *, access: Access) -> Promotion:
    """Make the version the champion, as a second person.

    Raises
    ------
    DeniedError
        When the one who confirms is the one who asked.
    NotFoundError
        When the workspace does not have this request.
    RegistryError
        When it was decided already, the version is archived, or another version became champion since.
    """
    with writing(access) as session:
        asked, model = _locked_open(session, promotion_id, access=access)
        if not access.actor or access.actor[:200] == asked.who:
            raise DeniedError("You asked for this promotion yourself.", "Someone else has to confirm it.")
        require_usable(session, model, asked.number)
        champion = _champion(session, model)
        if champion != asked.previous:
            now = "there is none now" if champion is None else f"it is version {champion} now"
            raise RegistryError(
                f"The champion of '{model.name}' has changed since this was asked for: {now}.",
                "Decline it, and ask again if it still is to be promoted.",
            )
        _close(session, asked, "confirmed", access)
        point_alias(
            session, model, CHAMPION, asked.number, "promote", asked.who, asked.why, confirmed_by=access.actor[:200]
        )
    return asked


def decline(promotion_id: str, *, why: str = "", access: Access) -> Promotion:
    """Decline a request of someone else.

    Raises
    ------
    DeniedError
        When the one who declines is the one who asked.
    NotFoundError
        When the workspace does not have this request.
    RegistryError
        When it was decided already.
    """
    with writing(access) as session:
        asked, model = _locked_open(session, promotion_id, access=access)
        if access.actor[:200] == asked.who:
            raise DeniedError("You asked for this promotion yourself.", "Withdraw it instead.")
        _close(session, asked, "declined", access, why)
        audit.note(
            session, "decline", f"{model.name}, version {asked.number}", access=access, id=model.id, why=why.strip()
        )
    return asked


def withdraw(promotion_id: str, *, access: Access) -> Promotion:
    """Withdraw a request of one's own.

    Raises
    ------
    DeniedError
        When someone else asked.
    NotFoundError
        When the workspace does not have this request.
    RegistryError
        When it was decided already.
    """
    with writing(access) as session:
        asked, model = _locked_open(session, promotion_id, access=access)
        if access.actor[:200] != asked.who:
            raise DeniedError("Someone else asked for this promotion.", "Decline it instead.")
        _close(session, asked, "withdrawn", access)
        audit.note(session, "take back", f"{model.name}, version {asked.number}", access=access, id=model.id)
    return asked


def _open(model_id: str, access: Access) -> SelectOfScalar[Promotion]:
    return select(Promotion).where(
        Promotion.model_id == model_id, Promotion.workspace == access.workspace, Promotion.state == "open"
    )


def _champion(session: Session, model: Model) -> int | None:
    item = session.get(ModelAlias, (model.id, CHAMPION))
    return None if item is None else item.number


def _locked_open(session: Session, promotion_id: str, *, access: Access) -> tuple[Promotion, Model]:
    """Return a request that waits, with its model, which is locked: two decisions do not both count."""
    gone = NotFoundError("There is no such promotion in this workspace.", "Look at the page of the model.")
    own = select(Promotion).where(Promotion.id == promotion_id, Promotion.workspace == access.workspace)
    asked = session.exec(own).first()
    if asked is None:
        raise gone
    model = locked(session, asked.model_id, access=access)
    session.refresh(asked)
    if asked.state != "open":
        by = f" by {asked.decided_by}" if asked.decided_by else ""
        raise RegistryError(f"This promotion {_STATES[asked.state]}{by}.", "The history of the model says more.")
    return asked, model


def _close(session: Session, asked: Promotion, state: str, access: Access, why: str = "") -> None:
    asked.state, asked.decided_at = state, time.time()
    asked.decided_by, asked.decided_why = access.actor[:200], why.strip()
    session.add(asked)
    session.flush()

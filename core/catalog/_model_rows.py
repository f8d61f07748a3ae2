"""Rows of models within a transaction: what `models` and `promotions` share."""

from __future__ import annotations

import time

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.access import Access, Role
from core.catalog import audit
from core.catalog.access_tables import Workspace
from core.catalog.tables import Model, ModelAlias, ModelEvent, ModelVersion, Promotion
from core.errors import InputError, NotFoundError, RegistryError, not_found

__all__ = ["CHAMPION", "locked", "note_change", "point_alias", "require_reason", "require_usable", "version_row"]

CHAMPION = "champion"
"""Alias of the version that is in use."""


def locked(session: Session, model_id: str, *, access: Access) -> Model:
    """Return a model, locked until the end of the transaction.

    Raises
    ------
    NotFoundError
        When the workspace does not have this model.
    """
    query = select(Model).where(Model.id == model_id, Model.workspace == access.workspace).with_for_update()
    model = session.exec(query).first()
    if model is None:
        raise not_found("model", model_id, "The Models page lists all.")
    return model


def version_row(session: Session, model: Model, number: int) -> ModelVersion:
    """Return a version of a model.

    Raises
    ------
    NotFoundError
        When the model has no version of this number.
    """
    query = select(ModelVersion).where(ModelVersion.model_id == model.id, ModelVersion.number == number)
    stored = session.exec(query).first()
    if stored is None:
        raise NotFoundError(f"'{model.name}' has no version {number}.", f"It has the versions 1 to {model.versions}.")
    return stored


def require_usable(session: Session, model: Model, number: int) -> None:
    """Raise RegistryError where a version is archived."""
    if version_row(session, model, number).archived_at is not None:
        raise RegistryError(f"Version {number} of '{model.name}' is archived.", "Restore it first, or choose another.")


def point_alias(
    session: Session,
    model: Model,
    alias: str,
    number: int | None,
    action: str,
    who: str,
    why: str,
    *,
    confirmed_by: str = "",
) -> int | None:
    """Point an alias to a version, or remove it, and return the number that it pointed to.

    Raises
    ------
    InputError
        When a promotion has to say why, and does not.
    RegistryError
        When a second person has to confirm a promotion, and did not.
    """
    item = session.get(ModelAlias, (model.id, alias))
    previous = None if item is None else item.number
    if previous == number:
        return previous
    if alias == CHAMPION:
        _check_rules(session, model, why, confirmed_by)
    if number is None:
        session.delete(item)
    else:
        session.merge(ModelAlias(model_id=model.id, alias=alias, workspace=model.workspace, number=number))
    note_change(
        session, model, action, alias, number=number, previous=previous, who=who, why=why, confirmed_by=confirmed_by
    )
    return previous


def _check_rules(session: Session, model: Model, why: str, confirmed_by: str) -> None:
    """Refuse another champion where the workspace wants more for it; a request for one is overtaken by it."""
    workspace = session.get(Workspace, model.workspace)
    if workspace is not None and not confirmed_by:
        require_reason(workspace, why)
        if workspace.two_people:
            raise RegistryError(
                f"A second person has to confirm the champion of '{model.name}'.",
                "Ask for the promotion: another editor or admin of the workspace confirms it.",
            )
    waiting = update(Promotion).where(col(Promotion.model_id) == model.id, col(Promotion.state) == "open")
    session.execute(waiting.values(state="overtaken", decided_at=time.time()))


def require_reason(workspace: Workspace, why: str) -> None:
    """Raise InputError where a promotion has to say why, and does not."""
    if workspace.needs_reason and not why.strip():
        raise InputError("A promotion needs a reason in this workspace.", "Write why this version becomes champion.")


_RECORDED = {
    "register": "register",
    "promote": "promote",
    "roll_back": "promote",
    "alias": "alias",
    "archive": "archive",
    "restore": "restore",
    "rule": "decide",
}
"""Action of the audit log for each change of a model; of notes there is none."""


def note_change(
    session: Session, model: Model, action: str, alias: str | None = None, **fields: str | int | None
) -> None:
    """Add a change to the history of a model, and to the audit log."""
    values = {"workspace": model.workspace, "model_id": model.id, "action": action, "alias": alias, **fields}
    session.add(ModelEvent.model_validate(values))
    if action in _RECORDED:
        by = Access(model.workspace, Role.EDITOR, str(fields.get("confirmed_by") or fields["who"]))
        number = fields.get("number") or fields.get("previous")
        asked_by = fields["who"] if fields.get("confirmed_by") else None
        details = {"alias": alias, "previous": fields.get("previous"), "why": fields.get("why"), "asked_by": asked_by}
        given = {name: value for name, value in details.items() if value not in (None, "", number)}
        audit.note(session, _RECORDED[action], f"{model.name}, version {number}", access=by, id=model.id, **given)

"""Queries over models. A change locks the row of the model, so changes by several processes happen one by one."""

from __future__ import annotations

import time

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.access import Access
from core.catalog._model_rows import CHAMPION, locked, note_change, point_alias, require_usable, version_row
from core.catalog.engine import reading, writing
from core.catalog.hidden import ALL_ROWS
from core.catalog.tables import Model, ModelAlias, ModelEvent, ModelVersion, Run
from core.errors import RegistryError, not_found
from core.jsonable import JsonObject

__all__ = [
    "ARCHIVED",
    "CHAMPION",
    "add_version",
    "aliases",
    "archive",
    "find",
    "get",
    "history",
    "note_rule",
    "of_run",
    "point",
    "restore",
    "roll_back",
    "set_answer",
    "set_notes",
    "version",
    "version_by_id",
    "version_title",
    "versions",
]

ARCHIVED = "archived"


def add_version(name: str, version: ModelVersion, *, access: Access) -> tuple[Model, ModelVersion, bool]:
    """Store a version under a name, with the next number; also return whether it is new (a run is one version)."""
    workspace = version.workspace
    for _ in range(2):
        try:
            with writing(access) as session:
                model = session.exec(
                    select(Model).where(Model.workspace == workspace, Model.name == name).with_for_update()
                ).first() or Model(workspace=workspace, name=name)
                _check_run(session, version.run_id)
                known = session.exec(
                    select(ModelVersion).where(ModelVersion.model_id == model.id, ModelVersion.run_id == version.run_id)
                ).first()
                if known is not None:
                    return model, known, False
                model.versions += 1
                version.model_id, version.number = model.id, model.versions
                session.add(model)
                session.flush()  # what belongs to it names it
                session.add(version)
                note_change(session, model, "register", number=version.number, who=access.actor)
            return model, version, True
        except IntegrityError:  # another process added the same name first: its row can be locked now
            version = ModelVersion(**version.model_dump())
    raise RegistryError(f"'{name}' is being registered by other processes.", "Try again.")


def get(model_id: str, *, access: Access) -> Model:
    """Return a model.

    Raises
    ------
    NotFoundError
        When the workspace does not have this model.
    """
    with reading(access) as session:
        model = session.get(Model, model_id)
    if model is None or model.workspace != access.workspace:
        raise not_found("model", model_id, "The Models page lists all.")
    return model


def find(*, access: Access) -> list[Model]:
    """Return a workspace's models, ordered by name."""
    with reading(access) as session:
        return list(session.exec(select(Model).where(Model.workspace == access.workspace).order_by(col(Model.name))))


def versions(model_id: str, *, access: Access) -> list[ModelVersion]:
    """Return a model's versions, newest first, including archived ones."""
    query = select(ModelVersion).where(ModelVersion.model_id == model_id, ModelVersion.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(ModelVersion.number).desc())))


def version(model_id: str, number: int, *, access: Access) -> ModelVersion:
    """Return a version by its number.

    Raises
    ------
    NotFoundError
        When the model has no version of this number.
    """
    with reading(access) as session:
        return version_row(session, get(model_id, access=access), number)


def version_by_id(version_id: str, *, access: Access) -> ModelVersion | None:
    """Return a version by its id, or None."""
    with reading(access) as session:
        stored = session.get(ModelVersion, version_id)
    return stored if stored is not None and stored.workspace == access.workspace else None


def of_run(run_id: str, *, access: Access) -> list[ModelVersion]:
    """Return the versions that a run is registered as."""
    query = select(ModelVersion).where(ModelVersion.run_id == run_id, ModelVersion.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(ModelVersion.created_at))))


def version_title(version: ModelVersion, *, access: Access) -> str:
    """Return the name of a version, such as "Churn, version 3"."""
    return f"{get(version.model_id, access=access).name}, version {version.number}"


def aliases(model_id: str, *, access: Access) -> dict[str, int]:
    """Return the number of the version that each alias points to."""
    query = select(ModelAlias).where(ModelAlias.model_id == model_id, ModelAlias.workspace == access.workspace)
    with reading(access) as session:
        return {item.alias: item.number for item in session.exec(query.order_by(col(ModelAlias.alias)))}


def history(model_id: str, *, access: Access) -> list[ModelEvent]:
    """Return all changes to a model, newest first."""
    query = select(ModelEvent).where(ModelEvent.model_id == model_id, ModelEvent.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(ModelEvent.id).desc())))


def point(
    model_id: str,
    alias: str,
    number: int | None,
    *,
    action: str = "alias",
    why: str = "",
    access: Access,
) -> int | None:
    """Point an alias to a version, or remove it; return the number that it pointed to.

    Nothing changes when the alias points to the version already.

    Raises
    ------
    NotFoundError
        When the model or the version does not exist.
    RegistryError
        When the version is archived.
    """
    with writing(access) as session:
        model = locked(session, model_id, access=access)
        if number is not None:
            require_usable(session, model, number)
        return point_alias(session, model, alias, number, action, access.actor, why)


def roll_back(model_id: str, *, why: str = "", access: Access) -> tuple[int, int]:
    """Make the previous champion the champion again; return the number of the new and of the replaced one.

    Another call goes one more step back.

    Raises
    ------
    RegistryError
        When there is no previous champion, or it is archived.
    """
    with writing(access) as session:
        model = locked(session, model_id, access=access)
        past: list[int] = []
        events = select(ModelEvent).where(ModelEvent.model_id == model_id, ModelEvent.alias == CHAMPION)
        for event in session.exec(events.order_by(col(ModelEvent.id))):
            if event.action == "roll_back" or event.number is None:
                past.pop()
            else:
                past.append(event.number)
        current = session.get(ModelAlias, (model_id, CHAMPION))
        if current is None or len(past) < 2:
            raise RegistryError(f"'{model.name}' had no champion before this one.", "Promote a version instead.")
        require_usable(session, model, past[-2])
        point_alias(session, model, CHAMPION, past[-2], "roll_back", access.actor, why)
        return past[-2], past[-1]


def archive(model_id: str, number: int, *, why: str = "", access: Access) -> None:
    """Archive a version: its aliases are removed, its row and files are kept.

    Raises
    ------
    RegistryError
        When it is the champion.
    """
    with writing(access) as session:
        model = locked(session, model_id, access=access)
        stored = version_row(session, model, number)
        own = [
            item.alias
            for item in session.exec(select(ModelAlias).where(ModelAlias.model_id == model_id))
            if item.number == number
        ]
        if CHAMPION in own:
            raise RegistryError(
                f"Version {number} of '{model.name}' is the champion.",
                "Promote another version first, then archive it.",
            )
        if stored.archived_at is None:
            for alias in own:
                point_alias(session, model, alias, None, "alias", access.actor, why)
            stored.archived_at = time.time()
            session.add(stored)
            note_change(session, model, "archive", ARCHIVED, number=number, who=access.actor, why=why)


def restore(model_id: str, number: int, *, why: str = "", access: Access) -> None:
    """Restore an archived version, without aliases."""
    with writing(access) as session:
        model = locked(session, model_id, access=access)
        stored = version_row(session, model, number)
        if stored.archived_at is not None:
            stored.archived_at = None
            session.add(stored)
            note_change(session, model, "restore", ARCHIVED, previous=number, who=access.actor, why=why)


def set_notes(model_id: str, number: int, notes: str, *, access: Access) -> None:
    """Replace the notes of a version."""
    with writing(access) as session:
        model = locked(session, model_id, access=access)
        stored = version_row(session, model, number)
        if stored.notes != notes:
            stored.notes = notes
            session.add(stored)
            note_change(session, model, "notes", number=number, who=access.actor)


def note_rule(run_id: str, rule: str, *, access: Access) -> None:
    """Note in the history of each version of a run which rule decides on the rows that it scores from now on."""
    query = select(ModelVersion).where(ModelVersion.run_id == run_id, ModelVersion.workspace == access.workspace)
    with writing(access) as session:
        known = session.exec(query.order_by(col(ModelVersion.model_id))).all()
        # All are locked before the first change: what records it takes the lock of the audit log, the last of any.
        rows = {stored.model_id: locked(session, stored.model_id, access=access) for stored in known}
        for stored in known:
            note_change(session, rows[stored.model_id], "rule", number=stored.number, who=access.actor, why=rule)


def set_answer(model_id: str, number: int, key: str, answer: JsonObject | None, *, access: Access) -> None:
    """Store the answer to a question of a version's card, or remove it."""
    with writing(access) as session:
        stored = version_row(session, locked(session, model_id, access=access), number)
        others = {name: value for name, value in stored.answers.items() if name != key}
        stored.answers = others if answer is None else others | {key: answer}
        session.add(stored)


def _check_run(session: Session, run_id: str) -> None:
    """Raise NotFoundError where the run was deleted meanwhile."""
    deleted = select(Run.id).where(Run.id == run_id, col(Run.deletion_id).is_not(None))
    if session.exec(deleted, execution_options=ALL_ROWS).first() is not None:
        raise not_found("run", run_id, "It may have been deleted. The Runs page lists all runs.")

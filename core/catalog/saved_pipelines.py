"""Queries over saved pipelines: files that users keep and edit."""

from __future__ import annotations

import math
import time

from sqlalchemy import update as update_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from core.access import Access
from core.catalog import references
from core.catalog.engine import reading, writing
from core.catalog.pipeline_tables import SavedPipeline
from core.errors import InputError, not_found
from core.jsonable import JsonObject

__all__ = ["add", "by_name", "exists", "find", "get", "update"]


def add(pipeline: SavedPipeline, *, access: Access) -> SavedPipeline:
    """Store a pipeline. The contents that its files name stay as long as its row.

    Raises
    ------
    InputError
        When the name is not usable, or another pipeline of the workspace has it.
    """
    pipeline.name = _checked(pipeline.name)
    try:
        with writing(access) as session:
            session.add(pipeline)
            references.replace(session, pipeline.id, map(str, pipeline.files.values()), access=access)
    except IntegrityError as error:
        raise _taken(pipeline.name) from error
    return pipeline


def get(pipeline_id: str, *, access: Access) -> SavedPipeline:
    """Return a pipeline.

    Raises
    ------
    NotFoundError
        When the workspace does not have this pipeline.
    """
    with reading(access) as session:
        pipeline = session.get(SavedPipeline, pipeline_id)
    if pipeline is None or pipeline.workspace != access.workspace:
        raise not_found("pipeline", pipeline_id, "It may have been deleted. The Pipelines page lists all pipelines.")
    return pipeline


def exists(pipeline_id: str, *, access: Access) -> bool:
    """Return whether the workspace has a pipeline; a run may name one that was deleted."""
    with reading(access) as session:
        stored = session.exec(
            select(SavedPipeline.id).where(SavedPipeline.id == pipeline_id, SavedPipeline.workspace == access.workspace)
        )
        return stored.first() is not None


def by_name(name: str, *, access: Access) -> SavedPipeline | None:
    """Return the pipeline of this name, or None."""
    query = select(SavedPipeline).where(SavedPipeline.workspace == access.workspace, SavedPipeline.name == name)
    with reading(access) as session:
        return session.exec(query).first()


def find(*, access: Access) -> list[SavedPipeline]:
    """Return a workspace's pipelines, the one that was changed last first."""
    query = select(SavedPipeline).where(SavedPipeline.workspace == access.workspace)
    with reading(access) as session:
        return list(session.exec(query.order_by(col(SavedPipeline.changed_at).desc(), col(SavedPipeline.name))))


def update(
    pipeline: SavedPipeline,
    *,
    name: str | None = None,
    text: str | None = None,
    files: JsonObject | None = None,
    access: Access,
) -> SavedPipeline:
    """Change a pipeline, if it is still as `pipeline` says, and return it.

    Parameters
    ----------
    pipeline : SavedPipeline
        Row that the change was made from.
    name, text, who : str, optional
        New values; by default the present ones.
    files : dict, optional
        All files beside it, as ``{relative path: digest}``; by default the present ones.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When it was changed meanwhile, or the name is taken or not usable.
    NotFoundError
        When it was deleted.
    """
    given = {"name": None if name is None else _checked(name), "text": text, "files": files, "who": access.actor}
    # Always later than before, however coarse the clock: it says which state a change was made from.
    values = {"changed_at": max(time.time(), math.nextafter(pipeline.changed_at, math.inf))} | {
        field: value for field, value in given.items() if value is not None
    }
    statement = (
        update_rows(SavedPipeline)
        .where(
            col(SavedPipeline.id) == pipeline.id,
            col(SavedPipeline.workspace) == pipeline.workspace,
            col(SavedPipeline.changed_at) == pipeline.changed_at,
        )
        .values(**values)
    )
    try:
        with writing(access) as session:
            changed = session.execute(statement).rowcount  # type: ignore[attr-defined]
            if changed and files is not None:
                references.replace(session, pipeline.id, map(str, files.values()), access=access)
    except IntegrityError as error:
        raise _taken(str(given["name"])) from error
    stored = get(pipeline.id, access=access)
    if not changed:
        raise InputError(
            f"The pipeline '{stored.name}' was changed meanwhile, perhaps in another tab.",
            "Open it again, and repeat what you did there.",
        )
    return stored


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 200:
        raise InputError(f"'{name[:40]}' is not a usable name.", "Choose a name of 1 to 200 characters.")
    return name


def _taken(name: str) -> InputError:
    return InputError(f"There is a pipeline '{name}' already.", "Choose another name, or change that pipeline.")

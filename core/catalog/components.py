"""Queries over the components of pipelines: versions by name, with labels. The content of a version never changes."""

from __future__ import annotations

import hashlib
import json
import re
import time

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.access import Access
from core.catalog import references
from core.catalog.engine import reading, writing
from core.catalog.pipeline_tables import PipelineComponent
from core.errors import InputError, NotFoundError, not_found, shortened
from core.jsonable import JsonObject

__all__ = [
    "LATEST",
    "add",
    "archive",
    "by_id",
    "content_digest",
    "get",
    "history",
    "names",
    "restore",
    "set_label",
    "versions",
]

LATEST = "latest"
"""Label of the highest version, which no one sets."""

_TRIES = 20
_USABLE = "Use 1 to {limit} letters, digits, '.', '_' or '-', of which the first is a letter or a digit."


def content_digest(source: str, code: JsonObject) -> str:
    """Return the digest of a component's content: its text, and its files by path.

    Parameters
    ----------
    source : str
        Text of its file.
    code : dict
        Its other files, as ``{relative path: digest}``.
    """
    return hashlib.sha256(json.dumps([source, code], sort_keys=True).encode()).hexdigest()


def add(
    name: str,
    source: str,
    code: JsonObject | None = None,
    *,
    version: str | None = None,
    access: Access,
) -> tuple[PipelineComponent, bool]:
    """Store a version of a component. The contents that its code names stay as long as its row.

    Parameters
    ----------
    name : str
        Name of the component.
    source : str
        Text of its file.
    code : dict, optional
        Its other files, as ``{relative path: digest}``.
    access : Access
        The workspace, and who acts in it.
    version : str, optional
        Version. By default the newest version if it has the same content, otherwise the number after the highest one.

    Returns
    -------
    component : PipelineComponent
        The stored row.
    new : bool
        Whether it was added: the same content under the same version is stored once.

    Raises
    ------
    InputError
        When name or version are not usable, or the version has other content.
    """
    _check_word("name of a component", name, 200)
    if version is not None:
        _check_word("version", version, 64)
    code = code or {}
    digest = content_digest(source, code)
    for _ in range(_TRIES):
        known = history(name, access=access)
        same = next((row for row in known if row.version == version), None) if version is not None else None
        if version is None and known and known[0].digest == digest and known[0].archived_at is None:
            same = known[0]
        if same is not None and same.digest != digest:
            raise InputError(
                f"Version '{version}' of the component '{name}' has other content.",
                "The content of a version never changes: raise the version in its file, or leave it out.",
            )
        if same is not None:
            return same, False
        row = PipelineComponent(
            workspace=access.workspace,
            name=name,
            version=str(_next_number(known)) if version is None else version,
            source=source,
            digest=digest,
            code=code,
            who=access.actor[:200],
        )
        try:
            with writing(access) as session:
                session.add(row)
                references.replace(session, row.id, map(str, code.values()), access=access)
        except IntegrityError:  # another process added this version first
            continue
        return row, True
    raise InputError(f"The component '{name}' is being changed by other processes.", "Try again.")


def by_id(component_id: str, *, access: Access) -> PipelineComponent:
    """Return a version by its id.

    Raises
    ------
    NotFoundError
        When the workspace does not have it.
    """
    with reading(access) as session:
        row = session.get(PipelineComponent, component_id)
    if row is None or row.workspace != access.workspace:
        raise not_found("component", component_id, "The Pipelines page lists all components.")
    return row


def get(name: str, *, version: str | None = None, label: str | None = None, access: Access) -> PipelineComponent:
    """Return a version of a component, by default the highest one.

    Parameters
    ----------
    name : str
        Name of the component.
    access : Access
        The workspace, and who acts in it.
    version : str, optional
        Its version; an archived one can still be used by its version.
    label : str, optional
        Label that it has, or "latest" for the highest version that is not archived.

    Raises
    ------
    NotFoundError
        When the workspace has no such component, version or label.
    """
    known = versions(name, archived=True, access=access)
    usable = [row for row in known if row.archived_at is None]
    if not known:
        raise NotFoundError(f"There is no component '{shortened(name)}'.", _listed("Components", names(access=access)))
    if version is not None:
        matches = [row for row in known if row.version == version]
    elif label in (None, LATEST):
        matches = usable
    else:
        matches = [row for row in usable if label in row.labels]
    if matches:
        return matches[0]
    if version is not None:
        raise NotFoundError(
            f"The component '{name}' has no version '{shortened(version)}'.",
            _listed("Versions", [row.version for row in usable]),
        )
    if label in (None, LATEST):
        raise NotFoundError(f"All versions of the component '{name}' are archived.", "Restore one, or name a version.")
    labels = sorted({str(item) for row in usable for item in row.labels} | {LATEST})
    message = f"The component '{name}' has no version with the label '{shortened(label)}'."
    raise NotFoundError(message, _listed("Labels", labels))


def versions(name: str, *, archived: bool = False, access: Access) -> list[PipelineComponent]:
    """Return the versions of a component, the highest first.

    Parameters
    ----------
    name : str
        Name of the component.
    access : Access
        The workspace, and who acts in it.
    archived : bool, default=False
        Whether archived versions are returned, too.
    """
    rows = [row for row in history(name, access=access) if archived or row.archived_at is None]
    return sorted(rows, key=lambda row: (_order(row.version), row.created_at), reverse=True)


def history(name: str, *, access: Access) -> list[PipelineComponent]:
    """Return all versions of a component, also archived ones, the one that was added last first."""
    query = select(PipelineComponent).where(
        PipelineComponent.workspace == access.workspace, PipelineComponent.name == name
    )
    with reading(access) as session:
        return list(session.exec(query.order_by(col(PipelineComponent.created_at).desc())))


def names(*, access: Access) -> list[str]:
    """Return the names of the components that have a version that is not archived."""
    query = (
        select(PipelineComponent.name)
        .where(PipelineComponent.workspace == access.workspace, col(PipelineComponent.archived_at).is_(None))
        .distinct()
    )
    with reading(access) as session:
        return sorted(session.exec(query))


def set_label(name: str, version: str, label: str, *, access: Access) -> None:
    """Give a version a label; the version that had it loses it.

    Raises
    ------
    InputError
        When the label is not usable, or the version is archived.
    NotFoundError
        When the workspace has no such version.
    """
    _check_word("label", label, 40)
    if label == LATEST:
        raise InputError("The label 'latest' always means the highest version.", "Choose another label.")
    target = get(name, version=version, access=access)
    if target.archived_at is not None:
        raise InputError(f"Version '{version}' of the component '{name}' is archived.", "Restore it first.")
    with writing(access) as session:
        for row in _locked(session, name, access=access):
            others = [item for item in row.labels if item != label]
            row.labels = [*others, label] if row.id == target.id else others
            session.add(row)


def archive(name: str, version: str, *, access: Access) -> None:
    """Archive a version: it loses its labels and is no longer the latest, but pipelines that name it still run.

    Raises
    ------
    NotFoundError
        When the workspace has no such version.
    """
    _set(get(name, version=version, access=access), access=access, archived_at=time.time(), labels=[])


def restore(name: str, version: str, *, access: Access) -> None:
    """Restore an archived version, without labels.

    Raises
    ------
    NotFoundError
        When the workspace has no such version.
    """
    _set(get(name, version=version, access=access), access=access, archived_at=None)


def _set(row: PipelineComponent, *, access: Access, **fields: float | list[str] | None) -> None:
    with writing(access) as session:
        session.execute(update(PipelineComponent).where(col(PipelineComponent.id) == row.id).values(**fields))


def _locked(session: Session, name: str, *, access: Access) -> list[PipelineComponent]:
    """Return all versions of a component, locked until the end of the transaction."""
    query = select(PipelineComponent).where(
        PipelineComponent.workspace == access.workspace, PipelineComponent.name == name
    )
    return list(session.exec(query.order_by(col(PipelineComponent.id)).with_for_update()))


def _order(version: str) -> tuple[list[int], bool, list[tuple[int, int, str]]]:
    """Return what orders versions: the numbers that they begin with, then that 1.0 is above 1.0-beta, then the rest."""
    start = re.match(r"v?(\d+(?:\.\d+)*)?", version)
    assert start is not None
    numbers = [int(number) for number in (start[1] or "").split(".") if number]
    rest = version[start.end() :]
    parts = [(int(part.isdigit()), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", rest)]
    return numbers, not rest, parts


def _next_number(known: list[PipelineComponent]) -> int:
    return 1 + max((_order(row.version)[0][0] for row in known if _order(row.version)[0]), default=0)


def _check_word(what: str, text: str, limit: int) -> None:
    if len(text) > limit or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text):
        raise InputError(f"'{text[:40]}' is not a usable {what}.", _USABLE.format(limit=limit))


def _listed(what: str, items: list[str], shown: int = 10) -> str:
    if not items:
        return "There is none yet."
    more = "" if len(items) <= shown else f" and {len(items) - shown} others"
    return f"{what}: {', '.join(items[:shown])}{more}."

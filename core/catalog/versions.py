"""Versions of a dataset: which one is current, the draft of the next, and changes that can be undone."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, or_, select

from core.access import Access
from core.catalog import datasets
from core.catalog.engine import reading, writing
from core.catalog.tables import Dataset, DatasetChange
from core.errors import InputError
from core.jsonable import JsonObject

__all__ = [
    "add",
    "changes",
    "find",
    "head",
    "next_redo",
    "next_undo",
    "redo",
    "restore",
    "set_draft",
    "set_roles",
    "undo",
]

_CHANGED = "Another version became current meanwhile, perhaps in another tab."
_HINT = "Open the current version, and repeat what you did there."


def find(dataset: Dataset, *, access: Access) -> list[Dataset]:
    """Return all versions of a dataset, the first one first."""
    family = dataset.family_id
    query = (
        select(Dataset)
        .where(Dataset.workspace == dataset.workspace, or_(Dataset.id == family, Dataset.origin_id == family))
        .order_by(col(Dataset.number))
    )
    with reading(access) as session:
        return list(session.exec(query))


def head(dataset: Dataset, *, access: Access) -> Dataset:
    """Return the current version of a dataset."""
    origin = datasets.get(dataset.family_id, access=access)
    return datasets.get(origin.head_id, access=access) if origin.head_id else origin


def add(version: Dataset, parent: Dataset, label: str, *, access: Access) -> tuple[Dataset, bool]:
    """Store a version and make it the current one.

    Parameters
    ----------
    version : Dataset
        The new version; its origin and number are set here.
    parent : Dataset
        Version that it was made from, which must still be the current one.
    label : str
        Phrase for the change, such as "Drop 'id'".
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    version : Dataset
        The stored row: an earlier version, or another dataset, where that has the same content.
    new : bool
        Whether it was added.

    Raises
    ------
    InputError
        When another version became current meanwhile.
    """
    version.origin_id = parent.family_id
    try:
        with writing(access) as session:
            origin = _current(session, parent, access=access)
            numbers = session.exec(select(Dataset.number).where(Dataset.origin_id == origin.id))
            version.number = max([1, *numbers]) + 1
            session.add(version)
            _move(session, origin, parent, version, label, access.actor)
    except IntegrityError:
        known = datasets.with_fingerprint(version.fingerprint, access=access)
        if known is None:
            raise
        if known.family_id == parent.family_id:
            restore(known, parent, label, access=access)
        return known, False
    return version, True


def restore(version: Dataset, parent: Dataset, label: str, *, access: Access) -> None:
    """Make a version the current one.

    Parameters
    ----------
    version : Dataset
        Version to become current.
    parent : Dataset
        Version that is taken for the current one.
    label : str
        Phrase for the change.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When another version became current meanwhile.
    NotFoundError
        When the workspace does not have the version.
    """
    version = datasets.get(version.id, access=access)
    with writing(access) as session:
        origin = _current(session, parent, access=access)
        _move(session, origin, parent, version, label, access.actor)


def set_roles(dataset: Dataset, roles: JsonObject, label: str, *, access: Access) -> None:
    """Store the roles of the columns of a version as a change that can be undone.

    Parameters
    ----------
    dataset : Dataset
        Version that has these columns.
    roles : dict
        Roles, as `datasets.set_roles` takes them; the positive value stays with its target.
    label : str
        Phrase for the change.
    access : Access
        The workspace, and who acts in it.
    """
    before = datasets.get(dataset.id, access=access)
    if "positive" in before.roles and before.roles.get("target") == roles.get("target"):
        roles = {"positive": before.roles["positive"], **roles}
    state = {"head": dataset.id, "roles": roles}
    with writing(access) as session:
        _set(session, dataset.id, roles=roles)
        _record(session, dataset, {"head": dataset.id, "roles": before.roles}, state, label, access.actor)


def set_draft(dataset: Dataset, draft: JsonObject, *, revision: int, access: Access) -> None:
    """Store the draft of the next version; an empty one discards it.

    Parameters
    ----------
    dataset : Dataset
        Any version.
    draft : dict
        Steps, and the version that they begin from.
    revision : int
        Revision of the draft that this one was made from, 0 when there was none.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the draft was changed meanwhile.
    """
    with writing(access) as session:
        origin = _locked(session, dataset, access=access)
        if int(origin.draft.get("revision", 0)) != revision:
            raise InputError("The steps were changed meanwhile, perhaps in another tab.", "Look at them, then repeat.")
        _set(session, origin.id, draft={**draft, "revision": revision + 1} if draft else {"revision": revision + 1})


def changes(dataset: Dataset, *, access: Access) -> list[DatasetChange]:
    """Return the changes to a dataset, the first one first."""
    query = (
        select(DatasetChange)
        .where(DatasetChange.origin_id == dataset.family_id, DatasetChange.workspace == dataset.workspace)
        .order_by(col(DatasetChange.id))
    )
    with reading(access) as session:
        return list(session.exec(query))


def next_undo(dataset: Dataset, *, access: Access) -> DatasetChange | None:
    """Return the change that `undo` takes back."""
    done = [change for change in changes(dataset, access=access) if not change.undone]
    return done[-1] if done else None


def next_redo(dataset: Dataset, *, access: Access) -> DatasetChange | None:
    """Return the change that `redo` makes again: the first of those undone after the last one that holds."""
    rows = changes(dataset, access=access)
    last = max((number for number, change in enumerate(rows) if not change.undone), default=-1)
    return rows[last + 1] if last + 1 < len(rows) else None


def undo(dataset: Dataset, *, access: Access) -> Dataset:
    """Take back the last change; return the version that is current now.

    Raises
    ------
    InputError
        When there is nothing to undo.
    """
    return _change_back_or_again(dataset, next_undo(dataset, access=access), undone=True, access=access)


def redo(dataset: Dataset, *, access: Access) -> Dataset:
    """Make the last change that was undone again; return the version that is current now.

    Raises
    ------
    InputError
        When there is nothing to redo.
    """
    return _change_back_or_again(dataset, next_redo(dataset, access=access), undone=False, access=access)


def _change_back_or_again(dataset: Dataset, change: DatasetChange | None, *, undone: bool, access: Access) -> Dataset:
    if change is None:
        raise InputError(f"There is nothing to {'undo' if undone else 'redo'}.", "")
    state = change.before if undone else change.after
    with writing(access) as session:
        origin = _locked(session, dataset, access=access)
        statement = (
            update(DatasetChange)
            .where(col(DatasetChange.id) == change.id, col(DatasetChange.undone) != undone)
            .values(undone=undone)
        )
        if not session.execute(statement).rowcount:  # type: ignore[attr-defined]
            raise InputError(_CHANGED, _HINT)
        version = session.get(Dataset, str(state["head"]))
        if version is None:
            raise InputError("The version is gone.", "Choose another one on the tab Versions.")
        _set(session, origin.id, head_id="" if version.id == origin.id else version.id)
        _set(session, version.id, roles=state["roles"])
    return datasets.get(str(state["head"]), access=access)


def _locked(session: Session, dataset: Dataset, *, access: Access) -> Dataset:
    """Return the row of the origin, locked until the end of the transaction."""
    query = (
        select(Dataset)
        .where(Dataset.id == dataset.family_id, Dataset.workspace == dataset.workspace)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    origin = session.exec(query).first()
    if origin is None:
        datasets.get(dataset.family_id, access=access)  # raises the error
        raise InputError(_CHANGED, _HINT)
    return origin


def _current(session: Session, parent: Dataset, *, access: Access) -> Dataset:
    """Return the origin, if `parent` is its current version."""
    origin = _locked(session, parent, access=access)
    if (origin.head_id or origin.id) != parent.id:
        raise InputError(_CHANGED, _HINT)
    return origin


def _move(session: Session, origin: Dataset, parent: Dataset, version: Dataset, label: str, who: str) -> None:
    """Make a version current, discard the draft, and record the change."""
    roles = session.exec(select(Dataset.roles).where(Dataset.id == parent.id)).one()
    revision = int(origin.draft.get("revision", 0))
    head_id = "" if version.id == origin.id else version.id
    _set(session, origin.id, head_id=head_id, draft={"revision": revision + 1})
    before = {"head": parent.id, "roles": roles}
    _record(session, origin, before, {"head": version.id, "roles": version.roles}, label, who)


def _record(session: Session, dataset: Dataset, before: JsonObject, after: JsonObject, label: str, who: str) -> None:
    session.add(
        DatasetChange(
            workspace=dataset.workspace,
            origin_id=dataset.family_id,
            label=label[:300],
            who=who[:200],
            before=before,
            after=after,
        )
    )


def _set(session: Session, dataset_id: str, **fields: str | JsonObject) -> None:
    session.execute(update(Dataset).where(col(Dataset.id) == dataset_id).values(**fields))

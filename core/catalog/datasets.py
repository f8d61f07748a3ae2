"""Queries over datasets."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, func, or_, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.access import Access
from core.catalog.engine import reading, writing
from core.catalog.tables import Dataset, DatasetChange, Run
from core.errors import InputError, not_found
from core.jsonable import JsonObject

__all__ = [
    "add",
    "find",
    "get",
    "is_used",
    "kept_bytes",
    "rename",
    "replace",
    "set_audit",
    "set_roles",
    "with_fingerprint",
]

_CONTENT = {
    "fingerprint",
    "data_digest",
    "profile_digest",
    "rows",
    "columns",
    "size_bytes",
    "upload_digest",
    "upload_bytes",
    "report",
    "roles",
}


def add(dataset: Dataset, *, access: Access) -> tuple[Dataset, bool]:
    """Store a dataset; return the stored row and whether it is new (the same content is stored once)."""
    try:
        with writing(access) as session:
            session.add(dataset)
    except IntegrityError:
        known = with_fingerprint(dataset.fingerprint, access=access)
        if known is None:
            raise
        return known, False
    return dataset, True


def get(dataset_id: str, *, access: Access) -> Dataset:
    """Return a dataset.

    Raises
    ------
    NotFoundError
        When the workspace does not have this dataset.
    """
    with reading(access) as session:
        dataset = session.get(Dataset, dataset_id)
    if dataset is None or dataset.workspace != access.workspace:
        raise not_found("dataset", dataset_id, "It may have been deleted. The Data page lists all datasets.")
    return dataset


def find(*, access: Access) -> list[Dataset]:
    """Return the current versions of a workspace's datasets, newest first."""
    query = select(Dataset).where(Dataset.workspace == access.workspace).order_by(col(Dataset.created_at).desc())
    with reading(access) as session:
        rows = list(session.exec(query))
    heads = {dataset.head_id or dataset.id for dataset in rows if not dataset.origin_id}
    return [dataset for dataset in rows if dataset.id in heads]


def with_fingerprint(fingerprint: str, *, access: Access) -> Dataset | None:
    """Return the dataset with this content, or None."""
    query = select(Dataset).where(Dataset.workspace == access.workspace, Dataset.fingerprint == fingerprint)
    with reading(access) as session:
        return session.exec(query).first()


def kept_bytes(*, access: Access) -> int:
    """Return the size of all original files that a workspace keeps."""
    query = select(func.coalesce(func.sum(Dataset.upload_bytes), 0)).where(Dataset.workspace == access.workspace)
    with reading(access) as session:
        return int(session.exec(query).one())


def is_used(dataset_id: str, *, passing: Collection[str] = (), access: Access) -> bool:
    """Return whether a run refers to a dataset, besides those of the tasks `passing`, or a version was made from it."""
    with reading(access) as session:
        return any(session.exec(query).first() is not None for query in _users(dataset_id, passing, access=access))


def _users(
    dataset_id: str,
    passing: Collection[str],
    *,
    access: Access,
) -> tuple[SelectOfScalar[str], SelectOfScalar[str]]:
    return (
        select(Run.id)
        .where(Run.dataset_id == dataset_id, Run.workspace == access.workspace, col(Run.task).not_in(passing))
        .limit(1),
        select(Dataset.id).where(Dataset.origin_id == dataset_id, Dataset.workspace == access.workspace).limit(1),
    )


def replace(dataset: Dataset, *, passing: Collection[str] = (), access: Access) -> bool:
    """Replace the content of the dataset with this id, unless a run has used it or it has other versions.

    Its changes can no longer be undone: they were those of other content.

    Parameters
    ----------
    dataset : Dataset
        Row with the id, and the new content: fingerprint, digests, sizes, report and roles.
    access : Access
        The workspace, and who acts in it.
    passing : collection of str, default=()
        Tasks whose runs do not count.

    Returns
    -------
    bool
        Whether it was replaced.

    Raises
    ------
    NotFoundError
        When the workspace does not have this dataset.
    """
    fields = dataset.model_dump(include=_CONTENT)
    with writing(access) as session:
        if any(session.exec(query).first() is not None for query in _users(dataset.id, passing, access=access)):
            return False
        history = col(DatasetChange.origin_id) == dataset.id
        session.execute(delete_rows(DatasetChange).where(history, col(DatasetChange.workspace) == access.workspace))
        statement = (
            update(Dataset)
            .where(col(Dataset.id) == dataset.id, col(Dataset.workspace) == access.workspace)
            .values(**fields)
        )
        changed = session.execute(statement).rowcount  # type: ignore[attr-defined]
    if not changed:
        get(dataset.id, access=access)  # raises the error
    return True


def _update(dataset_id: str, *, access: Access, **fields: str | JsonObject) -> None:
    statement = (
        update(Dataset)
        .where(col(Dataset.id) == dataset_id, col(Dataset.workspace) == access.workspace)
        .values(**fields)
    )
    with writing(access) as session:
        changed = session.execute(statement).rowcount  # type: ignore[attr-defined]
    if not changed:
        get(dataset_id, access=access)  # raises the error


def rename(dataset_id: str, name: str, *, access: Access) -> None:
    """Rename a dataset with all of its versions.

    Raises
    ------
    InputError
        When the name is empty or longer than 200 characters.
    NotFoundError
        When the workspace does not have this dataset.
    """
    name = name.strip()
    if not name or len(name) > 200:
        raise InputError(f"'{name[:40]}' is not a usable name.", "Choose a name of 1 to 200 characters.")
    family = get(dataset_id, access=access).family_id
    with writing(access) as session:
        session.execute(
            update(Dataset).where(_in_family(family), col(Dataset.workspace) == access.workspace).values(name=name)
        )


def set_roles(dataset_id: str, roles: JsonObject, *, access: Access) -> None:
    """Store the roles of the columns: ``{"target": name or None, "sensitive": [...], "ignore": [...]}``.

    ``"positive"`` may stand beside them: the value of the target that the figures of a search are to be about.

    Raises
    ------
    NotFoundError
        When the workspace does not have this dataset.
    """
    _update(dataset_id, roles=roles, access=access)


def set_audit(dataset_id: str, audited: str, values: JsonObject, *, access: Access) -> None:
    """Store what was typed for a bias audit; those of other models of the dataset stay.

    Parameters
    ----------
    dataset_id : str
        The dataset.
    audited : str
        Id of the run whose model is audited; empty for the table's own decisions.
    values : dict
        The values; they replace the stored ones.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When the workspace does not have this dataset.
    """
    row = (col(Dataset.id) == dataset_id, col(Dataset.workspace) == access.workspace)
    with writing(access) as session:
        stored = session.exec(select(Dataset.audits).where(*row)).first()
        if stored is not None:
            session.execute(update(Dataset).where(*row).values(audits={**stored, audited: values}))
    if stored is None:
        get(dataset_id, access=access)  # raises the error


def _in_family(family: str) -> ColumnElement[bool]:
    return or_(col(Dataset.id) == family, col(Dataset.origin_id) == family)

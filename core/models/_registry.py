"""The model registry: names, numbered versions, aliases that point to versions, and a history that only grows."""

from __future__ import annotations

import re

from core import policies
from core.access import Access
from core.catalog import Model, ModelEvent, ModelVersion
from core.catalog import models as rows
from core.errors import NotFoundError, RegistryError
from core.models._code import code_version
from core.models._evidence import RunEvidence
from core.models._fields import Field, describe_fields
from core.models.preparation import preparation_of

__all__ = [
    "aliases",
    "archive",
    "draft_version",
    "find",
    "get",
    "history",
    "promote",
    "register",
    "remove_alias",
    "resolve",
    "restore",
    "roll_back",
    "set_alias",
    "set_notes",
    "versions",
]

_FIELD_KINDS = {"numeric": "number", "categorical": "category"}  # by the names that searches use


def register(run_id: str, *, name: str | None = None, notes: str = "", access: Access) -> Model:
    """Register the model of a finished run under a name.

    A second run under the same name becomes its next version. A run is one version of a model, however often it is
    registered: the existing version does not change.

    Parameters
    ----------
    run_id : str
        The id of a search or a fine-tuning that succeeded.
    name : str, optional
        Name of the model; by default the run's title.
    notes : str, default=""
        Notes for people.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    Model
        Its ``versions`` is the number of the newest version; `versions` lists all.

    Raises
    ------
    NotFoundError
        When there is no such run.
    RegistryError
        When the run made no model or has not succeeded, the name cannot be used, or the table was deleted.
    """
    evidence = RunEvidence.of(run_id, access=access)
    title = (evidence.run.title if name is None else name).strip()
    if not title:
        raise RegistryError("A model needs a name.", "Choose one of 1 to 200 printable characters.")
    if len(title) > 200 or not title.isprintable():
        raise RegistryError(f"'{title[:40]}' is not a usable name.", "Choose one of 1 to 200 printable characters.")
    version = draft_version(evidence)
    version.notes = notes
    model, _, _ = rows.add_version(title, version, access=access)
    return model


def draft_version(evidence: RunEvidence) -> ModelVersion:
    """Return a run as a version that is not stored and has no number.

    Raises
    ------
    RegistryError
        When the table was deleted.
    """
    return ModelVersion(
        workspace=evidence.run.workspace,
        model_id="",
        run_id=evidence.run.id,
        kind=evidence.kind.name,
        lineage=_lineage(evidence),
        columns=[field.to_dict() for field in _fields(evidence)],
    )


def _lineage(evidence: RunEvidence) -> dict[str, object]:
    run, result, dataset = evidence.run, evidence.result, evidence.dataset
    return {
        "dataset": {
            "id": None if dataset is None else dataset.id,
            "name": None if dataset is None else dataset.name,
            "source": None if dataset is None else dataset.source,
            "fingerprint": evidence.fingerprint,
            "rows": None if dataset is None else dataset.rows,
            "number": None if dataset is None else dataset.number,
            "steps": [step.to_dict() for step in preparation_of(dataset, access=evidence.access)]
            if dataset is not None
            else [],
        },
        "run": {"id": run.id, "task": run.task, "title": run.title, "finished_at": run.finished_at},
        "settings": result.settings,
        "target": evidence.target,
        "task": result.task,
        "metric": result.metric,
        "labels": evidence.labels,
        "packages": result.packages,
        "registered_with": code_version(),
    }


def _fields(evidence: RunEvidence) -> list[Field]:
    dataset = evidence.dataset
    if dataset is None:
        raise RegistryError(
            f"The table of run '{evidence.run.id}' was deleted, so what its columns held is not known any more.",
            "Load the same table again (its content identifies it), then register the run.",
        )
    from core.storage import get_store

    decided_by = [
        name for policy in policies.kept(evidence.run, access=evidence.access).values() for name in policy.columns
    ]
    types = evidence.result.settings.get("column_types") or {}  # older searches and text models have none
    assert isinstance(types, dict)
    return describe_fields(
        get_store().local_path(dataset.data_digest),
        evidence.features,
        target=evidence.target,
        held_out=evidence.path("test.parquet"),
        groups=[*evidence.result.sensitive_columns, *decided_by],
        types={name: _FIELD_KINDS.get(str(kind), str(kind)) for name, kind in types.items()},
    )


def get(model_id: str, *, access: Access) -> Model:
    """Return a model.

    Raises
    ------
    NotFoundError
        When this workspace has no such model.
    """
    return rows.get(model_id, access=access)


def find(*, access: Access) -> list[Model]:
    """Return all models by name."""
    return rows.find(access=access)


def versions(model_id: str, *, access: Access) -> list[ModelVersion]:
    """Return a model's versions, newest first, including archived ones (``archived_at``)."""
    rows.get(model_id, access=access)
    return rows.versions(model_id, access=access)


def resolve(model: str, *, access: Access) -> ModelVersion:
    """Return the version that an id stands for.

    Parameters
    ----------
    model : str
        The id of a version, or of a model: its champion, else the newest version that is not archived.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When there is no such version or model, or all versions are archived.
    """
    version = rows.version_by_id(model, access=access)
    if version is not None:
        return version
    name = rows.get(model, access=access).name
    champion = rows.aliases(model, access=access).get(rows.CHAMPION)
    for version in rows.versions(model, access=access):
        if version.archived_at is None and champion in (None, version.number):
            return version
    raise NotFoundError(f"All versions of '{name}' are archived.", "Restore one, or give the id of a version.")


def aliases(version: ModelVersion, *, access: Access) -> list[str]:
    """Return the aliases that point to a version, or "archived"."""
    if version.archived_at is not None:
        return [rows.ARCHIVED]
    return [
        alias for alias, number in rows.aliases(version.model_id, access=access).items() if number == version.number
    ]


def set_alias(model_id: str, alias: str, number: int, *, why: str = "", access: Access) -> int | None:
    """Let an alias point to a version; return the number of the version it pointed to before.

    "archived" is the one alias that several versions can have: setting it is the same as `archive`.

    See Also
    --------
    remove_alias : Let an alias point to no version.
    promote : Set the alias "champion".

    Raises
    ------
    RegistryError
        When the alias cannot be used, or the version is archived.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", alias):
        raise RegistryError(f"'{alias[:40]}' is not a usable alias.", "Use up to 40 of a to z, 0 to 9 and hyphens.")
    if alias == rows.ARCHIVED:
        archive(model_id, number, why=why, access=access)
        return None
    action = "promote" if alias == rows.CHAMPION else "alias"
    return rows.point(model_id, alias, number, action=action, why=why, access=access)


def remove_alias(model_id: str, alias: str, *, why: str = "", access: Access) -> None:
    """Let an alias point to no version; nothing happens when there is no such alias."""
    rows.point(model_id, alias, None, why=why, access=access)


def promote(model_id: str, number: int, *, why: str = "", access: Access) -> int | None:
    """Make a version the champion; return the number of the previous champion.

    See Also
    --------
    roll_back : Make the previous champion the champion again.

    Raises
    ------
    RegistryError
        When the version is archived.
    """
    return set_alias(model_id, rows.CHAMPION, number, why=why, access=access)


def roll_back(model_id: str, *, why: str = "", access: Access) -> int:
    """Make the previous champion the champion again; return its number. Each further call goes one step back.

    Raises
    ------
    RegistryError
        When there was no previous champion, or it is archived.
    """
    return rows.roll_back(model_id, why=why, access=access)[0]


def archive(model_id: str, number: int, *, why: str = "", access: Access) -> None:
    """Take a version out of use: its aliases are removed; its row, files and history stay.

    Raises
    ------
    RegistryError
        When it is the champion.
    """
    rows.archive(model_id, number, why=why, access=access)


def restore(model_id: str, number: int, *, why: str = "", access: Access) -> None:
    """Take an archived version back into use."""
    rows.restore(model_id, number, why=why, access=access)


def set_notes(model_id: str, number: int, notes: str, *, access: Access) -> None:
    """Replace the notes of a version."""
    rows.set_notes(model_id, number, notes, access=access)


def history(model_id: str, *, access: Access) -> list[ModelEvent]:
    """Return who changed what and why, newest first.

    ``action`` is register, promote, roll_back, alias, archive, restore, rule or notes; ``number`` is the version that
    was changed or that the alias now points to, ``previous`` the one it pointed to before.

    See Also
    --------
    describe_event : The event in words.
    """
    rows.get(model_id, access=access)
    return rows.history(model_id, access=access)

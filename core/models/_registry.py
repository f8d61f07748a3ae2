"""The registry: names, numbered versions, aliases that say which one counts, and a history that is only added to."""

from __future__ import annotations

import re

from core import policies
from core.catalog import Model, ModelEvent, ModelVersion
from core.catalog import models as rows
from core.errors import NotFoundError, RegistryError
from core.models._code import code_version
from core.models._evidence import Evidence
from core.models._fields import Field, describe

__all__ = [
    "aliases",
    "archive",
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


_KINDS = {"numeric": "number", "categorical": "category"}


def register(run_id: str, *, name: str | None = None, notes: str = "", who: str = "", workspace: str) -> Model:
    """Keep the model of a finished run under a name.

    A second run under the same name becomes its next version. A run is one version of a model, however often it is
    registered: the version that is there stays as it is.

    Parameters
    ----------
    run_id : str
        A search or a fine-tuning that succeeded.
    name : str, optional
        Of the model; the run's title by default.
    notes : str
        For people.
    who : str
        Who registers it, for the history.

    Returns
    -------
    Model
        Its ``versions`` is the number of the newest one; `versions` lists them all.

    Raises
    ------
    NotFoundError
        When there is no such run.
    RegistryError
        When the run made no model or has not succeeded, the name cannot be used, or the table is gone.
    """
    evidence = Evidence.of(run_id, workspace)
    called = (evidence.run.title if name is None else name).strip()
    if not called:
        raise RegistryError("A model without a name is not usable.", "Give it one of 1 to 200 printable characters.")
    if len(called) > 200 or not called.isprintable():
        raise RegistryError(f"'{called[:40]}' is not a usable name.", "Choose one of 1 to 200 printable characters.")
    version = draft(evidence)
    version.notes = notes
    model, _, _ = rows.add_version(called, version, who=who)
    return model


def draft(evidence: Evidence) -> ModelVersion:
    """Return a run as a version that is not stored and has no number.

    Raises
    ------
    RegistryError
        When the table is gone.
    """
    return ModelVersion(
        workspace=evidence.run.workspace,
        model_id="",
        run_id=evidence.run.id,
        kind=evidence.kind,
        lineage=_lineage(evidence),
        columns=[field.to_dict() for field in _fields(evidence)],
    )


def _lineage(evidence: Evidence) -> dict[str, object]:
    run, result, dataset = evidence.run, evidence.result, evidence.dataset
    return {
        "dataset": {
            "id": None if dataset is None else dataset.id,
            "name": None if dataset is None else dataset.name,
            "source": None if dataset is None else dataset.source,
            "fingerprint": evidence.fingerprint,
            "rows": None if dataset is None else dataset.rows,
        },
        "run": {"id": run.id, "task": run.task, "title": run.title, "finished_at": run.finished_at},
        "settings": result["settings"],
        "target": evidence.target,
        "task": result["task"],
        "metric": result["metric"],
        "labels": evidence.labels,
        "packages": result["packages"],
        "registered_with": code_version(),
    }


def _fields(evidence: Evidence) -> list[Field]:
    dataset = evidence.dataset
    if dataset is None:
        raise RegistryError(
            f"The table of run '{evidence.run.id}' was deleted, so what its columns held cannot be told any more.",
            "Load the same table again (it is known by its content), then register the run.",
        )
    from core.storage import get_store

    decided_by = [name for policy in policies.kept(evidence.run).values() for name in policy.columns]
    custom = evidence.result["settings"].get("column_types") or {}  # older searches and text models have none
    return describe(
        get_store().local_path(dataset.data_digest),
        evidence.features,
        target=evidence.target,
        left_out=evidence.path("test.parquet"),
        groups=[*evidence.result["settings"]["sensitive_columns"], *decided_by],
        kinds={name: _KINDS.get(kind, kind) for name, kind in custom.items()},
    )


def get(model_id: str, *, workspace: str) -> Model:
    """Return a model.

    Raises
    ------
    NotFoundError
        When this workspace has no such model.
    """
    return rows.get(model_id, workspace)


def find(*, workspace: str) -> list[Model]:
    """Return all models by name."""
    return rows.find(workspace)


def versions(model_id: str, *, workspace: str) -> list[ModelVersion]:
    """Return a model's versions, newest first, archived ones (``archived_at``) too."""
    rows.get(model_id, workspace)
    return rows.versions(model_id, workspace)


def resolve(model: str, *, workspace: str) -> ModelVersion:
    """Return the version that an id means.

    Parameters
    ----------
    model : str
        The id of a version; or that of a model: its champion, without one the newest version that is not archived.

    Raises
    ------
    NotFoundError
        When there is none.
    """
    found = rows.version_by_id(model, workspace)
    if found is not None:
        return found
    name = rows.get(model, workspace).name
    champion = rows.aliases(model, workspace).get(rows.CHAMPION)
    usable = [item for item in rows.versions(model, workspace) if item.archived_at is None]
    for item in usable:
        if champion in (None, item.number):
            return item
    raise NotFoundError(f"All versions of '{name}' are archived.", "Restore one, or name the version you mean.")


def aliases(version: ModelVersion) -> list[str]:
    """Return what a version is called: aliases that point to it, or "archived"."""
    if version.archived_at is not None:
        return [rows.ARCHIVED]
    return [
        alias for alias, number in rows.aliases(version.model_id, version.workspace).items() if number == version.number
    ]


def set_alias(model_id: str, alias: str, number: int, *, who: str = "", why: str = "", workspace: str) -> int | None:
    """Let an alias point to a version; return the number of the version it pointed to before.

    "archived" is the one alias that several versions have: it takes a version out of use, as `archive` does.

    Raises
    ------
    RegistryError
        When the alias cannot be used, or the version is archived.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", alias):
        raise RegistryError(f"'{alias[:40]}' is not a usable alias.", "Use up to 40 of a to z, 0 to 9 and hyphens.")
    if alias == rows.ARCHIVED:
        archive(model_id, number, who=who, why=why, workspace=workspace)
        return None
    action = "promote" if alias == rows.CHAMPION else "alias"
    return rows.point(model_id, alias, number, workspace, action=action, who=who, why=why)


def remove_alias(model_id: str, alias: str, *, who: str = "", why: str = "", workspace: str) -> None:
    """Let an alias point to no version; it is no error if it does not."""
    rows.point(model_id, alias, None, workspace, who=who, why=why)


def promote(model_id: str, number: int, *, who: str = "", why: str = "", workspace: str) -> int | None:
    """Make a version the champion; return the number of the champion until now.

    Raises
    ------
    RegistryError
        When the version is archived.
    """
    return set_alias(model_id, rows.CHAMPION, number, who=who, why=why, workspace=workspace)


def roll_back(model_id: str, *, who: str = "", why: str = "", workspace: str) -> int:
    """Make the champion before this one the champion again; return its number. A further call goes one step back.

    Raises
    ------
    RegistryError
        When there was none before, or it is archived.
    """
    return rows.roll_back(model_id, workspace, who=who, why=why)[0]


def archive(model_id: str, number: int, *, who: str = "", why: str = "", workspace: str) -> None:
    """Take a version out of use: its aliases go; its row, files and history stay.

    Raises
    ------
    RegistryError
        When it is the champion.
    """
    rows.archive(model_id, number, workspace, who=who, why=why)


def restore(model_id: str, number: int, *, who: str = "", why: str = "", workspace: str) -> None:
    """Take an archived version back into use."""
    rows.restore(model_id, number, workspace, who=who, why=why)


def set_notes(model_id: str, number: int, notes: str, *, who: str = "", workspace: str) -> None:
    """Keep notes with a version in place of those it has."""
    rows.set_notes(model_id, number, notes, workspace, who=who)


def history(model_id: str, *, workspace: str) -> list[ModelEvent]:
    """Return who changed what and why, newest first.

    ``action`` is register, promote, roll_back, alias, archive, restore or notes; ``number`` the version it is about or
    that the alias points to since, ``previous`` the one it pointed to before.
    """
    rows.get(model_id, workspace)
    return rows.history(model_id, workspace)

"""Makes the next version of a dataset: applies a recipe to the table as it was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from core import jobs
from core.access import Access
from core.catalog import Dataset, datasets, versions
from core.errors import InputError
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.storage import get_store

if TYPE_CHECKING:
    from core.datasets import Recipe

__all__ = ["SPEC", "recipe_of", "run", "submit"]

SPEC = TaskSpec(
    name="prepare",
    title="Preparation",
    help="Applies steps to a dataset and stores the result as its next version.",
    lane="short",
    repeatable=False,  # it begins from the version that was current then
)


def recipe_of(dataset: Dataset) -> Recipe:
    """Return the recipe that made a version from the table as it was read; that of the first version has no steps."""
    from core.datasets import Recipe

    recipe = dataset.lineage.get("recipe")
    return Recipe() if recipe is None else Recipe.from_dict(recipe)


def submit(dataset: Dataset, recipe: Recipe, label: str, *, roles: JsonObject | None = None, access: Access) -> str:
    """Queue the run that makes the next version of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Current version.
    recipe : Recipe
        All steps, from the table as it was read.
    label : str
        Phrase for the change, such as "Drop 'id'".
    roles : dict, optional
        Roles of the columns; by default those of the current version.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    str
        Id of the run; its result has ``dataset_id`` and ``known`` (a version with the same content exists).

    Raises
    ------
    InputError
        When the dataset is not the current version.
    """
    if versions.head(dataset, access=access).id != dataset.id:
        raise InputError(
            f"Version {dataset.number} of '{dataset.name}' is not the current one.", "Open the current version."
        )
    return jobs.submit(
        "prepare",
        {"recipe": recipe.to_dict(), "label": label[:300], "roles": roles or dataset.roles},
        dataset=dataset.id,
        title=f"Prepare {dataset.name[:200]}: {label[:80]}",
        access=access,
    )


def run(context: RunContext) -> JsonObject:
    """Apply the recipe, profile the result, and store it as the current version."""
    from core.datasets import Limits, Recipe, column_types, fingerprint, prepare_file, profile

    assert context.run.dataset_id is not None
    parent = datasets.get(context.run.dataset_id, access=context.access)
    origin = datasets.get(parent.family_id, access=context.access)
    recipe = Recipe.from_dict(context.settings["recipe"])
    context.report(Event("prepare", 0.0, "Reading the table"))
    store = get_store()
    source = store.local_path(origin.data_digest)
    path = context.workdir / "prepared.parquet"
    effects, fitted = prepare_file(
        source,
        recipe,
        path,
        workdir=context.workdir,
        tables=_tables(recipe, access=context.access),
        report=context.report,
    )
    context.report(Event("profile", 0.7, "Profiling the columns"))
    described = profile(path, limits=Limits(memory_mb=0))  # the file is our own
    columns = [column.name for column in described.columns]
    Limits.from_settings().check_shape(described.rows, len(columns))
    context.report(Event("store", 0.9, "Storing the version"))
    version = Dataset(
        workspace=context.access.workspace,
        name=origin.name,
        source=origin.source,
        fingerprint=fingerprint(path),
        data_digest=store.put_file(path),
        profile_digest=store.put_bytes(json.dumps(described.to_dict(), allow_nan=False).encode()),
        rows=described.rows,
        columns=len(columns),
        size_bytes=path.stat().st_size,
        report=origin.report,
        roles=_roles(context.settings["roles"], recipe, columns),
        lineage={
            "parent": parent.id,
            "recipe": recipe.to_dict(),
            "fitted": fitted.to_dict(),
            "effects": [effect.to_dict() for effect in effects],
            "types": {name: kind for name, kind in column_types(source).items() if name in recipe.inputs()},
        },
    )
    version, new = versions.add(version, parent, context.settings["label"], access=context.access)
    context.report(Event("store", 1.0, f"{version.rows:,} rows, {version.columns:,} columns"))
    return {"dataset_id": version.id, "name": version.name, "known": not new}


def _tables(recipe: Recipe, *, access: Access) -> dict[str, Path]:
    """Return the files of the other datasets that steps name."""
    return {
        dataset_id: get_store().local_path(datasets.get(dataset_id, access=access).data_digest)
        for dataset_id in recipe.dataset_ids()
    }


def _roles(roles: JsonObject, recipe: Recipe, columns: list[str]) -> JsonObject:
    """Return the roles of the columns that a version has, under their new names."""
    if not roles:
        return {}
    renamed = {step["column"]: step["to"] for step in recipe.to_dict()["steps"] if step["step"] == "rename"}

    def kept(name: str | None) -> str | None:
        name = name if name in columns or name is None else renamed.get(name)
        return name if name in columns else None

    target = kept(roles.get("target"))
    return {
        **({"positive": roles["positive"]} if target is not None and "positive" in roles else {}),
        "target": target,
        **{
            role: [name for name in map(kept, roles.get(role, [])) if name is not None]
            for role in ("sensitive", "ignore")
        },
    }

"""Trains one model from the tables of several sites, as if they were apart, and keeps what pages need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import jobs
from core.access import Access
from core.catalog import Dataset, Run, datasets, runs
from core.errors import InputError
from core.federated import FederatedSettings
from core.jobs import Needs, RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.storage import get_store
from core.tasks._export_winner import export_winner
from core.tasks._reading import keep_reading
from core.tasks.explain import explain_winner

if TYPE_CHECKING:
    import pandas as pd

    from core.datasets import Finding

__all__ = ["SPEC", "derived", "run", "submit", "submit_tables", "train_without"]

SPEC = TaskSpec(
    name="federated",
    title="Federated learning",
    help="Trains one model from the tables of several sites and compares it with the sites' own models.",
    page="federated",
    restarts=True,
    stoppable=True,
    stop_label="Stop after this round",
)
_MOST_TABLES = 50


def submit(dataset: Dataset, settings: FederatedSettings, *, needs: Needs | None = None, access: Access) -> str:
    """Queue the simulation of a federation whose sites are the values of a column, and return the id of its run.

    Parameters
    ----------
    dataset : Dataset
        Table with the rows of all sites.
    settings : FederatedSettings
        Settings of the study; `site_column` names the column of the sites.
    needs : Needs, optional
        Resources of the machine that an engine looks for; by default they are estimated.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the settings name no column of sites.

    See Also
    --------
    submit_tables : The same with a table per site.
    """
    if settings.site_column is None:
        raise InputError("The settings name no column of sites.", "Choose one, or give a table per site.")
    return jobs.submit(
        "federated",
        settings.model_dump(mode="json"),
        dataset=dataset.id,
        title=f"{settings.target} from {dataset.name} by {settings.site_column}",
        needs=needs,
        access=access,
    )


def submit_tables(
    sites: Mapping[str, Dataset], settings: FederatedSettings, *, needs: Needs | None = None, access: Access
) -> str:
    """Queue the simulation of a federation with a table per site, and return the id of its run.

    Parameters
    ----------
    sites : mapping of str to Dataset
        Table of each site by its name. The run stores them as one dataset with a column of sites.
    settings : FederatedSettings
        Settings of the study, without `site_column`.
    needs : Needs, optional
        Resources of the machine that an engine looks for; by default they are estimated.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When there are fewer than two tables, or too many.
    """
    if not 2 <= len(sites) <= _MOST_TABLES:
        raise InputError(f"{len(sites)} tables were chosen.", f"Choose 2 to {_MOST_TABLES}.")
    if settings.site_column is not None:
        raise InputError("Each table is a site, so there is no column of sites.", "Leave site_column out.")
    first = next(iter(sites.values()))
    values = settings.model_dump(mode="json")
    values["tables"] = {name: dataset.id for name, dataset in sites.items()}
    return jobs.submit(
        "federated",
        values,
        dataset=first.id,
        title=f"{settings.target} from {len(sites)} tables",
        needs=needs,
        access=access,
    )


def train_without(source: Run, columns: Iterable[str], *, access: Access) -> str:
    """Queue a study with the settings of another but without some columns, and return the id of its run.

    Parameters
    ----------
    source : Run
        A study.
    columns : iterable of str
        Columns that the model must not use.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    NotFoundError
        When the dataset was deleted.

    See Also
    --------
    derived : The studies that were derived from a study in this way.
    """
    names = list(columns)
    datasets.get(str(source.dataset_id), access=access)
    values = dict(source.settings)
    values["column_types"] = {name: kind for name, kind in values["column_types"].items() if name not in names}
    values["drop_columns"] = list(dict.fromkeys([*values["drop_columns"], *names]))
    return jobs.submit(
        "federated",
        values | {"derived_from": source.id},
        dataset=source.dataset_id,
        title=source.title,
        access=access,
    )


def derived(source: Run, *, access: Access) -> list[Run]:
    """Return the studies that repeat a study with other settings, newest first."""
    studies = runs.find(task="federated", dataset_id=source.dataset_id, access=access)
    return [study for study in studies if study.settings.get("derived_from") == source.id]


def run(context: RunContext) -> dict[str, Any]:
    """Train and compare, then export and explain the model as a search does."""
    context.report(Event("prepare", 0.0, "Loading the tables"))
    from core.datasets import load_frame
    from core.federated import federate

    values = dict(context.settings)
    values.pop("derived_from", None)
    tables: dict[str, str] | None = values.pop("tables", None)
    settings = FederatedSettings.model_validate(values)
    converted: list[Finding] = []
    if tables is not None:
        settings, converted = _use_joined(context, tables, settings)
    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, access=context.access)
    frame = load_frame(get_store().local_path(dataset.data_digest))
    result = federate(frame, settings, report=context.report, should_stop=context.should_stop)
    result = replace(result, findings=[*converted, *result.findings])
    context.report(Event("store", 0.99, "Storing the model and its evidence"))
    folder = context.workdir / "result"
    result.save(folder)
    keep_reading(dataset, folder)
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        context.keep(path.relative_to(folder).as_posix(), path)
    return {
        "verdict": result.verdict,
        "sites": len(result.sites),
        "rounds": len(result.rounds),
        "elapsed_s": result.elapsed_s,
        "dataset_fingerprint": dataset.fingerprint,
        "export_error": export_winner(context, frame, result.search),
        "explain_error": explain_winner(context, result.search),
    }


def _use_joined(
    context: RunContext, tables: Mapping[str, str], settings: FederatedSettings
) -> tuple[FederatedSettings, list[Finding]]:
    """Store the tables of the sites as one dataset, which the run is linked to.

    Returns
    -------
    FederatedSettings
        Settings for that dataset.
    list of Finding
        Columns that were converted.
    """
    from core.datasets import load_frame
    from core.federated import join_tables

    sites = {name: datasets.get(dataset_id, access=context.access) for name, dataset_id in tables.items()}
    frames = {name: load_frame(get_store().local_path(dataset.data_digest)) for name, dataset in sites.items()}
    table, column, converted = join_tables(frames)
    dataset = _store(context, table, sites, settings, column)
    context.use_dataset(dataset.id)
    context.run.dataset_id = dataset.id
    return settings.model_copy(update={"site_column": column}), converted


def _store(
    context: RunContext,
    table: pd.DataFrame,
    sites: Mapping[str, Dataset],
    settings: FederatedSettings,
    column: str,
) -> Dataset:
    """Return the dataset with the rows of all sites; one with the same content is used again."""
    from core.datasets import Limits, fingerprint, profile

    path = context.workdir / "joined.parquet"
    table.to_parquet(path, index=False)
    digest = fingerprint(path)
    known = datasets.with_fingerprint(digest, access=context.access)
    if known is not None:
        return known
    context.report(Event("profile", 0.0, "Profiling the rows of all sites"))
    Limits.from_settings().check_shape(len(table), table.shape[1])
    described = profile(path, limits=Limits(memory_mb=0))  # the file is our own
    store = get_store()
    first = next(iter(sites.values()))
    roles: JsonObject = {"target": settings.target, "sensitive": list(settings.sensitive_columns), "ignore": []}
    dataset, _ = datasets.add(
        Dataset(
            workspace=context.access.workspace,
            name=f"{len(sites)} sites: {', '.join(sites)}"[:200],
            source=f"Joined: {', '.join(dataset.name for dataset in sites.values())}"[:300],
            fingerprint=digest,
            data_digest=store.put_file(path),
            profile_digest=store.put_bytes(json.dumps(described.to_dict(), allow_nan=False).encode()),
            rows=len(table),
            columns=table.shape[1],
            size_bytes=Path(path).stat().st_size,
            report=first.report,
            roles=roles,
        ),
        access=context.access,
    )
    return dataset

"""Searches for a model of a dataset's target, exports and explains it, and keeps all that pages need."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core import jobs
from core.access import Access, limits
from core.automl import GRACE_S, AutoMLSettings
from core.catalog import Dataset, Run, RunState, artifacts, datasets, runs
from core.errors import JobError, LimitError
from core.jobs import Needs, RunContext, TaskSpec, estimate_memory_mb
from core.jsonable import JsonObject
from core.progress import Event
from core.storage import get_store
from core.tasks._export_winner import export_winner
from core.tasks._reading import keep_reading
from core.tasks.explain import explain_winner
from core.units import size_text

__all__ = ["SPEC", "derived", "run", "search_without", "submit"]

_MANY_CELLS = 1_000_000
"""Cells of a table from which on a search uses as many cores as it has processes for."""


def _needs(settings: JsonObject, rows: int, columns: int) -> Needs:
    """Return what a search needs: a core for each process that tries configurations, and memory for each."""
    cpus = settings.get("max_concurrent_trials")
    if cpus is not None:  # they are dealt to all nodes
        cpus = math.ceil(cpus / int(settings.get("nodes") or 1))
    else:
        cpus = 1 if settings.get("time_budget_s") is None else 4 if rows * columns >= _MANY_CELLS else 2
    return Needs(cpus=cpus, memory_mb=estimate_memory_mb(rows, columns, processes=cpus + 1))


SPEC = TaskSpec(
    name="automl",
    title="AutoML",
    help="Searches for a model of a dataset's target.",
    page="automl",
    resumable=True,
    checkpoints=("search/search.key", "search/events.jsonl", "search/favorite.txt", "search/oof/*", "search/fit*"),
    stoppable=True,
    needs=_needs,
)


def submit(
    dataset: Dataset,
    settings: AutoMLSettings,
    *,
    continue_from: str | None = None,
    derived_from: str | None = None,
    needs: Needs | None = None,
    access: Access,
) -> str:
    """Queue a search and return the id of its run, whose files are those that ``AutoMLResult.save`` writes.

    Parameters
    ----------
    dataset : Dataset
        Table to learn from.
    settings : AutoMLSettings
        Settings of the search.
    continue_from : str, optional
        Id of a finished search of the same dataset whose trials are kept; all settings but the limits must be its own.
    derived_from : str, optional
        Id of a search of the same dataset that this one repeats with other settings, to link both.
    needs : Needs, optional
        Resources of the machine that an engine looks for; by default they are estimated.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    JobError
        When the earlier run is not a finished search of this dataset.
    LimitError
        When its time budget is larger than a workspace may take.
    """
    limits().check_budget(settings.time_budget_s)
    values = settings.model_dump(mode="json")
    if derived_from is not None:
        values["derived_from"] = derived_from
    if continue_from is not None:
        earlier = runs.get(continue_from, access=access)
        if earlier.task != "automl" or earlier.state is not RunState.SUCCEEDED or earlier.dataset_id != dataset.id:
            raise JobError(
                f"'{earlier.title}' is not a finished search of '{dataset.name}'.", "Choose one that succeeded."
            )
        values["continue_from"] = continue_from
    # The search keeps its budget itself; this is the limit behind it, in case the search or its explanation hangs.
    wall = None if settings.time_budget_s is None else settings.time_budget_s * 1.5 + 120 + GRACE_S
    return jobs.submit(
        "automl",
        values,
        dataset=dataset.id,
        title=f"{settings.target} from {dataset.name}",
        timeout_s=wall,
        needs=needs,
        access=access,
    )


def search_without(source: Run, columns: Iterable[str], *, access: Access) -> str:
    """Queue a search with the settings of another but without some columns, and return the id of its run.

    Parameters
    ----------
    source : Run
        A search.
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
    derived : The searches that were derived from a search in this way.
    """
    columns = list(columns)
    dataset = datasets.get(str(source.dataset_id), access=access)
    values = {name: value for name, value in source.settings.items() if name in AutoMLSettings.model_fields}
    for field in ("column_types", "column_imputation"):
        values[field] = {name: value for name, value in values.get(field, {}).items() if name not in columns}
    values["drop_columns"] = tuple(dict.fromkeys([*values.get("drop_columns", ()), *columns]))
    return submit(dataset, AutoMLSettings.model_validate(values), derived_from=source.id, access=access)


def derived(source: Run, *, access: Access) -> list[Run]:
    """Return the searches that repeat a search with other settings, newest first."""
    searches = runs.find(task="automl", dataset_id=source.dataset_id, access=access)
    return [search for search in searches if search.settings.get("derived_from") == source.id]


def run(context: RunContext) -> dict[str, Any]:
    """Search, store the result, export and explain its winner; the budget's clock is that of the run."""
    context.report(Event("prepare", 0.0, "Loading the table", {"step": "read", "elapsed_s": context.elapsed_s()}))
    from core.automl import search
    from core.datasets import load_frame

    assert context.run.dataset_id is not None
    dataset = datasets.get(context.run.dataset_id, access=context.access)
    values = dict(context.settings)
    values.pop("derived_from", None)
    earlier = _earlier(context, values.pop("continue_from", None))
    _require_memory(dataset)
    frame = load_frame(get_store().local_path(dataset.data_digest))
    result = search(
        frame,
        AutoMLSettings.model_validate(values),
        report=context.report,
        workdir=context.workdir / "search",
        should_stop=context.should_stop,
        clock=context.elapsed_s,
        earlier=earlier,
    )
    stored = {"elapsed_s": context.elapsed_s()}
    context.report(Event("store", 0.99, "Storing the model and its evidence", stored))
    folder = context.workdir / "result"
    result.save(folder)
    keep_reading(dataset, folder)
    _keep(context, folder)
    return {
        "verdict": result.verdict,
        "stop_reason": result.stop_reason,
        "trials": len(result.trials),
        "elapsed_s": result.elapsed_s,
        "dataset_fingerprint": dataset.fingerprint,
        "export_error": export_winner(context, frame, result),
        "explain_error": explain_winner(context, result),
    }


def _require_memory(dataset: Dataset) -> None:
    """Refuse a table that would end the process for lack of memory, before it does.

    Raises
    ------
    LimitError
        When the table alone fills the memory of this process.
    """
    from core.datasets import memory_bytes, rows_in_memory
    from core.resources import usable_memory

    needed, there = memory_bytes(dataset.rows, dataset.columns), usable_memory()
    if needed > there:
        rows = rows_in_memory(dataset.columns)
        raise LimitError(
            f"A search of this table takes about {size_text(needed)} of memory, and {size_text(there)} are there.",
            f"Keep a random sample of {rows:,} rows (Data, Prepare); its model scores the whole table.",
        )


def _earlier(context: RunContext, run_id: str | None) -> Path | None:
    """Return a folder with what a search needs of an earlier one."""
    if run_id is None:
        return None
    folder = context.workdir / "earlier"
    folder.mkdir(exist_ok=True)
    for artifact in artifacts.find(run_id, access=context.access):
        if artifact.name in ("result.json", "trials.npz"):
            (folder / artifact.name).write_bytes(get_store().read_bytes(artifact.digest))
    return folder


def _keep(context: RunContext, folder: Path) -> None:
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        context.keep(path.relative_to(folder).as_posix(), path)

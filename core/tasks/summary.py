"""Makes a summary that can be handed on, as files: of a search, a training, or a comparison of groups."""

from __future__ import annotations

import json

from pydantic import JsonValue

from core import jobs
from core.access import Access
from core.catalog import Dataset, Run, RunState, runs
from core.errors import InputError
from core.files import atomic_write, write_text
from core.jobs import RunContext, TaskSpec
from core.models import TABLE_TASKS, TEXT_TASKS
from core.progress import Event
from core.summary import ResultSummary, SummaryNotes

__all__ = ["SPEC", "latest", "latest_comparison", "run", "submit", "submit_comparison"]

SPEC = TaskSpec(
    name="summary",
    title="Summary",
    help="Makes a page about a result that can be printed and handed on.",
    lane="short",
    keeps_data=False,
    part_of="source",
)

_SOURCES = (*TABLE_TASKS, *TEXT_TASKS)


def submit(source: Run, notes: SummaryNotes, *, access: Access) -> str:
    """Queue the summary of a search or a training, and return the run's id.

    Parameters
    ----------
    source : Run
        A search or a training that succeeded.
    notes : SummaryNotes
        Notes that a person adds.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the run made no model.

    See Also
    --------
    submit_comparison : The summary of a comparison of groups.
    """
    source = runs.get(source.id, access=access)
    if source.task not in _SOURCES or source.state is not RunState.SUCCEEDED:
        raise InputError(
            f"Run '{source.id}' has no result to summarize.", "Choose a search or a training that succeeded."
        )
    return jobs.submit(
        "summary",
        {"source": source.id, "notes": notes.model_dump(mode="json")},
        dataset=source.dataset_id,
        title=f"Summary of {source.title}",
        access=access,
    )


def submit_comparison(contents: ResultSummary, key: str, dataset: Dataset, *, access: Access) -> str:
    """Queue the summary of a comparison of groups, and return the run's id.

    Parameters
    ----------
    contents : ResultSummary
        Contents that `core.summary.summarize_fairness` returned.
    key : str
        Key of the comparison, by which `latest_comparison` finds the summary.
    dataset : Dataset
        The table of the rows.
    access : Access
        The workspace, and who acts in it.
    """
    return jobs.submit(
        "summary",
        {"comparison": key, "contents": contents.to_dict()},
        dataset=dataset.id,
        title=f"Summary of {contents.title}",
        access=access,
    )


def latest(source: Run, *, access: Access) -> Run | None:
    """Return the newest summary of a search or a training that was not cancelled, or None."""
    return _latest("source", source.id, source.dataset_id, access=access)


def latest_comparison(key: str, dataset: Dataset, *, access: Access) -> Run | None:
    """Return the newest summary of a comparison of groups that was not cancelled, or None."""
    return _latest("comparison", key, dataset.id, access=access)


def _latest(setting: str, value: str, dataset_id: str | None, *, access: Access) -> Run | None:
    made = runs.find(task="summary", dataset_id=dataset_id, access=access)
    own = (run for run in made if run.settings.get(setting) == value)
    return next((run for run in own if run.state is not RunState.CANCELLED), None)


def run(context: RunContext) -> dict[str, JsonValue]:
    """Gather the contents, draw the charts, and store the files with this run."""
    context.report(Event("gather", 0.0, "Reading the result"))
    from core.charts import svg_of
    from core.summary import render_html, render_pdf, summarize_model

    settings = context.settings
    if "contents" in settings:
        contents = ResultSummary.from_dict(settings["contents"])
    else:
        notes = SummaryNotes.model_validate(settings["notes"])
        contents = summarize_model(settings["source"], notes, access=context.access)
    context.report(Event("draw", 0.4, f"Drawing {len(contents.charts)} charts"))
    drawings = svg_of(contents.charts)
    context.report(Event("write", 0.7, "Writing the files"))
    folder = context.workdir
    write_text(folder / "summary.html", render_html(contents, drawings))
    write_text(folder / "summary.json", json.dumps(contents.to_dict(), ensure_ascii=False, allow_nan=False))
    with atomic_write(folder / "summary.pdf") as partial:
        partial.write_bytes(render_pdf(contents, drawings))
    for name in ("summary.html", "summary.json", "summary.pdf"):
        context.keep(name, folder / name)
    return {"answer": contents.answer}

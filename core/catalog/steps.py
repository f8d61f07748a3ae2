"""Queries over the steps of pipelines: what each run of a pipeline executed, and which outputs can be used again."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import update as update_rows
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.access import Access
from core.catalog import references
from core.catalog.engine import reading, writing
from core.catalog.pipeline_tables import PipelineStep
from core.catalog.tables import Run, RunState
from core.errors import not_found
from core.jsonable import JsonObject

__all__ = ["SKIPPED", "add", "get", "latest_by_key", "latest_executed", "latest_of_path", "of_run", "update"]

SKIPPED = "SKIPPED"
"""State of a step that did not run, because one before it failed or the pipeline ended."""
_UNENDED = (RunState.QUEUED, RunState.RUNNING)


def add(step: PipelineStep, *, access: Access) -> PipelineStep:
    """Store a step. The contents that its outputs name stay as long as its row."""
    with writing(access) as session:
        session.add(step)
        references.replace(session, step.id, _digests(step.outputs), access=access)
    return step


def get(step_id: str, *, access: Access) -> PipelineStep:
    """Return a step.

    Raises
    ------
    NotFoundError
        When the workspace does not have this step.
    """
    with reading(access) as session:
        step = session.get(PipelineStep, step_id)
    if step is None or step.workspace != access.workspace:
        raise not_found("step", step_id, "It may have been deleted with the run of its pipeline.")
    return step


def update(step_id: str, *, access: Access, **fields: str | float | JsonObject | None) -> PipelineStep:
    """Change columns of a step and return it.

    Parameters
    ----------
    step_id : str
        Id of the step.
    access : Access
        The workspace, and who acts in it.
    **fields
        New values by column, such as ``state="SUCCEEDED"``.

    Raises
    ------
    NotFoundError
        When the workspace does not have this step.
    """
    statement = (
        update_rows(PipelineStep)
        .where(col(PipelineStep.id) == step_id, col(PipelineStep.workspace) == access.workspace)
        .values(**fields)
    )
    with writing(access) as session:
        changed = session.execute(statement).rowcount  # type: ignore[attr-defined]
        outputs = fields.get("outputs")
        if changed and isinstance(outputs, dict):
            references.replace(session, step_id, _digests(outputs), access=access)
    return get(step_id, access=access)


def of_run(pipeline_run_id: str, *, access: Access) -> list[PipelineStep]:
    """Return the steps of a pipeline's run, by position.

    A run that was ended had no time to say what became of its steps: one that it was at has ended with it and in its
    state, those after it were skipped.
    """
    query = select(PipelineStep).where(
        PipelineStep.pipeline_run_id == pipeline_run_id, PipelineStep.workspace == access.workspace
    )
    with reading(access) as session:
        rows = list(session.exec(query.order_by(col(PipelineStep.position), col(PipelineStep.path))))
        unended = [row for row in rows if row.state in _UNENDED]
        own = select(Run).where(Run.id == pipeline_run_id, Run.workspace == access.workspace)
        run = session.exec(own).first() if unended else None
        session.expunge_all()
    if run is not None and run.state.terminal:
        for row in unended:
            begun = row.state == RunState.RUNNING
            row.state, row.finished_at = (run.state, run.finished_at) if begun else (SKIPPED, None)
    return rows


def latest_by_key(key: str, *, access: Access) -> PipelineStep | None:
    """Return the newest step that succeeded with this key, or None."""
    return _newest(
        select(PipelineStep).where(
            PipelineStep.workspace == access.workspace,
            PipelineStep.key == key,
            PipelineStep.state == RunState.SUCCEEDED,
        ),
        access=access,
    )


def latest_executed(key: str, *, access: Access) -> PipelineStep | None:
    """Return the newest step with this key that was executed in a run of its own, or None."""
    return _newest(
        select(PipelineStep).where(
            PipelineStep.workspace == access.workspace,
            PipelineStep.key == key,
            PipelineStep.state == RunState.SUCCEEDED,
            PipelineStep.run_id != "",
        ),
        access=access,
    )


def latest_of_path(
    pipeline: str,
    path: str,
    *,
    states: Collection[str] | None = None,
    before_run: str = "",
    access: Access,
) -> PipelineStep | None:
    """Return the newest step of this path in the runs of a pipeline, or None.

    Parameters
    ----------
    access : Access
        The workspace, and who acts in it.
    pipeline : str
        Name of the pipeline.
    path : str
        Path of the step, such as "prep/clean".
    states : collection of str, optional
        States that count; by default all.
    before_run : str, default=""
        Run of the pipeline that does not count, such as the one that asks.
    """
    query = select(PipelineStep).where(
        PipelineStep.workspace == access.workspace,
        PipelineStep.pipeline == pipeline,
        PipelineStep.path == path,
        PipelineStep.pipeline_run_id != before_run,
    )
    if states is not None:
        query = query.where(col(PipelineStep.state).in_(list(states)))
    return _newest(query, access=access)


def _newest(query: SelectOfScalar[PipelineStep], *, access: Access) -> PipelineStep | None:
    with reading(access) as session:
        return session.exec(query.order_by(col(PipelineStep.created_at).desc()).limit(1)).first()


def _digests(outputs: JsonObject) -> Iterator[str]:
    for files in outputs.values():
        yield from files.values()

"""Queries over the steps of pipelines: what each run of a pipeline executed, and which outputs can be used again."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import update as update_rows
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.catalog import references
from core.catalog.engine import reading, writing
from core.catalog.pipeline_tables import PipelineStep
from core.catalog.tables import RunState
from core.errors import NotFoundError
from core.jsonable import JsonObject

__all__ = ["add", "get", "latest_by_key", "latest_executed", "latest_of_path", "of_run", "update"]


def add(step: PipelineStep) -> PipelineStep:
    """Store a step. The contents that its outputs name stay as long as its row."""
    with writing() as session:
        session.add(step)
        references.replace(session, step.id, step.workspace, _digests(step.outputs))
    return step


def get(step_id: str, workspace: str) -> PipelineStep:
    """Return a step.

    Raises
    ------
    NotFoundError
        When the workspace does not have this step.
    """
    with reading() as session:
        step = session.get(PipelineStep, step_id)
    if step is None or step.workspace != workspace:
        raise NotFoundError(f"There is no step '{step_id}'.", "It may have been deleted with the run of its pipeline.")
    return step


def update(step_id: str, workspace: str, **fields: str | float | JsonObject | None) -> PipelineStep:
    """Change columns of a step and return it.

    Parameters
    ----------
    step_id : str
        Id of the step.
    workspace : str
        Workspace of the step.
    **fields
        New values by column, such as ``state="SUCCEEDED"``.

    Raises
    ------
    NotFoundError
        When the workspace does not have this step.
    """
    statement = (
        update_rows(PipelineStep)
        .where(col(PipelineStep.id) == step_id, col(PipelineStep.workspace) == workspace)
        .values(**fields)
    )
    with writing() as session:
        changed = session.execute(statement).rowcount  # type: ignore[attr-defined]
        outputs = fields.get("outputs")
        if changed and isinstance(outputs, dict):
            references.replace(session, step_id, workspace, _digests(outputs))
    return get(step_id, workspace)


def of_run(pipeline_run_id: str, workspace: str) -> list[PipelineStep]:
    """Return the steps of a pipeline's run, by position."""
    query = select(PipelineStep).where(
        PipelineStep.pipeline_run_id == pipeline_run_id, PipelineStep.workspace == workspace
    )
    with reading() as session:
        return list(session.exec(query.order_by(col(PipelineStep.position), col(PipelineStep.path))))


def latest_by_key(workspace: str, key: str) -> PipelineStep | None:
    """Return the newest step that succeeded with this key, or None."""
    return _newest(
        select(PipelineStep).where(
            PipelineStep.workspace == workspace,
            PipelineStep.key == key,
            PipelineStep.state == RunState.SUCCEEDED,
        )
    )


def latest_executed(workspace: str, key: str) -> PipelineStep | None:
    """Return the newest step with this key that was executed in a run of its own, or None."""
    return _newest(
        select(PipelineStep).where(
            PipelineStep.workspace == workspace,
            PipelineStep.key == key,
            PipelineStep.state == RunState.SUCCEEDED,
            PipelineStep.run_id != "",
        )
    )


def latest_of_path(
    workspace: str,
    pipeline: str,
    path: str,
    *,
    states: Collection[str] | None = None,
    before_run: str = "",
) -> PipelineStep | None:
    """Return the newest step of this path in the runs of a pipeline, or None.

    Parameters
    ----------
    workspace : str
        Workspace of the pipeline.
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
        PipelineStep.workspace == workspace,
        PipelineStep.pipeline == pipeline,
        PipelineStep.path == path,
        PipelineStep.pipeline_run_id != before_run,
    )
    if states is not None:
        query = query.where(col(PipelineStep.state).in_(list(states)))
    return _newest(query)


def _newest(query: SelectOfScalar[PipelineStep]) -> PipelineStep | None:
    with reading() as session:
        return session.exec(query.order_by(col(PipelineStep.created_at).desc()).limit(1)).first()


def _digests(outputs: JsonObject) -> Iterator[str]:
    for files in outputs.values():
        yield from files.values()

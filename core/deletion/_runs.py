"""Plans for runs: their parts go with them, what is registered holds them back."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, String, cast, false, func, or_
from sqlmodel import Session, col, select

from core.access import Access
from core.catalog import Dataset, Model, ModelVersion, Run, RunArtifact
from core.deletion.plan import DeletionPlan, by_kind, counted, quoted
from core.errors import not_found
from core.jobs import TASKS, task_spec
from core.jsonable import JsonObject

__all__ = ["busy", "naming", "part_settings", "parts_of", "plan_run"]


def part_settings() -> dict[str, str]:
    """Return the setting with the id of the row that a run is a part of, for those kinds of run that are parts."""
    return {name: owner for name, spec in TASKS.items() if (owner := spec.part_of or spec.subject) is not None}


def plan_run(session: Session, run_id: str, *, access: Access) -> DeletionPlan:
    """Return what the deletion of a run would do."""
    query = select(Run).where(Run.id == run_id, Run.workspace == access.workspace)
    run = session.exec(query.with_for_update()).first()
    if run is None:
        raise not_found("run", run_id, "It may have been deleted. The Runs page lists all runs.")
    steps = _below(session, run, access=access)
    parts = parts_of(session, [run.id, *(step.id for step in steps)], access=access)
    ids = tuple(dict.fromkeys(item.id for item in (run, *steps, *parts)))
    forbidden, hint = _forbidden(session, run, [run, *steps, *parts], ids, access=access)
    return DeletionPlan(
        kind="run",
        row_id=run.id,
        title=run.title or task_spec(run.task).title,
        goes=_goes(session, ids, steps, parts),
        stays=_stays(session, run, ids, access=access),
        forbidden=forbidden,
        hint=hint,
        rows={Run: ids},
    )


def parts_of(session: Session, owner_ids: Collection[str], *, access: Access) -> list[Run]:
    """Return the runs that are of no use without these rows, such as the explanation of a search."""
    settings, parts, level = part_settings(), dict[str, Run](), list(owner_ids)
    while level:
        query = select(Run).where(
            Run.workspace == access.workspace, col(Run.task).in_(list(settings)), naming(Run.settings, level)
        )
        members = [run for run in session.exec(query.with_for_update()) if run.settings[settings[run.task]] in level]
        level = [run.id for run in members if run.id not in parts]
        parts |= {run.id: run for run in members}
    return list(parts.values())


def naming(column: JsonObject | str, ids: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that a JSON column names one of these ids."""
    return or_(false(), *(cast(col(column), String).contains(f'"{row_id}"') for row_id in ids))


def busy(runs: Collection[Run]) -> tuple[str, str]:
    """Return why runs cannot be deleted of which one works, with advice; empty texts where none does."""
    for run in runs:
        if not run.state.terminal:
            title = run.title or task_spec(run.task).title
            return f"'{title}' is {run.state.lower()}.", "Cancel it, or wait until it has ended."
    return "", ""


def _below(session: Session, run: Run, *, access: Access) -> list[Run]:
    """Return all runs that work for a run, and for those."""
    below: list[Run] = []
    level = [run.id]
    while level:
        query = select(Run).where(col(Run.parent_id).in_(level), Run.workspace == access.workspace)
        members = list(session.exec(query.with_for_update()))
        below += members
        level = [member.id for member in members]
    return below


def _goes(session: Session, ids: Collection[str], steps: list[Run], parts: list[Run]) -> tuple[str, ...]:
    query = select(func.count(), func.coalesce(func.sum(RunArtifact.size_bytes), 0))
    files, size = session.exec(query.where(col(RunArtifact.run_id).in_(list(ids)))).one()
    with_files = f", and {counted(files, 'file')} ({size / 2**20:,.1f} MB)" if files else ""
    sentences = [f"Its settings, progress and log{with_files}."]
    if steps:
        sentences.append(f"The runs that worked for it: {by_kind(steps)}.")
    if parts:
        sentences.append(f"What is of no use without it: {by_kind(parts)}.")
    return tuple(sentences)


def _stays(session: Session, run: Run, ids: Collection[str], *, access: Access) -> tuple[str, ...]:
    sentences = []
    query = select(Run).where(
        Run.workspace == access.workspace, col(Run.id).not_in(list(ids)), naming(Run.settings, [run.id])
    )
    dependents = list(session.exec(query))
    if dependents:
        sentences.append(
            f"Made from it, without a way back to it from then on: {by_kind(dependents)}, "
            f"{quoted(item.title for item in dependents)}."
        )
    made = None if run.dataset_id is None else session.get(Dataset, run.dataset_id)
    if made is not None:
        sentences.append(f"The dataset '{made.name}'.")
    return tuple(sentences)


def _forbidden(
    session: Session, run: Run, members: list[Run], ids: Collection[str], *, access: Access
) -> tuple[str, str]:
    parent = session.get(Run, run.parent_id) if run.parent_id else None
    if parent is not None:
        return f"It is a part of the run '{parent.title}'.", "Delete that run instead."
    sentence, hint = busy(members)
    if sentence:
        return sentence, hint
    registered = session.exec(
        select(Model.name, ModelVersion.number)
        .join(ModelVersion, col(ModelVersion.model_id) == col(Model.id))
        .where(col(ModelVersion.run_id).in_(list(ids)), ModelVersion.workspace == access.workspace)
    ).first()
    if registered is None:
        return "", ""
    name, number = registered
    return f"It is version {number} of the model '{name}'.", "Delete that version on the Models page first."

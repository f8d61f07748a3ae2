"""Plans for datasets, saved pipelines and schedules."""

from __future__ import annotations

import re

from sqlmodel import Session, col, or_, select

from core.access import Access
from core.catalog import Dataset, Model, ModelVersion, Run, SavedPipeline, Schedule
from core.deletion._runs import busy, naming
from core.deletion.plan import DeletionPlan, by_kind, counted, quoted
from core.errors import not_found
from core.pipelines import asset_name

__all__ = ["plan_dataset", "plan_pipeline", "plan_schedule", "schedules_naming"]


def plan_dataset(session: Session, dataset_id: str, *, access: Access) -> DeletionPlan:
    """Return what the deletion of a dataset with all of its versions would do."""
    asked = session.get(Dataset, dataset_id)
    if asked is None or asked.workspace != access.workspace:
        raise not_found("dataset", dataset_id, "It may have been deleted. The Data page lists all datasets.")
    family = or_(col(Dataset.id) == asked.family_id, col(Dataset.origin_id) == asked.family_id)
    query = select(Dataset).where(family, Dataset.workspace == access.workspace).order_by(col(Dataset.number))
    versions = list(session.exec(query.with_for_update()))
    ids = tuple(version.id for version in versions)
    users = list(session.exec(select(Run).where(col(Run.dataset_id).in_(ids), Run.workspace == access.workspace)))
    forbidden, hint = busy(users)
    schedules = schedules_naming(session, ids, access=access)
    goes = [f"{counted(len(versions), 'version')}, {versions[0].rows:,} rows as read, and the history of changes."]
    if schedules:
        goes.append(f"Schedules that read it are turned off: {quoted(item.title for item in schedules)}.")
    return DeletionPlan(
        kind="dataset",
        row_id=asked.id,
        title=asked.name,
        goes=tuple(goes),
        stays=_depending(session, versions, users, access=access),
        forbidden=forbidden and f"It is in use: {forbidden}",
        hint=hint,
        rows={Dataset: ids},
        schedules=tuple(schedules),
    )


def plan_pipeline(session: Session, pipeline_id: str, *, access: Access) -> DeletionPlan:
    """Return what the deletion of a saved pipeline would do."""
    query = select(SavedPipeline).where(SavedPipeline.id == pipeline_id, SavedPipeline.workspace == access.workspace)
    saved = session.exec(query.with_for_update()).first()
    if saved is None:
        raise not_found("pipeline", pipeline_id, "It may have been deleted. The Pipelines page lists all pipelines.")
    schedules = [
        item for item in schedules_naming(session, (saved.id,), access=access) if item.settings.get("saved") == saved.id
    ]
    runs = session.exec(
        select(Run).where(Run.task == "pipeline", Run.workspace == access.workspace, naming(Run.settings, [saved.id]))
    )
    goes = [f"Its file, and {counted(len(saved.files), 'file')} beside it." if saved.files else "Its file."]
    if schedules:
        goes.append(f"{counted(len(schedules), 'schedule').capitalize()}: it no longer runs by itself.")
    number = len(list(runs))
    return DeletionPlan(
        kind="pipeline",
        row_id=saved.id,
        title=saved.name,
        goes=tuple(goes),
        stays=(f"{counted(number, 'run').capitalize()} of it, with results and outputs.",) if number else (),
        rows={SavedPipeline: (saved.id,), Schedule: tuple(item.id for item in schedules)},
    )


def plan_schedule(session: Session, schedule_id: str, *, access: Access) -> DeletionPlan:
    """Return what the deletion of a schedule would do."""
    query = select(Schedule).where(Schedule.id == schedule_id, Schedule.workspace == access.workspace)
    schedule = session.exec(query.with_for_update()).first()
    if schedule is None:
        raise not_found("schedule", schedule_id, "It may have been deleted.")
    return DeletionPlan(
        kind="schedule",
        row_id=schedule.id,
        title=schedule.title,
        goes=("No more runs start by it.",),
        stays=("The runs that it started.",),
        rows={Schedule: (schedule.id,)},
    )


def schedules_naming(session: Session, ids: tuple[str, ...], *, access: Access) -> list[Schedule]:
    """Return the schedules whose settings name one of these rows."""
    query = select(Schedule).where(
        Schedule.workspace == access.workspace,
        or_(col(Schedule.dataset_id).in_(ids), naming(Schedule.settings, ids)),
    )
    return list(session.exec(query.with_for_update()))


def _depending(session: Session, versions: list[Dataset], users: list[Run], *, access: Access) -> tuple[str, ...]:
    ids, name = [version.id for version in versions], versions[0].name
    sentences = []
    if users:
        sentences.append(f"Runs that used it, with their results: {by_kind(users)}.")
    models = session.exec(
        select(Model.name)
        .join(ModelVersion, col(ModelVersion.model_id) == col(Model.id))
        .where(col(ModelVersion.run_id).in_([run.id for run in users]), Model.workspace == access.workspace)
        .distinct()
    )
    if names := sorted(models):
        sentences.append(f"Models that were trained on it; they score, but cannot be exported anew: {quoted(names)}.")
    others = select(Dataset.name).where(
        Dataset.workspace == access.workspace, col(Dataset.id).not_in(ids), naming(Dataset.lineage, ids)
    )
    if names := sorted(set(session.exec(others))):
        sentences.append(f"Datasets whose steps read it; they cannot be prepared anew: {quoted(names)}.")
    called = re.compile(rf"azureml:({re.escape(name)}|{re.escape(asset_name(name))})(?![\w-])")
    pipelines = session.exec(select(SavedPipeline).where(SavedPipeline.workspace == access.workspace))
    if names := sorted(item.name for item in pipelines if called.search(item.text)):
        sentences.append(f"Pipelines that name it; they fail until another dataset has its name: {quoted(names)}.")
    return tuple(sentences)

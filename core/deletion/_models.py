"""Plans for models and for single versions. The runs that trained them stay."""

from __future__ import annotations

from sqlmodel import Session, col, func, select

from core.access import Access
from core.catalog import Alert, Model, ModelVersion, Run, Schedule
from core.catalog.models import CHAMPION
from core.catalog.tables import ModelAlias
from core.deletion._data import schedules_naming
from core.deletion._runs import busy, parts_of
from core.deletion.plan import DeletionPlan, by_kind, counted, quoted
from core.errors import not_found

__all__ = ["plan_model", "plan_version"]


def plan_model(session: Session, model_id: str, *, access: Access) -> DeletionPlan:
    """Return what the deletion of a model with all of its versions would do."""
    model = _model(session, model_id, access=access)
    query = select(ModelVersion).where(ModelVersion.model_id == model.id).order_by(col(ModelVersion.number))
    versions = list(session.exec(query))
    parts = parts_of(session, [model.id, *(version.id for version in versions)], access=access)
    aliases = _aliases(session, model)
    goes = [f"{counted(len(versions), 'version')} with cards, notes and history."]
    if CHAMPION in aliases:
        goes.append(f"Its champion, version {aliases[CHAMPION]}: whoever scores by this model no longer can.")
    count = session.exec(select(func.count()).where(Alert.model_id == model.id)).one()
    if count:
        goes.append(f"{counted(count, 'alert')} with what was sent about {'it' if count == 1 else 'them'}.")
    schedules = schedules_naming(session, (model.id,), access=access)
    checks = [item for item in schedules if item.settings.get("model") == model.id]
    if checks:
        goes.append(f"{counted(len(checks), 'schedule').capitalize()} for new batches.")
    forbidden, hint = busy(parts)
    return DeletionPlan(
        kind="model",
        row_id=model.id,
        title=model.name,
        goes=(*goes, *_scored(parts)),
        stays=_trained(session, versions),
        forbidden=forbidden,
        hint=hint,
        rows={
            Model: (model.id,),
            ModelVersion: tuple(version.id for version in versions),
            Run: tuple(run.id for run in parts),
            Schedule: tuple(item.id for item in checks),
        },
    )


def plan_version(session: Session, version_id: str, *, access: Access) -> DeletionPlan:
    """Return what the deletion of one version would do."""
    version = session.get(ModelVersion, version_id)
    if version is None or version.workspace != access.workspace:
        raise not_found("version", version_id, "It may have been deleted.")
    model = _model(session, version.model_id, access=access)
    parts = parts_of(session, [version.id], access=access)
    aliases = [alias for alias, number in _aliases(session, model).items() if number == version.number]
    others = select(ModelVersion.id).where(ModelVersion.model_id == model.id, ModelVersion.id != version.id)
    forbidden, hint = busy(parts)
    if CHAMPION in aliases:
        forbidden = f"Version {version.number} is the champion."
        hint = "Promote another version first, or delete the whole model."
    elif aliases:
        forbidden = f"Version {version.number} is in use as {quoted(aliases)}."
        hint = "Give the alias to another version, or remove it."
    elif session.exec(others.limit(1)).first() is None:
        forbidden, hint = "It is the only version of this model.", "Delete the whole model instead."
    return DeletionPlan(
        kind="version",
        row_id=version.id,
        title=f"{model.name}, version {version.number}",
        goes=("Its card with all answers, and its notes.", *_scored(parts)),
        stays=_trained(session, [version]),
        forbidden=forbidden,
        hint=hint,
        rows={ModelVersion: (version.id,), Run: tuple(run.id for run in parts)},
    )


def _model(session: Session, model_id: str, *, access: Access) -> Model:
    query = select(Model).where(Model.id == model_id, Model.workspace == access.workspace)
    model = session.exec(query.with_for_update()).first()
    if model is None:
        raise not_found("model", model_id, "The Models page lists all.")
    return model


def _aliases(session: Session, model: Model) -> dict[str, int]:
    return {item.alias: item.number for item in session.exec(select(ModelAlias).where(ModelAlias.model_id == model.id))}


def _scored(parts: list[Run]) -> tuple[str, ...]:
    return (f"What was made with it: {by_kind(parts)}.",) if parts else ()


def _trained(session: Session, versions: list[ModelVersion]) -> tuple[str, ...]:
    ids = [version.run_id for version in versions]
    titles = list(session.exec(select(Run.title).where(col(Run.id).in_(ids)).order_by(col(Run.created_at))))
    if not titles:
        return ()
    return (f"What trained it, with all files; it can be registered again: {quoted(titles)}.",)

"""Pushes a registered model to an MLflow server, which takes longer than a page should wait."""

from __future__ import annotations

from typing import Any

from core import jobs
from core.catalog import ModelVersion
from core.jobs import RunContext
from core.progress import Event

__all__ = ["run", "submit"]

SHORT = True


def submit(version: ModelVersion) -> str:
    """Queue a push to the server of MLFLOW_TRACKING_URI; returns the run's id, its result has ``mlflow_run``."""
    return jobs.submit(
        "push",
        {"version": version.id},
        workspace=version.workspace,
        title=f"Push {version.lineage['run']['title']}, version {version.number} to MLflow",
    )


def run(context: RunContext) -> dict[str, Any]:
    """Push parameters, metrics, files and the model."""
    from core.models import push_mlflow

    context.report(Event("push", 0.1, "Writing the model and sending it"))
    return {"mlflow_run": push_mlflow(context.settings["version"], workspace=context.workspace)}

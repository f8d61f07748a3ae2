"""Pushes a model to an MLflow server, which takes longer than a page can wait."""

from __future__ import annotations

from pydantic import JsonValue

from core import jobs
from core.catalog import ModelVersion, Run
from core.jobs import RunContext, TaskSpec
from core.progress import Event

__all__ = ["SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="push",
    title="Push to MLflow",
    help="Sends a model to an MLflow server.",
    lane="short",
)


def submit(subject: ModelVersion | Run) -> str:
    """Queue a push to the server of MLFLOW_TRACKING_URI.

    Parameters
    ----------
    subject : ModelVersion or Run
        A version, or a finished search or fine-tuning.

    Returns
    -------
    str
        The run's id; its result has ``mlflow_run``, the run's id in MLflow.
    """
    if isinstance(subject, Run):
        title = subject.title
    else:
        title = f"{subject.lineage['run']['title']}, version {subject.number},"
    return jobs.submit("push", {"subject": subject.id}, workspace=subject.workspace, title=f"Push {title} to MLflow")


def run(context: RunContext) -> dict[str, JsonValue]:
    """Push parameters, metrics, files and the model."""
    from core.models import push_mlflow

    context.report(Event("push", 0.1, "Writing the model and sending it"))
    return {"mlflow_run": push_mlflow(context.settings["subject"], workspace=context.workspace)}

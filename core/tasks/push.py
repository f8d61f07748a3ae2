"""Pushes a model to an MLflow server, which takes longer than a page can wait."""

from __future__ import annotations

from pydantic import JsonValue

from core import jobs
from core.access import Access, require_feature
from core.catalog import ModelVersion, Run, models, runs
from core.jobs import RunContext, TaskSpec
from core.progress import Event

__all__ = ["SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="push",
    title="Push to MLflow",
    help="Sends a model to an MLflow server.",
    lane="short",
)


def submit(subject: ModelVersion | Run, *, policy: str | None = None, access: Access) -> str:
    """Queue a push to the server of MLFLOW_TRACKING_URI.

    Parameters
    ----------
    subject : ModelVersion or Run
        A version, or a finished search or fine-tuning.
    policy : str, optional
        Name of the file of the policy that decides; by default the one in force. "none" makes no decisions.
    access : Access
        The workspace, and who acts in it.

    Returns
    -------
    str
        The run's id; its result has ``mlflow_run``, the run's id in MLflow.
    """
    require_feature("mlflow_push")
    if isinstance(subject, Run):
        title = runs.get(subject.id, access=access).title
    else:
        subject = models.version(subject.model_id, subject.number, access=access)
        title = f"{subject.lineage['run']['title']}, version {subject.number},"
    settings = {"subject": subject.id} | ({} if policy is None else {"policy": policy})
    return jobs.submit("push", settings, title=f"Push {title} to MLflow", access=access)


def run(context: RunContext) -> dict[str, JsonValue]:
    """Push parameters, metrics, files and the model."""
    from core.models import push_mlflow

    context.report(Event("push", 0.1, "Writing the model and sending it"))
    settings = context.settings
    pushed = push_mlflow(settings["subject"], policy=settings.get("policy"), access=context.access)
    return {"mlflow_run": pushed}

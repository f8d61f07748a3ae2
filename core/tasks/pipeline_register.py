"""Registers the model that a step of a pipeline made, as the next version under a name."""

from __future__ import annotations

import shutil

from core import jobs
from core.access import Access
from core.catalog import runs, steps
from core.errors import NotFoundError
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.progress import Event
from core.storage import get_store
from core.tasks.pipeline_models import adopt_model

__all__ = ["SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="pipeline_register",
    title="Register a step's model",
    help="Registers the model that a step of a pipeline made.",
    lane="short",
    page="pipelines",
    subject="pipeline",
    keeps_data=False,
)


def submit(pipeline_run: str, step: str, output: str, *, name: str, notes: str = "", access: Access) -> str:
    """Queue the registration of a model, and return the run's id.

    Parameters
    ----------
    pipeline_run : str
        Id of the pipeline's run.
    step : str
        Path of the step.
    output : str
        Output with the model, as a shipped training component writes it.
    name : str
        Name of the model; one that exists has its next version.
    notes : str, default=""
        Notes for people.
    access : Access
        The workspace, and who acts in it.
    """
    runs.get(pipeline_run, access=access)
    settings = {"pipeline": pipeline_run, "step": step, "output": output, "name": name, "notes": notes}
    return jobs.submit("pipeline_register", settings, title=f"Register {name} from {step}", access=access)


def run(context: RunContext) -> JsonObject:
    """Write the output to a folder, and register the model in it."""
    settings = context.settings
    context.report(Event("files", 0.1, "Writing the model's files"))
    rows = {row.path: row for row in steps.of_run(settings["pipeline"], access=context.access)}
    files = rows[settings["step"]].outputs.get(settings["output"]) if settings["step"] in rows else None
    if files is None:
        raise NotFoundError(
            f"The step '{settings['step']}' has no output '{settings['output']}'.", "Its run may have been deleted."
        )
    folder = context.workdir / "model"
    shutil.rmtree(folder, ignore_errors=True)
    store = get_store()
    for name, digest in files.items():
        target = folder / (name or settings["output"])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store.local_path(digest), target)
    context.report(Event("register", 0.3, "Registering the model"))
    model, version = adopt_model(
        folder,
        name=settings["name"],
        notes=settings["notes"],
        origin=f"Trained by the step '{settings['step']}' of a pipeline (run {settings['pipeline']}).",
        report=context.report,
        access=context.access,
    )
    return {"model_id": model.id, "version_id": version.id, "version": version.number, "run_id": version.run_id}

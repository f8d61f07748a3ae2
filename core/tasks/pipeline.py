"""Runs a pipeline: every step as a run of its own, with outputs that later runs use again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from core import jobs
from core.access import Access
from core.catalog import ACTIVE, Run, RunState, approvals, artifacts, datasets, runs, saved_pipelines
from core.errors import JobError, PlumblineError, StoppedError
from core.files import write_text
from core.jobs import RunContext, TaskSpec
from core.jsonable import JsonObject
from core.pipelines import (
    Command,
    Data,
    Pipeline,
    PipelineResult,
    Step,
    StepCall,
    StepOutcome,
    StepState,
    assets_of,
    commands_of,
    load_pipeline,
    promoted_outputs,
    run_pipeline,
    steps_of,
)
from core.progress import Event
from core.settings import get_settings
from core.storage import get_store
from core.tasks import pipeline_step
from core.tasks._pipeline_assets import keep_assets
from core.tasks._pipeline_components import StoredComponents
from core.tasks._pipeline_data import dataset_of, write_dataset
from core.tasks._pipeline_exports import exported
from core.tasks._pipeline_plan import PLAN, plan_of, write_plan
from core.tasks._pipeline_steps import StoredSteps

__all__ = [
    "PLAN",
    "SPEC",
    "dataset_of",
    "exported",
    "needed_assets",
    "plan_of",
    "read",
    "run",
    "settings_of",
    "submit",
    "unapproved",
]

SPEC = TaskSpec(
    name="pipeline",
    title="Pipeline",
    help="Runs the steps of a pipeline's file.",
    lane="pipeline",
    page="pipelines",
    resumable=True,
    submits=("pipeline_step", "ingest"),
)

_FILE = "pipeline.yml"
_POLL_S = 0.1
_MOST_PARALLEL = 16
"""Steps that are submitted at the same time where an engine decides how many work."""


def read(text: str, files: Mapping[str, str], folder: Path, *, access: Access) -> Pipeline:
    """Write a pipeline and the files beside it to a folder, and read it with the workspace's components.

    Parameters
    ----------
    text : str
        Text of the pipeline's file.
    files : dict of str to str
        Digests of the files beside it, by relative path.
    folder : Path
        Folder to write to; what is there is replaced.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    PipelineError
        When the file has a mistake.
    """
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    store = get_store()
    root = (folder / "files").resolve()
    for name, digest in files.items():
        target = (root / name).resolve()
        if not target.is_relative_to(root):
            raise JobError(f"The file '{name}' lies outside the pipeline's folder.", "Upload it beside the pipeline.")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store.local_path(digest), target)
    write_text(root / _FILE, text)
    return load_pipeline(root / _FILE, components=StoredComponents(folder / "components", access=access))


def needed_assets(pipeline: Pipeline, given: Collection[str]) -> list[Data]:
    """Return the data that a pipeline refers to by name, without those in place of which a run is given others.

    Parameters
    ----------
    pipeline : Pipeline
        The pipeline.
    given : collection of str
        Names of the inputs, and of data, that the run is given.
    """
    values = {name: value for name, value in pipeline.values.items() if name not in given}
    replaced = set(given) - set(pipeline.inputs)
    data = assets_of(replace(pipeline, values=values), steps_of(pipeline))
    return [item for item in data if item.asset is None or item.asset.name not in replaced]


def unapproved(pipeline: Pipeline, *, access: Access) -> list[Command]:
    """Return the commands of a pipeline that were never approved in a workspace; components that are shipped are."""
    commands = commands_of(pipeline)
    known = approvals.approved([command.digest for command in commands], access=access)
    return [command for command in commands if command.digest not in known]


def submit(
    text: str,
    *,
    files: Mapping[str, str] | None = None,
    inputs: Mapping[str, object] | None = None,
    title: str,
    saved: str = "",
    rerun_from: Collection[str] = (),
    access: Access,
) -> str:
    """Queue the run of a pipeline, and return the run's id.

    Parameters
    ----------
    text : str
        Text of the pipeline's file.
    files : dict of str to str, optional
        Digests of the files beside it, by relative path.
    inputs : dict of str to object, optional
        Values by the name of an input; the id of a dataset for data, also by the name that the file gives it.
    access : Access
        The workspace, and who acts in it.
    title : str
        Title of the run.
    saved : str, default=""
        Id of the saved pipeline that it is the run of.
    rerun_from : collection of str, default=()
        Paths of steps that run again with all that need them.

    Raises
    ------
    NotFoundError
        When the workspace does not have the saved pipeline.
    """
    if saved:
        saved_pipelines.get(saved, access=access)
    settings = settings_of(text, files=files, inputs=inputs, saved=saved, rerun_from=rerun_from)
    return jobs.submit("pipeline", settings, title=title, access=access)


def settings_of(
    text: str,
    *,
    files: Mapping[str, str] | None = None,
    inputs: Mapping[str, object] | None = None,
    saved: str = "",
    rerun_from: Collection[str] = (),
) -> JsonObject:
    """Return the settings of a run with the parameters of `submit`, for a schedule."""
    return {
        "text": text,
        "files": dict(files or {}),
        "inputs": dict(inputs or {}),
        "saved": saved,
        "rerun_from": sorted(rerun_from),
    }


def run(context: RunContext) -> JsonObject:
    """Read the pipeline, fetch its data, and run its steps."""
    settings = context.settings
    context.report(Event("read", 0.0, "Reading the pipeline"))
    _keep_files(context)
    pipeline = read(settings["text"], settings["files"], context.workdir / "pipeline", access=context.access)
    for position, notice in pipeline.notices:
        context.report(Event("notice", None, f"Line {position.line}: {notice}"))
    steps = steps_of(pipeline)
    _keep_plan(context, steps)
    commands = unapproved(pipeline, access=context.access)
    if commands:
        listed = ", ".join(f"'{command.step}'" for command in commands[:5])
        raise JobError(
            f"The commands of {listed} were never approved here.",
            "Look at them on the pipeline's page, and approve them.",
        )
    stored = StoredSteps(context, pipeline, steps)
    result = run_pipeline(
        pipeline,
        inputs=_inputs(context, pipeline),
        workdir=context.workdir,
        cache=stored,
        execute=_executor(context),
        report=stored.report,
        max_parallel=get_settings().most_running or _MOST_PARALLEL,
        rerun_from=settings["rerun_from"],
    )
    keep_assets(context, pipeline, result)
    _keep_extras(context, result)
    context.clear_workdir()  # outputs are artifacts by now, and a resumed attempt takes them from there
    _check(result)
    return {
        "steps": len(result.steps),
        "executed": len(result.executed),
        "outputs": {name: _output_of(pipeline, name) for name in result.outputs},
    }


def _keep_files(context: RunContext) -> None:
    """Keep the files beside the pipeline with the run, which can be repeated when they are changed elsewhere."""
    store = get_store()
    kept = {artifact.name for artifact in artifacts.find(context.run.id, access=context.access)}
    for name, digest in context.settings["files"].items():
        if f"files/{name}" not in kept:
            context.keep(f"files/{name}", store.local_path(digest))


def _keep_plan(context: RunContext, steps: list[Step]) -> None:
    if PLAN not in {artifact.name for artifact in artifacts.find(context.run.id, access=context.access)}:
        context.keep(PLAN, write_plan(steps, context.workdir))


def _keep_extras(context: RunContext, result: PipelineResult) -> None:
    """Keep what steps leave beside their outputs: the trials of a sweep, the leaderboard of a search."""
    for path in result.executed:
        folder = context.workdir / "steps" / path
        for file in [folder / "trials.json", *sorted((folder / "results").glob("*"))]:
            if file.is_file():
                context.keep(f"steps/{path}/{file.name}", file)


def _inputs(context: RunContext, pipeline: Pipeline) -> dict[str, object]:
    """Return the values of the run, and a folder for each dataset that the file or the run names."""
    inputs: dict[str, object] = {}
    for data in needed_assets(pipeline, context.settings["inputs"]):
        assert data.asset is not None
        dataset = dataset_of(data.asset, access=context.access)
        context.report(Event("data", None, f"'{data.text}' is '{dataset.name}', version {dataset.number}"))
        inputs[data.asset.name] = write_dataset(dataset, context.workdir / "data" / dataset.id)
    for name, value in context.settings["inputs"].items():
        port = pipeline.inputs.get(name)
        if port is None or port.is_data:  # an input, or data that the file names
            dataset = datasets.get(str(value), access=context.access)
            value = write_dataset(dataset, context.workdir / "data" / dataset.id)
        inputs[name] = value
    return inputs


def _executor(context: RunContext) -> Callable[[StepCall, Callable[[], bool]], StepOutcome]:
    """Return the function that runs a call as a run of its own; a resumed pipeline finds those that it had started."""
    before = {
        child.settings["call"]["step"]: child
        for child in runs.children(context.run.id, access=context.access)
        if child.state in ACTIVE or child.state in (RunState.QUEUED, RunState.SUCCEEDED)
    }

    def execute(call: StepCall, should_stop: Callable[[], bool]) -> StepOutcome:
        earlier = before.pop(call.step, None)
        if earlier is not None and earlier.settings["call"] == call.to_dict():
            run_id = earlier.id
        else:
            run_id = pipeline_step.submit(call, parent=context.run.id, access=context.access)
        while not (child := runs.get(run_id, access=context.access)).state.terminal:
            if should_stop():
                jobs.cancel(run_id, access=context.access)
            jobs.tick()
            time.sleep(_POLL_S)
        return _outcome(child)

    return execute


def _outcome(child: Run) -> StepOutcome:
    if child.state is RunState.SUCCEEDED:
        return StepOutcome(StepState.SUCCEEDED, run_id=child.id, values=(child.result or {})["values"])
    states = {RunState.CANCELLED: StepState.CANCELLED, RunState.TIMED_OUT: StepState.TIMED_OUT}
    message = child.error_message or f"The step's run ended as {child.state.lower()}."
    return StepOutcome(states.get(child.state, StepState.FAILED), message, child.error_hint or "", child.id)


def _check(result: PipelineResult) -> None:
    """Raise the error of the first step that failed."""
    for path, step in result.steps.items():
        if step.state is StepState.CANCELLED:
            raise StoppedError(f"The step '{path}' was cancelled.", "Resume the pipeline to continue with it.")
        if step.state in (StepState.FAILED, StepState.TIMED_OUT):
            raise PlumblineError(f"The step '{path}' failed: {step.reason}", step.hint)


def _output_of(pipeline: Pipeline, name: str) -> JsonObject:
    """Return which step's output an output of the pipeline is."""
    output = promoted_outputs(pipeline)[name]
    return {"step": output.step, "output": output.output}

"""Outputs that a pipeline's file gives a name: models become registered, tables become datasets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.errors import PlumblineError
from core.jobs import RunContext
from core.pipelines import OutputPort, Pipeline, PipelineResult, StepState, promoted_outputs, steps_of
from core.progress import Event
from core.tasks import ingest
from core.tasks.pipeline_models import adopt_model

__all__ = ["keep_assets"]

_MODELS = ("mlflow_model", "custom_model")
_TABLES = (".parquet", ".csv", ".tsv", ".jsonl", ".xlsx")


def keep_assets(context: RunContext, pipeline: Pipeline, result: PipelineResult) -> None:
    """Register and import the named outputs of the steps that ran now; what cannot be kept is reported."""
    for step, output, port in _named(pipeline):
        outcome = result.steps[step]
        if outcome.state is not StepState.SUCCEEDED or outcome.cached:
            continue
        try:
            said = _keep(context, step, outcome.outputs[output], port)
        except PlumblineError as error:
            said = f"The output '{output}' of '{step}' was not kept as '{port.asset_name}': {error.message}"
        context.report(Event("asset", None, said))


def _named(pipeline: Pipeline) -> Iterator[tuple[str, str, OutputPort]]:
    """Yield step, output and what is said of it, for each output with a name."""
    for step in steps_of(pipeline):
        for name, port in step.outputs.items():
            if port.asset_name:
                yield step.path, name, port
    for name, source in promoted_outputs(pipeline).items():
        if pipeline.outputs[name].asset_name:
            yield source.step, source.output, pipeline.outputs[name]


def _keep(context: RunContext, step: str, path: Path, port: OutputPort) -> str:
    name = port.asset_name or ""
    if port.type in _MODELS:
        origin = f"Trained by a pipeline, in its step '{step}' (run {context.run.id})."
        model, version = adopt_model(path, name=name, origin=origin, report=context.report, access=context.access)
        return f"Registered '{model.name}' version {version.number}."
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    tables = [file for file in files if file.suffix.lower() in _TABLES]
    if len(tables) != 1:
        return f"The output of '{step}' was not imported as '{name}': it has {len(tables)} tables, not one."
    with open(tables[0], "rb") as file:
        run_id = ingest.submit_upload(file, f"{name}{tables[0].suffix}", access=context.access)
    return f"The table '{tables[0].name}' of '{step}' is imported as '{name}' (run {run_id})."

"""Measures the latency of the variants of an exported model, in processes of their own, and stores the report."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from core import exports, jobs
from core.access import Access, require_feature
from core.catalog import Run, artifacts, runs
from core.edge import text_rows
from core.edge.latency import LatencySuiteSettings
from core.errors import InputError, NotFoundError
from core.jobs import RunContext, TaskSpec
from core.jsonable import jsonable
from core.models import TEXT_TASKS
from core.progress import Event
from core.storage import get_store

if TYPE_CHECKING:
    from core.edge import ExportRecord
    from core.edge.latency import RawInputs

__all__ = ["LATENCY", "SAMPLES", "SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="latency",
    title="Latency",
    help="Measures the latency of an exported model's variants.",
    page="edge",
    stoppable=True,
    stop_label="Stop and keep what is done",
    part_of="export",
)

LATENCY, SAMPLES = "latency.json", "samples.parquet"


class LatencyResult(TypedDict):
    """The result of a run."""

    export: str
    variants: list[str]
    errors: int


def submit(exported: Run, settings: LatencySuiteSettings, *, access: Access) -> str:
    """Queue a latency suite; returns the run's id.

    Parameters
    ----------
    exported : Run
        A run that left variants.
    settings : LatencySuiteSettings
        Settings of the suite.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the run has no exported model, or not all the variants.
    """
    if settings.latency.engine == "loadgen":
        require_feature("load_generator")
    exported = runs.get(exported.id, access=access)
    export = exports.read(exports.require(exported), access=access)
    for name in settings.variants:
        exports.variant_path(exported, export, name, access=access)
    return jobs.submit(
        "latency",
        {"export": exported.id, "lab": settings.model_dump(mode="json")},
        dataset=exported.dataset_id,
        title=exported.title,
        access=access,
    )


def run(context: RunContext) -> LatencyResult:
    """Measure, and store ``latency.json`` (`LatencySuiteReport`) and the latency of every request."""
    from core.edge.latency import LatencySuiteTarget, run_latency_suite

    context.report(Event("prepare", 0.0, "Loading the model and its rows"))
    settings = LatencySuiteSettings.model_validate(context.settings["lab"])
    try:
        exported = runs.get(context.settings["export"], access=context.access)
    except NotFoundError as error:
        raise InputError("The export to be measured was deleted.", "Export the model again.") from error
    export = exports.read(exported, access=context.access)
    metric = export.metric
    report = run_latency_suite(
        LatencySuiteTarget(
            variants={
                name: exports.variant_path(exported, export, name, access=context.access) for name in settings.variants
            },
            inputs=_inputs(exported, export, access=context.access),
            native=_native(context, export) if settings.native else None,
            accuracy={
                variant.name: variant.metrics[metric].value
                for variant in export.variants
                if metric is not None and metric in variant.metrics
            },
        ),
        settings,
        report=context.report,
        should_stop=context.should_stop,
    )
    context.report(Event("store", 0.99, "Storing the report"))
    report = replace(report, export=exported.id, metric=metric)
    folder = context.workdir / "made"
    folder.mkdir(parents=True, exist_ok=True)
    report.samples().to_parquet(folder / SAMPLES, index=False)
    (folder / LATENCY).write_text(json.dumps(jsonable(report.to_dict()), allow_nan=False), encoding="utf-8")
    for name in (LATENCY, SAMPLES):
        context.keep(name, folder / name)
    if not report.reports:
        raise InputError(report.errors[0].message, report.errors[0].hint)
    return {"export": exported.id, "variants": list(report.reports), "errors": len(report.errors)}


def _inputs(exported: Run, export: ExportRecord, *, access: Access) -> RawInputs | None:
    from core.edge.latency import Texts

    rows = exports.rows(exported, access=access)
    if rows is None or export.model is None:
        return None
    if export.kind == "table":
        return rows[[column.name for column in export.model.columns]]
    tokenizer = exports.tokenizer(exported, access=access)
    assert tokenizer is not None
    return Texts(text_rows(rows), tokenizer, export.model.max_length or 512)


def _native(context: RunContext, export: ExportRecord) -> Path | None:
    """Link the files of the model as it was trained; None where its run was deleted, or a user uploaded it."""
    source = export.source
    if source.run is None:
        return None
    folder = context.workdir / "native"
    shutil.rmtree(folder, ignore_errors=True)
    prefix = "model/" if source.task in TEXT_TASKS else ""
    for artifact in artifacts.find(source.run, access=context.access):
        if artifact.name.startswith(prefix):
            path = folder / artifact.name.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(get_store().local_path(artifact.digest).resolve())
    return folder if folder.is_dir() else None

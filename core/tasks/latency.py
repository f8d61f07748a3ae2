"""Times the variants of an exported model, in processes of their own, and keeps every figure."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from core import exports, jobs
from core.catalog import Run, artifacts, runs
from core.edge.latency import LatencySuiteSettings
from core.errors import InputError, NotFoundError
from core.jobs import RunContext, TaskSpec
from core.jsonable import jsonable
from core.progress import Event
from core.storage import get_store

__all__ = ["LATENCY", "SAMPLES", "SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="latency",
    title="Latency",
    help="Measures the latency of an exported model's variants.",
    page="edge",
    stoppable=True,
    stop_label="Stop and keep what is done",
)

LATENCY, SAMPLES = "latency.json", "samples.parquet"


def submit(exported: Run, settings: LatencySuiteSettings) -> str:
    """Queue a visit to the lab; returns the run's id.

    Raises
    ------
    InputError
        When the run has no exported model, or not all the variants.
    """
    found = exports.read(exports.require(exported))
    for name in settings.variants:
        exports.variant_path(exported, found, name)
    return jobs.submit(
        "latency",
        {"export": exported.id, "lab": settings.model_dump(mode="json")},
        dataset=exported.dataset_id,
        workspace=exported.workspace,
        title=exported.title,
    )


def run(context: RunContext) -> dict[str, Any]:
    """Measure, and store ``latency.json`` (what ``run_latency_suite`` returns) and all samples."""
    import pandas as pd

    from core.edge.latency import LatencySuiteTarget, run_latency_suite

    context.report(Event("prepare", 0.0, "Laying out the model and its rows"))
    settings = LatencySuiteSettings.model_validate(context.settings["lab"])
    try:
        exported = runs.get(context.settings["export"], context.workspace)
    except NotFoundError as error:
        raise InputError("The export that was to be measured is gone.", "Export the model again.") from error
    found = exports.read(exported)
    metric = found["metric"]
    measured = run_latency_suite(
        LatencySuiteTarget(
            variants={name: exports.variant_path(exported, found, name) for name in settings.variants},
            inputs=_inputs(exported, found),
            native=_native(context, found) if settings.native else None,
            accuracy={
                variant["name"]: variant["metrics"][metric]["value"]
                for variant in found["variants"]
                if metric in (variant["metrics"] or {})
            },
        ),
        settings,
        report=context.report,
        should_stop=context.should_stop,
    )
    context.report(Event("store", 0.99, "Storing the figures"))
    samples = measured.pop("samples_ms")
    table = pd.DataFrame(
        {
            "variant": [name for name, values in samples.items() for _ in values],
            "ms": [value for values in samples.values() for value in values],
        }
    )
    folder = context.workdir / "made"
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / SAMPLES, index=False)
    measured |= {"settings": settings.model_dump(mode="json"), "export": exported.id, "metric": metric}
    (folder / LATENCY).write_text(json.dumps(jsonable(measured), allow_nan=False), encoding="utf-8")
    for name in (LATENCY, SAMPLES):
        context.keep(name, folder / name)
    if not measured["reports"]:
        first = measured["errors"][0]
        raise InputError(first["message"], first["hint"])
    return {
        "export": exported.id,
        "variants": list(measured["reports"]),
        "errors": len(measured["errors"]),
    }


def _inputs(exported: Run, found: dict[str, Any]) -> Any:
    from core.edge.latency import Texts

    rows = exports.rows(exported)
    if rows is None or found["kind"] == "other":
        return None
    if found["kind"] == "table":
        return rows[[column["name"] for column in found["model"]["columns"]]]
    tokenizer = exports.tokenizer(exported)
    assert tokenizer is not None
    return Texts(rows["text"].astype(str).tolist(), tokenizer, found["model"]["max_length"] or 512)


def _native(context: RunContext, found: dict[str, Any]) -> Path | None:
    """Lay out the model as it was trained; None where the run that made it is gone, or it is none of ours."""
    source = found["source"]
    if source["task"] == "upload":
        return None
    folder = context.workdir / "native"
    shutil.rmtree(folder, ignore_errors=True)
    prefix = "model/" if source["task"] == "finetune" else ""
    for item in artifacts.find(source["run"], context.workspace):
        if item.name.startswith(prefix):
            path = folder / item.name.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(get_store().local_path(item.digest).resolve())
    return folder if folder.is_dir() else None

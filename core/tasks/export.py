"""Exports a model that a run made to ONNX, proves it equal, and makes smaller variants of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from core import exports, jobs, policies
from core.access import Access
from core.catalog import Run, RunState, artifacts, runs
from core.edge import QUANTIZATION_MODES, text_rows
from core.errors import ExportError, InputError, NotFoundError, SettingsError
from core.jobs import RunContext, TaskSpec
from core.models import TABLE_TASKS, TEXT_TASKS
from core.progress import Event
from core.registry import unknown_name
from core.tasks._trained_model import KEPT_ROWS, TrainedModel, load_trained

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from core.edge import OnnxModel
    from core.fairness import ThresholdPolicy

__all__ = ["SOURCES", "SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="export",
    title="Export",
    help="Exports a model to ONNX, proves it equal and makes smaller variants.",
    page="edge",
)

SOURCES = (*TABLE_TASKS, *TEXT_TASKS)
"""Tasks whose models are exported."""

_ANSWERED_ROWS, _ANSWERED_TEXTS = 2_000, 200


class ExportResult(TypedDict):
    """The result of a run."""

    kind: str
    variants: list[str]
    source: str | None


def submit(source: Run, *, modes: Sequence[str] | None = None, policy: str | None = None, access: Access) -> str:
    """Queue the export of a search's or a training's model; returns the run's id.

    Parameters
    ----------
    source : Run
        A search or a training that succeeded.
    modes : sequence of str, optional
        Names of ``QUANTIZATION_MODES``: the variants besides fp32; by default all of them.
    policy : str, optional
        Name of a policy that was kept with the run, by default the one in force; it is stored in the file. "none"
        stores none.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the run has no model.
    SettingsError
        When there is no such mode or policy.
    """
    source = runs.get(source.id, access=access)
    if source.task not in SOURCES or source.state is not RunState.SUCCEEDED:
        raise InputError(f"Run '{source.id}' has no model to export.", "Choose a search or a training that succeeded.")
    modes = list(QUANTIZATION_MODES) if modes is None else modes
    for mode in modes:
        QUANTIZATION_MODES.require(mode)
    if policy is None:
        rule = policies.in_force(source, access=access)
        if rule.unclear:
            raise SettingsError(rule.unclear, "Name one, or choose one under Decide.")
        policy = rule.name
    elif policy == policies.NO_POLICY:
        policy = None
    kept = policies.kept(source, access=access)
    if policy is not None and policy not in kept:
        hint = unknown_name(policy, kept) if kept else "Keep one under Decide, or on the Fairness page, first."
        raise SettingsError(f"No policy '{policy}' is kept with this model.", hint)
    return jobs.submit(
        "export",
        {"source": source.id, "modes": [mode for mode in QUANTIZATION_MODES if mode in modes], "policy": policy},
        dataset=source.dataset_id,
        title=source.title,
        access=access,
    )


def run(context: RunContext) -> ExportResult:
    """Export, compare, quantize, and store all files."""
    context.report(Event("prepare", 0.0, "Loading the model and its rows"))
    source = _source(context)
    policy = None
    if context.settings["policy"] is not None:
        policy = policies.kept(source, access=context.access)[context.settings["policy"]]
    folder, made = context.workdir / "model", context.workdir / "made"
    for path in (folder, made):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    model = load_trained(source, folder, policy, access=context.access)
    return _make(context, source, model, policy, made)


def _make(
    context: RunContext, source: Run, model: TrainedModel, policy: ThresholdPolicy | None, made: Path
) -> ExportResult:
    import numpy as np

    from core.edge import ExportRecord, ExportSource, HeldOut, RowCounts, export_onnx, make_variants

    fingerprint = (source.result or {}).get("dataset_fingerprint")
    target = source.settings.get("target") or source.settings.get("label_column")
    context.report(Event("export", 0.1, "Exporting the model and comparing its answers"))
    tested = len(model.y) > 0
    exported = export_onnx(
        model.source,
        made / "model.onnx",
        train=model.train,
        held_out=model.held_out if tested else model.train,
        max_length=model.max_length,
        fingerprint=fingerprint,
        policy=policy,
        target=target,
    )
    variants = make_variants(
        exported.path,
        made,
        modes=context.settings["modes"],
        train=model.train,
        held_out=HeldOut(model.held_out, model.y, model.task) if tested else None,
        tokenizer=model.tokenizer,
        report=lambda event: context.report(Event(event.phase, 0.3 + 0.65 * (event.fraction or 0.0), event.message)),
    )
    context.report(Event("store", 0.95, "Storing the files"))
    model.rows.head(KEPT_ROWS).to_parquet(made / exports.ROWS, index=False)
    if exported.original is not None:
        is_text = exported.kind == "text"
        asked = model.rows.head(_ANSWERED_TEXTS if is_text else _ANSWERED_ROWS)
        answers = exported.original(text_rows(asked) if is_text else asked)
        np.save(made / exports.ORIGINAL, answers, allow_pickle=False)
        exported = _with_proof(context, source, exported, model, asked, answers)
    if model.tokenizer is not None:
        shutil.copyfile(model.tokenizer, made / exports.TOKENIZER)
    record = ExportRecord(
        source=ExportSource(source.task, run=source.id, title=source.title),
        kind="table" if exported.kind == "table" else "text",
        task=model.task,
        labels=None if exported.labels is None else [str(label) for label in exported.labels],
        target=target,
        fingerprint=fingerprint,
        policy=context.settings["policy"],
        policy_digest=None
        if policy is None
        else artifacts.get(source.id, context.settings["policy"], access=context.access).digest,
        rows=RowCounts(len(model.train), len(model.y)),
        model=exported,
        variants=variants,
        metric={"regression": "r2", "multilabel": "f1_micro"}.get(model.task, "accuracy"),
    )
    exports.keep(context, made, record)
    return {"kind": exported.kind, "variants": [variant.name for variant in record.made], "source": source.id}


def _with_proof(
    context: RunContext,
    source: Run,
    exported: OnnxModel,
    model: TrainedModel,
    rows: pd.DataFrame,
    answers: NDArray[np.float64],
) -> OnnxModel:
    """Return the export with the proof that a bundle of it reads files as the model does, where one can be written."""
    from core.edge import BUNDLE_ROWS

    try:
        proof = exports.prove_bundle(
            exported, rows, answers, source=source.id, tokenizer=model.tokenizer, access=context.access
        )
    except ExportError as error:
        context.report(Event("bundle", 0.96, f"No bundle can be written: {error}"))
        return exported
    return replace(exported, parity={**exported.parity, BUNDLE_ROWS: proof.to_dict()})


def _source(context: RunContext) -> Run:
    try:
        return runs.get(context.settings["source"], access=context.access)
    except NotFoundError as error:
        raise InputError("The run that made this model was deleted.", "Train a model, then export that.") from error

"""Finds the smallest variant of an exported model that is good enough, and stores it with all that was measured."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from core import exports, jobs, smallest_variants
from core.access import Access
from core.catalog import Run, runs
from core.edge import text_rows
from core.edge.smallest import SmallestSettings
from core.errors import InputError, NotFoundError, SettingsError
from core.files import write_text
from core.jobs import RunContext, TaskSpec
from core.jsonable import jsonable
from core.progress import Event
from core.tasks._trained_model import load_trained

if TYPE_CHECKING:
    import pandas as pd

    from core.edge import ExportRecord
    from core.edge.smallest import SmallestReport, SmallestTarget
    from core.finetune import Text

__all__ = ["SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="smallest",
    title="Smallest variant",
    help="Finds the smallest variant of an exported model that is good enough.",
    page="edge",
    stoppable=True,
    stop_label="Stop and keep what is measured",
    part_of="export",
)


class SmallestResult(TypedDict):
    """The result of a run."""

    export: str
    chosen: str | None
    answer: str
    variants: list[str]


def submit(exported: Run, settings: SmallestSettings, *, access: Access) -> str:
    """Queue a search for the smallest variant that is good enough; returns the run's id.

    Parameters
    ----------
    exported : Run
        A run that left an exported model.
    settings : SmallestSettings
        The objective, and what is tried.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When the run has no exported model.
    SettingsError
        When the objective limits a loss that cannot be measured.
    """
    exported = runs.get(exported.id, access=access)
    record = exports.read(exports.require(exported), access=access)
    if settings.max_loss is not None and not record.rows.held_out:
        raise SettingsError(
            "The loss of quality cannot be limited: no rows with true values were held out.",
            "Leave the largest loss empty.",
        )
    return jobs.submit(
        "smallest",
        {"export": exported.id, "search": settings.model_dump(mode="json")},
        dataset=exported.dataset_id,
        title=exported.title,
        access=access,
    )


def run(context: RunContext) -> SmallestResult:
    """Search, and store ``smallest.json`` (`SmallestReport`) and the files of the variants."""
    from core.edge.smallest import find_smallest

    context.report(Event("prepare", 0.0, "Loading the model and its rows"))
    settings = SmallestSettings.model_validate(context.settings["search"])
    try:
        exported = runs.get(context.settings["export"], access=context.access)
    except NotFoundError as error:
        raise InputError("The export to be searched was deleted.", "Export the model again.") from error
    made = context.workdir / "made"
    shutil.rmtree(made, ignore_errors=True)
    target = _target(context, exported, exports.read(exported, access=context.access))
    report = find_smallest(target, made, settings, report=context.report, should_stop=context.should_stop)
    context.report(Event("store", 0.99, "Storing the files"))
    _keep(context, made, replace(report, export=exported.id))
    return {
        "export": exported.id,
        "chosen": None if report.choice is None else report.choice.candidate.variant,
        "answer": report.answer.sentence,
        "variants": [variant.name for variant in report.variants if variant.file is not None],
    }


def _target(context: RunContext, exported: Run, record: ExportRecord) -> SmallestTarget:
    """Return the exported model with its rows; those with true values come from the run that trained it."""
    from core.edge import FULL_PRECISION, HeldOut
    from core.edge.smallest import SmallestTarget

    access = context.access
    model = exports.variant_path(exported, record, FULL_PRECISION, access=access)
    tokenizer = exports.tokenizer(exported, access=access)
    plain = SmallestTarget(model, rows=_rows(exported, record, access=access), tokenizer=tokenizer)
    if record.source.run is None:
        return plain
    try:
        source = runs.get(record.source.run, access=access)
    except NotFoundError as error:
        raise InputError(
            "The run that made this model was deleted, so its quality cannot be measured.",
            "Train a model, export it, and search again.",
        ) from error
    folder = context.workdir / "model"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    trained = load_trained(source, folder, access=access)
    held_out = HeldOut(trained.held_out, trained.y, trained.task) if len(trained.y) else None
    return replace(plain, train=trained.train, held_out=held_out)


def _rows(exported: Run, record: ExportRecord, *, access: Access) -> pd.DataFrame | list[Text] | None:
    rows = exports.rows(exported, access=access)
    if rows is None or record.model is None:
        return None
    return rows if record.kind == "table" else text_rows(rows)


def _keep(context: RunContext, made: Path, report: SmallestReport) -> None:
    write_text(made / smallest_variants.REPORT, json.dumps(jsonable(report.to_dict()), allow_nan=False))
    names = {smallest_variants.REPORT}
    for variant in report.variants[1:]:
        names |= {name for name in (variant.file, variant.tokenizer) if name is not None}
    for name in sorted(names):
        context.keep(name, made / name)

"""Batches of rows, compared and stored by a run: what monitoring and scoring share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import JsonValue

from core.catalog import ModelVersion
from core.errors import InputError
from core.jobs import RunContext
from core.progress import Event

if TYPE_CHECKING:
    import pandas as pd

    from core.models import RowScorer
    from core.monitored import Assessment, Batch, MonitorSettings, Reference

__all__ = ["watch_batches"]


def watch_batches(
    context: RunContext, version: ModelVersion, batches: Sequence[tuple[str, float, pd.DataFrame]]
) -> dict[str, JsonValue]:
    """Score, compare and store batches, the earliest first; return the run's result.

    Parameters
    ----------
    context : RunContext
        The run.
    version : ModelVersion
        The version that scores the rows.
    batches : sequence of (str, float, DataFrame)
        Name, moment and rows of each batch.
    """
    from core.datasets import fingerprint
    from core.models import RowScorer
    from core.monitored import MONITORED, MonitorSettings, batches_of, plan_of, training_reference

    access = context.access
    settings = plan_of(version.model_id, access=access) or MonitorSettings()
    context.report(Event("reference", 0.05, "Reading what the model was tested on"))
    reference = training_reference(version, access=access)
    scorer = RowScorer(version, policy="none", access=access)
    before = {batch.fingerprint: batch for batch in batches_of(version.model_id, access=access)}
    results: list[JsonValue] = []
    repeated: list[JsonValue] = []
    for number, (name, at, frame) in enumerate(sorted(batches, key=lambda item: item[1]), start=1):
        context.report(
            Event("compare", 0.1 + 0.9 * number / len(batches), f"Batch {number:,} of {len(batches):,}: {name}")
        )
        mark = fingerprint(frame)
        if mark in before:
            repeated.append({"name": name, "key": before[mark].key})
            continue
        key = f"{context.run.id}-{number}"
        batch = _watch(context, key, name, at, frame, mark, len(before) + 1, version, scorer, reference, settings)
        before[mark] = batch
        results.append(batch.to_dict())
    return {"model": version.model_id, "version": version.number, MONITORED: results, "repeated": repeated}


def _watch(
    context: RunContext,
    key: str,
    name: str,
    at: float,
    frame: pd.DataFrame,
    fingerprint: str,
    look: int,
    version: ModelVersion,
    scorer: RowScorer,
    reference: Reference,
    settings: MonitorSettings,
) -> Batch:
    """Score, compare and store one batch."""
    from core.monitored import Batch, assess

    score, problem = None, ""
    table = reference.columns_of(frame)
    try:
        score = reference.score_of(scorer.score(frame))
        if reference.evidence.replay is not None:
            table = scorer.cells(frame)
    except InputError as error:
        problem = error.message
    assessed = assess(table, score, reference, settings, look=look, as_of=at)
    _keep(context, key, assessed, reference)
    return Batch(
        key=key,
        name=name,
        at=at,
        rows=len(frame),
        version=version.number,
        reference=settings.reference,
        fingerprint=fingerprint,
        look=look,
        state=assessed.state.state,
        reasons=assessed.state.reasons,
        drifted=tuple(column for column in assessed.report.drifted_columns if column not in settings.muted),
        muted=assessed.muted,
        caveat=assessed.state.caveat,
        problem=problem,
    )


def _keep(context: RunContext, key: str, assessed: Assessment, reference: Reference) -> None:
    from core.monitored import DRIFT, REFERENCE, SKETCH, file_of

    contents = {
        DRIFT: json.dumps(assessed.report.to_dict()).encode(),
        SKETCH: assessed.sketch.to_bytes(),
        REFERENCE: reference.sketch.to_bytes(),
    }
    for name, content in contents.items():
        path = context.workdir / "kept"
        path.write_bytes(content)
        context.keep(file_of(key, name), path)

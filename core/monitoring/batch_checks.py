"""Checks of a batch as a whole: duplicate rows, and how fresh its dates are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.datasets import Finding
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.column_sketches import DateSketch
from core.monitoring.drift_words import date_text, share_text

__all__ = ["check_dates", "check_duplicates"]

_DAY_S = 86_400.0
_SURE = 1e-6


def check_duplicates(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return whether more rows are copies of another row than in the reference.

    That is at least one in a hundred more, and three times as many; a larger batch has more copies by chance, so the
    reference's share is taken in proportion to the rows.
    """
    before = reference.duplicate_share * max(1.0, current.rows / reference.rows)
    now = current.duplicate_share
    if now < max(before + 0.01, 3 * before):
        return []
    return [
        Finding(
            "duplicate_rows",
            "alert" if now >= 0.1 else "notice",
            None,
            f"{share_text(now)} of the rows are exact copies of another row, {share_text(reference.duplicate_share)} "
            "in the reference.",
            "Check whether rows were delivered twice.",
            {"reference": reference.duplicate_share, "current": now},
        )
    ]


def check_dates(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return columns of dates that are stale, or later than their batch.

    Dates are stale where the latest is older than half of the reference's; where the moments of both batches are known,
    where it is older, by its age, than the reference's latest was by more than a day. In both cases chance must not
    explain that so many of the reference's dates are younger than all of the batch.
    """
    findings = []
    for name in columns:
        before, now = reference.columns[name], current.columns.get(name)
        if not isinstance(before, DateSketch) or not isinstance(now, DateSketch):
            continue
        if not before.present or not now.present:
            continue
        latest, latest_before = now.values.bounds[1], before.values.bounds[1]
        passed = 0.0
        stale = latest < before.values.quantiles(np.array([0.5]))[0]
        if current.as_of is not None and reference.as_of is not None:
            passed = current.as_of - reference.as_of
            stale = latest - passed < latest_before - _DAY_S
        younger = before.values.share_above(latest - passed) * before.present
        stale = stale and (before.present / (before.present + now.present)) ** younger < _SURE
        if stale:
            findings.append(
                Finding(
                    "stale_dates",
                    "alert",
                    name,
                    f"The dates of '{name}' are old: the latest is {date_text(latest)}, and {date_text(latest_before)} "
                    "in the reference.",
                    "Check whether an old batch was delivered.",
                    {"latest": latest, "latest_reference": latest_before},
                )
            )
        future = now.values.share_above(current.as_of) if current.as_of is not None else 0.0
        known_at = current.as_of if reference.as_of is None else reference.as_of
        future_before = before.values.share_above(known_at) if known_at is not None else 0.0
        if future >= max(0.001, 3 * future_before):
            findings.append(
                Finding(
                    "future_dates",
                    "notice",
                    name,
                    f"{share_text(future)} of the dates of '{name}' are later than the batch, up to "
                    f"{date_text(latest)}.",
                    "Check the clock, the time zone and the order of day and month.",
                    {"share": future, "latest": latest},
                )
            )
    return findings

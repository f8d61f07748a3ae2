"""Checks of the columns of a batch: missing, additional, renamed, of another type, in another order."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import numpy as np

from core.datasets import Finding
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.category_tests import chance_variation, level_table
from core.monitoring.column_sketches import (
    COLUMN_TYPES,
    CategorySketch,
    ColumnSketch,
    DateSketch,
    NumberSketch,
    TextSketch,
)
from core.monitoring.number_tests import ks_distance
from core.monitoring.outcomes import MIN_ROWS
from core.monitoring.text_tests import unknown_shares

__all__ = ["check_order", "check_schema", "check_types", "likeness"]

_LIKE = 0.85
_SAME_NAME = 0.6
_MOST_PROPOSED = 100  # columns on each side whose values are compared with each other's


def likeness(reference: ColumnSketch, current: ColumnSketch) -> float:
    """Return how alike two columns are distributed: 1 where they are equal, 0 where nothing is shared or known.

    One less Kolmogorov and Smirnov's distance, or less the total variation that chance does not explain; of texts, the
    share of words that the first ones have.

    Parameters
    ----------
    reference, current : ColumnSketch
        Columns of any names.
    """
    if min(reference.present, current.present) < MIN_ROWS:
        return 0.0
    if isinstance(reference, NumberSketch) and isinstance(current, NumberSketch):
        return 1 - ks_distance(reference.values, current.values)
    if isinstance(reference, DateSketch) and isinstance(current, DateSketch):
        return 1 - ks_distance(reference.values, current.values)
    if isinstance(reference, CategorySketch) and isinstance(current, CategorySketch):
        a, b = level_table(reference, current).pooled
        if not set(reference.levels) & set(current.levels):
            return 0.0
        variation = float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)
        return 1 - max(0.0, variation - chance_variation(a, b))
    if isinstance(reference, TextSketch) and isinstance(current, TextSketch):
        return float(1 - unknown_shares(current, reference, own=False).mean())
    return 0.0


def _name_likeness(first: str, other: str) -> float:
    """Return how alike two names are; 1 where one has all words of the other."""
    words = [set(re.findall(r"[^\W_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())) for name in (first, other)]
    if words[0] and words[1] and (words[0] <= words[1] or words[1] <= words[0]):
        return 1.0
    return difflib.SequenceMatcher(None, first.lower(), other.lower()).ratio()


def check_schema(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return missing, additional and renamed columns.

    A column counts as renamed where a missing and an additional column are each other's most alike, by their values
    and then by their names, and are alike enough: by at least 85% of their distribution. It is a proposal.
    """
    missing = [name for name in columns if name not in current.columns]
    additional = [name for name in current.columns if name not in reference.columns]
    findings: list[Finding] = []
    matched = _same_names(reference, current, missing, additional)
    left = [name for name in missing if name not in matched][:_MOST_PROPOSED]
    others = [name for name in additional if name not in matched.values()][:_MOST_PROPOSED]
    scores = {
        (before, now): _alike(reference.columns[before], current.columns[now]) for before in left for now in others
    }
    for (before, now), score in sorted(scores.items(), key=lambda item: -item[1]):
        if score > 0 and before not in matched and now not in matched.values():
            matched[before] = now
    for before in missing:
        if before in matched:
            findings.append(_renamed(reference.columns[before], current.columns[matched[before]]))
        else:
            findings.append(
                Finding(
                    "missing_column",
                    "alert",
                    before,
                    f"The column '{before}' is missing.",
                    "Add the column: a model cannot predict without what it was trained on.",
                )
            )
    findings += [
        Finding("additional_column", "notice", now, f"The column '{now}' is new; the reference does not have it.")
        for now in additional
        if now not in matched.values()
    ]
    return findings


def _same_names(
    reference: BatchSketch, current: BatchSketch, missing: Sequence[str], additional: Sequence[str]
) -> dict[str, str]:
    """Return by missing column the additional one whose name has the same letters and digits, if its values are alike.

    Where all columns of a wide table are written in another way, comparing each with each would take minutes.
    """
    by_letters: dict[str, list[str]] = {}
    for name in additional:
        by_letters.setdefault(_letters(name), []).append(name)
    pairs: dict[str, str] = {}
    for name in missing:
        candidates = [now for now in by_letters.get(_letters(name), []) if now not in pairs.values()]
        if len(candidates) == 1 and _alike(reference.columns[name], current.columns[candidates[0]]) > 0:
            pairs[name] = candidates[0]
    return pairs


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _alike(reference: ColumnSketch, current: ColumnSketch) -> float:
    """Return the score of a proposal; 0 where it is not alike enough."""
    if reference.type != current.type or _is_far(reference, current):
        return 0.0
    names = _name_likeness(reference.name, current.name)
    values = likeness(reference, current)
    if values >= _LIKE:
        return values + names
    unknown = reference.type == "id" or min(reference.present, current.present) < MIN_ROWS
    return names if unknown and names >= _SAME_NAME else 0.0


def _is_far(reference: ColumnSketch, current: ColumnSketch) -> bool:
    """Return whether two columns of numbers or dates are surely not alike, by three points of their distributions."""
    if not isinstance(reference, NumberSketch | DateSketch) or not isinstance(current, NumberSketch | DateSketch):
        return False
    if min(reference.present, current.present) < MIN_ROWS:
        return False
    points = reference.values.quantiles(np.array([0.1, 0.5, 0.9]))
    return any(
        abs(reference.values.share_below(point) - current.values.share_below(point)) > 1 - _LIKE for point in points
    )


def _renamed(before: ColumnSketch, now: ColumnSketch) -> Finding:
    alike = likeness(before, now)
    looks = "looks like it" if alike >= _LIKE else "has a name like it"
    return Finding(
        "renamed_column",
        "alert",
        before.name,
        f"'{before.name}' is missing; '{now.name}' {looks}.",
        f"If '{now.name}' is the same column, give it the name '{before.name}'.",
        {"candidate": now.name, "likeness": alike},
    )


def check_types(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return columns whose cells are of another type."""
    findings = []
    for name in columns:
        before, now = reference.columns[name], current.columns.get(name)
        if now is None or not before.cells or not now.cells or before.cells == now.cells:
            continue
        comparable = before.type == now.type
        findings.append(
            Finding(
                "type_changed",
                "notice" if comparable else "alert",
                name,
                f"'{name}' held {before.cells} ({COLUMN_TYPES[before.type]}) and now holds {now.cells}.",
                "Check how the batch was read or exported." if not comparable else "",
                {"before": before.cells, "now": now.cells},
            )
        )
    return findings


def check_order(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return whether columns that both batches have come in another order; models here go by names."""
    before = [name for name in columns if name in current.columns]
    now = [name for name in current.columns if name in set(before)]
    if before == now:
        return []
    first = next(name for name, other in zip(before, now, strict=True) if name != other)
    return [
        Finding(
            "column_order",
            "notice",
            None,
            f"The columns come in another order, from '{first}' on.",
            "Models here go by names; check programs that go by position.",
        )
    ]

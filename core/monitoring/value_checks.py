"""Checks of the values of a batch: new levels, shuffled labels, values out of range, constants, missing cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.datasets import Finding
from core.monitoring.batch_sketch import BatchSketch
from core.monitoring.category_tests import compare_levels, level_table
from core.monitoring.column_sketches import CategorySketch, DateSketch, NumberSketch
from core.monitoring.drift_words import date_text, number_text, share_text
from core.monitoring.missing_tests import compare_missing
from core.monitoring.outcomes import MIN_ROWS, TestContext

__all__ = ["check_constants", "check_missing", "check_new_levels", "check_range", "check_shuffled"]

_LARGE_SHARE = 0.05
_SURE = 1e-4
_CERTAIN = 1e-9  # of an alert: hundreds of looks at hundreds of columns give none by chance
_NAMED = 3
_MOVED = 0.1
_SAME = 0.02
_ALIKE = 1e-3


def check_new_levels(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return columns with levels that the reference does not have, with their share of the rows.

    Where the reference does not keep all levels, nobody can say which are new, and the finding says so.
    """
    from scipy.special import bdtrc

    findings = []
    for name in columns:
        before, now = reference.columns[name], current.columns.get(name)
        if not isinstance(before, CategorySketch) or not isinstance(now, CategorySketch) or not before.present:
            continue
        if not before.is_exact:
            message = f"'{name}' has {before.distinct:,} levels, of which {len(before.levels):,} are kept: new ones"
            findings.append(Finding("new_levels", "passed", name, f"{message} cannot be told."))
            continue
        new = level_table(before, now).new
        if not new:
            continue
        rows = sum(count for _, count in new)
        share = rows / now.present
        # Levels that the reference has once say how many more there are (Good 1953).
        by_chance = float((before.counts == 1).sum()) / before.present
        by_chance = min(1.0, by_chance + 6 * float(np.sqrt((by_chance + 1 / before.present) / before.present)))
        is_certain = float(bdtrc(rows - 1, now.present, by_chance)) < _CERTAIN
        named = ", ".join(f"'{level}'" for level, _ in new[:_NAMED])
        others = f" and {len(new) - _NAMED:,} more" if len(new) > _NAMED else ""
        findings.append(
            Finding(
                "new_levels",
                "alert" if is_certain and share - by_chance >= _LARGE_SHARE else "notice",
                name,
                f"'{name}' has {'a level' if len(new) == 1 else f'{len(new):,} levels'} that the reference does not "
                f"have: {named}{others}, in {share_text(share)} of the rows.",
                "The model never saw them; check what they mean.",
                {"levels": [level for level, _ in new], "share": share},
            )
        )
    return findings


def check_shuffled(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return columns of the same levels whose shares seem to have been exchanged between levels.

    The shares differ by at least 0.1 (total variation, less what chance gives), while the sorted shares do not: the
    same frequencies, on other labels.
    """
    findings = []
    for name in columns:
        before, now = reference.columns[name], current.columns.get(name)
        if not isinstance(before, CategorySketch) or not isinstance(now, CategorySketch):
            continue
        if (
            set(before.levels) != set(now.levels)
            or len(before.levels) < 2
            or min(before.present, now.present) < MIN_ROWS
        ):
            continue
        outcome = compare_levels(before, now, TestContext(reference, current))
        apart = outcome.effect or 0.0
        if apart < _MOVED or outcome.p is None or outcome.p >= _CERTAIN:
            continue
        a, b = np.sort(before.counts)[::-1], np.sort(now.counts)[::-1]
        sorted_variation = float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)
        if sorted_variation > apart / 3 or (sorted_variation > _SAME and not _are_alike(a, b)):
            continue
        most = before.levels[0], now.levels[0]
        words = f"'{most[0]}' was the most frequent and now '{most[1]}' is" if most[0] != most[1] else "ranks changed"
        findings.append(
            Finding(
                "shuffled_labels",
                "alert",
                name,
                f"The labels of '{name}' seem to be exchanged: the same levels with the same frequencies, on other "
                f"labels ({words}).",
                "Check the coding of the column.",
                {"total_variation": apart, "sorted_total_variation": sorted_variation},
            )
        )
    return findings


def _are_alike(first: NDArray[np.int64], other: NDArray[np.int64]) -> bool:
    """Return whether chance explains the difference of two rows of counts (chi-square)."""
    from scipy.special import chdtrc

    total, n, m = first + other, first.sum(), other.sum()
    statistic = float(((first * m - other * n) ** 2 / total).sum() / (n * m))
    return bool(chdtrc(max(len(total) - 1, 1), statistic) >= _ALIKE)


def check_range(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return columns of numbers with values outside of the reference's range, and of dates before it, beyond chance.

    Of two samples of one distribution, all of the k largest values belong to the batch with a probability of about
    its share of the rows to the power of k; this must be below 1 in 10,000.
    """
    findings = []
    for name in columns:
        before, now = reference.columns[name], current.columns.get(name)
        dates = isinstance(before, DateSketch)
        if not isinstance(before, NumberSketch | DateSketch) or not isinstance(now, NumberSketch | DateSketch):
            continue
        if type(before) is not type(now):
            continue
        n, m = before.present, now.present
        if min(n, m) < MIN_ROWS:
            continue
        low, high = before.values.bounds
        # Dates grow by themselves: late ones, and a batch that is old as a whole, are the matter of `check_dates`.
        if dates and now.values.bounds[1] < before.values.quantiles(np.array([0.5]))[0]:
            continue
        shares = now.values.share_below(low), 0.0 if dates else now.values.share_above(high)
        beyond = max(shares) * m
        p = 2 * (m / (n + m)) ** beyond
        if p >= _SURE:
            continue
        share = sum(shares)
        findings.append(
            Finding(
                "outside_range",
                "alert" if share >= _LARGE_SHARE and p < _CERTAIN else "notice",
                name,
                f"{share_text(share)} of the dates of '{name}' are before {date_text(low)}, the first in the reference."
                if dates
                else f"{share_text(share)} of the values of '{name}' are outside of the reference's range, "
                f"{number_text(low)} to {number_text(high)}.",
                "The model never saw such values; check them.",
                {"share": share, "share_below": shares[0], "share_above": shares[1], "low": low, "high": high},
            )
        )
    return findings


def check_constants(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return columns that became constant, and those that are constant in the reference already."""
    findings = []
    for name in columns:
        before, now = reference.columns[name], current.columns.get(name)
        if now is None:
            continue
        if now.is_constant and before.distinct > 1 and now.present >= MIN_ROWS and _is_common_enough(before, now):
            findings.append(
                Finding(
                    "constant_column",
                    "alert",
                    name,
                    f"'{name}' has the same value in all rows; in the reference it had {before.distinct:,}.",
                    "Check where the column comes from.",
                )
            )
        elif before.is_constant and now.distinct <= 1:
            findings.append(
                Finding("constant_column", "passed", name, f"'{name}' has one value, in the reference as well.")
            )
    return findings


def _is_common_enough(before: object, now: object) -> bool:
    """Return whether chance does not explain that all rows have one value."""
    if isinstance(before, CategorySketch) and isinstance(now, CategorySketch) and now.levels:
        counts = dict(zip(before.levels, before.counts.tolist(), strict=True))
        share = (counts.get(now.levels[0], 0) + 1) / (before.present + 2)
        return bool(share**now.present < _CERTAIN)
    if isinstance(before, NumberSketch) and isinstance(now, NumberSketch):
        value = float(now.values.points[0])
        inside = np.searchsorted(before.values.points, value)
        known = inside < len(before.values.points) and before.values.points[inside] == value
        share = ((int(before.values.counts[inside]) if known else 0) + 1) / (before.present + 2)
        return bool(share**now.present < _CERTAIN)
    return True


def check_missing(reference: BatchSketch, current: BatchSketch, columns: Sequence[str]) -> list[Finding]:
    """Return columns whose cells are missing more often or less often than chance explains."""
    findings = []
    for name in columns:
        before, now = reference.columns[name], current.columns.get(name)
        if now is None:
            continue
        if now.present == 0 and before.present and ((before.missing + 1) / (before.rows + 2)) ** now.rows < _CERTAIN:
            message = f"All values of '{name}' are missing."
            findings.append(Finding("missing_values", "alert", name, message, "Check where the column comes from."))
            continue
        outcome = compare_missing(before, now)
        if outcome is None or outcome.p is None or outcome.p >= _SURE:
            continue
        more = now.missing_share > before.missing_share
        large = more and (outcome.effect or 0.0) >= _LARGE_SHARE and outcome.p < _CERTAIN
        findings.append(
            Finding(
                "missing_values",
                "alert" if large else "notice",
                name,
                f"{share_text(now.missing_share)} of the values of '{name}' are missing, "
                f"{share_text(before.missing_share)} in the reference.",
                "Check where the column comes from." if more else "",
                {"reference": before.missing_share, "current": now.missing_share},
            )
        )
    return findings

"""Guardrails about columns and rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from core.datasets._checked_table import CheckedTable
from core.datasets._checks_written import DATE
from core.datasets._finding import Finding
from core.datasets._leakage import encode
from core.datasets._row_numbers import numbers_rows
from core.datasets._sensitive import suspected_attribute
from core.datasets._spellings import SpellingCluster, spelling_clusters

__all__ = [
    "constant",
    "duplicate_rows",
    "high_cardinality",
    "identifiers",
    "missing",
    "near_duplicates",
    "sensitive",
    "spellings",
]

MISSING_SHARE = 0.5
MANY_LEVELS = 100
IDENTIFIER_SHARE = 0.95
CORRELATION = 0.999
_CORRELATION_ROWS = 5_000
_CLUSTERS_NAMED = 3


def constant(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns with a single value."""
    columns = [name for name in table.features if table.distinct[name] <= 1]
    for name in columns:
        problem = "has no values" if table.distinct[name] == 0 else "has a single value"
        yield Finding("constant", "notice", name, f"{name!r} {problem}.", "Ignore the column.")
    if not columns:
        yield Finding("constant", "passed", None, "Every column varies.")


def missing(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns that are mostly missing."""
    shares = table.frame[table.features].isna().mean()
    columns = shares[shares > MISSING_SHARE]
    for name, share in columns.items():
        yield Finding(
            "missing",
            "notice",
            str(name),
            f"{name!r} is missing in {share:.1%} of the rows.",
            "Ignore the column, or make sure that whether it is missing is known before the target is.",
            {"share": float(share)},
        )
    if columns.empty:
        yield Finding("missing", "passed", None, "No column is missing in more than half of the rows.")


def identifiers(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns that identify the row."""
    from pandas.api import types

    has_findings = False
    for name in table.features:
        values = table.frame[name].dropna()
        if len(values) < 20 or table.distinct[name] < IDENTIFIER_SHARE * len(values):
            continue
        if name in table.text_columns:
            text = values.map(str)
            is_id = bool(text.str.len().max() <= 64 and text.str.contains(r"\s").mean() < 0.05)
            is_id = is_id and text.str.fullmatch(DATE).mean() < 0.5
        else:
            has_id_name = name.casefold() in ("id", "index", "key", "rowid") or name.casefold().endswith(("_id", " id"))
            whole = types.is_integer_dtype(values.dtype) and table.distinct[name] == len(values)
            is_id = (has_id_name and whole) or numbers_rows(values, table.rows)
        if is_id:
            has_findings = True
            yield Finding(
                "identifier",
                "notice",
                name,
                f"{name!r} looks like an identifier: {table.distinct[name]:,} values in {len(values):,} cells.",
                "Ignore the column.",
                {"distinct": table.distinct[name]},
            )
    if not has_findings:
        yield Finding("identifier", "passed", None, "No column looks like an identifier.")


def high_cardinality(table: CheckedTable) -> Iterator[Finding]:
    """Yield categories with many values, so with few rows per value."""
    has_findings = False
    for name in table.text_columns:
        levels = table.distinct[name]
        values = table.frame[name].dropna()
        free_text = len(values) and values.map(str).head(2_000).str.count(r"\s").mean() >= 3
        if MANY_LEVELS < levels < IDENTIFIER_SHARE * len(values) and not free_text:
            has_findings = True
            yield Finding(
                "high_cardinality",
                "notice",
                name,
                f"{name!r} has {levels:,} distinct values, with {len(values) / levels:.1f} rows per value on average.",
                "Group the rare ones, or make sure that new rows have the same values.",
                {"distinct": levels},
            )
    if not has_findings:
        yield Finding("high_cardinality", "passed", None, f"No category has more than {MANY_LEVELS} values.")


def duplicate_rows(table: CheckedTable) -> Iterator[Finding]:
    """Yield the number of rows that are copies."""
    import pandas as pd

    codes = np.column_stack([pd.factorize(table.frame[name])[0] for name in table.frame.columns])
    repeated = len(codes) - len({row.tobytes() for row in codes})
    if not repeated:
        yield Finding("duplicate_rows", "passed", None, "No row is an exact copy of another row.")
        return
    share = repeated / len(codes)
    yield Finding(
        "duplicate_rows",
        "notice",
        None,
        f"{repeated:,} rows ({share:.2%}) are exact copies of another row.",
        "Remove them if they are accidental: a model has an easy time with test rows that it was trained on.",
        {"rows": repeated, "share": share},
    )


def near_duplicates(table: CheckedTable) -> Iterator[Finding]:
    """Yield pairs of columns with the same information."""
    import pandas as pd

    names = [name for name in table.features if table.distinct[name] > 1]
    pairs: dict[tuple[str, str], str] = {}
    first: dict[bytes, str] = {}
    for name in names:
        # Codes in order of appearance are the same for columns that are renamings of each other. Where values
        # hardly repeat, that proves nothing: text has to be equal then, and numbers have to correlate (below).
        codes, reason = pd.factorize(table.frame[name])[0], "the same groups under other names"
        if 2 * table.distinct[name] > np.count_nonzero(codes >= 0):
            if name not in table.text_columns:
                continue
            text = table.frame[name].map(str).to_numpy(dtype=object)
            codes, reason = pd.util.hash_array(text, categorize=False), "equal in every row"
        original = first.setdefault(hashlib.sha256(codes.astype("<i8").data).digest(), name)
        if original != name:
            pairs[original, name] = reason
    numeric = [name for name in names if name not in table.text_columns and table.distinct[name] > 2]
    head = table.frame.iloc[:: max(1, len(table.frame) // _CORRELATION_ROWS)]
    if len(numeric) > 1:
        values = np.column_stack([encode(head[name]) for name in numeric])
        gaps = np.isnan(values)
        means = np.nanmean(np.where(gaps.all(axis=0), 0.0, values), axis=0)
        values = np.where(gaps, means, values) - means
        norms = np.sqrt((values**2).sum(axis=0))
        values /= np.where(norms > 0, norms, 1.0)
        close = np.abs(np.triu(values.T @ values, 1))
        for i, j in np.argwhere(close > CORRELATION):
            pair = (numeric[i], numeric[j])
            if np.array_equal(gaps[:, i], gaps[:, j]):
                pairs.setdefault(pair, f"correlation {close[i, j]:.4f}")
    for (one, other), reason in pairs.items():
        yield Finding(
            "near_duplicates",
            "notice",
            other,
            f"{other!r} and {one!r} carry the same information ({reason}).",
            "Ignore one of the two: otherwise they share the importance of one.",
            {"columns": [one, other]},
        )
    if not pairs:
        yield Finding("near_duplicates", "passed", None, "No two columns carry the same information.")


def sensitive(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns that name groups of people: confirmed ones, and those whose name suggests it."""
    suspected = {name: suspected_attribute(name) for name in table.frame.columns if name not in table.sensitive}
    attributes = {name: attribute for name, attribute in suspected.items() if attribute}
    for name, attribute in attributes.items():
        yield Finding(
            "sensitive",
            "notice",
            name,
            f"{name!r} looks like people's {attribute}.",
            "Mark it as sensitive to compare results between its groups, and decide whether a model may use it.",
            {"attribute": attribute},
        )
    if table.sensitive:
        listed = ", ".join(repr(name) for name in table.sensitive)
        yield Finding("sensitive", "passed", None, f"Marked as sensitive: {listed}.")
    elif not attributes:
        yield Finding("sensitive", "passed", None, "No column's name suggests a sensitive attribute.")


def spellings(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns, the target included, in which the same words are written differently."""
    columns = {name: table.frame[name] for name in table.text_columns}
    if table.target is not None and table.labels is not None and table.target_is_text:
        columns[table.target] = table.labels
    has_findings = False
    for name, values in columns.items():
        known = int(values.notna().sum())
        if known >= 20 and values.nunique() >= IDENTIFIER_SHARE * known:  # identifiers, free text
            continue
        clusters = spelling_clusters(values)
        if clusters:
            has_findings = True
            yield Finding(
                "spellings",
                "notice",
                name,
                f"{name!r} has {_count(len(clusters), 'value')} in more than one spelling: {_name(clusters)}.",
                "Merge the spellings: a model treats each of them as a value of its own.",
                {
                    "merge": {old: new for cluster in clusters for old, new in cluster.merge.items()},
                    "cells": sum(cluster.values[old] for cluster in clusters for old in cluster.merge),
                },
            )
    if not has_findings:
        yield Finding("spellings", "passed", None, "No value is written in more than one way.")


def _name(clusters: list[SpellingCluster]) -> str:
    named = [
        " and ".join(f"{value!r} ({count:,})" for value, count in list(cluster.values.items())[:_CLUSTERS_NAMED])
        for cluster in clusters[:_CLUSTERS_NAMED]
    ]
    more = len(clusters) - len(named)
    return "; ".join([*named, *([f"{more:,} more"] if more else [])])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"

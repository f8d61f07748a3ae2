"""Guardrails that look at the columns and rows themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import numpy as np

from core.datasets._checks import Subject
from core.datasets._finding import Finding
from core.datasets._leakage import encode
from core.datasets._sensitive import suspected_attribute

__all__ = ["CHECKS"]

MISSING_SHARE = 0.5
MANY_LEVELS = 100
IDENTIFIER_SHARE = 0.95
CORRELATION = 0.999
_CORRELATION_ROWS = 5_000
_DATE = r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([T ]\d{1,2}:\d{2}.*)?\s*"


def constant(subject: Subject) -> Iterator[Finding]:
    """A column with one value tells nothing."""
    found = [name for name in subject.features if subject.distinct[name] <= 1]
    for name in found:
        what = "has no values" if subject.distinct[name] == 0 else "has the same value wherever it has one"
        yield Finding("constant", "notice", name, f"{name!r} {what}.", "Ignore the column.")
    if not found:
        yield Finding("constant", "passed", None, "Every column varies.")


def missing(subject: Subject) -> Iterator[Finding]:
    """A column that is mostly missing."""
    shares = subject.frame[subject.features].isna().mean()
    found = shares[shares > MISSING_SHARE]
    for name, share in found.items():
        yield Finding(
            "missing",
            "notice",
            str(name),
            f"{name!r} is missing in {share:.1%} of the rows.",
            "Ignore the column, or make sure that its being there is known before the target is.",
            {"share": float(share)},
        )
    if found.empty:
        yield Finding("missing", "passed", None, "No column is missing in more than half of the rows.")


def identifiers(subject: Subject) -> Iterator[Finding]:
    """A column that names the row is learnt by heart and means nothing on new rows."""
    from pandas.api import types

    found = False
    for name in subject.features:
        values = subject.frame[name].dropna()
        if len(values) < 20 or subject.distinct[name] < IDENTIFIER_SHARE * len(values):
            continue
        if name in subject.text_columns:
            text = values.map(str)
            is_id = bool(text.str.len().max() <= 64 and text.str.contains(r"\s").mean() < 0.05)
            is_id = is_id and text.str.fullmatch(_DATE).mean() < 0.5
        elif types.is_integer_dtype(values.dtype) and subject.distinct[name] == len(values):
            named = name.casefold() in ("id", "index", "key", "rowid") or name.casefold().endswith(("_id", " id"))
            steps = values.diff().dropna()
            is_id = named or bool((steps > 0).all() and values.max() - values.min() <= 1.01 * subject.rows)
        else:
            is_id = False
        if is_id:
            found = True
            yield Finding(
                "identifier",
                "notice",
                name,
                f"{name!r} looks like an identifier: {subject.distinct[name]:,} values in {len(values):,} cells.",
                "Ignore the column.",
                {"distinct": subject.distinct[name]},
            )
    if not found:
        yield Finding("identifier", "passed", None, "No column looks like an identifier.")


def high_cardinality(subject: Subject) -> Iterator[Finding]:
    """A category with many levels has few rows for each."""
    found = False
    for name in subject.text_columns:
        levels = subject.distinct[name]
        values = subject.frame[name].dropna()
        free_text = len(values) and values.map(str).head(2_000).str.count(r"\s").mean() >= 3
        if MANY_LEVELS < levels < IDENTIFIER_SHARE * len(values) and not free_text:
            found = True
            yield Finding(
                "high_cardinality",
                "notice",
                name,
                f"{name!r} has {levels:,} different values, {len(values) / levels:.1f} rows each on average.",
                "Group the rare ones, or make sure that new rows will bring the same values.",
                {"distinct": levels},
            )
    if not found:
        yield Finding("high_cardinality", "passed", None, f"No category has more than {MANY_LEVELS} values.")


def dates_as_text(subject: Subject) -> Iterator[Finding]:
    """Dates that were read as text are categories to a model."""
    found = False
    for name in subject.text_columns:
        values = subject.frame[name].dropna().head(1_000).map(str)
        if len(values) and values.str.fullmatch(_DATE).mean() >= 0.95:
            found = True
            yield Finding(
                "dates_as_text",
                "notice",
                name,
                f"{name!r} holds dates as text, such as {values.iloc[0]!r}.",
                "Write them as year-month-day (2026-01-31) and upload again: then they are used as dates.",
            )
    if not found:
        yield Finding("dates_as_text", "passed", None, "No column holds dates as text.")


def duplicate_rows(subject: Subject) -> Iterator[Finding]:
    """Equal rows on both sides of a split flatter the model."""
    import pandas as pd

    codes = np.column_stack([pd.factorize(subject.frame[name])[0] for name in subject.frame.columns])
    repeated = len(codes) - len({row.tobytes() for row in codes})
    if not repeated:
        yield Finding("duplicate_rows", "passed", None, "No row occurs twice.")
        return
    share = repeated / len(codes)
    yield Finding(
        "duplicate_rows",
        "notice",
        None,
        f"{repeated:,} rows ({share:.2%}) repeat an earlier one in every column.",
        "If they are copies, remove them: a copy in the test split is a question seen before.",
        {"rows": repeated, "share": share},
    )


def near_duplicates(subject: Subject) -> Iterator[Finding]:
    """Two columns that say the same."""
    import pandas as pd

    names = [name for name in subject.features if subject.distinct[name] > 1]
    pairs: dict[tuple[str, str], str] = {}
    first: dict[bytes, str] = {}
    for name in names:
        # Codes in order of appearance are the same for columns that are renamings of each other. Where values
        # hardly repeat, that says nothing: text has to be equal then, and numbers have to correlate (below).
        codes, reason = pd.factorize(subject.frame[name])[0], "one is the other under other names"
        if 2 * subject.distinct[name] > np.count_nonzero(codes >= 0):
            if name not in subject.text_columns:
                continue
            text = subject.frame[name].map(str).to_numpy(dtype=object)
            codes, reason = pd.util.hash_array(text, categorize=False), "equal in every row"
        original = first.setdefault(hashlib.sha256(codes.astype("<i8").data).digest(), name)
        if original != name:
            pairs[original, name] = reason
    numeric = [name for name in names if name not in subject.text_columns and subject.distinct[name] > 2]
    head = subject.frame.iloc[:: max(1, len(subject.frame) // _CORRELATION_ROWS)]
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
                pairs.setdefault(pair, f"correlation {close[i, j]:.5f}")
    for (one, other), reason in pairs.items():
        yield Finding(
            "near_duplicates",
            "notice",
            other,
            f"{other!r} says the same as {one!r}: {reason}.",
            "Ignore one of the two: importance is shared out between them.",
            {"columns": [one, other]},
        )
    if not pairs:
        yield Finding("near_duplicates", "passed", None, "No two columns say the same.")


def sensitive(subject: Subject) -> Iterator[Finding]:
    """Columns that name groups of people: confirmed ones, and those whose name suggests it."""
    suspected = {name: suspected_attribute(name) for name in subject.frame.columns if name not in subject.sensitive}
    found = {name: attribute for name, attribute in suspected.items() if attribute}
    for name, attribute in found.items():
        yield Finding(
            "sensitive",
            "notice",
            name,
            f"{name!r} may tell the {attribute} of people.",
            "Mark it as sensitive to have results compared by its groups, and decide whether a model may use it.",
            {"attribute": attribute},
        )
    if subject.sensitive:
        listed = ", ".join(repr(name) for name in subject.sensitive)
        yield Finding("sensitive", "passed", None, f"Marked as sensitive: {listed}.")
    elif not found:
        yield Finding("sensitive", "passed", None, "No column's name suggests a sensitive attribute.")


CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    constant,
    missing,
    identifiers,
    high_cardinality,
    dates_as_text,
    duplicate_rows,
    near_duplicates,
    sensitive,
)

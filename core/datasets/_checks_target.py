"""Guardrails about the target."""

from __future__ import annotations

from collections.abc import Iterator

from core.datasets._checked_table import CheckedTable
from core.datasets._finding import Finding
from core.datasets._leakage import find_leaks

__all__ = ["classes", "leakage", "missing_target", "proxies"]

MISSING_ALERT = 0.2
IMBALANCE_NOTICE = 0.1
IMBALANCE_ALERT = 0.01
MIN_CLASS_ROWS = 10
PROXY_LEVELS = 20


def missing_target(table: CheckedTable) -> Iterator[Finding]:
    """Yield the number of rows without a target."""
    if table.labels is None:
        return
    missing = int(table.labels.isna().sum())
    share = missing / table.rows
    if not missing:
        yield Finding("missing_target", "passed", table.target, f"{table.target!r} is known in every row.")
        return
    yield Finding(
        "missing_target",
        "alert" if share > MISSING_ALERT else "notice",
        table.target,
        f"{table.target!r} is missing in {missing:,} of {table.rows:,} rows ({share:.1%}).",
        "These rows are left out. Find out why the target is missing: unless it is by chance, the model is biased.",
        {"missing": missing, "share": share},
    )


def classes(table: CheckedTable) -> Iterator[Finding]:
    """Yield a single class, classes of very different sizes, and classes that are too small to be split."""
    if table.labels is None or table.task is None:
        return
    target = table.target
    if table.labels.nunique() < 2:
        yield Finding(
            "constant_target",
            "alert",
            target,
            f"{target!r} has a single value, {table.labels.dropna().iloc[0]!r}.",
            "There is nothing to predict. Choose another target.",
        )
        return
    yield Finding("constant_target", "passed", target, f"{target!r} varies.")
    if table.task == "regression":
        return
    counts = table.labels.value_counts()
    total = int(counts.sum())
    smallest, size = counts.index[-1], int(counts.iloc[-1])
    share = size / total
    # With many classes, small shares are normal: the smallest is measured against an even share.
    relative = share * len(counts) / 2
    values = {"class": str(smallest), "rows": size, "share": share, "classes": len(counts)}
    if relative < IMBALANCE_NOTICE:
        yield Finding(
            "imbalance",
            "alert" if relative < IMBALANCE_ALERT else "notice",
            target,
            f"Of {target!r}, {str(smallest)!r} makes up {share:.2%} ({size:,} of {total:,} rows).",
            "Accuracy misleads here. Use ROC AUC, average precision or balanced accuracy, or balance class weights.",
            values,
        )
    else:
        yield Finding(
            "imbalance", "passed", target, f"The smallest class of {target!r} makes up {share:.1%}.", "", values
        )
    small = {str(label): int(n) for label, n in counts.items() if n < MIN_CLASS_ROWS}
    if small:
        many = "1 class" if len(small) == 1 else f"{len(small)} classes"
        has = "has" if len(small) == 1 else "have"
        shown = ", ".join(f"{label!r} ({n})" for label, n in list(small.items())[:5])
        yield Finding(
            "small_classes",
            "alert",
            target,
            f"{many} of {target!r} {has} fewer than {MIN_CLASS_ROWS} rows: {shown}.",
            "They cannot be both learned and tested. Merge them with others, or leave their rows out.",
            {"classes": small},
        )
    else:
        yield Finding("small_classes", "passed", target, f"Each class has at least {MIN_CLASS_ROWS} rows.")


def leakage(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns that predict the target alone."""
    if table.target is None or table.task is None or table.distinct[table.target] < 2:
        return
    known = table.frame[table.frame[table.target].notna()]
    leaks = find_leaks(known, table.target, table.task, table.features)
    for leak in leaks:
        message = {
            "equal": f"{leak.column!r} equals {table.target!r} in every row.",
            "recoded": f"{leak.column!r} is a renaming of {table.target!r}: their values correspond one to one.",
            "predicts": f"{leak.column!r} alone predicts {table.target!r} with {leak.metric} {leak.score:.3f} "
            "in cross-validation.",
        }[leak.kind]
        yield Finding(
            "leakage",
            "alert",
            leak.column,
            message,
            "Ignore the column if it is known only together with the target or after it.",
            {"kind": leak.kind, "metric": leak.metric, "score": leak.score},
        )
    if not leaks:
        yield Finding("leakage", "passed", None, f"No column alone predicts {table.target!r} almost perfectly.")


def proxies(table: CheckedTable) -> Iterator[Finding]:
    """Yield columns that reveal a confirmed sensitive column."""
    if not table.sensitive:
        return
    has_findings = False
    for name in table.sensitive:
        if not 2 <= table.distinct[name] <= PROXY_LEVELS:
            continue
        known = table.frame[table.frame[name].notna()]
        others = [c for c in table.features if c not in table.sensitive]
        for leak in find_leaks(known, name, "multiclass" if table.distinct[name] > 2 else "binary", others):
            has_findings = True
            yield Finding(
                "proxy",
                "notice",
                leak.column,
                f"{leak.column!r} reveals the sensitive column {name!r} (AUC {leak.score:.3f}).",
                f"Leaving {name!r} out of the features does not hide it while {leak.column!r} is a feature.",
                {"sensitive": name, "score": leak.score},
            )
    if not has_findings:
        yield Finding("proxy", "passed", None, "No single column reveals a sensitive one.")

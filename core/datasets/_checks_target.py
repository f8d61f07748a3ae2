"""Guardrails that are about the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.datasets._checks import Subject
from core.datasets._finding import Finding
from core.datasets._leakage import find_leaks

__all__ = ["CHECKS"]

MISSING_ALERT = 0.2
IMBALANCE_NOTICE = 0.1
IMBALANCE_ALERT = 0.01
MIN_CLASS_ROWS = 10
PROXY_LEVELS = 20


def missing_target(subject: Subject) -> Iterator[Finding]:
    """Rows without a target teach nothing and test nothing."""
    if subject.labels is None:
        return
    missing = int(subject.labels.isna().sum())
    share = missing / subject.rows
    if not missing:
        yield Finding("missing_target", "passed", subject.target, f"{subject.target!r} is known in every row.")
        return
    yield Finding(
        "missing_target",
        "alert" if share > MISSING_ALERT else "notice",
        subject.target,
        f"{subject.target!r} is missing in {missing:,} of {subject.rows:,} rows ({share:.1%}).",
        "These rows are left out. Find out why they have no target: if it is not by chance, so is the model.",
        {"missing": missing, "share": share},
    )


def classes(subject: Subject) -> Iterator[Finding]:
    """A single class, classes of very different size, and classes too small to be split."""
    if subject.labels is None or subject.task is None:
        return
    target = subject.target
    if subject.labels.nunique() < 2:
        yield Finding(
            "constant_target",
            "alert",
            target,
            f"{target!r} has a single value, {subject.labels.dropna().iloc[0]!r}.",
            "There is nothing to predict. Choose another target.",
        )
        return
    yield Finding("constant_target", "passed", target, f"{target!r} varies.")
    if subject.task == "regression":
        return
    counts = subject.labels.value_counts()
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
            "Accuracy misleads here: judge by ROC AUC, average precision or balanced accuracy, or weight the classes.",
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
            "They cannot be both learnt and tested. Merge them with others, or leave their rows out.",
            {"classes": small},
        )
    else:
        yield Finding("small_classes", "passed", target, f"Each class has at least {MIN_CLASS_ROWS} rows.")


def leakage(subject: Subject) -> Iterator[Finding]:
    """A column that predicts the target alone is often only known after it."""
    if subject.target is None or subject.task is None or subject.distinct[subject.target] < 2:
        return
    known = subject.frame[subject.frame[subject.target].notna()]
    leaks = find_leaks(known, subject.target, subject.task, subject.features)
    for leak in leaks:
        told = {
            "equal": f"{leak.column!r} equals {subject.target!r} in every row.",
            "recoded": f"{leak.column!r} is {subject.target!r} under other names: each value stands for one.",
            "predicts": f"{leak.column!r} alone predicts {subject.target!r} with {leak.metric} {leak.score:.3f} "
            "in cross-validation.",
        }[leak.kind]
        yield Finding(
            "leakage",
            "alert",
            leak.column,
            told,
            "If it is only known together with the target or after it, ignore the column.",
            {"kind": leak.kind, "metric": leak.metric, "score": leak.score},
        )
    if not leaks:
        yield Finding("leakage", "passed", None, f"No column alone predicts {subject.target!r} almost perfectly.")


def proxies(subject: Subject) -> Iterator[Finding]:
    """A column that gives a confirmed sensitive one away brings it back when that is left out."""
    if not subject.sensitive:
        return
    found = False
    for name in subject.sensitive:
        if not 2 <= subject.distinct[name] <= PROXY_LEVELS:
            continue
        known = subject.frame[subject.frame[name].notna()]
        others = [c for c in subject.features if c not in subject.sensitive]
        for leak in find_leaks(known, name, "multiclass" if subject.distinct[name] > 2 else "binary", others):
            found = True
            yield Finding(
                "proxy",
                "notice",
                leak.column,
                f"{leak.column!r} gives the sensitive column {name!r} away (AUC {leak.score:.3f}).",
                f"Leaving {name!r} out of the features does not hide it while {leak.column!r} is in.",
                {"sensitive": name, "score": leak.score},
            )
    if not found:
        yield Finding("proxy", "passed", None, "No single column gives a sensitive one away.")


CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (missing_target, classes, leakage, proxies)

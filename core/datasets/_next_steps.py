"""What can be done with a table, by what its columns look like."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from core.datasets._column_profile import ColumnProfile, Profile
from core.datasets._sensitive import suspected_attribute
from core.favorable import names_decision

__all__ = ["NextStep", "StepName", "likely_target", "next_steps"]

StepName = Literal["roles", "search", "fairness", "finetune"]

_TARGET_WORDS = (
    "target label class outcome truth actual y",
    "churn churned attrition survived default defaulted diagnosis sentiment fraud response recidivism recid",
    "status credit income price approved hired decision result grade species quality category",
)
_PREDICTION_WORDS = {
    "predicted",
    "prediction",
    "predictions",
    "pred",
    "yhat",
    "model",
    "algorithm",
    "recommended",
    "recommendation",
}
_SCORE_WORDS = {"score", "scores", "probability", "prob", "proba", "risk", "decile"}
_MAX_CLASSES = 20
_MAX_LABELS = 50
_MAX_DECISIONS = 4  # such as invited, waiting list, rejected
_MIN_ROWS_PER_GROUP = 10


@dataclass(frozen=True)
class NextStep:
    """Something that can be done with a table.

    Parameters
    ----------
    name : {"roles", "search", "fairness", "finetune"}
        Step: choose the target, search for a model, check decisions for fairness, or fine-tune a model on texts.
    reason : str
        Sentence that says what it rests on.
    columns : mapping, default={}
        Names of the columns that are meant, by their part in the step: target, label, prediction or score, text, and
        groups, the likeliest first.
    """

    name: StepName
    reason: str
    columns: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


def next_steps(profile: Profile, *, target: str | None = None, sensitive: Sequence[str] = ()) -> list[NextStep]:
    """Return what fits a table, the first step first.

    Parameters
    ----------
    profile : Profile
        Content of the columns.
    target : str, optional
        Name of the column to predict, where a user has chosen it.
    sensitive : sequence of str, default=()
        Names of the columns that a user has marked as people's attributes.

    See Also
    --------
    suspected_attribute : Recognize columns that name groups of people.

    Examples
    --------
    >>> import pandas as pd
    >>> from core.datasets import profile
    >>> frame = pd.DataFrame({"age": range(20, 60), "churn": ["yes", "no"] * 20})
    >>> [(step.name, dict(step.columns)) for step in next_steps(profile(frame))]
    [('roles', {'target': 'churn'}), ('search', {'target': 'churn'})]
    """
    columns = {column.name: column for column in profile.columns}
    chosen = target if target in columns else None
    likely = chosen or likely_target(profile)
    steps = []
    if chosen is None:
        reason = f"{_by_its_name(likely)}." if likely else "No column is chosen to be predicted."
        steps.append(NextStep("roles", reason, {"target": likely} if likely else {}))
    if likely is not None:
        reason = f"'{likely}' is the target of this dataset." if chosen else f"{_by_its_name(likely)}."
        steps.append(NextStep("search", reason, {"target": likely}))
    if (decisions := _decisions(profile, likely, sensitive)) is not None:
        steps.append(decisions)
    if (texts := _texts(profile, likely)) is not None:
        steps.append(texts)
    return steps


def _by_its_name(column: str) -> str:
    return f"The name of '{column}' is one that targets often have"


def likely_target(profile: Profile) -> str | None:
    """Return the column whose name suggests that it is to be predicted, or None.

    The name, or its last word, is one that targets commonly have; of several, the more telling name, two classes and
    the later column are preferred.
    """
    candidates = []
    for position, column in enumerate(profile.columns):
        words = _words(column.name)
        usable = column.kind in ("boolean", "category", "number") and column.distinct >= 2
        if not usable or _is_prediction(column) or (column.kind == "category" and column.distinct > _MAX_CLASSES):
            continue
        rank = _rank(words)
        if rank is not None:
            candidates.append(((-rank, column.distinct == 2, len(words) == 1, position), column.name))
    return max(candidates)[1] if candidates else None


def _rank(words: Sequence[str]) -> int | None:
    """Return how telling a name is, 0 the most, or None; the words of the first rank are so only alone ("SubClass")."""
    for rank, names in enumerate(_TARGET_WORDS):
        if words and "".join(words) in names.split():
            return rank
    for rank, names in enumerate(_TARGET_WORDS):
        if words and words[-1] in names.split():
            return rank or len(_TARGET_WORDS) - 1
    return None


def _decisions(profile: Profile, target: str | None, sensitive: Sequence[str]) -> NextStep | None:
    """Return the check of decisions: it needs groups of people, and decisions or a prediction of an outcome."""
    prediction = next((column for column in profile.columns if _is_prediction(column)), None)
    groups = _groups(profile, target, sensitive)
    if not groups:
        return None
    listed = ", ".join(f"'{name}'" for name in groups[:3])
    label = None if prediction is None else _outcome(profile, prediction, target, groups)
    if prediction is None or label is None:
        decided = next((c for c in profile.columns if c.name not in groups and _is_decision(c)), None)
        if decided is None:
            return None
        reason = f"'{decided.name}' looks like decisions on people, and {listed} like their groups."
        return NextStep("fairness", reason, {"prediction": decided.name, "groups": groups})
    decides = prediction.distinct == 2
    what = "decisions on" if decides else "a score of"
    reason = f"'{prediction.name}' looks like {what} '{label}', and {listed} like groups of people."
    part = "prediction" if decides else "score"
    return NextStep("fairness", reason, {"label": label, part: prediction.name, "groups": groups})


def _groups(profile: Profile, target: str | None, sensitive: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of groups: those that a user has marked first, and numbers, which have to be cut, last."""
    columns = [
        column
        for column in profile.columns
        if (column.name in sensitive or suspected_attribute(column.name))
        and column.name != target
        and (column.kind == "number" or 2 <= column.distinct <= max(2, profile.rows // _MIN_ROWS_PER_GROUP))
        and column.distinct >= 2
    ]
    ordered = sorted(columns, key=lambda column: (column.name not in sensitive, column.kind == "number"))
    return tuple(column.name for column in ordered)


def _outcome(profile: Profile, prediction: ColumnProfile, target: str | None, groups: Sequence[str]) -> str | None:
    """Return the outcome that a prediction is about: the target, or a column with the same two values."""
    if target is not None and target != prediction.name:
        return target
    values = {value for value, _ in prediction.top}
    for column in profile.columns:
        same = {value for value, _ in column.top} == values and column.distinct == prediction.distinct == 2
        if same and column.name != prediction.name and column.name not in groups and values != {"0", "1"}:
            return column.name
    return None


def _is_prediction(column: ColumnProfile) -> bool:
    words = set(_words(column.name))
    if words & _PREDICTION_WORDS:
        return column.distinct == 2 or _is_share(column)
    return bool(words & _SCORE_WORDS) and (_is_share(column) or bool(words & {"risk", "decile"}))


def _is_decision(column: ColumnProfile) -> bool:
    few = column.kind == "category" and 2 <= column.distinct <= _MAX_DECISIONS
    return few and names_decision(value for value, _ in column.top)


def _is_share(column: ColumnProfile) -> bool:
    low, high = column.minimum, column.maximum
    return isinstance(low, int | float) and isinstance(high, int | float) and 0 <= low < high <= 1


def _texts(profile: Profile, target: str | None) -> NextStep | None:
    text = next((column.name for column in profile.columns if column.kind == "text"), None)
    classes = {
        column.name: column.distinct
        for column in profile.columns
        if column.kind in ("category", "boolean") and 2 <= column.distinct <= _MAX_LABELS
    }
    label = target if target in classes else next(iter(classes), None)
    if text is None or label is None:
        return None
    reason = f"'{text}' has texts, and '{label}' has {classes[label]} different values."
    return NextStep("finetune", reason, {"text": text, "label": label})


def _words(name: str) -> list[str]:
    """Return the words of a column name, in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return re.findall(r"[a-z]+", "".join(c for c in plain if not unicodedata.combining(c)).casefold())

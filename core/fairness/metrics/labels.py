"""Labels as yes and no: which one is positive, and whether labels and predictions are written alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError, SettingsError
from core.fairness.metrics.arrays import BoolArray, Label, LabelArray
from core.fairness.metrics.groups import label_text
from core.favorable import favorable_outcome, outcome_participle

__all__ = [
    "LabelMatch",
    "PositiveLabel",
    "as_array",
    "as_positive",
    "match_labels",
    "refuse_other_labels",
    "resolve_outcome",
]

_LISTED = 10


@dataclass(frozen=True)
class PositiveLabel:
    """The label that the rates are about.

    Parameters
    ----------
    label : label
        The label as it is in the data.
    reason : str
        Why this label is the positive one, as a sentence.
    by_order : bool, default=False
        Whether only the order of the labels decided.
    """

    label: Label
    reason: str
    by_order: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether the label is 1 or true, which has no word of its own."""
        return label_text(self.label).casefold() in ("1", "true")

    @property
    def selected(self) -> str:
        """The words after a number of people: "invited", "get 'good'", "selected"."""
        return self._words("get")

    @property
    def not_selected(self) -> str:
        """The opposite of `selected`."""
        return f"not {self.selected}" if not self.selected.startswith("get ") else f"do not {self.selected}"

    @property
    def those_selected(self) -> str:
        """The words after "among those": "invited", "who get 'good'"."""
        return self._words("who get")

    @property
    def truth(self) -> str:
        """The label as an attribute: "the true label 'invite'", "the positive label"."""
        return "the positive label" if self.is_plain else f"the true label '{label_text(self.label)}'"

    def _words(self, verb: str) -> str:
        if self.is_plain:
            return "selected"
        return outcome_participle(self.label) or f"{verb} '{label_text(self.label)}'"


@dataclass(frozen=True)
class LabelMatch:
    """Predicted labels beside the true ones.

    Parameters
    ----------
    unknown : tuple of str
        Predicted labels that never occur among the true ones.
    alike : dict of str to str
        True labels by the unknown ones that differ from them in case, spaces or the form of a number only.
    shared : bool
        Whether any predicted label occurs among the true ones.
    """

    unknown: tuple[str, ...]
    alike: dict[str, str]
    shared: bool


def as_array(values: ArrayLike, name: str, rows: int | None = None) -> LabelArray:
    """Return values as a one-dimensional array without missing ones.

    Raises
    ------
    InputError
        When there are no values, their number is not `rows`, or some are missing.
    """
    if isinstance(values, pd.Series | pd.Index):
        missing = int(values.isna().sum())
        array = values.to_numpy()
    else:
        array = np.asarray(values)
        if array.dtype.kind in "US" and not isinstance(values, np.ndarray):
            array = np.asarray(values, dtype=object)  # NumPy makes a text of NaN, and of numbers among texts
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        missing = int(pd.isna(array).sum()) if array.dtype.kind in ("f", "O") else 0
    if array.ndim != 1:
        raise InputError(f"{name} has {array.ndim} dimensions.", "Give one value per row.")
    if not len(array):
        raise InputError(f"{name} has no rows.", "Give at least one row.")
    if rows is not None and len(array) != rows:
        raise InputError(f"{name} has {len(array):,} rows, the labels have {rows:,}.", "Give one value per row.")
    if missing:
        raise InputError(
            f"{missing:,} rows have no value in {name}.", "Leave these rows out, and report how many they are."
        )
    return np.asarray(array)


def resolve_outcome(y_true: LabelArray, y_pred: LabelArray | None, pos_label: Label | None) -> PositiveLabel:
    """Return the label that counts as positive, and why.

    With 0 and 1 (or False and True) it is 1. Among other labels it is the one whose outcome is good for the person, by
    known words; where they do not decide it is the last in sorted order, and the reason says so.

    Raises
    ------
    SettingsError
        When no row has the given label.
    """
    labels: set[Label] = set()
    for array in (y_true, y_pred):
        if array is None:
            continue
        if _are_bits(array):
            labels |= {False, True} if array.dtype.kind == "b" else {0, 1}
        else:
            labels |= set(pd.unique(array).tolist())
    if pos_label is not None:
        text = label_text(pos_label)
        for label in labels:
            if label == pos_label or label_text(label) == text:
                return PositiveLabel(label, f"{pos_label!r} was chosen.")
        raise SettingsError(f"No row has the positive label {pos_label!r}.", f"Choose one of {_listed(labels)}.")
    if labels <= {0, 1}:
        return PositiveLabel(1, "The labels are 0 and 1.")
    ordered = sorted(labels, key=lambda label: (str(type(label)), label))
    favorable = favorable_outcome(ordered)
    if favorable is not None:
        return PositiveLabel(favorable.label, favorable.reason)
    reason = f"It is the last of {_listed(labels)} in sorted order: no known word says which outcome is good."
    return PositiveLabel(ordered[-1], reason, by_order=True)


def _are_bits(array: LabelArray) -> bool:
    """Return whether all values are 0 and 1, or truth values."""
    if array.dtype.kind == "f":
        return bool(np.isin(array, (0, 1)).all())
    return bool(array.dtype.kind in "biu" and array.min() >= 0 and array.max() <= 1)


def _listed(labels: set[Label]) -> str:
    return ", ".join(map(repr, sorted(labels, key=str)[:_LISTED]))


def as_positive(values: LabelArray, pos_label: Label) -> BoolArray:
    """Return for each row whether it has the positive label."""
    if values.dtype.kind == "b" and pos_label in (0, 1):
        return values if pos_label else ~values
    if values.dtype.kind in "iuf" and not isinstance(pos_label, str):
        return np.asarray(values == pos_label, dtype=bool)
    codes, labels = pd.factorize(values)
    same = np.array([label == pos_label or label_text(label) == label_text(pos_label) for label in labels], dtype=bool)
    return np.asarray(same[codes])


def match_labels(truth: Iterable[Label], predicted: Iterable[Label]) -> LabelMatch:
    """Compare the predicted labels with the true ones.

    Parameters
    ----------
    truth, predicted : iterable of label
        Distinct labels of both.

    Examples
    --------
    >>> match_labels(["yes", "no"], ["Yes", "no", "maybe"])
    LabelMatch(unknown=('Yes', 'maybe'), alike={'Yes': 'yes'}, shared=True)
    """
    known = {label_text(label) for label in truth}
    texts = {label_text(label) for label in predicted}
    unknown = tuple(sorted(texts - known))
    by_spelling: dict[str, list[str]] = {}
    for text in sorted(known):
        by_spelling.setdefault(_spelling(text), []).append(text)
    candidates = {text: by_spelling.get(_spelling(text), []) for text in unknown}
    alike = {text: matches[0] for text, matches in candidates.items() if len(matches) == 1}
    return LabelMatch(unknown, alike, bool(texts & known))


def _spelling(text: str) -> str:
    """Return a label without case and spaces around it, and a number without its form."""
    folded = " ".join(text.casefold().split())
    try:
        number = float(folded)
    except ValueError:
        return folded
    return label_text(number)


def refuse_other_labels(y_true: LabelArray, y_pred: LabelArray) -> tuple[str, ...]:
    """Refuse predictions in another coding than the labels, and return the labels that are only predicted.

    Raises
    ------
    InputError
        When both have no label in common, or one is written in two ways, since rates would be 0.
    """
    if _are_bits(y_true) and _are_bits(y_pred):
        return ()
    truth, predicted = (set(pd.unique(array).tolist()) for array in (y_true, y_pred))
    match = match_labels(truth, predicted)
    if not match.shared:
        raise InputError(
            f"The labels are {_listed(truth)}, the predictions {_listed(predicted)}: no label is in both.",
            "Give both in the same coding.",
        )
    if match.alike:
        text, known = next(iter(match.alike.items()))
        raise InputError(
            f"The prediction '{text}' is written '{known}' among the labels.", "Give both in the same coding."
        )
    return match.unknown

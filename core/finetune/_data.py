"""From a table and settings to texts, labels and a split, made before anything is learned."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types

from core.datasets import Finding, infer_task
from core.errors import InputError
from core.finetune._settings import FineTuneSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MAX_CLASSES", "TextData", "prepare"]

MAX_CLASSES = 200
_GARBLED = re.compile("\N{REPLACEMENT CHARACTER}|Ã[\x80-\xbf]|â€|Â[\x80-\xbf]")


@dataclass
class TextData:
    """Texts and labels that can be used, and which of them are for what.

    Parameters
    ----------
    task : str
        binary, multiclass or regression.
    rows : array of int (n,)
        Positions of the usable rows in the table.
    texts : list of str
        Their texts.
    y : array (n,)
        Class codes, or numbers.
    labels : list of str or None
        Labels by code; None for a number.
    train, validation, test : arrays of int
        Positions in `texts`.
    """

    task: str
    rows: NDArray[np.intp]
    texts: list[str]
    y: NDArray[Any]
    labels: list[str] | None
    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]
    findings: list[Finding] = field(default_factory=list)

    @property
    def classification(self) -> bool:
        """Whether the labels are classes."""
        return self.labels is not None

    def part(self, rows: NDArray[np.intp]) -> list[str]:
        """Return the texts at these positions."""
        return [self.texts[row] for row in rows]


def prepare(frame: pd.DataFrame, settings: FineTuneSettings) -> TextData:
    """Drop what cannot be used, and split the rest: test first, then validation, both stratified.

    Raises
    ------
    InputError
        When the table cannot be learned from as asked.
    """
    _require_columns(frame, settings)
    findings: list[Finding] = []
    column = frame[settings.text_column]
    if types.is_numeric_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype):
        raise InputError(f"The column '{settings.text_column}' holds no texts.", "Choose a column of text.")
    rows = _usable(frame, settings, findings)
    texts = [str(text) for text in column.iloc[rows]]
    task, y, labels = _labels(frame[settings.label_column].iloc[rows], settings, findings)
    train, validation, test = _split(y, labels is not None, settings)
    data = TextData(task, rows, texts, y, labels, train, validation, test, findings)
    _note_duplicates(data, settings)
    _note_garbled(data, settings)
    return data


def _require_columns(frame: pd.DataFrame, settings: FineTuneSettings) -> None:
    for name in (settings.text_column, settings.label_column, *settings.sensitive_columns):
        if name not in frame.columns:
            close = difflib.get_close_matches(name, [str(column) for column in frame.columns], n=3)
            hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else "Choose one of the table's columns."
            raise InputError(f"The table has no column '{name}'.", hint)


def _usable(frame: pd.DataFrame, settings: FineTuneSettings, findings: list[Finding]) -> NDArray[np.intp]:
    text, label = frame[settings.text_column], frame[settings.label_column]
    if types.is_float_dtype(label.dtype):
        label = label.where(np.isfinite(label.to_numpy(dtype=float, na_value=np.nan)))
    empty = text.isna().to_numpy() | (text.astype(str).str.strip() == "").to_numpy(dtype=bool)
    missing = label.isna().to_numpy() & ~empty
    for check, lost, name, what in (
        ("empty_text", empty, settings.text_column, "no text"),
        ("missing_label", missing, settings.label_column, f"no '{settings.label_column}'"),
    ):
        count = int(lost.sum())
        if count:
            findings.append(
                Finding(
                    check,
                    "notice",
                    name,
                    f"{count:,} of {len(frame):,} rows have {what} and are left out.",
                    "Fill them in if they should count.",
                    {"rows": count},
                )
            )
    rows = np.flatnonzero(~empty & ~missing)
    if not len(rows):
        raise InputError("No row has a text and a label.", "Choose other columns.")
    return rows


def _name(label: Any) -> str:
    """Return a label as text; a whole number that missing cells made a float is one again."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _labels(
    values: pd.Series, settings: FineTuneSettings, findings: list[Finding]
) -> tuple[str, NDArray[Any], list[str] | None]:
    number = settings.task == "regression" or (settings.task == "auto" and infer_task(values) == "regression")
    if number:
        try:
            numbers = pd.to_numeric(values).to_numpy(dtype=float)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"The column '{settings.label_column}' is not a number everywhere ({error}).",
                "Set the task to classification.",
            ) from error
        if np.ptp(numbers) == 0:
            raise InputError(f"'{settings.label_column}' is {numbers[0]:g} in all rows.", "Choose a label that varies.")
        return "regression", numbers, None
    names = np.array([_name(label) for label in values.tolist()], dtype=object)
    labels = sorted(set(names), key=lambda name: (0, int(name), name) if re.fullmatch(r"-?\d+", name) else (1, 0, name))
    if len(labels) < 2:
        raise InputError(
            f"The column '{settings.label_column}' has one value only ({labels[0]!r}).", "Choose a label that varies."
        )
    if len(labels) > MAX_CLASSES:
        raise InputError(
            f"The column '{settings.label_column}' has {len(labels):,} classes; {MAX_CLASSES} is the most.",
            "Group rare classes, or choose another label.",
        )
    code = {name: position for position, name in enumerate(labels)}
    y = np.array([code[name] for name in names], dtype=np.intp)
    lonely = [labels[position] for position in np.flatnonzero(np.bincount(y) == 1)]
    if lonely:
        findings.append(
            Finding(
                "lonely_class",
                "alert",
                settings.label_column,
                f"{len(lonely)} {'class has' if len(lonely) == 1 else 'classes have'} one row only "
                f"({', '.join(lonely[:5])}), which is used for training: nothing tests them.",
                "Add rows of these classes, or leave them out.",
                {"classes": lonely},
            )
        )
    return "binary" if len(labels) == 2 else "multiclass", y, labels


def _split(
    y: NDArray[Any], classification: bool, settings: FineTuneSettings
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    from core.evaluation import split_test

    rest, test = split_test(y, classification, settings.test_fraction, settings.seed)
    share = settings.validation_fraction / (1 - settings.test_fraction)
    # Codes without gaps: the test may have taken a class's only other row.
    left = np.unique(y[rest], return_inverse=True)[1] if classification else y[rest]
    train, validation = split_test(left, classification, share, settings.seed)
    return rest[train], rest[validation], test


def _note_duplicates(data: TextData, settings: FineTuneSettings) -> None:
    """Find texts that are held out and trained on as well: they make every figure too good."""
    keys = np.array([" ".join(text.casefold().split()) for text in data.texts], dtype=object)
    seen = set(keys[data.train])
    leaked = {
        name: int(sum(key in seen for key in keys[rows]))
        for name, rows in (("validation", data.validation), ("test", data.test))
    }
    total = sum(leaked.values())
    if not total:
        return
    held = len(data.validation) + len(data.test)
    data.findings.append(
        Finding(
            "duplicates_across_split",
            "alert" if total > held / 100 else "notice",
            settings.text_column,
            f"{leaked['test']:,} of {len(data.test):,} test texts and {leaked['validation']:,} of "
            f"{len(data.validation):,} validation texts are in the training rows too.",
            "Remove duplicates from the table: the figures of these rows tell nothing about new texts.",
            leaked,
        )
    )


def _note_garbled(data: TextData, settings: FineTuneSettings) -> None:
    count = sum(_GARBLED.search(text) is not None for text in data.texts)
    if count:
        data.findings.append(
            Finding(
                "mixed_encodings",
                "notice",
                settings.text_column,
                f"{count:,} of {len(data.texts):,} texts look as if they had been read in a wrong encoding.",
                "Load the file with its own encoding, or convert these texts.",
                {"rows": count},
            )
        )

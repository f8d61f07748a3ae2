"""Texts, labels and the split of a table, prepared before anything is learned."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

from core.columns import require_columns
from core.datasets import Finding, infer_task, may_be_ids
from core.errors import InputError, SettingsError
from core.finetune.settings import FineTuneSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Target: TypeAlias = NDArray[np.intp] | NDArray[np.float64]

__all__ = ["MAX_CLASSES", "TextData", "prepare"]

MAX_CLASSES = 200
_GARBLED = re.compile("\N{REPLACEMENT CHARACTER}|Ã[\x80-\xbf]|â€|Â[\x80-\xbf]")


@dataclass
class TextData:
    """The usable texts and labels of a table, and their split.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
        The task.
    rows : array of int of shape (n,)
        Positions of the usable rows in the table.
    texts : list of str
        Texts of the usable rows.
    y : array of shape (n,)
        Class codes, or numbers.
    labels : list of str or None
        Labels by code; None for a number.
    train, validation, test : arrays of int
        Positions in `texts` of each part of the split.
    findings : list of Finding, optional
        Findings about the texts and the labels.
    """

    task: str
    rows: NDArray[np.intp]
    texts: list[str]
    y: Target
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
    """Drop unusable rows, and split the rest: test first, then validation, both stratified.

    Parameters
    ----------
    frame : DataFrame
        The table.
    settings : FineTuneSettings
        The settings of the training.

    Raises
    ------
    InputError
        When a model cannot be trained on the table with these settings.
    """
    require_columns(frame, (settings.text_column, settings.label_column, *settings.sensitive_columns))
    findings: list[Finding] = []
    column = frame[settings.text_column]
    if types.is_numeric_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype):
        raise InputError(f"The column '{settings.text_column}' does not hold texts.", "Choose a column of text.")
    rows = _usable(frame, settings, findings)
    texts = [str(text) for text in column.iloc[rows]]
    task, y, labels = _labels(frame[settings.label_column].iloc[rows], settings, findings)
    train, validation, test = _split(y, labels is not None, settings)
    data = TextData(task, rows, texts, y, labels, train, validation, test, findings)
    _note_duplicates(data, settings)
    _note_garbled(data, settings)
    return data


def _usable(frame: pd.DataFrame, settings: FineTuneSettings, findings: list[Finding]) -> NDArray[np.intp]:
    text, label = frame[settings.text_column], frame[settings.label_column]
    if types.is_float_dtype(label.dtype):
        label = label.where(np.isfinite(label.to_numpy(dtype=float, na_value=np.nan)))
    empty = text.isna().to_numpy() | (text.astype(str).str.strip() == "").to_numpy(dtype=bool)
    missing = label.isna().to_numpy() & ~empty
    for check, unusable, name, lacking in (
        ("empty_text", empty, settings.text_column, "text"),
        ("missing_label", missing, settings.label_column, f"'{settings.label_column}'"),
    ):
        count = int(unusable.sum())
        if count:
            findings.append(
                Finding(
                    check,
                    "notice",
                    name,
                    f"{count:,} of {len(frame):,} rows have no {lacking} and are left out.",
                    "Fill them in if they should count.",
                    {"rows": count},
                )
            )
    rows = np.flatnonzero(~empty & ~missing)
    if not len(rows):
        raise InputError("There are no rows with a text and a label.", "Choose other columns.")
    return rows


def _refuse_ambiguous(values: pd.Series, column: str) -> None:
    """Refuse to guess whether whole numbers of many values are ids of classes or quantities."""
    if not types.is_numeric_dtype(values.dtype) or types.is_bool_dtype(values.dtype):
        return
    distinct = values.drop_duplicates().to_numpy(dtype=float)
    if may_be_ids(len(distinct), len(values)) and bool(np.all(distinct == np.rint(distinct))):
        raise SettingsError(
            f"'{column}' holds {len(distinct):,} whole numbers: they may be the ids of classes, or quantities.",
            "Set the task to classification for ids, or to regression for quantities.",
        )


def _label_name(label: object) -> str:
    """Return a label as text; a whole number that missing cells turned into a float loses its decimal point."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


def _labels(
    values: pd.Series, settings: FineTuneSettings, findings: list[Finding]
) -> tuple[str, Target, list[str] | None]:
    if settings.task == "auto":
        _refuse_ambiguous(values, settings.label_column)
    if settings.task == "regression" or (settings.task == "auto" and infer_task(values) == "regression"):
        try:
            numbers = pd.to_numeric(values).to_numpy(dtype=float)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"The column '{settings.label_column}' is not a number in every row ({error}).",
                "Set the task to classification.",
            ) from error
        if np.ptp(numbers) == 0:
            raise InputError(f"'{settings.label_column}' is {numbers[0]:g} in all rows.", "Choose a label that varies.")
        return "regression", numbers, None
    names = np.array([_label_name(label) for label in values.tolist()], dtype=object)
    labels = sorted(set(names), key=lambda name: (0, int(name), name) if re.fullmatch(r"-?\d+", name) else (1, 0, name))
    if len(labels) < 2:
        raise InputError(
            f"The column '{settings.label_column}' has only one value ({labels[0]!r}).", "Choose a label that varies."
        )
    if len(labels) > MAX_CLASSES:
        raise InputError(
            f"The column '{settings.label_column}' has {len(labels):,} classes; the maximum is {MAX_CLASSES}.",
            "Group rare classes, or choose another label.",
        )
    code = {name: position for position, name in enumerate(labels)}
    y = np.array([code[name] for name in names], dtype=np.intp)
    single = [labels[position] for position in np.flatnonzero(np.bincount(y) == 1)]
    if single:
        findings.append(
            Finding(
                "lonely_class",
                "alert",
                settings.label_column,
                f"{len(single)} {'class has' if len(single) == 1 else 'classes have'} only one row "
                f"({', '.join(single[:5])}), which is used for training: nothing tests such a class.",
                "Add rows of these classes, or leave them out.",
                {"classes": single},
            )
        )
    return "binary" if len(labels) == 2 else "multiclass", y, labels


def _split(
    y: Target, classification: bool, settings: FineTuneSettings
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    from core.evaluation import split_test

    rest, test = split_test(y, classification, settings.test_fraction, settings.seed)
    share = settings.validation_fraction / (1 - settings.test_fraction)
    # Codes without gaps: the test may have taken a class's only other row.
    codes = np.unique(y[rest], return_inverse=True)[1] if classification else y[rest]
    train, validation = split_test(codes, classification, share, settings.seed)
    return rest[train], rest[validation], test


def _note_duplicates(data: TextData, settings: FineTuneSettings) -> None:
    """Find held-out texts that are also trained on: they make every metric too good."""
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
            f"{len(data.validation):,} validation texts are also in the training rows.",
            "Remove duplicates from the table: metrics on such rows do not apply to new texts.",
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
                f"{count:,} of {len(data.texts):,} texts look as if they were read with the wrong encoding.",
                "Load the file with its own encoding, or convert these texts.",
                {"rows": count},
            )
        )

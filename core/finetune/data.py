"""Texts, labels and the split of a table, prepared before anything is learned."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pandas.api import types

from core.columns import require_columns
from core.datasets import Finding
from core.errors import InputError
from core.finetune.encode import Text
from core.finetune.labels import read_labels
from core.finetune.settings import FineTuneSettings
from core.finetune.targets import TargetKind, kind_of_task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.finetune.labels import Target

__all__ = ["TextData", "prepare", "usable_texts"]

_GARBLED = re.compile("\N{REPLACEMENT CHARACTER}|Ã[\x80-\xbf]|â€|Â[\x80-\xbf]")


@dataclass
class TextData:
    """The usable texts and labels of a table, and their split.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression", "multilabel"}
        The task.
    rows : array of int of shape (n,)
        Positions of the usable rows in the table.
    texts : list of str or of (str, str)
        Texts of the usable rows, or pairs of them.
    y : array of shape (n,) or (n, labels)
        Class codes, numbers, or 1 where a text has a label.
    labels : list of str or None
        Labels by code; None for a number.
    train, validation, test : arrays of int
        Positions in `texts` of each part of the split.
    findings : list of Finding, optional
        Findings about the texts and the labels.
    unlabeled : list of str or of (str, str), optional
        Texts of rows that have no label.
    """

    task: str
    rows: NDArray[np.intp]
    texts: list[Text]
    y: Target
    labels: list[str] | None
    train: NDArray[np.intp]
    validation: NDArray[np.intp]
    test: NDArray[np.intp]
    findings: list[Finding] = field(default_factory=list)
    unlabeled: list[Text] = field(default_factory=list)

    @property
    def kind(self) -> TargetKind:
        """The kind of target."""
        return kind_of_task(self.task)

    def part(self, rows: NDArray[np.intp]) -> list[Text]:
        """Return the texts at these positions."""
        return [self.texts[row] for row in rows]


def usable_texts(frame: pd.DataFrame, settings: FineTuneSettings) -> dict[int, Text]:
    """Return the texts, or pairs, that a model can read, by their position in a table.

    Parameters
    ----------
    frame : DataFrame
        The table.
    settings : FineTuneSettings
        The settings of the training.
    """
    rows = np.flatnonzero(~_without_text(frame, settings))
    return dict(zip(rows.tolist(), _texts(frame.iloc[rows], settings), strict=True))


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
    require_columns(frame, settings.columns)
    findings: list[Finding] = []
    for name in settings.text_columns:
        if types.is_numeric_dtype(frame[name].dtype) or types.is_datetime64_any_dtype(frame[name].dtype):
            raise InputError(f"The column '{name}' does not hold texts.", "Choose a column of text.")
    rows = _usable(frame, settings, findings)
    task, y, labels = read_labels(frame.iloc[rows], settings, findings)
    train, validation, test = _split(_strata(y), labels is not None, settings)
    data = TextData(task, rows, _texts(frame.iloc[rows], settings), y, labels, train, validation, test, findings)
    known = set(rows.tolist())
    data.unlabeled = [text for row, text in usable_texts(frame, settings).items() if row not in known]
    _note_duplicates(data, settings)
    _note_garbled(data, settings)
    return data


def _texts(frame: pd.DataFrame, settings: FineTuneSettings) -> list[Text]:
    columns = [[str(text) for text in frame[name]] for name in settings.text_columns]
    return list(columns[0]) if len(columns) == 1 else list(zip(*columns, strict=True))


def _without_text(frame: pd.DataFrame, settings: FineTuneSettings) -> NDArray[np.bool_]:
    empty = np.zeros(len(frame), dtype=bool)
    for name in settings.text_columns:
        empty |= frame[name].isna().to_numpy() | (frame[name].astype(str).str.strip() == "").to_numpy(dtype=bool)
    return empty


def _usable(frame: pd.DataFrame, settings: FineTuneSettings, findings: list[Finding]) -> NDArray[np.intp]:
    empty = _without_text(frame, settings)
    missing = np.zeros(len(frame), dtype=bool)
    for name in settings.target_columns:
        label = frame[name]
        if types.is_float_dtype(label.dtype):
            label = label.where(np.isfinite(label.to_numpy(dtype=float, na_value=np.nan)))
        missing |= label.isna().to_numpy() & ~empty
    several = len(settings.target_columns) > 1
    for check, unusable, name, lacking in (
        (
            "empty_text",
            empty,
            settings.text_column,
            "text, or no second one," if settings.second_text_column else "text",
        ),
        (
            "missing_label",
            missing,
            settings.label_column,
            "value in one of the columns of labels" if several else f"'{settings.label_column}'",
        ),
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


def _strata(y: Target) -> Target:
    """Return what a split is stratified by; of several labels, the rarest one of each text."""
    if y.ndim == 1:
        return y
    order = np.argsort(y.sum(axis=0), kind="stable")
    ranked = y[:, order]
    strata: NDArray[np.intp] = np.where(ranked.any(axis=1), order[ranked.argmax(axis=1)], y.shape[1]).astype(np.intp)
    return strata


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
    joined = [text if isinstance(text, str) else "\n".join(text) for text in data.texts]
    keys = np.array([" ".join(text.casefold().split()) for text in joined], dtype=object)
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
    count = sum(_GARBLED.search(text if isinstance(text, str) else "\n".join(text)) is not None for text in data.texts)
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

"""The labels of a training: classes, numbers or sets of labels, as the settings say or as the column suggests."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from pandas.api import types

from core.datasets import Finding, infer_task, may_be_ids
from core.errors import InputError, SettingsError
from core.finetune.label_sets import LISTS, LabelSets, label_order, likely_separator, read_cells, read_columns
from core.finetune.settings import FineTuneSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Target: TypeAlias = NDArray[np.intp] | NDArray[np.float64] | NDArray[np.int8]

__all__ = ["MAX_CLASSES", "read_labels"]

MAX_CLASSES = 200
_RARE = 8  # texts: fewer give no interval


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


def read_labels(
    frame: pd.DataFrame, settings: FineTuneSettings, findings: list[Finding]
) -> tuple[str, Target, list[str] | None]:
    """Return the task, what is predicted in each row, and the names of classes or labels.

    Parameters
    ----------
    frame : DataFrame of shape (n, columns)
        The usable rows.
    settings : FineTuneSettings
        The settings of the training.
    findings : list of Finding
        Findings; those about the labels are added.

    Returns
    -------
    task : {"binary", "multiclass", "regression", "multilabel"}
        The task.
    y : array of shape (n,) or (n, labels)
        Class codes, numbers, or 1 where a text has a label.
    labels : list of str or None
        Labels by code; None for a number.

    Raises
    ------
    SettingsError
        When whole numbers may be ids as well as quantities.
    InputError
        When the labels do not vary, are too many, or do not fit the task.
    """
    if settings.task == "multilabel" or settings.label_columns:
        return _label_sets(frame, settings, findings)
    values = frame[settings.label_column]
    if settings.task == "auto":
        _refuse_ambiguous(values, settings.label_column)
        _note_separator(values, findings)
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
    return _classes(values, settings, findings)


def _classes(values: pd.Series, settings: FineTuneSettings, findings: list[Finding]) -> tuple[str, Target, list[str]]:
    names = np.array([_label_name(label) for label in values.tolist()], dtype=object)
    labels = sorted(set(names), key=label_order)
    if len(labels) < 2:
        raise InputError(
            f"The column '{settings.label_column}' has only one value ({labels[0]!r}).", "Choose a label that varies."
        )
    if len(labels) > MAX_CLASSES:
        separator = likely_separator(values.tolist())
        hint = "Group rare classes, or choose another label."
        raise InputError(
            f"The column '{settings.label_column}' has {len(labels):,} classes; the maximum is {MAX_CLASSES}.",
            hint if separator is None else "Set the task to multilabel if a cell holds several labels.",
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


def _note_separator(values: pd.Series, findings: list[Finding]) -> None:
    """Say that cells which are read as classes may hold several labels each."""
    separator = None if types.is_numeric_dtype(values.dtype) else likely_separator(values.tolist())
    if separator is not None:
        findings.append(
            Finding(
                "several_labels",
                "notice",
                str(values.name),
                f"Cells may hold several labels, {_sign(separator)}; they are read as one class each.",
                "Set the task to multilabel if a text may have several labels.",
                {"separator": separator},
            )
        )


def _sign(separator: str) -> str:
    if separator == LISTS:
        return "as lists"
    return "one per line" if separator == "\n" else f"separated by '{separator}'"


def _label_sets(
    frame: pd.DataFrame, settings: FineTuneSettings, findings: list[Finding]
) -> tuple[str, Target, list[str]]:
    """Return the labels of texts that may have several, and say how they were read."""
    if settings.label_columns:
        sets = read_columns(frame[list(settings.label_columns)])
    else:
        sets = read_cells(frame[settings.label_column], settings.label_separator)
    names, counts = sets.names, sets.y.sum(axis=0, dtype=np.intp)
    if len(names) > MAX_CLASSES:
        raise InputError(
            f"The column '{settings.label_column}' has {len(names):,} labels; the maximum is {MAX_CLASSES}.",
            "Leave rare labels out, or set label_separator to the sign between the labels of a text.",
        )
    if len(names) < 2:
        raise InputError(f"'{settings.label_column}' has only one label ({names}).", "Choose a column of labels.")
    constant = [name for name, count in zip(names, counts.tolist(), strict=True) if count in (0, len(frame))]
    if constant:
        raise InputError(
            f"The label '{constant[0]}' is the same for all {len(frame):,} texts.",
            "Leave it out: it cannot be learned.",
        )
    findings.append(_how_read(sets, settings))
    rare = [name for name, count in zip(names, counts.tolist(), strict=True) if count < _RARE]
    if rare:
        findings.append(
            Finding(
                "rare_label",
                "alert",
                settings.label_column,
                f"{len(rare)} of {len(names)} labels are those of fewer than {_RARE} texts ({', '.join(rare[:5])}): "
                "they can hardly be learned or tested.",
                "Add texts with these labels, or leave the labels out.",
                {"labels": rare},
            )
        )
    return "multilabel", sets.y, names


def _how_read(sets: LabelSets, settings: FineTuneSettings) -> Finding:
    per_text = sets.y.sum(axis=1)
    none = int((per_text == 0).sum())
    sign = f", {_sign(sets.separator)}" if sets.separator else ", a column each"
    return Finding(
        "labels_read",
        "notice",
        settings.label_column,
        f"{len(sets.names)} labels{sign}: {per_text.mean():.2f} per text, at most {int(per_text.max())}; "
        f"{none:,} texts have none.",
        "" if settings.label_columns else "Set label_separator if this is not how the cells were meant.",
        {"labels": len(sets.names), "separator": sets.separator, "without": none},
    )

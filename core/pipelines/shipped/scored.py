"""Rows with a known target, scored by a model folder: what an evaluation and thresholds are made from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.columns import require_columns
from core.errors import InputError
from core.evaluation import LABEL_THRESHOLD
from core.favorable import favorable_outcome
from core.finetune import known_label_sets
from core.finetune import label_texts as names_of
from core.jsonable import JsonObject
from core.label_cells import MULTILABEL
from core.pipelines.shipped.model_folder import ModelFolder
from core.pipelines.tables import DataTable

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = [
    "PositiveClass",
    "ScoredTable",
    "TrainingRows",
    "compare_with_training",
    "label_texts",
    "positive_class",
    "read_result",
    "score_table",
    "target_of",
]

_MAX_CELLS = 50_000_000


@dataclass(frozen=True)
class PositiveClass:
    """The class of two that figures are about.

    Parameters
    ----------
    label : str
        Its label.
    reason : str
        Why it is this one, as a sentence.
    """

    label: str
    reason: str


@dataclass(frozen=True)
class ScoredTable:
    """Rows with a known target, and what a model predicts for them.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    y : array of shape (n,) or (n, labels)
        Class codes, numbers, or whether a row has each label.
    outputs : array of shape (n, classes) or (n,)
        Probabilities, or numbers.
    labels : list of str or None
        Classes by code; None for a number.
    target : str
        Column that is predicted.
    metric : str
        Metric that the model was chosen by.
    notes : tuple of str
        Sentences about rows that were left out.
    """

    frame: pd.DataFrame
    y: NDArray[np.generic]
    outputs: NDArray[np.float64]
    labels: list[str] | None
    target: str
    metric: str
    notes: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """Task of the model: binary, multiclass, regression or multilabel."""
        if self.y.ndim == 2:
            return MULTILABEL
        return "regression" if self.labels is None else "binary" if len(self.labels) == 2 else "multiclass"

    @property
    def truth(self) -> NDArray[np.generic]:
        """Labels as text, or numbers."""
        if self.labels is None:
            return self.y
        return names_of(self.labels, self.y)

    @property
    def predicted(self) -> NDArray[np.generic]:
        """Predicted labels as text, or numbers."""
        if self.labels is None:
            return self.outputs
        if self.task == MULTILABEL:
            return names_of(self.labels, self.outputs >= LABEL_THRESHOLD)
        return names_of(self.labels, self.outputs.argmax(axis=1))


@dataclass(frozen=True)
class TrainingRows:
    """How many of some rows are equal to a row that the model learned from, by features and target.

    Parameters
    ----------
    rows : int
        Number of rows that were compared.
    shared : int or None
        Number of them that are equal to a training row; None where they were not compared.
    part : str, optional
        Part of a split table that the rows are.
    """

    rows: int
    shared: int | None
    part: str | None = None

    @property
    def held_out(self) -> bool | None:
        """Whether the rows were held out; None where that cannot be told."""
        if self.shared is not None and self.shared > self.rows / 2:
            return False
        return True if self.part == "test" or self.shared == 0 else None

    @property
    def sentence(self) -> str:
        """What is known about it."""
        if self.shared is None:
            return (
                "Whether the model was trained on some of these rows is not known: the tables are too large to compare."
            )
        if self.held_out is False:
            return (
                f"These rows were not held out: {self.shared:,} of {self.rows:,} are equal to a row that the model was "
                "trained on, so the figures flatter it."
            )
        if self.part != "test":
            return f"{self.shared:,} of {self.rows:,} rows are equal to a row that the model was trained on."
        copies = "none is" if not self.shared else f"{self.shared:,} of {self.rows:,} are, by chance or as copies,"
        return f"The rows were held out before the training; {copies} equal to a training row."


def score_table(model: ModelFolder, table: DataTable) -> ScoredTable:
    """Score the rows of a table whose target is known.

    Parameters
    ----------
    model : ModelFolder
        The model.
    table : DataTable
        The rows.

    Raises
    ------
    InputError
        When a column is absent, or no row has a target that the model knows.
    """
    import pandas as pd

    from core.models import load_served_model

    result = read_result(model)
    target = target_of(result)
    require_columns(table.frame.columns, [target])
    labels = None if result["labels"] is None else [str(label) for label in result["labels"]]
    frame = table.frame
    if not len(frame):
        raise InputError("There are no rows to evaluate on.", "Hold out some: set test_fraction above 0.")
    outputs = load_served_model(model.data).score(frame).outputs
    scored = np.isfinite(outputs) if outputs.ndim == 1 else np.isfinite(outputs).all(axis=1)
    if labels is None:
        y = pd.to_numeric(frame[target], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        known = np.isfinite(y)
        unknown = frame[target].notna().to_numpy() & ~known
    elif result["task"] == MULTILABEL:
        y, known = known_label_sets(frame[target], labels, result["settings"].get("label_separator"))
        unknown = frame[target].notna().to_numpy() & ~known
    else:
        texts = label_texts(frame[target])
        y = pd.Index(labels, dtype=object).get_indexer(texts)
        known = y >= 0
        unknown = texts.notna().to_numpy() & ~known
    notes = [
        f"{count:,} of {len(frame):,} rows are left out: {reason}."
        for count, reason in (
            (int((~known & ~unknown).sum()), f"they have no '{target}'"),
            (int(unknown.sum()), f"the model does not know their '{target}'"),
            (int((known & ~scored).sum()), "they have nothing that the model reads"),
        )
        if count
    ]
    rows = np.flatnonzero(known & scored)
    if not len(rows):
        raise InputError(
            f"No row has a '{target}' that the model knows.", f"Its classes are {labels}." if labels else ""
        )
    metric = str(result["metric"])
    return ScoredTable(frame.iloc[rows], y[rows], outputs[rows], labels, target, metric, tuple(notes))


def read_result(model: ModelFolder) -> JsonObject:
    """Return ``result.json`` of a model."""
    record: JsonObject = json.loads((model.data / "result.json").read_text(encoding="utf-8"))
    return record


def target_of(result: JsonObject) -> str:
    """Return the column that a model predicts."""
    settings = result["settings"]
    return str(settings.get("target") or settings["label_column"])


def positive_class(model: ModelFolder, scored: ScoredTable) -> PositiveClass | None:
    """Return the class of two that figures are about; None with more classes or a number."""
    if scored.task != "binary":
        return None
    known = read_result(model).get("positive_class")
    if known is not None:
        return PositiveClass(str(known["label"]), str(known["reason"]))
    labels = scored.labels or []
    favorable = favorable_outcome(labels)
    if favorable is not None:
        return PositiveClass(str(favorable.label), favorable.reason)
    return PositiveClass(labels[-1], f"'{labels[-1]}' is the last in sorted order.")


def compare_with_training(model: ModelFolder, scored: ScoredTable, part: str | None) -> TrainingRows:
    """Count the rows that are equal to one that the model was trained on."""
    result = read_result(model)
    settings = result["settings"]
    texts = [settings[name] for name in ("text_column", "second_text_column") if settings.get(name)]
    columns = [str(name) for name in result.get("features") or texts] + [scored.target]
    trained = model.training_table().frame
    columns = [name for name in columns if name in trained.columns and name in scored.frame.columns]
    if (len(trained) + len(scored.frame)) * len(columns) > _MAX_CELLS:
        return TrainingRows(len(scored.frame), None, part)
    shared = np.isin(_hashes(scored.frame, columns), _hashes(trained, columns))
    return TrainingRows(len(scored.frame), int(shared.sum()), part)


def label_texts(labels: pd.Series) -> pd.Series:
    """Return labels as text, whole numbers without decimals."""
    return labels.astype(object).map(
        lambda value: str(int(value)) if isinstance(value, float) and value.is_integer() else str(value),
        na_action="ignore",
    )


def _hashes(frame: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.uint64]:
    """Return a hash of each row, equal for equal values whatever their types."""
    import pandas as pd

    cells = {
        str(index): label_texts(frame[name]).where(frame[name].notna(), "\0").to_numpy(dtype=object)
        for index, name in enumerate(columns)
    }
    return np.asarray(pd.util.hash_pandas_object(pd.DataFrame(cells), index=False), dtype=np.uint64)

"""Metrics of a scored file that has the target, beside those of the test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.evaluation import compare_outputs
from core.finetune import known_label_sets
from core.models._evidence import RunEvidence
from core.models._fields import Field
from core.models._run_result import StoredEstimate
from core.models.row_preparer import PreparedRows
from core.models.training_overlap import TrainingOverlap, count_overlap, label_texts, row_hashes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EvaluatedRows", "FileEvaluation"]

_FEWEST = 5  # rows with a known target, below which nothing is evaluated
MAX_EVALUATED = 100_000


@dataclass(frozen=True)
class FileEvaluation:
    """The metrics of a file that has the target.

    Parameters
    ----------
    rows : int
        Number of rows that were evaluated.
    left_out : int
        Number of rows whose target is missing or is none that the model knows.
    metrics : dict of StoredEstimate
        Metrics of these rows, with 95% intervals.
    test_metrics : dict of StoredEstimate
        The same of the test rows.
    known : int or None, default=None
        Number of rows with a target that the model knows: of more than `MAX_EVALUATED`, some are evaluated.
    weight : str or None, default=None
        Column by whose weights the rows count, as the test rows do.
    unweighted : str or None, default=None
        Column by whose weights the test rows count, where the file does not have it.
    overlap : TrainingOverlap or None, default=None
        Number of rows that the model was trained on; None in reports of earlier versions.
    """

    rows: int
    left_out: int
    metrics: dict[str, StoredEstimate]
    test_metrics: dict[str, StoredEstimate]
    known: int | None = None
    weight: str | None = None
    unweighted: str | None = None
    overlap: TrainingOverlap | None = None


class EvaluatedRows:
    """Rows of a file that has the target, collected part by part.

    Parameters
    ----------
    evidence : RunEvidence
        The run that made the model.
    fields : sequence of Field
        Columns that the model reads.
    markers : mapping of str to list of str
        Texts that mean a missing value, by column of text.
    """

    def __init__(self, evidence: RunEvidence, fields: Sequence[Field], markers: dict[str, list[str]]) -> None:
        self._evidence = evidence
        self._fields = fields
        self._markers = markers
        weight = evidence.result.settings.get("weight_column")
        self._weight = None if weight is None else str(weight)
        self._truth: list[pd.Series] = []
        self._hashes: list[NDArray[np.uint64]] = []
        self._weights: list[NDArray[np.float64]] = []

    @property
    def has_rows(self) -> bool:
        """Whether any part had the target."""
        return bool(self._truth)

    def add(self, prepared: PreparedRows) -> None:
        """Add the rows of a part, if it has the target."""
        if self._evidence.target not in prepared.frame.columns:
            return
        truth = prepared.frame[self._evidence.target]
        self._truth.append(truth)
        self._hashes.append(row_hashes(prepared.cells, self._fields, truth))
        if self._weight is not None and self._weight in prepared.frame.columns:
            weights = pd.to_numeric(prepared.frame[self._weight], errors="coerce")
            self._weights.append(np.asarray(weights.to_numpy(dtype=float, na_value=np.nan)))

    def evaluation(self, outputs: NDArray[np.float64]) -> FileEvaluation | None:
        """Return the metrics of all rows; None where too few have a target that the model knows.

        Parameters
        ----------
        outputs : array of shape (n, classes) or (n,)
            Probabilities, or numbers, of all rows.
        """
        if not self.has_rows:
            return None
        labels, result = self._evidence.labels, self._evidence.result
        truth = pd.concat(self._truth, ignore_index=True)
        if labels is None:
            y = pd.to_numeric(truth, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
            known = np.isfinite(y) & np.isfinite(outputs)
        elif self._evidence.several:
            separator = result.settings.get("label_separator")
            y, known = known_label_sets(truth, labels, None if separator is None else str(separator))
            known &= np.isfinite(outputs).all(axis=1)
        else:
            y = pd.Index(labels, dtype=object).get_indexer(label_texts(truth))
            known = (y >= 0) & np.isfinite(outputs).all(axis=1)
        weights = np.concatenate(self._weights) if self._weights else None
        if weights is not None:
            known &= np.isfinite(weights) & (weights >= 0)
        rows = np.flatnonzero(known)
        if len(rows) < _FEWEST or (weights is not None and not weights[rows].sum()):
            return None
        overlap = count_overlap(self._evidence, self._fields, np.concatenate(self._hashes)[rows], self._markers)
        chosen = rows[:: -(-len(rows) // MAX_EVALUATED)]
        compared = compare_outputs(
            result.task,
            result.metric,
            y[chosen],
            {"model": outputs[chosen]},
            sample_weight=None if weights is None else weights[chosen],
            labels=labels,
        )
        return FileEvaluation(
            len(chosen),
            len(truth) - len(rows),
            {name: StoredEstimate.of(estimate) for name, estimate in compared.metrics["model"].items()},
            result.test_metrics,
            len(rows),
            None if weights is None else self._weight,
            self._weight if weights is None else None,
            overlap,
        )

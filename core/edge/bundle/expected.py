"""The output that a bundle expects of its sample, with the decisions of the model that its file was made from."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np

from core.edge.export.decisions import decide_rows, near_thresholds
from core.edge.export.metadata import Metadata
from core.edge.portable.cells import csv_text
from core.edge.portable.cli import FILE_DECISION
from core.edge.portable.rules import Rules
from core.edge.variants.modes import FULL_PRECISION
from core.errors import ExportError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["clear_rows", "original_decisions", "with_decisions"]


def clear_rows(metadata: Metadata, rows: pd.DataFrame, outputs: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows no last digit decides; all where there are no others.

    Parameters
    ----------
    metadata : Metadata
        Metadata of the bundle's model.
    rows : DataFrame of n rows
        The sample.
    outputs : array of shape (n, classes) or (n, 1)
        Outputs of the original model.
    """
    if metadata.policy is None:
        return np.ones(len(rows), dtype=bool)
    clear = ~near_thresholds(Rules(metadata.policy), rows, outputs, metadata.labels)
    return clear if clear.any() else np.ones(len(rows), dtype=bool)


def original_decisions(
    metadata: Metadata, rows: pd.DataFrame, outputs: NDArray[np.float64]
) -> NDArray[np.int64] | None:
    """Return the decisions of the policy on the original model's outputs; None without a policy.

    Parameters
    ----------
    metadata, rows, outputs
        See `clear_rows`.
    """
    if metadata.policy is None:
        return None
    ids = [str(row_id) for row_id in rows["row_id"]] if "row_id" in rows.columns else None
    return decide_rows(Rules(metadata.policy), rows, outputs, metadata.labels, ids)


def with_decisions(predicted: str, decisions: NDArray[np.int64] | None, variant: str) -> str:
    """Return what a file predicted with the decisions of its model.

    Parameters
    ----------
    predicted : str
        Predictions of the file, as CSV.
    decisions : array of shape (n,) or None
        Decisions of the original model and the policy; None where they are not known.
    variant : str
        Variant of the file. A smaller one may decide unlike its model; its own decisions are then a column besides.

    Raises
    ------
    ExportError
        When a file in full precision decides unlike its model.
    """
    if decisions is None:
        return predicted
    header, *rows = list(csv.reader(io.StringIO(predicted)))
    column = header.index("decision")
    own, expected = [row[column] for row in rows], [str(decision) for decision in decisions]
    unlike = [number for number, pair in enumerate(zip(own, expected, strict=True), start=1) if pair[0] != pair[1]]
    if not unlike:
        return predicted
    if variant == FULL_PRECISION:
        raise ExportError(
            f"The bundle decides unlike the model on {len(unlike):,} of {len(rows):,} rows of the sample, "
            f"the first is row {unlike[0]}.",
            "It was not written. Use the model in Python, and report this.",
        )
    for row, decision in zip(rows, expected, strict=True):
        row.append(row[column])
        row[column] = decision
    return csv_text([[*header, FILE_DECISION], *rows])  # its texts are safe already

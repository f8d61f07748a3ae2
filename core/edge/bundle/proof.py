"""The proof of a bundle's own reading: rows of a CSV file, read by its code, are answered as the model answers them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.edge.bundle.csv_rows import csv_of, written_rows
from core.edge.bundle.written_cells import cell_formats
from core.edge.export.decisions import decide_rows, group_names, near_thresholds
from core.edge.export.metadata import Metadata
from core.edge.export.parity import Answers, Parity, compare, describe_differences, regression_units
from core.edge.portable.cells import CellError, feed
from core.edge.portable.cli import answer, read_rows
from core.edge.portable.model import EdgeModel
from core.edge.portable.rules import Rules
from core.edge.portable.ties import largest
from core.edge.scoring.feeds import table_feeds
from core.edge.scoring.table_scorer import TableScorer
from core.edge.scoring.text_rows import SECOND_TEXT, TEXT, text_rows
from core.edge.scoring.text_scorer import TextScorer
from core.edge.variants.modes import FULL_PRECISION
from core.errors import ExportError
from core.label_cells import MULTILABEL

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["BUNDLE_ROWS", "prove_reading", "require_reading"]

BUNDLE_ROWS = "bundle_rows"
"""Part of a model's parity: rows of a file, as the code of a bundle reads and answers them."""
_ID = "row_id"
_SCORED_TEXTS = 40  # the tokens of all texts are compared, which decide the answers
_TIE = 1e-5
_HINT = "It was not written. Use the model in Python, and report this."


def prove_reading(folder: Path, metadata: Metadata, rows: pd.DataFrame, outputs: NDArray[np.float64] | None) -> Parity:
    """Write rows as a file, let the code of a bundle read and answer them, and compare with the model.

    Cells are written in all ways that the training file may have had them. What the bundle reads is compared with what
    the product reads, bit by bit, and its probabilities, labels and decisions with those of the model. Rows that no
    file can hold, and rows whose group has no rule, are left out.

    Parameters
    ----------
    folder : Path
        Folder with the bundle's model, and the tokenizer of a text model.
    metadata : Metadata
        Metadata of the bundle's model.
    rows : DataFrame of n rows
        Raw rows with the columns that it reads and decides by; where decisions are drawn, "row_id".
    outputs : array of shape (n, classes) or (n, 1), optional
        Answers of the model that the file was made from. Without them, and for a smaller variant, the answers of the
        file to the same rows as values.

    Returns
    -------
    Parity
        Number of rows that were compared, and what differs.

    Raises
    ------
    ExportError
        When a cell is not read as in training, or the code of the bundle refuses the rows.
    """
    if metadata.kind == "text":
        rows, outputs = rows.head(_SCORED_TEXTS), None if outputs is None else outputs[:_SCORED_TEXTS]
    given, usable = len(rows), _usable(metadata, rows)
    rows, outputs = rows[usable], None if outputs is None else outputs[usable]
    lines, held = written_rows(rows, cell_formats(metadata), varied=_varied(metadata))
    if not held.any():
        raise ExportError("The bundle cannot be tried on any row of the sample.", "Give rows that a file can hold.")
    rows = rows[held]
    wanted = _wanted(folder, metadata, rows, None if outputs is None else outputs[held])
    try:
        model, cells = _read(folder, metadata, rows, lines)
        answers = answer(model, cells)
    except CellError as error:
        raise ExportError(f"The bundle cannot read rows as the training file had them: {error}", _HINT) from error
    theirs = _answers(metadata, rows, wanted)
    chosen = None
    if answers.labels is not None and metadata.task != MULTILABEL:
        chosen = np.array([_code(metadata, label) for label in answers.labels])
    if chosen is not None and theirs.chosen is not None:
        index = np.arange(len(rows))
        tied = np.abs(wanted[index, chosen] - wanted[index, theirs.chosen]) <= _TIE
        theirs = Answers(wanted, np.where(tied, chosen, theirs.chosen), theirs.decisions, theirs.near_threshold)
    decisions = None if answers.decisions is None else np.array(answers.decisions, dtype=np.int64)
    return compare(
        theirs,
        Answers(answers.outputs, chosen, decisions),
        labels=metadata.labels,
        rows=rows.index.tolist(),
        rows_given=given,
        unit=1.0 if metadata.labels is not None else regression_units(wanted, float(np.std(wanted))),
    )


def require_reading(parity: Parity) -> None:
    """Refuse a bundle that does not answer rows of a file as its model does.

    Raises
    ------
    ExportError
        Naming the first rows that differ.
    """
    if not parity.equal:
        raise ExportError(
            f"The bundle answers rows of a file unlike the model: {describe_differences(parity)}.",
            _HINT,
        )


def _usable(metadata: Metadata, rows: pd.DataFrame) -> NDArray[np.bool_]:
    """Return the rows that a policy decides on, without those with a blank before a word where training had none."""
    usable = np.ones(len(rows), dtype=bool)
    if metadata.policy is not None:
        rules = Rules(metadata.policy)
        usable &= np.array([group in rules for group in group_names(rules, rows)], dtype=bool)
    for column in metadata.columns:
        if column.kind == "category" and column.padded is False:
            cells = rows[column.name].astype(object)
            usable &= ~np.array([isinstance(cell, str) and cell[:1].isspace() for cell in cells], dtype=bool)
    return usable


def _varied(metadata: Metadata) -> list[str]:
    """Return the columns whose cells may have any spelling: those that no step reads or makes."""
    own = [column.name for column in metadata.columns]
    touched = set() if metadata.steps is None else {*metadata.steps["inputs"], *metadata.steps["made"]}
    return [name for name in own if name not in touched]


def _read(
    folder: Path, metadata: Metadata, rows: pd.DataFrame, lines: list[list[str]]
) -> tuple[EdgeModel, dict[str, list[str]]]:
    """Return the bundle's model and the cells that it reads from a file of these lines."""
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "rows.csv"
        source.write_text(csv_of([str(name) for name in rows.columns], lines), "utf-8", newline="")
        model = EdgeModel(folder)
        cells = read_rows(model, source)
    if metadata.kind == "text":
        for name in (TEXT, *([SECOND_TEXT] if metadata.pairs else [])):
            _require_equal(name, rows, lines, np.array(cells[name]), rows[name].astype(str).to_numpy())
        return model, cells
    for column in metadata.columns:
        own = feed(column.to_dict(), cells[column.name])
        _require_equal(column.name, rows, lines, own, table_feeds(rows, [column])[column.input])
    return model, cells


def _require_equal(
    name: str, rows: pd.DataFrame, lines: list[list[str]], own: NDArray[np.generic], wanted: NDArray[np.generic]
) -> None:
    """Refuse a column that the bundle reads differently."""
    missing = (own != own) & (wanted != wanted)
    unlike = np.flatnonzero(~((own == wanted) | missing).reshape(len(own), -1).all(axis=1))
    if not len(unlike):
        return
    row = int(unlike[0])
    cell = lines[row][[str(column) for column in rows.columns].index(name)]
    values = [f"{values.reshape(len(own), -1)[row, 0]!s:.60}" for values in (wanted, own)]
    shown = f", as {values[1]} instead of {values[0]}" if values[0] != values[1] else ""
    raise ExportError(
        f"The bundle reads {len(unlike):,} of {len(own):,} cells of '{name}' unlike training. The first is "
        f"{cell[:60]!r} of row {rows.index[row]}{shown}.",
        _HINT,
    )


def _wanted(
    folder: Path, metadata: Metadata, rows: pd.DataFrame, outputs: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Return the answers that the bundle has to give."""
    if outputs is not None and metadata.variant == FULL_PRECISION:
        return outputs
    if metadata.kind == "table":
        return TableScorer(folder / "model.onnx").outputs(rows).astype(np.float64)
    scorer = TextScorer(folder / "model.onnx", folder / "tokenizer.json", metadata.labels, metadata.max_length)
    # One at a time, as the bundle does: where numbers are rounded, padding may change the last digits.
    answers = np.stack([np.asarray(scorer.probabilities([text])) for text in text_rows(rows)])
    return answers.reshape(len(rows), -1)


def _answers(metadata: Metadata, rows: pd.DataFrame, outputs: NDArray[np.float64]) -> Answers:
    chosen = None if metadata.labels is None or metadata.task == MULTILABEL else largest(outputs)
    if metadata.policy is None:
        return Answers(outputs, chosen)
    rules = Rules(metadata.policy)
    ids = [str(row_id) for row_id in rows[_ID]] if _ID in rows.columns else None
    decisions = decide_rows(rules, rows, outputs, metadata.labels, ids)
    return Answers(outputs, chosen, decisions, near_thresholds(rules, rows, outputs, metadata.labels))


def _code(metadata: Metadata, label: object) -> int:
    assert metadata.labels is not None
    return metadata.labels.index(label)

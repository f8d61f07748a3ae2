"""The command of an edge bundle: predict the rows of a file, or check that this machine answers as expected."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from .cells import CellError, csv_text, read_csv, safe
from .model import EdgeModel
from .read_file import read_text

__all__ = ["FILE_DECISION", "Answers", "answer", "main", "predict", "read_rows"]

FILE_DECISION = "decision of this file"
"""Column of the expected output that a smaller variant has where it decides on some rows unlike its model."""
_ID = "row_id"
_TEXT, _SECOND = "text", "second_text"
_TOLERANCES = {"fp32": 1e-4}
_QUANTIZED_TOLERANCE = 0.02  # processors differ in how they add up small whole numbers


def main(arguments: Sequence[str], folder: Path) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(prog="predict.py", description="Predict the rows of a file with model.onnx.")
    parser.add_argument("source", nargs="?", help="a CSV file with a header; for texts also one text a line (.txt)")
    parser.add_argument("target", nargs="?", help="the CSV file to write")
    parser.add_argument("--check", action="store_true", help="compare sample_input.csv with expected_output.csv")
    parser.add_argument("--id", default=None, metavar="COLUMN", help=f"column of unique ids ({_ID} when there is one)")
    parser.add_argument("--text", default=_TEXT, metavar="COLUMN", help=f"column of the texts ({_TEXT})")
    second = f"column of the second texts of pairs ({_SECOND})"
    parser.add_argument("--second-text", default=_SECOND, metavar="COLUMN", help=second)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.check:
            return _check(folder)
        if not chosen.source or not chosen.target:
            parser.error("give a source and a target, or --check")
        output = io.StringIO(newline="")  # the target is written whole or not at all
        texts = {"text_column": chosen.text, "second_text_column": chosen.second_text}
        rows = predict(folder, chosen.source, output, id_column=chosen.id, **texts)
        Path(chosen.target).write_text(output.getvalue(), encoding="utf-8", newline="")
    except (CellError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(f"{rows:,} rows predicted: {chosen.target}")  # noqa: T201
    return 0


def predict(
    folder: str | Path,
    source: str | Path,
    target: TextIO,
    *,
    id_column: str | None = None,
    text_column: str = _TEXT,
    second_text_column: str = _SECOND,
) -> int:
    """Write the predictions of a file's rows as CSV; return the number of rows.

    The columns are the id (when there is one), label, a probability per class (``p(...)``) and, with a policy, decision
    (1 is selected). Texts that a spreadsheet would run are prefixed with ``'``.

    Parameters
    ----------
    folder : path
        The unpacked bundle.
    source : path
        The file to read.
    target : text file
        The file to write.
    id_column : str, optional
        Column of unique ids; by default "row_id" when there is one.
    text_column : str, default="text"
        Column of the texts.
    second_text_column : str, default="second_text"
        Column of the second texts, where the model reads pairs.

    Raises
    ------
    CellError
        When a column or a value cannot be used.
    """
    model = EdgeModel(folder)
    columns_of_texts = {"text_column": text_column, "second_text_column": second_text_column}
    cells = read_rows(model, source, id_column=id_column, **columns_of_texts)
    if not len(next(iter(cells.values()))):
        raise CellError(f"{Path(source).name} has no rows.")
    ids = cells.get(id_column or _ID)
    columns: dict[str, list[str] | list[int]] = {} if ids is None else {id_column or _ID: ids}
    answers = answer(model, cells, id_column=id_column or _ID, **columns_of_texts)
    outputs = answers.outputs
    if answers.labels is None:
        columns["label"] = [repr(float(value)) for value in outputs[:, 0]]  # with all of its digits
    else:
        columns["label"] = answers.labels
        for code, label in enumerate(model.labels or []):
            columns[f"p({label})"] = [_number(value) for value in outputs[:, code]]
    if answers.decisions is not None:
        columns["decision"] = answers.decisions
    written = [[safe(cell) if isinstance(cell, str) else cell for cell in cells] for cells in columns.values()]
    target.write(csv_text([[safe(name) for name in columns], *zip(*written, strict=True)]))
    return len(outputs)


class Answers(NamedTuple):
    """The answers of a model to some rows.

    Parameters
    ----------
    outputs : ndarray of shape (n, classes) or (n, 1)
        Probabilities, or numbers.
    labels : list or None
        Label of each row; None for a number.
    decisions : list of int or None
        Decision of the policy on each row, 1 for selected; None without a policy.
    """

    outputs: NDArray[np.float64]
    labels: list[Any] | None
    decisions: list[int] | None


def answer(
    model: EdgeModel,
    cells: dict[str, list[str]],
    *,
    id_column: str = _ID,
    text_column: str = _TEXT,
    second_text_column: str = _SECOND,
) -> Answers:
    """Return the answers of a model to rows of cells, as `EdgeModel.prepare` returns them, or to texts.

    Parameters
    ----------
    model : EdgeModel
        The model.
    cells : dict of list of str
        Cells of each column.
    id_column : str, default="row_id"
        Column of unique ids, where there is one.
    text_column : str, default="text"
        Column of the texts.
    second_text_column : str, default="second_text"
        Column of the second texts, where the model reads pairs.

    Raises
    ------
    CellError
        When a cell cannot be used.
    """
    if model.kind == "table":
        outputs = model.score_rows(cells)
    elif model.pairs:
        outputs = model.score_texts(list(zip(cells[text_column], cells[second_text_column], strict=True)))
    else:
        outputs = model.score_texts(cells[text_column])
    labels = model.names(outputs)
    decisions = None
    if model.rules is not None:
        texts = model.rules.names.of_cells(cells, model.group_formats)
        keys = model.id_texts(id_column, cells[id_column]) if id_column in cells else None
        decisions = model.rules.decide(model.policy_scores(outputs), texts, keys).tolist()
    return Answers(outputs, labels, decisions)


def read_rows(
    model: EdgeModel,
    source: str | Path,
    *,
    id_column: str | None = None,
    text_column: str = _TEXT,
    second_text_column: str = _SECOND,
) -> dict[str, list[str]]:
    """Return the columns of a file that a model reads, as `answer` takes them; see `predict`."""
    texts = [text_column, *([second_text_column] if model.pairs else [])]
    required = model.required if model.kind == "table" else [*texts, *(model.rules.columns if model.rules else [])]
    if model.kind == "text" and Path(source).suffix == ".txt":
        if model.pairs:
            raise CellError(f"The model reads pairs of texts: give a CSV file with {' and '.join(map(repr, texts))}.")
        lines = io.StringIO(read_text(source), newline=None)  # str.splitlines would also split at rarer separators
        return {text_column: [line.rstrip("\n") for line in lines if line.strip()]}
    own = [id_column] if id_column else []
    before = [*model.required_before_steps, *own] if model.steps is not None else []
    return model.prepare(read_csv(source, [*required, *own], instead=before))


def _number(value: float) -> str:
    return f"{value:.9g}"


def _check(folder: Path) -> int:
    """Compare the answers on this machine with those of the bundle, and its decisions with the original model's."""
    output = io.StringIO(newline="")
    predict(folder, folder / "sample_input.csv", output)
    output.seek(0)
    ours = list(csv.reader(output))
    with open(folder / "expected_output.csv", newline="", encoding="utf-8") as file:
        expected = list(csv.reader(file))
    unlike = _take_file_decisions(expected)
    if len(ours) != len(expected):
        print(f"{len(ours) - 1:,} rows were predicted, {len(expected) - 1:,} are expected")  # noqa: T201
        return 1
    probabilities = [index for index, name in enumerate(expected[0]) if name.startswith("p(")]
    compared = probabilities or [expected[0].index("label")]
    tolerance = _TOLERANCES.get(EdgeModel(folder).variant, _QUANTIZED_TOLERANCE)
    worst, wrong = 0.0, []
    for line, (mine, theirs) in enumerate(zip(ours[1:], expected[1:], strict=True), start=1):
        numbers = np.array([[float(row[index]) for index in compared] for row in (mine, theirs)])
        unit = 1.0 if probabilities else max(1.0, float(np.abs(numbers[1]).max()))
        gap = float(np.abs(numbers[0] - numbers[1]).max()) / unit
        rest = [[cell for index, cell in enumerate(row) if index not in compared] for row in (mine, theirs)]
        worst = max(worst, gap)
        if gap > tolerance or rest[0] != rest[1]:
            wrong.append(line)
    rows = len(expected) - 1
    if wrong:
        print(f"{len(wrong):,} of {rows:,} rows differ, by up to {worst:.2g}; the first: {wrong[:5]}")  # noqa: T201
        return 1
    print(f"{rows:,} rows are as expected (largest difference {worst:.2g})")  # noqa: T201
    if unlike:
        print(f"{unlike:,} of them are decided unlike the model that this file was made from")  # noqa: T201
    return 0


def _take_file_decisions(expected: list[list[str]]) -> int:
    """Put a variant's own decisions in the place of its model's; return the number of rows where they differ."""
    header = expected[0]
    if FILE_DECISION not in header:
        return 0
    own, model = header.index(FILE_DECISION), header.index("decision")
    unlike = sum(row[own] != row[model] for row in expected[1:])
    for row in expected[1:]:
        row[model] = row[own]
    for row in expected:
        del row[own]
    return unlike

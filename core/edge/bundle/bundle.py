"""`write_bundle`: an exported model as one zip that predicts on another machine with only ONNX Runtime and NumPy."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from core.edge.bundle.expected import clear_rows, original_decisions, with_decisions
from core.edge.bundle.readme import readme
from core.edge.bundle.written_cells import cell_formats, with_formats, write_cell
from core.edge.export.metadata import Metadata
from core.edge.export.onnx_model import OnnxModel
from core.edge.inspection.graph import load
from core.edge.portable.cells import CellError, csv_text, safe
from core.edge.portable.cli import predict
from core.edge.portable.rules import Rules
from core.edge.portable.steps import UnsupportedStepError, check
from core.edge.portable.wordpiece import WordPiece
from core.errors import ExportError
from core.registry import unknown_name

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from core.datasets import CellFormat
    from core.fairness import ThresholdPolicy

__all__ = ["write_bundle"]

Sample: TypeAlias = Union["pd.DataFrame", Sequence[str]]

_CODE = Path(__file__).resolve().parents[1] / "portable"
_LAUNCHER = '''"""Predict the rows of a file: python predict.py rows.csv predictions.csv; python predict.py --check"""

import sys
from pathlib import Path

from portable.cli import main

sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent))
'''


def write_bundle(
    target: str | Path,
    model: OnnxModel,
    *,
    sample: Sample,
    card: str,
    license: str,
    tokenizer: str | Path | None = None,
    policy: ThresholdPolicy | None = None,
    formats: Mapping[str, CellFormat] | None = None,
    steps: Mapping[str, Any] | None = None,
    original: NDArray[np.float64] | None = None,
) -> Path:
    """Write a model, and everything that predicting with it needs, into a zip.

    Parameters
    ----------
    target : path
        The zip to write. It holds ``model.onnx``, ``predict.py`` and the code it calls, ``requirements.txt`` with exact
        versions, ``sample_input.csv``, ``expected_output.csv``, ``model_card.md``, ``LICENSE`` and ``README.md``.
    model : OnnxModel
        The model, as `export_onnx` or `quantize` returned it.
    sample : DataFrame or sequence of str
        A few rows, raw, with the columns of the model and of its policy; texts, or a frame with the column "text".
    card : str
        The model card, in Markdown.
    license : str
        The license of the bundle.
    tokenizer : path, optional
        The ``tokenizer.json`` of a text model.
    policy : ThresholdPolicy, optional
        Policy that takes the place of the one in the bundle's model. Its scores are the probabilities of the label
        ``policy.settings["positive"]``, by default the model's last.
    formats : mapping of str to CellFormat, optional
        Format in which the training file had the cells of each column, by `core.datasets.cell_format`. By default
        numbers have a decimal point, and dates are ISO 8601.
    original : array of shape (n, classes) or (n, 1), optional
        Probabilities, or numbers, with which the model that the file was made from answers to the sample; by default
        `model` is asked where it knows. The bundle's check compares with the decisions on them.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    ExportError
        When Plumbline did not export the file, a text model has no tokenizer, the bundle's code cannot read a column
        as training did or run a step, the sample cannot be predicted (a column is missing, or a group has no rule), or
        the file decides unlike its model.
    InputError
        When the file is not an ONNX model at all.
    """
    proto = load(model.path)
    metadata = Metadata.read(proto)
    if metadata.kind not in ("table", "text"):
        raise ExportError(f"'{model.path.name}' was not exported by Plumbline.", "Export a model first.")
    if policy is not None:
        metadata = replace(metadata, policy=policy.to_dict())
    if formats is not None:
        metadata = replace(
            metadata,
            columns=with_formats(metadata.columns, formats),
            group_formats=_group_formats(metadata, formats),
        )
    if steps is not None:
        _check_steps(steps)
        metadata = replace(metadata, steps=steps)
    if policy is not None or formats is not None or steps is not None:
        metadata.write(proto)
    rows = _rows(metadata, sample)
    outputs = _original_outputs(model, metadata, rows, original)
    decisions = None
    if outputs is not None and not rows.map(_runs).any(axis=None):
        clear = clear_rows(metadata, rows, outputs)
        rows = rows[clear]
        decisions = original_decisions(metadata, rows, outputs[clear])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "model.onnx").write_bytes(proto.SerializeToString())
        packages = ["onnxruntime", "numpy"]
        if metadata.kind == "text":
            packages += _add_tokenizer(folder, tokenizer, metadata, rows["text"].tolist())
        (folder / "sample_input.csv").write_text(_csv(rows, cell_formats(metadata)), encoding="utf-8", newline="")
        expected = io.StringIO(newline="")
        try:
            predict(folder, folder / "sample_input.csv", expected)
        except CellError as error:
            raise ExportError(
                f"The sample cannot be predicted: {error}", "Give rows with all columns and known groups."
            ) from error
        texts = {
            "expected_output.csv": with_decisions(expected.getvalue(), decisions, metadata.variant),
            "predict.py": _LAUNCHER,
            "requirements.txt": "".join(f"{name}=={version(name)}\n" for name in packages),
            "model_card.md": card,
            "LICENSE": license,
            "README.md": readme(model, metadata, packages, compares_decisions=decisions is not None),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
        return _zip(folder, Path(target))


def _group_formats(metadata: Metadata, formats: Mapping[str, CellFormat]) -> dict[str, Mapping[str, Any]] | None:
    """Return the formats of the columns that decisions need: groups, and where some are drawn, any column of ids."""
    if metadata.policy is None:
        return None
    rules = Rules(metadata.policy)
    features = {column.name for column in metadata.columns}
    return {
        name: item
        for name, item in formats.items()
        if name in rules.columns or (rules.randomized and name not in features)
    } or None


def _check_steps(steps: Mapping[str, Any]) -> None:
    for step in steps["steps"]:
        try:
            check([step])
        except UnsupportedStepError as error:
            column = step.get("column", "")
            raise ExportError(
                f"The step '{step['step']}' of the column '{column}' has {error}, which a bundle cannot compute.",
                "Use the model in Python or with MLflow, or search again without this column.",
            ) from error


def _rows(metadata: Metadata, sample: Sample) -> pd.DataFrame:
    """Return the sample, by position, with the columns that the bundle reads; randomized decisions get ids."""
    import pandas as pd

    frame = sample if isinstance(sample, pd.DataFrame) else pd.DataFrame({"text": list(sample)})
    if not len(frame):
        raise ExportError("The sample has no rows.", "Give a few rows.")
    frame = frame.reset_index(drop=True)
    rules = None if metadata.policy is None else Rules(metadata.policy)
    required = [column.name for column in metadata.columns] if metadata.kind == "table" else ["text"]
    required = list(dict.fromkeys([*required, *(rules.columns if rules else [])]))
    missing = [name for name in required if name not in frame.columns]
    if missing:
        raise ExportError(
            f"The sample has no column {', '.join(map(repr, missing[:5]))}.",
            f"Give rows with the columns of the model and of its policy. {unknown_name(missing[0], frame.columns)}",
        )
    # What a spreadsheet would run is not written as it is: rows without such cells are preferred, and groups have none.
    plain = ~frame[required].map(_runs).any(axis=1)
    if plain.any():
        frame = frame[plain]
    elif rules and rules.columns:
        frame = frame[~frame[rules.columns].map(_runs).any(axis=1)]
    if not len(frame):
        raise ExportError("No row of the sample has a group that a file can hold.", "Give rows of other groups.")
    rows = frame[required]
    if rules and rules.randomized and "row_id" not in required:
        ids = frame["row_id"] if "row_id" in frame.columns else pd.Series(range(len(frame)), index=frame.index)
        rows = pd.concat([ids.rename("row_id"), rows], axis=1)
    return rows


def _original_outputs(
    model: OnnxModel, metadata: Metadata, rows: pd.DataFrame, outputs: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    """Return the answers of the model that the file was made from to rows of the sample; None where it is unknown."""
    if outputs is not None:
        return np.asarray(outputs[rows.index.to_numpy()])
    if model.original is None:
        return None
    return model.original(rows["text"].astype(str).tolist() if metadata.kind == "text" else rows)


def _runs(cell: object) -> bool:
    return isinstance(cell, str) and safe(cell) != cell


def _add_tokenizer(folder: Path, tokenizer: str | Path | None, metadata: Metadata, texts: Sequence[str]) -> list[str]:
    """Put the tokenizer into the bundle; return the packages it needs: none when our own returns the same ids."""
    from tokenizers import Tokenizer

    if tokenizer is None:
        raise ExportError("A text model needs its tokenizer.", "Give the tokenizer.json of the model's folder.")
    text = Path(tokenizer).read_text(encoding="utf-8")
    (folder / "tokenizer.json").write_text(text, encoding="utf-8", newline="")
    config = json.loads(text)
    if not WordPiece.supports(config):
        return ["tokenizers"]
    theirs = Tokenizer.from_str(text)
    theirs.no_padding()
    if metadata.max_length is None:
        theirs.no_truncation()
    else:
        theirs.enable_truncation(metadata.max_length)
    ours = WordPiece(config, metadata.max_length)
    for sample in map(str, texts):
        if ours.encode(sample) != theirs.encode(sample).ids:
            raise ExportError(
                f"The bundle's tokenizer reads a text of the sample differently: {sample[:80]!r}.",
                "Report this, with the text.",
            )
    return []


def _csv(frame: pd.DataFrame, formats: Mapping[str, Mapping[str, Any]]) -> str:
    """Return rows as the bundle reads them: empty cells where missing, true and false, dates, numbers in full."""
    import pandas as pd

    def cell(name: str, value: object) -> str | int | float:
        if pd.isna(value):
            return ""
        if name in formats and (text := write_cell(name, formats[name], value)) is not None:
            return text
        if isinstance(value, pd.Timestamp):
            return str(value.isoformat())
        if isinstance(value, str):
            return safe(value)
        scalar = value.item() if isinstance(value, np.generic) else value
        if isinstance(scalar, bool):
            return str(scalar).lower()
        return scalar if isinstance(scalar, int | float) else str(scalar)

    names = [str(name) for name in frame.columns]
    rows = frame.itertuples(index=False, name=None)
    cells = ([cell(name, value) for name, value in zip(names, row, strict=True)] for row in rows)
    return csv_text([[safe(name) for name in names], *cells])


def _zip(folder: Path, target: Path) -> Path:
    """Write the files under fixed dates, so that the same bundle has the same content."""
    sources = {path.name: path for path in folder.iterdir()}
    sources |= {f"portable/{path.name}": path for path in _CODE.glob("*.py")}
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in sorted(sources.items()):
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target

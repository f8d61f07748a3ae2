"""What a bundle is made of: the model with its metadata, the rows that it is tried on, and the tokenizer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np

from core.edge.bundle.csv_rows import needs_quote
from core.edge.bundle.written_cells import with_formats
from core.edge.export.metadata import Metadata
from core.edge.export.onnx_model import OnnxModel
from core.edge.inspection.graph import load
from core.edge.portable.rules import Rules
from core.edge.portable.steps import UnsupportedStepError, check
from core.edge.portable.tokenizer import Text, load_tokenizer
from core.edge.portable.wordpiece import WordPiece
from core.edge.scoring.encoder import Encoder
from core.edge.scoring.text_rows import SECOND_TEXT, TEXT, text_rows
from core.errors import ExportError
from core.registry import unknown_name

if TYPE_CHECKING:
    import onnx
    import pandas as pd
    from numpy.typing import NDArray

    from core.datasets import CellFormat
    from core.fairness import ThresholdPolicy

__all__ = ["Content", "Sample", "load_content", "shipped_rows", "write_model"]

Sample: TypeAlias = Union["pd.DataFrame", Sequence[str], Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class Content:
    """A bundle's model and the rows that it is tried on.

    Parameters
    ----------
    proto : ModelProto
        The model.
    metadata : Metadata
        Its metadata, with the policy, the formats and the steps that the bundle has.
    rows : DataFrame of n rows
        Rows, by position, with the columns that the bundle reads; randomized decisions get ids.
    outputs : array of shape (n, classes) or (n, 1), optional
        Answers of the model that the file was made from.
    """

    proto: onnx.ModelProto
    metadata: Metadata
    rows: pd.DataFrame
    outputs: NDArray[np.float64] | None


def load_content(
    model: OnnxModel,
    sample: Sample,
    *,
    policy: ThresholdPolicy | None,
    formats: Mapping[str, CellFormat] | None,
    steps: Mapping[str, Any] | None,
    original: NDArray[np.float64] | None,
) -> Content:
    """Return the content of a bundle; see `core.edge.write_bundle`.

    Raises
    ------
    ExportError
        When Plumbline did not export the file, a column or a step cannot be read by a bundle, or the sample lacks a
        column.
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
    plain = _with_plain_lines(rows)
    outputs = _original_outputs(model, metadata, rows, original) if plain is rows else None
    return Content(proto, metadata, plain, outputs)


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

    texts = [TEXT, *([SECOND_TEXT] if metadata.pairs else [])] if metadata.kind == "text" else []
    frame = sample if isinstance(sample, pd.DataFrame) else pd.DataFrame(list(sample), columns=texts)
    frame = frame.reset_index(drop=True)
    for name in texts:
        if name in frame.columns:  # trainings leave empty texts out, too
            frame = frame[frame[name].notna() & frame[name].astype(str).str.strip().astype(bool)]
    if not len(frame):
        raise ExportError("The sample has no rows.", "Give a few rows.")
    rules = None if metadata.policy is None else Rules(metadata.policy)
    required = texts or [column.name for column in metadata.columns]
    required = list(dict.fromkeys([*required, *(rules.columns if rules else [])]))
    missing = [name for name in required if name not in frame.columns]
    if missing:
        raise ExportError(
            f"The sample has no column {', '.join(map(repr, missing[:5]))}.",
            f"Give rows with the columns of the model and of its policy. {unknown_name(missing[0], frame.columns)}",
        )
    rows = frame[required]
    if rules and rules.randomized and "row_id" not in required:
        ids = frame["row_id"] if "row_id" in frame.columns else pd.Series(range(len(frame)), index=frame.index)
        rows = pd.concat([ids.rename("row_id"), rows], axis=1)
    return rows


def _with_plain_lines(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose lines end as those of a CSV file that was read, where all rows have others."""
    turned = rows.map(lambda cell: isinstance(cell, str) and "\r" in cell)
    if not turned.any(axis=1).all():
        return rows
    return rows.map(lambda cell: cell.replace("\r\n", "\n").replace("\r", "\n") if isinstance(cell, str) else cell)


def shipped_rows(content: Content) -> tuple[pd.DataFrame, NDArray[np.float64] | None]:
    """Return the rows that a file which people open may hold as they are, and the answers to them.

    What a spreadsheet would run is not written as it is: rows without such cells are preferred, and groups have none.

    Raises
    ------
    ExportError
        When no row is left.
    """
    rows = content.rows
    rules = None if content.metadata.policy is None else Rules(content.metadata.policy)
    plain = ~rows.map(needs_quote).any(axis=1)
    if not plain.any():
        plain = ~rows[rules.columns if rules else []].map(needs_quote).any(axis=1)
    if not plain.any():
        raise ExportError("No row of the sample has a group that a file can hold.", "Give rows of other groups.")
    return rows[plain], None if content.outputs is None else content.outputs[plain.to_numpy()]


def _original_outputs(
    model: OnnxModel, metadata: Metadata, rows: pd.DataFrame, outputs: NDArray[np.float64] | None
) -> NDArray[np.float64] | None:
    """Return the answers of the model that the file was made from to rows of the sample; None where it is unknown."""
    if outputs is not None:
        return np.asarray(outputs[rows.index.to_numpy()])
    if model.original is None:
        return None
    return model.original(text_rows(rows) if metadata.kind == "text" else rows)


def write_model(folder: Path, content: Content, tokenizer: str | Path | None) -> list[str]:
    """Write the model, and its tokenizer where it reads texts; return the packages that a device needs for them.

    Parameters
    ----------
    folder : Path
        Folder to write to.
    content : Content
        The model.
    tokenizer : path or None
        The ``tokenizer.json`` of a text model.

    Raises
    ------
    ExportError
        When a text model has no tokenizer, or the bundle's own reads a text of the rows differently.
    """
    (folder / "model.onnx").write_bytes(content.proto.SerializeToString())
    packages = ["onnxruntime", "numpy"]
    if content.metadata.kind == "table":
        return packages
    if tokenizer is None:
        raise ExportError("A text model needs its tokenizer.", "Give the tokenizer.json of the model's folder.")
    text = Path(tokenizer).read_text(encoding="utf-8")
    path = folder / "tokenizer.json"
    path.write_text(text, encoding="utf-8", newline="")
    pairs = bool(content.metadata.pairs)
    _check_tokens(path, content.metadata.max_length, text_rows(content.rows), pairs=pairs)
    return packages if WordPiece.supports(json.loads(text)) and not pairs else [*packages, "tokenizers"]


def _check_tokens(path: Path, max_length: int | None, texts: Sequence[Text], *, pairs: bool) -> None:
    """Refuse a tokenizer that the bundle's code reads differently from the product."""
    own, theirs = load_tokenizer(path, max_length, pairs=pairs), Encoder(path, ["input_ids"], max_length)
    for text in texts:
        ids = theirs([text])["input_ids"][0].tolist()
        if own(text)[0] != ids:
            raise ExportError(
                f"The bundle's tokenizer reads a text of the sample differently: {str(text)[:80]!r}.",
                "It was not written. Report this, with the text.",
            )

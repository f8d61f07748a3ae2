"""A model's variants: each is made, and compared with the original on held-out rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, Union

import numpy as np
from pydantic import BeforeValidator, JsonValue, TypeAdapter

from core.edge.export.metadata import Metadata
from core.edge.inspection.graph import Graph, describe_graph
from core.edge.scoring.encoder import Encoder
from core.edge.scoring.feeds import table_feeds
from core.edge.scoring.table_scorer import TableScorer
from core.edge.scoring.text_scorer import TextScorer
from core.edge.variants.compare import StoredEstimate, VariantComparison, compare_variants
from core.edge.variants.modes import FULL_PRECISION, QUANTIZATION_MODES, Feeds
from core.edge.variants.quantize import quantize
from core.errors import ExportError, PlumblineError, StoppedError
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["HeldOut", "Rows", "Variant", "make_variants", "scores"]

_CALIBRATION_ROWS = 256
_BATCH_SIZE = 16

Rows: TypeAlias = Union["pd.DataFrame", Sequence[str], Sequence[tuple[str, str]]]
"""Raw rows of a table, or texts, or pairs of them."""


def _none_if_empty(values: Mapping[str, JsonValue] | Graph | None) -> Mapping[str, JsonValue] | Graph | None:
    return values or None


@dataclass(frozen=True)
class Variant:
    """One form of a model.

    Parameters
    ----------
    name : str
        "fp32", or a name of `QUANTIZATION_MODES`.
    file : str or None
        Name of its file; None when it could not be made.
    size_bytes : int or None
        Size of the file.
    comparison : VariantComparison, optional
        Comparison with fp32 on held-out rows; None for fp32, and without such rows.
    metrics : dict of Estimate, default={}
        Metrics of this variant on these rows, with intervals.
    graph : Graph, optional
        Description of its graph.
    reason : str, default=""
        Reason why it could not be made.
    """

    name: str
    file: str | None
    size_bytes: int | None
    comparison: VariantComparison | None = None
    metrics: dict[str, StoredEstimate] = field(default_factory=dict)
    graph: Annotated[Graph | None, BeforeValidator(_none_if_empty)] = None
    reason: str = ""

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the variant as JSON-serializable values."""
        return dict(_adapter().dump_python(self, mode="json"))

    @classmethod
    def from_dict(cls, values: Mapping[str, JsonValue]) -> Variant:
        """Read what `to_dict` wrote."""
        return _adapter().validate_python(dict(values))


@cache
def _adapter() -> TypeAdapter[Variant]:
    return TypeAdapter(Variant)


@dataclass(frozen=True)
class HeldOut:
    """Rows that the model was not trained on, and their true values.

    Parameters
    ----------
    rows : DataFrame or sequence of str
        Raw rows, or texts.
    y : array of shape (n,) or (n, labels)
        Class codes in the order of the labels, numbers, or whether a row has each label.
    task : {"binary", "multiclass", "regression", "multilabel"}
        The task.
    """

    rows: Rows
    y: NDArray[Any]
    task: str


def scores(path: Path, rows: Rows, tokenizer: Path | None) -> NDArray[np.float64]:
    """Return probabilities (n, classes), or numbers (n,), of raw rows or texts.

    Parameters
    ----------
    path : Path
        An exported file.
    rows : DataFrame or sequence of str
        Raw rows, or texts.
    tokenizer : Path or None
        The ``tokenizer.json`` of a text model.
    """
    metadata = Metadata.read(path)
    if metadata.kind == "table":
        outputs = TableScorer(path).outputs(rows).astype(np.float64)
    else:
        assert tokenizer is not None
        labels = None if metadata.labels is None else [str(label) for label in metadata.labels]
        outputs = TextScorer(path, tokenizer, labels, metadata.max_length).probabilities(list(rows))
    return outputs if metadata.labels is not None else outputs.reshape(-1)


def make_variants(
    model: Path,
    folder: Path,
    *,
    modes: Sequence[str] | None = None,
    train: Rows | None = None,
    held_out: HeldOut | None = None,
    tokenizer: Path | None = None,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Variant]:
    """Make the variants of an exported model, and measure what each one costs.

    A variant that cannot be made is listed with the reason, and the others are made.

    Parameters
    ----------
    model : Path
        The exported file.
    folder : Path
        Folder for the variants, ``model.<mode>.onnx``.
    modes : sequence of str, optional
        Names of `QUANTIZATION_MODES`; by default all of them.
    train : DataFrame or sequence of str, optional
        Rows to calibrate static quantization on; the first 256 are used. None for a file that a user uploaded.
    held_out : HeldOut, optional
        Rows to compare on; without them only sizes are known.
    tokenizer : Path, optional
        The ``tokenizer.json`` of a text model.
    report : callable, optional
        Called with an `Event` before each variant.
    should_stop : callable, optional
        Called before each variant; the work ends when it returns True.

    Raises
    ------
    StoppedError
        When `should_stop` said so.

    See Also
    --------
    quantize : Makes one variant.
    """
    modes = list(QUANTIZATION_MODES) if modes is None else modes
    report_progress, stop = report or silent, should_stop or (lambda: False)
    feeds = None if train is None else next(_batches(model, train, tokenizer, size=1), None)
    before = None if held_out is None else scores(model, held_out.rows, tokenizer)
    metrics = {} if before is None or held_out is None else _compare(held_out, before, before).before
    graph = describe_graph(model, feeds)
    variants = [Variant(FULL_PRECISION, model.name, model.stat().st_size, None, metrics, graph)]
    for number, mode in enumerate(modes):
        if stop():
            raise StoppedError("The export was stopped.", "Repeat it to begin again.")
        report_progress(Event("quantise", number / len(modes), f"Making {mode}"))
        variants.append(_make_variant(model, folder, mode, train, held_out, before, tokenizer, feeds))
    return variants


def _make_variant(
    model: Path,
    folder: Path,
    mode: str,
    train: Rows | None,
    held_out: HeldOut | None,
    before: NDArray[np.float64] | None,
    tokenizer: Path | None,
    feeds: Feeds | None,
) -> Variant:
    path = folder / f"model.{mode}.onnx"
    needs_calibration = QUANTIZATION_MODES.require(mode).needs_calibration
    calibration = _batches(model, train, tokenizer) if needs_calibration and train is not None else None
    try:
        quantize(model, path, mode=mode, calibration=calibration)
        comparison = None
        if held_out is not None and before is not None:
            comparison = _compare(held_out, before, scores(path, held_out.rows, tokenizer))
        graph = describe_graph(path, feeds)
    except PlumblineError as error:
        path.unlink(missing_ok=True)
        return Variant(mode, None, None, reason=f"{error.message} {error.hint}".strip())
    metrics = {} if comparison is None else comparison.after
    return Variant(mode, path.name, path.stat().st_size, comparison, metrics, graph)


def _compare(held_out: HeldOut, before: NDArray[np.float64], after: NDArray[np.float64]) -> VariantComparison:
    if not np.isfinite(after).all():
        raise ExportError("Some of its answers are not finite numbers.", "Choose another mode.")
    return compare_variants(held_out.y, before, after, task=held_out.task)


def _batches(
    model: Path, rows: Rows, tokenizer: Path | None, size: int = _BATCH_SIZE, limit: int = _CALIBRATION_ROWS
) -> Iterator[Feeds]:
    """Yield the first raw rows or texts as inputs of the graph, in batches."""
    metadata = Metadata.read(model)
    names = [port.name for port in describe_graph(model).inputs]
    encode = None if tokenizer is None else Encoder(tokenizer, names, metadata.max_length)
    for begin in range(0, min(len(rows), limit), size):
        part = rows[begin : begin + size]
        yield table_feeds(part, metadata.columns) if encode is None else encode(list(part))

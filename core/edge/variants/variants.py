"""A model's variants: each made, and compared with the original on rows that were held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.edge.export.metadata import Metadata
from core.edge.inspection.graph import describe_graph
from core.edge.scoring.encoder import Encoder
from core.edge.scoring.feeds import table_feeds
from core.edge.scoring.table_scorer import TableScorer
from core.edge.scoring.text_scorer import TextScorer
from core.edge.variants.compare import compare_variants
from core.edge.variants.quantize import QUANTIZATION_MODES, quantize
from core.errors import ExportError, PlumblineError, StoppedError
from core.progress import Event, Report, silent

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["HeldOut", "Variant", "make_variants", "scores"]

_CALIBRATION_ROWS = 256
_BATCH = 16


@dataclass(frozen=True)
class Variant:
    """One form of a model.

    Parameters
    ----------
    name : str
        fp32, or a key of `core.edge.MODES`.
    file : str or None
        Its name; None when it could not be made.
    size_bytes : int or None
        Of the file.
    comparison : dict or None
        ``VariantComparison.to_dict`` against fp32 on the held-out rows; None of fp32, and without such rows.
    metrics : dict
        Figures of this variant on these rows, with intervals.
    graph : dict
        ``Graph.to_dict``.
    reason : str
        Why it could not be made, or what is wrong with it.
    """

    name: str
    file: str | None
    size_bytes: int | None
    comparison: dict[str, Any] | None
    metrics: dict[str, Any]
    graph: dict[str, Any]
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self)


@dataclass(frozen=True)
class HeldOut:
    """Rows that the model did not learn from, and what is true of them.

    Parameters
    ----------
    rows : DataFrame or sequence of str
        Raw rows, or texts.
    y : array of shape (n,)
        Class codes in the order of the labels, or numbers.
    task : str
        binary, multiclass or regression.
    """

    rows: Any
    y: NDArray[Any]
    task: str


def scores(path: Path, rows: Any, tokenizer: Path | None) -> NDArray[np.float64]:
    """Return probabilities (n, classes), or numbers (n,), of raw rows or texts."""
    metadata = Metadata.read(path)
    if metadata.kind == "table":
        found = TableScorer(path).outputs(rows).astype(np.float64)
    else:
        assert tokenizer is not None
        labels = None if metadata.labels is None else [str(label) for label in metadata.labels]
        found = TextScorer(path, tokenizer, labels, metadata.max_length).probabilities(list(rows))
    return found if metadata.labels is not None else found.reshape(-1)


def make_variants(
    model: Path,
    folder: Path,
    *,
    modes: Sequence[str] = tuple(QUANTIZATION_MODES),
    train: Any = None,
    held_out: HeldOut | None = None,
    tokenizer: Path | None = None,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Variant]:
    """Make the variants of an exported model, and say of each what it costs.

    A variant that cannot be made is listed with the reason; the others are made.

    Parameters
    ----------
    model : Path
        The exported file.
    folder : Path
        Where to put the variants, as ``model.<mode>.onnx``.
    modes : sequence of str
        Keys of `QUANTIZATION_MODES`.
    train : DataFrame or sequence of str, optional
        Rows to calibrate static quantisation on; the first 256 are used. None for a file of the user's.
    held_out : HeldOut, optional
        Rows to compare on; without them sizes alone are told.
    tokenizer : Path, optional
        The ``tokenizer.json`` of a text model.
    report, should_stop : callable, optional
        As elsewhere.

    Raises
    ------
    StoppedError
        When `should_stop` said so.
    """
    tell, stop = report or silent, should_stop or (lambda: False)
    feeds = None if train is None else next(_batches(model, train, tokenizer, size=1), None)
    before = None if held_out is None else scores(model, held_out.rows, tokenizer)
    own = {} if before is None else _figures(held_out, before, before)["before"]
    graph = describe_graph(model, feeds).to_dict()
    made = [Variant("fp32", model.name, model.stat().st_size, None, own, graph)]
    for number, mode in enumerate(modes):
        if stop():
            raise StoppedError("The export was stopped.", "Repeat it to begin again.")
        tell(Event("quantise", number / len(modes), f"Making {mode}"))
        made.append(_variant(model, folder, mode, train, held_out, before, tokenizer, feeds))
    return made


def _variant(
    model: Path,
    folder: Path,
    mode: str,
    train: Any,
    held_out: HeldOut | None,
    before: NDArray[np.float64] | None,
    tokenizer: Path | None,
    feeds: dict[str, Any] | None,
) -> Variant:
    path = folder / f"model.{mode}.onnx"
    calibration = None if train is None else _batches(model, train, tokenizer)
    try:
        quantize(model, path, mode=mode, calibration=calibration if mode.startswith("static") else None)
        comparison = None
        if held_out is not None and before is not None:
            comparison = _figures(held_out, before, scores(path, held_out.rows, tokenizer))
        graph = describe_graph(path, feeds).to_dict()
    except PlumblineError as error:
        path.unlink(missing_ok=True)
        return Variant(mode, None, None, None, {}, {}, f"{error.message} {error.hint}".strip())
    metrics = {} if comparison is None else comparison["after"]
    return Variant(mode, path.name, path.stat().st_size, comparison, metrics, graph)


def _figures(held_out: HeldOut | None, before: NDArray[np.float64], after: NDArray[np.float64]) -> dict[str, Any]:
    assert held_out is not None
    if not np.isfinite(after).all():
        raise ExportError("It answers with values that are no numbers.", "Choose another mode.")
    return compare_variants(held_out.y, before, after, task=held_out.task).to_dict()


def _batches(
    model: Path, rows: Any, tokenizer: Path | None, size: int = _BATCH, most: int = _CALIBRATION_ROWS
) -> Iterator[dict[str, Any]]:
    """Return the first raw rows or texts as inputs of the graph, some a batch."""
    metadata = Metadata.read(model)
    names = [port.name for port in describe_graph(model).inputs]
    encode = None if tokenizer is None else Encoder(tokenizer, names, metadata.max_length)
    for begin in range(0, min(len(rows), most), size):
        part = rows[begin : begin + size]
        yield table_feeds(part, metadata.columns) if encode is None else encode(list(part))

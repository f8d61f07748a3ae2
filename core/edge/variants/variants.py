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
from core.edge.variants.forms import PRUNED, VARIANT_FORMS, VariantForm
from core.edge.variants.modes import FULL_PRECISION, QUANTIZATION_MODES, Feeds
from core.edge.variants.quantize import quantize
from core.edge.variants.vocabulary import PrunedVocabulary, prune_vocabulary
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
        A name of `VARIANT_FORMS`.
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
    tokenizer : str, optional
        Name of the file of its own tokenizer; None where it has the tokenizer of the model.
    vocabulary : PrunedVocabulary, optional
        Number of tokens that a pruned vocabulary has.
    """

    name: str
    file: str | None
    size_bytes: int | None
    comparison: VariantComparison | None = None
    metrics: dict[str, StoredEstimate] = field(default_factory=dict)
    graph: Annotated[Graph | None, BeforeValidator(_none_if_empty)] = None
    reason: str = ""
    tokenizer: str | None = None
    vocabulary: PrunedVocabulary | None = None

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


def scores(path: Path, rows: Rows, tokenizer: Path | None, *, max_length: int | None = None) -> NDArray[np.float64]:
    """Return probabilities (n, classes), or numbers (n,), of raw rows or texts.

    Parameters
    ----------
    path : Path
        An exported file.
    rows : DataFrame or sequence of str
        Raw rows, or texts.
    tokenizer : Path or None
        The ``tokenizer.json`` of a text model.
    max_length : int, optional
        Tokens of each text that are read; by default as many as the file says.
    """
    metadata = Metadata.read(path)
    if metadata.kind == "table":
        outputs = TableScorer(path).outputs(rows).astype(np.float64)
    else:
        assert tokenizer is not None
        labels = None if metadata.labels is None else [str(label) for label in metadata.labels]
        length = metadata.max_length if max_length is None else max_length
        outputs = TextScorer(path, tokenizer, labels, length).probabilities(list(rows))
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
        Folder for the variants, ``model.<form>.onnx``, and for tokenizers of their own, ``tokenizer.pruned.json``.
    modes : sequence of str, optional
        Names of `VARIANT_FORMS`; by default those of `QUANTIZATION_MODES`.
    train : DataFrame or sequence of str, optional
        Rows to calibrate static quantization on; the first 256 are used. All texts say which tokens are needed. None
        for a file that a user uploaded.
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
    SettingsError
        When the form is unknown.
    StoppedError
        When `should_stop` said so.

    See Also
    --------
    quantize : Makes one variant.
    find_smallest : Finds the variant that is good enough.
    """
    names = [name for name in (QUANTIZATION_MODES if modes is None else modes) if name != FULL_PRECISION]
    forms = [VARIANT_FORMS.require(name) for name in names]
    report_progress, stop = report or silent, should_stop or (lambda: False)
    maker = _Maker(model, folder, train, held_out, tokenizer)
    variants = [maker.original()]
    for number, form in enumerate(forms):
        if stop():
            raise StoppedError("The export was stopped.", "Repeat it to begin again.")
        report_progress(Event("quantise", number / len(forms), f"Making {form.name}"))
        variants.append(maker.make(form))
    return variants


class _Maker:
    """Makes variants of one model; what several of them need is computed once."""

    def __init__(
        self, model: Path, folder: Path, train: Rows | None, held_out: HeldOut | None, tokenizer: Path | None
    ) -> None:
        self.model, self.folder, self.train, self.held_out = model, folder, train, held_out
        self.tokenizer = tokenizer
        self.before = None if held_out is None else scores(model, held_out.rows, tokenizer)
        self.feeds = self._first_row(model, tokenizer)
        self._pruned: _Pruned | PlumblineError | None = None

    def original(self) -> Variant:
        metrics = {} if self.before is None else self._compare(self.before).before
        graph = describe_graph(self.model, self.feeds)
        return Variant(FULL_PRECISION, self.model.name, self.model.stat().st_size, None, metrics, graph)

    def make(self, form: VariantForm) -> Variant:
        """Make a variant; one that cannot be made has the reason."""
        path = self.folder / f"model.{form.name}.onnx"
        try:
            source, tokenizer, vocabulary = self.model, self.tokenizer, None
            if form.prunes_vocabulary:
                pruned = self._prune()
                source, tokenizer, vocabulary = pruned.path, pruned.tokenizer, pruned.vocabulary
            if form.mode is not None:
                self._quantize(source, tokenizer, path, form.mode)
            comparison = None
            if self.held_out is not None:
                comparison = self._compare(scores(path, self.held_out.rows, tokenizer))
            feeds = self._first_row(source, tokenizer) if form.prunes_vocabulary else self.feeds
            graph = describe_graph(path, feeds)
        except PlumblineError as error:
            path.unlink(missing_ok=True)
            return Variant(form.name, None, None, reason=f"{error.message} {error.hint}".strip())
        return Variant(
            form.name,
            path.name,
            path.stat().st_size,
            comparison,
            {} if comparison is None else comparison.after,
            graph,
            tokenizer=tokenizer.name if tokenizer is not None and form.prunes_vocabulary else None,
            vocabulary=vocabulary,
        )

    def _first_row(self, model: Path, tokenizer: Path | None) -> Feeds | None:
        return None if self.train is None else next(_batches(model, self.train, tokenizer, size=1), None)

    def _quantize(self, source: Path, tokenizer: Path | None, path: Path, mode: str) -> None:
        calibration = None
        if QUANTIZATION_MODES.require(mode).needs_calibration and self.train is not None:
            calibration = _batches(source, self.train, tokenizer)
        quantize(source, path, mode=mode, calibration=calibration)

    def _prune(self) -> _Pruned:
        """Prune the vocabulary, once.

        Raises
        ------
        ExportError
            When that cannot be done.
        """
        if self._pruned is None:
            try:
                self._pruned = self._prune_now()
            except PlumblineError as error:
                self._pruned = error
        if isinstance(self._pruned, PlumblineError):
            raise self._pruned
        return self._pruned

    def _prune_now(self) -> _Pruned:
        if self.tokenizer is None or self.train is None or Metadata.read(self.model).kind != "text":
            raise ExportError("Only a model of texts has a vocabulary.", "Choose another variant.")
        path, tokenizer = self.folder / f"model.{PRUNED}.onnx", self.folder / f"tokenizer.{PRUNED}.json"
        texts = list(self.train)
        vocabulary = prune_vocabulary(self.model, self.tokenizer, texts, out=path, out_tokenizer=tokenizer)
        return _Pruned(path, tokenizer, vocabulary)

    def _compare(self, after: NDArray[np.float64]) -> VariantComparison:
        assert self.held_out is not None
        assert self.before is not None
        if not np.isfinite(after).all():
            raise ExportError("Some of its answers are not finite numbers.", "Choose another mode.")
        return compare_variants(self.held_out.y, self.before, after, task=self.held_out.task)


@dataclass(frozen=True)
class _Pruned:
    """A text model in full precision with a smaller vocabulary."""

    path: Path
    tokenizer: Path
    vocabulary: PrunedVocabulary


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

"""`quantize`: smaller numbers for a model's weights, by ONNX Runtime's own quantizers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core.edge.export.metadata import Metadata
from core.edge.export.onnx_model import OnnxModel
from core.edge.inspection.graph import graph_of, load
from core.edge.inspection.walk import elements, operator, scopes
from core.edge.variants.forms import PRUNED, form_name
from core.edge.variants.modes import FULL_PRECISION, PRODUCTS, QUANTIZATION_MODES, Feeds
from core.edge.variants.smoke_test import run_once
from core.errors import ExportError, InputError, SettingsError
from core.files import atomic_write

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["quantize", "recommended_modes"]

_MIN_WEIGHTS = 1_000  # with fewer, scales and conversions cost what the products save
_QUANTIZED = {
    "DequantizeLinear",
    "QuantizeLinear",
    "DynamicQuantizeLinear",
    "MatMulInteger",
    "ConvInteger",
}
_FOUR_BITS = {"com.microsoft.MatMulNBits", "com.microsoft.GatherBlockQuantized"}
_PASSING = {"Transpose", "Identity", "Reshape", "Cast", "Squeeze", "Unsqueeze"}
_VARIANT = "plumbline.variant"


def quantize(
    path: str | Path, out: str | Path, *, mode: str = "dynamic-int8", calibration: Iterable[Feeds] | None = None
) -> OnnxModel:
    """Write a model with smaller numbers; the file appears only when it loads and runs.

    Its outputs differ from the model's. `compare_variants` measures on held-out rows how much that costs, and
    `measure_latency` whether it is faster on the processor at hand.

    Parameters
    ----------
    path : path
        The model in 32-bit floats.
    out : path
        The file to write.
    mode : str, default="dynamic-int8"
        A name of `QUANTIZATION_MODES`. Integers have one scale per channel.
    calibration : iterable of dict, optional
        Inputs of the model, one batch each, of some hundred rows that it was trained on. The static modes need them.

    Returns
    -------
    OnnxModel
        Its `variant` is the mode, or for a model with a pruned vocabulary the form of both; the rest of the metadata is
        that of the model.

    Raises
    ------
    SettingsError
        When there is no such mode, or it needs data to calibrate on and has none.
    InputError
        When the file is not an ONNX model.
    ExportError
        When there is nothing to quantize, or the result does not run.

    See Also
    --------
    make_variants : Makes several variants, and compares them on held-out rows.
    """
    record = QUANTIZATION_MODES.require(mode)
    source, target = Path(path), Path(out)
    model = load(source)
    reason = _nothing_to_do(model)
    if reason is not None:
        raise ExportError(*reason)
    batches = _batches(model, calibration) if record.needs_calibration else []
    with _quiet():
        try:
            quantized = record.convert(source, batches)
        except Exception as error:  # the quantizers raise whatever their parts raise
            raise ExportError(
                f"The model cannot be quantized to {mode}: {str(error).strip()[:300]}", "Choose another mode."
            ) from error
    _restore_metadata(quantized, model, mode)
    content = quantized.SerializeToString()
    run_once(content, model, mode, batches[0] if batches else None)
    with atomic_write(target) as partial:
        partial.write_bytes(content)
    return _describe(quantized, target, len(content))


def recommended_modes(path: str | Path) -> list[tuple[str, str | None]]:
    """Return each mode with the reason why a model cannot be quantized that way; None where it can.

    Raises
    ------
    InputError
        When the file is not an ONNX model.
    """
    reason = _nothing_to_do(load(path))
    return [(mode, None if reason is None else " ".join(reason)) for mode in QUANTIZATION_MODES]


def _nothing_to_do(model: ModelProto) -> tuple[str, str] | None:
    """Return message and hint when quantizing makes no sense."""
    operators = {operator(node) for scope, _ in scopes(model) for node in scope.node}
    variant = _variant(model)
    if (
        variant not in (FULL_PRECISION, PRUNED)
        or operators & (_QUANTIZED | _FOUR_BITS)
        or any("QLinear" in name for name in operators)
    ):
        bits = "4 bits" if operators & _FOUR_BITS else "8 bits"
        name = variant if variant not in (FULL_PRECISION, PRUNED) else bits
        return f"The model is already quantized (to {name}).", "Quantize the model it was made from."
    if _count_weights(model) >= _MIN_WEIGHTS:
        return None
    if any("TreeEnsemble" in name for name in operators):
        return "A tree model has no matrix products to quantize.", "It is small and fast as it is."
    return f"The model has fewer than {_MIN_WEIGHTS:,} weights in matrix products.", "It is small and fast as it is."


def _variant(model: ModelProto) -> str:
    return Metadata.read(model).variant


def _count_weights(model: ModelProto) -> int:
    """Count the constant weights of matrix products and convolutions outside subgraphs."""
    sizes = {tensor.name: elements(tensor) for tensor in model.graph.initializer}
    count = 0
    for node in model.graph.node:
        if node.op_type == "Constant":
            constants = [attribute.t for attribute in node.attribute if attribute.HasField("t")]
            sizes.update((node.output[0], elements(tensor)) for tensor in constants)
        elif node.op_type in _PASSING and node.input and node.input[0] in sizes:
            sizes[node.output[0]] = sizes[node.input[0]]
        elif node.op_type in PRODUCTS:
            count += sum(sizes.get(name, 0) for name in node.input[:2])
    return count


def _batches(model: ModelProto, calibration: Iterable[Feeds] | None) -> list[Feeds]:
    """Return the inputs to calibrate on, reduced to those that the model takes."""
    names = [port.name for port in graph_of(model).inputs]
    batches: list[Feeds] = []
    for feeds in calibration if calibration is not None else ():
        missing = [name for name in names if name not in feeds]
        if missing:
            raise InputError(f"The calibration data have no input '{missing[0]}'.", f"Give {', '.join(names)}.")
        batches.append({name: feeds[name] for name in names})
    if not batches:
        raise SettingsError(
            "Static quantization needs data to find the ranges of activations, and has none.",
            "Give some hundred training rows as `calibration`, or choose dynamic-int8.",
        )
    return batches


def _restore_metadata(quantized: ModelProto, model: ModelProto, mode: str) -> None:
    """Put the metadata back, and drop the domains that the quantizer lists and no node uses."""
    del quantized.metadata_props[:]
    quantized.metadata_props.extend(entry for entry in model.metadata_props if entry.key != _VARIANT)
    quantized.metadata_props.add(key=_VARIANT, value=form_name(mode, pruned=_variant(model) == PRUNED))
    used = {node.domain or "ai.onnx" for scope, _ in scopes(quantized) for node in scope.node} | {"ai.onnx"}
    for opset in [opset for opset in quantized.opset_import if (opset.domain or "ai.onnx") not in used]:
        quantized.opset_import.remove(opset)


def _describe(model: ModelProto, path: Path, size_bytes: int) -> OnnxModel:
    metadata = Metadata.read(model)
    graph = graph_of(model)
    return OnnxModel(
        path=path,
        kind=metadata.kind,
        labels=metadata.labels,
        inputs=tuple(port.name for port in graph.inputs),
        opset=graph.opsets["ai.onnx"],
        max_length=metadata.max_length,
        parity={},
        size_bytes=size_bytes,
        variant=metadata.variant,
        columns=metadata.columns,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the advice of the quantizers, and of ONNX Runtime below them, out of the log.

    They call ``logging.warning`` itself, which sets up logging for the whole process when nothing else has; a handler
    that does nothing prevents that.
    """
    import onnxruntime

    root, runtime, handler = logging.getLogger(), logging.getLogger("onnxruntime"), logging.NullHandler()
    level = runtime.level

    def is_ours(record: logging.LogRecord) -> bool:
        return "onnxruntime" not in record.pathname

    root.addHandler(handler)
    root.addFilter(is_ours)
    runtime.setLevel(logging.CRITICAL)
    onnxruntime.set_default_logger_severity(4)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(2)  # warnings, as at the start
        runtime.setLevel(level)
        root.removeFilter(is_ours)
        root.removeHandler(handler)

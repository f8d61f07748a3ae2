"""Smaller numbers for a model's weights: 8-bit integers or 16-bit floats, by ONNX Runtime's own quantisers."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.export.metadata import Metadata
from core.edge.export.onnx_model import OnnxModel
from core.edge.export.partial import written_whole
from core.edge.inspection.graph import graph_of, load
from core.edge.inspection.walk import elements, operator, scopes
from core.edge.variants.smoke_test import try_out
from core.errors import ExportError, InputError, SettingsError

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["QUANTIZATION_MODES", "quantize", "recommended_modes"]

QUANTIZATION_MODES = {
    "dynamic-int8": "8-bit weights; activations are quantised while it runs, so no data are needed.",
    "static-int8-u8s8": "8-bit weights, unsigned 8-bit activations in ranges that calibration data show. On x86 "
    "processors without VNNI their products can saturate.",
    "static-int8-s8s8": "8-bit weights, signed 8-bit activations in ranges that calibration data show. Made for "
    "accelerators and ARM; on x86 processors often slower than fp32.",
    "fp16": "16-bit floats: half the size. Most processors still compute in 32 bits, so there it is seldom faster, and "
    "an overflow shows only on hardware that computes in 16.",
}
"""The modes, with what is known of each before it is measured."""

Feeds = Mapping[str, Any]

_LEAST = 1_000  # weights; below, scales and conversions cost what the products save
_PRODUCTS = ("MatMul", "Gemm", "Conv")
_QUANTIZED = {"DequantizeLinear", "QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger", "ConvInteger"}
_PASSING = {"Transpose", "Identity", "Reshape", "Cast", "Squeeze", "Unsqueeze"}
_VARIANT = "plumbline.variant"


def quantize(
    path: str | Path, out: str | Path, *, mode: str = "dynamic-int8", calibration: Iterable[Feeds] | None = None
) -> OnnxModel:
    """Write a model with smaller numbers; the file appears only when it loads and runs.

    Its outputs differ from the model's. How much that costs is measured on rows that were held out, by
    `compare_variants`, and whether it is faster on the processor at hand by `measure_latency`.

    Parameters
    ----------
    path : path
        The model in 32-bit floats.
    out : path
        The file to write.
    mode : str
        A key of `QUANTIZATION_MODES`. The integers are one scale a channel.
    calibration : iterable of dict, optional
        Inputs of the model, a batch each, of rows it was trained on; some hundred rows. The static modes need them.

    Returns
    -------
    OnnxModel
        With `variant` set to the mode, and the rest of the metadata as it was.

    Raises
    ------
    SettingsError
        When there is no such mode, or it needs data to calibrate on and has none.
    InputError
        When the file is no ONNX model.
    ExportError
        When there is nothing to quantise, or what comes out does not run.
    """
    if mode not in QUANTIZATION_MODES:
        raise SettingsError(f"There is no mode '{mode}'.", f"Choose one of: {', '.join(QUANTIZATION_MODES)}.")
    source, target = Path(path), Path(out)
    model = load(source)
    reason = _nothing_to_do(model)
    if reason is not None:
        raise ExportError(*reason)
    batches = _batches(model, calibration) if mode.startswith("static") else []
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder, _quiet():
        try:
            smaller = _half(source) if mode == "fp16" else _integers(source, Path(folder), mode, batches)
        except Exception as error:  # the quantisers raise whatever their parts raise
            raise ExportError(
                f"The model cannot be quantised to {mode}: {str(error).strip()[:300]}", "Choose another mode."
            ) from error
    _restore(smaller, model, mode)
    content = smaller.SerializeToString()
    try_out(content, model, mode, batches[0] if batches else None)
    with written_whole(target) as partial:
        partial.write_bytes(content)
    return _describe(smaller, target, len(content))


def recommended_modes(path: str | Path) -> list[tuple[str, str | None]]:
    """Return each mode with the reason why a model cannot be quantised that way; None where it can.

    Raises
    ------
    InputError
        When the file is no ONNX model.
    """
    reason = _nothing_to_do(load(path))
    return [(mode, None if reason is None else " ".join(reason)) for mode in QUANTIZATION_MODES]


def _nothing_to_do(model: ModelProto) -> tuple[str, str] | None:
    """Return message and hint when quantising makes no sense."""
    kinds = {operator(node) for scope, _ in scopes(model) for node in scope.node}
    variant = {each.key: each.value for each in model.metadata_props}.get(_VARIANT, "fp32")
    if variant != "fp32" or kinds & _QUANTIZED or any("QLinear" in kind for kind in kinds):
        name = variant if variant != "fp32" else "8 bits"
        return f"The model is quantised already (to {name}).", "Quantise the one it was made of."
    if _weights(model) >= _LEAST:
        return None
    if any("TreeEnsemble" in kind for kind in kinds):
        return "A tree model has no matrix products to quantise.", "It is small and fast as it is."
    return f"The model has fewer than {_LEAST:,} weights in matrix products.", "It is small and fast as it is."


def _weights(model: ModelProto) -> int:
    """Count the constant weights of matrix products and convolutions outside subgraphs."""
    sizes = {each.name: elements(each) for each in model.graph.initializer}
    count = 0
    for node in model.graph.node:
        if node.op_type == "Constant":
            sizes.update((node.output[0], elements(each.t)) for each in node.attribute if each.HasField("t"))
        elif node.op_type in _PASSING and node.input and node.input[0] in sizes:
            sizes[node.output[0]] = sizes[node.input[0]]
        elif node.op_type in _PRODUCTS:
            count += sum(sizes.get(name, 0) for name in node.input[:2])
    return count


def _batches(model: ModelProto, calibration: Iterable[Feeds] | None) -> list[dict[str, Any]]:
    """Return the inputs to calibrate on, those that the model takes."""
    names = [port.name for port in graph_of(model).inputs]
    batches = []
    for feeds in calibration if calibration is not None else ():
        missing = [name for name in names if name not in feeds]
        if missing:
            raise InputError(f"The calibration data have no input '{missing[0]}'.", f"Give {', '.join(names)}.")
        batches.append({name: feeds[name] for name in names})
    if not batches:
        raise SettingsError(
            "Static quantisation needs data to find the ranges of activations, and has none.",
            "Give some hundred training rows as `calibration`, or choose dynamic-int8.",
        )
    return batches


def _integers(source: Path, folder: Path, mode: str, batches: list[dict[str, Any]]) -> ModelProto:
    from onnx import TensorProto
    from onnxruntime.quantization import QuantFormat, QuantType, quant_pre_process, quantize_dynamic, quantize_static

    prepared, written = folder / "prepared.onnx", folder / "written.onnx"
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)  # the symbolic one needs sympy
    options: dict[str, Any] = {"DefaultTensorType": TensorProto.FLOAT}  # where shape inference finds no type
    if mode == "dynamic-int8":
        quantize_dynamic(prepared, written, per_channel=True, weight_type=QuantType.QInt8, extra_options=options)
    else:
        # Products take 8-bit inputs and return floats: quantising their results as well costs accuracy, and no other
        # operator gains by it. Gather is there for the tables of embeddings, half of a small text model's size.
        options["OpTypesToExcludeOutputQuantization"] = ["MatMul", "Gemm"]
        quantize_static(
            prepared,
            written,
            _Reader(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*_PRODUCTS, "Gather"],
            per_channel=True,
            activation_type=QuantType.QUInt8 if mode.endswith("u8s8") else QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options=options,
        )
    return load(written)


class _Reader:
    """What the static quantiser reads its data from: a batch a call, then None."""

    def __init__(self, batches: list[dict[str, Any]]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._batches, None)


def _half(source: Path) -> ModelProto:
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel as Sorter

    found = Sorter(convert_float_to_float16(load(source), keep_io_types=True))
    found.topological_sort(is_deterministic=True)  # its casts come last, which ONNX's checker refuses
    model: ModelProto = found.model
    return model


def _restore(smaller: ModelProto, model: ModelProto, mode: str) -> None:
    """Put back the metadata, and drop the domains that the optimiser lists and nothing uses."""
    del smaller.metadata_props[:]
    smaller.metadata_props.extend(each for each in model.metadata_props if each.key != _VARIANT)
    smaller.metadata_props.add(key=_VARIANT, value=mode)
    used = {node.domain or "ai.onnx" for scope, _ in scopes(smaller) for node in scope.node} | {"ai.onnx"}
    kept = [each for each in smaller.opset_import if (each.domain or "ai.onnx") in used]
    unused = [each for each in smaller.opset_import if each not in kept]
    for each in unused:
        smaller.opset_import.remove(each)


def _describe(model: ModelProto, path: Path, size: int) -> OnnxModel:
    metadata = Metadata.read(model)
    graph = graph_of(model)
    inputs = tuple(port.name for port in graph.inputs)
    return OnnxModel(
        path,
        metadata.kind,
        metadata.labels,
        inputs,
        graph.opsets["ai.onnx"],
        metadata.max_length,
        {},
        size,
        metadata.variant,
        metadata.columns,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the advice of the quantisers, and of ONNX Runtime below them, out of the log.

    They call ``logging.warning`` itself, which sets up logging for the whole process when nothing else has; a handler
    that does nothing prevents that.
    """
    import onnxruntime

    root, own, nothing = logging.getLogger(), logging.getLogger("onnxruntime"), logging.NullHandler()
    level = own.level

    def is_ours(record: logging.LogRecord) -> bool:
        return "onnxruntime" not in record.pathname

    root.addHandler(nothing)
    root.addFilter(is_ours)
    own.setLevel(logging.CRITICAL)
    onnxruntime.set_default_logger_severity(4)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(2)  # warnings, as it begins
        own.setLevel(level)
        root.removeFilter(is_ours)
        root.removeHandler(nothing)

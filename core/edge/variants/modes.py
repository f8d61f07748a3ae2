"""The quantization modes: what each is called, what it needs, and ONNX Runtime's quantizer that makes it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from core.edge.inspection.graph import load
from core.edge.variants.weights4 import BLOCK, quantize_weights4
from core.registry import Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import ModelProto
    from onnxruntime.quantization import CalibrationDataReader

__all__ = ["FULL_PRECISION", "PRODUCTS", "QUANTIZATION_MODES", "Feeds", "QuantizationMode"]

FULL_PRECISION = "fp32"
"""Name of the variant that is not quantized."""
PRODUCTS = ("MatMul", "Gemm", "Conv")
"""Operators whose weights are quantized."""

Feeds = Mapping[str, "NDArray[Any]"]


@dataclass(frozen=True)
class QuantizationMode:
    """One quantization mode.

    Parameters
    ----------
    name : str
        Name of the mode, and of the variant it makes; it is stored and never changes.
    title : str
        Its name on pages.
    help : str
        The facts about it before anything is measured.
    convert : callable
        Takes the path of a model and a list of inputs to calibrate on; returns the quantized model.
    needs_calibration : bool, default=False
        Whether it needs data to find the ranges of activations.
    ranges_per_batch : bool, default=False
        Whether one range is used for all activations of a batch, so that an answer depends on the other rows.
    with_pruned_vocabulary : bool, default=False
        Whether a text model is also offered in this mode with a pruned vocabulary.
    """

    name: str
    title: str
    help: str
    convert: Callable[[Path, Sequence[Feeds]], ModelProto]
    needs_calibration: bool = False
    ranges_per_batch: bool = False
    with_pruned_vocabulary: bool = False


def _dynamic_int8(source: Path, batches: Sequence[Feeds]) -> ModelProto:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        written = Path(folder) / "quantized.onnx"
        quantize_dynamic(
            _prepare(source, Path(folder)),
            written,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options=_options(),
        )
        return load(written)


def _static_int8(source: Path, batches: Sequence[Feeds], *, unsigned: bool) -> ModelProto:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        written = Path(folder) / "quantized.onnx"
        # Products take 8-bit inputs and return floats: quantizing their results as well costs accuracy, and no other
        # operator gains by it. Gather is for the tables of embeddings, half of a small text model's size.
        quantize_static(
            _prepare(source, Path(folder)),
            written,
            _reader(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*PRODUCTS, "Gather"],
            per_channel=True,
            activation_type=QuantType.QUInt8 if unsigned else QuantType.QInt8,
            weight_type=QuantType.QInt8,
            extra_options={**_options(), "OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"]},
        )
        return load(written)


def _fp16(source: Path, batches: Sequence[Feeds]) -> ModelProto:
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel as Sorter

    sorter = Sorter(convert_float_to_float16(load(source), keep_io_types=True))
    sorter.topological_sort(is_deterministic=True)  # its casts come last, which ONNX's checker refuses
    model: ModelProto = sorter.model
    return model


def _int4(source: Path, batches: Sequence[Feeds]) -> ModelProto:
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        return quantize_weights4(load(_prepare(source, Path(folder))))


def _prepare(source: Path, folder: Path) -> Path:
    from onnxruntime.quantization import quant_pre_process

    prepared = folder / "prepared.onnx"
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)  # the symbolic one needs sympy
    return prepared


class _Options(TypedDict):
    DefaultTensorType: int


def _options() -> _Options:
    from onnx import TensorProto

    return {"DefaultTensorType": TensorProto.FLOAT}  # where shape inference finds no type


def _reader(batches: Sequence[Feeds]) -> CalibrationDataReader:
    """Return an object from which the static quantizer reads a batch per call, then None."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self._batches = iter(batches)

        def get_next(self) -> dict[str, NDArray[Any]] | None:
            batch = next(self._batches, None)
            return None if batch is None else dict(batch)

    return Reader()


QUANTIZATION_MODES = Registry(
    "quantization mode",
    [
        QuantizationMode(
            "dynamic-int8",
            "Dynamic int8",
            "8-bit weights; activations are quantized at run time, so no data are needed.",
            _dynamic_int8,
            ranges_per_batch=True,
            with_pruned_vocabulary=True,
        ),
        QuantizationMode(
            "static-int8-u8s8",
            "Static int8 (unsigned activations)",
            "8-bit weights, unsigned 8-bit activations in ranges from calibration data. On x86 processors without VNNI "
            "their products can saturate.",
            partial(_static_int8, unsigned=True),
            needs_calibration=True,
            with_pruned_vocabulary=True,
        ),
        QuantizationMode(
            "static-int8-s8s8",
            "Static int8 (signed activations)",
            "8-bit weights, signed 8-bit activations in ranges from calibration data. Made for accelerators and ARM; "
            "often slower than fp32 on x86 processors.",
            partial(_static_int8, unsigned=False),
            needs_calibration=True,
        ),
        QuantizationMode(
            "fp16",
            "fp16 (half precision)",
            "16-bit floats: half the size. Most processors still compute in 32 bits, so it is seldom faster there, and "
            "an overflow shows only on hardware that computes in 16.",
            _fp16,
        ),
        QuantizationMode(
            "int4",
            "int4 weights",
            f"4-bit weights in blocks of {BLOCK}, each with its own scale; products are computed with 8-bit "
            "activations. The smallest file; whether it is fast depends on the processor.",
            _int4,
            with_pruned_vocabulary=True,
        ),
    ],
)
"""All quantization modes by name."""

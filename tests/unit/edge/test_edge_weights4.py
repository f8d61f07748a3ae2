"""4-bit weights: what ONNX Runtime's own quantizer makes, for large matrices of floats only."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantizer

from core.edge import describe_graph, quantize
from core.edge.inspection.id_limits import id_limits
from core.edge.variants.weights4 import BLOCK
from core.errors import ExportError

RANDOM = np.random.default_rng(0)
WIDE = RANDOM.normal(size=(128, 96)).astype(np.float32) / 8
TABLE = RANDOM.normal(size=(500, 128)).astype(np.float32)
HEAD = RANDOM.normal(size=(96, 2)).astype(np.float32)
POSITIONS = np.arange(5_000, dtype=np.int64).reshape(1, -1)


def save(path, nodes, weights, opset=20):
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["rows"])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 2])
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", [ids], [out], held)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9), path)
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["x"]),
        helper.make_node("Gemm", ["x", "wide", "bias"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "head"], ["y"]),
    ]
    weights = {"table": TABLE, "wide": WIDE, "bias": np.zeros(96, np.float32), "head": HEAD}
    return save(tmp_path_factory.mktemp("weights4") / "model.onnx", nodes, weights)


def run(path, ids):
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(None, {"ids": ids})[0]


def rounded(matrix, axis):
    """Return a matrix as the quantizer's own numbers stand for it."""
    packed, scales, zeros = DefaultWeightOnlyQuantizer.quantize_ndarray(matrix, axis, BLOCK, False)
    shape = np.repeat(scales, BLOCK, axis=axis).shape
    codes = np.stack([packed & 15, packed >> 4], axis=-1).reshape(-1)[: matrix.size].reshape(matrix.shape)
    zero_codes = np.stack([zeros & 15, zeros >> 4], axis=-1).reshape(-1)[: scales.size].reshape(scales.shape)
    assert shape == matrix.shape
    return (codes.astype(float) - np.repeat(zero_codes, BLOCK, axis=axis)) * np.repeat(scales, BLOCK, axis=axis)


def test_answers_are_those_of_the_rounded_weights(network, tmp_path):
    quantized = quantize(network, tmp_path / "int4.onnx", mode="int4")
    ids = np.arange(400, dtype=np.int64)
    exact = np.maximum(TABLE[ids] @ WIDE, 0) @ HEAD
    expected = np.maximum(rounded(TABLE, 1)[ids] @ rounded(WIDE, 0), 0) @ HEAD
    got = run(quantized.path, ids)
    assert np.abs(got - expected).max() < 0.05 * np.abs(exact).max()  # activations have 8 bits
    assert np.abs(got - expected).mean() < 0.3 * np.abs(exact - expected).mean()
    assert np.corrcoef(got.ravel(), exact.ravel())[0, 1] > 0.97


def test_small_matrices_stay_as_they_are(network, tmp_path):
    quantized = quantize(network, tmp_path / "int4.onnx", mode="int4")
    operators = describe_graph(quantized.path).operators
    assert operators["com.microsoft.MatMulNBits"] == 1
    assert operators["com.microsoft.GatherBlockQuantized"] == 1
    assert operators["MatMul"] == 1
    assert quantized.size_bytes < network.stat().st_size / 5


def test_tables_of_whole_numbers_are_not_weights(tmp_path):
    nodes = [
        helper.make_node("Gather", ["positions", "ids"], ["p"], axis=1),
        helper.make_node("Squeeze", ["p"], ["q"]),
        helper.make_node("Gather", ["table", "q"], ["x"]),
        helper.make_node("MatMul", ["x", "wide"], ["a"]),
        helper.make_node("MatMul", ["a", "head"], ["y"]),
    ]
    path = save(tmp_path / "m.onnx", nodes, {"positions": POSITIONS, "table": TABLE, "wide": WIDE, "head": HEAD})
    quantized = quantize(path, tmp_path / "int4.onnx", mode="int4")
    ids = np.array([3, 1, 400], dtype=np.int64)
    assert np.corrcoef(run(quantized.path, ids).ravel(), run(path, ids).ravel())[0, 1] > 0.9


def test_a_model_without_large_matrices_is_refused(tmp_path):
    narrow = RANDOM.normal(size=(40, 30)).astype(np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["x"]),
        helper.make_node("MatMul", ["x", "narrow"], ["a"]),
        helper.make_node("MatMul", ["a", "head"], ["y"]),
    ]
    weights = {"table": TABLE[:20, :40], "narrow": narrow, "head": HEAD[:30]}
    path = save(tmp_path / "m.onnx", nodes, weights)
    with pytest.raises(ExportError, match="cannot be quantized to int4: no matrix of weights has 4,096 numbers"):
        quantize(path, tmp_path / "int4.onnx", mode="int4")
    assert not (tmp_path / "int4.onnx").exists()


def test_the_work_of_a_quantized_graph_is_counted(network, tmp_path):
    quantized = quantize(network, tmp_path / "int4.onnx", mode="int4")
    work = describe_graph(quantized.path, {"ids": np.arange(10, dtype=np.int64)}).work
    products = 2 * 10 * (128 * 96 + 96 * 2)
    assert work.uncounted == {}
    assert work.flop == pytest.approx(products, rel=0.1)
    assert work.bytes_least < quantized.size_bytes
    assert id_limits(onnx.load(quantized.path)) == {"ids": len(TABLE)}

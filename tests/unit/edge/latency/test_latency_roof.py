"""The roof of the machine, and where the time goes."""

from types import SimpleNamespace

import numpy as np
import pytest
from onnx import TensorProto, helper

from core.edge import describe_graph
from core.edge.latency import Roof, machine_roof, measure_latency, profile_operators, roofline
from core.errors import InputError, SettingsError
from tests.unit.edge.latency.conftest import info, model


@pytest.fixture(scope="module")
def roof():
    return machine_roof(1)


def test_a_roof_is_measured(roof):
    assert roof.threads == 1
    assert roof.gflops > 0.1
    assert roof.read_gb_s > 0.1
    assert Roof(**roof.to_dict()) == roof
    with pytest.raises(SettingsError, match="intra_op_threads"):
        machine_roof(0)


def test_a_product_lies_under_the_roof(file, quick, roof):
    path = file("matmul")
    graph = describe_graph(path, {"x": np.ones((256, 64), np.float32)})
    line = roofline(measure_latency(path, quick(batch_size=256)), graph, roof)
    assert line.flop >= 2 * 256 * 64 * 64
    assert line.intensity == line.flop / line.bytes_least
    assert 0 < line.share < 2
    assert line.to_dict()["bound"] in ("compute", "memory")


def test_the_lower_of_two_roofs_counts():
    def under(flop, moved):
        measured = SimpleNamespace(server=None, median_ms=4.0)
        return roofline(measured, SimpleNamespace(work=SimpleNamespace(flop=flop, bytes_least=moved)), Roof(100, 10, 1))

    compute, memory = under(2 * 10**8, 10**6), under(10**6, 2 * 10**7)
    assert (compute.bound, compute.roof_ms, compute.share) == ("compute", 2.0, 0.5)
    assert (memory.bound, memory.roof_ms, memory.share) == ("memory", 2.0, 0.5)
    assert compute.gflops == 50


def test_a_graph_without_operations_has_no_roof(file, quick, roof):
    report = measure_latency(file("identity"), quick())
    with pytest.raises(InputError, match="was not counted"):
        roofline(report, describe_graph(file("identity")), roof)
    with pytest.raises(InputError, match="no operations"):
        roofline(report, describe_graph(file("identity"), {"x": np.ones((1, 4), np.float32)}), roof)


def test_a_profile_tells_operators_apart(file, quick):
    profile = profile_operators(file("matmul"), quick(graph_optimization="none", batch_size=64))
    assert sorted(profile["operator"]) == ["MatMul", "Relu"]
    assert profile["share"].sum() == pytest.approx(1)
    assert profile["nodes"].tolist() == [1, 1]
    assert profile["calls"].nunique() == 1
    assert 0 < profile["calls"][0] <= 200
    assert profile["mean_us"].to_numpy() == pytest.approx(1e3 * profile["total_ms"] / profile["calls"])
    assert profile["total_ms"].is_monotonic_decreasing


def test_a_rewriting_of_the_graph_can_be_left_out(tmp_path, quick):
    # A product, then a sum: ONNX Runtime makes one Gemm of them.
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Add", ["h", "b"], ["y"])]
    constants = {"w": np.ones((8, 8), np.float32), "b": np.ones(8, np.float32)}
    path = tmp_path / "sum.onnx"
    ports = [info(name, TensorProto.FLOAT, [4, 8]) for name in ("x", "y")]
    path.write_bytes(model(nodes, ports[:1], ports[1:], constants))
    both = [
        sorted(profile_operators(path, quick(batch_size=4, disabled_optimizers=names))["operator"])
        for names in ((), ("MatMulAddFusion",))
    ]
    assert both == [["Gemm"], ["Add", "MatMul"]]

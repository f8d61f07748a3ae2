"""Files that ONNX Runtime runs although they leave something unsaid: shapes, the number of ids, element types."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper, save

from core.edge import inspect_onnx
from core.edge.inspection.id_limits import id_limits
from core.edge.latency.inputs import write_inputs
from core.edge.latency.measuring.requests import random_feeds
from core.errors import InputError

ROWS = 30


def linear(
    input_shape: list[str | int] | None, output_shape: list[str | int] | None, operator: str = "MatMul"
) -> bytes:
    """A product with a matrix of four rows; None leaves a shape out."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, input_shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, output_shape)
    weights = numpy_helper.from_array(np.ones((4, 3), np.float32), "w")
    graph = helper.make_graph([helper.make_node(operator, ["x", "w"], ["y"])], "g", [x], [y], [weights])
    return model_of(graph).SerializeToString()


def model_of(graph) -> ModelProto:
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def lookup(rows: int = ROWS, between: str | None = None) -> ModelProto:
    """Ids are looked up in a table, perhaps after another operator."""
    ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["n", "length"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, None)
    table = numpy_helper.from_array(np.ones((rows, 2), np.float32), "table")
    nodes = [helper.make_node("Gather", ["table", "same" if between else "ids"], ["y"])]
    if between:
        options = {"to": TensorProto.INT32} if between == "Cast" else {}
        nodes.insert(0, helper.make_node(between, ["ids"], ["same"], **options))
    return model_of(helper.make_graph(nodes, "g", [ids], [y], [table]))


@pytest.mark.parametrize("shapes", [(["n", 4], None), (None, ["n", 3]), (None, None), (["n", 4], ["n", 3])])
def test_a_file_without_shapes_is_as_valid_as_one_with_them(shapes):
    data = linear(*shapes)
    onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])  # which loads it too
    inspection = inspect_onnx(data)
    assert [(port.name, port.shape) for port in inspection.graph.inputs] == [
        ("x", None if shapes[0] is None else tuple(shapes[0]))
    ]


@pytest.mark.parametrize(
    "data",
    [
        linear(["n", 5], None),  # 5 is not 4
        linear(None, None, operator="MatMull"),
        linear(None, ["n", 3], operator="Softmax"),  # of two inputs
    ],
)
def test_what_is_wrong_besides_is_still_seen(data):
    with pytest.raises(InputError, match="The file is not a valid ONNX model"):
        inspect_onnx(data)


def test_random_inputs_need_a_shape_and_own_ones_do_not(tmp_path: Path):
    file = tmp_path / "m.onnx"
    file.write_bytes(linear(None, None))
    with pytest.raises(InputError, match="does not say which shape its input 'x' has"):
        write_inputs(None, file, tmp_path, batch_size=1, preprocessing=False)
    feeds = [{"x": np.ones((1, 4), np.float32)}]
    assert write_inputs(feeds, file, tmp_path, batch_size=1, preprocessing=False).form == "table"


@pytest.mark.parametrize("between", [None, "Cast", "Identity"])
def test_ids_stay_within_the_table_that_they_are_looked_up_in(tmp_path: Path, between: str | None):
    model = lookup(between=between)
    assert id_limits(model) == {"ids": ROWS}
    save(model, str(tmp_path / "m.onnx"))
    inputs = write_inputs(None, tmp_path / "m.onnx", tmp_path, batch_size=2, preprocessing=False)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = random_feeds(session.get_inputs(), 2, 64, 0, inputs.limits)
    assert max(int(feed["ids"].max()) for feed in feeds) == ROWS - 1
    for feed in feeds:
        session.run(None, feed)


def test_bfloat16_is_refused_with_what_to_do():
    port = SimpleNamespace(name="x", type="tensor(bfloat16)", shape=["n", 4])
    with pytest.raises(InputError, match=r"'x' is bfloat16, which ONNX Runtime does not take from Python") as caught:
        random_feeds([port], 1, None, seed=0)
    assert "float32 inputs" in caught.value.hint

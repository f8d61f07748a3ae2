"""ONNX files that ask for what is not allowed are refused, wherever in the file they do."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from core.edge import inspect_onnx
from core.edge.inspection.inspect import OnnxLimits
from core.errors import InputError, LimitError

FLOAT = TensorProto.FLOAT


def info(name, shape=(None, 3), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def tensor(name="w", shape=(3, 3)):
    return numpy_helper.from_array(np.ones(shape, np.float32), name)


def model(nodes=None, held=(), *, opset=18, functions=(), props=None, outputs=None, inputs=None, domains=()):
    nodes = nodes or [helper.make_node("MatMul", ["x", "w"], ["y"])]
    graph = helper.make_graph(
        nodes, "g", inputs or [info("x")], [info("y")] if outputs is None else outputs, [*held] or [tensor()]
    )
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=10, functions=list(functions))
    helper.set_model_props(made, props or {})
    return made


def refused(made, match, error=InputError, **limits):
    with pytest.raises(error, match=match) as caught:
        inspect_onnx(made.SerializeToString(), limits=OnnxLimits(**limits))
    assert caught.value.hint
    return caught.value


def within(inner, depth=1):
    """Return a node that holds another in subgraphs, that many deep."""
    for _ in range(depth):
        branches = {
            name: helper.make_graph([inner, helper.make_node("Identity", ["w"], ["r"])], name, [], [info("r", (3, 3))])
            for name in ("then_branch", "else_branch")
        }
        inner = helper.make_node("If", ["c"], ["o"], **branches)
    return inner


def holding(inner, depth=1):
    held = [tensor(), numpy_helper.from_array(np.array(True), "c")]
    return model([within(inner, depth), helper.make_node("MatMul", ["x", "w"], ["y"])], held)


def test_a_sound_file_is_described():
    data = model(props={"plumbline.kind": "table"}).SerializeToString()
    inspection = inspect_onnx(data)
    assert (inspection.kind, inspection.size_bytes, len(inspection.sha256)) == ("table", len(data), 64)
    assert [port.name for port in inspection.graph.inputs] == ["x"]
    assert inspection.graph.operators == {"MatMul": 1}
    assert json.loads(json.dumps(inspection.to_dict()))["graph"]["outputs"][0]["name"] == "y"


@pytest.mark.parametrize("props", [{}, {"plumbline.kind": "<script>"}])
def test_a_kind_that_we_do_not_write_is_none(props):
    assert inspect_onnx(model(props=props).SerializeToString()).kind is None


def test_a_file_that_was_cut_is_damaged():
    data = model(
        held=[tensor(shape=(3, 400))], nodes=[helper.make_node("MatMul", ["x", "w"], ["y"])]
    ).SerializeToString()
    for cut in (len(data) - 1, len(data) // 2, 20):
        with pytest.raises(InputError, match="damaged"):
            inspect_onnx(data[:cut])


def external(name="w"):
    result = tensor(name)
    result.ClearField("raw_data")
    result.data_location = TensorProto.EXTERNAL
    result.external_data.add(key="location", value="/etc/passwd")
    return result


def test_external_data_is_refused_wherever_it_is():
    message = "stored in another file"
    only_entries = tensor()
    only_entries.external_data.add(key="location", value="../../secret")
    sparse = helper.make_sparse_tensor(tensor("v", (2,)), numpy_helper.from_array(np.array([0, 4]), "i"), [3, 3])
    sparse.indices.CopyFrom(external("i"))
    in_sparse = model()
    in_sparse.graph.sparse_initializer.append(sparse)
    in_training = model()
    in_training.training_info.add().initialization.initializer.append(external())
    constant = helper.make_node("Constant", [], ["k"], value=external())
    function = helper.make_function(
        "own", "F", ["a"], ["b"], [constant, helper.make_node("Add", ["a", "k"], ["b"])], [helper.make_opsetid("", 18)]
    )
    for made in (
        model(held=[external()]),
        model(held=[only_entries]),
        model([constant, helper.make_node("MatMul", ["x", "k"], ["y"])]),
        holding(constant),
        holding(constant, 3),
        in_sparse,
        in_training,
        model([helper.make_node("F", ["x"], ["y"], domain="own")], functions=[function], domains=["own"]),
    ):
        error = refused(made, message)
        assert "/etc/passwd" not in str(error)


def test_custom_domains_are_refused_and_named():
    own = helper.make_node("Run", ["x"], ["y"], domain="com.evil")
    assert "'com.evil.Run'" in refused(model([own], domains=["com.evil"]), "not one of ONNX's").message
    refused(holding(helper.make_node("Run", ["w"], ["z"], domain="com.evil"), 2), "not one of ONNX's")
    refused(
        model([helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft")], domains=["com.microsoft"]),
        "reads another file",
    )


def test_the_runtimes_own_operators_are_allowed():
    node = helper.make_node("Gelu", ["x"], ["y"], domain="com.microsoft")
    inspection = inspect_onnx(model([node], domains=["com.microsoft"]).SerializeToString())
    assert inspection.graph.operators == {"com.microsoft.Gelu": 1}


def test_functions_of_the_file_itself_are_allowed():
    body = helper.make_function(
        "own", "Twice", ["a"], ["b"], [helper.make_node("Add", ["a", "a"], ["b"])], [helper.make_opsetid("", 18)]
    )
    node = helper.make_node("Twice", ["x"], ["y"], domain="own")
    inspection = inspect_onnx(model([node], functions=[body], domains=["own"]).SerializeToString())
    assert inspection.graph.operators == {"Add": 1, "own.Twice": 1}


def doubling(levels, last):
    """Return functions that each call the next twice, the last one a `last`."""
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
    functions = []
    for level in range(levels):
        name, domain = (f"F{level + 1}", "own") if level + 1 < levels else last
        nodes = [helper.make_node(name, [a], [b], domain=domain) for a, b in (("a", "m"), ("m", "b"))]
        functions.append(helper.make_function("own", f"F{level}", ["a"], ["b"], nodes, opsets))
    return functions


def test_functions_that_multiply_are_counted_as_often_as_they_are_called():
    node = helper.make_node("F0", ["x"], ["y"], domain="own")
    many = doubling(40, ("Relu", ""))
    refused(model([node], functions=many, domains=["own"]), "more than 50,000 operators", LimitError)
    few = model([node], functions=doubling(5, ("Relu", "")), domains=["own"])
    assert inspect_onnx(few.SerializeToString()).graph.nodes == 11


def test_functions_that_call_one_another_in_a_circle_are_refused():
    node = helper.make_node("F0", ["x"], ["y"], domain="own")
    refused(model([node], functions=doubling(3, ("F0", "own")), domains=["own"]), "in a circle")


def test_nodes_are_counted_in_subgraphs_and_functions_too():
    chain = [helper.make_node("Relu", ["x"], ["y"])] * 60
    refused(model(chain), "more than 50 operators", LimitError, max_nodes=50)
    deep = helper.make_node(
        "If",
        ["c"],
        ["o"],
        then_branch=helper.make_graph(chain, "t", [], []),
        else_branch=helper.make_graph([], "e", [], []),
    )
    refused(holding(deep), "more than 50 operators", LimitError, max_nodes=50)
    body = helper.make_function("own", "F", ["x"], ["y"], chain, [helper.make_opsetid("", 18)])
    refused(model(functions=[body]), "more than 50 operators", LimitError, max_nodes=50)


def test_subgraphs_are_not_nested_deeper_than_the_limit():
    node = helper.make_node("Relu", ["w"], ["z"])
    refused(holding(node, 17), "more than 16 deep", LimitError)
    refused(holding(node, 5), "more than 4 deep", LimitError, max_depth=4)


def test_a_newer_opset_names_both_versions():
    error = refused(model(opset=999), "version 999")
    assert "opset_version=" in error.hint
    refused(model(opset=0), "version 0")


def claim(shape, kind=FLOAT, **fields):
    result = TensorProto(name="w", data_type=kind, dims=shape)
    for name, value in fields.items():
        if isinstance(value, bytes):
            setattr(result, name, value)
        else:
            getattr(result, name).extend(value)
    return result


@pytest.mark.parametrize(
    ("held", "message"),
    [
        (claim([1 << 40], raw_data=bytes(4)), "should have 1,099,511,627,776 elements, and has data for 1"),
        (claim([3, 3], raw_data=bytes(35)), "data for 8"),
        (claim([3, 3], raw_data=bytes(40)), "data for 10"),
        (claim([1 << 62, 1 << 62], raw_data=bytes(4)), "and has data for 1"),
        (claim([3, 3], float_data=[1.0]), "data for 1"),
        (claim([3, 3]), "data for 0"),
        (claim([-3, -3], raw_data=bytes(36)), "negative size"),
        (claim([3, 3], kind=99, raw_data=bytes(36)), r"unknown type \(99\)"),
        (claim([3], kind=TensorProto.STRING, string_data=[b"a"]), "data for 1"),
        (claim([5], kind=TensorProto.INT4, raw_data=bytes(2)), "data for 4"),
        (claim([2], kind=TensorProto.COMPLEX64, float_data=[1.0] * 3), "data for -1"),
    ],
)
def test_tensors_hold_what_they_say(held, message):
    refused(model(held=[held]), message)


@pytest.mark.parametrize(
    "held",
    [
        claim([3, 3], float_data=[1.0] * 9),
        claim([5], kind=TensorProto.INT4, raw_data=bytes(3)),
        claim([5], kind=TensorProto.UINT4, int32_data=[1] * 3),
        claim([2], kind=TensorProto.FLOAT16, int32_data=[1, 2]),
        claim([2], kind=TensorProto.STRING, string_data=[b"a", b"b"]),
        claim([0, 3], raw_data=b""),
        claim([], kind=TensorProto.INT64, int64_data=[7]),
    ],
)
def test_sound_tensors_of_every_layout_pass(held):
    held.name = "other"
    assert inspect_onnx(model(held=[tensor(), held]).SerializeToString()).graph.nodes == 1


BIG = numpy_helper.from_array(np.array([1 << 20, 1 << 20]), "big")


@pytest.mark.parametrize(
    "node",
    [
        helper.make_node("ConstantOfShape", ["big"], ["y"]),
        helper.make_node("Expand", ["x", "big"], ["y"]),
        helper.make_node("Tile", ["x", "big"], ["y"]),
        helper.make_node("RandomNormal", [], ["y"], shape=[1 << 20, 1 << 20]),
    ],
)
def test_a_tensor_that_is_seen_to_become_huge_is_refused(node):
    refused(model([node], [BIG]), "GB; at most 1.0", LimitError)
    constant = helper.make_node("Constant", [], ["big"], value=BIG)
    refused(model([constant, node], [tensor()]), "GB; at most 1.0", LimitError)


def test_a_range_a_sparse_tensor_and_an_input_can_be_huge_too():
    held = [numpy_helper.from_array(np.array(value), name) for name, value in (("a", 0), ("b", 1 << 50), ("c", 1))]
    refused(model([helper.make_node("Range", ["a", "b", "c"], ["y"])], held), "GB; at most", LimitError)
    sparse = model()
    sparse.graph.sparse_initializer.append(
        helper.make_sparse_tensor(tensor("v", (1,)), numpy_helper.from_array(np.array([0]), "i"), [1 << 40])
    )
    refused(sparse, "GB; at most", LimitError)
    refused(model(inputs=[info("x", (1 << 40, 3))]), "GB; at most", LimitError)


def test_the_checker_has_the_last_word():
    refused(model([helper.make_node("MatMul", ["x", "nothing"], ["y"])]), "not a valid ONNX model")
    refused(model([helper.make_node("NoSuchOperator", ["x"], ["y"])]), "not a valid ONNX model")
    refused(model(outputs=[]), "no outputs")


def test_names_of_any_length_and_coding_are_shortened():
    made = model([helper.make_node("A" * 10_000, ["x"], ["y"], domain="d" * 10_000)])
    assert len(refused(made, "not one of ONNX's").message) < 800
    data = model(held=[external("wxyz")]).SerializeToString().replace(b"wxyz", b"w\xff\xfez")
    with pytest.raises(InputError, match="another file"):
        inspect_onnx(data)


def test_an_older_file_that_lists_weights_as_inputs_passes():
    inspection = inspect_onnx(model(inputs=[info("x"), info("w", (3, 3))]).SerializeToString())
    assert [port.name for port in inspection.graph.inputs] == ["x"]


def test_what_quantising_makes_passes(tmp_path):
    from core.edge import quantize

    held = [numpy_helper.from_array(np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32), "w")]
    onnx.save(model(held=held, inputs=[info("x", (None, 64))], outputs=[info("y", (None, 64))]), tmp_path / "m.onnx")
    for mode in ("dynamic-int8", "static-int8-u8s8", "fp16"):
        quantized = quantize(
            tmp_path / "m.onnx", tmp_path / "q.onnx", mode=mode, calibration=[{"x": np.ones((2, 64), "f4")}]
        )
        assert inspect_onnx(quantized.path.read_bytes()).graph.inputs[0].name == "x"

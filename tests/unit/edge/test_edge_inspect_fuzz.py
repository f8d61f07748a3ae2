"""Whatever bytes are uploaded, inspecting them ends in an answer or in one of our errors."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from core.edge import inspect_onnx
from core.edge.inspection.inspect import OnnxLimits
from core.errors import PlumblineError

LIMITS = OnnxLimits(max_bytes=100_000, max_nodes=200, max_tensor_bytes=1_000_000)


def _sound() -> bytes:
    """Return a small model with much to break: a subgraph, a function, a sparse tensor, trees, strings, metadata."""
    branch = helper.make_graph(
        [helper.make_node("Add", ["a", "w"], ["r"])], "then", [], [helper.make_tensor_value_info("r", 1, [2, 2])]
    )
    function = helper.make_function(
        "own", "Twice", ["p"], ["q"], [helper.make_node("Add", ["p", "p"], ["q"])], [helper.make_opsetid("", 18)]
    )
    tree = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["t"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_values=[0.5, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        target_treeids=[0, 0],
        target_nodeids=[1, 2],
        target_ids=[0, 0],
        target_weights=[1.0, 2.0],
    )
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Twice", ["a"], ["b"], domain="own"),
        helper.make_node("If", ["c"], ["d"], then_branch=branch, else_branch=branch),
        helper.make_node("ConstantOfShape", ["shape"], ["e"]),
        tree,
    ]
    held = [
        numpy_helper.from_array(np.ones((2, 2), np.float32), "w"),
        numpy_helper.from_array(np.array(True), "c"),
        numpy_helper.from_array(np.array([2, 2]), "shape"),
        numpy_helper.from_array(np.array(["u", "v"]), "words"),
    ]
    sparse = helper.make_sparse_tensor(
        numpy_helper.from_array(np.ones(1, np.float32), "s"), numpy_helper.from_array(np.array([1]), "i"), [4]
    )
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "k"]) for name in "bdet"],
        held,
        sparse_initializer=[sparse],
    )
    opsets = [helper.make_opsetid(*item) for item in (("", 18), ("own", 1), ("ai.onnx.ml", 3))]
    made = helper.make_model(graph, functions=[function], opset_imports=opsets, ir_version=10)
    helper.set_model_props(made, {"plumbline.kind": "table"})
    return made.SerializeToString()


SOUND = _sound()


def survives(data: bytes) -> bool:
    """Say whether a file passes; what is refused without a reason counts as passing."""
    try:
        inspect_onnx(data, limits=LIMITS)
    except PlumblineError as error:
        return not (error.message and error.hint)
    return True


def test_the_file_that_is_broken_below_is_sound():
    assert survives(SOUND)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(SOUND) - 1),
            st.sampled_from(["flip", "set", "insert", "delete", "repeat"]),
            st.integers(0, 255),
            st.integers(1, 64),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_a_file_with_bytes_changed_ends_in_an_answer_or_one_of_our_errors(changes):
    data = bytearray(SOUND)
    for index, what, value, length in changes:
        index = min(index, len(data) - 1)
        match what:
            case "flip":
                data[index] ^= 1 << (value % 8)
            case "set":
                data[index] = value
            case "insert":
                data[index:index] = bytes([value] * (length % 4 + 1))
            case "delete" if len(data) > length:
                del data[index : index + length]
            case "repeat":
                data[index:index] = data[index : index + length]
        if not data:
            return
    survives(bytes(data))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_end_in_one_of_our_errors(data):
    assert not survives(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_after_a_sound_beginning_end_in_an_answer_or_one_of_our_errors(data):
    survives(b"\x08\x0a" + data)


def test_every_cut_ends_in_one_of_our_errors():
    assert not any(survives(SOUND[:cut]) for cut in range(len(SOUND) - 80))  # the metadata and opsets come last

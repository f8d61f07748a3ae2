"""What a graph is made of, and the work of one run, against formulas."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from core.edge import describe_graph
from core.edge.inspection.trees import tree_size
from core.errors import InputError

RANDOM = np.random.default_rng(0)


def build(nodes, inputs, outputs, weights=(), opset=18, **more):
    """Return the bytes of a model; inputs and outputs are (name, shape) or (name, shape, type)."""
    infos = [
        [helper.make_tensor_value_info(name, *(kind or [TensorProto.FLOAT]), shape) for name, shape, *kind in side]
        for side in (inputs, outputs)
    ]
    held = [numpy_helper.from_array(value, name) for name, value in dict(weights).items()]
    graph = helper.make_graph(nodes, "g", *infos, held)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10, **more).SerializeToString()


def floats(*shape):
    return RANDOM.normal(size=shape).astype(np.float32)


def test_operators_parameters_and_ports():
    data = build(
        [
            helper.make_node("MatMul", ["x", "w"], ["p"]),
            helper.make_node("Add", ["p", "b"], ["q"]),
            helper.make_node("Add", ["q", "b"], ["y"]),
        ],
        [("x", ["rows", 8])],
        [("y", ["rows", 4])],
        {"w": floats(8, 4), "b": floats(4)},
        producer_name="me",
        producer_version="1",
    )
    graph = describe_graph(data)
    assert graph.operators == {"Add": 2, "MatMul": 1}
    assert list(graph.operators) == ["Add", "MatMul"]
    assert (graph.nodes, graph.parameters, graph.parameter_bytes, graph.quantized_parameters) == (3, 36, 144, 0)
    assert (graph.inputs[0].name, graph.inputs[0].type, graph.inputs[0].shape) == ("x", "float", ("rows", 8))
    assert graph.opsets == {"ai.onnx": 18, "ai.onnx.ml": 3}
    assert (graph.ir_version, graph.producer, graph.work) == (10, "me 1", None)
    assert json.loads(json.dumps(graph.to_dict()))["inputs"][0]["shape"] == ["rows", 8]


def test_a_product_counts_two_a_multiply_add_and_its_bytes_once(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(
        build(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            [("x", ["n", 64])],
            [("y", ["n", 32])],
            {"w": floats(64, 32)},
        )
    )
    work = describe_graph(path, {"x": floats(5, 64)}).work
    assert work.flop == 2 * 5 * 64 * 32
    assert work.flop_by_operator == {"MatMul": work.flop}
    assert work.bytes_least == work.bytes_moved == 4 * (5 * 64 + 64 * 32 + 5 * 32)
    assert work.shapes == {"x": (5, 64)}


@pytest.mark.parametrize(
    ("node", "weights", "x", "expected"),
    [
        (helper.make_node("Gemm", ["x", "w"], ["y"], transA=1, transB=1), {"w": (3, 7)}, (7, 5), 2 * 5 * 3 * 7),
        (helper.make_node("Conv", ["x", "w"], ["y"], group=2), {"w": (6, 2, 3, 3)}, (1, 4, 8, 8), 2 * 6 * 36 * 2 * 9),
        (helper.make_node("ConvTranspose", ["x", "w"], ["y"]), {"w": (4, 2, 3, 3)}, (1, 4, 8, 8), 2 * 256 * 2 * 9),
        (helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2]), {}, (1, 1, 4, 4), 9 * 4),
        (helper.make_node("ReduceMean", ["x"], ["y"]), {}, (4, 6), 24),
        (helper.make_node("Softmax", ["x"], ["y"]), {}, (4, 6), 5 * 24),
        (helper.make_node("Erf", ["x"], ["y"]), {}, (4, 6), 24),
        (helper.make_node("Transpose", ["x"], ["y"]), {}, (4, 6), 0),
        (
            helper.make_node("GRU", ["x", "w", "r"], ["", "y"], hidden_size=3),
            {"w": (1, 9, 2), "r": (1, 9, 3)},
            (4, 5, 2),
            2 * 4 * 5 * (18 + 27),
        ),
        (
            helper.make_node(
                "LinearRegressor", ["x"], ["y"], coefficients=[1.0] * 6, intercepts=[0.0], domain="ai.onnx.ml"
            ),
            {},
            (4, 6),
            2 * 4 * 6,
        ),
    ],
)
def test_flop_of_operators(node, weights, x, expected):
    data = build([node], [("x", list(x))], [("y", None)], {name: floats(*shape) for name, shape in weights.items()})
    work = describe_graph(data, {"x": floats(*x)}).work
    assert work.flop == expected
    assert work.uncounted == {}


def test_arithmetic_of_shapes_is_no_flop():
    nodes = [helper.make_node("Shape", ["x"], ["s"]), helper.make_node("Mul", ["s", "s"], ["y"])]
    data = build(nodes, [("x", [2, 3])], [("y", [2], TensorProto.INT64)])
    assert describe_graph(data, {"x": floats(2, 3)}).work.flop == 0


def test_what_is_not_known_is_named_and_not_guessed():
    data = build(
        [helper.make_node("Einsum", ["x", "x"], ["y"], equation="ij,kj->ik")], [("x", [2, 3])], [("y", [2, 2])]
    )
    work = describe_graph(data, {"x": floats(2, 3)}).work
    assert (work.flop, work.uncounted) == (0, {"Einsum": 1})


def test_a_gather_reads_rows_and_not_the_table():
    data = build(
        [helper.make_node("Gather", ["table", "ids"], ["y"])],
        [("ids", ["n"], TensorProto.INT64)],
        [("y", ["n", 16])],
        {"table": floats(1000, 16)},
    )
    work = describe_graph(data, {"ids": np.arange(3)}).work
    assert work.bytes_least == 3 * 8 + 2 * 3 * 16 * 4
    assert work.bytes_moved == 2 * 3 * 16 * 4


def test_nodes_of_subgraphs_count_as_often_as_they_ran():
    body = helper.make_graph(
        [helper.make_node("Add", ["state", "one"], ["next"]), helper.make_node("Identity", ["go"], ["again"])],
        "body",
        [
            helper.make_tensor_value_info(name, kind, shape)
            for name, kind, shape in (
                ("i", TensorProto.INT64, []),
                ("go", TensorProto.BOOL, []),
                ("state", TensorProto.FLOAT, [4]),
            )
        ],
        [
            helper.make_tensor_value_info("again", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, [4]),
        ],
    )
    data = build(
        [helper.make_node("Loop", ["times", "", "x"], ["y"], body=body)],
        [("x", [4])],
        [("y", [4])],
        {"times": np.array(7), "one": np.ones(4, np.float32)},
    )
    graph = describe_graph(data, {"x": floats(4)})
    assert graph.nodes == 3
    assert graph.work.flop == 7 * 4


def forest(trees=2):
    """Return a regressor of trees with leaves at depths 1, 2 and 2."""
    return helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[tree for tree in range(trees) for _ in range(5)],
        nodes_nodeids=[0, 1, 2, 3, 4] * trees,
        nodes_featureids=[0] * 5 * trees,
        nodes_values=[0.0, 0.0, 1.0, 0.0, 0.0] * trees,
        nodes_modes=["BRANCH_LEQ", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"] * trees,
        nodes_truenodeids=[1, 0, 3, 0, 0] * trees,
        nodes_falsenodeids=[2, 0, 4, 0, 0] * trees,
        target_treeids=[tree for tree in range(trees) for _ in range(3)],
        target_nodeids=[1, 3, 4] * trees,
        target_ids=[0] * 3 * trees,
        target_weights=[1.0, 2.0, 3.0] * trees,
    )


def test_trees_compare_and_do_not_multiply():
    data = build([forest(3)], [("x", ["n", 1])], [("y", ["n", 1])])
    graph = describe_graph(data, {"x": floats(12, 1)})
    assert (graph.trees, graph.tree_nodes) == (3, 15)
    assert graph.operators == {"ai.onnx.ml.TreeEnsembleRegressor": 1}
    assert (graph.work.flop, graph.work.comparisons) == (0, 12 * 3 * 5 / 3)


def test_trees_of_the_newer_operator():
    node = helper.make_node(
        "TreeEnsemble",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        tree_roots=[0],
        nodes_truenodeids=[0, 1],
        nodes_trueleafs=[1, 1],
        nodes_falsenodeids=[1, 2],
        nodes_falseleafs=[0, 1],
        leaf_targetids=[0, 0, 0],
    )
    assert tree_size(node) == (1, 5, pytest.approx(5 / 3))


@pytest.mark.parametrize("field", ["nodes_truenodeids", "nodes_nodeids", "nodes_modes", "nodes_treeids"])
def test_trees_that_do_not_fit_together_have_no_size(field):
    node = forest(1)
    attribute = next(item for item in node.attribute if item.name == field)
    for values in (attribute.ints, attribute.strings):
        if values:
            del values[-1]
    assert tree_size(node) == (0, 0, 0.0)


def test_a_ring_of_nodes_ends():
    node = forest(1)
    children = next(item for item in node.attribute if item.name == "nodes_truenodeids")
    children.ints[2] = 2
    assert tree_size(node) == (0, 0, 0.0)


def test_scikit_learns_forest_has_as_many_nodes(tmp_path):
    skl2onnx = pytest.importorskip("skl2onnx")
    from sklearn.ensemble import RandomForestClassifier

    x = floats(200, 4)
    model = RandomForestClassifier(10, max_depth=5, random_state=0).fit(x, x[:, 0] > 0)
    data = skl2onnx.to_onnx(model, x[:1], target_opset={"": 18, "ai.onnx.ml": 3}).SerializeToString()
    graph = describe_graph(data, {"X": x})
    assert graph.trees == 10
    assert graph.tree_nodes == sum(tree.tree_.node_count for tree in model.estimators_)
    depths = []
    for item in (tree.tree_ for tree in model.estimators_):
        depth = np.zeros(item.node_count)
        for index in range(item.node_count):  # parents come first
            if item.children_left[index] >= 0:
                depth[[item.children_left[index], item.children_right[index]]] = depth[index] + 1
        depths.append(depth[item.children_left < 0].mean())
    assert graph.work.comparisons == pytest.approx(200 * sum(depths), abs=1)


def test_what_does_not_run_is_an_input_error():
    data = build([helper.make_node("MatMul", ["x", "x"], ["y"])], [("x", ["a", "b"])], [("y", None)])
    with pytest.raises(InputError, match="does not run"):
        describe_graph(data, {"x": floats(2, 3)})


@pytest.mark.parametrize("data", [b"\x08\x0a\x12\x20ab", onnx.ModelProto(ir_version=10).SerializeToString()])
def test_no_model_is_an_input_error(data):
    with pytest.raises(InputError, match="not an ONNX model"):
        describe_graph(data)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no file 'none\.onnx'"):
        describe_graph(tmp_path / "none.onnx")

"""Quantising small graphs: what is refused, what is kept, and that nothing half-done or unrunnable is left."""

import json
import logging

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from core.edge import QUANTIZATION_MODES, describe_graph, quantize
from core.edge.variants.quantize import recommended_modes
from core.edge.variants.smoke_test import run_once
from core.errors import ExportError, InputError, SettingsError

RANDOM = np.random.default_rng(0)
PROPS = {
    "plumbline.kind": "table",
    "plumbline.task": "binary",
    "plumbline.labels": '["no", "yes"]',
    "plumbline.columns": '[{"name": "age", "kind": "number", "input": "x"}]',
    "plumbline.fingerprint": "f",
    "plumbline.variant": "fp32",
    "other": "kept",
}


def floats(*shape, scale=1.0):
    return (RANDOM.normal(size=shape) * scale).astype(np.float32)


def save(path, nodes, weights, x=(None, 64), y=(None, 2), props=PROPS):
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", x), ("y", y))]
    held = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", infos[:1], infos[1:], held)
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    helper.set_model_props(model, props)
    onnx.save(model, path)
    return path


def run(path, x):
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A perceptron of 64 inputs, 128 hidden units and 2 outputs."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Gemm", ["b", "v", "c"], ["y"]),
    ]
    weights = {"w": floats(64, 128, scale=0.1), "v": floats(128, 2, scale=0.1), "c": floats(2)}
    return save(tmp_path_factory.mktemp("network") / "model.onnx", nodes, weights)


BATCHES = [{"x": floats(32, 64)} for _ in range(4)]


@pytest.mark.parametrize("mode", QUANTIZATION_MODES)
def test_every_mode_is_smaller_alike_and_keeps_what_the_file_says(network, tmp_path, mode, capfd):
    x = floats(50, 64)
    quantized = quantize(network, tmp_path / "q.onnx", mode=mode, calibration=BATCHES)
    gap = np.abs(run(quantized.path, x) - run(network, x)).max()
    assert gap < (0.1 if mode != "int4" else 0.5)
    props = {metadata_prop.key: metadata_prop.value for metadata_prop in onnx.load(quantized.path).metadata_props}
    assert props == PROPS | {"plumbline.variant": mode}
    assert (quantized.variant, quantized.kind, quantized.labels, quantized.inputs) == (
        mode,
        "table",
        ("no", "yes"),
        ("x",),
    )
    assert quantized.columns[0].name == "age"
    assert quantized.size_bytes == quantized.path.stat().st_size < network.stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["q.onnx"]
    assert json.dumps(quantized.to_dict())
    assert capfd.readouterr() == ("", "")


def test_integers_are_one_scale_a_channel(network, tmp_path):
    quantize(network, tmp_path / "q.onnx")
    scales = [item.dims for item in onnx.load(tmp_path / "q.onnx").graph.initializer if "_scale" in item.name]
    assert [128] in scales
    assert describe_graph(tmp_path / "q.onnx").quantized_parameters >= 64 * 128 + 128 * 2


def test_only_domains_in_use_are_listed(network, tmp_path):
    quantize(network, tmp_path / "q.onnx")
    assert {item.domain for item in onnx.load(tmp_path / "q.onnx").opset_import} <= {"", "com.microsoft"}


def test_logging_is_as_it_was(network, tmp_path, caplog):
    root, own = logging.getLogger(), logging.getLogger("onnxruntime")
    before = (list(root.handlers), list(root.filters), own.level)
    quantize(network, tmp_path / "q.onnx", mode="static-int8-s8s8", calibration=BATCHES)
    assert (list(root.handlers), list(root.filters), own.level) == before
    assert caplog.records == []


def test_the_runtime_warns_of_nothing(tmp_path, capfd):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    path = save(tmp_path / "m.onnx", nodes, {"w": floats(64, 32), "unused": floats(3)}, y=(None, 32))
    quantize(path, tmp_path / "q.onnx", mode="static-int8-u8s8", calibration=BATCHES)
    assert capfd.readouterr() == ("", "")


def test_a_convolution_runs_in_every_mode_but_4_bits(tmp_path):
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])],
        {"w": floats(16, 8, 3, 3, scale=0.1)},
        (None, 8, 6, 6),
        (None, 16, 6, 6),
    )
    x = floats(4, 8, 6, 6)
    with pytest.raises(ExportError, match="no matrix of weights"):
        quantize(path, tmp_path / "int4.onnx", mode="int4")
    for mode in set(QUANTIZATION_MODES) - {
        "int4"
    }:  # calibrated on the same rows: what lies outside the range is cut off, by design
        quantized = quantize(path, tmp_path / f"{mode}.onnx", mode=mode, calibration=[{"x": x}])
        assert np.abs(run(quantized.path, x) - run(path, x)).max() < 0.15, mode


def test_static_modes_need_data(network, tmp_path):
    for calibration in (None, [], iter(())):
        with pytest.raises(SettingsError, match="needs data") as caught:
            quantize(network, tmp_path / "q.onnx", mode="static-int8-u8s8", calibration=calibration)
        assert "dynamic-int8" in caught.value.hint
    with pytest.raises(InputError, match="no input 'x'"):
        quantize(network, tmp_path / "q.onnx", mode="static-int8-u8s8", calibration=[{"z": 1}])
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_mode_is_named(network, tmp_path):
    with pytest.raises(SettingsError, match="Unknown quantization mode 'int3'"):
        quantize(network, tmp_path / "q.onnx", mode="int3")


def trees(path):
    node = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_treeids=[0],
        nodes_nodeids=[0],
        nodes_featureids=[0],
        nodes_values=[0.0],
        nodes_modes=["LEAF"],
        nodes_truenodeids=[0],
        nodes_falsenodeids=[0],
        target_treeids=[0],
        target_nodeids=[0],
        target_ids=[0],
        target_weights=[1.0],
    )
    return save(path, [node], {}, y=(None, 1))


def test_trees_do_not_quantise(tmp_path):
    path = trees(tmp_path / "m.onnx")
    for mode in QUANTIZATION_MODES:
        with pytest.raises(ExportError, match="tree model has no matrix products") as caught:
            quantize(path, tmp_path / "q.onnx", mode=mode, calibration=BATCHES)
        assert "small and fast" in caught.value.hint
    assert all("tree model" in reason for _, reason in recommended_modes(path))
    assert not (tmp_path / "q.onnx").exists()


def test_a_linear_model_is_too_small(tmp_path):
    path = save(tmp_path / "m.onnx", [helper.make_node("MatMul", ["x", "w"], ["y"])], {"w": floats(64, 2)})
    with pytest.raises(ExportError, match="fewer than 1,000 weights"):
        quantize(path, tmp_path / "q.onnx")


def test_what_is_quantised_is_not_quantised_again(network, tmp_path):
    for mode, name in (("dynamic-int8", "dynamic-int8"), ("fp16", "fp16")):
        quantize(network, tmp_path / "q.onnx", mode=mode)
        with pytest.raises(ExportError, match=rf"already quantized \(to {name}\)"):
            quantize(tmp_path / "q.onnx", tmp_path / "twice.onnx")
    quantize(network, tmp_path / "q.onnx", mode="static-int8-u8s8", calibration=BATCHES)
    stranger = onnx.load(tmp_path / "q.onnx")
    del stranger.metadata_props[:]
    onnx.save(stranger, tmp_path / "q.onnx")
    with pytest.raises(ExportError, match=r"already quantized \(to 8 bits\)"):
        quantize(tmp_path / "q.onnx", tmp_path / "twice.onnx")


def test_all_modes_are_open_to_a_network(network):
    assert recommended_modes(network) == [(mode, None) for mode in QUANTIZATION_MODES]


def test_what_overflows_or_fails_where_the_model_does_not_is_refused(network, tmp_path):
    model = onnx.load(network)
    flat = {"one": np.zeros(1, np.float32)}
    infinite = save(tmp_path / "i.onnx", [helper.make_node("Div", ["x", "one"], ["y"])], flat, y=(None, 64))
    with pytest.raises(ExportError, match="overflows in fp16"):
        run_once(infinite.read_bytes(), model, "fp16", None)
    narrow = save(tmp_path / "n.onnx", [helper.make_node("Relu", ["x"], ["y"])], {}, (None, 3), (None, 3))
    with pytest.raises(ExportError, match="does not run in fp16"):
        run_once(narrow.read_bytes(), model, "fp16", None)
    with pytest.raises(ExportError, match="does not load in fp16"):
        run_once(b"nothing", model, "fp16", None)
    run_once(narrow.read_bytes(), model, "fp16", {"x": floats(2, 5)})  # which the model does not take either


def test_a_model_of_another_origin_keeps_its_own_metadata(tmp_path):
    path = save(
        tmp_path / "m.onnx",
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        {"w": floats(64, 32)},
        y=(None, 32),
        props={"author": "me"},
    )
    quantized = quantize(path, tmp_path / "q.onnx")
    assert (quantized.kind, quantized.labels, quantized.columns, quantized.max_length) == ("other", None, (), None)
    assert {metadata_prop.key: metadata_prop.value for metadata_prop in onnx.load(quantized.path).metadata_props} == {
        "author": "me",
        "plumbline.variant": "dynamic-int8",
    }


def test_the_old_file_stays_when_quantizing_fails(network, tmp_path, monkeypatch):
    from core.edge.variants import quantize as module

    out = tmp_path / "q.onnx"
    out.write_bytes(b"old")

    def fail(*_):
        raise ExportError("The model does not load.", "")

    monkeypatch.setattr(module, "run_once", fail)
    with pytest.raises(ExportError, match="does not load"):
        quantize(network, out)
    assert out.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["q.onnx"]


def test_what_is_no_model_is_an_input_error(tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"\x08\x0a\x12\x20ab")
    with pytest.raises(InputError, match="not an ONNX model"):
        quantize(tmp_path / "m.onnx", tmp_path / "q.onnx")
    with pytest.raises(InputError, match="no file 'none"):
        recommended_modes(tmp_path / "none.onnx")

"""An ONNX file of the user's: taken in, refused, measured with random tensors."""

import io
import json
import pickle
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from core import exports, jobs
from core.access import LOCAL
from core.catalog import RunState
from core.edge.latency import LatencySettings, LatencySuiteSettings
from core.errors import LimitError, PlumblineError, SettingsError
from core.tasks import latency, onnx_upload
from core.tasks._uploads import keep_upload, upload_path


def product() -> bytes:
    weights = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 64])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return model.SerializeToString()


def taken_in(content: bytes, name: str = "mine.onnx"):
    return jobs.wait(onnx_upload.submit(io.BytesIO(content), name, access=LOCAL), 60, access=LOCAL)


@pytest.fixture(scope="module")
def engine(installation, tmp_path_factory):
    with installation(tmp_path_factory.mktemp("uploads") / "home"):
        yield


@pytest.fixture(scope="module")
def taken(engine):
    run = taken_in(product())
    assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run.id, access=LOCAL))
    return run


def test_it_is_kept_as_it_came_and_made_smaller(taken):
    record = exports.read(taken, access=LOCAL)
    assert exports.variant_path(taken, record, "fp32", access=LOCAL).read_bytes() == product()
    assert [variant.name for variant in record.made] == ["fp32", "dynamic-int8", "fp16", "int4"]
    assert record.model is None
    assert record.source.filename == "mine.onnx"
    assert exports.rows(taken, access=LOCAL) is None
    assert not upload_path(taken.settings["upload"]).exists()
    assert not jobs.repeatable(taken)


@pytest.mark.nightly
def test_it_is_measured_with_random_tensors(taken):
    quick = LatencySettings(warmup_s=0.1, duration_s=0.3, batch_size=4)
    run = jobs.wait(
        latency.submit(taken, LatencySuiteSettings(variants=("fp32",), latency=quick, inputs="random"), access=LOCAL),
        120,
        access=LOCAL,
    )
    assert run.state is RunState.SUCCEEDED, (run.error_message, jobs.log(run.id, access=LOCAL))
    values = json.loads(jobs.artifact_path(run.id, latency.LATENCY, access=LOCAL).read_text())
    assert values["reports"]["fp32"]["requests"] > 10
    assert values["rooflines"]["fp32"]["flop"] == 4 * 2 * 64 * 64


def test_rows_of_an_upload_are_nowhere(taken):
    run = jobs.wait(latency.submit(taken, LatencySuiteSettings(variants=("fp32",)), access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.FAILED
    assert "no rows to feed this model with" in run.error_message
    assert run.error_hint == "Choose random inputs."


def _huge() -> bytes:
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["shape"], ["y"])],
        "bomb",
        [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([1 << 20, 1 << 20], dtype=np.int64), "shape")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()


def _custom() -> bytes:
    model = onnx.load_from_string(product())
    model.graph.node[0].domain = "evil"
    model.opset_import.append(helper.make_opsetid("evil", 1))
    return model.SerializeToString()


def test_what_is_refused_fails_with_the_reason(engine):
    run = taken_in(_huge())
    assert run.state is RunState.FAILED
    assert "is a tensor of 4,398.0 GB" in run.error_message
    assert run.error_hint
    assert not upload_path(run.settings["upload"]).exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pickle.dumps({"a": 1}), "Python pickle"),
        (product()[:-3000], "cannot be decoded"),
        (b"", "empty"),
        (b"a,b\n1,2\n", "This is text, not an ONNX file"),
        (_custom(), "evil"),
    ],
    ids=["pickle", "cut", "empty", "csv", "custom"],
)
def test_what_is_none_is_refused_clearly(engine, tmp_path, content, said):
    upload = keep_upload(io.BytesIO(content), "mine.onnx", 1, "", access=LOCAL)
    context = SimpleNamespace(
        settings={"upload": upload, "filename": "mine.onnx", "modes": []}, workdir=tmp_path, report=lambda event: None
    )
    with pytest.raises(PlumblineError, match=said) as caught:
        onnx_upload.run(context)
    assert caught.value.hint
    assert "defect of ours" not in caught.value.hint
    assert not upload_path(upload).exists()


def test_too_large_a_file_leaves_nothing_behind(engine, monkeypatch):
    monkeypatch.setattr(onnx_upload, "LIMIT_MB", 0)
    with pytest.raises(LimitError, match=r"'big\.onnx' is larger than 0 MB"):
        onnx_upload.submit(io.BytesIO(product()), "big.onnx", access=LOCAL)
    folder = upload_path("x").parent
    assert not folder.exists() or not list(folder.iterdir())


def test_modes_that_need_data_are_refused(engine):
    with pytest.raises(SettingsError, match="cannot be quantized with the mode 'static-int8-u8s8'"):
        onnx_upload.submit(io.BytesIO(product()), "mine.onnx", modes=("static-int8-u8s8",), access=LOCAL)

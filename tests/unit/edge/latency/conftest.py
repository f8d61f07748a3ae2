"""Small ONNX graphs: one that does nothing, one that computes, one that never ends, one that takes all memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from core.edge.latency import LatencySettings
from core.edge.latency.measuring import main as child

FLOAT, INT64, STRING, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.STRING, TensorProto.BOOL


def info(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, inputs, outputs, constants=None):
    """Return a model's bytes."""
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return made.SerializeToString()


def identity(kind=FLOAT, shape=("batch", 4)):
    return model([helper.make_node("Identity", ["x"], ["y"])], [info("x", kind, shape)], [info("y", kind, shape)])


def matmul(size=64):
    weight = np.random.default_rng(0).standard_normal((size, size)).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
    return model(nodes, [info("x", FLOAT, ["batch", size])], [info("y", FLOAT, ["batch", size])], {"w": weight})


def loop(trips):
    """Count up to `trips` in a Loop: some hundred nanoseconds a trip."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["go"]), helper.make_node("Add", ["sum", "x"], ["more"])],
        "body",
        [info("i", INT64, []), info("going", BOOL, []), info("sum", FLOAT, [1])],
        [info("go", BOOL, []), info("more", FLOAT, [1])],
    )
    nodes = [helper.make_node("Loop", ["trips", "yes", "x"], ["y"], body=body)]
    constants = {"trips": np.int64(trips), "yes": np.bool_(True)}
    return model(nodes, [info("x", FLOAT, [1])], [info("y", FLOAT, [1])], constants)


def filler(megabytes):
    """Return a graph whose answer has so many MB, all written."""
    nodes = [helper.make_node("Expand", ["x", "shape"], ["y"])]
    shape = np.array([megabytes * 2**18], dtype=np.int64)
    return model(nodes, [info("x", FLOAT, [1])], [info("y", FLOAT, ["n"])], {"shape": shape})


def tokens():
    """Return a graph that takes what BERT does, and answers with the number of tokens."""
    nodes = [
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=FLOAT),
        helper.make_node("ReduceSum", ["mask", "axes"], ["sum"], keepdims=1),
        helper.make_node("Cast", ["input_ids"], ["ids"], to=FLOAT),
        helper.make_node("ReduceMax", ["ids", "axes"], ["most"], keepdims=1),
        helper.make_node("Add", ["sum", "most"], ["logits"]),
    ]
    inputs = [info(name, INT64, ["batch", "length"]) for name in ("input_ids", "attention_mask")]
    return model(nodes, inputs, [info("logits", FLOAT, ["batch", 1])], {"axes": np.array([1], dtype=np.int64)})


MODELS = {
    "identity": identity,
    "matmul": matmul,
    "loop": lambda: loop(200),
    "endless": lambda: loop(2**62),
    "filler": lambda: filler(1_500),
    "tokens": tokens,
    "strings": lambda: identity(STRING, ("batch", 1)),
    "fixed": lambda: identity(FLOAT, (1, 4)),
}


def children() -> list[psutil.Process]:
    """Return the measuring processes of this one; not what other tests left, ended and never waited for."""
    processes = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if child.__name__ in " ".join(process.cmdline()):
                processes.append(process)
    return processes


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """``file("matmul")`` writes a model and returns its path."""

    def write(name: str) -> Path:
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(MODELS[name]())
        return path

    return write


@pytest.fixture
def quick() -> Callable[..., LatencySettings]:
    """``quick(batch_size=2)`` returns settings of a short measurement."""

    def make(**values: object) -> LatencySettings:
        return LatencySettings(**{"warmup_s": 0.05, "duration_s": 0.2, **values})

    return make

"""CatBoost's trees as a graph: its own export, whose float32 thresholds are the trained ones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import onnx
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from core.automl import CatBoostTrees

__all__ = ["convert_catboost"]


def convert_catboost(estimator: CatBoostTrees, width: int, features: str, opsets: dict[str, int]) -> onnx.ModelProto:
    """Convert fitted trees on a float32 matrix.

    Parameters
    ----------
    estimator : CatBoostTrees
        A fitted estimator.
    width : int
        Number of features.
    features : str
        Name of the input.
    opsets : dict of str to int
        Versions of the operators by domain.

    Returns
    -------
    ModelProto
        Its last output holds probabilities (n, classes) or numbers (n, 1).
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trees.onnx"
        estimator.loaded().save_model(str(file), format="onnx")
        trees = onnx.load(file).graph.node[0]  # of classes, a second node makes a list of dicts
    trees.input[:] = [features]
    outputs = [helper.make_tensor_value_info(trees.output[-1], TensorProto.FLOAT, [None, None])]
    if len(trees.output) > 1:
        outputs.insert(0, helper.make_tensor_value_info(trees.output[0], TensorProto.INT64, [None]))
    inputs = [helper.make_tensor_value_info(features, TensorProto.FLOAT, [None, width])]
    graph = helper.make_graph([trees], "trees", inputs, outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid(*opset) for opset in opsets.items()])

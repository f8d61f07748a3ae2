"""A table's model as one ONNX graph from raw columns to labels and probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from core.datasets import MISSING_MARKERS
from core.edge.export.edge_cases import edge_cases, tree_thresholds
from core.edge.export.estimators import FEATURES, OPSETS, convert_estimator
from core.edge.export.metadata import Metadata
from core.edge.export.nodes import Nodes
from core.edge.export.onnx_model import OnnxModel
from core.edge.export.parity import Answers, Parity, compare, distances, refuse, sample
from core.edge.export.partial import written_whole
from core.edge.export.table_graph import encode_columns, graph_inputs, name_columns
from core.edge.scoring.table_scorer import TableScorer
from core.errors import ExportError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["export_table"]

_IR_VERSION = 10
_ESTIMATOR = "estimator/"


def export_table(
    model: Any,
    path: Path,
    train: pd.DataFrame,
    held_out: pd.DataFrame,
    *,
    fingerprint: str | None = None,
    policy: Mapping[str, Any] | None = None,
    target: str | None = None,
) -> OnnxModel:
    """Export a pipeline of `core.automl` and prove that the file answers as it does; `export_onnx` describes it."""
    encoder, estimator, labels = _parts(model)
    for part, frame in (("training", train), ("held-out", held_out)):
        if not len(frame):
            raise ExportError(f"There is no {part} row to compare on.", "Give rows of the training and others.")
    metadata = Metadata(
        kind="table",
        task="regression" if labels is None else "binary" if len(labels) == 2 else "multiclass",
        labels=None if labels is None else tuple(_plain(label) for label in labels),
        columns=name_columns(encoder, MISSING_MARKERS),
        fingerprint=fingerprint,
        policy=None if policy is None else dict(policy),
        target=target,
    )
    graph = _graph(encoder, estimator, labels, metadata)
    with written_whole(path) as partial:
        partial.write_bytes(_serialized(graph))
        parity = _parity(model, TableScorer(partial), graph, encoder, train, held_out, target)
        refuse(parity)
    return OnnxModel(
        path=path,
        kind="table",
        labels=metadata.labels,
        inputs=tuple(column.input for column in metadata.columns),
        opset=OPSETS[""],
        max_length=None,
        parity={part: found.to_dict() for part, found in parity.items()},
        size_bytes=path.stat().st_size,
        columns=metadata.columns,
    )


def _parts(model: Any) -> tuple[Any, Any, list[Any] | None]:
    """Return the encoder, the estimator of codes or numbers, and the labels."""
    from core.automl import LabelledClassifier
    from core.features import TableEncoder

    steps = [step for _, step in getattr(model, "steps", ())]
    if len(steps) != 2 or not isinstance(steps[0], TableEncoder):
        raise ExportError(
            f"{type(model).__name__} cannot be exported: it is no pipeline that a search made.",
            "Give AutoMLResult.model, or the folder that AutoMLResult.save wrote.",
        )
    if isinstance(steps[1], LabelledClassifier):
        return steps[0], steps[1].estimator, np.asarray(steps[1].labels).tolist()
    return steps[0], steps[1], None


def _plain(label: Any) -> Any:
    """Return a label as JSON has it; dates and the like as text."""
    return label if isinstance(label, bool | int | float | str) else str(label)


def _graph(encoder: Any, estimator: Any, labels: list[Any] | None, metadata: Metadata) -> onnx.ModelProto:
    width = len(encoder.get_feature_names_out())
    converted = convert_estimator(estimator, width)
    inner = compose.add_prefix(converted, _ESTIMATOR).graph
    nodes = Nodes("features/")
    features = encode_columns(encoder, metadata.columns, nodes)
    nodes("Identity", features, output=_ESTIMATOR + FEATURES)
    nodes.nodes.extend(inner.node)
    nodes.constants.extend(inner.initializer)
    answer = inner.output[-1].name
    if labels is None:
        nodes("Reshape", answer, np.array([-1, 1]), output="prediction")
        outputs = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["n", 1])]
    else:
        outputs = _label(nodes, answer, estimator, labels)
    graph = helper.make_graph(
        _needed(nodes.nodes, {each.name for each in outputs}),
        "plumbline",
        graph_inputs(metadata.columns),
        outputs,
        nodes.constants,
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    found = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="plumbline")
    metadata.write(found)
    return found


def _label(nodes: Nodes, answer: str, estimator: Any, labels: list[Any]) -> list[onnx.ValueInfoProto]:
    """Add the outputs of a classifier: the label as the target has it, and a probability a label."""
    codes = np.asarray(estimator.classes_, dtype=np.intp)
    if len(codes) < len(labels):  # a class that no training row had has the probability 0
        places = np.eye(len(labels), dtype=np.float32)[codes]
        answer = nodes("MatMul", answer, places)
    shares = nodes("Identity", answer, output="probabilities")
    whole = all(isinstance(label, int) and not isinstance(label, bool) for label in labels)
    names = np.array(labels, dtype=np.int64) if whole else np.array([str(label) for label in labels], dtype=object)
    nodes("Gather", names, nodes("ArgMax", shares, axis=1, keepdims=0), output="label", axis=0)
    return [
        helper.make_tensor_value_info("label", TensorProto.INT64 if whole else TensorProto.STRING, ["n"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(labels)]),
    ]


def _needed(nodes: list[onnx.NodeProto], wanted: set[str]) -> list[onnx.NodeProto]:
    """Leave out nodes that no output needs: converters answer with labels of their own too."""
    kept = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def _serialized(model: onnx.ModelProto) -> bytes:
    from google.protobuf.message import EncodeError

    try:
        return bytes(model.SerializeToString())
    except (EncodeError, ValueError) as error:
        raise ExportError(
            "The model is larger than 2 GB, which is the most an ONNX file holds.", "Search again with fewer trees."
        ) from error


def _parity(
    model: Any,
    scorer: TableScorer,
    graph: onnx.ModelProto,
    encoder: Any,
    train: pd.DataFrame,
    held_out: pd.DataFrame,
    target: str | None,
) -> dict[str, Parity]:
    columns = scorer.columns
    numbers = [column.name for column in columns if column.kind in ("number", "boolean")]
    hard, names = edge_cases(train, columns, tree_thresholds(graph, numbers))
    parts: dict[str, tuple[pd.DataFrame, list[Any] | None, int]] = {"edge_cases": (hard, names, len(hard))}
    for part, frame in (("train", train), ("held_out", held_out)):
        places = sample(len(frame))
        parts[part] = (frame.iloc[places], places.tolist(), len(frame))
    spread = 0.0
    if scorer.labels is None:
        known = np.asarray(train[target] if target in train else model.predict(parts["train"][0]), dtype=float)
        spread = float(np.std(known[np.isfinite(known)]))
    return {part: _compare(model, scorer, *parts[part], spread) for part in ("train", "held_out", "edge_cases")}


def _compare(
    model: Any, scorer: TableScorer, frame: pd.DataFrame, names: list[Any] | None, given: int, spread: float
) -> Parity:
    found = scorer.outputs(frame).astype(np.float64)
    if scorer.labels is None:
        answers = np.asarray(model.predict(frame), dtype=float).reshape(-1, 1)
        return compare(Answers(answers), Answers(found), rows=names, rows_given=given, unit=distances(answers, spread))
    shares: NDArray[np.float64] = model.predict_proba(frame)
    texts = {str(label): place for place, label in enumerate(scorer.labels)}
    chosen = np.array([texts[str(label)] for label in scorer.chosen(frame)], dtype=np.intp)
    return compare(
        Answers(shares, shares.argmax(axis=1)),
        Answers(found, chosen),
        labels=scorer.labels,
        rows=names,
        rows_given=given,
    )

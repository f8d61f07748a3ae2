"""A table's model as one ONNX graph from raw columns to labels and probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
from onnx import TensorProto, compose, helper

from core.datasets import MISSING_MARKERS
from core.edge.export.decisions import can_decide, decide_rows, near_thresholds
from core.edge.export.edge_cases import edge_cases, tree_thresholds
from core.edge.export.estimators import FEATURES, OPSETS, convert_estimator
from core.edge.export.metadata import Label, Metadata
from core.edge.export.nodes import Nodes
from core.edge.export.onnx_model import OnnxModel
from core.edge.export.parity import Answers, Parity, compare, regression_units, require_parity, sample
from core.edge.export.table_graph import encode_columns, graph_inputs, name_columns
from core.edge.portable.rules import Rules
from core.edge.scoring.table_scorer import TableScorer
from core.errors import ExportError
from core.files import atomic_write

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from pydantic import JsonValue
    from sklearn.base import BaseEstimator
    from sklearn.pipeline import Pipeline

    from core.features import TableEncoder

__all__ = ["export_table"]

_IR_VERSION = 10
_ESTIMATOR = "estimator/"


@dataclass(frozen=True)
class _Parts:
    """The parts of a pipeline: its encoder, its estimator of codes or numbers, and its labels."""

    encoder: TableEncoder
    estimator: BaseEstimator
    labels: list[Label] | None


def export_table(
    model: Pipeline,
    path: Path,
    train: pd.DataFrame,
    held_out: pd.DataFrame,
    *,
    fingerprint: str | None = None,
    policy: Mapping[str, JsonValue] | None = None,
    target: str | None = None,
) -> OnnxModel:
    """Export a pipeline of `core.automl` and prove that the file answers as it does; see `export_onnx`."""
    parts = _split(model)
    for part, frame in (("training", train), ("held-out", held_out)):
        if not len(frame):
            raise ExportError(f"There is no {part} row to compare on.", "Give rows of the training and others.")
    metadata = Metadata(
        kind="table",
        task="regression" if parts.labels is None else "binary" if len(parts.labels) == 2 else "multiclass",
        labels=None if parts.labels is None else tuple(_as_json(label) for label in parts.labels),
        columns=name_columns(parts.encoder, MISSING_MARKERS),
        fingerprint=fingerprint,
        policy=None if policy is None else dict(policy),
        target=target,
    )
    graph = _build_graph(parts, metadata)
    with atomic_write(path) as partial:
        partial.write_bytes(_serialize(graph))
        rules = None if policy is None else Rules(policy)
        parity = _check_parity(model, TableScorer(partial), graph, train, held_out, target, rules)
        require_parity(parity)
    return OnnxModel(
        path=path,
        kind="table",
        labels=metadata.labels,
        inputs=tuple(column.input for column in metadata.columns),
        opset=OPSETS[""],
        max_length=None,
        parity={part: result.to_dict() for part, result in parity.items()},
        size_bytes=path.stat().st_size,
        columns=metadata.columns,
        original=lambda frame: _outputs(model, parts.labels is None, frame),
    )


def _outputs(model: Pipeline, is_number: bool, frame: pd.DataFrame) -> NDArray[np.float64]:
    """Return probabilities, or numbers of shape (n, 1)."""
    if is_number:
        return np.asarray(model.predict(frame), dtype=float).reshape(-1, 1)
    return np.asarray(model.predict_proba(frame), dtype=float)


def _split(model: Pipeline) -> _Parts:
    from core.automl import LabelledClassifier
    from core.features import TableEncoder

    steps = [step for _, step in getattr(model, "steps", ())]
    if len(steps) != 2 or not isinstance(steps[0], TableEncoder):
        raise ExportError(
            f"{type(model).__name__} cannot be exported: it is not a pipeline that a search made.",
            "Give AutoMLResult.model, or the folder that AutoMLResult.save wrote.",
        )
    if isinstance(steps[1], LabelledClassifier):
        return _Parts(steps[0], steps[1].estimator, np.asarray(steps[1].labels).tolist())
    return _Parts(steps[0], steps[1], None)


def _as_json(label: Label) -> Label:
    """Return a label as JSON holds it; dates and the like as text."""
    return label if isinstance(label, bool | int | float | str) else str(label)


def _build_graph(parts: _Parts, metadata: Metadata) -> onnx.ModelProto:
    width = len(parts.encoder.get_feature_names_out())
    converted = convert_estimator(parts.estimator, width)
    inner = compose.add_prefix(converted, _ESTIMATOR).graph
    nodes = Nodes("features/")
    features = encode_columns(parts.encoder, metadata.columns, nodes)
    nodes("Identity", features, output=_ESTIMATOR + FEATURES)
    nodes.nodes.extend(inner.node)
    nodes.constants.extend(inner.initializer)
    answer = inner.output[-1].name
    if parts.labels is None:
        # In 64 bits, because float32 does not hold the digits of a number such as 20,000,000.5.
        nodes("Cast", nodes("Reshape", answer, np.array([-1, 1])), to=TensorProto.DOUBLE, output="prediction")
        outputs = [helper.make_tensor_value_info("prediction", TensorProto.DOUBLE, ["n", 1])]
    else:
        outputs = _add_label(nodes, answer, parts.estimator, parts.labels)
    graph = helper.make_graph(
        _prune(nodes.nodes, {output.name for output in outputs}),
        "plumbline",
        graph_inputs(metadata.columns),
        outputs,
        nodes.constants,
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="plumbline")
    metadata.write(model)
    return model


def _add_label(
    nodes: Nodes, answer: str, estimator: BaseEstimator, labels: Sequence[Label]
) -> list[onnx.ValueInfoProto]:
    """Add the outputs of a classifier: the label as the target has it, and a probability per label."""
    codes = np.asarray(estimator.classes_, dtype=np.intp)
    if len(codes) < len(labels):  # a class without training rows has the probability 0
        answer = nodes("MatMul", answer, np.eye(len(labels), dtype=np.float32)[codes])
    probabilities = nodes("Identity", answer, output="probabilities")
    whole = all(isinstance(label, int) and not isinstance(label, bool) for label in labels)
    names = np.array(labels, dtype=np.int64) if whole else np.array([str(label) for label in labels], dtype=object)
    nodes("Gather", names, nodes("ArgMax", probabilities, axis=1, keepdims=0), output="label", axis=0)
    return [
        helper.make_tensor_value_info("label", TensorProto.INT64 if whole else TensorProto.STRING, ["n"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(labels)]),
    ]


def _prune(nodes: list[onnx.NodeProto], wanted: set[str]) -> list[onnx.NodeProto]:
    """Leave out nodes that no output needs: converters also answer with labels of their own."""
    kept = []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def _serialize(model: onnx.ModelProto) -> bytes:
    from google.protobuf.message import EncodeError

    try:
        return bytes(model.SerializeToString())
    except (EncodeError, ValueError) as error:
        raise ExportError(
            "The model is larger than 2 GB, the limit of an ONNX file.", "Search again with fewer trees."
        ) from error


def _check_parity(
    model: Pipeline,
    scorer: TableScorer,
    graph: onnx.ModelProto,
    train: pd.DataFrame,
    held_out: pd.DataFrame,
    target: str | None,
    rules: Rules | None,
) -> dict[str, Parity]:
    columns = scorer.columns
    numbers = [column.name for column in columns if column.kind in ("number", "boolean")]
    hard, names = edge_cases(train, columns, tree_thresholds(graph, numbers))
    parts: dict[str, tuple[pd.DataFrame, Sequence[int | str], int]] = {"edge_cases": (hard, names, len(hard))}
    for part, frame in (("train", train), ("held_out", held_out)):
        positions = sample(len(frame))
        parts[part] = (frame.iloc[positions], positions.tolist(), len(frame))
    spread = 0.0
    if scorer.labels is None:
        values = np.asarray(train[target] if target in train else model.predict(parts["train"][0]), dtype=float)
        spread = float(np.std(values[np.isfinite(values)]))
    return {part: _compare(model, scorer, *parts[part], spread, rules) for part in ("train", "held_out", "edge_cases")}


def _compare(
    model: Pipeline,
    scorer: TableScorer,
    frame: pd.DataFrame,
    names: Sequence[int | str],
    given: int,
    spread: float,
    rules: Rules | None,
) -> Parity:
    labels = scorer.labels
    ours, theirs = _outputs(model, labels is None, frame), scorer.outputs(frame).astype(np.float64)
    decided = near = file_decided = None
    if rules is not None and can_decide(rules, frame):
        decided, file_decided = (decide_rows(rules, frame, outputs, labels) for outputs in (ours, theirs))
        near = near_thresholds(rules, frame, ours, labels)
    if labels is None:
        answers = Answers(ours, None, decided, near), Answers(theirs, None, file_decided)
        return compare(*answers, rows=names, rows_given=given, unit=regression_units(ours, spread))
    codes = {str(label): code for code, label in enumerate(labels)}
    chosen = np.array([codes[str(label)] for label in scorer.chosen(frame)], dtype=np.intp)
    answers = Answers(ours, ours.argmax(axis=1), decided, near), Answers(theirs, chosen, file_decided)
    return compare(*answers, labels=labels, rows=names, rows_given=given)

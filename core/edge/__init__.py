"""To the edge: models as ONNX files that are proven equal, smaller and timed, and scoring with ONNX Runtime alone.

Importing this package is cheap: torch, scikit-learn and the converters load in `export_onnx` only, ONNX Runtime where
a model is loaded.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.edge._bundle import write_bundle
    from core.edge._export import export_onnx
    from core.edge._feeds import table_feeds
    from core.edge._graph import Graph, describe_graph
    from core.edge._inspect import inspect_onnx
    from core.edge._metadata import Column, Metadata
    from core.edge._onnx_model import OnnxModel
    from core.edge._parity import Parity
    from core.edge._quantize import quantize
    from core.edge._table_scorer import TableScorer
    from core.edge._text_scorer import TextScorer
    from core.edge.latency import LatencyReport, LatencySettings, Percentile, measure_latency

__all__ = [
    "Column",
    "Graph",
    "LatencyReport",
    "LatencySettings",
    "Metadata",
    "OnnxModel",
    "Parity",
    "Percentile",
    "TableScorer",
    "TextScorer",
    "describe_graph",
    "export_onnx",
    "inspect_onnx",
    "measure_latency",
    "quantize",
    "table_feeds",
    "write_bundle",
]

_HOMES = {
    "Column": "_metadata",
    "Graph": "_graph",
    "LatencyReport": "latency",
    "LatencySettings": "latency",
    "Metadata": "_metadata",
    "OnnxModel": "_onnx_model",
    "Parity": "_parity",
    "Percentile": "latency",
    "TableScorer": "_table_scorer",
    "TextScorer": "_text_scorer",
    "describe_graph": "_graph",
    "export_onnx": "_export",
    "inspect_onnx": "_inspect",
    "measure_latency": "latency",
    "quantize": "_quantize",
    "table_feeds": "_feeds",
    "write_bundle": "_bundle",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

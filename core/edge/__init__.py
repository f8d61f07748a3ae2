"""To the edge: models as ONNX files that are proven equal, and scoring with ONNX Runtime alone.

Importing this package is cheap: torch and transformers load in `export_onnx` only, ONNX Runtime in a scorer.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.edge._export import export_onnx
    from core.edge._onnx_model import OnnxModel
    from core.edge._text_scorer import TextScorer

__all__ = ["OnnxModel", "TextScorer", "export_onnx"]

_HOMES = {"OnnxModel": "_onnx_model", "TextScorer": "_text_scorer", "export_onnx": "_export"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

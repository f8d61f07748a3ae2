"""A session of ONNX Runtime to score with: on the processor, one thread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["DISABLED_OPTIMIZERS", "open_session"]

DISABLED_OPTIMIZERS = ("SkipLayerNormFusion",)
"""Rewritings of a graph that cost time on processors, and are left out there.

ONNX Runtime's kernel of a skip connection with its normalisation works a number at a time where its parts work on
vectors: a small language model takes a tenth longer with it in fp32, and a third longer in int8.
"""


def open_session(model: str | Path | bytes, log_severity: int = 2) -> Any:
    """Load a model; ONNX Runtime's own errors say why one cannot be loaded.

    Parameters
    ----------
    model : path or bytes
        The file, or what is in it.
    log_severity : int
        From what on ONNX Runtime writes to the log: 2 warnings, 3 errors, 4 what ends the process.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = log_severity
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=list(DISABLED_OPTIMIZERS),
    )

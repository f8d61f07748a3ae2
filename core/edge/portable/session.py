"""A session of ONNX Runtime for scoring: on the CPU, with one thread unless more are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["DISABLED_OPTIMIZERS", "open_session"]

DISABLED_OPTIMIZERS = ("SkipLayerNormFusion",)
"""Graph optimizations that cost time on CPUs, and are disabled there.

ONNX Runtime's kernel of a skip connection with its normalization works on single numbers where its parts work on
vectors: a small language model takes a tenth longer with it in fp32, and a third longer in int8.
"""


def open_session(model: str | Path | bytes, log_severity: int = 2, threads: int = 1) -> InferenceSession:
    """Load a model; ONNX Runtime's own errors say why one cannot be loaded.

    Parameters
    ----------
    model : path or bytes
        The file, or its content.
    log_severity : int, default=2
        Least severity that ONNX Runtime logs: 2 warnings, 3 errors, 4 fatal errors.
    threads : int, default=1
        Threads within an operator.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = log_severity
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=list(DISABLED_OPTIMIZERS),
    )

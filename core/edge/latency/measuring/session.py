"""A session of ONNX Runtime with the options of the settings, and the options it really has. Measuring process only."""

from __future__ import annotations

import onnxruntime

from core.edge.latency.measuring.model_errors import model_errors
from core.edge.latency.settings import LatencySettings
from core.errors import SettingsError

__all__ = ["IDENTITY", "applied", "open_session", "session_options"]

# float[1] -> Identity -> float[1], opset 13: what `onnx.helper` writes for it. A test holds them equal; the measuring
# process then needs no onnx.
IDENTITY = (
    b'\x08\x08:7\n\x10\n\x01x\x12\x01y"\x08Identity\x12\x01gZ\x0f\n\x01x\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01'
    b"b\x0f\n\x01y\x12\n\n\x08\x08\x01\x12\x04\n\x02\x08\x01B\x04\n\x00\x10\r"
)
_SPINNING = ("session.intra_op.allow_spinning", "session.inter_op.allow_spinning")
_ERRORS_ONLY = 3


def session_options(settings: LatencySettings) -> onnxruntime.SessionOptions:
    """Return the options of a session."""
    levels = onnxruntime.GraphOptimizationLevel
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.intra_op_threads
    options.inter_op_num_threads = settings.inter_op_threads
    options.graph_optimization_level = {
        "all": levels.ORT_ENABLE_ALL,
        "extended": levels.ORT_ENABLE_EXTENDED,
        "basic": levels.ORT_ENABLE_BASIC,
        "none": levels.ORT_DISABLE_ALL,
    }[settings.graph_optimization]
    options.execution_mode = {
        "sequential": onnxruntime.ExecutionMode.ORT_SEQUENTIAL,
        "parallel": onnxruntime.ExecutionMode.ORT_PARALLEL,
    }[settings.execution_mode]
    options.enable_cpu_mem_arena = settings.memory_arena
    options.log_severity_level = _ERRORS_ONLY
    for name in _SPINNING:
        options.add_session_config_entry(name, "1" if settings.allow_spinning else "0")
    return options


def open_session(
    model: bytes, settings: LatencySettings, options: onnxruntime.SessionOptions | None = None
) -> onnxruntime.InferenceSession:
    """Load a model from its bytes: a file could name other files.

    Parameters
    ----------
    model : bytes
        Content of the ONNX file.
    settings : LatencySettings
        Settings of the measurement.
    options : SessionOptions, optional
        Options of the session; by default `session_options`.

    Raises
    ------
    InputError
        When the model cannot be loaded.
    SettingsError
        When the provider does not work here: ONNX Runtime would silently use the processor in its place.
    """
    with model_errors():
        session = onnxruntime.InferenceSession(
            model,
            options or session_options(settings),
            providers=[settings.provider],
            disabled_optimizers=list(settings.disabled_optimizers) or None,
        )
    if session.get_providers()[0] != settings.provider:
        raise SettingsError(
            f"The provider '{settings.provider}' does not work here; ONNX Runtime fell back to "
            f"'{session.get_providers()[0]}'.",
            "Choose another provider.",
        )
    return session


def applied(session: onnxruntime.InferenceSession) -> dict[str, bool | int | str | list[str]]:
    """Return the options that a session really has."""
    options = session.get_session_options()
    return {
        "intra_op_threads": options.intra_op_num_threads,
        "inter_op_threads": options.inter_op_num_threads,
        "graph_optimization": options.graph_optimization_level.name,
        "execution_mode": options.execution_mode.name,
        "memory_arena": options.enable_cpu_mem_arena,
        "allow_spinning": options.get_session_config_entry(_SPINNING[0]) == "1",
        "providers": session.get_providers(),
    }

"""`measure_native`: the same measurement of the model as it was trained, to compare with its ONNX file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.edge.latency._inputs import Cells, Texts, write_frame, write_texts
from core.edge.latency._machine import load_average
from core.edge.latency._measure import conclude
from core.edge.latency._process import in_child
from core.edge.latency._report import LatencyReport
from core.edge.latency._settings import LatencySettings, Limits
from core.errors import InputError
from core.progress import Report

__all__ = ["measure_native"]

_TEXT_FILES = ("config.json", "model.safetensors", "tokenizer.json")


def measure_native(
    folder: str | Path,
    settings: LatencySettings | None = None,
    *,
    inputs: Any,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> LatencyReport:
    """Measure how long a model takes with the libraries that trained it, from raw rows or texts.

    Compare it with ``measure_latency(..., include_preprocessing=True)``: both begin with raw columns or texts, run in
    a process of their own on as many cores, and go through the same loops. Options of ONNX Runtime have no effect.

    Parameters
    ----------
    folder : path
        What ``AutoMLResult.save`` or ``FineTuneResult.save`` wrote, or the folder of a text model.
    settings : LatencySettings, optional
        As of `measure_latency`.
    inputs : DataFrame, Cells or Texts
        Rows for ``predict_proba`` (a number: ``predict``), or texts (tokenised by the model's own tokenizer).
    report, should_stop, limits
        As of `measure_latency`.

    Returns
    -------
    LatencyReport
        Of kind automl or text. The harness floor is that of a function that does nothing.

    Raises
    ------
    InputError
        When the folder holds no such model, or it cannot be run on these inputs.
    LimitError, SettingsError, StoppedError
        As of `measure_latency`.
    """
    settings, limits, place = settings or LatencySettings(), limits or Limits(), Path(folder)
    with tempfile.TemporaryDirectory(prefix="plumbline-latency-") as name:
        scratch = Path(name)
        if (place / "model.skops").is_file():
            kind, source = "automl", place
            inputs = inputs.frame if isinstance(inputs, Cells) else inputs
            if not hasattr(inputs, "columns"):
                raise InputError("A model of a table needs rows.", "Give a DataFrame as inputs.")
            written = write_frame(inputs, scratch)
        else:
            kind, source = "text", place if (place / "config.json").is_file() else place / "model"
            missing = [each for each in _TEXT_FILES if not (source / each).is_file()]
            if missing:
                raise InputError(f"The folder '{place.name}' holds no model.", "Give one that a run of ours left.")
            if not isinstance(inputs, Texts):
                raise InputError("A model of texts needs texts.", "Give Texts as inputs.")
            written = write_texts(inputs, scratch)
        load = load_average()
        found, cores = in_child(
            {
                "operation": "native",
                "path": str(source.resolve()),
                "settings": settings.model_dump(mode="json"),
                "inputs": written,
            },
            scratch,
            threads=settings.threads,
            library_threads=settings.threads,
            duration_s=settings.warmup_s + settings.duration_s,
            limits=limits,
            report=report,
            should_stop=should_stop,
        )
        files = [source / "model.skops"] if kind == "automl" else [source / each for each in _TEXT_FILES]
        return conclude(
            found,
            scratch,
            settings,
            load,
            cores,
            name=place.name,
            kind=kind,
            size_bytes=sum(each.stat().st_size for each in files),
            preprocessing=True,
        )

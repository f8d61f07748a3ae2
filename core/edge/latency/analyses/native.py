"""`measure_native`: the same measurement of the model as it was trained, to compare with its ONNX file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.edge.latency.inputs import Cells, RawInputs, Texts, write_frame, write_texts
from core.edge.latency.machine import load_average
from core.edge.latency.measure import build_report
from core.edge.latency.messages import InputFiles, Job, Measured
from core.edge.latency.process import run_in_child
from core.edge.latency.report import LatencyReport
from core.edge.latency.settings import LatencySettings, Limits
from core.errors import InputError
from core.progress import Report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["measure_native"]

_TEXT_FILES = ("config.json", "model.safetensors", "tokenizer.json")


def measure_native(
    folder: str | Path,
    settings: LatencySettings | None = None,
    *,
    inputs: RawInputs,
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
        The folder that ``AutoMLResult.save`` or ``FineTuneResult.save`` wrote, or the folder of a text model.
    settings : LatencySettings, optional
        See `measure_latency`.
    inputs : DataFrame, Cells or Texts
        Rows for ``predict_proba`` (for numbers ``predict``), or texts (tokenized by the model's own tokenizer).
    report, should_stop, limits : optional
        See `measure_latency`.

    Returns
    -------
    LatencyReport
        Its kind is "automl" or "text". The harness floor is that of a function that does nothing.

    Raises
    ------
    InputError
        When the folder holds no such model, or it cannot be run on these inputs.
    LimitError, SettingsError, StoppedError
        See `measure_latency`.

    See Also
    --------
    measure_latency : The same measurement of an ONNX file.
    """
    settings, limits, folder = settings or LatencySettings(), limits or Limits(), Path(folder)
    with tempfile.TemporaryDirectory(prefix="plumbline-latency-") as name:
        scratch = Path(name)
        if (folder / "model.skops").is_file():
            kind, source, files = "automl", folder, [folder / "model.skops"]
            written: InputFiles = write_frame(_as_frame(inputs), scratch)
        else:
            kind, source = "text", folder if (folder / "config.json").is_file() else folder / "model"
            files = [source / name for name in _TEXT_FILES]
            if not all(file.is_file() for file in files):
                raise InputError(
                    f"The folder '{folder.name}' holds no model.", "Give one that a search or a fine-tuning left."
                )
            if not isinstance(inputs, Texts):
                raise InputError("A model of texts needs texts.", "Give Texts as inputs.")
            written = write_texts(inputs, scratch)
        load = load_average()
        measured, cores = run_in_child(
            Job("native", settings, str(source.resolve()), written, preprocessing=True),
            scratch,
            Measured,
            library_threads=settings.threads,
            duration_s=settings.warmup_s + settings.duration_s,
            limits=limits,
            report=report,
            should_stop=should_stop,
        )
        return build_report(
            measured,
            scratch,
            settings,
            load,
            cores,
            name=folder.name,
            kind=kind,
            size_bytes=sum(file.stat().st_size for file in files),
            preprocessing=True,
        )


def _as_frame(inputs: RawInputs) -> pd.DataFrame:
    if isinstance(inputs, Cells):
        return inputs.frame
    if isinstance(inputs, Texts) or not hasattr(inputs, "columns"):
        raise InputError("A model of a table needs rows.", "Give a DataFrame as inputs.")
    return inputs

"""`measure_latency`: a model file, timed in a process of its own."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from core.edge.latency.facts import Machine, TokenCounts, Tokenisation
from core.edge.latency.inputs import ModelInputs
from core.edge.latency.machine import cpu_name, governor, load_average
from core.edge.latency.messages import Measured
from core.edge.latency.percentiles import curve, percentiles, window_medians
from core.edge.latency.report import LatencyReport, describe_shortening
from core.edge.latency.run_operation import run_on_file
from core.edge.latency.settings import LatencySettings, Limits
from core.progress import Report

__all__ = ["build_report", "measure_latency"]

_STEADY = 1.10
_BUSY = 0.1


def measure_latency(
    path: str | Path,
    settings: LatencySettings | None = None,
    *,
    inputs: ModelInputs = None,
    include_preprocessing: bool = False,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> LatencyReport:
    """Measure how long a model file takes to answer.

    It always runs in a process of its own that loads only ONNX Runtime and NumPy, is pinned to as many cores as it has
    threads, and is ended when it takes too much time or memory.

    Parameters
    ----------
    path : path
        An ONNX file.
    settings : LatencySettings, optional
        Settings of the measurement; by default one thread, one row, requests one after the other for 5 s.
    inputs : None, DataFrame, Cells, Texts or sequence of dict, optional
        Inputs of the model. None: random values in the shapes of the graph. A table: its rows, for a model that
        Plumbline exported. `Texts`: tokenized in the measuring process, which is timed apart. Dictionaries of arrays:
        fed as they are. Rows are taken in turn (the first 10,000 of them) and put together to batches.
    include_preprocessing : bool, default=False
        Include the building of inputs from rows, or tokenization, in the timed part. A request then is a text, a
        pandas frame, or with `Cells` a row of text cells that an edge bundle's own code reads.
    report : callable, optional
        Called with an `Event` a few times per second; the measuring process is not disturbed for it.
    should_stop : callable, optional
        Called ten times per second; the measurement ends when it returns True.
    limits : Limits, optional
        Memory and time of the process.

    Returns
    -------
    LatencyReport

    Raises
    ------
    InputError
        When there is no such file, or the model cannot be run on these inputs.
    LimitError
        When it takes too much memory or time.
    SettingsError
        When the settings do not fit the model.
    StoppedError
        When it was stopped.

    See Also
    --------
    measure_native : The same measurement of the model as it was trained.
    sweep : Many measurements side by side.

    Examples
    --------
    >>> from core.edge.latency.measuring.session import IDENTITY
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "identity.onnx"
    ...     _ = file.write_bytes(IDENTITY)
    ...     result = measure_latency(file, LatencySettings(warmup_s=0.05, duration_s=0.1))
    >>> result.percentiles[50].enough, result.shortened
    (True, True)
    """
    settings, file = settings or LatencySettings(), Path(path)
    with tempfile.TemporaryDirectory(prefix="plumbline-latency-") as name:
        folder = Path(name)
        load = load_average()
        measured, cores = run_on_file(
            "onnx",
            file,
            folder,
            settings,
            inputs,
            Measured,
            preprocessing=include_preprocessing,
            duration_s=settings.warmup_s + settings.duration_s,
            limits=limits,
            report=report,
            should_stop=should_stop,
        )
        return build_report(
            measured,
            folder,
            settings,
            load,
            cores,
            name=file.name,
            kind="onnx",
            size_bytes=file.stat().st_size,
            preprocessing=include_preprocessing,
        )


def build_report(
    measured: Measured,
    folder: Path,
    settings: LatencySettings,
    load: float | None,
    cores: list[int],
    *,
    name: str,
    kind: str,
    size_bytes: int,
    preprocessing: bool,
) -> LatencyReport:
    """Return the report of what the measuring process returned and left in the folder."""
    model, timing = measured.model, measured.timing
    with np.load(folder / "samples.npz", allow_pickle=False) as arrays:
        samples, service, started = arrays["latency"] / 1e6, arrays["service"], arrays["started"]
    windows = tuple(None if value is None else value / 1e6 for value in window_medians(service, started))
    medians = [value for value in windows if value is not None]
    rows = timing.served * settings.batch_size
    shortened_text = describe_shortening(settings.scenario, timing.elapsed_s, len(samples))
    return LatencyReport(
        settings=settings,
        name=name,
        kind=kind,
        size_bytes=size_bytes,
        percentiles=percentiles(samples),
        mean_ms=float(samples.mean()),
        min_ms=float(samples.min()),
        max_ms=float(samples.max()),
        throughput=rows / timing.elapsed_s,
        requests=len(samples),
        elapsed_s=timing.elapsed_s,
        load_ms=model.load_ms,
        first_ms=model.first_ms,
        warmup=timing.warmup,
        windows_ms=windows,
        stable=max(medians) <= _STEADY * min(medians) if len(medians) == len(windows) else None,
        cpu_s_per_inference=timing.cpu_s / rows,
        rss_before_mb=model.rss_before_mb,
        peak_rss_mb=timing.peak_rss_mb,
        harness_floor_us=timing.floor_us,
        preprocessing=preprocessing,
        applied=model.applied,
        machine=Machine(
            cpu=cpu_name(),
            cores=os.cpu_count() or 1,
            pinned=tuple(cores),
            load_before=load,
            others_cpu=timing.others_cpu,
            busy=timing.others_cpu is not None and timing.others_cpu > _BUSY,
            governor=governor(cores[0] if cores else 0),
            onnxruntime=model.onnxruntime,
            provider=settings.provider,
            platform=platform.platform(),
        ),
        shortened=bool(shortened_text),
        shortened_text=shortened_text,
        server=timing.server,
        tokenisation=_tokenization(model.tokens, folder),
        curve=curve(samples),
        samples_ms=samples,
    )


def _tokenization(tokens: TokenCounts | None, folder: Path) -> Tokenisation | None:
    if tokens is None:
        return None
    with np.load(folder / "tokenisation.npz", allow_pickle=False) as arrays:
        return Tokenisation(percentiles(arrays["times"] / 1e6), **asdict(tokens))

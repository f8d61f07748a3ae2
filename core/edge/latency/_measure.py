"""`measure_latency`: a model file, timed in a process of its own."""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from core.edge.latency._facts import Machine, ServerFacts, Tokenisation, Warmup
from core.edge.latency._machine import cpu_name, governor, load_average
from core.edge.latency._on_file import run_on_file
from core.edge.latency._percentiles import curve, percentiles, window_medians
from core.edge.latency._report import LatencyReport, shortened
from core.edge.latency._settings import LatencySettings, Limits
from core.progress import Report

__all__ = ["conclude", "measure_latency"]

_STEADY = 1.10
_BUSY = 0.1


def measure_latency(
    path: str | Path,
    settings: LatencySettings | None = None,
    *,
    inputs: Any = None,
    include_preprocessing: bool = False,
    report: Report | None = None,
    should_stop: Callable[[], bool] | None = None,
    limits: Limits | None = None,
) -> LatencyReport:
    """Measure how long a model file takes to answer.

    It always runs in a process of its own that loads ONNX Runtime and numpy, is kept on as many cores as it has
    threads, and is ended when it takes too much time or memory.

    Parameters
    ----------
    path : path
        An ONNX file.
    settings : LatencySettings, optional
        By default one thread, one row, requests one after the other for 5 s.
    inputs : None, DataFrame, Cells, Texts or sequence of dict
        None: random values by the graph's shapes. A table: its rows, for a model that Plumbline exported. `Texts`:
        tokenised in the measuring process, which is timed apart. Dictionaries of arrays: fed as they are. Rows are
        taken in turn (the first 10,000 of them) and put together to batches.
    include_preprocessing : bool
        Put the building of inputs from rows, or tokenising, into the timed part. A request then is a text, a frame
        of pandas, or with `Cells` a row of text cells that an edge bundle's own code types.
    report : callable, optional
        Gets an `Event` a few times a second; the measuring process is not disturbed for it.
    should_stop : callable, optional
        Asked ten times a second.
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

    Examples
    --------
    >>> from core.edge.latency.measuring.session import IDENTITY
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "identity.onnx"
    ...     _ = file.write_bytes(IDENTITY)
    ...     found = measure_latency(file, LatencySettings(warmup_s=0.05, duration_s=0.1))
    >>> found.percentiles[50].enough, found.shortened
    (True, True)
    """
    settings, file = settings or LatencySettings(), Path(path)
    with tempfile.TemporaryDirectory(prefix="plumbline-latency-") as name:
        folder = Path(name)
        load = load_average()
        found, cores = run_on_file(
            "onnx",
            file,
            folder,
            settings,
            inputs,
            preprocessing=include_preprocessing,
            duration_s=settings.warmup_s + settings.duration_s,
            limits=limits,
            report=report,
            should_stop=should_stop,
        )
        return conclude(
            found,
            folder,
            settings,
            load,
            cores,
            name=file.name,
            kind="onnx",
            size_bytes=file.stat().st_size,
            preprocessing=include_preprocessing,
        )


def conclude(
    found: dict[str, Any],
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
    """Make a report of what the measuring process said and left in the folder."""
    with np.load(folder / "samples.npz", allow_pickle=False) as arrays:
        samples, service, started = arrays["latency"] / 1e6, arrays["service"], arrays["started"]
    windows = tuple(None if value is None else value / 1e6 for value in window_medians(service, started))
    known = [value for value in windows if value is not None]
    rows = found["served"] * settings.batch_size
    others = found["others_cpu"]
    text = shortened(settings.scenario, found["elapsed_s"], len(samples))
    return LatencyReport(
        settings=settings,
        name=name,
        kind=kind,
        size_bytes=size_bytes,
        percentiles=percentiles(samples),
        mean_ms=float(samples.mean()),
        min_ms=float(samples.min()),
        max_ms=float(samples.max()),
        throughput=rows / found["elapsed_s"],
        requests=len(samples),
        elapsed_s=found["elapsed_s"],
        load_ms=found["load_ms"],
        first_ms=found["first_ms"],
        warmup=Warmup(found["warmup"]["count"], tuple(found["warmup"]["samples_ms"])),
        windows_ms=windows,
        stable=max(known) <= _STEADY * min(known) if len(known) == len(windows) else None,
        cpu_s_per_inference=found["cpu_s"] / rows,
        rss_before_mb=found["rss_before_mb"],
        peak_rss_mb=found["peak_rss_mb"],
        harness_floor_us=found["floor_us"],
        preprocessing=preprocessing,
        applied=found["applied"],
        machine=Machine(
            cpu=cpu_name(),
            cores=os.cpu_count() or 1,
            pinned=tuple(cores),
            load_before=load,
            others_cpu=others,
            busy=others is not None and others > _BUSY,
            governor=governor(cores[0] if cores else 0),
            onnxruntime=found["onnxruntime"],
            provider=settings.provider,
            platform=platform.platform(),
        ),
        shortened=bool(text),
        shortened_text=text,
        server=None if found["server"] is None else ServerFacts(**_frozen(found["server"])),
        tokenisation=_tokenisation(found["tokens"], folder),
        curve=curve(samples),
        samples_ms=samples,
    )


def _frozen(server: dict[str, Any]) -> dict[str, Any]:
    return server | {"probes": tuple(server.get("probes", ()))}


def _tokenisation(tokens: dict[str, float] | None, folder: Path) -> Tokenisation | None:
    if tokens is None:
        return None
    with np.load(folder / "tokenisation.npz", allow_pickle=False) as arrays:
        return Tokenisation(percentiles(arrays["times"] / 1e6), **tokens)

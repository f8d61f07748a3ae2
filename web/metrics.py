"""What a server does now and has done since its start, in the text format of Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

import psutil
from streamlit.runtime import Runtime

from core.catalog.figures import run_figures
from core.errors import PlumblineError
from web import counters
from web.counters import Labels
from web.download_limits import held_downloads
from web.upload_limits import held_uploads

__all__ = ["text"]

_log = logging.getLogger("plumbline.web")


def text() -> str:
    """Return all metrics.

    Those of runs are of the whole installation, the same from each of its servers; the others are of this process.
    Where the catalog cannot be read, those of runs are missing and ``plumbline_catalog_up`` is 0.
    """
    return "".join([*_of_runs(), *_of_process()])


def _of_runs() -> Iterator[str]:
    try:
        figures = run_figures()
    except PlumblineError as error:
        _log.error("no metrics of runs: %s", error)
        yield _metric("catalog_up", "gauge", "Whether the catalog can be read.", 0)
        return
    yield _metric("catalog_up", "gauge", "Whether the catalog can be read.", 1)
    yield _metric("runs", "gauge", "Runs by state.", _by("state", figures.states))
    yield _metric("queue_length", "gauge", "Runs that wait, by lane.", _by("lane", figures.waiting))
    waits = _by("lane", figures.longest_wait_s)
    yield _metric("queue_wait_seconds", "gauge", "Longest wait in the queue, by lane.", waits)


def _of_process() -> Iterator[str]:
    process = psutil.Process()
    times = process.cpu_times()
    yield _metric("requests_total", "counter", "Requests by purpose and status.", counters.counts("requests"))
    seconds = counters.counts("request_seconds")
    yield _metric("request_seconds_total", "counter", "Time taken by requests, by purpose.", seconds)
    yield _metric("refused_total", "counter", "Refused requests by reason.", counters.counts("refused"))
    yield _metric(
        "paced_total", "counter", "Messages of pages that had to wait.", sum(counters.counts("paced").values())
    )
    if Runtime.exists():
        manager = Runtime.instance()._session_mgr
        yield _metric("sessions", "gauge", "Open pages.", manager.num_active_sessions())
        yield _metric("upload_bytes", "gauge", "Uploaded files in memory.", sum(held_uploads().values()))
        yield _metric("download_bytes", "gauge", "Files for download in memory.", held_downloads())
    yield _metric("resident_memory_bytes", "gauge", "Memory of the process.", process.memory_info().rss)
    yield _metric("cpu_seconds_total", "counter", "Processor time of the process.", times.user + times.system)


def _by(label: str, values: Mapping[str, float]) -> dict[Labels, float]:
    return {((label, name),): value for name, value in values.items()}


def _metric(name: str, kind: str, help_text: str, values: float | Mapping[Labels, float]) -> str:
    """Return the lines of one metric."""
    lines = [f"# HELP plumbline_{name} {help_text}", f"# TYPE plumbline_{name} {kind}"]
    for labels, value in (values if isinstance(values, Mapping) else {(): values}).items():
        pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        lines.append(f"plumbline_{name}{{{pairs}}} {value:.12g}" if pairs else f"plumbline_{name} {value:.12g}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

"""Profiles operators with ONNX Runtime's own trace. Measuring process only; nothing else is timed meanwhile."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

from core.edge.latency.measuring.loops import closed_loop
from core.edge.latency.measuring.model_errors import model_errors
from core.edge.latency.measuring.operation_onnx import build_requests
from core.edge.latency.measuring.session import open_session, session_options
from core.edge.latency.messages import Emit, Job, OperatorTime, Step

__all__ = ["work"]

_SKIPPED_RUNS = 3
_MAX_RUNS = 200
_KERNEL = "_kernel_time"


class TraceEvent(TypedDict, total=False):
    """An event of ONNX Runtime's trace."""

    name: str
    cat: str
    ts: int
    dur: int
    args: dict[str, str]


@dataclass
class _Total:
    nodes: set[str] = field(default_factory=set)
    calls: int = 0
    us: int = 0


def work(job: Job, folder: Path, emit: Emit) -> list[OperatorTime]:
    """Run with the profiler on; return the time of each operator."""
    settings = job.settings
    emit(Step("load", 1.0))
    options = session_options(settings)
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / "profile")
    session = open_session(Path(job.path).read_bytes(), settings, options)
    requests = build_requests(session, job, folder, emit)
    emit(Step("profile", settings.duration_s))
    with model_errors():
        closed_loop(requests.run, requests.items, 10**15, max_requests=_SKIPPED_RUNS)
        closed_loop(requests.run, requests.items, int(settings.duration_s * 1e9), max_requests=_MAX_RUNS)
    return _operator_times(json.loads(Path(session.end_profiling()).read_text(encoding="utf-8")))


def _operator_times(events: list[TraceEvent]) -> list[OperatorTime]:
    begins = sorted(event["ts"] for event in events if event.get("name") == "model_run")
    steady = begins[_SKIPPED_RUNS] if len(begins) > _SKIPPED_RUNS else 0
    totals: dict[str, _Total] = {}
    for event in events:
        if event.get("cat") != "Node" or not event["name"].endswith(_KERNEL) or event["ts"] < steady:
            continue
        total = totals.setdefault(event["args"]["op_name"], _Total())
        total.nodes.add(event["name"])
        total.calls += 1
        total.us += event["dur"]
    return [OperatorTime(name, len(total.nodes), total.calls, total.us) for name, total in totals.items()]

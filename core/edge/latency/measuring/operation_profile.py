"""Profiles operators with ONNX Runtime's own trace. Measuring process only; nothing else is timed meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.edge.latency._settings import LatencySettings
from core.edge.latency.measuring.loops import closed_loop
from core.edge.latency.measuring.main import Say
from core.edge.latency.measuring.operation_onnx import requests
from core.edge.latency.measuring.session import open_session, session_options

__all__ = ["work"]

_FIRST = 3  # runs that are left out
_MOST = 200
_KERNEL = "_kernel_time"


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Run with the profiler on; return what each operator took."""
    settings = LatencySettings(**job["settings"])
    say(phase="load", seconds=1.0)
    options = session_options(settings)
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / "profile")
    session = open_session(Path(job["path"]).read_bytes(), settings, options)
    run, items, _ = requests(session, job, settings, folder, say)
    say(phase="profile", seconds=settings.duration_s)
    closed_loop(run, items, 10**15, most=_FIRST)
    closed_loop(run, items, int(settings.duration_s * 1e9), most=_MOST)
    events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return {"operators": _operators(events)}


def _operators(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    begins = sorted(event["ts"] for event in events if event.get("name") == "model_run")
    steady = begins[_FIRST] if len(begins) > _FIRST else 0
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.get("cat") != "Node" or not event["name"].endswith(_KERNEL) or event["ts"] < steady:
            continue
        row = found.setdefault(event["args"]["op_name"], {"nodes": set(), "calls": 0, "us": 0})
        row["nodes"].add(event["name"])
        row["calls"] += 1
        row["us"] += event["dur"]
    return [
        {"operator": name, "nodes": len(row["nodes"]), "calls": row["calls"], "total_us": row["us"]}
        for name, row in found.items()
    ]

"""Counts the work of a typical request of a model. Measuring process only: what a user uploaded is run for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.edge.inspection.graph import describe_graph
from core.edge.latency._settings import LatencySettings
from core.edge.latency.measuring.main import Say
from core.edge.latency.measuring.operation_onnx import requests
from core.edge.latency.measuring.requests import Feeds
from core.edge.latency.measuring.session import open_session

__all__ = ["work"]


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Describe the graph, and count the work of the request of median size."""
    settings = LatencySettings(**job["settings"])
    say(phase="load", seconds=1.0)
    content = Path(job["path"]).read_bytes()
    _, items, _ = requests(open_session(content, settings), job, settings, folder, say)
    say(phase="work", seconds=1.0)
    return describe_graph(content, sorted(items, key=_size)[len(items) // 2]).to_dict()


def _size(feeds: Feeds) -> int:
    return sum(array.size for array in feeds.values())

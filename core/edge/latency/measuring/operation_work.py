"""Counts the work of a typical request of a model. Measuring process only, because it runs what a user uploaded."""

from __future__ import annotations

from pathlib import Path

from core.edge.inspection.graph import Graph, describe_graph
from core.edge.latency.measuring.operation_onnx import build_requests
from core.edge.latency.measuring.requests import Feeds
from core.edge.latency.measuring.session import open_session
from core.edge.latency.messages import Emit, Job, Step

__all__ = ["work"]


def work(job: Job, folder: Path, emit: Emit) -> Graph:
    """Describe the graph, and count the work of the request of median size."""
    emit(Step("load", 1.0))
    content = Path(job.path).read_bytes()
    # Without preprocessing, requests are inputs of the graph.
    feeds = build_requests(open_session(content, job.settings), job, folder, emit).items
    emit(Step("work", 1.0))
    return describe_graph(content, sorted(feeds, key=_size)[len(feeds) // 2])


def _size(feeds: Feeds) -> int:
    return sum(array.size for array in feeds.values())

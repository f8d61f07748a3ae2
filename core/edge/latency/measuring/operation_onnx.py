"""Measures an ONNX file. Measuring process only: ONNX Runtime and numpy are all that it loads."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from core.edge.latency._settings import LatencySettings
from core.edge.latency.measuring.loops import Run
from core.edge.latency.measuring.main import Say
from core.edge.latency.measuring.requests import batches, random_feeds
from core.edge.latency.measuring.session import IDENTITY, applied, open_session
from core.edge.latency.measuring.timing import first_run, measure, tokenise
from core.edge.latency.measuring.usage import resident_mb

__all__ = ["empty_graph", "requests", "work"]


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Load, warm up, measure; return the figures."""
    settings = LatencySettings(**job["settings"])
    model = Path(job["path"])
    before = resident_mb()
    say(phase="load", seconds=1.0)
    began = time.perf_counter_ns()
    session = open_session(model.read_bytes(), settings)
    load_ns = time.perf_counter_ns() - began
    run, items, tokens = requests(session, job, settings, folder, say)
    found = {
        "load_ms": load_ns / 1e6,
        "first_ms": first_run(run, items[0], settings, say) / 1e6,
        "rss_before_mb": before,
        "applied": applied(session),
        "onnxruntime": onnxruntime.__version__,
        "tokens": tokens,
    }
    return found | measure(run, items, empty_graph(settings), settings, folder, say)


def empty_graph(settings: LatencySettings) -> Run:
    """Return a callable that runs an empty graph with the same options; it takes any item."""
    session = open_session(IDENTITY, settings)
    feeds, run = {"x": np.zeros(1, dtype=np.float32)}, session.run

    def empty(item: Any) -> Any:
        return run(None, feeds)

    return empty


def requests(
    session: Any, job: dict[str, Any], settings: LatencySettings, folder: Path, say: Say
) -> tuple[Run, Sequence[Any], dict[str, float] | None]:
    """Return the callable, the requests it takes in turn, and figures of tokens when they are texts."""
    form, size, preprocessing = job["inputs"]["form"], settings.batch_size, job["preprocessing"]
    run: Run = partial(session.run, None)  # of all outputs
    if form == "random":
        return run, random_feeds(session.get_inputs(), size, settings.sequence_length, settings.seed), None
    if form == "texts":
        return _texts(run, session, job["inputs"], settings, folder, say, preprocessing)
    if form == "cells":
        return _cells(run, job["inputs"]["columns"], size, folder, preprocessing)
    if form == "frame":
        return _frame(run, session, size, folder)
    arrays = np.load(folder / "inputs.npz", allow_pickle=False)
    names = job["inputs"]["names"]
    if form == "table":
        table = {name: _plain(arrays[str(place)]) for place, name in enumerate(names)}
        rows = len(next(iter(table.values())))
        return run, [{name: table[name][some] for name in names} for some in batches(size, rows)], None
    count = job["inputs"]["count"]
    return (
        run,
        [{name: _plain(arrays[f"{number}.{place}"]) for place, name in enumerate(names)} for number in range(count)],
        None,
    )


def _texts(
    run: Run, session: Any, inputs: dict[str, Any], settings: LatencySettings, folder: Path, say: Say, timed: bool
) -> tuple[Run, Sequence[Any], dict[str, float]]:
    from core.edge.scoring.encoder import Encoder

    names = [each.name for each in session.get_inputs()]
    encode = Encoder(inputs["tokenizer"], names, inputs["max_length"], settings.sequence_length)
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    groups = [[texts[place] for place in some] for some in batches(settings.batch_size, len(texts))]
    made, tokens = tokenise(encode, encode.lengths, groups, folder, say)

    def whole(batch: list[str]) -> Any:
        return run(encode(batch))

    return (whole, groups, tokens) if timed else (run, made, tokens)


def _cells(
    run: Run, columns: list[dict[str, Any]], size: int, folder: Path, timed: bool
) -> tuple[Run, Sequence[Any], None]:
    """Return requests that are cells of text, typed by the code that an edge bundle carries."""
    from core.edge.portable.cells import feed

    table = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    rows = len(next(iter(table.values())))
    items = [{name: [part[row] for row in some] for name, part in table.items()} for some in batches(size, rows)]

    def typed(cells: dict[str, list[str]]) -> dict[str, Any]:
        return {column["input"]: feed(column, cells[column["name"]]) for column in columns}

    def whole(cells: dict[str, list[str]]) -> Any:
        return run(typed(cells))

    return (whole, items, None) if timed else (run, [typed(cells) for cells in items], None)


def _frame(run: Run, session: Any, size: int, folder: Path) -> tuple[Run, Sequence[Any], None]:
    """Return requests that are frames of raw columns: building the inputs is part of what is timed."""
    import pandas as pd

    from core.edge.export.metadata import Metadata
    from core.edge.scoring.feeds import table_feeds

    columns = Metadata.from_props(session.get_modelmeta().custom_metadata_map).columns
    frame = pd.read_parquet(folder / "frame.parquet")

    def whole(rows: Any) -> Any:
        return run(table_feeds(rows, columns))

    return whole, [frame.iloc[some] for some in batches(size, len(frame))], None


def _plain(array: Any) -> Any:
    """Return strings as objects, which is what ONNX Runtime takes without a conversion."""
    return array.astype(object) if array.dtype.kind == "U" else array

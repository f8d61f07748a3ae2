"""Measures an ONNX file. Measuring process only: it loads only ONNX Runtime and NumPy."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from core.edge.latency.facts import TokenCounts
from core.edge.latency.measuring.loops import Item, Run
from core.edge.latency.measuring.requests import Feeds, batches, random_feeds, read_texts
from core.edge.latency.measuring.session import IDENTITY, applied, open_session
from core.edge.latency.measuring.timing import first_run, measure, tokenize
from core.edge.latency.measuring.usage import resident_mb
from core.edge.latency.messages import (
    CellInputs,
    Emit,
    FrameInputs,
    Job,
    LoadedModel,
    Measured,
    RandomInputs,
    Step,
    TableInputs,
    TextInputs,
)
from core.edge.latency.settings import LatencySettings

if TYPE_CHECKING:
    import pandas as pd

    from core.finetune import Text

__all__ = ["Requests", "build_requests", "empty_graph", "work"]


@dataclass(frozen=True)
class Requests(Generic[Item]):
    """Requests, and what answers them.

    Parameters
    ----------
    run : callable
        Answers one request.
    items : sequence
        The requests, taken in turn: inputs of the graph, texts, cells or frames.
    tokens : TokenCounts, optional
        Number of tokens, of texts.
    """

    run: Run[Item]
    items: Sequence[Item]
    tokens: TokenCounts | None = None


def work(job: Job, folder: Path, emit: Emit) -> Measured:
    """Load, warm up and measure."""
    settings = job.settings
    before = resident_mb()
    emit(Step("load", 1.0))
    began = time.perf_counter_ns()
    session = open_session(Path(job.path).read_bytes(), settings)
    load_ns = time.perf_counter_ns() - began
    requests = build_requests(session, job, folder, emit)
    model = LoadedModel(
        load_ms=load_ns / 1e6,
        first_ms=first_run(requests.run, requests.items[0], settings, emit) / 1e6,
        rss_before_mb=before,
        applied=applied(session),
        onnxruntime=onnxruntime.__version__,
        tokens=requests.tokens,
    )
    timing = measure(requests.run, requests.items, empty_graph(settings), settings, folder, emit)
    return Measured(model, timing)


def empty_graph(settings: LatencySettings) -> Run[object]:
    """Return a callable that runs an empty graph with the same options; it takes any item."""
    session = open_session(IDENTITY, settings)
    feeds, run = {"x": np.zeros(1, dtype=np.float32)}, session.run

    def empty(item: object) -> object:
        return run(None, feeds)

    return empty


def build_requests(session: onnxruntime.InferenceSession, job: Job, folder: Path, emit: Emit) -> Requests[Any]:
    """Return the requests of a job; their type depends on its inputs."""
    inputs, settings = job.inputs, job.settings
    run: Run[Feeds] = partial(session.run, None)  # of all outputs
    if isinstance(inputs, RandomInputs):
        feeds = random_feeds(
            session.get_inputs(), settings.batch_size, settings.sequence_length, settings.seed, inputs.limits
        )
        return Requests(run, feeds)
    if isinstance(inputs, TextInputs):
        return _text_requests(run, session, inputs, job, folder, emit)
    if isinstance(inputs, CellInputs):
        return _cell_requests(run, inputs, job, folder)
    if isinstance(inputs, FrameInputs):
        return _frame_requests(run, session, settings.batch_size, folder)
    arrays = np.load(folder / "inputs.npz", allow_pickle=False)
    if isinstance(inputs, TableInputs):
        table = {name: _as_objects(arrays[str(index)]) for index, name in enumerate(inputs.names)}
        rows = len(next(iter(table.values())))
        groups = batches(settings.batch_size, rows)
        return Requests(run, [{name: table[name][batch] for name in inputs.names} for batch in groups])
    whole = [
        {name: _as_objects(arrays[f"{number}.{index}"]) for index, name in enumerate(inputs.names)}
        for number in range(inputs.count)
    ]
    return Requests(run, whole)


def _text_requests(
    run: Run[Feeds],
    session: onnxruntime.InferenceSession,
    inputs: TextInputs,
    job: Job,
    folder: Path,
    emit: Emit,
) -> Requests[list[Text]] | Requests[Feeds]:
    from core.edge.scoring.encoder import Encoder

    names = [port.name for port in session.get_inputs()]
    encode = Encoder(inputs.tokenizer, names, inputs.max_length, job.settings.sequence_length)
    texts = read_texts(folder)
    groups = [[texts[index] for index in batch] for batch in batches(job.settings.batch_size, len(texts))]
    encoded, tokens = tokenize(encode, encode.lengths, groups, folder, emit)

    def run_texts(batch: list[Text]) -> object:
        return run(encode(batch))

    return Requests(run_texts, groups, tokens) if job.preprocessing else Requests(run, encoded, tokens)


def _cell_requests(
    run: Run[Feeds], inputs: CellInputs, job: Job, folder: Path
) -> Requests[dict[str, list[str]]] | Requests[Feeds]:
    """Return requests that are cells of text, read by the code that an edge bundle carries."""
    from core.edge.portable.cells import feed

    table = json.loads((folder / "cells.json").read_text(encoding="utf-8"))
    rows = len(next(iter(table.values())))
    items = [
        {name: [cells[row] for row in batch] for name, cells in table.items()}
        for batch in batches(job.settings.batch_size, rows)
    ]

    def to_feeds(cells: Mapping[str, list[str]]) -> Feeds:
        return {column.input: feed(column.to_dict(), cells[column.name]) for column in inputs.columns}

    def run_cells(cells: dict[str, list[str]]) -> object:
        return run(to_feeds(cells))

    return Requests(run_cells, items) if job.preprocessing else Requests(run, [to_feeds(cells) for cells in items])


def _frame_requests(
    run: Run[Feeds], session: onnxruntime.InferenceSession, batch_size: int, folder: Path
) -> Requests[pd.DataFrame]:
    """Return requests that are frames of raw columns: building the inputs is part of the timed work."""
    import pandas as pd

    from core.edge.export.metadata import Metadata
    from core.edge.scoring.feeds import table_feeds

    columns = Metadata.from_props(session.get_modelmeta().custom_metadata_map).columns
    frame = pd.read_parquet(folder / "frame.parquet")

    def run_rows(rows: pd.DataFrame) -> object:
        return run(table_feeds(rows, columns))

    return Requests(run_rows, [frame.iloc[batch] for batch in batches(batch_size, len(frame))])


def _as_objects(array: NDArray[Any]) -> NDArray[Any]:
    """Return strings as objects, which ONNX Runtime takes without a conversion."""
    return array.astype(object) if array.dtype.kind == "U" else array

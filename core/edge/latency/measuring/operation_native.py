"""Measures a model with the libraries that trained it: scikit-learn and its kin, or torch. Measuring process only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.edge.latency.facts import TokenCounts
from core.edge.latency.measuring.loops import Item, Run
from core.edge.latency.measuring.requests import batches, read_texts
from core.edge.latency.measuring.timing import first_run, measure, tokenize
from core.edge.latency.measuring.usage import resident_mb
from core.edge.latency.messages import Emit, Job, LoadedModel, Measured, Step, TextInputs

if TYPE_CHECKING:
    import torch
    from transformers import BatchEncoding

    from core.finetune import Text

__all__ = ["work"]


def work(job: Job, folder: Path, emit: Emit) -> Measured:
    """Load, warm up and measure."""
    if isinstance(job.inputs, TextInputs):
        return _measure_text(job, job.inputs, folder, emit)
    return _measure_table(job, folder, emit)


def _measure_table(job: Job, folder: Path, emit: Emit) -> Measured:
    import pandas as pd

    from core.automl import load_model

    settings = job.settings
    frame = pd.read_parquet(folder / "frame.parquet")
    before = resident_mb()
    emit(Step("load", 3.0))
    began = time.perf_counter_ns()
    model = load_model(Path(job.path) / "model.skops")
    load_ns = time.perf_counter_ns() - began
    # As many threads as its counterpart gets, wherever the number is kept.
    limit = {name: settings.threads for name in model.get_params(deep=True) if name.split("__")[-1] == "n_jobs"}
    model.set_params(**limit)
    run = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    items = [frame.iloc[batch] for batch in batches(settings.batch_size, len(frame))]
    return _measure(run, items, job, folder, emit, load_ns, before, settings.threads, None)


def _measure_text(job: Job, inputs: TextInputs, folder: Path, emit: Emit) -> Measured:
    import torch

    from core.finetune import encode_texts, load_text_model, quiet_transformers

    settings = job.settings
    torch.set_num_threads(settings.intra_op_threads)
    torch.set_num_interop_threads(settings.inter_op_threads)
    before = resident_mb()
    emit(Step("load", 3.0))
    with quiet_transformers(settings.intra_op_threads):
        began = time.perf_counter_ns()
        model, tokenizer = load_text_model(job.path)
        load_ns = time.perf_counter_ns() - began
    torch.set_num_threads(settings.intra_op_threads)  # `quiet_transformers` restored the number before
    texts = read_texts(folder)
    groups = [[texts[index] for index in batch] for batch in batches(settings.batch_size, len(texts))]
    length = settings.sequence_length
    padding: str | bool = True if length is None else "max_length"

    def encode(batch: list[Text]) -> BatchEncoding:
        max_length = length or inputs.max_length
        encoded = encode_texts(tokenizer, batch, max_length)
        return tokenizer.pad(encoded, padding=padding, max_length=length, return_tensors="pt")

    def lengths(batch: list[Text]) -> list[int]:
        return [int(count) for count in encode(batch)["attention_mask"].sum(dim=1)]

    def run(batch: list[Text]) -> torch.Tensor:
        with torch.inference_mode():
            return model(**encode(batch).to(model.device)).logits

    _, tokens = tokenize(encode, lengths, groups, folder, emit)
    return _measure(run, groups, job, folder, emit, load_ns, before, torch.get_num_threads(), tokens)


def _measure(
    run: Run[Item],
    items: Sequence[Item],
    job: Job,
    folder: Path,
    emit: Emit,
    load_ns: int,
    before_mb: float,
    threads: int,
    tokens: TokenCounts | None,
) -> Measured:
    first_ms = first_run(run, items[0], job.settings, emit) / 1e6
    model = LoadedModel(load_ns / 1e6, first_ms, before_mb, {"threads": threads}, None, tokens)
    return Measured(model, measure(run, items, _nothing, job.settings, folder, emit))


def _nothing(item: object) -> None:
    """Do nothing: what a call costs the loop."""

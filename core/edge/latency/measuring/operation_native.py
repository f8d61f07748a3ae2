"""Measures a model with the libraries that trained it: scikit-learn and its kin, or torch. Measuring process only."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.edge.latency._settings import LatencySettings
from core.edge.latency.measuring.loops import Run
from core.edge.latency.measuring.main import Say
from core.edge.latency.measuring.requests import batches
from core.edge.latency.measuring.timing import first_run, measure, tokenise
from core.edge.latency.measuring.usage import resident_mb

__all__ = ["work"]


def work(job: dict[str, Any], folder: Path, say: Say) -> dict[str, Any]:
    """Load, warm up, measure; return the figures."""
    settings = LatencySettings(**job["settings"])
    prepare = _table if job["inputs"]["form"] == "frame" else _text
    run, items, found = prepare(job, settings, folder, say)
    found["first_ms"] = first_run(run, items[0], settings, say) / 1e6
    return found | measure(run, items, _nothing, settings, folder, say)


def _nothing(item: Any) -> None:
    """Do nothing: what a call costs the loop."""


def _table(
    job: dict[str, Any], settings: LatencySettings, folder: Path, say: Say
) -> tuple[Run, Sequence[Any], dict[str, Any]]:
    import pandas as pd

    from core.automl import load_model

    frame = pd.read_parquet(folder / "frame.parquet")
    before = resident_mb()
    say(phase="load", seconds=3.0)
    began = time.perf_counter_ns()
    model = load_model(Path(job["path"]) / "model.skops")
    load_ns = time.perf_counter_ns() - began
    # As many threads as its counterpart gets, wherever the number is kept.
    limit = {name: settings.threads for name in model.get_params(deep=True) if name.split("__")[-1] == "n_jobs"}
    model.set_params(**limit)
    run = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    items = [frame.iloc[some] for some in batches(settings.batch_size, len(frame))]
    return run, items, _facts(load_ns, before, {"threads": settings.threads}, None)


def _text(
    job: dict[str, Any], settings: LatencySettings, folder: Path, say: Say
) -> tuple[Run, Sequence[Any], dict[str, Any]]:
    import torch

    from core.finetune import load_text_model, quiet_transformers

    torch.set_num_threads(settings.intra_op_threads)
    torch.set_num_interop_threads(settings.inter_op_threads)
    before = resident_mb()
    say(phase="load", seconds=3.0)
    with quiet_transformers(settings.intra_op_threads):
        began = time.perf_counter_ns()
        model, tokenizer = load_text_model(job["path"])
        load_ns = time.perf_counter_ns() - began
    torch.set_num_threads(settings.intra_op_threads)  # `quiet_transformers` put back what there was
    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    groups = [[texts[place] for place in some] for some in batches(settings.batch_size, len(texts))]
    length, limit = settings.sequence_length, job["inputs"]["max_length"]
    padding: str | bool = True if length is None else "max_length"

    def encode(batch: list[str]) -> Any:
        most = min(limit, length or limit)
        return tokenizer(batch, padding=padding, truncation=True, max_length=length or most, return_tensors="pt")

    def lengths(batch: list[str]) -> list[int]:
        return [int(count) for count in encode(batch)["attention_mask"].sum(dim=1)]

    def run(batch: list[str]) -> Any:
        with torch.inference_mode():
            return model(**encode(batch).to(model.device)).logits

    _, tokens = tokenise(encode, lengths, groups, folder, say)
    return run, groups, _facts(load_ns, before, {"threads": torch.get_num_threads()}, tokens)


def _facts(load_ns: int, before: float, applied: dict[str, Any], tokens: dict[str, float] | None) -> dict[str, Any]:
    return {
        "load_ms": load_ns / 1e6,
        "rss_before_mb": before,
        "applied": applied,
        "onnxruntime": None,
        "tokens": tokens,
    }

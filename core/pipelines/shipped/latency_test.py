"""``latency_test``: how long an ONNX file takes to answer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import InputError
from core.files import write_text
from core.jsonable import jsonable
from core.pipelines.shipped.command import Arguments, log, run_component, write_metrics, write_report

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the component."""
    return run_component("latency_test", _work, argv)


def _work(arguments: Arguments) -> None:
    from core.edge import LatencySettings, measure_latency

    file = _onnx_file(arguments.path("onnx_model"))
    settings = LatencySettings(
        batch_size=arguments.integer("rows"),
        duration_s=arguments.number("duration_s"),
        warmup_s=arguments.number("warmup_s"),
        intra_op_threads=arguments.integer("threads"),
    )
    rows = _rows(file)
    fed = "random values" if rows is None else f"{len(rows):,} rows that were exported with the model"
    log(f"Measuring {file.name} for {settings.duration_s:g} s with {fed}.")
    measured = measure_latency(file, settings, inputs=rows)
    record = jsonable(measured.to_dict())
    folder = arguments.path("latency")
    write_text(folder / "latency.json", json.dumps(record, indent=1))
    known = {percent: item.value for percent, item in measured.percentiles.items() if item.value is not None}
    log(*(f"  {percent}% of requests within {value:.3f} ms" for percent, value in known.items()))
    if len(known) < len(measured.percentiles):
        log("  Higher percentiles need more requests than were made.")
    log(f"{measured.throughput:,.0f} rows per second.")
    if measured.stable is False:
        log("The measurement is not stable: its thirds differ by more than 10%.")
    write_report(folder, "latency_test", inputs=fed, requests=measured.requests, stable=measured.stable)
    write_metrics({f"p{percent:g}_ms": value for percent, value in known.items()} | {"mean_ms": measured.mean_ms})


def _onnx_file(path: Path) -> Path:
    files = [path] if path.is_file() else sorted(path.glob("*.onnx"))
    if len(files) != 1:
        raise InputError(
            f"'{path.name}' has {len(files)} ONNX files.", "Give the output of export_onnx, or a single ONNX file."
        )
    return files[0]


def _rows(file: Path) -> pd.DataFrame | None:
    import pandas as pd

    rows = file.with_name("rows.parquet")
    return pd.read_parquet(rows) if rows.is_file() else None


if __name__ == "__main__":
    sys.exit(main())

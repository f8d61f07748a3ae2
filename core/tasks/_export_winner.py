"""Stores the winner of a search as ONNX, so that pages can score with it without the libraries that trained it."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ExportError, InputError
from core.jobs import RunContext
from core.progress import Event, Report

if TYPE_CHECKING:
    import pandas as pd

    from core.automl import AutoMLResult

__all__ = ["export_files", "export_winner"]

_COMPARED_ROWS, _KEPT_ROWS = 2_000, 1_000


def export_winner(context: RunContext, frame: pd.DataFrame, result: AutoMLResult) -> str | None:
    """Store the files of `export_files` with a run, and return the reason where there are none."""
    folder = context.workdir / "exported"
    folder.mkdir(exist_ok=True)
    reason = export_files(folder, frame, result, context.report)
    if reason is None:
        for path in sorted(folder.iterdir()):
            context.keep(path.name, path)
    return reason


def export_files(folder: Path, frame: pd.DataFrame, result: AutoMLResult, report: Report) -> str | None:
    """Write ``model.onnx``, ``onnx.json``, and ``rows.parquet``: raw rows to score, by their position in the table.

    Parameters
    ----------
    folder : Path
        Folder that exists.
    frame : DataFrame
        Table of the search.
    result : AutoMLResult
        Result of the search.
    report : callable
        Callback for progress.

    Returns
    -------
    str or None
        Reason why the model could not be exported; None when it was. The search's result is kept either way.
    """
    from core.edge import export_onnx

    report(Event("export", 0.99, "Exporting the model and comparing its answers"))
    rows = frame[result.features]
    parts = [rows.iloc[table["row_id"].to_numpy()[:_COMPARED_ROWS]] for table in (result.oof, result.test)]
    try:
        exported = export_onnx(
            result.model,
            folder / "model.onnx",
            train=parts[0] if len(parts[0]) else parts[1],  # a study may have predicted none of its training rows
            held_out=parts[1] if len(parts[1]) else parts[0],
            fingerprint=result.fingerprint,
            target=result.settings.target,
        )
    except (ExportError, InputError) as error:
        report(Event("export", 0.99, error.message))
        return error.message
    except Exception as error:  # noqa: BLE001  (shown to the user and logged; a model without ONNX is still a result)
        traceback.print_exception(error)
        message = f"The model could not be exported ({type(error).__name__}: {str(error)[:300]})."
        report(Event("export", 0.99, message, {"error": type(error).__name__}))
        return message
    (folder / "onnx.json").write_text(json.dumps(exported.to_dict(), default=str), encoding="utf-8")
    kept = (result.test if len(result.test) else result.oof)["row_id"].to_numpy()[:_KEPT_ROWS]
    rows.iloc[kept].set_axis(kept).to_parquet(folder / "rows.parquet")
    return None

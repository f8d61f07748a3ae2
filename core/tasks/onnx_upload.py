"""Takes an ONNX file of the user's in: looked at before anything runs it, then made smaller where that goes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from core import exports, jobs
from core.edge import QUANTIZATION_MODES
from core.errors import SettingsError
from core.jobs import RunContext, TaskSpec
from core.jsonable import jsonable
from core.progress import Event
from core.tasks._uploads import keep_upload, upload_path

__all__ = ["DATA_FREE_MODES", "LIMIT_MB", "SPEC", "run", "submit"]

SPEC = TaskSpec(
    name="onnx_upload",
    title="ONNX upload",
    help="Inspects an uploaded ONNX file and makes smaller variants.",
    page="edge",
    repeatable=False,  # an upload is read once, then removed
)

LIMIT_MB = 300
DATA_FREE_MODES = ("dynamic-int8", "fp16")
"""Modes that need no data to calibrate on: of a file of the user's there are none."""
_MEMORY_MB, _TIMEOUT_S = 6_000, 900


def submit(file: IO[bytes], filename: str, *, modes: Sequence[str] = DATA_FREE_MODES, workspace: str) -> str:
    """Copy an upload out of memory and queue the run that looks at it; returns the run's id.

    Raises
    ------
    SettingsError
        When a mode is unknown, or needs data.
    LimitError
        When the file is larger than `LIMIT_MB`.
    """
    unknown = [mode for mode in modes if mode not in DATA_FREE_MODES]
    if unknown:
        raise SettingsError(
            f"'{unknown[0]}' is no mode for an uploaded file.", f"Choose from: {', '.join(DATA_FREE_MODES)}."
        )
    name = keep_upload(file, filename, LIMIT_MB, "Quantise it to 8 bits first, which takes a quarter of the space.")
    return jobs.submit(
        "onnx_upload",
        {"upload": name, "filename": filename[:200], "modes": [mode for mode in QUANTIZATION_MODES if mode in modes]},
        workspace=workspace,
        title=Path(filename).name[:200] or "model.onnx",
        memory_limit_mb=_MEMORY_MB,
        timeout_s=_TIMEOUT_S,
    )


def run(context: RunContext) -> dict[str, Any]:
    """Inspect the file, describe it, and make its variants; it is first run when the variants are tried out."""
    from core.edge import Metadata, inspect_onnx, make_variants

    upload = upload_path(context.settings["upload"])
    made = context.workdir / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    context.report(Event("inspect", 0.05, "Looking at the file, without running it"))
    try:
        content = upload.read_bytes()
        inspection = inspect_onnx(content)
        (made / "model.onnx").write_bytes(content)
    finally:
        upload.unlink(missing_ok=True)
    metadata = Metadata.read(made / "model.onnx")
    variants = make_variants(
        made / "model.onnx",
        made,
        modes=context.settings["modes"],
        report=lambda event: context.report(Event(event.phase, 0.2 + 0.75 * (event.fraction or 0.0), event.message)),
    )
    context.report(Event("store", 0.95, "Storing the files"))
    found = {
        "source": {"task": "upload", "filename": context.settings["filename"], "sha256": inspection.sha256},
        "kind": "other",  # whatever it says of itself: nobody has proven it
        "task": None,
        "labels": None if metadata.labels is None else [str(label) for label in metadata.labels],
        "target": metadata.target,
        "fingerprint": None,
        "policy": None,
        "rows": {"train": 0, "held_out": 0},
        "model": None,
        "variants": [variant.to_dict() for variant in variants],
        "metric": None,
    }
    exports.keep(context, made, jsonable(found))
    return {"kind": "other", "variants": [variant.name for variant in variants if variant.file], "source": None}

"""Takes in an ONNX file of the user's: inspected before anything runs it, then quantized where possible."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from core import exports, jobs
from core.access import Access, require_feature, upload_limit_mb
from core.edge import QUANTIZATION_MODES
from core.errors import SettingsError
from core.jobs import RunContext, TaskSpec
from core.progress import Event
from core.registry import unknown_name
from core.tasks._uploads import keep_upload, shared_upload, upload_path, uploaded_file
from core.tasks.export import ExportResult

__all__ = ["LIMIT_MB", "SPEC", "data_free_modes", "limit_mb", "run", "submit"]

SPEC = TaskSpec(
    name="onnx_upload",
    title="ONNX upload",
    help="Inspects an uploaded ONNX file and makes smaller variants.",
    page="edge",
    repeatable=False,  # an upload is read once, then removed
)

LIMIT_MB = 300
"""Size of the largest ONNX file that is taken, MB, where the installation takes files of that size."""
_MEMORY_MB, _TIMEOUT_S = 6_000, 900


def limit_mb() -> int:
    """Return the size in MB up to which an ONNX file is taken: that of any upload sets it too."""
    return min(LIMIT_MB, upload_limit_mb())


def data_free_modes() -> list[str]:
    """Return the quantization modes that need no data to calibrate on: an uploaded file comes without data."""
    return [name for name, mode in QUANTIZATION_MODES.items() if not mode.needs_calibration]


def __getattr__(name: str) -> tuple[str, ...]:
    if name == "DATA_FREE_MODES":  # the name that earlier versions exported
        return tuple(data_free_modes())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def submit(file: IO[bytes], filename: str, *, modes: Sequence[str] | None = None, access: Access) -> str:
    """Copy an upload out of memory and queue the run that inspects it; returns the run's id.

    Parameters
    ----------
    file : binary file
        The upload.
    filename : str
        Its name.
    modes : sequence of str, optional
        Names of ``QUANTIZATION_MODES`` that need no data to calibrate on; by default all of those.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    SettingsError
        When a mode is unknown, or needs data.
    LimitError
        When the file is larger than `limit_mb` says.
    """
    require_feature("onnx_uploads")
    data_free = data_free_modes()
    modes = data_free if modes is None else modes
    unknown = [mode for mode in modes if mode not in data_free]
    if unknown:
        raise SettingsError(
            f"An uploaded file cannot be quantized with the mode '{unknown[0]}'.", unknown_name(unknown[0], data_free)
        )
    hint = "Quantize it to 8 bits first, which takes a quarter of the space."
    name = keep_upload(file, filename, limit_mb(), hint, access=access)
    return jobs.submit(
        "onnx_upload",
        {
            "upload": name,
            "filename": filename[:200],
            "modes": [mode for mode in data_free if mode in modes],
            **shared_upload(upload_path(name)),
        },
        title=Path(filename).name[:200] or "model.onnx",
        memory_limit_mb=_MEMORY_MB,
        timeout_s=_TIMEOUT_S,
        access=access,
    )


def run(context: RunContext) -> ExportResult:
    """Inspect the file, describe it, and make its variants; it is first run when the variants are tested."""
    from core.edge import ExportRecord, ExportSource, Metadata, RowCounts, inspect_onnx, make_variants

    upload = uploaded_file(context.settings)
    made = context.workdir / "made"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    context.report(Event("inspect", 0.05, "Inspecting the file, without running it"))
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
    record = ExportRecord(
        source=ExportSource("upload", filename=context.settings["filename"], sha256=inspection.sha256),
        kind="other",  # whatever its metadata say: nothing is proven
        task=None,
        labels=None if metadata.labels is None else [str(label) for label in metadata.labels],
        target=metadata.target,
        fingerprint=None,
        policy=None,
        rows=RowCounts(0, 0),
        model=None,
        variants=variants,
        metric=None,
    )
    exports.keep(context, made, record)
    return {"kind": "other", "variants": [variant.name for variant in record.made], "source": None}

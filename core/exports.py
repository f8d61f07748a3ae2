"""What an export leaves, and how it is read again: ``edge.json``, the variants' files, rows to try them on.

``edge.json``
    source {task, run, title} or {task: "upload", filename, sha256}, kind, task, labels, target, fingerprint, policy,
    rows {train, held_out}, model (``OnnxModel.to_dict``, None of an upload), variants (``Variant.to_dict``), metric.
``model.onnx``, ``model.<mode>.onnx``
    The variants.
``rows.parquet``
    Raw rows or texts (column "text") that the model did not learn from, if there are any; for measuring and bundles.
``tokenizer.json``
    Of a text model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.catalog import Run, artifacts
from core.errors import ExportError, InputError
from core.jobs import RunContext
from core.storage import get_store

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EDGE", "KINDS", "ROWS", "bundle", "keep", "read", "require", "rows", "tokenizer", "variant_path"]

_SAMPLE_ROWS = 20
EDGE, ROWS, TOKENIZER = "edge.json", "rows.parquet", "tokenizer.json"
KINDS = ("export", "onnx_upload")
"""Tasks whose runs leave these files."""


def keep(context: RunContext, folder: Path, found: dict[str, Any]) -> None:
    """Store what an export made in a folder."""
    (folder / EDGE).write_text(json.dumps(found, allow_nan=False), encoding="utf-8")
    for path in sorted(folder.iterdir()):
        context.keep(path.name, path)


def require(run: Run) -> Run:
    """Return a run that left variants.

    Raises
    ------
    InputError
        When it is of another kind, or did not succeed.
    """
    if run.task not in KINDS or run.result is None:
        raise InputError(f"Run '{run.id}' has no exported model.", "Export a model first.")
    return run


def read(run: Run) -> dict[str, Any]:
    """Return an export's ``edge.json``."""
    return dict(json.loads(get_store().read_bytes(artifacts.get(run.id, EDGE, run.workspace).digest)))


def _path(run: Run, name: str) -> Path:
    return get_store().local_path(artifacts.get(run.id, name, run.workspace).digest)


def variant_path(run: Run, found: dict[str, Any], name: str) -> Path:
    """Return the file of a variant.

    Raises
    ------
    InputError
        When there is no such variant, or it could not be made.
    """
    files = {variant["name"]: variant["file"] for variant in found["variants"] if variant["file"]}
    if name not in files:
        raise InputError(f"There is no variant '{name}'.", f"There is {', '.join(files)}.")
    return _path(run, files[name])


def rows(run: Run) -> pd.DataFrame | None:
    """Return rows that the model did not learn from, or None where there are none."""
    if ROWS not in {item.name for item in artifacts.find(run.id, run.workspace)}:
        return None
    import pandas as pd

    return pd.read_parquet(_path(run, ROWS))


def tokenizer(run: Run) -> Path | None:
    """Return a text model's ``tokenizer.json``, or None."""
    known = {item.name for item in artifacts.find(run.id, run.workspace)}
    return _path(run, TOKENIZER) if TOKENIZER in known else None


def bundle(run: Run, variant: str, target: Path, *, licence: str) -> Path:
    """Write a variant with all that predicting with it needs into a zip; returns `target`.

    Raises
    ------
    ExportError
        When it is an upload: nothing is known of its columns, labels or tokenizer.
    InputError
        When there is no such variant.
    """
    from core.edge import OnnxModel, bundle_card, write_bundle

    found = read(require(run))
    if found["model"] is None:
        raise ExportError("A bundle is made of models that Plumbline exported.", "Download the file itself.")
    path = variant_path(run, found, variant)
    model = OnnxModel.from_dict(found["model"] | {"variant": variant, "size_bytes": path.stat().st_size}, path)
    sample = rows(run)
    assert sample is not None
    return write_bundle(
        target,
        model,
        sample=sample.head(_SAMPLE_ROWS),
        card=bundle_card(found, variant),
        licence=licence,
        tokenizer=tokenizer(run),
    )

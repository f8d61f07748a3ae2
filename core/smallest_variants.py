"""The files that a search for the smallest variant leaves, and how they are read and put into a bundle.

``smallest.json``
    The report, a `core.edge.smallest.SmallestReport`.
``model.<form>.onnx``, ``tokenizer.pruned.json``
    The variants, and the tokenizer of those with a pruned vocabulary. The model in full precision is the export's.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core import exports
from core.access import Access
from core.catalog import Run, artifacts, runs
from core.storage import get_store

if TYPE_CHECKING:
    from core.edge.smallest import SmallestReport

__all__ = ["REPORT", "bundle", "read"]

REPORT = "smallest.json"


def read(run: Run, *, access: Access) -> SmallestReport:
    """Return the report of a search for the smallest variant."""
    from core.edge.smallest import SmallestReport

    digest = artifacts.get(run.id, REPORT, access=access).digest
    return SmallestReport.from_dict(json.loads(get_store().read_bytes(digest)))


def bundle(run: Run, index: int, target: Path, *, license: str, access: Access) -> Path:
    """Write a candidate of a search, with everything that predicting with it needs, into a zip; returns `target`.

    The bundle reads as many tokens per text as the candidate, and gives the model as many threads.

    Parameters
    ----------
    run : Run
        A search that succeeded.
    index : int
        Position of the candidate in its report.
    target : Path
        The zip to write.
    license : str
        Text of the license.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    ExportError
        When the model is an upload: its columns, labels and tokenizer are unknown.
    NotFoundError
        When the export was deleted.
    """
    from core.edge import FULL_PRECISION, Metadata

    report = read(run, access=access)
    measured = report.candidates[index]
    candidate, variant = measured.candidate, report.variant(measured.candidate.variant)
    exported = runs.get(run.settings["export"], access=access)
    record = exports.read(exported, access=access)
    if variant.name == FULL_PRECISION:
        path = exports.variant_path(exported, record, FULL_PRECISION, access=access)
    else:
        path = _path(run, variant.file, access=access)
    tokenizer = exports.tokenizer(exported, access=access)
    if variant.tokenizer is not None:
        tokenizer = _path(run, variant.tokenizer, access=access)
    if candidate.length is not None and report.metric is not None and measured.value is not None:
        variant = replace(variant, metrics={report.metric: measured.value}, comparison=None)
    with tempfile.TemporaryDirectory(prefix="plumbline-") as folder:
        copy = Path(folder) / "model.onnx"
        metadata = Metadata.read(path)
        metadata = replace(
            metadata,
            max_length=candidate.length or metadata.max_length,
            threads=candidate.threads if candidate.threads > 1 else None,
        )
        metadata.write_copy(path, copy)
        record = replace(record, variants=[variant])
        return exports.write_zip(exported, record, copy, tokenizer, target, license=license, access=access)


def _path(run: Run, name: str | None, *, access: Access) -> Path:
    assert name is not None
    return get_store().local_path(artifacts.get(run.id, name, access=access).digest)

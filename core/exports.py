"""The files that an export leaves, and how they are read.

``edge.json``
    The record, a `core.edge.ExportRecord`.
``model.onnx``, ``model.<mode>.onnx``
    The variants.
``rows.parquet``
    Raw rows or texts (column "text") that the model was not trained on, if there are any; for measurements and bundles.
``original.npy``
    Answers of the model itself to the first of these rows, so that a bundle can check decisions against it.
``tokenizer.json``
    The tokenizer of a text model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import policies
from core.access import Access
from core.catalog import Run, artifacts, runs
from core.errors import ExportError, InputError, NotFoundError
from core.files import write_text
from core.jobs import RunContext
from core.jsonable import jsonable
from core.readings import training_reading
from core.storage import get_store

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from core.datasets import CellFormat
    from core.edge import ExportRecord, OnnxModel, Parity


__all__ = [
    "EDGE",
    "KINDS",
    "ORIGINAL",
    "ROWS",
    "TOKENIZER",
    "bundle",
    "keep",
    "prove_bundle",
    "read",
    "require",
    "rows",
    "tokenizer",
    "variant_path",
    "write_zip",
]

_SAMPLE_ROWS, _READ_ROWS = 20, 2_000
EDGE, ROWS, ORIGINAL, TOKENIZER = "edge.json", "rows.parquet", "original.npy", "tokenizer.json"
KINDS = ("export", "onnx_upload")
"""Tasks whose runs leave these files."""


def keep(context: RunContext, folder: Path, record: ExportRecord) -> None:
    """Store the files that an export wrote into a folder, with its record.

    Parameters
    ----------
    context : RunContext
        The run.
    folder : Path
        Folder with the variants and the other files.
    record : ExportRecord
        The record.
    """
    write_text(folder / EDGE, json.dumps(jsonable(record.to_dict()), allow_nan=False))
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


def read(run: Run, *, access: Access) -> ExportRecord:
    """Return an export's record."""
    from core.edge import ExportRecord

    return ExportRecord.from_dict(json.loads(get_store().read_bytes(artifacts.get(run.id, EDGE, access=access).digest)))


def _path(run: Run, name: str, *, access: Access) -> Path:
    return get_store().local_path(artifacts.get(run.id, name, access=access).digest)


def variant_path(run: Run, record: ExportRecord, name: str, *, access: Access) -> Path:
    """Return the file of a variant.

    Parameters
    ----------
    run : Run
        A run that left variants.
    record : ExportRecord
        Its record.
    name : str
        Name of the variant.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When there is no such variant, or it could not be made.
    """
    file = record.variant(name).file
    assert file is not None
    return _path(run, file, access=access)


def _has(run: Run, name: str, *, access: Access) -> bool:
    return name in {artifact.name for artifact in artifacts.find(run.id, access=access)}


def rows(run: Run, *, access: Access) -> pd.DataFrame | None:
    """Return rows that the model was not trained on, or None where there are none."""
    if not _has(run, ROWS, access=access):
        return None
    import pandas as pd

    return pd.read_parquet(_path(run, ROWS, access=access))


def tokenizer(run: Run, *, access: Access) -> Path | None:
    """Return a text model's ``tokenizer.json``, or None."""
    return _path(run, TOKENIZER, access=access) if _has(run, TOKENIZER, access=access) else None


def _original(run: Run, *, access: Access) -> NDArray[np.float64] | None:
    """Return the model's own answers to the first rows; None where an earlier version made the export."""
    import numpy as np

    return (
        np.load(_path(run, ORIGINAL, access=access), allow_pickle=False) if _has(run, ORIGINAL, access=access) else None
    )


def bundle(run: Run, variant: str, target: Path, *, license: str, access: Access) -> Path:
    """Write a variant, with everything that predicting with it needs, into a zip; returns `target`.

    Parameters
    ----------
    run : Run
        A run that left variants.
    variant : str
        Name of the variant.
    target : Path
        The zip to write.
    license : str
        Text of the license.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    ExportError
        When it is an upload: its columns, labels and tokenizer are unknown.
    InputError
        When there is no such variant.
    """
    record = read(require(run), access=access)
    path = variant_path(run, record, variant, access=access)
    record = replace(record, variants=[record.variant(variant)])
    return write_zip(run, record, path, tokenizer(run, access=access), target, license=license, access=access)


def write_zip(
    run: Run, record: ExportRecord, path: Path, tokens: Path | None, target: Path, *, license: str, access: Access
) -> Path:
    """Write a file of an export's model, with everything that predicting with it needs, into a zip; returns `target`.

    Parameters
    ----------
    run : Run
        A run that left variants.
    record : ExportRecord
        Its record, with this variant alone.
    path : Path
        The file.
    tokens : Path or None
        The tokenizer of a text model.
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
        When this workspace has no such run.
    """
    from core.datasets import read_first_rows
    from core.edge import Metadata, OnnxModel, bundle_card, write_bundle

    run = runs.get(run.id, access=access)
    if record.model is None:
        raise ExportError("A bundle needs a model that Plumbline exported.", "Download the file itself.")
    metadata = Metadata.read(path)
    known = {"variant": metadata.variant, "size_bytes": path.stat().st_size, "max_length": metadata.max_length}
    model = OnnxModel.from_dict(record.model.to_dict() | known, path)
    sample = read_first_rows(_path(run, ROWS, access=access), _READ_ROWS).frame
    source = record.source.run if record.kind == "table" else None
    formats, steps = _reading(source, sample.columns, access=access)
    original = _original(run, access=access)
    if original is not None:
        sample = sample.head(len(original))
    sample = _with_rules(run, record, sample, access=access)
    return write_bundle(
        target,
        model,
        sample=sample,
        card=bundle_card(record, record.variants[0].name),
        license=license,
        tokenizer=tokens,
        formats=formats,
        steps=steps,
        original=None if original is None else original[sample.index],
        sample_rows=_SAMPLE_ROWS,
    )


def prove_bundle(
    model: OnnxModel,
    sample: pd.DataFrame,
    answers: NDArray[np.float64],
    *,
    source: str,
    tokenizer: Path | None,
    access: Access,
) -> Parity:
    """Prove that a bundle of a model reads and answers a file as the model does; see `core.edge.prove_bundle`.

    Parameters
    ----------
    model : OnnxModel
        The exported model.
    sample : DataFrame of n rows
        Rows that it was not trained on, if there are any.
    answers : array of shape (n, classes) or (n, 1)
        Answers of the model itself.
    source : str
        Run that trained the model.
    tokenizer : Path or None
        The ``tokenizer.json`` of a text model.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    ExportError
        When no bundle of it can be written.
    """
    from core.edge import prove_bundle

    formats, steps = _reading(source if model.kind == "table" else None, sample.columns, access=access)
    return prove_bundle(model, sample=sample, tokenizer=tokenizer, formats=formats, steps=steps, original=answers)


def _with_rules(run: Run, record: ExportRecord, sample: pd.DataFrame, *, access: Access) -> pd.DataFrame:
    """Return the rows whose group the export's policy has a rule for; all where it has none for any of them."""
    from core.models import PolicyApplier

    if record.policy is None or record.source.run is None:
        return sample
    policy = policies.kept(runs.get(record.source.run, access=access), access=access).get(record.policy)
    if policy is None:
        return sample
    known = PolicyApplier(record.policy, policy, None).has_rule(sample)
    return sample[known] if known.any() else sample


def _reading(
    source_id: str | None,
    columns: Iterable[str],
    *,
    access: Access,
) -> tuple[dict[str, CellFormat] | None, dict[str, Any] | None]:
    """Return how the model's training file had its cells, and the steps from there to the columns of the model.

    Nothing is known without its run, or when that was deleted.
    """
    from core.datasets import Replay
    from core.models import REPLAY

    if source_id is None:
        return None, None
    try:
        source = runs.get(source_id, access=access)
    except NotFoundError:
        return None, None
    formats = training_reading(source.id, source.dataset_id, access=access).formats()
    stored = next((item for item in artifacts.find(source.id, access=access) if item.name == REPLAY), None)
    if stored is None:
        return formats, None
    replay = Replay.from_dict(json.loads(get_store().read_bytes(stored.digest))).needed_for(columns)
    before = {name: item for name, item in formats.items() if name in replay.inputs}
    after = {name: item for name, item in formats.items() if name not in replay.outputs}
    return after, replay.described() | {"formats": before} if replay.outputs else None

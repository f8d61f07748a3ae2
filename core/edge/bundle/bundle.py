"""`write_bundle`: an exported model as one zip that predicts on another machine with only ONNX Runtime and NumPy."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.bundle.content import Sample, load_content, shipped_rows, write_model
from core.edge.bundle.csv_rows import csv_of, needs_quote, written_rows
from core.edge.bundle.expected import clear_rows, original_decisions, with_decisions
from core.edge.bundle.proof import prove_reading, require_reading
from core.edge.bundle.readme import readme
from core.edge.bundle.written_cells import cell_formats
from core.edge.export.onnx_model import OnnxModel
from core.edge.export.parity import Parity
from core.edge.portable.cells import CellError
from core.edge.portable.cli import predict
from core.errors import ExportError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from core.datasets import CellFormat
    from core.fairness import ThresholdPolicy

__all__ = ["prove_bundle", "write_bundle"]

_CODE = Path(__file__).resolve().parents[1] / "portable"
_LAUNCHER = '''"""Predict the rows of a file: python predict.py rows.csv predictions.csv; python predict.py --check"""

import sys
from pathlib import Path

from portable.cli import main

sys.exit(main(sys.argv[1:], Path(__file__).resolve().parent))
'''


def write_bundle(
    target: str | Path,
    model: OnnxModel,
    *,
    sample: Sample,
    card: str,
    license: str,
    tokenizer: str | Path | None = None,
    policy: ThresholdPolicy | None = None,
    formats: Mapping[str, CellFormat] | None = None,
    steps: Mapping[str, Any] | None = None,
    original: NDArray[np.float64] | None = None,
    sample_rows: int | None = None,
) -> Path:
    """Write a model, and everything that predicting with it needs, into a zip.

    Parameters
    ----------
    target : path
        The zip to write. It holds ``model.onnx``, ``predict.py`` and the code it calls, ``requirements.txt`` with exact
        versions, ``sample_input.csv``, ``expected_output.csv``, ``model_card.md``, ``LICENSE`` and ``README.md``.
    model : OnnxModel
        The model, as `export_onnx` or `quantize` returned it.
    sample : DataFrame or sequence of str
        Raw rows with the columns of the model and of its policy; texts, or a frame with the column "text". All of them
        prove that the bundle reads and answers a file as the model does, see `prove_bundle`.
    card : str
        The model card, in Markdown.
    license : str
        The license of the bundle.
    tokenizer : path, optional
        The ``tokenizer.json`` of a text model.
    policy : ThresholdPolicy, optional
        Policy that takes the place of the one in the bundle's model. Its scores are the probabilities of the label
        ``policy.settings["positive"]``, by default the model's last.
    formats : mapping of str to CellFormat, optional
        Format in which the training file had the cells of each column, by `core.datasets.cell_format`. By default
        numbers have a decimal point, and dates are ISO 8601.
    steps : mapping, optional
        Steps between the training file and the table that the model was trained on.
    original : array of shape (n, classes) or (n, 1), optional
        Probabilities, or numbers, with which the model that the file was made from answers to the sample; by default
        `model` is asked where it knows. The bundle's check compares with the decisions on them.
    sample_rows : int, optional
        Number of rows of the sample that the bundle ships; all by default.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    ExportError
        When Plumbline did not export the file, a text model has no tokenizer, the bundle's code cannot read a column
        as training did or run a step, the sample cannot be predicted (a column is missing, or a group has no rule), or
        the bundle answers or decides unlike the model on a row of the sample.
    InputError
        When the file is not an ONNX model at all.

    See Also
    --------
    prove_bundle : Makes the proof alone.
    """
    content = load_content(model, sample, policy=policy, formats=formats, steps=steps, original=original)
    metadata = content.metadata
    rows, outputs = shipped_rows(content)
    decisions = None
    if outputs is not None and not rows.map(needs_quote).any(axis=None):
        clear = clear_rows(metadata, rows, outputs)
        rows, outputs = rows[clear].head(sample_rows or len(rows)), outputs[clear][: sample_rows or len(rows)]
        decisions = original_decisions(metadata, rows, outputs)
    rows = rows.head(sample_rows or len(rows))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        packages = write_model(folder, content, tokenizer)
        lines, held = written_rows(rows, cell_formats(metadata), shipped=True)
        if not held.any():
            raise ExportError("No row of the sample can be written as in the training file.", "Give other rows.")
        decisions = None if decisions is None else decisions[held]
        names = [str(name) for name in rows.columns]
        (folder / "sample_input.csv").write_text(csv_of(names, lines, shipped=True), encoding="utf-8", newline="")
        expected = io.StringIO(newline="")
        try:
            predict(folder, folder / "sample_input.csv", expected)
        except CellError as error:
            raise ExportError(
                f"The sample cannot be predicted: {error}", "Give rows with all columns and known groups."
            ) from error
        expected_output = with_decisions(expected.getvalue(), decisions, metadata.variant)
        proof = prove_reading(folder, metadata, content.rows, content.outputs)
        require_reading(proof)
        texts = {
            "expected_output.csv": expected_output,
            "predict.py": _LAUNCHER,
            "requirements.txt": "".join(f"{name}=={version(name)}\n" for name in packages),
            "model_card.md": card,
            "LICENSE": license,
            "README.md": readme(model, metadata, packages, proof, compares_decisions=decisions is not None),
        }
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
        return _zip(folder, Path(target))


def prove_bundle(
    model: OnnxModel,
    *,
    sample: Sample,
    tokenizer: str | Path | None = None,
    policy: ThresholdPolicy | None = None,
    formats: Mapping[str, CellFormat] | None = None,
    steps: Mapping[str, Any] | None = None,
    original: NDArray[np.float64] | None = None,
) -> Parity:
    """Prove that a bundle would read a file of the sample, and answer and decide on it, as the model does.

    Parameters
    ----------
    model, sample
        Model and rows, as for `write_bundle`.
    tokenizer, policy, formats, steps, original : optional
        Options, as for `write_bundle`.

    Returns
    -------
    Parity
        Number of rows that were compared, and what differs.

    Raises
    ------
    ExportError
        When no bundle can be written, or a cell is not read as in training.
    """
    content = load_content(model, sample, policy=policy, formats=formats, steps=steps, original=original)
    with tempfile.TemporaryDirectory() as scratch:
        write_model(Path(scratch), content, tokenizer)
        return prove_reading(Path(scratch), content.metadata, content.rows, content.outputs)


def _zip(folder: Path, target: Path) -> Path:
    """Write the files under fixed dates, so that the same bundle has the same content."""
    sources = {path.name: path for path in folder.iterdir()}
    sources |= {f"portable/{path.name}": path for path in _CODE.glob("*.py")}
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in sorted(sources.items()):
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED)
    return target

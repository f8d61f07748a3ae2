"""`export_onnx`: a model as an ONNX file, kept only when it answers as the model does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from core.edge.export.onnx_model import OnnxModel

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.pipeline import Pipeline

    from core.fairness import ThresholdPolicy

__all__ = ["export_onnx"]

Rows: TypeAlias = Union["pd.DataFrame", Sequence[str], Sequence[tuple[str, str]]]


def export_onnx(
    model_or_dir: Pipeline | str | Path,
    path: str | Path,
    *,
    train: Rows,
    held_out: Rows,
    max_length: int | None = None,
    fingerprint: str | None = None,
    policy: ThresholdPolicy | None = None,
    target: str | None = None,
) -> OnnxModel:
    """Export a model and prove that the file answers as it does.

    Parameters
    ----------
    model_or_dir : Pipeline or path
        ``AutoMLResult.model``; a folder with its ``model.skops`` and ``result.json``; or the folder of a text model,
        with ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
    path : path
        The file to write; it appears only when it has been proven equal.
    train, held_out : DataFrame or sequence of str or of (str, str)
        Rows to compare on, those of the training and others: raw frames (at most 20,000 rows of each are used, evenly
        spaced), or texts or pairs of them (200). For a table, rows made up from `train` are compared, too (part
        "edge_cases").
    max_length : int, optional
        Tokens per text that the model reads; by default as many as it can, 512 at most.
    fingerprint, target : str, optional
        Fingerprint of the table that it was trained on, and its target; a saved result knows both.
    policy : ThresholdPolicy, optional
        The threshold policy of the model. It is stored in the file, and readers of the file apply it.

    Returns
    -------
    OnnxModel
        For a table, the graph takes one input per raw column and answers with ``label`` (int64 for whole-number labels,
        otherwise text; booleans are "True" and "False") and ``probabilities`` (n, classes), or ``prediction`` (n, 1).
        For texts, it takes tokens and answers with ``logits``.

    Raises
    ------
    ExportError
        When the model cannot be exported, or a row is answered differently: by more than 1e-3 (for a number: of the
        target's spread; for a text's logit 1e-4), or with another label where the two are not a tie.

    See Also
    --------
    quantize : Writes a smaller variant of the file.
    inspect_onnx : Inspects a file that a user uploaded.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> from core.features._encoder import TableEncoder
    >>> from core.automl._model import make_model
    >>> from sklearn.linear_model import Ridge
    >>> frame = pd.DataFrame({"size": [1.0, 2.0, None, 4.0], "town": ["a", "b", "a", "b"]})
    >>> encoder = TableEncoder().fit(frame)
    >>> model = make_model(encoder, Ridge().fit(encoder.transform(frame), [1.0, 2.0, 3.0, 4.0]), None)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     exported = export_onnx(model, f"{folder}/model.onnx", train=frame, held_out=frame)
    >>> exported.inputs, exported.parity["held_out"]["rows_over"]
    (('size', 'town'), 0)
    """
    target_path = Path(path)
    policy_record = None if policy is None else policy.to_dict()
    if isinstance(model_or_dir, str | Path) and not (Path(model_or_dir) / "model.skops").is_file():
        from core.edge.export.export_text import export_text

        return export_text(
            Path(model_or_dir),
            target_path,
            train,
            held_out,
            max_length=max_length,
            fingerprint=fingerprint,
            policy=policy_record,
            target=target,
        )
    from core.edge.export.export_table import export_table

    model = model_or_dir
    if isinstance(model_or_dir, str | Path):
        from core.automl import load_model

        model = load_model(Path(model_or_dir) / "model.skops")
        stored = Path(model_or_dir) / "result.json"
        result = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
        fingerprint = fingerprint or result.get("fingerprint")
        target = target or result.get("settings", {}).get("target")
    return export_table(
        model, target_path, train, held_out, fingerprint=fingerprint, policy=policy_record, target=target
    )

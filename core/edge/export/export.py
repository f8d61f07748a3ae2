"""A model as an ONNX file, kept only when it answers as the model does, on rows it was trained on and on others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.edge.export.onnx_model import OnnxModel

if TYPE_CHECKING:
    from core.fairness import ThresholdPolicy

__all__ = ["export_onnx"]


def export_onnx(
    model_or_dir: Any,
    path: str | Path,
    *,
    train: Any,
    held_out: Any,
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
        The file to write; it appears only when it was found equal.
    train, held_out : DataFrame or sequence of str
        Rows to compare on, those of the training and others: raw frames (at most 20,000 rows of each are used, evenly
        spaced) or texts (200). Of a table, rows made up from `train` are compared too (part "edge_cases").
    max_length : int, optional
        Tokens that are read of a text; by default as many as the model takes, 512 at most.
    fingerprint, target : str, optional
        Of the table it was trained on, and its target; a saved result knows both.
    policy : ThresholdPolicy, optional
        The rule of decision that goes with the model. It is kept in the file, and applied by what reads it.

    Returns
    -------
    OnnxModel
        Of a table, the graph takes one input a raw column and answers with ``label`` (int64 of whole-numbered labels,
        otherwise text; booleans are "True" and "False") and ``probabilities`` (n, classes), or ``prediction`` (n, 1).
        Of texts, it takes tokens and answers with ``logits``.

    Raises
    ------
    ExportError
        When the model cannot be exported, or a row is answered differently: by more than 1e-3 (of a number: of the
        target's spread; of a text's logit 1e-4), or with another label where the two are no tie.

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
    ...     found = export_onnx(model, f"{folder}/model.onnx", train=frame, held_out=frame)
    >>> found.inputs, found.parity["held_out"]["rows_over"]
    (('size', 'town'), 0)
    """
    target_path = Path(path)
    rule = None if policy is None else policy.to_dict()
    if isinstance(model_or_dir, str | Path) and not (Path(model_or_dir) / "model.skops").is_file():
        from core.edge.export.export_text import export_text

        return export_text(
            Path(model_or_dir),
            target_path,
            train,
            held_out,
            max_length=max_length,
            fingerprint=fingerprint,
            policy=rule,
            target=target,
        )
    from core.edge.export.export_table import export_table

    model = model_or_dir
    if isinstance(model_or_dir, str | Path):
        from core.automl import load_model

        model = load_model(Path(model_or_dir) / "model.skops")
        stored = Path(model_or_dir) / "result.json"
        known = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
        fingerprint = fingerprint or known.get("fingerprint")
        target = target or known.get("settings", {}).get("target")
    return export_table(model, target_path, train, held_out, fingerprint=fingerprint, policy=rule, target=target)

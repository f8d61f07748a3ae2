"""A model as an ONNX file, kept only when it answers as the model does, on rows it was trained on and on others."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.edge._onnx_model import OnnxModel
from core.edge._text_scorer import TextScorer
from core.errors import ExportError

__all__ = ["TOLERANCE", "export_onnx"]

TOLERANCE = 1e-4
"""Largest difference of an output (a logit, or a number in units of its spread) that counts as equal."""
_OPSET = 18
_ROWS = 200


def export_onnx(
    model_or_dir: str | Path,
    path: str | Path,
    *,
    train: Sequence[str],
    held_out: Sequence[str],
    max_length: int | None = None,
) -> OnnxModel:
    """Export a text model and prove that the file answers as it does.

    Parameters
    ----------
    model_or_dir : path
        A folder with ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
    path : path
        The file to write; it appears only when it was found equal.
    train, held_out : sequence of str
        Texts to compare on, those of the training and others; at most 200 of each are used.
    max_length : int, optional
        Tokens that are read of a text; as many as the model takes by default.

    Returns
    -------
    OnnxModel

    Raises
    ------
    ExportError
        When the folder is no such model, an operator cannot be exported, or an answer differs.
    """
    folder, target = Path(model_or_dir), Path(path)
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ExportError(f"The model's folder has no {name}.", "Give the folder that a fine-tuning run left.")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    partial = target.with_name(f".{target.name}.partial")
    try:
        module, tokenizer, names = _load(folder)
        _write(module, tokenizer, names, partial)
        number = config.get("problem_type") == "regression" or len(config.get("id2label", {})) == 1
        labels = None if number else tuple(config["id2label"][str(i)] for i in range(len(config["id2label"])))
        limit = int(getattr(tokenizer, "model_max_length", 0) or 512)
        limit = min(limit, int(config.get("max_position_embeddings", 512)), max_length or 512)
        scorer = TextScorer(partial, folder / "tokenizer.json", labels, limit)
        parity = {
            part: _compare(module, tokenizer, names, scorer, list(texts)[:_ROWS], limit)
            for part, texts in (("train", train), ("held_out", held_out))
        }
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return OnnxModel(target, "text", labels, tuple(names), _OPSET, limit, parity, target.stat().st_size)


def _load(folder: Path) -> tuple[Any, Any, list[str]]:
    """Return a module of plain tensors, its tokenizer, and the names of its inputs."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, dtype=torch.float32, use_safetensors=True
    ).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    names = list(tokenizer(["a"], return_tensors="pt").keys())

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: Any) -> Any:
            return self.model(**dict(zip(names, tensors, strict=True))).logits

    return Logits().eval(), tokenizer, names


def _write(module: Any, tokenizer: Any, names: list[str], path: Path) -> None:
    import torch

    example = tokenizer(["a short text", "another text that is a little longer"], padding=True, return_tensors="pt")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the exporter, about packages and names that are not used
            torch.onnx.export(
                module,
                tuple(example[name] for name in names),
                str(path),
                input_names=names,
                output_names=["logits"],
                dynamic_shapes={"tensors": tuple({0: "batch", 1: "length"} for _ in names)},
                opset_version=_OPSET,
                external_data=False,
                dynamo=True,
                verbose=False,
            )
    except (RuntimeError, ValueError, TypeError, torch.onnx.errors.OnnxExporterError) as error:
        first = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise ExportError(f"The model cannot be exported: {first}.", "Use it as safetensors.") from error


def _compare(
    module: Any, tokenizer: Any, names: list[str], scorer: TextScorer, texts: list[str], limit: int
) -> dict[str, float]:
    """Return how far the file's outputs are from the model's.

    Raises
    ------
    ExportError
        When one is further than `TOLERANCE`, or a label differs.
    """
    if not texts:
        raise ExportError("There is no text to compare on.", "Give texts of the training and others.")
    ours = scorer.outputs(texts)
    theirs = _outputs(module, tokenizer, names, texts, limit)
    gap = float(np.abs(ours - theirs).max())
    scale = max(1.0, float(np.abs(theirs).max())) if theirs.shape[1] == 1 else 1.0
    differ = int(np.count_nonzero(ours.argmax(axis=1) != theirs.argmax(axis=1)))
    if gap > TOLERANCE * scale or differ:
        raise ExportError(
            f"The exported file answers differently: by up to {gap:.2g}, with another label for {differ} of "
            f"{len(texts)} texts.",
            "It was not kept. Use the model as safetensors, and report this.",
        )
    return {"rows": len(texts), "largest_difference": gap, "other_labels": differ}


def _outputs(module: Any, tokenizer: Any, names: list[str], texts: list[str], limit: int) -> NDArray[np.float32]:
    import torch

    found = []
    with torch.inference_mode():
        for begin in range(0, len(texts), 16):
            encoded = tokenizer(
                texts[begin : begin + 16], padding=True, truncation=True, max_length=limit, return_tensors="pt"
            )
            found.append(module(*(encoded[name] for name in names)).numpy())
    return np.concatenate(found)

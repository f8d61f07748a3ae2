"""A text model's folder as one ONNX file of its logits."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.edge.export.metadata import Metadata
from core.edge.export.onnx_model import OnnxModel
from core.edge.export.parity import Answers, Parity, compare, refuse, sample
from core.edge.export.partial import written_whole
from core.edge.scoring.text_scorer import TextScorer
from core.errors import ExportError

__all__ = ["TOLERANCE", "export_text"]

TOLERANCE = 1e-4
"""Largest difference of an output (a logit, or a number in units of its size) that counts as equal."""
_OPSET = 20  # the first with Gelu as one operator, which is faster than its five parts
_MOST_TOKENS = 512
_ROWS = 200


def export_text(
    folder: Path,
    path: Path,
    train: Sequence[str],
    held_out: Sequence[str],
    *,
    max_length: int | None = None,
    fingerprint: str | None = None,
    policy: Mapping[str, Any] | None = None,
    target: str | None = None,
) -> OnnxModel:
    """Export a text model and prove that the file answers as it does; `export_onnx` describes it."""
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ExportError(f"The model's folder has no {name}.", "Give the folder that a fine-tuning run left.")
    module, tokenizer, names = _load(folder)
    config = module.model.config
    number = config.problem_type == "regression" or config.num_labels == 1
    labels = None if number else tuple(config.id2label[place] for place in range(config.num_labels))
    limit = min(max_length or _MOST_TOKENS, tokenizer.model_max_length, _positions(module.model))
    metadata = Metadata(
        kind="text",
        task="regression" if labels is None else "binary" if len(labels) == 2 else "multiclass",
        labels=labels,
        max_length=limit,
        fingerprint=fingerprint,
        policy=None if policy is None else dict(policy),
        target=target,
    )
    with written_whole(path) as partial:
        _write(module, tokenizer, names, partial)
        _describe(partial, metadata)
        scorer = TextScorer(partial, folder / "tokenizer.json", labels, limit)
        parity = {
            part: _compare(module, tokenizer, names, scorer, list(texts), limit)
            for part, texts in (("train", train), ("held_out", held_out))
        }
        refuse(parity)
    return OnnxModel(
        path=path,
        kind="text",
        labels=labels,
        inputs=tuple(names),
        opset=_OPSET,
        max_length=limit,
        parity={part: found.to_dict() for part, found in parity.items()},
        size_bytes=path.stat().st_size,
    )


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


def _positions(model: Any) -> int:
    """Return how many tokens a model has positions for; some families begin to count after the padding token's id."""
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    most = int(getattr(model.config, "max_position_embeddings", _MOST_TOKENS))
    return most if padding is None else most - padding - 1


def _write(module: Any, tokenizer: Any, names: list[str], path: Path) -> None:
    import torch

    example = tokenizer(["a short text", "another text that is a little longer"], padding=True, return_tensors="pt")
    attention = module.model.config._attn_implementation
    # Written out, attention is two products and a softmax; torch's fused one is exported with its checks for rows that
    # see nothing, which cost a tenth of the time. Parity is with the model as it was loaded.
    module.model.set_attn_implementation("eager")
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
    finally:
        module.model.set_attn_implementation(attention)


def _describe(path: Path, metadata: Metadata) -> None:
    """Put the metadata into the file that the exporter wrote."""
    import onnx

    model = onnx.load(str(path))
    metadata.write(model)
    path.write_bytes(model.SerializeToString())


def _compare(module: Any, tokenizer: Any, names: list[str], scorer: TextScorer, texts: list[str], limit: int) -> Parity:
    if not texts:
        raise ExportError("There is no text to compare on.", "Give texts of the training and others.")
    places = sample(len(texts), _ROWS).tolist()
    chosen = [texts[place] for place in places]
    ours = _outputs(module, tokenizer, names, chosen, limit).astype(np.float64)
    theirs = scorer.outputs(chosen).astype(np.float64)
    options: dict[str, Any] = {"rows": places, "rows_given": len(texts), "tolerance": TOLERANCE}
    if scorer.labels is None:
        return compare(Answers(ours), Answers(theirs), unit=max(1.0, float(np.abs(ours).max())), **options)
    return compare(
        Answers(ours, ours.argmax(axis=1)), Answers(theirs, theirs.argmax(axis=1)), labels=scorer.labels, **options
    )


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

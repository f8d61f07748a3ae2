"""A text model's folder as one ONNX file of its logits."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.edge.export.metadata import Metadata
from core.edge.export.onnx_model import OnnxModel
from core.edge.export.parity import Answers, Parity, compare, require_parity, sample
from core.edge.scoring.text_scorer import TextScorer
from core.errors import ExportError
from core.files import atomic_write

if TYPE_CHECKING:
    import torch
    from pydantic import JsonValue
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from core.finetune import TargetKind, Text

__all__ = ["TOLERANCE", "export_text", "load_trained", "write_onnx"]

TOLERANCE = 1e-4
"""Largest difference of an output (a logit, or a number in units of its size) that counts as equal."""
_OPSET = 20  # the first with Gelu as one operator, which is faster than its five parts
_MAX_TOKENS = 512
_ROWS = 200


def export_text(
    folder: Path,
    path: Path,
    train: Sequence[Text],
    held_out: Sequence[Text],
    *,
    max_length: int | None = None,
    fingerprint: str | None = None,
    policy: Mapping[str, JsonValue] | None = None,
    target: str | None = None,
) -> OnnxModel:
    """Export a text model and prove that the file answers as it does; see `export_onnx`."""
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        if not (folder / name).is_file():
            raise ExportError(f"The model's folder has no {name}.", "Give the folder that a fine-tuning run left.")
    from core.finetune import max_tokens, reads_padding

    model = load_trained(folder)
    config, kind = model.model.config, model.kind.name
    labels = None if kind == "regression" else tuple(config.id2label[code] for code in range(config.num_labels))
    limit = min(max_length or _MAX_TOKENS, max_tokens(model.tokenizer, model.model))
    if reads_padding(model.model, model.tokenizer, [*train, *held_out] or ["a", "b"], limit):
        raise ExportError(
            f"The answers of a '{config.model_type}' model depend on the texts that are scored together.",
            "Use it as safetensors, or train a family that ignores padding, such as BERT.",
        )
    metadata = Metadata(
        kind="text",
        task=("binary" if config.num_labels == 2 else "multiclass") if kind == "classification" else kind,
        labels=labels,
        max_length=limit,
        fingerprint=fingerprint,
        policy=None if policy is None else dict(policy),
        target=target,
        pairs=any(not isinstance(text, str) for text in train) or None,
    )
    with atomic_write(path) as partial:
        write_onnx(model, partial)
        _write_metadata(partial, metadata)
        scorer = TextScorer(partial, folder / "tokenizer.json", labels, limit)
        parity = {
            part: _compare(model, scorer, list(texts), limit)
            for part, texts in (("train", train), ("held_out", held_out))
        }
        require_parity(parity)
    return OnnxModel(
        path=path,
        kind="text",
        labels=labels,
        inputs=tuple(model.inputs),
        opset=_OPSET,
        max_length=limit,
        parity={part: result.to_dict() for part, result in parity.items()},
        size_bytes=path.stat().st_size,
        original=lambda texts: _original_outputs(model, list(texts), limit),
    )


@dataclass(frozen=True)
class _TextModel:
    """A text model, the module of plain tensors that is exported, its tokenizer, and the names of its inputs."""

    model: PreTrainedModel
    module: torch.nn.Module
    tokenizer: PreTrainedTokenizerBase
    inputs: list[str]

    @property
    def kind(self) -> TargetKind:
        """The kind of target."""
        from core.finetune import kind_of_config

        return kind_of_config(self.model.config)


def load_trained(folder: Path) -> _TextModel:
    from core.edge.export.text_logits import logits_module
    from core.finetune import load_text_model

    model, tokenizer = load_text_model(folder)
    model = model.cpu()
    names = list(tokenizer(["a"], return_tensors="pt").keys())
    return _TextModel(model, logits_module(model, names), tokenizer, names)


def write_onnx(model: _TextModel, path: Path) -> None:
    import torch

    example = model.tokenizer(
        ["a short text", "another text that is a little longer"], padding=True, return_tensors="pt"
    )
    attention = model.model.config._attn_implementation
    # Written out, attention is two products and a softmax; torch's fused one is exported with its checks for rows that
    # see nothing, which cost a tenth of the time. Parity is with the model as it was loaded.
    model.model.set_attn_implementation("eager")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter warns about packages and names that are not used
            torch.onnx.export(
                model.module,
                tuple(example[name] for name in model.inputs),
                str(path),
                input_names=model.inputs,
                output_names=["logits"],
                dynamic_shapes={"tensors": tuple({0: "batch", 1: "length"} for _ in model.inputs)},
                opset_version=_OPSET,
                external_data=False,
                dynamo=True,
                verbose=False,
            )
    except (RuntimeError, ValueError, TypeError, torch.onnx.errors.OnnxExporterError) as error:
        family = model.model.config.model_type
        raise ExportError(
            f"A '{family}' model cannot be exported ({_reason(error)}).",
            "Use it as safetensors, or train another family, such as BERT.",
        ) from error
    finally:
        model.model.set_attn_implementation(attention)


def _reason(error: Exception) -> str:
    """Return what stopped torch's exporter, without its advice for programmers."""
    lines = [line for line in str(error).splitlines() if line.startswith("<class ")] or str(error).splitlines()
    first = lines[0] if lines else type(error).__name__
    return re.sub(r"^<class '[\w.]*?(\w+)'>: ", r"\1: ", first)[:200]


def _write_metadata(path: Path, metadata: Metadata) -> None:
    """Put the metadata into the file that the exporter wrote."""
    import onnx

    model = onnx.load(str(path))
    metadata.write(model)
    path.write_bytes(model.SerializeToString())


def _compare(model: _TextModel, scorer: TextScorer, texts: list[Text], limit: int) -> Parity:
    if not texts:
        raise ExportError("There is no text to compare on.", "Give texts of the training and others.")
    positions = sample(len(texts), _ROWS).tolist()
    chosen = [texts[position] for position in positions]
    ours = _outputs(model, chosen, limit).astype(np.float64)
    theirs = scorer.outputs(chosen).astype(np.float64)
    unit = max(1.0, float(np.abs(ours).max())) if scorer.labels is None else 1.0
    answers = Answers(ours), Answers(theirs)
    if model.kind.name == "classification":
        answers = Answers(ours, ours.argmax(axis=1)), Answers(theirs, theirs.argmax(axis=1))
    return compare(
        *answers, labels=scorer.labels, rows=positions, rows_given=len(texts), tolerance=TOLERANCE, unit=unit
    )


def _original_outputs(model: _TextModel, texts: list[Text], limit: int) -> NDArray[np.float64]:
    """Return probabilities, or numbers of shape (n, 1)."""
    values = model.kind.outputs(_outputs(model, texts, limit).astype(np.float64))
    return values.reshape(len(texts), -1)


def _outputs(model: _TextModel, texts: list[Text], limit: int) -> NDArray[np.float32]:
    import torch

    from core.finetune import encode_texts

    outputs = []
    # A model with a decoder takes batches only whose texts have equally many tokens that end a text.
    size = 1 if model.model.config.is_encoder_decoder else 16
    with torch.inference_mode():
        for begin in range(0, len(texts), size):
            encoded = model.tokenizer.pad(
                encode_texts(model.tokenizer, texts[begin : begin + size], limit), return_tensors="pt"
            )
            # The model as transformers runs it, not the module that is exported: that is what is proven.
            outputs.append(model.model(**{name: encoded[name] for name in model.inputs}).logits.numpy())
    return np.concatenate(outputs)

"""`prune_vocabulary`: a text model without the tokens that its training texts do not need, with its tokenizer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.edge.export.metadata import Metadata
from core.edge.inspection.graph import load
from core.edge.scoring.text_scorer import TextScorer
from core.edge.variants.forms import PRUNED
from core.edge.variants.token_ids import ReducedTokenizer, reduce_tokenizer
from core.errors import ExportError, InputError
from core.files import atomic_write, write_text

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

__all__ = ["PrunedVocabulary", "prune_vocabulary"]

_IDS = "input_ids"
_SAME_VALUES = {"Cast", "Identity"}
_MIN_SAVING = 0.05
_PROVEN_TEXTS = 64
_TOLERANCE = 1e-5
_HINT = "Choose another variant."
_FLOATS = (1, 10, 11)


@dataclass(frozen=True)
class PrunedVocabulary:
    """The result of a pruning.

    Parameters
    ----------
    kept, before : int
        Number of tokens now and before.
    texts : int
        Number of training texts on which the answers of both models were compared.
    largest_difference : float
        Largest difference of an output on these.
    """

    kept: int
    before: int
    texts: int
    largest_difference: float


def prune_vocabulary(
    path: str | Path,
    tokenizer: str | Path,
    texts: Sequence[str],
    *,
    out: str | Path,
    out_tokenizer: str | Path,
) -> PrunedVocabulary:
    """Write a text model whose table of embeddings has only the tokens that texts need, and its tokenizer.

    Kept are the tokens of the texts, all single characters and bytes, and special tokens: so any text can be tokenized
    as before, words that are left out in smaller pieces. On some of the texts both models must answer alike.

    Parameters
    ----------
    path : path
        An exported text model in 32-bit floats.
    tokenizer : path
        Path of its ``tokenizer.json``.
    texts : sequence of str
        Texts that it was trained on.
    out, out_tokenizer : path
        The files to write.

    Returns
    -------
    PrunedVocabulary

    Raises
    ------
    ExportError
        When the model or its tokenizer cannot be pruned safely, or nothing would be saved.
    """
    if not texts:
        raise ExportError("There are no training texts that say which tokens are needed.", _HINT)
    model = load(Path(path))
    metadata = Metadata.read(model)
    config = _read(tokenizer)
    reduced = reduce_tokenizer(config, _used(tokenizer, texts))
    table, compared = _table(model)
    rows = int(table.dims[0])
    if max(reduced.old_ids) >= rows:
        raise ExportError(f"Its table of embeddings has {rows:,} rows, fewer than its tokenizer has tokens.", _HINT)
    if len(reduced.old_ids) > (1 - _MIN_SAVING) * rows:
        raise ExportError(f"The training texts use nearly all of the {rows:,} tokens of its vocabulary.", _HINT)
    if compared and reduced.moved_special:
        raise ExportError(
            f"Its graph compares tokens with fixed ids, and '{reduced.moved_special[0]}' would have another one.", _HINT
        )
    _cut(model, table, reduced)
    replace(metadata, variant=PRUNED).write(model)
    with atomic_write(Path(out)) as partial, atomic_write(Path(out_tokenizer)) as partial_tokenizer:
        partial.write_bytes(model.SerializeToString())
        write_text(partial_tokenizer, json.dumps(reduced.config, ensure_ascii=False))
        _check_ids(partial_tokenizer, config, reduced)
        count, difference = _prove(Path(path), Path(tokenizer), partial, partial_tokenizer, texts, metadata)
    return PrunedVocabulary(len(reduced.old_ids), rows, count, difference)


def _read(tokenizer: str | Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads(Path(tokenizer).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"The tokenizer cannot be read: {error}.", "Give the model's tokenizer.json.") from error
    return config


def _used(tokenizer: str | Path, texts: Sequence[str]) -> set[int]:
    """Return the ids of the tokens of texts."""
    from tokenizers import Tokenizer

    reader = Tokenizer.from_file(str(tokenizer))
    reader.no_truncation()
    reader.no_padding()
    used: set[int] = set()
    for begin in range(0, len(texts), 1_000):
        for encoding in reader.encode_batch(list(texts[begin : begin + 1_000])):
            used.update(encoding.ids)
    return used


def _table(model: ModelProto) -> tuple[Any, bool]:
    """Return the tensor of the embeddings, and whether the graph does more with ids than to look them up.

    Raises
    ------
    ExportError
        When it is not one tensor that is used for nothing else.
    """
    graph = model.graph
    if _IDS not in {value.name for value in graph.input}:
        raise ExportError(f"The model has no input '{_IDS}'.", _HINT)
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    ids, lookups, compared = {_IDS}, [], False
    for node in graph.node:
        if not ids & set(node.input):
            continue
        if node.op_type in _SAME_VALUES:
            ids.update(node.output)
        elif _looks_up(node, ids) and node.input[0] in tensors:
            lookups.append(node.input[0])
        elif node.op_type != "Shape":
            compared = True
    uses = sum(list(node.input).count(name) for name in set(lookups) for node in graph.node)
    if len(lookups) != 1 or uses != 1 or tensors[lookups[0]].data_type not in _FLOATS:
        raise ExportError("Its embeddings are not one table that is used only once.", _HINT)
    return tensors[lookups[0]], compared


def _looks_up(node: NodeProto, ids: set[str]) -> bool:
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    return node.op_type == "Gather" and axis == 0 and node.input[1] in ids


def _cut(model: ModelProto, table: Any, reduced: ReducedTokenizer) -> None:
    """Leave in a tensor the rows of the tokens that are kept, in their new order, and drop the shape that it had."""
    from onnx import numpy_helper

    for values in (model.graph.value_info, model.graph.input):
        for value in [value for value in values if value.name == table.name]:
            values.remove(value)

    rows = numpy_helper.to_array(table)[list(reduced.old_ids)]
    table.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(rows), table.name))


def _check_ids(path: Path, config: dict[str, Any], reduced: ReducedTokenizer) -> None:
    """Check that the library reads each kept token with its new id."""
    from tokenizers import Tokenizer

    before, after = Tokenizer.from_str(json.dumps(config)), Tokenizer.from_file(str(path))
    wrong = [
        number
        for number, old in enumerate(reduced.old_ids)
        if (token := before.id_to_token(old)) is None or after.token_to_id(token) != number
    ]
    if wrong or after.get_vocab_size(with_added_tokens=True) != len(reduced.old_ids):
        raise ExportError("Its tokens cannot be numbered anew.", _HINT)


def _prove(
    path: Path, tokenizer: Path, out: Path, out_tokenizer: Path, texts: Sequence[str], metadata: Metadata
) -> tuple[int, float]:
    """Compare the answers on training texts, whose tokens are all kept; return their number and the difference."""
    step = max(1, len(texts) // _PROVEN_TEXTS)
    some = list(texts[::step][:_PROVEN_TEXTS])
    before, after = (
        TextScorer(model, own, metadata.labels, metadata.max_length).outputs(some)
        for model, own in ((path, tokenizer), (out, out_tokenizer))
    )
    difference = float(np.abs(before.astype(np.float64) - after.astype(np.float64)).max())
    if not difference <= _TOLERANCE * max(1.0, float(np.abs(before).max())):
        raise ExportError(
            f"With fewer tokens it answers otherwise, by up to {difference:.2g}, on texts whose tokens are all kept.",
            _HINT,
        )
    return len(some), difference

"""A ``tokenizer.json`` with fewer tokens, numbered anew; every text can still be tokenized, from single characters."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.errors import ExportError

__all__ = ["ReducedTokenizer", "reduce_tokenizer"]

Json = dict[str, Any]
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")
_HINT = "Choose another variant."


@dataclass(frozen=True)
class ReducedTokenizer:
    """A tokenizer with fewer tokens.

    Parameters
    ----------
    config : dict
        Content of its ``tokenizer.json``.
    old_ids : tuple of int
        Id that each token had before, by its id now.
    moved_special : tuple of str
        Special tokens whose id is another one now.
    """

    config: Json
    old_ids: tuple[int, ...]
    moved_special: tuple[str, ...]


def reduce_tokenizer(tokenizer: Mapping[str, Any], used: Collection[int]) -> ReducedTokenizer:
    """Keep the tokens that texts use, single characters and bytes, and special tokens.

    A text whose tokens are all kept is tokenized as before. Another one is tokenized into smaller tokens.

    Parameters
    ----------
    tokenizer : mapping
        Content of a ``tokenizer.json``.
    used : collection of int
        Ids of the tokens that texts use.

    Returns
    -------
    ReducedTokenizer

    Raises
    ------
    ExportError
        When the type of the tokenizer is not one that can spell words with single characters.

    Examples
    --------
    >>> vocab = {"[UNK]": 0, "good": 1, "film": 2, "a": 3, "##a": 4}
    >>> config = {"model": {"type": "WordPiece", "vocab": vocab, "unk_token": "[UNK]"}, "added_tokens": []}
    >>> reduced = reduce_tokenizer(config, [2])
    >>> reduced.config["model"]["vocab"], reduced.old_ids
    ({'[UNK]': 0, 'film': 1, 'a': 2, '##a': 3}, (0, 2, 3, 4))
    """
    config: Json = copy.deepcopy(dict(tokenizer))
    model = config["model"]
    type_ = _TYPES.get(_type(model))
    if type_ is None:
        raise ExportError(
            f"Its tokenizer is of the type {_type(model) or 'that is not named'}, which cannot spell a word that is "
            "left out of its vocabulary.",
            _HINT,
        )
    tokens = type_.tokens(model)
    added = {str(token["content"]): int(token["id"]) for token in config.get("added_tokens") or []}
    special = set(added) | {token for token in (_unknown(model, tokens),) if token is not None}
    needed = {
        token
        for token, number in tokens.items()
        if number in used or token in special or _BYTE.fullmatch(token) or type_.is_single(token, model)
    }
    if type_.complete is not None:
        type_.complete(model, needed)
    ids = _number([token for token in tokens if token in needed], tokens, special)
    outside = sorted((token for token in added if token not in tokens), key=added.__getitem__)
    ids |= {token: len(ids) + position for position, token in enumerate(outside)}  # as `tokenizers` numbers them
    all_ids = tokens | added
    type_.write(model, ids, tokens)
    new_ids = {all_ids[token]: number for token, number in ids.items()}
    for token in config.get("added_tokens") or []:
        token["id"] = ids[str(token["content"])]
    _renumber(config, new_ids)
    return ReducedTokenizer(
        config,
        tuple(all_ids[token] for token in sorted(ids, key=ids.__getitem__)),
        tuple(token for token in sorted(special) if ids[token] != all_ids[token]),
    )


def _type(model: Json) -> str:
    """Return the type of a tokenizer's model; older files do not name it, and have merges or not."""
    if model.get("type"):
        return str(model["type"])
    return "BPE" if "merges" in model else "Unigram" if isinstance(model.get("vocab"), list) else ""


def _unknown(model: Json, tokens: Mapping[str, int]) -> str | None:
    if _type(model) == "Unigram":
        return None if model.get("unk_id") is None else str(model["vocab"][model["unk_id"]][0])
    token = model.get("unk_token")
    return token if token in tokens else None


def _number(kept: Sequence[str], tokens: Mapping[str, int], special: Collection[str]) -> dict[str, int]:
    """Number tokens from 0 in their order; special ones keep their number where it is small enough.

    A graph may compare ids with that of the padding, for example.
    """
    fixed = {token: tokens[token] for token in kept if token in special and tokens[token] < len(kept)}
    free = iter(sorted(set(range(len(kept))) - set(fixed.values())))
    others = sorted((token for token in kept if token not in fixed), key=tokens.__getitem__)
    ids = fixed | {token: next(free) for token in others}
    return dict(sorted(ids.items(), key=lambda item: item[1]))


def _renumber(config: Json, new_ids: Mapping[int, int]) -> None:
    """Put the new ids wherever padding and the template around a text have the old ones."""
    if config.get("padding"):
        config["padding"]["pad_id"] = new_ids[config["padding"]["pad_id"]]
    processor = config.get("post_processor") or {}
    for part in (processor, *processor.get("processors", ())):
        for side in ("sep", "cls"):
            if side in part:
                part[side] = [part[side][0], new_ids[part[side][1]]]
        for token in (part.get("special_tokens") or {}).values():
            token["ids"] = [new_ids[number] for number in token["ids"]]


@dataclass(frozen=True)
class _TokenizerType:
    """A type of tokenizer: how its tokens are read and written, and which ones spell any word."""

    tokens: Callable[[Json], dict[str, int]]
    is_single: Callable[[str, Json], bool]
    write: Callable[[Json, Mapping[str, int], Mapping[str, int]], None]
    complete: Callable[[Json, set[str]], None] | None = None


def _tokens_by_name(model: Json) -> dict[str, int]:
    return {str(token): int(number) for token, number in model["vocab"].items()}


def _tokens_by_position(model: Json) -> dict[str, int]:
    return {str(entry[0]): number for number, entry in enumerate(model["vocab"])}


def _is_single(token: str, model: Json) -> bool:
    """Return whether a token is one character, perhaps with the mark of a word's inside or end."""
    prefix, suffix = model.get("continuing_subword_prefix") or "", model.get("end_of_word_suffix") or ""
    if _type(model) == "WordPiece":
        prefix = prefix or "##"
    plain = token.removeprefix(prefix) if len(token) > len(prefix) else token
    return len(plain.removesuffix(suffix) if len(plain) > len(suffix) else plain) == 1


def _write_names(model: Json, ids: Mapping[str, int], tokens: Mapping[str, int]) -> None:
    model["vocab"] = {token: number for token, number in ids.items() if token in tokens}


def _write_merges(model: Json, ids: Mapping[str, int], tokens: Mapping[str, int]) -> None:
    _write_names(model, ids, tokens)
    prefix = model.get("continuing_subword_prefix") or ""
    model["merges"] = [
        merge for merge in model["merges"] if all(part in model["vocab"] for part in _merged(merge, prefix))
    ]


def _write_pieces(model: Json, ids: Mapping[str, int], tokens: Mapping[str, int]) -> None:
    scores = {str(entry[0]): entry[1] for entry in model["vocab"]}
    unknown = None if model.get("unk_id") is None else str(model["vocab"][model["unk_id"]][0])
    model["vocab"] = [[token, scores[token]] for token in ids if token in tokens]
    model["unk_id"] = None if unknown is None else ids[unknown]


def _merged(merge: str | Sequence[str], prefix: str) -> tuple[str, str, str]:
    """Return both parts of a merge, and what they become."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right, left + right.removeprefix(prefix)


def _add_parts(model: Json, needed: set[str]) -> None:
    """Add the tokens that kept ones are merged from, and what these are merged from."""
    prefix = model.get("continuing_subword_prefix") or ""
    parts: dict[str, list[str]] = {}
    for merge in model["merges"]:
        left, right, whole = _merged(merge, prefix)
        parts.setdefault(whole, []).extend((left, right))
    waiting: Iterable[str] = list(needed)
    while waiting:
        waiting = {part for token in waiting for part in parts.get(token, ())} - needed
        needed |= set(waiting)


_TYPES = {
    "WordPiece": _TokenizerType(_tokens_by_name, _is_single, _write_names),
    "BPE": _TokenizerType(_tokens_by_name, _is_single, _write_merges, _add_parts),
    "Unigram": _TokenizerType(_tokens_by_position, _is_single, _write_pieces),
}

"""An exported model and what its metadata say, ready to score."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .cells import CellError, feed
from .rules import Rules
from .session import open_session
from .wordpiece import WordPiece

__all__ = ["EdgeModel"]

_ROWS = 10_000


class EdgeModel:
    """Scores rows of cells, or texts.

    Parameters
    ----------
    folder : path
        With ``model.onnx``; for texts ``tokenizer.json`` too.

    Attributes
    ----------
    kind : str
        table or text.
    labels : list or None
        The classes in the order of the probabilities; None for a number.
    columns : list of dict
        Of a table: name, kind, input, the words that are no markers of "missing" there, and a text's vocabulary.
    rules : Rules or None
        The policy that goes with the model.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._session = open_session(self._folder / "model.onnx")
        props = self._session.get_modelmeta().custom_metadata_map

        def read(name: str) -> Any:
            return json.loads(props.get(f"plumbline.{name}", "null"))

        self.kind = props["plumbline.kind"]
        self.variant = props.get("plumbline.variant", "fp32")
        self.labels: list[Any] | None = read("labels")
        self.columns: list[dict[str, Any]] = read("columns") or []
        policy = read("policy")
        self.rules = None if policy is None else Rules(policy)
        self._tokenize = (
            None if self.kind == "table" else _tokenizer(self._folder / "tokenizer.json", read("max_length"))
        )

    @property
    def needed(self) -> list[str]:
        """Columns of a table that scoring and deciding take."""
        own = [column["name"] for column in self.columns]
        return list(dict.fromkeys([*own, *(self.rules.columns if self.rules else [])]))

    def score_rows(self, cells: Mapping[str, Sequence[str]]) -> Any:
        """Return probabilities, shape (n, classes), or numbers, shape (n, 1), of a table's columns of cells."""
        texts = [each for each in self.columns if each["kind"] == "text"]
        whole = {each["input"]: feed(each, cells[each["name"]]) for each in self.columns if each not in texts}
        output = "prediction" if self.labels is None else "probabilities"
        found = []
        for begin in range(0, len(cells[self.columns[0]["name"]]), _ROWS):
            part = slice(begin, begin + _ROWS)
            feeds = {name: values[part] for name, values in whole.items()}
            # A text becomes some hundred numbers, which all rows at once have no room for.
            feeds |= {each["input"]: feed(each, cells[each["name"]][part]) for each in texts}
            found.append(self._session.run([output], feeds)[0])
        return np.concatenate(found).astype(np.float64)

    def score_texts(self, texts: Sequence[str]) -> Any:
        """Return probabilities, shape (n, classes), or numbers, shape (n, 1), of texts.

        One at a time: nothing is padded, so a text's answer does not hang on its neighbours, quantised or not.
        """
        assert self._tokenize is not None
        names = [each.name for each in self._session.get_inputs()]
        found = []
        for text in texts:
            ids = np.array([self._tokenize(text)], dtype=np.int64)
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            found.append(self._session.run(None, {name: feeds[name] for name in names})[0][0])
        values = np.stack(found).astype(np.float64)
        if self.labels is None:
            return values
        values = np.exp(values - values.max(axis=1, keepdims=True))
        return values / values.sum(axis=1, keepdims=True)

    def selected(self, outputs: Any) -> Any:
        """Return the score that the policy decides by: the probability of its positive label, or the number."""
        if self.labels is None or self.rules is None:
            return outputs[:, 0]
        if self.rules.positive is None:
            return outputs[:, -1]
        texts = [str(label) for label in self.labels]
        if self.rules.positive not in texts:
            raise CellError(f"The policy is about the label '{self.rules.positive}', which the model does not know.")
        return outputs[:, texts.index(self.rules.positive)]


def _tokenizer(path: Path, max_length: int | None) -> Any:
    """Return what turns a text into ids: our own for BERT's kind, otherwise the package ``tokenizers``."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if WordPiece.supports(found):
        return WordPiece(found, max_length).encode
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError:
        raise CellError("This model's tokenizer needs a package: pip install -r requirements.txt") from None
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    if max_length is None:
        tokenizer.no_truncation()
    else:
        tokenizer.enable_truncation(max_length)
    return lambda text: tokenizer.encode(text).ids

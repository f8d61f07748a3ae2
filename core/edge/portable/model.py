"""An exported model with its metadata, ready to score."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import steps
from .cells import MISSING, CellError, feed, groups
from .rules import Rules
from .session import open_session
from .ties import largest
from .tokenizer import Text, load_tokenizer, require_text
from .written import category_text, read_cell

__all__ = ["EdgeModel"]

_ROWS = 10_000
_LABEL_THRESHOLD = 0.5  # probability from which on a label is named, where a row may have several


class EdgeModel:
    """Scores rows of cells, or texts.

    Parameters
    ----------
    folder : path
        Folder with ``model.onnx``; for texts also ``tokenizer.json``.

    Attributes
    ----------
    kind : {"table", "text"}
        Kind of the model.
    several : bool
        Whether a row has any number of labels.
    pairs : bool
        Whether the model reads pairs of texts.
    labels : list or None
        The classes in the order of the probabilities; None for a number.
    columns : list of dict
        Columns of a table: name, kind, input, the spellings of "missing" that are words there, and a text's vocabulary.
    rules : Rules or None
        The policy of the model.
    group_formats : dict
        Format in which the training file had the cells of columns that decisions need, by name.
    steps : dict or None
        Steps between a file and the table that the model was trained on.
    """

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._session = open_session(self._folder / "model.onnx")
        props = self._session.get_modelmeta().custom_metadata_map

        def read(name: str) -> Any:
            return json.loads(props.get(f"plumbline.{name}", "null"))

        threads: int = read("threads") or 1
        if threads > 1:
            self._session = open_session(self._folder / "model.onnx", threads=threads)
        self.kind = props["plumbline.kind"]
        self.variant = props.get("plumbline.variant", "fp32")
        self.several = props.get("plumbline.task") == "multilabel"
        self.pairs = bool(read("pairs"))
        self.labels: list[str] | list[int] | None = read("labels")
        self.columns: list[dict[str, Any]] = read("columns") or []
        self.steps: dict[str, Any] | None = read("steps")
        self.group_formats: dict[str, dict[str, Any]] = read("group_formats") or {}
        policy = read("policy")
        self.rules = None if policy is None else Rules(policy)
        self._tokenize = (
            None
            if self.kind == "table"
            else load_tokenizer(self._folder / "tokenizer.json", read("max_length"), pairs=self.pairs)
        )

    @property
    def required(self) -> list[str]:
        """Columns of a table that scoring and deciding need."""
        own = [column["name"] for column in self.columns]
        return list(dict.fromkeys([*own, *(self.rules.columns if self.rules else [])]))

    @property
    def required_before_steps(self) -> list[str]:
        """Columns that a file needs which did not go through the steps yet."""
        if self.steps is None:
            return self.required
        kept = [name for name in self.required if name not in self.steps["made"]]
        return list(dict.fromkeys([*kept, *self.steps["inputs"]]))

    def prepare(self, cells: dict[str, list[str]]) -> dict[str, list[str]]:
        """Return the columns after the steps; a step whose columns are absent is skipped.

        Raises
        ------
        CellError
            When a cell is not written as in training, or a column is absent that scoring needs.
        """
        if self.steps is None:
            return cells
        done = steps.apply(cells, self.steps)
        result = {**cells, **{name: done[name] for name in self.steps["made"] if name in done}}
        absent = [name for name in self.required if name not in result]
        if absent:
            raise CellError(f"The file has no column {', '.join(map(repr, absent[:5]))}.")
        return result

    def score_rows(self, cells: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
        """Return probabilities, shape (n, classes), or numbers, shape (n, 1), of a table's columns of cells."""
        texts = [column for column in self.columns if column["kind"] == "text"]
        others = [column for column in self.columns if column not in texts]
        whole = {column["input"]: feed(column, cells[column["name"]]) for column in others}
        output = "prediction" if self.labels is None else "probabilities"
        outputs = []
        for begin in range(0, len(cells[self.columns[0]["name"]]), _ROWS):
            part = slice(begin, begin + _ROWS)
            feeds = {name: values[part] for name, values in whole.items()}
            # A text becomes some hundred numbers, too many for all rows at once.
            feeds |= {column["input"]: feed(column, cells[column["name"]][part]) for column in texts}
            outputs.append(self._session.run([output], feeds)[0])
        return np.concatenate(outputs).astype(np.float64)

    def score_texts(self, texts: Sequence[Text]) -> NDArray[np.float64]:
        """Return probabilities, shape (n, classes), or numbers, shape (n, 1), of texts or pairs of them.

        One at a time: nothing is padded, so a text's answer does not depend on the others, quantized or not.
        """
        assert self._tokenize is not None
        names = [port.name for port in self._session.get_inputs()]
        outputs = []
        for row, text in enumerate(texts, start=1):
            tokens = self._tokenize(require_text(row, text))
            if not tokens[0]:
                raise CellError(f"Row {row}: the text {text!r:.40} has no tokens. Leave it out.")
            ids, types = (np.array([values], dtype=np.int64) for values in tokens)
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": types}
            outputs.append(self._session.run(None, {name: feeds[name] for name in names})[0][0])
        values = np.stack(outputs).astype(np.float64)
        if self.labels is None:
            return values
        if self.several:
            shares: NDArray[np.float64] = 1 / (1 + np.exp(-values))
            return shares
        exponentials: NDArray[np.float64] = np.exp(values - values.max(axis=1, keepdims=True))
        softmax: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return softmax

    def names(self, outputs: NDArray[np.float64]) -> list[Any] | None:
        """Return the label of each row, or its labels with semicolons between them; None for a number."""
        if self.labels is None:
            return None
        if self.several:
            chosen = (outputs >= _LABEL_THRESHOLD).tolist()
            return ["; ".join(str(name) for name, has in zip(self.labels, row, strict=True) if has) for row in chosen]
        return [self.labels[code] for code in largest(outputs)]

    def id_texts(self, column: str, cells: Sequence[str]) -> list[str]:
        """Return the ids of rows, as the cells of a column have them, by which decisions are drawn."""
        written = self.group_formats.get(column)
        if written is None:
            return groups(cells)
        try:
            return [category_text(read_cell(written, cell)) or MISSING for cell in cells]
        except (ValueError, OverflowError) as error:
            raise CellError(f"The column '{column}' holds an id that is not written as in training: {error}.") from None

    def policy_scores(self, outputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the scores that the policy decides by: the probability of its positive label, or the number."""
        if self.labels is None or self.rules is None:
            return outputs[:, 0]
        if self.rules.positive is None:
            return outputs[:, -1]
        texts = [str(label) for label in self.labels]
        if self.rules.positive not in texts:
            raise CellError(
                f"The policy is about the label '{self.rules.positive}', which is not a label of the model."
            )
        return outputs[:, texts.index(self.rules.positive)]

"""What travels in an ONNX file beside its graph: who it is, what its columns and labels are, which policy decides.

The keys begin with ``plumbline.``; each value is text, as ONNX asks for. A file without them is of another origin.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import InputError

if TYPE_CHECKING:
    import onnx

__all__ = ["Column", "Metadata"]

_PREFIX = "plumbline."
_TEXTS = ("kind", "task", "fingerprint", "variant", "target")


@dataclass(frozen=True)
class Column:
    """A column of the table and the input of the graph that takes it.

    Parameters
    ----------
    name : str
        Of the table's column.
    kind : str
        number, boolean, category, date or text.
    input : str
        Of the graph; shape (n, 1). Numbers and booleans float32 with NaN, categories text with "(missing)", dates
        int64 seconds since 1970 (UTC) with the smallest int64. Of texts (n, words): how often each is there, int32.
    words : tuple of str
        Spellings of "missing" that are categories of this column: "NA" among codes of countries.
    vocabulary : tuple of str
        Of a text column: the words that count, in the order of the input. A word is what ``\\w+`` finds in the text in
        lower case.
    mixed : bool
        Of a number column: in training its cells were texts, and those that are no numbers are missing.
    """

    name: str
    kind: str
    input: str
    words: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    mixed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        found: dict[str, Any] = {"name": self.name, "kind": self.kind, "input": self.input}
        lists = {"words": list(self.words), "vocabulary": list(self.vocabulary)}
        return found | {key: texts for key, texts in lists.items() if texts} | ({"mixed": True} if self.mixed else {})

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Column:
        """Read what `to_dict` wrote."""
        words, vocabulary = tuple(found.get("words", ())), tuple(found.get("vocabulary", ()))
        return cls(found["name"], found["kind"], found["input"], words, vocabulary, bool(found.get("mixed")))


@dataclass(frozen=True)
class Metadata:
    """The metadata of a model's file.

    Parameters
    ----------
    kind : str
        table or text; other for a file that Plumbline did not write.
    task : str or None
        binary, multiclass or regression.
    labels : tuple or None
        The classes in the order of the probabilities, as the target has them; None for a number.
    columns : tuple of Column
        Of a table.
    max_length : int or None
        Tokens that are read of a text.
    fingerprint : str or None
        Of the table it was trained on.
    policy : dict or None
        The rule of decision by group, as ``ThresholdPolicy.to_dict`` has it.
    variant : str
        fp32, or what quantisation made of it.
    target : str or None
        The column that is predicted.

    Examples
    --------
    >>> import onnx
    >>> model = onnx.ModelProto()
    >>> Metadata("table", task="binary", labels=("no", "yes")).write(model)
    >>> Metadata.read(model).labels, Metadata.read(onnx.ModelProto()).kind
    (('no', 'yes'), 'other')
    """

    kind: str = "other"
    task: str | None = None
    labels: tuple[Any, ...] | None = None
    columns: tuple[Column, ...] = ()
    max_length: int | None = None
    fingerprint: str | None = None
    policy: dict[str, Any] | None = None
    variant: str = "fp32"
    target: str | None = None

    @classmethod
    def read(cls, model: onnx.ModelProto | str | Path) -> Metadata:
        """Read the metadata of a model, or of a file; the weights of a file beside it are left alone.

        Raises
        ------
        InputError
            When the file is no ONNX model, or the metadata are damaged.
        """
        if isinstance(model, str | Path):
            from core.edge.inspection.graph import load

            model = load(model)
        return cls.from_props({each.key: each.value for each in model.metadata_props})

    @classmethod
    def from_props(cls, props: Mapping[str, str]) -> Metadata:
        """Read what `to_props` wrote; a session has it as ``get_modelmeta().custom_metadata_map``.

        Raises
        ------
        InputError
            When they are damaged.
        """
        found: dict[str, Any] = {
            each.name: props[_PREFIX + each.name] for each in fields(cls) if _PREFIX + each.name in props
        }
        try:
            found |= {name: json.loads(value) for name, value in found.items() if name not in _TEXTS}
            found["columns"] = tuple(Column.from_dict(each) for each in found.get("columns", ()))
            if found.get("labels") is not None:
                found["labels"] = tuple(found["labels"])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError("The metadata of the file are damaged.", "Export the model again.") from error
        return cls(**found)

    def to_props(self) -> dict[str, str]:
        """Return the keys and texts of the file; what is not known is left out, but that a number has no labels."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        values["columns"] = [each.to_dict() for each in self.columns] or None
        props = {
            _PREFIX + name: value if name in _TEXTS else json.dumps(value, ensure_ascii=False, allow_nan=False)
            for name, value in values.items()
            if value is not None
        }
        return props if self.kind == "other" else {_PREFIX + "labels": "null"} | props

    def write(self, model: onnx.ModelProto) -> None:
        """Put the metadata into a model in place of what it has; keys of others stay."""
        others = [(each.key, each.value) for each in model.metadata_props if not each.key.startswith(_PREFIX)]
        del model.metadata_props[:]
        for key, value in [*others, *self.to_props().items()]:
            model.metadata_props.add(key=key, value=value)

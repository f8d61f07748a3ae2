"""The metadata of an exported ONNX file: its kind, columns, labels and policy.

The keys begin with ``plumbline.``; each value is text, as ONNX requires. Plumbline did not export a file without them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from core.errors import InputError

if TYPE_CHECKING:
    import onnx

__all__ = ["Column", "ColumnRecord", "Label", "Metadata"]

Label = bool | int | float | str
"""A class as JSON holds it."""

_PREFIX = "plumbline."
_TEXTS = ("kind", "task", "fingerprint", "variant", "target")


class ColumnRecord(TypedDict, total=False):
    """A column as JSON holds it."""

    name: str
    kind: str
    input: str
    words: list[str]
    vocabulary: list[str]
    mixed: bool
    center: float
    padded: bool
    written: dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A column of the table and the input of the graph that takes it.

    Parameters
    ----------
    name : str
        Name of the table's column.
    kind : {"number", "boolean", "category", "date", "text"}
        Kind of the column.
    input : str
        Name of the graph's input, of shape (n, 1). Numbers (see `center`) and booleans are float32 with NaN, categories
        text with "(missing)", dates int64 seconds since 1970 (UTC) with the smallest int64. Texts have shape
        (n, words): the count of each word, int32.
    words : tuple of str, default=()
        Spellings of "missing" that are categories of this column: "NA" among codes of countries.
    vocabulary : tuple of str, default=()
        Words of a text column that count, in the order of the input. A word is a match of ``\\w+`` in the text in lower
        case.
    mixed : bool, default=False
        Whether the cells of a number column were texts in training; those that are not numbers are missing.
    center : float, optional
        Value that the graph subtracts from a number, or from the seconds of a date, before it rounds to float32. The
        input of such numbers is float64, because float32 does not hold their digits.
    padded : bool, optional
        Whether some categories begin with a blank. Otherwise a blank before a cell does not belong to it; None leaves
        that to the cells, as files of earlier versions do.
    written : dict, optional
        Format in which the training file had the cells, a `core.datasets.CellFormat`; only code that reads files
        without pandas needs it.
    """

    name: str
    kind: str
    input: str
    words: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    mixed: bool = False
    center: float | None = None
    padded: bool | None = None
    written: Mapping[str, Any] | None = None

    def to_dict(self) -> ColumnRecord:
        """Return the column as JSON-serializable values; defaults are left out."""
        record: ColumnRecord = {"name": self.name, "kind": self.kind, "input": self.input}
        if self.words:
            record["words"] = list(self.words)
        if self.vocabulary:
            record["vocabulary"] = list(self.vocabulary)
        if self.mixed:
            record["mixed"] = True
        if self.center is not None:
            record["center"] = self.center
        if self.padded is not None:
            record["padded"] = self.padded
        if self.written is not None:
            record["written"] = dict(self.written)
        return record

    @classmethod
    def from_dict(cls, record: ColumnRecord) -> Column:
        """Read what `to_dict` wrote."""
        words, vocabulary = tuple(record.get("words", ())), tuple(record.get("vocabulary", ()))
        return cls(
            record["name"],
            record["kind"],
            record["input"],
            words,
            vocabulary,
            bool(record.get("mixed")),
            record.get("center"),
            record.get("padded"),
            record.get("written"),
        )


@dataclass(frozen=True)
class Metadata:
    """The metadata of a model's file.

    Parameters
    ----------
    kind : {"table", "text", "other"}, default="other"
        Kind of the model; "other" for a file that Plumbline did not export.
    task : {"binary", "multiclass", "regression", "multilabel"}, optional
        The task.
    labels : tuple, optional
        The classes in the order of the probabilities, as the target has them; None for a number.
    columns : tuple of Column, default=()
        Columns of a table.
    max_length : int, optional
        Tokens per text that the model reads.
    fingerprint : str, optional
        Fingerprint of the table that it was trained on.
    policy : dict, optional
        The threshold policy, as ``ThresholdPolicy.to_dict`` has it.
    variant : str, default="fp32"
        Name of the form that the file has: "fp32", a quantization mode, or one with a pruned vocabulary.
    target : str, optional
        The column that is predicted.
    steps : dict, optional
        Steps between a file and the table that the model was trained on, which a bundle's code runs on cells of text.
    group_formats : dict, optional
        Format in which the training file had the cells of columns that a bundle's code decides by, by name.
    pairs : bool, optional
        Whether a text model reads pairs of texts.
    threads : int, optional
        Threads that the code of a bundle gives the model; None for one.

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
    labels: tuple[Label, ...] | None = None
    columns: tuple[Column, ...] = ()
    max_length: int | None = None
    fingerprint: str | None = None
    policy: dict[str, Any] | None = None
    variant: str = "fp32"
    target: str | None = None
    steps: Mapping[str, Any] | None = None
    group_formats: Mapping[str, Mapping[str, Any]] | None = None
    pairs: bool | None = None
    threads: int | None = None

    @classmethod
    def read(cls, model: onnx.ModelProto | str | Path) -> Metadata:
        """Read the metadata of a model, or of a file; weights in other files are not read.

        Raises
        ------
        InputError
            When the file is not an ONNX model, or the metadata are damaged.
        """
        if isinstance(model, str | Path):
            from core.edge.inspection.graph import load

            model = load(model)
        return cls.from_props({entry.key: entry.value for entry in model.metadata_props})

    @classmethod
    def from_props(cls, props: Mapping[str, str]) -> Metadata:
        """Read what `to_props` wrote; a session has it as ``get_modelmeta().custom_metadata_map``.

        Raises
        ------
        InputError
            When they are damaged.
        """
        values: dict[str, Any] = {
            field.name: props[_PREFIX + field.name] for field in fields(cls) if _PREFIX + field.name in props
        }
        try:
            values |= {name: json.loads(value) for name, value in values.items() if name not in _TEXTS}
            values["columns"] = tuple(Column.from_dict(record) for record in values.get("columns", ()))
            if values.get("labels") is not None:
                values["labels"] = tuple(values["labels"])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError("The metadata of the file are damaged.", "Export the model again.") from error
        return cls(**values)

    def to_props(self) -> dict[str, str]:
        """Return the keys and texts of the file; unknown values are left out, except that a number has no labels."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["columns"] = [column.to_dict() for column in self.columns] or None
        props = {
            _PREFIX + name: value if name in _TEXTS else json.dumps(value, ensure_ascii=False, allow_nan=False)
            for name, value in values.items()
            if value is not None
        }
        return props if self.kind == "other" else {_PREFIX + "labels": "null"} | props

    def write(self, model: onnx.ModelProto) -> None:
        """Put the metadata into a model in place of its own; keys of other origin stay."""
        others = [(entry.key, entry.value) for entry in model.metadata_props if not entry.key.startswith(_PREFIX)]
        del model.metadata_props[:]
        for key, value in [*others, *self.to_props().items()]:
            model.metadata_props.add(key=key, value=value)

    def write_copy(self, source: str | Path, target: str | Path) -> None:
        """Write a copy of a file that has this metadata in place of its own."""
        from core.edge.inspection.graph import load

        model = load(source)
        self.write(model)
        Path(target).write_bytes(model.SerializeToString())

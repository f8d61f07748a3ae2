"""The features of a `TableEncoder` as ONNX nodes: from one typed input per raw column to the matrix of a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper

from core.edge.export.metadata import Column
from core.edge.export.nodes import Nodes
from core.features import LARGEST, NO_DATE, date_features

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.impute import SimpleImputer

    from core.features import TableEncoder

__all__ = ["encode_columns", "graph_inputs", "name_columns"]

_ML = "ai.onnx.ml"
_TEXT = "text: "  # how the encoder's steps of text columns begin
_NUMBER = "number: "  # and those of numbers that are imputed in several ways
_TYPES = {"category": TensorProto.STRING, "date": TensorProto.INT64, "text": TensorProto.INT32}
_TABLED = 255  # repetitions of a word whose logarithm is looked up
_DAY, _ERA = 86_400, 146_097  # seconds of a day, days of 400 years
_SHIFT = 10_000  # eras that make the days of any date positive, because ONNX divides towards zero
_MARCH = 719_468  # days from 0000-03-01 to 1970-01-01


def name_columns(encoder: TableEncoder, markers: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the columns of a fitted encoder, each with a safe name for its input.

    Parameters
    ----------
    encoder : TableEncoder
        A fitted encoder.
    markers : sequence of str, default=()
        Spellings of "missing"; those that are categories of a column are kept with it.
    """
    known: dict[str, set[str]] = {}
    vocabularies: dict[str, tuple[str, ...]] = {}
    for step, transformer, names in encoder.encoder_.transformers_:
        if step.startswith(_TEXT):
            vocabularies[names[0]] = tuple(transformer.words_.get_feature_names_out().tolist())
        for name, categories in zip(names, getattr(transformer, "categories_", ()), strict=False):
            known[name] = set(map(str, categories))
    columns: list[Column] = []
    taken = {"label", "probabilities", "prediction"}
    for name, kind in zip(encoder.columns_, encoder.kinds_, strict=True):
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[:60] or "column"
        safe, number = stem, 2
        while safe.lower() in taken:
            safe, number = f"{stem}_{number}", number + 1
        taken.add(safe.lower())
        words = tuple(marker for marker in markers if marker in known.get(name, ()))
        center = encoder.centers.get(name)
        padded = any(category[:1].isspace() for category in known[name]) if name in known else None
        columns.append(
            Column(name, kind, safe, words, vocabularies.get(name, ()), name in encoder.mixed, center, padded)
        )
    return tuple(columns)


def graph_inputs(columns: Sequence[Column]) -> list[ValueInfoProto]:
    """Return the inputs of the graph: one per column, of shape (n, 1), or (n, words)."""
    return [
        helper.make_tensor_value_info(column.input, _input_type(column), ["n", len(column.vocabulary) or 1])
        for column in columns
    ]


def _input_type(column: Column) -> int:
    number = TensorProto.FLOAT if column.center is None else TensorProto.DOUBLE
    return int(_TYPES.get(column.kind, number))


def encode_columns(encoder: TableEncoder, columns: Sequence[Column], nodes: Nodes) -> str:
    """Add the nodes that compute the features; return the name of the matrix, (n, features) float32."""
    inputs = {column.name: column.input for column in columns}
    blocks: list[str] = []
    numbers: _Numbers | None = None
    for step, fitted, names in encoder.encoder_.transformers_:
        if not len(names) or step == "remainder":
            continue
        if step.startswith(_TEXT):
            blocks.append(_words(inputs[names[0]], fitted.words_.idf_, nodes))
        elif step == "number" or step.startswith(_NUMBER):
            numbers = numbers or _Numbers(encoder, inputs, nodes)
            blocks += numbers.imputed(fitted, names)
        elif step == "one_hot":
            blocks += [
                _one_hot(inputs[name], categories, nodes)
                for name, categories in zip(names, fitted.categories_, strict=True)
            ]
        else:
            blocks += [
                _ordinal(inputs[name], categories, nodes)
                for name, categories in zip(names, fitted.categories_, strict=True)
            ]
    return nodes("Concat", *blocks, axis=1)


class _Numbers:
    """The numbers of all columns, before anything is imputed; the parts of dates come last."""

    def __init__(self, encoder: TableEncoder, inputs: dict[str, str], nodes: Nodes) -> None:
        kind_by_name = dict(zip(encoder.columns_, encoder.kinds_, strict=True))
        plain = [name for name, kind in kind_by_name.items() if kind in ("number", "boolean")]
        centers = encoder.centers
        dates = [(inputs[name], int(centers.get(name, 0))) for name in encoder.dates_]
        parts = [part for name in encoder.dates_ for part in date_features(name, encoder.columns_)]
        self._nodes = nodes
        self._names = plain + parts
        self._values = nodes(
            "Concat",
            *(_rounded(inputs[name], centers.get(name), nodes) for name in plain),
            *([_date_parts(dates, nodes)] if dates else []),
            axis=1,
        )

    def imputed(self, imputer: SimpleImputer, names: Sequence[str]) -> list[str]:
        """Return the numbers of some columns, imputed, and the flags of missing cells."""
        nodes, values = self._nodes, self._values
        if list(names) != self._names:
            values = nodes("Gather", values, np.array([self._names.index(name) for name in names]), axis=1)
        # False of NaN and of infinities alike: the encoder treats both as missing.
        known = nodes("LessOrEqual", nodes("Abs", values), np.float32(LARGEST))
        outputs = [nodes("Where", known, values, imputer.statistics_[None, :].astype(np.float32))]
        if len(flagged := imputer.indicator_.features_):
            missing = nodes("Cast", nodes("Not", known), to=TensorProto.FLOAT)
            outputs.append(nodes("Gather", missing, flagged, axis=1))
        return outputs


def _rounded(name: str, center: float | None, nodes: Nodes) -> str:
    if center is None:
        return name
    return nodes("Cast", nodes("Sub", name, nodes.double(center)), to=TensorProto.FLOAT)


def _one_hot(name: str, categories: NDArray[np.object_], nodes: Nodes) -> str:
    texts = [str(category) for category in categories]
    flags = nodes("OneHotEncoder", name, domain=_ML, cats_strings=texts, zeros=1)
    return nodes("Flatten", flags, axis=1)


def _ordinal(name: str, categories: NDArray[np.object_], nodes: Nodes) -> str:
    texts = [str(category) for category in categories]
    codes = [float(code) for code in range(len(texts))]
    return nodes("LabelEncoder", name, domain=_ML, keys_strings=texts, values_floats=codes, default_float=-1.0)


def _words(name: str, idf: NDArray[np.float32], nodes: Nodes) -> str:
    """Return TF-IDF of counts, equal to scikit-learn's to the last bit: trees split between values that are close.

    NumPy's logarithm and ONNX Runtime's differ in the last bit, so NumPy's is looked up. The norm is summed up in 64
    bits, as in scikit-learn. The norm of a row with any word is at least 1, because no idf is below 1.
    """
    counts = nodes("Cast", name, to=TensorProto.INT64)
    logs = np.zeros(_TABLED + 1, dtype=np.float32)
    logs[1:] = np.log(np.arange(1, _TABLED + 1, dtype=np.float32)) + np.float32(1)
    usual = nodes("Gather", logs, nodes("Min", counts, _TABLED))
    larger = nodes("Add", nodes("Log", nodes("Cast", counts, to=TensorProto.FLOAT)), np.float32(1))
    weights = nodes("Mul", nodes("Where", nodes("LessOrEqual", counts, _TABLED), usual, larger), idf)
    squares = nodes("Cast", nodes("Mul", weights, weights), to=TensorProto.DOUBLE)
    one = nodes("Cast", np.float32(1), to=TensorProto.DOUBLE)
    length = nodes("Max", nodes("Sqrt", nodes("ReduceSum", squares, [1], keepdims=1)), one)
    return nodes("Cast", nodes("Div", nodes("Cast", weights, to=TensorProto.DOUBLE), length), to=TensorProto.FLOAT)


def _date_parts(dates: Sequence[tuple[str, int]], nodes: Nodes) -> str:
    """Return epoch (less its center), year, month, day, day of week and hour of each date, NaN where it is missing.

    The calendar is Howard Hinnant's days-to-civil algorithm ("chrono-compatible low-level date algorithms"), in whole
    numbers throughout.
    """
    inputs = [name for name, _ in dates]
    seconds = nodes("Concat", *inputs, axis=1) if len(inputs) > 1 else inputs[0]
    epoch = nodes("Sub", seconds, np.array([[center for _, center in dates]], dtype=np.int64))
    shifted = nodes("Add", seconds, _SHIFT * _ERA * _DAY)
    days = nodes("Div", shifted, _DAY)
    hour = nodes("Div", nodes("Mod", shifted, _DAY), 3600)
    weekday = nodes("Mod", nodes("Add", days, 3), 7)  # 1970-01-01 was a Thursday, and eras are whole weeks
    since_march = nodes("Add", days, _MARCH)
    era = nodes("Div", since_march, _ERA)
    day_of_era = nodes("Mod", since_march, _ERA)
    leap_free = nodes("Sub", day_of_era, nodes("Div", day_of_era, 1_460))
    leap_free = nodes("Add", leap_free, nodes("Div", day_of_era, 36_524))
    leap_free = nodes("Sub", leap_free, nodes("Div", day_of_era, _ERA - 1))
    year_of_era = nodes("Div", leap_free, 365)
    before = nodes("Add", nodes("Mul", year_of_era, 365), nodes("Div", year_of_era, 4))
    before = nodes("Sub", before, nodes("Div", year_of_era, 100))
    day_of_year = nodes("Sub", day_of_era, before)  # from the first of March
    month_from_march = nodes("Div", nodes("Add", nodes("Mul", day_of_year, 5), 2), 153)
    month_start = nodes("Div", nodes("Add", nodes("Mul", month_from_march, 153), 2), 5)
    day = nodes("Add", nodes("Sub", day_of_year, month_start), 1)
    month = nodes("Add", nodes("Mod", nodes("Add", month_from_march, 2), 12), 1)
    year = nodes("Add", year_of_era, nodes("Mul", nodes("Sub", era, _SHIFT), 400))
    year = nodes("Add", year, nodes("Cast", nodes("LessOrEqual", month, 2), to=TensorProto.INT64))
    parts = [nodes("Unsqueeze", part, [2]) for part in (epoch, year, month, day, weekday, hour)]
    table = nodes("Cast", nodes("Concat", *parts, axis=2), to=TensorProto.FLOAT)
    missing = nodes("Unsqueeze", nodes("Equal", seconds, NO_DATE), [2])
    return nodes("Flatten", nodes("Where", missing, np.float32(np.nan), table), axis=1)

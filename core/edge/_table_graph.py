"""The features of a `TableEncoder` as ONNX nodes: from raw columns, one typed input each, to the matrix of a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import TensorProto, ValueInfoProto, helper

from core.automl._cells import LARGEST, NO_DATE
from core.edge._metadata import Column
from core.edge._nodes import Nodes
from core.errors import ExportError

if TYPE_CHECKING:
    from core.automl._features import TableEncoder

__all__ = ["encode_columns", "graph_inputs", "name_columns"]

_ML = "ai.onnx.ml"
_TYPES = {"category": TensorProto.STRING, "date": TensorProto.INT64}
_DAY, _ERA = 86_400, 146_097  # seconds of a day, days of 400 years
_SHIFT = 10_000  # eras that make the days of any date positive, because ONNX divides towards zero
_MARCH = 719_468  # days from 0000-03-01 to 1970-01-01


def name_columns(encoder: TableEncoder, markers: Sequence[str] = ()) -> tuple[Column, ...]:
    """Return the columns of a fitted encoder with a safe name for the input of each.

    Parameters
    ----------
    encoder : TableEncoder
        Fitted.
    markers : sequence of str
        Spellings of "missing"; those that are categories of a column are kept with it.
    """
    known: dict[str, set[str]] = {}
    for _, transformer, names in encoder.encoder_.transformers_:
        for name, categories in zip(names, getattr(transformer, "categories_", ()), strict=False):
            known[name] = set(map(str, categories))
    found: list[Column] = []
    taken = {"label", "probabilities", "prediction"}
    for name, kind in zip(encoder.columns_, encoder.kinds_, strict=True):
        stem = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[:60] or "column"
        safe, number = stem, 2
        while safe.lower() in taken:
            safe, number = f"{stem}_{number}", number + 1
        taken.add(safe.lower())
        words = tuple(marker for marker in markers if marker in known.get(name, ()))
        found.append(Column(name, kind, safe, words))
    return tuple(found)


def graph_inputs(columns: Sequence[Column]) -> list[ValueInfoProto]:
    """Return the inputs of the graph: one a column, of shape (n, 1)."""
    return [
        helper.make_tensor_value_info(each.input, _TYPES.get(each.kind, TensorProto.FLOAT), ["n", 1])
        for each in columns
    ]


def encode_columns(encoder: TableEncoder, columns: Sequence[Column], nodes: Nodes) -> str:
    """Add the nodes that compute the features; return the name of the matrix, (n, features) float32."""
    inputs = {each.name: each.input for each in columns}
    blocks: list[str] = []
    for step, fitted, names in encoder.encoder_.transformers_:
        if not len(names) or step == "remainder":
            continue
        if step.startswith("text: "):
            raise ExportError(
                f"The column '{names[0]}' holds free text, and its words cannot be exported yet.",
                "Use the model in Python, or search again without this column.",
            )
        if step == "number":
            blocks += _numbers(fitted, encoder, inputs, nodes)
        elif step == "one_hot":
            blocks += [_one_hot(inputs[name], categories, nodes)
                       for name, categories in zip(names, fitted.categories_, strict=True)]  # fmt: skip
        else:
            blocks += [_ordinal(inputs[name], categories, nodes)
                       for name, categories in zip(names, fitted.categories_, strict=True)]  # fmt: skip
    return nodes("Concat", *blocks, axis=1)


def _numbers(imputer: Any, encoder: TableEncoder, inputs: dict[str, str], nodes: Nodes) -> list[str]:
    """Return the imputed numbers, dates' parts last, and the flags of what was missing."""
    kinds = dict(zip(encoder.columns_, encoder.kinds_, strict=True))
    plain = [inputs[name] for name, kind in kinds.items() if kind in ("number", "boolean")]
    dates = [inputs[name] for name in encoder.dates_]
    values = nodes("Concat", *plain, *([_date_parts(dates, nodes)] if dates else []), axis=1)
    # False of NaN and of infinities alike: the encoder treats both as missing.
    known = nodes("LessOrEqual", nodes("Abs", values), np.float32(LARGEST))
    found = [nodes("Where", known, values, imputer.statistics_[None, :].astype(np.float32))]
    if len(flagged := imputer.indicator_.features_):
        missing = nodes("Cast", nodes("Not", known), to=TensorProto.FLOAT)
        found.append(nodes("Gather", missing, flagged, axis=1))
    return found


def _one_hot(name: str, categories: Any, nodes: Nodes) -> str:
    texts = [str(each) for each in categories]
    flags = nodes("OneHotEncoder", name, domain=_ML, cats_strings=texts, zeros=1)
    return nodes("Flatten", flags, axis=1)


def _ordinal(name: str, categories: Any, nodes: Nodes) -> str:
    texts = [str(each) for each in categories]
    places = [float(place) for place in range(len(texts))]
    return nodes("LabelEncoder", name, domain=_ML, keys_strings=texts, values_floats=places, default_float=-1.0)


def _date_parts(inputs: Sequence[str], nodes: Nodes) -> str:
    """Return epoch, year, month, day, day of week and hour of each date, NaN where it is missing.

    The calendar is Howard Hinnant's days-to-civil algorithm ("chrono-compatible low-level date algorithms"), in whole
    numbers throughout.
    """
    seconds = nodes("Concat", *inputs, axis=1) if len(inputs) > 1 else inputs[0]
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
    parts = [nodes("Unsqueeze", part, [2]) for part in (seconds, year, month, day, weekday, hour)]
    table = nodes("Cast", nodes("Concat", *parts, axis=2), to=TensorProto.FLOAT)
    missing = nodes("Unsqueeze", nodes("Equal", seconds, NO_DATE), [2])
    return nodes("Flatten", nodes("Where", missing, np.float32(np.nan), table), axis=1)

"""What an encoder does, step by step: which columns go in, and how many features come out."""

from __future__ import annotations

from typing import TypedDict

from core.features._cells import date_features
from core.features._encoder import TableEncoder

__all__ = ["FeatureStep", "feature_steps"]

_TITLES = {
    "number": "Numbers",
    "date": "Dates, in parts",
    "missing": "Flags of missing values",
    "one_hot": "One-hot categories",
    "ordinal": "Categories by frequency",
    "text": "Words of texts",
}
_FLAG = "missingindicator_"


class FeatureStep(TypedDict):
    """One step from columns to features.

    Parameters
    ----------
    step : str
        number, date, missing, one_hot, ordinal or text, or the name of another transformer.
    title : str
        Name that pages show.
    columns : list of str
        Columns that go in.
    features : int
        Number of features that come out.
    """

    step: str
    title: str
    columns: list[str]
    features: int


def feature_steps(encoder: TableEncoder) -> list[FeatureStep]:
    """Return the steps of a fitted encoder that make features; together they make all of them.

    Parameters
    ----------
    encoder : TableEncoder
        Fitted encoder.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"age": [20.0, None, 40.0], "job": ["a", "b", "a"]})
    >>> [(step["step"], step["columns"], step["features"]) for step in feature_steps(TableEncoder().fit(frame))]
    [('number', ['age'], 1), ('missing', ['age'], 1), ('one_hot', ['job'], 2)]
    """
    dates = {part: name for name in encoder.dates_ for part in date_features(name, encoder.columns_)}
    columns: dict[str, dict[str, None]] = {}
    counts: dict[str, int] = {}
    for name, fitted, used in encoder.encoder_.transformers_:
        if name == "remainder" or not len(used):
            continue
        kind = name.split(":")[0]
        outputs = [str(output) for output in fitted.get_feature_names_out(used)]
        if kind != "number":
            counts[kind] = counts.get(kind, 0) + len(outputs)
            columns.setdefault(kind, {}).update(dict.fromkeys(used))
            continue
        for output in outputs:
            source = output.removeprefix(_FLAG)
            flag = output not in used
            step = "missing" if flag else "date" if output in dates else "number"
            counts[step] = counts.get(step, 0) + 1
            columns.setdefault(step, {})[dates.get(source if flag else output, source if flag else output)] = None
    order = [*_TITLES, *(kind for kind in counts if kind not in _TITLES)]
    return [
        {"step": kind, "title": _TITLES.get(kind, kind), "columns": list(columns[kind]), "features": counts[kind]}
        for kind in order
        if kind in counts
    ]

"""Titles in the tables of a report: names of settings and files stay in its CSV, people read what the pages say."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pandas as pd

from core.fairness.metrics.definitions import DEFINITIONS
from core.fairness.metrics.registry import NUMBER_METRICS, RATES, SCORE_METRICS, metric_record
from core.fairness.reductions.techniques import technique_title

__all__ = ["with_titles"]

_COLUMNS = {
    "below_four_fifths": "Below 0.80",
    "count": "Rows",
    "high": "To",
    "low": "From",
    "p_adjusted": "Adjusted p-value",
    "p_value": "p-value",
    "small": "Few rows",
}
"""Titles of columns that are not their names with a capital letter."""


def _metric_titles(names: str) -> str:
    """Return the titles of metrics that are listed by name; other words stay."""
    return ", ".join(_metric_title(name) for name in names.split(", "))


def _metric_title(name: str) -> str:
    known = any(name in registry for registry in (RATES, SCORE_METRICS, NUMBER_METRICS))
    return metric_record(name).title if known else name


def _definition_title(name: str) -> str:
    return DEFINITIONS[name].title if name in DEFINITIONS else name


_CELLS: dict[str, Callable[[str], str]] = {
    "metric": _metric_titles,
    "metrics": _metric_titles,
    "definition": _definition_title,
    "technique": technique_title,
}
"""Titles of what the cells of a column name."""


def with_titles(table: pd.DataFrame, given: Collection[str] = ()) -> pd.DataFrame:
    """Return a table of a report with titles in place of names.

    Parameters
    ----------
    table : DataFrame
        A table of `FairnessReport.tables`.
    given : collection of str, default=()
        Columns that are named as in the data, such as the sensitive ones; they stay as they are.

    Examples
    --------
    >>> with_titles(pd.DataFrame({"definition": ["four_fifths"], "metric": ["selection_rate"], "p_value": [0.5]})).T[0]
    Definition    Four-fifths convention (29 CFR 1607.4 D)
    Metric                                  Selection rate
    p-value                                            0.5
    Name: 0, dtype: object
    """
    names = [str(name) for name in table.columns]
    own = {name for name in names if name not in given}
    cells = {name: table[name].map(_CELLS[name], na_action="ignore") for name in own & set(_CELLS)}
    return table.assign(**cells).set_axis([_column_title(name) if name in own else name for name in names], axis=1)


def _column_title(name: str) -> str:
    title = _COLUMNS.get(name) or _metric_title(name)
    if title != name:
        return title
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]

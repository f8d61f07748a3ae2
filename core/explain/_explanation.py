"""What an explanation found, and its files. Reading one loads no library of learning.

``explain.json``
    task, metric, target, classes, rows_from, rows, settings, permutation, shap (method, space, classes, base, n,
    error), summary, dependence, interactions (method, space, pairs), left_out, elapsed_s.
``explain_shap.parquet``
    One line a row and class: row_id, class, output, ``value: <column>``, ``shap: <column>``; absent without SHAP.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.errors import StorageError
from core.explain._dependence import Dependence
from core.explain._interactions import METHOD
from core.explain._settings import ExplainSettings
from core.explain._shap import ShapValues

__all__ = ["SHAP_FILE", "SUMMARY_FILE", "Explanation"]

SUMMARY_FILE = "explain.json"
SHAP_FILE = "explain_shap.parquet"
_PLAIN = ("task", "metric", "target", "classes", "rows_from", "rows", "interaction_space", "left_out", "elapsed_s")
_FIGURES = ("importance", "low", "high", "direction", "h", "strength")
_TABLES = {
    "permutation": ["feature", "importance", "low", "high", "n", "repeats"],
    "summary": ["column", "group", "class", "feature", "importance", "low", "high", "direction", "n"],
    "interactions": ["first", "second", "h", "strength", "low", "high", "n"],
}


@dataclass(frozen=True)
class Explanation:
    """Why a model says what it says.

    Parameters
    ----------
    task, metric, target : str
        Of the search.
    classes : list of str
        The outputs that are explained: the positive class of two, the most frequent of many, or "prediction".
    rows_from : str
        "test", or "training" when the search held out no test rows.
    rows : int
        Rows that there were to look at; each part says how many it took.
    permutation : DataFrame
        feature, importance (drop of the metric), low, high, n, repeats; the most important first.
    shap : ShapValues or None
        Of a sample of the rows.
    summary : DataFrame
        column, group, class, feature, importance (mean \\|SHAP\\|), low, high, direction (mean SHAP), n; column and
        group are missing over all rows.
    dependence : list of Dependence
        Of the most important columns, in that order.
    interactions : DataFrame
        first, second, h, strength, low, high, n; `interaction_space` names the unit of the strength.
    left_out : list of dict
        What is missing or was shortened: part, what, why.
    elapsed_s : float
        Seconds it took.
    """

    settings: ExplainSettings
    task: str
    metric: str
    target: str
    classes: list[str]
    rows_from: str
    rows: int
    permutation: pd.DataFrame
    shap: ShapValues | None
    summary: pd.DataFrame
    dependence: list[Dependence]
    interactions: pd.DataFrame
    interaction_space: str
    left_out: list[dict[str, str]]
    elapsed_s: float

    @staticmethod
    def no_table(name: str) -> pd.DataFrame:
        """Return the table of a part without lines."""
        return pd.DataFrame(columns=_TABLES[name])

    def to_dict(self) -> dict[str, Any]:
        """Return all but the SHAP values of single rows as JSON-serialisable values."""
        found: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        found |= {name: _records(getattr(self, name)) for name in _TABLES}
        found["interaction_method"] = METHOD
        found["settings"] = self.settings.model_dump(mode="json")
        found["shap"] = None if self.shap is None else self.shap.to_dict()
        found["dependence"] = [each.to_dict() for each in self.dependence]
        return found

    def save(self, folder: str | Path) -> None:
        """Write the files."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False)
        (folder / SUMMARY_FILE).write_text(text, encoding="utf-8")
        if self.shap is not None:
            self.shap.table().to_parquet(folder / SHAP_FILE)

    @classmethod
    def load(cls, folder: str | Path) -> Explanation:
        """Read what `save` wrote.

        Raises
        ------
        StorageError
            When the folder holds no explanation.
        """
        folder = Path(folder)
        shap = folder / SHAP_FILE
        return cls.read(folder / SUMMARY_FILE, shap if shap.is_file() else None)

    @classmethod
    def read(cls, summary: str | Path, shap: str | Path | None = None) -> Explanation:
        """Read an explanation from its files, wherever they lie; without the second one there are no single rows.

        Raises
        ------
        StorageError
            When the file is none of an explanation.
        """
        try:
            found = json.loads(Path(summary).read_text(encoding="utf-8"))
            if "classes" not in found:  # the first explanations named them with their SHAP values only
                found["classes"] = (found["shap"] or {}).get("classes", ["prediction"])
            values = {name: found[name] for name in _PLAIN}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(
                f"'{Path(summary).name}' holds no explanation ({type(error).__name__}).",
                "Give the files that Explanation.save wrote.",
            ) from error
        rows = None
        if shap is not None and found["shap"] is not None:
            rows = ShapValues.from_table(found["shap"], pd.read_parquet(shap))
        return cls(
            settings=ExplainSettings(**found["settings"]),
            shap=rows,
            dependence=[Dependence(**each) for each in found["dependence"]],
            **values,
            **{name: _table(found[name], columns) for name, columns in _TABLES.items()},
        )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): _json(value) for name, value in row.items()} for row in table.to_dict(orient="records")]


def _table(records: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Return a table of records; a figure that is unknown in all of them is NaN still."""
    return pd.DataFrame(records, columns=columns).astype({name: float for name in columns if name in _FIGURES})


def _json(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

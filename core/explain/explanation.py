"""The result of an explanation, and its files. Reading one loads no library of learning.

``explain.json``
    task, metric, target, classes, rows_from, rows, settings, permutation, together, shap (method, space, classes, base,
    n, error), summary, dependence, interactions (method, space, pairs), left_out, elapsed_s.
``explain_shap.parquet``
    One line per row and class: row_id, class, output, ``value: <column>``, ``shap: <column>``; absent without SHAP.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
from pydantic import BaseModel, JsonValue, ValidationError, model_validator

from core.errors import StorageError
from core.explain.carriers import Carrier, carriers
from core.explain.cells import Cell, as_python
from core.explain.dependence import Dependence
from core.explain.explained_model import IndexArray
from core.explain.interactions import METHOD
from core.explain.settings import ExplainSettings
from core.explain.shap_values import ShapSummary, ShapValues, summarize
from core.files import write_text

__all__ = ["SHAP_FILE", "SUMMARY_FILE", "Explanation"]

SUMMARY_FILE = "explain.json"
SHAP_FILE = "explain_shap.parquet"
_NUMBERS = ("importance", "low", "high", "direction", "h", "strength")
_TABLES = {
    "permutation": ["feature", "importance", "low", "high", "n", "repeats"],
    "together": ["columns", "importance", "low", "high", "n", "repeats"],
    "summary": ["column", "group", "class", "feature", "importance", "low", "high", "direction", "n"],
    "interactions": ["first", "second", "h", "strength", "low", "high", "n"],
}

Records: TypeAlias = list[dict[str, JsonValue]]


class _Stored(BaseModel):
    """What ``explain.json`` holds."""

    task: str
    metric: str
    target: str
    classes: list[str]
    rows_from: str
    rows: int
    interaction_space: str
    left_out: list[dict[str, str]]
    elapsed_s: float
    permutation: Records
    together: Records = []
    summary: Records
    interactions: Records
    interaction_method: str = METHOD
    settings: ExplainSettings
    shap: ShapSummary | None
    dependence: list[Dependence]

    @model_validator(mode="before")
    @classmethod
    def _add_classes(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Read the first explanations, which had the classes with their SHAP values only."""
        if isinstance(values, dict) and "classes" not in values and "shap" in values:
            return values | {"classes": (values["shap"] or {}).get("classes", ["prediction"])}
        return values


@dataclass(frozen=True)
class Explanation:
    """The reasons behind a model's predictions.

    Parameters
    ----------
    settings : ExplainSettings
        Settings of the explanation.
    task, metric, target : str
        Task, metric and target of the search.
    classes : list of str
        Outputs that are explained: the positive class of two, the most frequent of many, or "prediction".
    rows_from : {"test", "training"}
        Part of the table that the rows come from: "training" when the search held out no test rows.
    rows : int
        Number of rows that were available; each part says how many it took.
    permutation : DataFrame
        feature, importance (drop of the metric), low, high, n, repeats; the most important first.
    shap : ShapValues or None
        SHAP values of a sample of the rows.
    summary : DataFrame
        column, group, class, feature, importance (mean \\|SHAP\\|), low, high, direction (mean SHAP), n; column and
        group are missing over all rows.
    dependence : list of Dependence
        Dependence on the most important columns, in that order.
    interactions : DataFrame
        first, second, h, strength, low, high, n; `interaction_space` names the unit of the strength.
    interaction_space : str
        Space that the strength of interactions is in.
    left_out : list of dict
        Parts that are missing or were shortened: part, what, why.
    elapsed_s : float
        Duration in seconds.
    together : DataFrame
        The same as `permutation` of each group of columns that carry the same information, shuffled together: columns
        (a list of names) instead of feature. Explanations of earlier versions have none.
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
    together: pd.DataFrame = field(default_factory=lambda: _table("together", []))

    def of_rows(self, row_ids: IndexArray, groups: Mapping[str, pd.Series] | None = None) -> Explanation:
        """Return what the SHAP values of single rows say about some of the rows.

        Importance by shuffling, effects of single columns and interactions were computed on all rows together, so they
        are not in it.

        Parameters
        ----------
        row_ids : array of int
            Positions of the rows in the table.
        groups : mapping of str to Series, optional
            Groups of the table's rows by sensitive column; the index has positions.

        Returns
        -------
        Explanation
            SHAP values and their summary; both empty where none of the rows was explained.
        """
        rows = None if self.shap is None else self.shap.of_rows(row_ids)
        summary = self.no_table("summary")
        if rows is not None and len(rows):
            by_name = {name: column.loc[rows.row_id].reset_index(drop=True) for name, column in (groups or {}).items()}
            summary = summarize(rows, by_name, seed=self.settings.seed)
        return replace(
            self,
            rows=len(row_ids),
            permutation=self.no_table("permutation"),
            together=self.no_table("together"),
            shap=rows,
            summary=summary,
            dependence=[],
            interactions=self.no_table("interactions"),
        )

    @staticmethod
    def no_table(name: str) -> pd.DataFrame:
        """Return the empty table of a part."""
        return pd.DataFrame(columns=_TABLES[name])

    def carriers(self, gain: float) -> list[Carrier]:
        """Return the columns that carry a large share of the model's gain over guessing, the largest share first.

        Parameters
        ----------
        gain : float
            Gain over guessing in the search's metric; with none, and without test rows, there are no such columns.
        """
        if not gain > 0 or self.rows_from != "test":
            return []
        return carriers(self.permutation, self.together, gain)

    def to_dict(self) -> dict[str, Any]:
        """Return all but the SHAP values of single rows as JSON-serializable values."""
        stored = _Stored(
            task=self.task,
            metric=self.metric,
            target=self.target,
            classes=self.classes,
            rows_from=self.rows_from,
            rows=self.rows,
            interaction_space=self.interaction_space,
            left_out=self.left_out,
            elapsed_s=self.elapsed_s,
            permutation=_records(self.permutation),
            together=_records(self.together),
            summary=_records(self.summary),
            interactions=_records(self.interactions),
            settings=self.settings,
            shap=None if self.shap is None else self.shap.summary,
            dependence=self.dependence,
        )
        return stored.model_dump(mode="json")

    def save(self, folder: str | Path) -> None:
        """Write the files."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / SUMMARY_FILE, json.dumps(self.to_dict(), allow_nan=False, ensure_ascii=False))
        if self.shap is not None:
            self.shap.table().to_parquet(folder / SHAP_FILE)

    @classmethod
    def load(cls, folder: str | Path) -> Explanation:
        """Read what `save` wrote.

        Raises
        ------
        StorageError
            When the folder does not hold an explanation.
        """
        folder = Path(folder)
        shap = folder / SHAP_FILE
        return cls.read(folder / SUMMARY_FILE, shap if shap.is_file() else None)

    @classmethod
    def read(cls, summary: str | Path, shap: str | Path | None = None) -> Explanation:
        """Read an explanation from its files, wherever they are; without the second one there are no single rows.

        Raises
        ------
        StorageError
            When the file is not one of an explanation.
        """
        try:
            stored = _Stored.model_validate_json(Path(summary).read_bytes())
        except (OSError, ValidationError) as error:
            raise StorageError(
                f"'{Path(summary).name}' does not hold an explanation ({type(error).__name__}).",
                "Give the files that Explanation.save wrote.",
            ) from error
        rows = None
        if shap is not None and stored.shap is not None:
            rows = ShapValues.from_table(stored.shap, pd.read_parquet(shap))
        return cls(
            settings=stored.settings,
            task=stored.task,
            metric=stored.metric,
            target=stored.target,
            classes=stored.classes,
            rows_from=stored.rows_from,
            rows=stored.rows,
            permutation=_table("permutation", stored.permutation),
            shap=rows,
            summary=_table("summary", stored.summary),
            dependence=stored.dependence,
            interactions=_table("interactions", stored.interactions),
            interaction_space=stored.interaction_space,
            left_out=stored.left_out,
            elapsed_s=stored.elapsed_s,
            together=_table("together", stored.together),
        )


def _records(table: pd.DataFrame) -> Records:
    return [{str(name): _json(value) for name, value in row.items()} for row in table.to_dict(orient="records")]


def _table(name: str, records: Records) -> pd.DataFrame:
    """Return a table of records; a number that is unknown in all of them is still NaN."""
    columns = _TABLES[name]
    return pd.DataFrame(records, columns=columns).astype({column: float for column in columns if column in _NUMBERS})


def _json(value: Cell | list[str]) -> JsonValue:
    if isinstance(value, list):
        return [str(item) for item in value]
    cell = as_python(value)
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    return cell if isinstance(cell, str | int | float | bool) or cell is None else str(cell)

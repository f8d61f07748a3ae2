"""The rows of a bias audit: which columns it reads, of which rows, and how it says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from core.catalog import Dataset
from core.datasets import StoredRows, whole_numbers
from core.fairness import label_text
from pages._ui import artifacts
from pages.fairness.analysis import sampled

__all__ = ["TITLES", "AuditColumns"]

TITLES = {"sex": "Sex", "race": "Race and ethnicity"}
Kind = Literal["selection", "score"]
_MAX_ROWS = 1_000_000
_OUTCOME = "the model's outcome"  # a name of its own: the table may have a column of any other


@dataclass(frozen=True)
class AuditColumns:
    """What an audit reads, and how.

    Parameters
    ----------
    title : str
        Title of the table or model.
    data : str
        Digest of the table.
    test : str or None
        Digest of a model's test predictions; None for all rows of the table.
    outcome : str
        Column of the outcome.
    selected : str or None
        Value of the outcome that means selected; None for a score.
    sex, race : str or None
        Columns of the categories.
    sex_mapping, race_mapping : tuple of (str, str), default=()
        Category by value.
    """

    title: str
    data: str
    test: str | None
    outcome: str
    selected: str | None
    sex: str | None
    race: str | None
    sex_mapping: tuple[tuple[str, str], ...] = ()
    race_mapping: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> Kind:
        """Whether the outcome is a selection or a score."""
        return "score" if self.selected is None else "selection"

    @property
    def rows(self) -> StoredRows:
        """The rows that are counted, or a sample of them where they are too many: outcome, sex and race by position."""
        people = tuple(column for column in (self.sex, self.race) if column is not None)
        if self.test is None:
            return artifacts.sample(self.data, tuple(dict.fromkeys([self.outcome, *people])), rows=_MAX_ROWS)
        predicted = artifacts.predictions(self.test)
        columns = artifacts.rows_at(self.data, people, predicted.frame["row_id"].to_numpy()).reset_index(drop=True)
        outcome = predicted.frame[self.outcome].rename(_OUTCOME).reset_index(drop=True)
        return replace(predicted, frame=pd.concat([columns, outcome], axis=1))

    def outcomes(self, table: pd.DataFrame) -> pd.Series:
        """Return 1 and 0 for selected and not, or the scores, of these rows; missing where there is none."""
        values = table[self.outcome if self.test is None else _OUTCOME]
        if self.selected is None:
            return values
        chosen = whole_numbers(values).map(label_text) == self.selected
        return chosen.astype(float).where(values.notna())

    def facts(self, dataset: Dataset) -> dict[str, str]:
        """Return how the tables were calculated, for the printed page."""
        rows = "test rows of the model" if self.test else "all rows of the table"
        if not self.rows.complete:
            rows = sampled(self.rows, "test rows of the model" if self.test else "rows of the table")
        outcome = f"'{self.outcome}' as a score" if self.selected is None else f"'{self.outcome}' is '{self.selected}'"
        facts = {"Rows": rows, "Selected" if self.selected is not None else "Score": outcome}
        for name, column, mapping in (("sex", self.sex, self.sex_mapping), ("race", self.race, self.race_mapping)):
            if column is not None:
                pairs = "; ".join(f"'{value}' as {category}" for value, category in mapping)
                facts[f"{TITLES[name]} from '{column}'"] = pairs
        return facts | {"Fingerprint of the table": dataset.fingerprint}

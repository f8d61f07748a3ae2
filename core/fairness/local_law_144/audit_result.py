"""The tables of a bias audit, as they are computed and as they are published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import JsonValue

from core.fairness.local_law_144.categories import RACE_CATEGORIES, SEX_CATEGORIES
from core.fairness.local_law_144.facts import AuditFacts
from core.fairness.rendering import environment
from core.jsonable import jsonable
from core.spreadsheet import to_csv

__all__ = ["AUDITOR_SENTENCE", "AUDIT_TABLES", "BiasAudit"]

AUDITOR_SENTENCE = (
    "Local Law 144 requires an audit by an independent auditor. Plumbline computes and prints the tables of the data "
    "it was given; it is not the auditor, and its output alone is not a bias audit."
)
AUDIT_TABLES = {
    "sex": "Sex categories",
    "race": "Race/ethnicity categories",
    "intersectional": "Intersectional categories",
}
_SEX, _RACE = "Sex Category", "Race/Ethnicity Category"
_FEW = 30
_LISTED = 8
_SUFFIX = " (Not Hispanic or Latino)"


@dataclass(frozen=True, eq=False)
class BiasAudit:
    """Rates and impact ratios by sex, by race and ethnicity, and by both, as Local Law 144 defines them.

    Parameters
    ----------
    sex, race, intersectional : DataFrame or None
        One row per category: category (the intersectional table has sex and race as well), n, selected (people who were
        selected, or whose score is above the median), rate, impact_ratio (unrounded; NaN where it is not calculated),
        excluded (whether the category is too small a share to be in the ratios). None where a column was not given.
    kind : {"selection", "score"}
        Whether rates are of selections, or of scores above the median.
    n : int
        People who were assessed: with a selection or a score, in a known category or not.
    unknown : int
        People among them who are not in all of the tables, because a category of theirs is unknown.
    unknown_by_table : mapping of str to int
        People in an unknown category by table: sex, race, intersectional.
    without_outcome : int
        People without a selection or score, who are in no table.
    median : float or None
        Median of all scores; None for selections.
    at_median : int
        People whose score is the median, who count as not above it.
    min_share : float
        Share of a table's people below which a category is left out of the ratios.
    """

    sex: pd.DataFrame | None
    race: pd.DataFrame | None
    intersectional: pd.DataFrame | None
    kind: Literal["selection", "score"]
    n: int
    unknown: int
    unknown_by_table: Mapping[str, int]
    without_outcome: int
    median: float | None
    at_median: int
    min_share: float

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that were computed, by name."""
        tables = {"sex": self.sex, "race": self.race, "intersectional": self.intersectional}
        return {name: table for name, table in tables.items() if table is not None}

    @property
    def has_excluded(self) -> bool:
        """Whether a category is left out of the impact ratios."""
        return any(bool(table["excluded"].any()) for table in self.tables.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the tables has to know: who is in none of them, what is left out and what is uncertain."""
        notes = [*self._counted()]
        if self.median is not None:
            notes.append(
                f"The scoring rate is the share of people with a score above {self.median:.6g}, the median of all "
                f"{self.n:,} scores. {_people(self.at_median)} exactly this score and count as not above it."
            )
        for name, table in self.tables.items():
            title = AUDIT_TABLES[name]
            small = table.loc[table["excluded"], "category"].tolist()
            if small:
                verb = "is" if len(small) == 1 else "are"
                notes.append(
                    f"{title}: {_listed(small)} {verb} below {100 * self.min_share:g}% of the people and left out of "
                    "the impact ratios; the auditor has to justify this."
                )
            if not (table.loc[~table["excluded"], "rate"] > 0).any():
                notes.append(f"{title}: the highest rate is 0, so there are no impact ratios.")
            few = table.loc[(table["n"] < _FEW) & ~table["excluded"], "category"].tolist()
            if few:
                notes.append(
                    f"{title}: {_listed(few)} with fewer than {_FEW} people; such rates vary widely by chance."
                )
            other = self._other_categories(name, table)
            if other:
                notes.append(f"{title}: {_listed(other)}, as in the data; the law names other categories.")
        return tuple(notes)

    def _counted(self) -> list[str]:
        parts = {name: count for name, count in self.unknown_by_table.items() if name in self.tables and count}
        by_table = ", ".join(f"{AUDIT_TABLES[name].lower()}: {count:,}" for name, count in parts.items())
        notes = [f"None of the {self.n:,} people is in an unknown category."]
        if self.unknown:
            notes = [
                f"{self.unknown:,} of {self.n:,} people are in an unknown category and not in the calculations "
                f"({by_table})."
            ]
        if self.without_outcome:
            outcome = "score" if self.kind == "score" else "outcome"
            verb = "is" if self.without_outcome == 1 else "are"
            notes.append(f"{_people(self.without_outcome)} no {outcome} and {verb} in no table.")
        return notes

    @staticmethod
    def _other_categories(name: str, table: pd.DataFrame) -> list[str]:
        if name == "intersectional":
            return []
        known = SEX_CATEGORIES if name == "sex" else RACE_CATEGORIES
        return [category for category in table["category"] if category not in known]

    def published(self, name: str) -> pd.DataFrame:
        """Return a table of texts with the columns that the law's rules print.

        Parameters
        ----------
        name : {"sex", "race", "intersectional"}
            Name of the table.
        """
        table = self.tables[name]
        columns: dict[str, list[str]] = {}
        if name == "intersectional":
            columns |= {_RACE: table["race"].tolist(), _SEX: table["sex"].tolist()}
        else:
            columns[_SEX if name == "sex" else _RACE] = table["category"].tolist()
        columns["# of Applicants"] = [f"{count:,}" for count in table["n"]]
        if self.kind == "selection":
            columns["# Selected"] = [f"{count:,}" for count in table["selected"]]
        columns["Selection Rate" if self.kind == "selection" else "Scoring Rate"] = [
            f"{100 * rate:.1f}%" for rate in table["rate"]
        ]
        columns["Impact Ratio"] = [
            "Excluded" if excluded else "N/A" if np.isnan(ratio) else f"{ratio:.2f}"
            for ratio, excluded in zip(table["impact_ratio"], table["excluded"], strict=True)
        ]
        return pd.DataFrame(columns)

    def to_csv(self) -> str:
        """Return all tables as one CSV with unrounded numbers, the people of unknown categories included.

        See Also
        --------
        to_html : The tables to print.
        """
        parts = []
        for name, table in self.tables.items():
            part = table.assign(table=name)
            if self.unknown_by_table[name]:
                unknown = pd.DataFrame(
                    {"table": [name], "category": ["Unknown category"], "n": [self.unknown_by_table[name]]}
                )
                part = pd.concat([part, unknown], ignore_index=True)
            parts.append(part)
        table = pd.concat(parts, ignore_index=True)
        for column in ("n", "selected"):
            table[column] = table[column].astype("Int64")
        names = [name for name in ("table", "category", "sex", "race") if name in table.columns]
        for column in names:
            table[column] = [text if isinstance(text, str) else "" for text in table[column]]
        return to_csv(table[[*names, "n", "selected", "rate", "impact_ratio", "excluded"]])

    def to_html(self, facts: AuditFacts | None = None, *, title: str = "Bias audit") -> str:
        """Return the tables and facts as one HTML file to print; it loads nothing.

        Parameters
        ----------
        facts : AuditFacts, optional
            Facts that are published beside the tables.
        title : str, default="Bias audit"
            Title of the page.

        See Also
        --------
        to_csv : The unrounded numbers.
        """
        facts = facts or AuditFacts()
        tables = [
            {"title": AUDIT_TABLES[name], "columns": list(table.columns), "rows": table.to_numpy().tolist()}
            for name, table in ((name, self.published(name)) for name in self.tables)
        ]
        return (
            environment()
            .get_template("bias_audit.html.jinja")
            .render(
                title=title,
                facts=facts.rows(excluded=self.has_excluded),
                tables=tables,
                notes=self.notes,
                auditor_sentence=AUDITOR_SENTENCE,
            )
        )

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the audit as JSON-serializable values."""
        values = {
            "kind": self.kind,
            "n": self.n,
            "unknown": self.unknown,
            "unknown_by_table": dict(self.unknown_by_table),
            "without_outcome": self.without_outcome,
            "median": self.median,
            "at_median": self.at_median,
            "min_share": self.min_share,
            "tables": {name: table.to_dict(orient="records") for name, table in self.tables.items()},
            "notes": list(self.notes),
        }
        return dict(jsonable(values))


def _people(count: int) -> str:
    return "1 person has" if count == 1 else f"{count:,} people have"


def _listed(categories: list[str]) -> str:
    shown = [f"'{category.replace(_SUFFIX, '')}'" for category in categories[:_LISTED]]
    more = len(categories) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"

"""What a study learns from, as the form has it: the tables, the target, and the rows of each site."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.catalog import Dataset
from core.datasets import TargetSummary
from core.federated import MIN_COUNT

__all__ = ["MIN_SITE_ROWS", "StudyData"]

MIN_SITE_ROWS = 4 * MIN_COUNT
"""Rows that a site needs to take part."""


@dataclass(frozen=True)
class StudyData:
    """Tables and columns that were chosen.

    Parameters
    ----------
    dataset : Dataset
        The one table, or the first of several.
    target : str
        Column to predict.
    summary : TargetSummary
        Task and values of the target.
    others : sequence of str
        Columns beside the target and the sites.
    rows : mapping of str to int
        Number of rows by site.
    site_column : str or None, default=None
        Column with the sites; None while none is chosen, or where each site has a table.
    tables : mapping of str to Dataset
        Table of each site; empty where one table has the rows of all.
    missing : str, default=""
        Reason why a study cannot start yet.
    """

    dataset: Dataset
    target: str
    summary: TargetSummary
    others: Sequence[str]
    rows: Mapping[str, int]
    site_column: str | None = None
    tables: Mapping[str, Dataset] = field(default_factory=dict)
    missing: str = ""

    @property
    def key(self) -> str:
        """Part of the keys of widgets that depend on the table and the target."""
        return f"{self.dataset.id}-{self.target}"

    @property
    def large_sites(self) -> dict[str, int]:
        """Number of rows of the sites that have enough of them to take part."""
        return {site: rows for site, rows in self.rows.items() if rows >= MIN_SITE_ROWS}

    @property
    def small_sites(self) -> dict[str, int]:
        """Number of rows of the sites that are left out."""
        return {site: rows for site, rows in self.rows.items() if rows < MIN_SITE_ROWS}

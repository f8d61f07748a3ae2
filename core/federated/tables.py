"""Tables of several sites as one, with the positions of each site's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.columns import require_columns
from core.datasets import Finding
from core.errors import InputError
from core.federated._settings import MIN_COUNT

__all__ = ["SITE_COLUMN", "SiteTables", "join_tables", "site_tables"]

SITE_COLUMN = "site"
"""Name of the column of sites where each site has a table of its own."""
_MOST_SITES = 200
_MIN_SITE_ROWS = 4 * MIN_COUNT


@dataclass(frozen=True)
class SiteTables:
    """Rows of all sites, and which are whose.

    Parameters
    ----------
    table : DataFrame
        Rows of all sites.
    site_column : str
        Column with the sites.
    rows : dict of str to array of int
        Positions of the rows of each site.
    findings : list of Finding
        Rows and sites that were left out.
    """

    table: pd.DataFrame
    site_column: str
    rows: dict[str, NDArray[np.intp]]
    findings: list[Finding]

    def frame(self, site: str) -> pd.DataFrame:
        """Return the table of a site, without the column of sites."""
        return self.table.iloc[self.rows[site]].drop(columns=self.site_column).reset_index(drop=True)


def join_tables(frames: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, str]:
    """Return the rows of several tables in one, and the name of the column that says whose each row is.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Table of each site by its name.

    Raises
    ------
    InputError
        When there is no table.

    Examples
    --------
    >>> table, column = join_tables({"a": pd.DataFrame({"x": [1]}), "b": pd.DataFrame({"x": [2]})})
    >>> column, table.values.tolist()
    ('site', [[1, 'a'], [2, 'b']])
    """
    if not frames:
        raise InputError("There are no tables.", "Give at least two.")
    column = SITE_COLUMN
    while any(column in frame.columns for frame in frames.values()):
        column += " of the study"
    return pd.concat([frame.assign(**{column: name}) for name, frame in frames.items()], ignore_index=True), column


def site_tables(
    frame_or_frames: pd.DataFrame | Mapping[str, pd.DataFrame], site_column: str | None, target: str
) -> SiteTables:
    """Return the rows of all sites in one table, with the positions of each site's.

    Parameters
    ----------
    frame_or_frames : DataFrame or mapping of str to DataFrame
        One table with a column of sites, or the table of each site.
    site_column : str or None
        Column of sites of one table.
    target : str
        Column to predict.

    Raises
    ------
    InputError
        When fewer than two sites have enough rows.
    """
    if isinstance(frame_or_frames, pd.DataFrame):
        if site_column is None:
            raise InputError("One table needs a column of sites.", "Set site_column, or give a table per site.")
        table, column = frame_or_frames.reset_index(drop=True), site_column
        require_columns(table.columns, [column, target])
    else:
        table, column = join_tables(frame_or_frames)
    names = table[column].astype(object).map(str, na_action="ignore")
    counts = names.value_counts()
    findings = []
    unknown = int(names.isna().sum())
    if unknown:
        findings.append(
            Finding(
                "no_site",
                "notice",
                column,
                f"{unknown:,} rows have no '{column}' and are left out.",
                "Fill them in if they should count.",
                {"rows": unknown},
            )
        )
    small = [str(name) for name, count in counts.items() if count < _MIN_SITE_ROWS]
    if small:
        more = f" and {len(small) - 5:,} more" if len(small) > 5 else ""
        findings.append(
            Finding(
                "small_site",
                "notice",
                column,
                f"Sites with fewer than {_MIN_SITE_ROWS} rows are left out: {', '.join(map(repr, small[:5]))}{more} "
                f"({int(counts[small].sum()):,} rows).",
                "Join small sites.",
                {"sites": len(small), "rows": int(counts[small].sum())},
            )
        )
    sites = sorted(str(name) for name, count in counts.items() if count >= _MIN_SITE_ROWS)
    if len(sites) < 2:
        raise InputError(
            f"{len(sites)} of {len(counts)} sites in '{column}' have {_MIN_SITE_ROWS} rows or more; two are needed.",
            "Choose another column of sites, or join small sites.",
        )
    if len(sites) > _MOST_SITES:
        raise InputError(
            f"'{column}' has {len(sites):,} sites; a simulation takes up to {_MOST_SITES}.", "Choose a coarser column."
        )
    return SiteTables(table, column, {site: np.flatnonzero(names == site) for site in sites}, findings)

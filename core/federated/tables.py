"""Tables of several sites as one, with the positions of each site's rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from core.columns import require_columns
from core.datasets import Finding, whole_numbers
from core.errors import InputError
from core.features import as_categories
from core.federated._settings import MIN_COUNT, FederatedSettings
from core.federated.site.site import plain_labels

__all__ = ["MIN_SITE_ROWS", "SITE_COLUMN", "SiteTables", "check_columns", "join_tables", "site_tables"]

SITE_COLUMN = "site"
"""Name of the column of sites where each site has a table of its own."""
_MOST_SITES = 200
MIN_SITE_ROWS = 4 * MIN_COUNT
"""Rows with a target that a site of a simulation needs."""


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


def join_tables(frames: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, str, list[Finding]]:
    """Return the rows of several tables in one, the column that says whose each row is, and what was converted.

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
    >>> table, column, _ = join_tables({"a": pd.DataFrame({"x": [1]}), "b": pd.DataFrame({"x": [2]})})
    >>> column, table.values.tolist()
    ('site', [[1, 'a'], [2, 'b']])
    """
    if not frames:
        raise InputError("There are no tables.", "Give at least two.")
    column = SITE_COLUMN
    while any(column in frame.columns for frame in frames.values()):
        column += " of the study"
    parts = {name: frame.assign(**{column: name}) for name, frame in frames.items()}
    findings = []
    for name in dict.fromkeys(name for frame in frames.values() for name in frame.columns):
        by_site = {site: _kind(frame[name]) for site, frame in frames.items() if name in frame.columns}
        used = {kind for kind in by_site.values() if kind}
        if len(used) < 2 and used != {"date"}:
            continue
        for site in by_site:
            parts[site][name] = _converted(parts[site][name], used)
        if len(used) > 1:
            listed = ", ".join(
                f"{kind} at {', '.join(s for s in by_site if by_site[s] == kind)}" for kind in sorted(used)
            )
            findings.append(
                Finding(
                    "site_types",
                    "notice",
                    str(name),
                    f"'{name}' has {listed}: it became {'numbers' if used == {'numbers', 'yes and no'} else 'text'}.",
                    "Read the tables again with one type if it should be another.",
                )
            )
    return pd.concat(list(parts.values()), ignore_index=True), column, findings


def _kind(column: pd.Series) -> str:
    """Return what a column holds, in the words of messages; an empty text where it has no values."""
    if not column.notna().any():
        return ""
    if types.is_bool_dtype(column.dtype):
        return "yes and no"
    if types.is_numeric_dtype(column.dtype):
        return "numbers"
    return "date" if types.is_datetime64_any_dtype(column.dtype) else "text"


def _converted(column: pd.Series, by_site: set[str]) -> pd.Series:
    """Return a column as all sites can have it: numbers, dates of UTC, or text."""
    if by_site == {"numbers", "yes and no"}:
        return column.astype("Float64").astype(float)
    if by_site == {"date"}:
        dates = pd.to_datetime(column, utc=True, errors="coerce")
        return dates.astype("datetime64[us, UTC]")
    return as_categories(column).where(column.notna(), None)


def check_columns(table: pd.DataFrame, settings: FederatedSettings, site_column: str) -> None:
    """Refuse columns that are missing, cannot be stored, or have a name that a result needs.

    Parameters
    ----------
    table : DataFrame
        Rows of all sites.
    settings : FederatedSettings
        Settings of the study.
    site_column : str
        Column of the sites.

    Raises
    ------
    InputError
        When there is such a column.
    """
    odd = [name for name in table.columns if not isinstance(name, str)]
    twice = table.columns[table.columns.duplicated()].tolist()
    if odd or twice:
        raise InputError(
            f"The column {[*odd, *twice][0]!r} has a name that is not a text, or that another one has.",
            "Rename the columns, `frame.columns = [...]`.",
        )
    named = [settings.target, site_column, *settings.sensitive_columns]
    require_columns(table.columns, [*named, *settings.drop_columns, *settings.column_types])
    for name in named:
        if name in ("row_id", "prediction") or (name.startswith("p(") and name.endswith(")")):
            raise InputError(
                f"The column '{name}' has a name that a result needs for one of its own columns.",
                f"Rename it in the table (to '{name} known', say), and upload the table again.",
            )


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
        findings: list[Finding] = []
        require_columns(table.columns, [column, target])
    else:
        table, column, findings = join_tables(frame_or_frames)
        require_columns(table.columns, [target])
    table = table.assign(**{target: _one_type(whole_numbers(table[target]))})
    names = plain_labels(table[column]).map(str, na_action="ignore")
    names = names.where(names.str.strip() != "", None)
    counts = names[table[target].notna()].value_counts().reindex(names.dropna().unique(), fill_value=0)
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
    small = [str(name) for name, count in counts.items() if count < MIN_SITE_ROWS]
    if small:
        more = f" and {len(small) - 5:,} more" if len(small) > 5 else ""
        findings.append(
            Finding(
                "small_site",
                "notice",
                column,
                f"Sites with fewer than {MIN_SITE_ROWS} rows that have a '{target}' are left out: "
                f"{', '.join(map(repr, small[:5]))}{more} ({int(counts[small].sum()):,} rows).",
                "Join small sites.",
                {"sites": len(small), "rows": int(counts[small].sum())},
            )
        )
    sites = sorted(str(name) for name, count in counts.items() if count >= MIN_SITE_ROWS)
    if len(sites) < 2:
        raise InputError(
            f"{len(sites)} of {len(counts)} sites in '{column}' have {MIN_SITE_ROWS} rows or more; two are needed.",
            "Choose another column of sites, or join small sites.",
        )
    if len(sites) > _MOST_SITES:
        raise InputError(
            f"'{column}' has {len(sites):,} sites; a simulation takes up to {_MOST_SITES}.", "Choose a coarser column."
        )
    return SiteTables(table, column, {site: np.flatnonzero(names == site) for site in sites}, findings)


def _one_type(target: pd.Series) -> pd.Series:
    """Return a target whose labels are of one type: as text, where they are not."""
    if target.dtype != object or target.dropna().map(type).nunique() < 2:
        return target
    return plain_labels(target).map(str, na_action="ignore")

"""`bias_audit`: the three tables of New York City's Local Law 144 (6 RCNY 5-300 to 5-304)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import pandas as pd

from core.errors import InputError, SettingsError
from core.fairness.local_law_144.audit_result import BiasAudit
from core.fairness.local_law_144.categories import HISPANIC, RACE_CATEGORIES, SEX_CATEGORIES, UNKNOWN_CATEGORY
from core.fairness.metrics.arrays import BoolArray, Column, FloatArray, Label, LabelArray
from core.fairness.metrics.groups import MISSING, label_text

__all__ = ["bias_audit"]

_MAX_CATEGORIES = 100
_ORDER = {category: index for index, category in enumerate((*SEX_CATEGORIES, *RACE_CATEGORIES))}


def bias_audit(
    values: Column,
    sex: Column | None = None,
    race: Column | None = None,
    *,
    kind: Literal["auto", "selection", "score"] = "auto",
    min_share: float = 0.02,
    missing: Sequence[Label] = (),
    sex_categories: Mapping[str, str | None] | None = None,
    race_categories: Mapping[str, str | None] | None = None,
) -> BiasAudit:
    """Compute the selection or scoring rates and impact ratios that Local Law 144 asks for.

    A selection rate is the share of a category that was selected. A scoring rate is the share of a category whose score
    is above the median of all scores, those of people in unknown categories included; the median itself is not above
    it. An impact ratio is a rate divided by the highest rate of its table.

    Parameters
    ----------
    values : array-like of shape (n,)
        Selections as 0 and 1 or truth values, or scores. People without a value are counted and in no table.
    sex, race : array-like of shape (n,), optional
        Category of each person; at least one of them. With both, there is an intersectional table.
    kind : {"auto", "selection", "score"}, default="auto"
        Whether the values are selections or scores; "auto" takes 0 and 1 alone for selections.
    min_share : float, default=0.02
        Share of a table's people below which a category is left out of the impact ratios; its number and rate stay.
        The law allows it below 2%, with a justification of the auditor. 0 leaves none out.
    missing : sequence of labels, default=()
        Values of `sex` and `race` that mean an unknown category, as missing cells always do.
    sex_categories, race_categories : mapping of str to str or None, optional
        Category by the text of each value; None and `UNKNOWN_CATEGORY` mean an unknown category. By default, values are
        categories as they are. `suggest_categories` makes a first draft for a person to check.

    Returns
    -------
    BiasAudit

    Raises
    ------
    InputError
        When lengths differ, the values do not fit their kind, or a mapping lacks a value.
    SettingsError
        When a setting is invalid.

    See Also
    --------
    suggest_categories : The law's categories by well-known words.
    group_metrics : Rates by group with intervals and tests.

    Examples
    --------
    >>> audit = bias_audit([1, 1, 0, 1, 0, 0], sex=["Male", "Male", "Male", "Female", "Female", None])
    >>> audit.sex[["category", "n", "selected", "rate", "impact_ratio"]].round(2).to_dict("records")[1]
    {'category': 'Female', 'n': 2, 'selected': 1, 'rate': 0.5, 'impact_ratio': 0.75}
    >>> audit.unknown
    1
    """
    if sex is None and race is None:
        raise InputError("Neither sex nor race was given.", "Give at least one of the two columns.")
    if not 0 <= min_share < 1:
        raise SettingsError(f"The smallest share is {min_share}.", "Give a share of at least 0 and below 1.")
    outcomes, chosen_kind = _outcomes(values, kind)
    assessed = np.isfinite(outcomes)
    if not assessed.any():
        raise InputError("No one has a selection or a score.", "Choose a column with values.")
    codes = {
        name: _categories(column, name, len(outcomes), mapping, missing)[assessed]
        for name, column, mapping in (("sex", sex, sex_categories), ("race", race, race_categories))
        if column is not None
    }
    known_outcomes = outcomes[assessed]
    median = float(np.median(known_outcomes)) if chosen_kind == "score" else None
    above = known_outcomes > (0.5 if median is None else median)
    tables = {name: _table({name: column}, above, min_share) for name, column in codes.items()}
    if len(codes) == 2:
        tables["intersectional"] = _table(codes, above, min_share)
    unknown = {name: pd.isna(column) for name, column in codes.items()}
    any_unknown = np.logical_or.reduce(list(unknown.values()))
    counts = {name: int(mask.sum()) for name, mask in unknown.items()}
    if len(codes) == 2:
        counts["intersectional"] = int(any_unknown.sum())
    return BiasAudit(
        sex=tables.get("sex"),
        race=tables.get("race"),
        intersectional=tables.get("intersectional"),
        kind=chosen_kind,
        n=int(assessed.sum()),
        unknown=int(any_unknown.sum()),
        unknown_by_table=counts,
        without_outcome=int((~assessed).sum()),
        median=median,
        at_median=0 if median is None else int((known_outcomes == median).sum()),
        min_share=min_share,
    )


def _outcomes(
    values: Column, kind: Literal["auto", "selection", "score"]
) -> tuple[FloatArray, Literal["selection", "score"]]:
    """Return the selections or scores as numbers, NaN where there is none, and which of both they are."""
    if kind not in ("auto", "selection", "score"):
        raise SettingsError(f"Unknown kind {kind!r}.", "Choose 'auto', 'selection' or 'score'.")
    series = pd.Series(values).reset_index(drop=True)
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    known = series[series.notna()]
    try:
        numbers = pd.to_numeric(known.astype(int) if _are_booleans(known) else known).astype(float)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The outcome is not a number in every row ({error}).",
            "Give 1 for selected and 0 for not selected, or a score.",
        ) from error
    if np.isinf(numbers).any():
        raise InputError("A score is infinite.", "Leave such rows out, and report how many they are.")
    outcomes = np.full(len(series), np.nan)
    outcomes[known.index.to_numpy()] = numbers.to_numpy()
    selections = bool(numbers.isin([0.0, 1.0]).all())
    if kind == "selection" and not selections:
        other = numbers[~numbers.isin([0.0, 1.0])].iloc[0]
        raise InputError(f"A selection is {other:g}.", "Give 1 for selected and 0 for not selected.")
    return outcomes, "selection" if kind == "selection" or (kind == "auto" and selections) else "score"


def _are_booleans(known: pd.Series) -> bool:
    return bool(len(known)) and pd.api.types.infer_dtype(known) == "boolean"


def _categories(
    column: Column, name: str, rows: int, mapping: Mapping[str, str | None] | None, missing: Sequence[Label]
) -> LabelArray:
    """Return the category of each person; None where it is unknown."""
    if len(column) != rows:
        raise InputError(f"'{name}' has {len(column):,} rows, the outcomes have {rows:,}.", "Give one value per row.")
    positions, values = pd.factorize(pd.Series(column).astype(object).reset_index(drop=True))
    if len(values) > _MAX_CATEGORIES:
        raise InputError(
            f"The column of {name} has {len(values):,} different values.", "Choose the column that holds categories."
        )
    unknown = {MISSING, *(label_text(value) for value in missing)}
    categories: list[str | None] = []
    for value in values:
        text = label_text(value)
        if text in unknown or not text.strip():
            categories.append(None)
        elif mapping is None:
            categories.append(text)
        elif text not in mapping:
            raise InputError(
                f"The value {text!r} of {name} has no category.", f"Map it to a category or to {UNKNOWN_CATEGORY!r}."
            )
        else:
            categories.append(None if mapping[text] == UNKNOWN_CATEGORY else mapping[text])
    result: LabelArray = np.array([*categories, None], dtype=object)[positions]  # a missing cell has the code -1
    return result


def _table(columns: Mapping[str, LabelArray], above: BoolArray, min_share: float) -> pd.DataFrame:
    """Return the rates and impact ratios of one table, from the people whose categories are known."""
    table = pd.DataFrame({**columns, "above": above}).dropna(subset=list(columns))
    names = list(columns)
    counts = table.groupby(names, sort=False)["above"].agg(n="size", selected="sum").reset_index()
    order = sorted(range(len(counts)), key=lambda row: _position(counts.loc[row, names].tolist()))
    counts = counts.iloc[order].reset_index(drop=True)
    counts["selected"] = counts["selected"].astype(int)
    counts["rate"] = counts["selected"] / counts["n"]
    counts["excluded"] = counts["n"] / counts["n"].sum() < min_share
    highest = counts.loc[~counts["excluded"], "rate"].max()
    ratio = counts["rate"] / highest if highest > 0 else pd.Series(np.nan, index=counts.index)
    counts["impact_ratio"] = ratio.where(~counts["excluded"])
    counts.insert(0, "category", [", ".join(row) for row in counts[names].itertuples(index=False)])
    parts = names if len(names) > 1 else []
    return counts[["category", "n", "selected", "rate", "impact_ratio", "excluded", *parts]]


def _position(categories: list[str]) -> tuple[bool, list[tuple[int, str]]]:
    """Return the place of a category in the law's tables: Hispanic or Latino first, others last by name."""
    return HISPANIC not in categories, [(_ORDER.get(category, len(_ORDER)), category) for category in categories]

"""Definitions of group fairness, and how a table of groups does by each of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypedDict

import numpy as np
import pandas as pd

from core.fairness.metrics.arrays import BoolArray, FloatArray
from core.registry import Registry

__all__ = [
    "DEFINITIONS",
    "Definition",
    "Disparity",
    "DisparityMethod",
    "comparable_groups",
    "compared_rates",
    "extreme_groups",
    "largest_difference",
    "smallest_ratio",
    "summarize",
]

FOUR_FIFTHS = 0.8
MIN_SHARE = 0.02  # of all rows: smaller groups are left out of ratios, as is usual where tables are filed

DisparityMethod: TypeAlias = Literal["between_groups", "to_overall"]


@dataclass(frozen=True)
class Definition:
    """A definition of group fairness.

    Parameters
    ----------
    name : str
        Name in tables, settings and files.
    title : str
        Usual name of the definition.
    metrics : tuple of str
        Rates that are equal in all groups when the definition holds.
    question : str
        The question that it asks.
    when : str
        Decisions that it fits.
    min_ratio : float, optional
        Smallest ratio of two groups that still counts as fair; None where there is no such rule.
    misleads : str, default=""
        Sentences on when it misleads.
    """

    name: str
    title: str
    metrics: tuple[str, ...]
    question: str
    when: str
    min_ratio: float | None = None
    misleads: str = ""

    @property
    def help(self) -> str:
        """Help text: the question, when to ask it, and when it misleads."""
        return " ".join(part for part in (self.question, self.when, self.misleads) if part)


DEFINITIONS: Registry[Definition] = Registry(
    "definition of fairness",
    [
        Definition(
            "demographic_parity",
            "Demographic parity",
            ("selection_rate",),
            "Is every group selected equally often?",
            "When the labels themselves may carry past injustice, or the law looks at outcomes.",
            misleads="It misleads where groups differ in what the decision is about: equal rates then hide that "
            "equally qualified people are treated differently.",
        ),
        Definition(
            "equalized_odds",
            "Equalized odds",
            ("true_positive_rate", "false_positive_rate"),
            "Among those with the same true label, is every group selected equally often?",
            "When the labels can be trusted and both kinds of error do harm.",
            misleads="It misleads where the true labels are past decisions, or known only of people who were selected: "
            "it then asks for more of the same.",
        ),
        Definition(
            "equal_opportunity",
            "Equal opportunity",
            ("true_positive_rate",),
            "Among those with the positive label, is every group selected equally often?",
            "When being passed over is the harm: loans, jobs, admissions.",
            misleads="It misleads where wrong selections do harm too, such as loans that cannot be repaid: it does not "
            "look at them. It trusts the true labels.",
        ),
        Definition(
            "predictive_equality",
            "Predictive equality",
            ("false_positive_rate",),
            "Among those without the positive label, is every group selected equally often?",
            "When being selected wrongly is the harm: accusations, inspections, detention.",
            misleads="It misleads where few people lack the positive label, and where being passed over does harm too: "
            "it does not look at that. It trusts the true labels.",
        ),
        Definition(
            "predictive_parity",
            "Predictive parity",
            ("precision",),
            "Does being selected mean the same in every group?",
            "When people act on the selection: inspections, treatment, referrals.",
            misleads="It misleads where groups differ in their base rates: one threshold for all can then look "
            "unequal, and a stricter one for a group can look equal.",
        ),
        Definition(
            "accuracy_parity",
            "Accuracy parity",
            ("accuracy",),
            "Is the model right equally often in every group?",
            "When both errors cost the same and no group should be served worse.",
            misleads="It misleads where one group is wrongly passed over as often as another is wrongly selected: both "
            "count as one error.",
        ),
        Definition(
            "four_fifths",
            "Four-fifths convention (29 CFR 1607.4 D)",
            ("selection_rate",),
            "Is every group selected at least 80% as often as the group selected most?",
            "When selection rates are looked at for adverse impact, as in US hiring. It is a convention, not a limit "
            "below which all is well.",
            min_ratio=FOUR_FIFTHS,
            misleads="It misleads in small groups, where chance alone gives low ratios, and in large ones, where a "
            "ratio above 80% can still be far from chance.",
        ),
    ],
)
"""Definitions of group fairness, in the order of the tables."""


def compared_rates() -> tuple[str, ...]:
    """Return the rates that the definitions compare, each once: so many chances there are to see a difference."""
    return tuple(dict.fromkeys(metric for definition in DEFINITIONS.values() for metric in definition.metrics))


class Disparity(TypedDict):
    """How far the groups are apart in one metric; `pair` holds the positions of the lowest and the highest group."""

    difference: float
    ratio: float
    pair: tuple[int, int] | None
    p_value: float


def extreme_groups(values: FloatArray, usable: BoolArray) -> tuple[int, int] | None:
    """Return the positions of the lowest and the highest usable value; None with fewer than two."""
    positions = np.flatnonzero(usable & np.isfinite(values))
    if len(positions) < 2:
        return None
    return int(positions[np.argmin(values[positions])]), int(positions[np.argmax(values[positions])])


def comparable_groups(rows: FloatArray, min_group_size: int, missing: BoolArray) -> BoolArray:
    """Return the groups whose rates others are compared with: enough rows, 2% of all of them, and not missing.

    Where that leaves no two of them, the requirements are dropped one by one.
    """
    enough, large = rows >= min_group_size, rows >= MIN_SHARE * rows.sum()
    for chosen in (enough & large & ~missing, enough & ~missing, enough):
        if chosen.sum() >= 2:
            return np.asarray(chosen, dtype=bool)
    return np.ones(len(rows), dtype=bool)


def largest_difference(
    values: FloatArray, overall: float, usable: BoolArray, method: DisparityMethod = "between_groups"
) -> float:
    """Return the largest difference between two groups, or between a group and the overall value."""
    pair = extreme_groups(values, usable)
    if method == "between_groups":
        return float("nan") if pair is None else float(values[pair[1]] - values[pair[0]])
    known = values[usable & np.isfinite(values)]
    return float(np.max(np.abs(known - overall))) if len(known) else float("nan")


def smallest_ratio(
    values: FloatArray, overall: float, usable: BoolArray, method: DisparityMethod = "between_groups"
) -> float:
    """Return the smallest ratio of two groups, or of a group and the overall value, at most 1."""
    pair = extreme_groups(values, usable)
    with np.errstate(invalid="ignore", divide="ignore"):
        if method == "between_groups":
            return float("nan") if pair is None else float(values[pair[0]] / values[pair[1]])
        known = values[usable & np.isfinite(values)] / overall
    known = known[np.isfinite(known)]
    with np.errstate(divide="ignore"):
        return float(np.min(np.minimum(known, 1 / known))) if len(known) else float("nan")


def summarize(disparities: dict[str, Disparity], labels: pd.Index) -> pd.DataFrame:
    """Return the definitions of one control level as a table.

    Parameters
    ----------
    disparities : dict
        Disparity by rate; a definition is left out unless all of its rates are there.
    labels : Index
        Names of the groups.
    """
    rows = []
    for name, definition in DEFINITIONS.items():
        parts = {metric: disparities[metric] for metric in definition.metrics if metric in disparities}
        if len(parts) < len(definition.metrics):
            continue
        known = {metric: part for metric, part in parts.items() if np.isfinite(part["difference"])}
        worst = max(known, key=lambda metric: known[metric]["difference"], default=definition.metrics[0])
        pair = parts[worst]["pair"]
        # 0 / 0 says nothing, in whichever order it comes.
        ratio = min((part["ratio"] for part in known.values() if not np.isnan(part["ratio"])), default=float("nan"))
        ruled = definition.min_ratio is not None and np.isfinite(ratio)
        rows.append(
            {
                "definition": name,
                "metric": worst,
                "difference": parts[worst]["difference"],
                "ratio": ratio,
                "lowest_group": None if pair is None else labels[pair[0]],
                "highest_group": None if pair is None else labels[pair[1]],
                # Several rates are several chances to see a difference: Bonferroni among them.
                "p_value": min((part["p_value"] * len(parts) for part in known.values()), default=float("nan")),
                "holds": bool(ratio >= (definition.min_ratio or 0.0)) if ruled else None,
            }
        )
    columns = ["definition", "metric", "difference", "ratio", "lowest_group", "highest_group", "p_value", "holds"]
    table = pd.DataFrame(rows, columns=columns).set_index("definition")
    table["p_value"] = table["p_value"].astype(float).clip(upper=1.0)
    return table

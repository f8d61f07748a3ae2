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
    "extreme_groups",
    "largest_difference",
    "smallest_ratio",
    "summarize",
]

FOUR_FIFTHS = 0.8

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
    """

    name: str
    title: str
    metrics: tuple[str, ...]
    question: str
    when: str
    min_ratio: float | None = None

    @property
    def help(self) -> str:
        """Help text: the question, and when to ask it."""
        return f"{self.question} {self.when}"


DEFINITIONS: Registry[Definition] = Registry(
    "definition of fairness",
    [
        Definition(
            "demographic_parity",
            "Demographic parity",
            ("selection_rate",),
            "Is every group selected equally often?",
            "When the labels themselves may carry past injustice, or the law looks at outcomes.",
        ),
        Definition(
            "equalized_odds",
            "Equalized odds",
            ("true_positive_rate", "false_positive_rate"),
            "Among those with the same true label, is every group selected equally often?",
            "When the labels can be trusted and both kinds of error do harm.",
        ),
        Definition(
            "equal_opportunity",
            "Equal opportunity",
            ("true_positive_rate",),
            "Among those who deserve it, is every group selected equally often?",
            "When being passed over is the harm: loans, jobs, admissions.",
        ),
        Definition(
            "predictive_parity",
            "Predictive parity",
            ("precision",),
            "Does being selected mean the same in every group?",
            "When people act on the selection: inspections, treatment, referrals.",
        ),
        Definition(
            "accuracy_parity",
            "Accuracy parity",
            ("accuracy",),
            "Is the model right equally often in every group?",
            "When both errors cost the same and no group should be served worse.",
        ),
        Definition(
            "four_fifths",
            "Four-fifths rule",
            ("selection_rate",),
            "Is every group selected at least 80% as often as the group selected most?",
            "The rule of thumb of US employment law for adverse impact.",
            min_ratio=FOUR_FIFTHS,
        ),
    ],
)
"""Definitions of group fairness, in the order of the tables."""


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

"""What is called fair: each definition, the rates it is about, and how a table of groups does by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["DEFINITIONS", "FOUR_FIFTHS", "Definition", "gaps", "ratios", "summarise", "worst_pair"]

Array = NDArray[np.float64]

FOUR_FIFTHS = 0.8


@dataclass(frozen=True)
class Definition:
    """A definition of group fairness.

    Parameters
    ----------
    title : str
        Its usual name.
    metrics : tuple of str
        Rates that are the same in all groups when it holds.
    question : str
        What it asks, in words.
    when : str
        Which decisions it fits.
    """

    title: str
    metrics: tuple[str, ...]
    question: str
    when: str


DEFINITIONS = {
    "demographic_parity": Definition(
        "Demographic parity",
        ("selection_rate",),
        "Is every group selected equally often?",
        "When the labels themselves may carry past injustice, or the law looks at outcomes.",
    ),
    "equalized_odds": Definition(
        "Equalized odds",
        ("true_positive_rate", "false_positive_rate"),
        "Among those alike in truth, is every group selected equally often?",
        "When the labels can be trusted and both kinds of error do harm.",
    ),
    "equal_opportunity": Definition(
        "Equal opportunity",
        ("true_positive_rate",),
        "Among those who deserve it, is every group selected equally often?",
        "When being passed over is the harm: loans, jobs, admissions.",
    ),
    "predictive_parity": Definition(
        "Predictive parity",
        ("precision",),
        "Does being selected mean the same in every group?",
        "When people act on the selection: inspections, treatment, referrals.",
    ),
    "accuracy_parity": Definition(
        "Accuracy parity",
        ("accuracy",),
        "Is the model right equally often in every group?",
        "When both errors cost the same and nobody shall be served worse.",
    ),
    "four_fifths": Definition(
        "Four-fifths rule",
        ("selection_rate",),
        "Is no group selected less than 80 % as often as the one selected most?",
        "The rule of thumb of US employment law for adverse impact.",
    ),
}


def worst_pair(values: Array, usable: NDArray[np.bool_]) -> tuple[int, int] | None:
    """Return the places of the lowest and the highest usable value; None with fewer than two."""
    places = np.flatnonzero(usable & np.isfinite(values))
    if len(places) < 2:
        return None
    return int(places[np.argmin(values[places])]), int(places[np.argmax(values[places])])


def gaps(values: Array, overall: float, usable: NDArray[np.bool_], method: str) -> float:
    """Return the largest difference between groups, or of a group to the overall value."""
    pair = worst_pair(values, usable)
    if method == "between_groups":
        return float("nan") if pair is None else float(values[pair[1]] - values[pair[0]])
    known = values[usable & np.isfinite(values)]
    return float(np.max(np.abs(known - overall))) if len(known) else float("nan")


def ratios(values: Array, overall: float, usable: NDArray[np.bool_], method: str) -> float:
    """Return the smallest ratio between groups, or of a group and the overall value, at most 1."""
    pair = worst_pair(values, usable)
    with np.errstate(invalid="ignore", divide="ignore"):
        if method == "between_groups":
            return float("nan") if pair is None else float(values[pair[0]] / values[pair[1]])
        known = values[usable & np.isfinite(values)] / overall
    known = known[np.isfinite(known)]
    with np.errstate(divide="ignore"):
        return float(np.min(np.minimum(known, 1 / known))) if len(known) else float("nan")


def summarise(row: dict[str, Any], labels: pd.Index) -> pd.DataFrame:
    """Return one control level's definitions as a table.

    Parameters
    ----------
    row : dict
        For each rate: difference, ratio, pair (places or None), p_value.
    labels : Index
        The groups.
    """
    table = []
    for name, definition in DEFINITIONS.items():
        parts = {metric: row[metric] for metric in definition.metrics if metric in row}
        if len(parts) < len(definition.metrics):
            continue
        known = {metric: part for metric, part in parts.items() if np.isfinite(part["difference"])}
        worst = max(known, key=lambda metric: known[metric]["difference"], default=definition.metrics[0])
        pair = parts[worst]["pair"]
        # 0 / 0 says nothing, in whichever order it comes.
        ratio = min((part["ratio"] for part in known.values() if not np.isnan(part["ratio"])), default=float("nan"))
        table.append(
            {
                "definition": name,
                "metric": worst,
                "difference": parts[worst]["difference"],
                "ratio": ratio,
                "lowest_group": None if pair is None else labels[pair[0]],
                "highest_group": None if pair is None else labels[pair[1]],
                # Several rates are several chances to find something: Bonferroni among them.
                "p_value": min((part["p_value"] * len(parts) for part in known.values()), default=float("nan")),
                "holds": bool(ratio >= FOUR_FIFTHS) if name == "four_fifths" and np.isfinite(ratio) else None,
            }
        )
    columns = ["definition", "metric", "difference", "ratio", "lowest_group", "highest_group", "p_value", "holds"]
    found = pd.DataFrame(table, columns=columns).set_index("definition")
    found["p_value"] = found["p_value"].astype(float).clip(upper=1.0)
    return found

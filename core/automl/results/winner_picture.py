"""The winner as a picture: columns, the steps that make features, the members with their weights, the prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.automl.learners.registry import learner_title

if TYPE_CHECKING:
    from core.features import FeatureStep

__all__ = ["PictureMember", "WinnerPicture", "winner_picture"]

_MAIN = (
    "n_estimators",
    "learning_rate",
    "num_leaves",
    "max_leaves",
    "max_depth",
    "min_child_samples",
    "min_child_weight",
    "max_features",
    "C",
)


@dataclass(frozen=True)
class PictureMember:
    """A model of the final one.

    Parameters
    ----------
    title : str
        Learner, and the number of its trial.
    weight : float
        Share of the prediction, 0 to 1.
    score : float or None
        Its own mean of the metric over the folds.
    parameters : dict
        Hyperparameters, the main ones first.
    """

    title: str
    weight: float
    score: float | None
    parameters: dict[str, Any]


@dataclass(frozen=True)
class WinnerPicture:
    """What the final model is made of, from the columns to the prediction.

    Parameters
    ----------
    columns : int
        Number of columns that are used.
    left_out : int
        Number of columns that are not.
    steps : list of FeatureStep or None
        Steps that make features; results of earlier versions did not keep them.
    members : list of PictureMember
        Its models, the heaviest first.
    fitted : int
        Number of fitted models whose mean it is; at least the number of members.
    prediction : str
        Description of its output.
    """

    columns: int
    left_out: int
    steps: list[FeatureStep] | None
    members: list[PictureMember]
    fitted: int
    prediction: str

    @property
    def features(self) -> int | None:
        """Number of features; None where the steps are not known."""
        return None if self.steps is None else sum(step["features"] for step in self.steps)

    @property
    def joined(self) -> str:
        """How the members become one prediction."""
        if len(self.members) > 1:
            more = "" if self.fitted == len(self.members) else f", {self.fitted} fitted models"
            return f"Weighted mean of {len(self.members)} members{more}"
        return "One model" if self.fitted == 1 else f"Mean of {self.fitted} models of the folds"

    @property
    def description(self) -> str:
        """The picture in words."""
        parts = [f"{_count(self.columns, 'column')} used"]
        if self.steps is not None:
            made = [f"{step['title'].lower()} {step['features']:,}" for step in self.steps]
            parts.append(f"{_count(self.features or 0, 'feature')} ({', '.join(made)})")
        for member in self.members:
            score = "" if member.score is None else f", score {member.score:,.4g}"
            parts.append(f"{member.title} with {member.weight:.0%}{score}")
        return "; ".join([*parts, f"{self.joined[0].lower()}{self.joined[1:]}", self.prediction])


def winner_picture(record: Mapping[str, Any]) -> WinnerPicture:
    """Return the picture of a result's winner.

    Parameters
    ----------
    record : mapping
        The result as ``result.json`` has it, also that of an earlier version.
    """
    winner = record["winner"]
    parts = winner["config"]["members"] if winner["learner"] == "blend" else [{**winner, "weight": 1.0}]
    scores = {(row["learner"], row["trial"] or None): row["score"] for row in record["leaderboard"]}
    members = [
        PictureMember(
            title=" ".join(filter(None, [learner_title(part["learner"]), str(part["trial"] or "")])),
            weight=float(part["weight"]),
            score=scores.get((part["learner"], part["trial"] or None)),
            parameters=_sorted(part["config"]),
        )
        for part in parts
    ]
    dropped = {finding["column"] for finding in record["findings"] if finding["check"] == "left_out"}
    return WinnerPicture(
        columns=len(record["features"]),
        left_out=len(dropped | set(record["settings"]["drop_columns"])),
        steps=record.get("feature_steps"),
        members=sorted(members, key=lambda member: -member.weight),
        fitted=max(winner.get("fitted") or 1, len(members)),
        prediction=_prediction(record),
    )


def _sorted(config: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in _MAIN if name in config]
    return {name: config[name] for name in [*names, *(name for name in config if name not in names)]}


def _prediction(record: Mapping[str, Any]) -> str:
    target = record["settings"]["target"]
    if record["task"] == "regression":
        return f"A number: {target}"
    if record["task"] == "binary":
        return f"Probability that {target} is {record['labels'][1]}"
    return f"Probability of each of {len(record['labels'])} classes of {target}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

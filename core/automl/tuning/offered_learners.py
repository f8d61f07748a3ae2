"""The learners that a search tries on its rows: where it chooses them itself, those that pay there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.automl._settings import AutoMLSettings
from core.automl.learners.registry import LEARNERS
from core.datasets import Finding

if TYPE_CHECKING:
    from core.automl.data.training_data import TrainingData

__all__ = ["offer_learners"]


def offer_learners(settings: AutoMLSettings, data: TrainingData) -> tuple[AutoMLSettings, list[Finding]]:
    """Return the settings without the learners that do not pay on these rows, and a finding for each of them.

    Learners that the user chose are all tried, and so is the only one that is left.

    Parameters
    ----------
    settings : AutoMLSettings
        Settings of the search.
    data : TrainingData
        Rows to learn from.
    """
    if settings.learners != "auto":
        return settings, []
    obstacles = {name: _why_left_out(name, data) for name in settings.chosen_learners}
    left_out = {name: reason for name, reason in obstacles.items() if reason}
    if len(left_out) == len(obstacles):
        left_out = {}
    unable = set(LEARNERS) - set(settings.blocked_learners) - set(obstacles)
    reasons = left_out | {name: "it cannot keep monotone relations" for name in LEARNERS if name in unable}
    findings = [
        Finding(
            "left_out",
            "notice",
            None,
            f"{LEARNERS[name].title} was not tried: {reason}.",
            "Choose the learners yourself to try it all the same." if name in left_out else "Nothing to do.",
            {"learner": name},
        )
        for name, reason in reasons.items()
    ]
    return settings.model_copy(update={"blocked_learners": (*settings.blocked_learners, *left_out)}), findings


def _why_left_out(name: str, data: TrainingData) -> str:
    check = LEARNERS[name].why_left_out
    return "" if check is None else check(data)

"""Three questions about a decision that lead to the definition of fairness that fits it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import SettingsError
from core.fairness.metrics.definitions import DEFINITIONS, Definition
from core.registry import Registry, unknown_name

__all__ = ["CRITERION_QUESTIONS", "CriterionQuestion", "Recommendation", "recommend_definition"]


@dataclass(frozen=True)
class CriterionQuestion:
    """A question about a decision.

    Parameters
    ----------
    name : str
        Name in settings.
    text : str
        The question.
    answers : dict of str to str
        Answers by name.
    """

    name: str
    text: str
    answers: Mapping[str, str]


CRITERION_QUESTIONS: Registry[CriterionQuestion] = Registry(
    "question",
    [
        CriterionQuestion(
            "rates",
            "Are selection rates by group looked at, by a law or a policy, as in US hiring?",
            {"yes": "Yes", "no": "No"},
        ),
        CriterionQuestion(
            "labels",
            "Can the true outcomes be trusted?",
            {"yes": "Yes, they were measured for everyone", "no": "No, they are past decisions, or carry them"},
        ),
        CriterionQuestion(
            "harm",
            "Does a wrong yes or a wrong no hurt more?",
            {
                "wrong_no": "A wrong no: someone is passed over",
                "wrong_yes": "A wrong yes: someone is wrongly selected, or accused",
                "both": "Both hurt",
                "action": "People act on each yes and must be able to rely on it",
                "same": "Neither: every error costs the same",
            },
        ),
    ],
)
"""The questions, in the order in which they are asked."""

_BY_HARM = {
    "wrong_no": "equal_opportunity",
    "wrong_yes": "predictive_equality",
    "both": "equalized_odds",
    "action": "predictive_parity",
    "same": "accuracy_parity",
}
_REASONS = {
    "four_fifths": "Selection rates are looked at, so the ratios of the groups' rates are what is asked for.",
    "demographic_parity": "Outcomes that cannot be trusted cannot tell right decisions from wrong ones: compare how "
    "often each group is selected.",
    "equal_opportunity": "Being passed over hurts more: compare those who have the positive label.",
    "predictive_equality": "Being selected wrongly hurts more: compare those who do not have the positive label.",
    "equalized_odds": "Both errors hurt: compare people with the same true outcome, on either side.",
    "predictive_parity": "A yes has to mean the same for everyone: compare how often it is right.",
    "accuracy_parity": "All errors cost the same: compare how often decisions are right.",
}


@dataclass(frozen=True)
class Recommendation:
    """The definition that fits a decision, and why."""

    definition: Definition
    reason: str


def recommend_definition(answers: Mapping[str, str]) -> Recommendation | None:
    """Return the definition of fairness that fits a decision; None while answers that matter are missing.

    Parameters
    ----------
    answers : mapping of str to str
        Answers by the names of `CRITERION_QUESTIONS`.

    Raises
    ------
    SettingsError
        When the question or the answer is unknown.

    Examples
    --------
    >>> recommend_definition({"rates": "no", "labels": "yes", "harm": "wrong_no"}).definition.name
    'equal_opportunity'
    >>> recommend_definition({"rates": "no", "labels": "no"}).definition.name
    'demographic_parity'
    """
    for name, answer in answers.items():
        known = CRITERION_QUESTIONS.require(name).answers
        if answer not in known:
            raise SettingsError(f"Unknown answer '{answer}' to '{name}'.", unknown_name(answer, list(known)))
    chosen = _definition_name(answers)
    return None if chosen is None else Recommendation(DEFINITIONS[chosen], _REASONS[chosen])


def _definition_name(answers: Mapping[str, str]) -> str | None:
    if answers.get("rates") == "yes":
        return "four_fifths"
    if "rates" not in answers:
        return None
    if answers.get("labels") == "no":
        return "demographic_parity"
    return _BY_HARM[answers["harm"]] if "labels" in answers and "harm" in answers else None

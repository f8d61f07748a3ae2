"""What only a person can answer about a model, asked on its card until somebody does."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.catalog import ModelVersion
from core.catalog import models as rows
from core.errors import InputError

__all__ = ["NOT_ANSWERED", "QUESTIONS", "Question", "answer", "questions"]

NOT_ANSWERED = "Not answered yet"
_LONGEST = 10_000


@dataclass(frozen=True)
class Question:
    """A question of the card.

    Parameters
    ----------
    key : str
        What the answer is kept under.
    section : str
        Key of the card's section that shows it.
    title : str
        The question.
    help : str
        What a good answer says.
    kind : str
        line, text, or choice.
    choices : tuple of str
        Of a choice.
    """

    key: str
    section: str
    title: str
    help: str = ""
    kind: Literal["line", "text", "choice"] = "text"
    choices: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self) | {"choices": list(self.choices)}


QUESTIONS = (
    Question("developers", "details", "Who made this model, and who answers for it?", "People or a team.", "line"),
    Question("contact", "details", "Whom can people ask, or tell of a mistake?", "An address that is read.", "line"),
    Question("licence", "details", "Under which licence may it be used?", "An SPDX name such as mit.", "line"),
    Question("intended_use", "uses", "What is it for?", "The decision or task it helps with, where and how often."),
    Question("users", "uses", "Who uses its answers, and whom do they affect?", "Roles, not names."),
    Question("about_people", "uses", "Are decisions about people made with it?", "", "choice", ("yes", "no")),
    Question("out_of_scope", "uses", "What must it not be used for?", "Uses that are near, and wrong."),
    Question("data_collection", "data", "How were the data collected?", "By whom, when, where, with what instrument."),
    Question("data_consent", "data", "On what ground may the data be used?", "Consent, contract, law; personal data."),
    Question(
        "data_labels", "data", "How did the target come about?", "Who judged or measured it, how well they agree."
    ),
    Question("data_gaps", "data", "Who or what is missing from the data?", "Groups, times, places, kinds of cases."),
    Question("metric_choice", "evaluation", "Why is this metric the right one?", "What a mistake of each kind costs."),
    Question("risks", "limits", "What can go wrong, and for whom?", "Likely misuse, and harm when it errs."),
    Question("mitigations", "limits", "What is done against that?", "Before, in, and after its use."),
    Question(
        "oversight", "operation", "Who looks at its answers, and can overrule or stop it?", "And how they learn to."
    ),
    Question("deployment", "operation", "Where does it run?", "Hardware, software around it, how people meet it."),
    Question("security", "operation", "How is it kept from being tampered with?", "Access, inputs, updates."),
    Question(
        "monitoring", "operation", "How will you notice that it gets worse?", "What is watched, by whom, how often."
    ),
    Question("changes", "operation", "Which changes are planned, and who decides on them?", "Retraining, thresholds."),
)


def questions() -> tuple[Question, ...]:
    """Return all questions, in the order of the card."""
    return QUESTIONS


def answer(version: ModelVersion, key: str, text: str, *, who: str = "") -> None:
    """Keep the answer to a question with a version; an empty one makes it open again.

    Raises
    ------
    InputError
        When there is no such question, or the answer is none of its choices or too long.
    """
    known = {question.key: question for question in QUESTIONS}
    if key not in known:
        raise InputError(f"The card has no question '{key[:40]}'.", f"Choose one of {', '.join(known)}.")
    text = text.strip()
    choices = known[key].choices
    if choices and text and text not in choices:
        raise InputError(f"'{text[:40]}' is no answer to '{known[key].title}'.", f"Choose one of {', '.join(choices)}.")
    if len(text) > _LONGEST:
        raise InputError(f"The answer has {len(text):,} characters; {_LONGEST:,} is the most.", "Shorten it.")
    kept = {"text": text, "who": who, "at": time.time()} if text else None
    rows.set_answer(version.model_id, version.number, key, kept, version.workspace)

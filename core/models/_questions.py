"""What only a person can answer about a model: the card asks it until there is an answer."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import JsonValue

from core.access import Access
from core.catalog import ModelVersion
from core.catalog import models as rows
from core.errors import InputError
from core.registry import Registry, unknown_name

__all__ = ["NOT_ANSWERED", "QUESTIONS", "Question", "answer", "questions"]

NOT_ANSWERED = "Not answered yet"
_MAX_CHARACTERS = 10_000


@dataclass(frozen=True)
class Question:
    """A question of the card.

    Parameters
    ----------
    key : str
        The name under which the answer is stored.
    section : str
        Key of the card's section that shows the question.
    title : str
        The question.
    help : str, default=""
        Description of a good answer.
    kind : {"line", "text", "choice"}, default="text"
        The form of the answer.
    choices : tuple of str, default=()
        The answers to choose from, when `kind` is "choice".
    """

    key: str
    section: str
    title: str
    help: str = ""
    kind: Literal["line", "text", "choice"] = "text"
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The key, as the registry calls it."""
        return self.key

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the question as JSON-serializable values."""
        return asdict(self) | {"choices": list(self.choices)}


QUESTIONS: Registry[Question] = Registry(
    "question",
    [
        Question("developers", "details", "Who made this model, and who is accountable for it?", "A team.", "line"),
        Question(
            "contact",
            "details",
            "Who is the contact for questions and mistakes?",
            "An address that someone reads.",
            "line",
        ),
        Question("licence", "details", "Which license applies to it?", "An SPDX name such as mit.", "line"),
        Question(
            "intended_use", "uses", "What is it for?", "The decision or task it helps with, where, and how often."
        ),
        Question("users", "uses", "Who uses its predictions, and who is affected by them?", "Roles, not names."),
        Question("about_people", "uses", "Is it used for decisions about people?", "", "choice", ("yes", "no")),
        Question("out_of_scope", "uses", "What must it not be used for?", "Similar uses that would be wrong."),
        Question("data_collection", "data", "How was the data collected?", "By whom, when, where, and by which means."),
        Question("data_consent", "data", "What permits the use of the data?", "Consent, contract, law; personal data."),
        Question(
            "data_labels",
            "data",
            "How was the target determined?",
            "Who judged or measured it, and how well they agree.",
        ),
        Question(
            "data_gaps", "data", "Who or what is missing from the data?", "Groups, times, places, types of cases."
        ),
        Question(
            "metric_choice",
            "evaluation",
            "Why is this the right metric?",
            "What each type of error costs.",
        ),
        Question("risks", "limits", "What can go wrong, and for whom?", "Likely misuse, and harm caused by errors."),
        Question("mitigations", "limits", "What is done about these risks?", "Before, during, and after its use."),
        Question(
            "oversight",
            "operation",
            "Who reviews its predictions, and can overrule or stop it?",
            "Also how they learn to.",
        ),
        Question("deployment", "operation", "Where does it run?", "Hardware, software around it, user interface."),
        Question("security", "operation", "How is it protected from tampering?", "Access, inputs, updates."),
        Question(
            "monitoring",
            "operation",
            "How will you notice when it gets worse?",
            "What is monitored, by whom, and how often.",
        ),
        Question(
            "changes",
            "operation",
            "Which changes are planned, and who decides on them?",
            "Retraining, thresholds.",
        ),
    ],
)


def questions() -> tuple[Question, ...]:
    """Return all questions, in the order of the card."""
    return tuple(QUESTIONS.values())


def answer(version: ModelVersion, key: str, text: str, *, access: Access) -> None:
    """Store the answer to a question with a version.

    Parameters
    ----------
    version : ModelVersion
        The version that the answer is about.
    key : str
        Key of the question.
    text : str
        The answer. An empty one makes the question open again.
    access : Access
        The workspace, and who acts in it.

    Raises
    ------
    InputError
        When there is no such question, or the answer is too long or not one of the choices.
    """
    if key not in QUESTIONS:
        raise InputError(f"The card has no question '{key[:40]}'.", unknown_name(key, QUESTIONS))
    question = QUESTIONS[key]
    text = text.strip()
    if question.choices and text and text not in question.choices:
        raise InputError(
            f"'{text[:40]}' is not an answer to '{question.title}'.", f"Choose one of: {', '.join(question.choices)}."
        )
    if len(text) > _MAX_CHARACTERS:
        raise InputError(f"The answer has {len(text):,} characters; the maximum is {_MAX_CHARACTERS:,}.", "Shorten it.")
    stored = {"text": text, "who": access.actor, "at": time.time()} if text else None
    rows.set_answer(version.model_id, version.number, key, stored, access=access)

"""The favorable outcome of a decision: which of its labels is good for the person, by known words.

Nothing here goes by the order of labels. Where words do not decide, the answer is None, and a page asks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable
from dataclasses import dataclass

__all__ = ["FavorableOutcome", "favorable_outcome", "names_decision", "outcome_participle"]

_PARTICIPLES = {
    "approved": "approve approval",
    "invited": "invite invitation",
    "hired": "hire",
    "granted": "grant",
    "accepted": "accept acceptance",
    "admitted": "admit admission",
    "promoted": "promote",
    "selected": "select",
    "shortlisted": "shortlist",
    "awarded": "award",
    "passed": "pass",
}
"""English outcomes as they follow "20 of 100", with their other forms."""

_GOOD = (
    # English without a participle of its own
    "offer eligible qualified successful good",
    # German
    "angenommen eingeladen genehmigt bewilligt zugelassen bestanden zugesagt befoerdert befordert zusage",
    # French
    "accepte acceptee approuve approuvee admis admise accorde accordee embauche embauchee invite invitee",
    # Spanish, Italian, Portuguese
    "aprobado aprobada aceptado aceptada admitido admitida contratado contratada concedido concedida invitado invitada",
    "approvato approvata accettato accettata ammesso ammessa concesso concessa invitato invitata",
    "aprovado aprovada aceito aceita contratado contratada convidado convidada",
    # Dutch
    "goedgekeurd geaccepteerd aangenomen toegelaten uitgenodigd toegekend geslaagd",
)
_BAD = (
    "reject rejected rejection deny denied denial refuse refused refusal decline declined fail failed failure",
    "dismiss dismissed ineligible unqualified disqualified disapproved unapproved unsuccessful bad",
    "abgelehnt abgewiesen verweigert durchgefallen abgesagt absage ablehnung",
    "refusee rejete rejetee recale recalee",
    "rechazado rechazada denegado denegada respinto respinta rifiutato rifiutata",
    "rejeitado rejeitada recusado recusada negado negada reprovado reprovada",
    "afgewezen geweigerd gezakt afgekeurd",
)
_YES = "yes true ja oui si sim tak da vrai verdadero verdadeiro vero"
_PAIRS = ("y n", "j n", "o n", "s n", "t f", "positive negative", "pos neg")
_NOT = "not no non nicht kein keine pas nao niet geen nie ikke inte never"
_PHRASE_WORDS = 4

_FORMS = {form: word for word, others in _PARTICIPLES.items() for form in (word, *others.split())}
_FAVORABLE = frozenset(_FORMS) | frozenset(" ".join(_GOOD).split())
_UNFAVORABLE = frozenset(" ".join(_BAD).split())
_AFFIRMATIVE = frozenset(_YES.split())
_NEGATIONS = frozenset(_NOT.split())
# In a phrase, such as "Loan approved", only what was done counts: "hospital admission" decides nothing.
_DONE = frozenset(_PARTICIPLES) - {"passed"}
_UNDONE = frozenset(("rejected", "denied", "refused", "declined"))


@dataclass(frozen=True)
class FavorableOutcome:
    """The label of an outcome that is good for the person.

    Parameters
    ----------
    label : label
        One of the given labels.
    reason : str
        Why this one, as a sentence.
    certain : bool, default=True
        Whether the label names the outcome ("approved"); False for an affirmative answer ("yes", 1), which is good only
        where the question asks about something good.
    """

    label: Hashable
    reason: str
    certain: bool = True


def favorable_outcome(labels: Iterable[Hashable]) -> FavorableOutcome | None:
    """Return the label whose outcome is good for the person, where known words decide; None where they do not.

    Parameters
    ----------
    labels : iterable of label
        Labels of the decision; duplicates and missing ones do no harm.

    See Also
    --------
    outcome_participle : The word for those who get the outcome.

    Examples
    --------
    >>> favorable_outcome(["reject", "invite"]).label
    'invite'
    >>> favorable_outcome(["yes", "no"]).reason
    "'yes' is the affirmative answer."
    >>> favorable_outcome([0, 1]).label
    1
    >>> favorable_outcome(["<=50K", ">50K"]) is None
    True
    """
    distinct = list(dict.fromkeys(label for label in labels if label is not None and label == label))
    texts = {label: _text(label) for label in distinct}
    meanings = {label: _meaning(text) for label, text in texts.items()}
    good = [label for label, meaning in meanings.items() if meaning == "good"]
    bad = [label for label, meaning in meanings.items() if meaning == "bad"]
    if len(good) == 1 and (len(distinct) <= 2 or bad or texts[good[0]] in _DONE):
        return FavorableOutcome(good[0], f"'{good[0]}' names an outcome that is good for the person.")
    if good:
        return None
    if len(distinct) == 2 and len(bad) == 1:
        other = next(label for label in distinct if label != bad[0])
        return FavorableOutcome(other, f"The other outcome, '{bad[0]}', is bad for the person.")
    affirmative = [label for label, text in texts.items() if _is_affirmative(text, set(texts.values()))]
    if len(affirmative) == 1 and not bad:
        return FavorableOutcome(affirmative[0], f"'{affirmative[0]}' is the affirmative answer.", certain=False)
    return None


def outcome_participle(label: Hashable) -> str | None:
    """Return the English word for those who get an outcome, as in "20 of 100 invited"; None where there is none.

    Examples
    --------
    >>> outcome_participle("Invite"), outcome_participle("good")
    ('invited', None)
    """
    return _FORMS.get(_text(label))


def names_decision(labels: Iterable[Hashable]) -> bool:
    """Return whether labels say what was decided on people, and not how they turned out.

    Examples
    --------
    >>> names_decision(["invited", "rejected"]), names_decision(["good", "bad"]), names_decision(["yes", "no"])
    (True, False, False)
    """
    distinct = list(labels)
    favorable = favorable_outcome(distinct)
    return favorable is not None and favorable.certain and not {"good", "bad"} & set(map(_text, distinct))


def _text(label: Hashable) -> str:
    """Return a label without case, accents, punctuation, and the fraction of a whole number."""
    text = unicodedata.normalize("NFKD", str(label).casefold())
    text = "".join(character for character in text if not unicodedata.combining(character))
    if re.fullmatch(r"\s*[+-]?\d+(\.0*)?\s*", text):
        return str(int(float(text)))
    return " ".join(re.findall(r"[^\W_]+", text))


def _meaning(text: str) -> str:
    """Return "good", "bad", or an empty string for a normalized label."""
    if text in _FAVORABLE:
        return "good"
    if text in _UNFAVORABLE:
        return "bad"
    words = text.split()
    if not 1 < len(words) <= _PHRASE_WORDS:
        return ""
    done, undone = bool(_DONE & set(words)), bool(_UNDONE & set(words))
    if words[0] in _NEGATIONS:
        rest = " ".join(words[1:])
        return "bad" if rest in _FAVORABLE or (done and not undone) else ""
    if _NEGATIONS & set(words) or done == undone:
        return ""
    return "good" if done else "bad"


def _is_affirmative(text: str, texts: set[str]) -> bool:
    if text == "1":
        return texts <= {"0", "1"} or texts == {"-1", "1"}
    pairs = (pair.split() for pair in _PAIRS)
    return text in _AFFIRMATIVE or any(text == yes and texts == {yes, no} for yes, no in pairs)

"""Which items of two frameworks a card has something on. It says what is there, not whether that is enough.

Items in short words of ours, after Annex IV of Regulation (EU) 2024/1689 and the NIST AI Risk Management Framework 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from core.models._questions import QUESTIONS

__all__ = ["ITEMS", "CoverageRow", "Item", "coverage"]

ACT = "EU AI Act, Annex IV"
RMF = "NIST AI RMF 1.0"
Status = Literal["evidence present", "asked", "missing"]


@dataclass(frozen=True)
class Item:
    """One item of a framework: what was measured for it (sections of the card), and what people are asked."""

    framework: str
    item: str
    about: str
    measured: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()


@dataclass(frozen=True)
class CoverageRow:
    """What a card has on an item.

    Parameters
    ----------
    status : str
        evidence present: all that is measured for it is there, and its questions are answered; asked: questions are
        open; missing: something was not measured, or nothing here is about it.
    where : tuple of str
        Sections, and questions.
    lacks : tuple of str
        Of these, what is not there.
    """

    framework: str
    item: str
    about: str
    status: Status
    where: tuple[str, ...]
    lacks: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable values."""
        return asdict(self) | {"where": list(self.where), "lacks": list(self.lacks)}


ITEMS = (
    Item(ACT, "1(a)", "Purpose, provider, version", ("details",), ("intended_use", "developers")),
    Item(ACT, "1(b)", "Hardware and software it interacts with", (), ("deployment",)),
    Item(ACT, "1(c)", "Versions of software", ("lineage",)),
    Item(ACT, "1(d)", "Forms in which it is put into service", (), ("deployment",)),
    Item(ACT, "1(e)", "Hardware it runs on", ("latency",), ("deployment",)),
    Item(ACT, "1(f)", "Pictures of products it is part of"),
    Item(ACT, "1(g)", "The interface for its users"),
    Item(ACT, "1(h)", "Instructions for use", (), ("intended_use", "out_of_scope", "oversight")),
    Item(ACT, "2(a)", "Methods and steps of development, pre-trained parts", ("training",)),
    Item(ACT, "2(b)", "Design, logic, what it optimises", ("training", "explanation"), ("metric_choice",)),
    Item(ACT, "2(c)", "Architecture and computing resources", ("training",)),
    Item(
        ACT, "2(d)", "Data: provenance, selection, labelling, cleaning", ("data",), ("data_collection", "data_labels")
    ),
    Item(ACT, "2(e)", "Human oversight", ("explanation",), ("oversight",)),
    Item(ACT, "2(f)", "Changes determined in advance", (), ("changes",)),
    Item(ACT, "2(g)", "Validation and testing, effects on groups", ("evaluation", "groups"), ("metric_choice",)),
    Item(ACT, "2(h)", "Security", (), ("security",)),
    Item(ACT, "3", "Capabilities, limits, accuracy for groups, inputs", ("evaluation", "groups", "limits"), ("risks",)),
    Item(ACT, "4", "Whether the metrics are appropriate", ("evaluation",), ("metric_choice",)),
    Item(ACT, "5", "Risk management", (), ("risks", "mitigations")),
    Item(ACT, "6", "Changes through its life", ("history",), ("changes",)),
    Item(ACT, "7", "Standards that were applied"),
    Item(ACT, "8", "Declaration of conformity"),
    Item(ACT, "9", "Plan of monitoring after it is put into service", (), ("monitoring",)),
    Item(RMF, "GOVERN 2.1", "Roles and responsibilities", (), ("developers", "contact")),
    Item(RMF, "GOVERN 6.1", "Parts and data of others", ("training",), ("licence", "data_consent")),
    Item(RMF, "MAP 1.1", "Purpose, context, people affected", (), ("intended_use", "users", "about_people")),
    Item(RMF, "MAP 2.1", "Tasks and methods", ("training",)),
    Item(RMF, "MAP 2.2", "Limits of what it knows, oversight", ("limits",), ("oversight",)),
    Item(RMF, "MAP 2.3", "Soundness of tests and data", ("evaluation", "data"), ("data_collection",)),
    Item(RMF, "MAP 3.4", "Skill of those who work with it", (), ("oversight",)),
    Item(RMF, "MAP 4.1", "Legal ground of parts and data", (), ("licence", "data_consent")),
    Item(RMF, "MAP 5.1", "Likelihood and size of impacts", (), ("risks",)),
    Item(RMF, "MEASURE 2.1", "Test sets, metrics, tools", ("evaluation",)),
    Item(RMF, "MEASURE 2.2", "Whether people in the data stand for those affected", (), ("data_consent", "data_gaps")),
    Item(RMF, "MEASURE 2.3", "Performance as in use", ("evaluation", "latency")),
    Item(RMF, "MEASURE 2.4", "Monitoring in use", (), ("monitoring",)),
    Item(RMF, "MEASURE 2.5", "Validity, and limits of generalising", ("evaluation", "limits")),
    Item(RMF, "MEASURE 2.6", "Safety", (), ("risks", "mitigations")),
    Item(RMF, "MEASURE 2.7", "Security and resilience", (), ("security",)),
    Item(RMF, "MEASURE 2.8", "Transparency and accountability", ("lineage",), ("contact",)),
    Item(RMF, "MEASURE 2.9", "Explanation", ("explanation",)),
    Item(RMF, "MEASURE 2.10", "Privacy", (), ("data_consent",)),
    Item(RMF, "MEASURE 2.11", "Fairness and bias", ("groups",), ("data_gaps",)),
    Item(RMF, "MEASURE 2.12", "Environmental impact"),
    Item(RMF, "MANAGE 1.3", "Responses to the largest risks", (), ("mitigations",)),
    Item(RMF, "MANAGE 2.4", "Means to overrule, replace or switch it off", ("history",), ("oversight",)),
    Item(RMF, "MANAGE 4.1", "Monitoring, feedback, and putting right", (), ("monitoring", "contact")),
)


def coverage(measured: Mapping[str, str], answered: set[str]) -> tuple[CoverageRow, ...]:
    """Tell for each item what a card has.

    Parameters
    ----------
    measured : mapping
        Key -> title of the sections that have something measured.
    answered : set of str
        Keys of the questions that are answered.

    Examples
    --------
    >>> rows = {row.item: row.status for row in coverage({"explanation": "Explanation"}, {"oversight"})}
    >>> rows["2(e)"], rows["MEASURE 2.9"], rows["MAP 3.4"], rows["9"], rows["2(g)"]
    ('evidence present', 'evidence present', 'evidence present', 'asked', 'missing')
    """
    titles = {question.key: question.title for question in QUESTIONS}
    found = []
    for item in ITEMS:
        absent = [name for name in item.measured if name not in measured]
        still_open = [titles[key] for key in item.asked if key not in answered]
        status: Status = "evidence present"
        if absent or not (item.measured or item.asked):
            status = "missing"
        elif still_open:
            status = "asked"
        where = [measured.get(name, name.capitalize()) for name in item.measured] + [titles[key] for key in item.asked]
        lacks = (*(name.capitalize() for name in absent), *still_open)
        found.append(CoverageRow(item.framework, item.item, item.about, status, tuple(where), lacks))
    return tuple(found)

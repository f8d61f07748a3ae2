"""What a card has for the items of two frameworks. It shows what is there, not whether that is enough.

The items are summaries, in our words, of Annex IV of Regulation (EU) 2024/1689 and of the NIST AI Risk Management
Framework 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import JsonValue

from core.models._questions import QUESTIONS
from core.registry import Registry

__all__ = ["ACT_DATES", "COVERAGE_ITEMS", "CoverageItem", "CoverageRow", "coverage"]

ACT = "EU AI Act, Annex IV"
RMF = "NIST AI RMF 1.0"
ACT_DATES = (
    "The EU AI Act's duties for high-risk systems apply from 2 December 2027 for the uses in its Annex III, and from "
    "2 August 2028 for the products in its Annex I (Regulation (EU) 2026/1744, which left Annex IV as it was)."
)
Status = Literal["evidence present", "asked", "missing"]


@dataclass(frozen=True)
class CoverageItem:
    """One item of a framework.

    Parameters
    ----------
    framework : str
        Title of the framework.
    item : str
        Number of the item in it.
    about : str
        Summary of what the item asks for.
    measured : tuple of str, default=()
        Keys of the card's sections that hold evidence for it.
    asked : tuple of str, default=()
        Keys of the questions that people answer for it.
    """

    framework: str
    item: str
    about: str
    measured: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Framework and number, as the registry calls the item."""
        return f"{self.framework}: {self.item}"


@dataclass(frozen=True)
class CoverageRow:
    """What a card has for an item.

    Parameters
    ----------
    framework, item, about : str
        The same as those of `CoverageItem`.
    status : {"evidence present", "asked", "missing"}
        "evidence present": everything was measured and all questions are answered. "asked": questions are open.
        "missing": something was not measured, or the card has nothing about the item.
    where : tuple of str
        Titles of the sections and questions that are about the item.
    lacks : tuple of str
        Those of them that are missing.
    """

    framework: str
    item: str
    about: str
    status: Status
    where: tuple[str, ...]
    lacks: tuple[str, ...]

    def to_dict(self) -> dict[str, JsonValue]:
        """Return the row as JSON-serializable values."""
        return asdict(self) | {"where": list(self.where), "lacks": list(self.lacks)}


COVERAGE_ITEMS: Registry[CoverageItem] = Registry(
    "item",
    [
        CoverageItem(ACT, "1(a)", "Purpose, provider, version", ("details",), ("intended_use", "developers")),
        CoverageItem(ACT, "1(b)", "Hardware and software it interacts with", (), ("deployment",)),
        CoverageItem(ACT, "1(c)", "Software versions", ("lineage",)),
        CoverageItem(ACT, "1(d)", "Forms in which it is put into service", (), ("deployment",)),
        CoverageItem(ACT, "1(e)", "Hardware it runs on", ("latency",), ("deployment",)),
        CoverageItem(ACT, "1(f)", "Pictures of products that contain it"),
        CoverageItem(ACT, "1(g)", "The interface for its users"),
        CoverageItem(ACT, "1(h)", "Instructions for use", (), ("intended_use", "out_of_scope", "oversight")),
        CoverageItem(ACT, "2(a)", "Methods and steps of development, pre-trained parts", ("training",)),
        CoverageItem(ACT, "2(b)", "Design, logic, what it optimizes", ("training", "explanation"), ("metric_choice",)),
        CoverageItem(ACT, "2(c)", "Architecture and computing resources", ("training",)),
        CoverageItem(
            ACT,
            "2(d)",
            "Data: provenance, selection, labeling, cleaning",
            ("data",),
            ("data_collection", "data_labels"),
        ),
        CoverageItem(ACT, "2(e)", "Human oversight", ("explanation",), ("oversight",)),
        CoverageItem(ACT, "2(f)", "Changes determined in advance", (), ("changes",)),
        CoverageItem(
            ACT, "2(g)", "Validation and testing, effects on groups", ("evaluation", "groups"), ("metric_choice",)
        ),
        CoverageItem(ACT, "2(h)", "Security", (), ("security",)),
        CoverageItem(
            ACT,
            "3",
            "Capabilities, limits, accuracy for groups, inputs",
            ("evaluation", "groups", "limits"),
            ("risks",),
        ),
        CoverageItem(ACT, "4", "Whether the metrics are appropriate", ("evaluation",), ("metric_choice",)),
        CoverageItem(ACT, "5", "Risk management", (), ("risks", "mitigations")),
        CoverageItem(ACT, "6", "Changes through its life cycle", ("history",), ("changes",)),
        CoverageItem(ACT, "7", "Standards applied"),
        CoverageItem(ACT, "8", "Declaration of conformity"),
        CoverageItem(ACT, "9", "Post-market monitoring plan", (), ("monitoring",)),
        CoverageItem(RMF, "GOVERN 2.1", "Roles and responsibilities", (), ("developers", "contact")),
        CoverageItem(RMF, "GOVERN 6.1", "Third-party parts and data", ("training",), ("licence", "data_consent")),
        CoverageItem(
            RMF, "MAP 1.1", "Purpose, context, people affected", (), ("intended_use", "users", "about_people")
        ),
        CoverageItem(RMF, "MAP 2.1", "Tasks and methods", ("training",)),
        CoverageItem(RMF, "MAP 2.2", "Knowledge limits, oversight", ("limits",), ("oversight",)),
        CoverageItem(RMF, "MAP 2.3", "Soundness of tests and data", ("evaluation", "data"), ("data_collection",)),
        CoverageItem(RMF, "MAP 3.4", "Skills of the people who work with it", (), ("oversight",)),
        CoverageItem(RMF, "MAP 4.1", "Legal basis of parts and data", (), ("licence", "data_consent")),
        CoverageItem(RMF, "MAP 5.1", "Likelihood and size of impacts", (), ("risks",)),
        CoverageItem(RMF, "MEASURE 2.1", "Test sets, metrics, tools", ("evaluation",)),
        CoverageItem(
            RMF, "MEASURE 2.2", "Whether people in the data represent those affected", (), ("data_consent", "data_gaps")
        ),
        CoverageItem(RMF, "MEASURE 2.3", "Performance in conditions of use", ("evaluation", "latency")),
        CoverageItem(RMF, "MEASURE 2.4", "Monitoring in production", ("monitoring",), ("monitoring",)),
        CoverageItem(RMF, "MEASURE 2.5", "Validity and limits of generalization", ("evaluation", "limits")),
        CoverageItem(RMF, "MEASURE 2.6", "Safety", (), ("risks", "mitigations")),
        CoverageItem(RMF, "MEASURE 2.7", "Security and resilience", (), ("security",)),
        CoverageItem(RMF, "MEASURE 2.8", "Transparency and accountability", ("lineage",), ("contact",)),
        CoverageItem(RMF, "MEASURE 2.9", "Explanation", ("explanation",)),
        CoverageItem(RMF, "MEASURE 2.10", "Privacy", (), ("data_consent",)),
        CoverageItem(RMF, "MEASURE 2.11", "Fairness and bias", ("groups",), ("data_gaps",)),
        CoverageItem(RMF, "MEASURE 2.12", "Environmental impact"),
        CoverageItem(RMF, "MANAGE 1.3", "Responses to the largest risks", (), ("mitigations",)),
        CoverageItem(RMF, "MANAGE 2.4", "Means to overrule, replace or deactivate it", ("history",), ("oversight",)),
        CoverageItem(RMF, "MANAGE 4.1", "Monitoring, feedback and correction", (), ("monitoring", "contact")),
    ],
)


def coverage(measured: Mapping[str, str], answered: set[str]) -> tuple[CoverageRow, ...]:
    """Return what a card has for each item.

    Parameters
    ----------
    measured : mapping of str to str
        Title by key of each section that holds evidence.
    answered : set of str
        Keys of the questions that are answered.

    Examples
    --------
    >>> rows = {row.item: row.status for row in coverage({"explanation": "Explanation"}, {"oversight"})}
    >>> rows["2(e)"], rows["MEASURE 2.9"], rows["MAP 3.4"], rows["9"], rows["2(g)"]
    ('evidence present', 'evidence present', 'evidence present', 'asked', 'missing')
    """
    return tuple(_row(item, measured, answered) for item in COVERAGE_ITEMS.values())


def _row(item: CoverageItem, measured: Mapping[str, str], answered: set[str]) -> CoverageRow:
    absent = [key for key in item.measured if key not in measured]
    open_questions = [QUESTIONS[key].title for key in item.asked if key not in answered]
    status: Status = "evidence present"
    if absent or not (item.measured or item.asked):
        status = "missing"
    elif open_questions:
        status = "asked"
    where = [measured.get(key, key.capitalize()) for key in item.measured]
    where += [QUESTIONS[key].title for key in item.asked]
    lacks = (*(key.capitalize() for key in absent), *open_questions)
    return CoverageRow(item.framework, item.item, item.about, status, tuple(where), lacks)

"""What a published bias audit says besides its tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

__all__ = ["AuditFacts"]

_NOT_STATED = "not stated"


@dataclass(frozen=True)
class AuditFacts:
    """Facts that Local Law 144 asks to publish beside the tables; what is left empty is printed as not stated.

    Parameters
    ----------
    tool : str, default=""
        Name of the tool that was used to decide, and its version.
    source : str, default=""
        Source of the data, and their period.
    explanation : str, default=""
        Explanation of the data: historical data of the tool's use, or test data, how they were made and why.
    audit_date : date, optional
        Date of the audit.
    distribution_date : date, optional
        Date from which the employer or agency uses the tool.
    auditor : str, default=""
        Independent auditor.
    justification : str, default=""
        Justification of the auditor for categories that are left out of the impact ratios.
    calculation : mapping of str to str, optional
        Facts of the calculation, such as the table's fingerprint and how values were mapped to categories.
    """

    tool: str = ""
    source: str = ""
    explanation: str = ""
    audit_date: date | None = None
    distribution_date: date | None = None
    auditor: str = ""
    justification: str = ""
    calculation: Mapping[str, str] = field(default_factory=dict)

    def rows(self, *, excluded: bool) -> list[tuple[str, str]]:
        """Return the facts by their title; the justification only where categories are excluded."""
        facts = {
            "Tool": self.tool,
            "Date of the audit": _date_text(self.audit_date),
            "Distribution date of the tool": _date_text(self.distribution_date),
            "Independent auditor": self.auditor,
            "Source of the data": self.source,
            "Explanation of the data": self.explanation,
        }
        if excluded:
            facts["Justification for excluded categories"] = self.justification
        stated = [(title, text.strip() or _NOT_STATED) for title, text in facts.items()]
        return [*stated, *self.calculation.items()]

    def missing(self, *, excluded: bool) -> tuple[str, ...]:
        """Return the titles of the facts that are not stated.

        Examples
        --------
        >>> AuditFacts(tool="Ranker 2", source="Applications of 2025", explanation="Historical data.",
        ...            auditor="A. Auditor").missing(excluded=False)
        ('Date of the audit', 'Distribution date of the tool')
        """
        return tuple(title for title, text in self.rows(excluded=excluded) if text == _NOT_STATED)


def _date_text(value: date | None) -> str:
    return "" if value is None else f"{value:%B} {value.day}, {value.year}"

"""The files of a bias audit: the page to print, and the table of unrounded numbers."""

from __future__ import annotations

import io
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pandas as pd

from core.fairness import AUDITOR_SENTENCE, RACE_CATEGORIES, AuditFacts, bias_audit


class _Tables(HTMLParser):
    """Collects the cells of a page's tables and what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.loads: list[str] = []
        self.text: list[str] = []
        self._cell = False

    def handle_starttag(self, tag: str, attributes) -> None:
        self._cell = tag in ("td", "th")
        self.loads += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        self._cell = False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._cell:
            self.cells.append(data)


def test_the_page_to_print_has_everything_and_loads_nothing() -> None:
    sex = [None, *["Male"] * 91, *["Female"] * 76]
    race = [RACE_CATEGORIES[index % len(RACE_CATEGORIES)] for index in range(168)]
    audit = bias_audit(np.random.default_rng(0).random(168), sex, race)
    facts = AuditFacts(
        tool="Ranker <2>",
        source="Applications",
        explanation="Historical data.",
        audit_date=date(2026, 1, 5),
        calculation={"Fingerprint": "abc"},
    )
    page = _Tables()
    content = audit.to_html(facts, title="Audit of <b>Ranker</b>")
    page.feed(content)
    assert page.loads == []
    assert "@media print" in content
    text = "".join(page.text)
    for piece in (
        AUDITOR_SENTENCE,
        "Ranker <2>",
        "Audit of <b>Ranker</b>",
        "January 5, 2026",
        "not stated",
        "Fingerprint",
        "1 of 168 people are in an unknown category",
    ):
        assert piece in text
    for name in audit.tables:
        table = audit.published(name)
        for cell in [*table.columns, *table.to_numpy().ravel()]:
            assert cell in page.cells
    assert facts.missing(excluded=audit.has_excluded)[0] == "Distribution date of the tool"
    assert "Justification for excluded categories" in facts.missing(excluded=True)


def test_the_csv_has_unrounded_numbers_and_the_unknown() -> None:
    sex = ["=1+1", "=1+1", "Female", None]
    audit = bias_audit([1, 0, 1, 1], sex, ["White", "Asian", "Asian", "Asian"], min_share=0)
    table = pd.read_csv(io.StringIO(audit.to_csv()))
    own = table[table["table"] == "sex"].set_index("category")
    assert own.loc["'=1+1", ["n", "selected", "rate", "impact_ratio"]].tolist() == [2, 1, 0.5, 0.5]
    assert own.loc["Unknown category", "n"] == 1
    assert set(table["table"]) == {"sex", "race", "intersectional"}
    assert audit.to_dict()["unknown_by_table"] == {"sex": 1, "race": 0, "intersectional": 1}

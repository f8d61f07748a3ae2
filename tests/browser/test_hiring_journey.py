"""From a file of decisions on applicants to a conclusion, the tables of a bias audit, and a page to hand on."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, pick, settled
from tests.browser.test_tables import import_file

RACES = ["White", "Black or African American", "Hispanic or Latino", "Asian", "Undisclosed"]


def applicants() -> pd.DataFrame:
    """Return 900 applicants, of whom women and Black people are invited more seldom."""
    random, n = np.random.default_rng(5), 900
    frame = pd.DataFrame(
        {
            "applicant": [f"A{number:04}" for number in range(n)],
            "gender": random.choice(["Woman", "Man", "X"], n, p=[0.47, 0.51, 0.02]),
            "race": random.choice(RACES, n, p=[0.5, 0.2, 0.16, 0.1, 0.04]),
            "experience": random.integers(0, 25, n),
        }
    )
    rate = 0.3 - 0.1 * (frame["gender"] == "Woman") - 0.06 * (frame["race"] == RACES[1])
    return frame.assign(outcome=np.where(random.random(n) < rate, "invited", "rejected"))


def cells(page: Page, index: int) -> dict[str, list[str]]:
    """Return the rows of one of the audit's tables by their category."""
    rows = page.get_by_test_id("stTable").nth(index).locator("tbody tr").all()
    texts = [[cell.inner_text() for cell in row.locator("th,td").all()] for row in rows]
    return {category: rest for category, *rest in texts}


@pytest.mark.nightly
def test_from_decisions_to_a_conclusion_and_an_audit(server: Server, tab: Page, tmp_path: Path) -> None:
    frame = applicants()
    frame.to_csv(tmp_path / "applicants.csv", index=False)
    import_file(tab, server, tmp_path / "applicants.csv")
    expect(tab.get_by_role("heading", name="applicants", exact=True)).to_be_visible(timeout=60_000)
    settled(tab)
    tab.get_by_role("button", name="Check decisions for fairness").click()
    counts = frame.groupby("gender")["outcome"].agg([lambda labels: (labels == "invited").sum(), "size"])
    share, other = (round(100 * invited / rows) for invited, rows in counts.loc[["Woman", "Man"]].to_numpy())
    finding = f"'Woman': {share} of 100 invited, 'Man': {other} of 100"
    expect(tab.get_by_role("heading", name=finding)).to_be_visible(timeout=60_000)
    expect(
        tab.get_by_text(f"Too few rows to judge, with 30 needed: 'X' ({counts.loc['X', 'size']} rows)")
    ).to_be_visible()
    settled(tab)

    tab.get_by_role("tab", name="Bias audit").click()
    expect(tab.get_by_text("Choose a category for 'X'")).to_be_visible()
    pick(tab, tab.get_by_role("combobox", name=re.compile(r"^X, \d+ rows")), "Unknown")
    settled(tab)
    expect(tab.get_by_test_id("stTable").nth(2)).to_be_visible()
    settled(tab)
    invited = frame["outcome"] == "invited"
    for index, (column, words) in enumerate((("gender", {"Woman": "Female", "Man": "Male"}), ("race", {}))):
        known = invited[~frame[column].isin(["X", "Undisclosed"])].groupby(frame[column].replace(words))
        table = known.agg(["size", "sum", "mean"])
        expected = {
            name: [f"{rows:.0f}", f"{chosen:.0f}", f"{rate:.1%}", f"{rate / table['mean'].max():.2f}"]
            for name, rows, chosen, rate in table.itertuples()
        }
        assert cells(tab, index) == expected
    with_both = cells(tab, 2)
    women = invited[(frame["gender"] == "Woman") & (frame["race"] == "White")]
    assert with_both["White"][:3] == ["Female", f"{len(women)}", f"{women.sum()}"]
    with tab.expect_download() as taken:
        tab.get_by_role("button", name="To print (HTML)").click()
    taken.value.save_as(tmp_path / "audit.html")
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert "http" not in re.sub(r"https?://(www\.)?w3\.org\S*", "", page), "it loads nothing"

    tab.get_by_role("tab", name="Report").click()
    settled(tab)
    tab.get_by_test_id("stPopoverButton").filter(has_text="Summary").click()
    tab.get_by_role("button", name="Make the summary").click()
    with tab.expect_download(timeout=120_000) as taken:
        tab.get_by_role("button", name="HTML", exact=True).click(timeout=120_000)
    taken.value.save_as(tmp_path / "summary.html")
    summary = (tmp_path / "summary.html").read_text(encoding="utf-8")
    assert f"{share} of 100 invited" in summary

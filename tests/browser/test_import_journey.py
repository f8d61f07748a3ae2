"""From a messy file to a sound table: the panel that says how it is read, one decision, the import."""

from __future__ import annotations

import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from core.datasets import load_frame
from tests.browser.conftest import Server, pick, settled
from tests.browser.test_tables import upload

HEADER = ["Kunde", "Umsatz", "Bestellt", "Termin", "Notiz"]
ROWS = [
    ["00123", "1.200,50 €", "14.02.2023", "03/04/2024", "gut"],
    ["00124", "980,00 €", "15.02.2023", "05/06/2024", "?"],
    ["00125", "12.001,00 €", "16.02.2023", "07/08/2024", 'sehr "gut"'],
]


def looked_at(page: Page) -> None:
    """Wait until the preview that the address names is drawn."""
    run_id = parse_qs(urlsplit(page.url).query)["import"][0]
    expect(page.locator(f".st-key-data-previewed-{run_id}")).to_be_visible()
    settled(page)


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select box, and wait until the file was looked at again."""
    address = page.url
    pick(page, page.get_by_role("combobox", name=label), option)
    page.wait_for_url(lambda url: url != address)
    looked_at(page)


def check_table(server: Server) -> None:
    """Check the newest table that the server has stored."""
    files = sorted((server.home / "artifacts").rglob("*"), key=lambda path: path.stat().st_mtime)
    table = [path for path in files if path.is_file() and path.read_bytes()[:4] == b"PAR1"][-1]
    frame = load_frame(table)
    assert frame["Kunde"].tolist() == ["00123", "00124", "00125"]
    assert frame["Umsatz"].tolist() == [1200.5, 980.0, 12001.0]
    assert [day.date() for day in frame["Bestellt"]] == [datetime.date(2023, 2, day) for day in (14, 15, 16)]
    assert [day.date() for day in frame["Termin"]] == [datetime.date(2024, *day) for day in ((4, 3), (6, 5), (8, 7))]


@pytest.mark.nightly
def test_a_messy_file_becomes_a_sound_table(server: Server, tab: Page, tmp_path: Path) -> None:
    path = tmp_path / "umsatz.csv"
    lines = ["Umsatzbericht 2024", "Erstellt am 14.02.2024", "", *(";".join(row) for row in (HEADER, *ROWS))]
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode("windows-1252"))
    upload(tab, server, path)
    expect(tab.get_by_text("All of the file was looked at: 3 rows, 5 columns.")).to_be_visible()
    for label, value in (
        ("Encoding", "windows-1252"),
        ("Delimiter", "Semicolon ;"),
        ("Header", "The first row has the names"),
        ("Decimal mark", "Comma: 1.234,5"),
    ):
        expect(tab.get_by_role("combobox", name=label)).to_have_value(value)
    expect(tab.get_by_role("spinbutton", name="Rows to skip")).to_have_value("3")
    expect(tab.get_by_test_id("stCode").get_by_text("Umsatzbericht 2024")).to_be_visible()
    choose(tab, "'Termin' holds dates", "Date, as day/month/year")
    expect(tab.get_by_text("for you to decide")).to_have_count(0)
    tab.reload()
    looked_at(tab)
    expect(tab.get_by_text("for you to decide")).to_have_count(0)
    tab.get_by_role("button", name="Import").click()
    expect(tab.get_by_role("heading", name="umsatz", exact=True)).to_be_visible(timeout=60_000)
    check_table(server)
    tab.go_back()
    expect(tab.get_by_role("button", name="Open the dataset")).to_be_visible()


@pytest.mark.nightly
def test_a_messy_workbook_becomes_a_sound_table(server: Server, tab: Page, tmp_path: Path) -> None:
    from openpyxl import Workbook

    rows = [[*row[:-1], "from a workbook"] for row in ROWS]  # another table than the one above
    book = Workbook()
    assert book.active is not None
    book.active.title = "Read me"
    book.active.append(["This sheet is hidden", "and has", "words"])
    book.active.append(["nobody", "reads", "them"])
    book.active.sheet_state = "hidden"
    for name, cells in (("Kosten", [["a", "b"], [1, 2], [3, 4]]), ("Umsatz", [["Umsatzbericht"], [], HEADER, *rows])):
        sheet = book.create_sheet(name)
        for row in cells:
            sheet.append(row)
    book.save(tmp_path / "buch.xlsx")
    upload(tab, server, tmp_path / "buch.xlsx")
    expect(tab.get_by_role("combobox", name="Sheet")).to_have_value("Kosten")
    choose(tab, "Sheet", "Umsatz")
    expect(tab.get_by_role("spinbutton", name="Rows to skip")).to_have_value("1")
    choose(tab, "'Termin' holds dates", "Date, as day/month/year")
    tab.go_back()
    looked_at(tab)
    expect(tab.get_by_text("1 column is for you to decide")).to_be_visible()
    tab.go_forward()
    looked_at(tab)
    expect(tab.get_by_text("for you to decide")).to_have_count(0)
    tab.get_by_role("button", name="Import").click()
    expect(tab.get_by_role("heading", name="buch", exact=True)).to_be_visible(timeout=60_000)
    check_table(server)

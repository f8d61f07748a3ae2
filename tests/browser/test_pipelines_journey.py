"""The example pipeline in the browser: run, changed, three steps kept, its report read, its model registered."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, press, settled

RUN_MS = 240_000


def table(path: Path) -> Path:
    """Write a table of customers, of whom those with few months and many calls leave."""
    draw = random.Random(3)
    lines = ["sex,months,calls,fee,churned"]
    for _ in range(600):
        months, calls = draw.randint(1, 60), draw.randint(0, 9)
        leaves = calls * 6 - months + draw.gauss(0, 12) > 5
        sex = draw.choice(["female", "male"])
        lines.append(f"{sex},{months},{calls},{draw.uniform(10, 90):.2f},{'yes' if leaves else 'no'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def open_tab(page: Page, name: str) -> None:
    settled(page)
    page.get_by_role("tab", name=name, exact=True).click()
    settled(page)


def graph_says(page: Page, step: str, state: str) -> None:
    expect(page.locator(".js-plotly-plot text").filter(has_text=step).filter(has_text=state)).to_be_visible()


@pytest.mark.nightly
def test_the_example_runs_again_with_a_change_and_its_model_is_registered(
    server: Server, tab: Page, tmp_path: Path
) -> None:
    tab.goto(server.page("data"))
    settled(tab)
    tab.locator("input[type=file]").first.set_input_files(table(tmp_path / "customer_data.csv"))
    button = tab.locator(".st-key-data-import").get_by_role("button")
    button.wait_for()
    press(tab, button)
    expect(tab.get_by_role("heading", name="customer_data")).to_be_visible(timeout=RUN_MS)

    tab.goto(server.page("pipelines"))
    settled(tab)
    press(tab, tab.get_by_role("button", name="Start from the example"))
    expect(tab.get_by_text(re.compile("is customer_data, version 1, 600 rows"))).to_be_visible()
    settled(tab)
    saved = tab.url
    press(tab, tab.get_by_role("button", name="Run", exact=True))
    expect(tab.get_by_role("heading", name="All 4 steps were executed")).to_be_visible(timeout=RUN_MS)
    settled(tab)
    graph_says(tab, "evaluate", "Succeeded")

    tab.goto(saved)
    open_tab(tab, "Edit")
    editor = tab.get_by_role("textbox", name="Pipeline (YAML)")
    text = editor.input_value()
    editor.fill(text.replace("test_data:", "test_dat:"))
    editor.press("Control+Enter")
    expect(tab.get_by_text(re.compile(r"line \d+, column \d+"))).to_be_visible()
    settled(tab)
    lines = text.rstrip("\n").split("\n")
    at = next(index for index, line in enumerate(lines) if "test_data:" in line)
    editor.fill("\n".join([*lines[: at + 1], "      sensitive: sex", *lines[at + 1 :], ""]))
    editor.press("Control+Enter")
    expect(tab.get_by_text("4 steps, and every connection fits.")).to_be_visible()
    settled(tab)
    tab.get_by_role("button", name="Save", exact=True).click()
    expect(tab.get_by_text("Not saved yet.")).to_be_hidden()
    open_tab(tab, "Run")
    press(tab, tab.get_by_role("button", name="Run", exact=True))
    expect(tab.get_by_role("heading", name="1 of 4 steps executed, the outputs of 3 used again")).to_be_visible(
        timeout=RUN_MS
    )
    settled(tab)
    graph_says(tab, "train_model", "Kept")
    run = tab.url

    open_tab(tab, "Compare")
    expect(tab.get_by_role("heading", name="evaluate made the difference: parameter sensitive is new")).to_be_visible()
    tab.go_back()
    tab.goto(run)
    settled(tab)
    card = tab.locator(".js-plotly-plot text").filter(has_text="evaluate")
    card.wait_for()
    box = card.bounding_box()
    assert box is not None
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] + 4)
    expect(tab).to_have_url(re.compile("step=evaluate"))
    settled(tab)
    report = tab.frame_locator("iframe[title='report.html']").frame_locator("iframe")
    expect(report.get_by_role("heading", name=re.compile("Prediction of churned"))).to_be_visible()
    tab.reload()
    expect(report.get_by_role("heading", name=re.compile("Prediction of churned"))).to_be_visible()

    tab.goto(f"{run}&step=train_model")
    settled(tab)
    tab.get_by_role("button", name="Register the model").click()
    name = tab.get_by_role("textbox", name="Name")
    name.fill("churn")
    settled(tab)
    tab.get_by_role("button", name="Register", exact=True).click()
    expect(tab.get_by_text(re.compile("Registered as churn, version 1"))).to_be_visible(timeout=RUN_MS)
    settled(tab)
    tab.get_by_role("button", name="Open the model").click()
    expect(tab).to_have_url(re.compile("models.*version=1"))
    expect(tab.get_by_role("heading", name="churn", exact=True)).to_be_visible()


@pytest.mark.nightly
def test_narrow_screens_have_the_list_of_steps(server: Server, browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(server.page("pipelines"))
    settled(page)
    press(page, page.get_by_role("button", name="Start from the example"))
    expect(page.get_by_text("4 steps as a list")).to_be_visible()
    settled(page)
    expect(page.locator(".js-plotly-plot")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()

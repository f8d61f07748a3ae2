"""In a browser, what users typed is text in every element that reads Markdown: no link, no icon, no HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, settled, start_server, stop_server
from tests.hostile import NAMES

PAGE = Path(__file__).with_name("hostile_elements.py")
KINDS = [kind for kind in re.findall(r'^    "(\w+)":', PAGE.read_text(), re.MULTILINE) if kind != "unescaped"]
HELPS = 4
READ = """within => {
    const kinds = ['stMarkdownContainer', 'stCaptionContainer'].map(kind => `${within} [data-testid=${kind}]`);
    const parts = [...document.querySelectorAll(kinds.join())];
    const anchors = parts.flatMap(part => [...part.querySelectorAll('[data-testid=stHeaderActionElements]')]);
    anchors.forEach(anchor => anchor.remove());
    const all = selector => parts.flatMap(part => [...part.querySelectorAll(selector)]);
    const links = [...document.querySelectorAll('a[href]')].map(link => link.href);
    return {
        links: links.filter(href => !href.startsWith(location.origin)),
        scripts: document.querySelectorAll('[data-testid=stApp] script').length,
        tags: [...new Set(all('*').map(part => part.tagName))],
        icons: all('[role=img]').map(icon => icon.ariaLabel),
        styled: all('[style], [class^=stMarkdown]').map(part => part.textContent).filter(text => text),
        texts: parts.map(part => part.textContent),
    };
}"""
OWN_TAGS = {
    "P",
    "H1",
    "H2",
    "H3",
    "DIV",
    "SPAN",
    "UL",
    "LI",
}  # of the elements themselves; bold where the page writes it


@pytest.fixture(scope="module")
def elements(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the page with all elements."""
    running = start_server(tmp_path_factory.mktemp("elements"), script=PAGE)
    yield running
    stop_server(running)


def as_read(text: str) -> str:
    """Return a name as a browser shows it."""
    return re.sub(r"\s+", " ", re.sub("[\u202a-\u202e]", "\ufffd", text)).strip()


def assert_inert(state: dict[str, object], kind: str) -> None:
    assert state["links"] == []
    assert set(state["icons"]) <= ({"check icon"} if kind == "badge" else set())
    assert state["scripts"] == 0
    assert state["styled"] == [] or kind == "badge"  # which is drawn by such a style itself
    assert set(state["tags"]) <= OWN_TAGS | ({"STRONG"} if kind == "bold" else set())


@pytest.mark.nightly
def test_the_same_names_are_more_than_texts_unescaped(elements: Server, tab: Page) -> None:
    tab.goto(f"{elements.url}/?kind=unescaped")
    settled(tab)
    tab.locator("[data-testid=stMarkdownContainer] a").first.wait_for()
    state = tab.evaluate(READ, "body")
    assert {"http://evil.example/a", "mailto:me@evil.example", "http://www.evil.example/"} <= set(state["links"])
    assert "home icon" in state["icons"]
    assert state["styled"]
    assert {"STRONG", "CODE", "LI"} <= set(state["tags"])


@pytest.mark.nightly
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_names_are_texts(elements: Server, tab: Page, kind: str) -> None:
    tab.goto(f"{elements.url}/?kind={kind}")
    settled(tab)
    if kind == "help":
        targets = tab.locator("[data-testid=stTooltipHoverTarget], [data-testid=stTooltipIcon] >> visible=true")
        for index in range(targets.count()):
            tab.mouse.move(0, 0)
            expect(tab.get_by_test_id("stTooltipContent")).to_have_count(0)
            targets.nth(index).hover()
            tab.get_by_test_id("stTooltipContent").first.wait_for()
            state = tab.evaluate(READ, "[data-testid=stTooltipContent]")
            assert_inert(state, kind)
            assert any("evil" in text for text in state["texts"])
        assert targets.count() >= HELPS
        return
    state = tab.evaluate(READ, "body")
    assert_inert(state, kind)
    texts = {re.sub(r"\s+", " ", text.replace("\u2060", "")).strip().removeprefix("check ") for text in state["texts"]}
    if kind in (
        "markdown",
        "caption",
        "button",
        "checkbox",
        "expander",
        "metric",
        "pills",
        "radio",
        "badge",
        "title",
        "error",
    ):
        assert [name for name in NAMES if as_read(name) not in texts] == []  # nothing of them is lost

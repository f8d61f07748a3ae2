"""What users typed is text in Markdown: by another parser, and by what Streamlit replaces after Markdown was read."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pages._ui.frame import plain
from tests.hostile import NAMES

REPLACED = {  # as in Streamlit's StreamlitMarkdown.tsx and the packages that it uses
    "address": r"(https?://|www(?=\.))([-.\w]+)",
    "mail": r"([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)",
    "icon": r":material[/_]\w+:|:streamlit:",
    "emoji": r":(?=[\w+-]*[A-Za-z+-])[\w+-]+:|:100:|:1234:",
    "symbol": r"(^|[\s\ufeff])(<->|->|<-|--|>=|<=|~=)([\s\ufeff]|$)",
    "direction": r"[\u202a-\u202e\u2066-\u2069]",
}
AROUND = (
    "{}",
    "Column {}: 5 values",
    "{}.",
    "**{}** is",
    "- {}",
    "{}:",
    "{}@{}",
    "{}.{}",
    "'{}'",
    "{}//x",
    "a {}\n\nb",
)
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
pieces = st.one_of(
    st.text(max_size=8),
    st.sampled_from(NAMES),
    st.sampled_from(
        [*"\\`*_{}[]()<>#+-.!|~$:&@/ \t\n\r", "http:", "https://", "www", "www.", "->", ":a", "x.y", "    "]
    ),
)
texts = st.lists(pieces, max_size=6).map("".join)


def shown(markdown: str) -> str:
    """Return the text of Markdown that has nothing but text in it."""
    parts = []
    for block in MARKDOWN.parse(markdown):
        assert block.type in ("paragraph_open", "inline", "paragraph_close"), block.type
        for token in block.children or ():
            assert token.type == "text", token.type
            parts.append(token.content)
    return "".join(parts)


def as_read(text: object) -> str:
    """Return a text as a browser shows it: blanks are one blank, what turns the direction is a sign."""
    turned = re.sub(r"[\u202a-\u202e\u2066-\u2069]", "\ufffd", str(text))
    return re.sub(r"[ \t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+", " ", turned).replace("\0", "\ufffd").strip(" ")


def assert_inert(text: str) -> None:
    for name, pattern in REPLACED.items():
        assert not re.search(pattern, text, re.IGNORECASE | re.ASCII), name


@settings(max_examples=60)
@given(texts)
def test_any_text_is_shown_as_it_is(text: str) -> None:
    markdown = plain(text)
    read = shown(markdown)
    assert_inert(read)
    assert_inert(markdown)  # before it is parsed as well
    assert read.replace("\u2060", "").strip() == as_read(text).replace("\u2060", "").strip()


@pytest.mark.parametrize("text", NAMES)
def test_a_hostile_name_is_shown_as_it_is(text: str) -> None:
    assert shown(plain(text)).replace("\u2060", "") == as_read(text)


@settings(max_examples=60)
@given(texts, st.sampled_from(AROUND))
def test_what_the_page_writes_around_it_makes_it_nothing_else(text: str, around: str) -> None:
    written = around.replace("{}", plain(text))
    for block in MARKDOWN.parse(written):
        for token in block.children or ():
            assert token.type in ("text", "strong_open", "strong_close"), token.type
            if token.type == "text":
                assert_inert(token.content)


@pytest.mark.parametrize("text", ["Duration (months)", "12:30:45", "a/b", "50%", "x@y", "w.w", "C:\\data", "Größe → 3"])
def test_harmless_text_has_no_hidden_characters(text: str) -> None:
    assert "\u2060" not in plain(f"{text} of rows")


@pytest.mark.parametrize("part", ["www.", "@a", "a", ":a"])
def test_a_long_text_takes_no_longer_per_character(part: str) -> None:
    def seconds(count: int) -> float:
        start = time.thread_time()  # of this thread alone: other work on the machine does not count
        plain(":" + part * count + "@" + part * count)
        return time.thread_time() - start

    assert min(seconds(20_000) for _ in range(3)) < 400 * max(seconds(500) for _ in range(3))  # quadratic: 1,600

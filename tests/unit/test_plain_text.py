"""What users named is text in every Markdown file and one line in every log."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from core.fairness import FairnessReport, group_metrics
from core.plain_text import markdown_code, markdown_text, one_line
from tests.hostile import NAMES

ROOT = Path(__file__).resolve().parents[2]
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
AROUND = ("{}", "# {}\n", "* {}\n", "1. {}\n", "> {}\n", "\n{}\n===\n", "| a |\n|---|\n| {} |\n", "**{}**")
LIVE = r"https?://[-.\w]|www\.[-.\w]|[-.\w+]@[-\w]+\.[-\w]|[\u202a-\u202e\u2066-\u2069]"
texts = st.lists(
    st.one_of(st.text(max_size=6), st.sampled_from(NAMES), st.sampled_from(list("`|\\*_[]()<>#-+=~!&\n "))), max_size=5
)


def tokens(markdown: str) -> list[tuple[str, str]]:
    return [(token.type, token.content) for block in MARKDOWN.parse(markdown) for token in block.children or ()]


@settings(max_examples=80)
@given(texts.map("".join), st.sampled_from(AROUND))
def test_any_text_is_text_in_markdown(text: str, around: str) -> None:
    wanted = [block.type for block in MARKDOWN.parse(around.replace("{}", "x"))]
    written = around.replace("{}", markdown_text(text) or "x")
    assert [block.type for block in MARKDOWN.parse(written)] == wanted
    for kind, content in tokens(written):
        assert kind in ("text", "strong_open", "strong_close"), kind
        assert not re.search(LIVE, content, re.IGNORECASE | re.ASCII)


@settings(max_examples=80)
@given(texts.map("".join))
def test_any_text_is_code_as_it_is(text: str) -> None:
    (kind, content), *others = tokens(f"x {markdown_code(text)} y")[1:-1]
    assert (kind, others) == ("code_inline", [])
    turned = re.sub(r"[\u202a-\u202e\u2066-\u2069]", "\ufffd", text).replace("\0", "\ufffd")
    assert content.strip(" ") == re.sub(r"[ \t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+", " ", turned).strip(" ")
    row = MARKDOWN.parse(f"| a | b |\n|---|---|\n| {markdown_code(text, in_table=True)} | end |\n")
    assert [block.content for block in row if block.type == "inline"][-1] == "end"


@given(st.text(max_size=40))
def test_a_text_in_a_log_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", one_line(text))


def test_a_fairness_report_has_no_markup_of_groups() -> None:
    names = [name for name in NAMES if name.strip()]
    everything = " ".join(names)

    def report(groups: list[str], words: str) -> str:
        truth = np.tile([0, 1], 20 * len(groups))
        metrics = group_metrics(truth, truth, np.repeat(groups, 40))
        return FairnessReport(f"Of {words}", {words: words}, metrics, evidence=names, caveats=names).to_markdown()

    markdown = report(names[::3], everything)
    for kind, content in tokens(markdown):
        assert kind in ("text", "softbreak"), (kind, content)
        assert not re.search(LIVE, content, re.IGNORECASE | re.ASCII)
    harmless = report([f"group {number}" for number in range(len(names[::3]))], "words")
    assert headings(markdown) == headings(harmless)


def headings(markdown: str) -> list[str]:
    return [block.tag for block in MARKDOWN.parse(markdown) if block.type == "heading_open"]


OWN = (  # values that no user names
    r"loop\.|packages|\"|parity|result\.|python|fingerprint|group_columns|forms\[|metadata\.(variant|max_length|kind|threads)|"
    r"variant\.|record\.(task|kind|rows|fingerprint|policy)|titles\[|estimate\.|gain\.|equal\.|policy\[|part\."
)


def test_templates_of_markdown_escape_what_users_named() -> None:
    paths = [path for path in (ROOT / "core").rglob("templates/*") if ".md." in path.name]
    assert len(paths) >= 5
    for path in paths:
        if path.name == "card.md.jinja":  # escapes every value itself (tests/unit/models/test_models_card.py)
            continue
        for expression in re.findall(r"\{\{ (.+?) \}\}", path.read_text()):
            assert re.search(r"\| (markdown|code)\b|map\(\"markdown\"\)", expression) or re.match(OWN, expression), (
                path.name,
                expression,
            )

"""A card as files: metadata that Hugging Face reads, markup that nothing from outside gets into."""

import json
import re
from html.parser import HTMLParser

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from core import models
from core.access import LOCAL
from core.models import format_value

EVIL = "<script>alert(1)</script> | [x](javascript:1) `a` *b* \n# not a heading\n---\n&amp;"


@pytest.fixture
def card(credit):
    version = models.resolve(
        models.register(credit.id, name=f"{EVIL.splitlines()[0]}", notes=EVIL, access=LOCAL).id, access=LOCAL
    )
    models.answer(version, "licence", "MIT", access=LOCAL)
    models.answer(version, "intended_use", EVIL, access=LOCAL)
    return models.card(version.id, access=LOCAL)


def test_hugging_face_reads_the_metadata(card, credit_result):
    read = ModelCard(card.to_markdown())
    assert read.data.license == "mit"
    assert read.data.pipeline_tag == "tabular-classification"
    results = {(result.metric_type, result.metric_name): result for result in read.data.eval_results}
    for name, title in (("roc_auc", "ROC AUC"), ("accuracy", "Accuracy"), ("f1", "F1, macro")):
        estimate = credit_result.test_metrics["f1_macro" if name == "f1" else name]
        result = results[name, title]
        assert result.metric_value == estimate.value
        assert result.metric_args == {"low": estimate.low, "high": estimate.high, "confidence": 0.95, "n": estimate.n}
        assert (result.task_type, result.dataset_split) == ("tabular-classification", "test")
        assert result.dataset_revision == credit_result.fingerprint


@pytest.mark.parametrize(("fixture", "tag"), [("diabetes", "tabular-regression"), ("reviews", "text-classification")])
def test_metadata_of_other_tasks(fixture, tag, request):
    read = ModelCard(models.card_of_run(request.getfixturevalue(fixture).id, access=LOCAL).to_markdown())
    assert read.data.pipeline_tag == tag
    assert read.data.eval_results
    assert read.data.model_name


class Parsed(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.open = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "tags are nested"

    def handle_data(self, data):
        self.words.append(data)


def test_html_is_whole_and_holds_nothing_foreign(card):
    text = card.to_html()
    page = Parsed(text)
    assert page.open == []
    assert not set(page.tags) & {"script", "a", "img", "link", "iframe", "object", "form"}
    assert not [name for name in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert not re.search(r"https?://|url\((?!#)|@import", text)
    assert page.tags.count("svg") == sum(len(section.figures) for section in card.sections) > 2
    assert "<svg" not in card.to_html(charts=False)
    assert "prefers-color-scheme:dark" in text
    assert EVIL in page.words, "an answer is shown as it was given"


def test_markdown_holds_no_markup_of_others(card):
    body = card.to_markdown().split("---\n", 2)[2]
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(body)
    types = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or []}
    assert not types & {"html_block", "html_inline", "link_open", "image", "code_inline", "fence", "hr"}
    headings = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    assert "not a heading" not in headings
    tables = [token for token in tokens if token.type == "table_open"]
    assert len(tables) == 1 + sum(bool(table.rows) for section in card.sections for table in section.tables)


def test_json_has_all_of_it(card):
    content = json.loads(card.to_json())
    assert content == json.loads(json.dumps(card.to_dict()))
    assert [section["key"] for section in content["sections"]] == [section.key for section in card.sections]
    assert content["gaps"] == [question.key for question in card.gaps]
    assert {row["status"] for row in content["coverage"]} == {"evidence present", "asked", "missing"}


def test_no_format_gives_a_verdict_on_law(card, reviews):
    for one in (card, models.card_of_run(reviews.id, access=LOCAL)):
        for text in (one.to_markdown(), one.to_html(charts=False), one.to_json()):
            assert not re.search(r"complian|certif", text, flags=re.IGNORECASE)


def test_infinite_and_missing_values_are_written():
    assert [format_value(value) for value in (float("nan"), None, float("inf"), -0.00001)] == [
        "n/a",
        "n/a",
        "inf",
        "−1e-05",
    ]

"""Addresses that nobody's link leads to: a page says what it does not find, and shows nothing of a stranger's words."""

from __future__ import annotations

import random

import pytest

from tests.golden import Golden
from tests.pages.conftest import texts, visit

MARK = "evil-7f3a"
VALUES = [
    "",
    " ",
    "-1",
    "0",
    "1e999",
    "nan",
    "99999999999999999999999999",
    "true",
    "None",
    "[]",
    '{"a": 1}',
    "../../etc/passwd",
    "%00",
    "' OR 1=1 --",
    "a" * 5_000,
    "\u202e" + MARK,
    f"<script>{MARK}</script>",
    f"[{MARK}](https://{MARK}.example)",
    f"{MARK}\nsecond line",
    f"https://{MARK}.example",
    "\x00\x1b[31m",
    "🦄" * 300,
    "0123456789abcdef",
]
PARAMETERS = {
    "data": ["dataset", "column", "tab", "import", "view", "target", "version", "preparing"],
    "automl": ["run", "dataset", "tab", "at_least", "loss", "outcome", "favorable", "row", "column", "with", "rows"],
    "federated": ["run", "dataset", "sample", "tab", "from", "target", "sites", "table", "algorithm"],
    "finetune": ["run", "dataset", "tab", "text", "label", "column"],
    "fairness": ["run", "dataset", "tab", "prediction", "label", "score", "groups", "outcome", "criterion", "with"],
    "edge": ["run", "model", "tab", "selected", "with"],
    "models": ["run", "model", "version", "tab", "view", "score", "row", "register", "with"],
    "pipelines": ["run", "pipeline", "component", "step", "tab", "with", "version"],
    "runs": ["run", "tab"],
}


@pytest.fixture(scope="module")
def opened(stocked: Golden) -> dict[str, list[dict[str, str]]]:
    """Addresses of objects that are there, by page."""
    version = {"model": stocked.model, "version": "2"}
    return {
        "data": [{}, {"dataset": stocked.credit}, {"dataset": stocked.decisions, "tab": "Reading"}],
        "automl": [{"dataset": stocked.credit}, {"run": stocked.binary}, {"run": stocked.number, "tab": "Decide"}],
        "federated": [
            {},
            {"dataset": stocked.credit, "target": "credit", "sites": "purpose"},
            {"from": "tables", "table": stocked.credit},
        ],
        "finetune": [{"run": stocked.text}, {"dataset": stocked.reviews}],
        "fairness": [
            {"run": stocked.binary},
            {"dataset": stocked.decisions},
            {"run": stocked.binary, "tab": "Compare"},
        ],
        "edge": [{}, {"run": stocked.text_export}, {"run": stocked.text_measured}, {"run": stocked.smallest}],
        "models": [version, version | {"tab": "Card"}, version | {"tab": "Score", "score": "row"}],
        "pipelines": [{}, {"component": "train_xgboost"}],
        "runs": [{}, {"run": stocked.binary}],
    }


@pytest.mark.nightly
@pytest.mark.parametrize("page", PARAMETERS)
def test_a_page_stands_whatever_its_address_says(page: str, opened: dict[str, list[dict[str, str]]]) -> None:
    draw = random.Random(page)
    for _ in range(25):
        names = draw.sample(PARAMETERS[page], draw.randint(1, min(3, len(PARAMETERS[page]))))
        query = draw.choice(opened[page]) | {name: draw.choice(VALUES) for name in names}
        test = visit(page, **query)
        shown = texts(test)
        assert not test.exception, query
        assert test.title, query
        assert "Traceback" not in shown, query
        assert MARK not in shown, query

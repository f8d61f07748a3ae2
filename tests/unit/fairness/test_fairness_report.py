"""The verdict and the report: what they say is in the figures, they load nothing, and names of users are only text."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from core.errors import SettingsError
from core.fairness import (
    DEFINITIONS,
    RATES,
    SCORE_METRICS,
    TECHNIQUES,
    FairnessReport,
    conclude,
    group_metrics,
    optimize_thresholds,
    score_table,
    verdict,
)


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(0)
    group = random.choice(["<b>men</b>", "women|all", "few"], 2_000, p=[0.5, 0.49, 0.01])
    truth = random.integers(0, 2, 2_000)
    score = np.clip(0.5 * truth + 0.5 * random.random(2_000) + 0.1 * (group == "women|all") - 0.1, 0, 1)
    return truth, score, group


@pytest.fixture(scope="module")
def metrics(rows):
    truth, score, group = rows
    return group_metrics(truth, (score > 0.5).astype(int), group, y_score=score)


@pytest.fixture(scope="module")
def report(rows, metrics):
    truth, score, group = rows
    table = score_table(truth, score, group)
    policy = optimize_thresholds(table, constraint="equalized_odds")
    return FairnessReport(
        "Fairness of <script>alert(1)</script>",
        {"Fingerprint": "abc", "Rows": "2,000"},
        metrics,
        "equalized_odds",
        policy.to_dict(),
        table.under(policy),
        pd.DataFrame({"technique": ["reweighing"], "accuracy": [0.5]}),
    )


def test_verdict_names_groups_gap_interval_and_chance(metrics):
    said = verdict(metrics)
    values = metrics.by_group["selection_rate"].drop("few")
    gap = 100 * (values.max() - values.min())
    low_people, high_people = (round(100 * value) for value in (values.min(), values.max()))
    assert said.startswith(
        f"'{values.idxmin()}': {low_people} of 100 selected, '{values.idxmax()}': {high_people} of 100"
    )
    assert f"(gap {gap:.1f} points [" in said
    low, high = map(float, re.search(r"\[(-?[\d.]+), (-?[\d.]+)\]", said).groups())
    assert 0 < low < gap < high
    assert "would be rare by chance alone (p = 0.0" in said


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_every_definition_has_a_sentence(metrics, definition):
    conclusion = conclude(metrics, definition)
    assert verdict(metrics, definition) == conclusion.text
    assert all(sentence.endswith(".") for sentence in (conclusion.finding, *conclusion.notes))
    assert "'few'" not in conclusion.finding, "groups with few rows are not compared"
    assert any(note.startswith("Too few rows to judge") and "'few'" in note for note in conclusion.notes)


def test_chance_is_named_where_it_can_explain():
    random = np.random.default_rng(1)
    truth, decided = random.integers(0, 2, (2, 400))
    assert "chance alone can explain" in verdict(group_metrics(truth, decided, random.choice(["a", "b"], 400)))


def test_too_few_rows_and_numbers_have_a_sentence_too():
    few = group_metrics([0, 1, 0, 1], [0, 1, 1, 1], ["a", "a", "b", "b"])
    assert "No two groups have enough rows" in verdict(few)
    random = np.random.default_rng(2)
    truth = random.normal(size=500)
    group = random.choice(["a", "b"], 500)
    shifted = group_metrics(truth, truth + 0.2 * random.normal(size=500) + (group == "b"), group)
    assert verdict(shifted).startswith("Predictions for 'b' are higher, compared with the truth, by ")


def test_unknown_definition_is_refused(metrics):
    with pytest.raises(SettingsError, match="Unknown definition of fairness 'luck'"):
        verdict(metrics, "luck")


class Reader(HTMLParser):
    """Collects tags, and the addresses they would load."""

    def __init__(self):
        super().__init__()
        self.tags, self.loads = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [value for name, value in attributes if name in ("src", "href")]


def test_html_is_one_file_with_charts_and_tables(report):
    reader = Reader()
    reader.feed(report.to_html())
    assert reader.loads == []
    assert "script" not in reader.tags
    assert "b" in reader.tags, "the verdict alone is bold"
    assert reader.tags.count("svg") == 2, "one for each rate of equalized odds"
    assert reader.tags.count("table") == len(report.tables()) + 1
    assert "&lt;b&gt;men&lt;/b&gt;" in report.to_html()


def test_markdown_has_every_table_and_caveat(report):
    text = report.to_markdown()
    for name in report.tables():
        assert f"## {name}" in text
    assert "women\\|all" in text
    assert "## Caveats" in text
    assert "Fingerprint" in text
    widths = {line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("|")}
    assert min(widths) >= 3


def test_tables_hold_the_figures(report, metrics):
    tables = report.tables()
    assert tables["Groups"]["selection_rate"].tolist() == metrics.by_group["selection_rate"].tolist()
    assert set(tables["Rules"]["group"]) == {"<b>men</b>", "women|all", "few"}
    assert "few" in set(tables["Too few rows to compare"]["group"])


def test_people_read_titles_and_files_keep_names(rows, metrics, report):
    truth, _, group = rows
    text = report.to_markdown()
    names = {*DEFINITIONS, *RATES, *SCORE_METRICS, *TECHNIQUES, "p_value", "lowest_group", "below_four_fifths"}
    assert not {name for name in names if re.search(rf"\b{name}\b", text) and "_" in name}
    for record in (DEFINITIONS["four_fifths"], RATES["true_positive_rate"], TECHNIQUES["reweighing"]):
        assert f"| {record.title} |" in text
    assert set(report.tables()["Definitions"]["definition"]) <= set(DEFINITIONS)
    # A column of the data keeps its name, also one that reads like one of ours.
    columns = pd.DataFrame({"group_code": group, "selection_rate": 1})
    named = FairnessReport("Names", {}, group_metrics(truth, truth, columns)).to_markdown()
    assert "| group_code | selection_rate | Metric | Value |" in named.replace("\\", "")


def test_a_group_without_a_rule_of_its_own_is_marked(report):
    rules = report.tables()["Rules"].set_index("group")["own_rule"]
    assert rules.groupby(level=0).first().to_dict() == {"<b>men</b>": True, "women|all": True, "few": False}
    assert re.search(r"\| few \| .* \| no \|", report.to_markdown())

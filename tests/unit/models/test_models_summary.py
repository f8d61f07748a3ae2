"""Summaries of searches and trainings: their numbers are those of the stored predictions, and gaps have reasons."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, mean_absolute_error, precision_score, recall_score

from core import models, policies
from core.access import LOCAL
from core.catalog import runs
from core.demo import POLICY
from core.errors import RegistryError
from core.fairness import ThresholdPolicy
from core.summary import ResultSummary, SummaryNotes, render_html, summarize_model

EVIL = "</h1><script>alert('x')</script> *b* {{ 7 * 7 }} ${x}"


def hundred(sentence: str) -> int:
    """Return the number after the words of a natural frequency."""
    match = re.search(r"(\d+) \(95% interval", sentence)
    assert match is not None, sentence
    return int(match[1])


def sentence(summary: ResultSummary, key: str, beginning: str) -> str:
    return next(text for text in summary[key].text if text.startswith(beginning))


def test_two_classes_are_counted_as_scikit_learn_does(credit, credit_result):
    summary = summarize_model(credit.id, access=LOCAL)
    test = credit_result.test
    truth, predicted = test["credit"] == "good", test["prediction"] == "good"
    recall, precision = recall_score(truth, predicted), precision_score(truth, predicted)
    assert summary.answer == (
        f"Finds {100 * recall:.0f} of 100 rows of 'good'; {100 * (1 - precision):.0f} of 100 alarms are false."
    )
    (tn, fp), _ = confusion_matrix(truth, predicted)
    assert hundred(sentence(summary, "answer", "Of 100 other rows")) == round(100 * fp / (fp + tn))
    assert hundred(sentence(summary, "answer", "Of 100 rows, this many have 'good'")) == round(100 * truth.mean())
    assert f"{truth.sum()} test rows" in sentence(summary, "answer", "Of 100 rows with 'good'")
    assert f"{predicted.sum()} test rows" in sentence(summary, "answer", "Of 100 alarms")
    assert credit_result.verdict in summary["certainty"].text
    assert any("60 of them of the rarest class" in text for text in summary["certainty"].text)
    estimate = credit_result.test_metrics["roc_auc"]
    name, value, interval = summary["certainty"].tables[0].rows[0][:3]
    assert name == "ROC AUC"
    assert float(value) == pytest.approx(estimate.value, abs=0.006)
    assert [float(bound) for bound in interval.split(" to ")] == pytest.approx([estimate.low, estimate.high], abs=0.006)


def test_the_rule_in_force_is_the_decision(credit, credit_result):
    test = credit_result.test
    policies.keep(credit, "for all", ThresholdPolicy.for_all(0.35, settings={"positive": "bad"}), access=LOCAL)
    summary = summarize_model(credit.id, access=LOCAL)
    truth, named = test["credit"] == "bad", test["p(bad)"] >= 0.35
    recall, precision = recall_score(truth, named), precision_score(truth, named)
    assert summary.answer == (
        f"Finds {100 * recall:.0f} of 100 rows of 'bad'; {100 * (1 - precision):.0f} of 100 alarms are false."
    )
    assert "'bad' from 0.35 on, for all rows" in sentence(summary, "answer", "The decision is the rule in force")
    policies.keep(credit, "by sex", POLICY, access=LOCAL)
    summary = summarize_model(credit.id, access=LOCAL)
    truth, named = test["credit"] == "good", test["p(good)"] >= test["sex"].map({"female": 0.55, "male": 0.65})
    assert summary.answer.startswith(f"Finds {100 * recall_score(truth, named):.0f} of 100 rows of 'good'")
    assert summary["groups"].text[0].startswith("Groups are counted by the model's own labels")
    policies.choose(credit, policies.NO_POLICY, access=LOCAL)
    own = recall_score(truth, test["prediction"] == "good")
    assert summarize_model(credit.id, access=LOCAL).answer.startswith(f"Finds {100 * own:.0f} of 100")


def test_groups_have_their_shares_of_a_hundred(credit, credit_result):
    summary = summarize_model(credit.id, access=LOCAL)
    test = credit_result.test
    table = next(table for table in summary["groups"].tables if table.columns[0] == "sex")
    column = table.columns.index("Selection rate, of 100")
    for row in table.rows:
        own = test[test["sex"] == row[0]]
        assert int(row[1]) == len(own)
        assert int(row[column].split()[0]) == round(100 * (own["prediction"] == "good").mean())


def test_many_classes_have_a_table(finish, wine_frame, wine_result):
    summary = summarize_model(finish(wine_result, wine_frame).id, access=LOCAL)
    test = wine_result.test
    right = (test["cultivar"] == test["prediction"]).mean()
    assert summary.answer.startswith(f"Names the right class for {100 * right:.0f} of 100 rows (always the most")
    rows = {row[0]: row for row in summary["answer"].tables[0].rows}
    assert set(rows) == {"1", "5", "9"}
    for label in (1, 5, 9):
        truth, predicted = test["cultivar"] == label, test["prediction"] == label
        caught, wrong = (int(cell.split()[0]) for cell in rows[str(label)][2:])
        assert caught == round(100 * recall_score(truth, predicted))
        assert wrong == round(100 * (1 - precision_score(truth, predicted)))


def test_a_number_is_off_by_so_much(diabetes, diabetes_result):
    summary = summarize_model(diabetes.id, access=LOCAL)
    test = diabetes_result.test
    error = mean_absolute_error(test["progression"], test["prediction"])
    value = float(re.search(r"off by ([\d.]+) on average", summary.answer)[1])
    assert value == pytest.approx(error, rel=0.02)
    half, most = map(float, re.findall(r"at most ([\d.]+) for", sentence(summary, "answer", "Off by at most")))
    errors = np.abs(test["progression"] - test["prediction"])
    assert half == pytest.approx(np.quantile(errors, 0.5, method="inverted_cdf"), rel=0.02)
    assert most == pytest.approx(np.quantile(errors, 0.9, method="inverted_cdf"), rel=0.02)


def test_a_training_says_what_it_cannot_have(reviews):
    summary = summarize_model(reviews.id, access=LOCAL)
    assert summary.kind == "Summary of a training"
    assert summary["answer"].text
    assert "reads one text" in summary["drivers"].missing
    assert "not looked for" in summary["failures"].missing


def test_what_nobody_said_is_said_and_what_they_say_is_taken_literally(credit):
    summary = summarize_model(credit.id, access=LOCAL)
    assert "Nobody has said yet" in summary["use"].missing
    assert "what it is for" in summary["question"].missing
    assert dict(summary.facts)["Author"] == "not stated"
    notes = SummaryNotes(author=EVIL, out_of_scope=EVIL, intended_use="To choose whom to call.")
    summary = summarize_model(credit.id, notes, access=LOCAL)
    assert summary["use"].text[0] == EVIL
    assert not summary["use"].missing
    page = render_html(summary, ["<svg></svg>"] * len(summary.charts))
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "49" not in page.split("&lt;script&gt;")[1][:60]
    assert not re.search(r"(src|href)=|https?://|@import", page)
    assert ResultSummary.from_dict(json.loads(json.dumps(summary.to_dict()))) == summary


def test_answers_of_the_card_are_taken(credit):
    version = models.resolve(models.register(credit.id, name="Risk", access=LOCAL).id, access=LOCAL)
    models.answer(version, "out_of_scope", "To refuse without a person.", access=LOCAL)
    summary = summarize_model(credit.id, access=LOCAL)
    assert summary["use"].text[0] == "To refuse without a person."
    assert dict(summary.facts)["Model"] == "Risk, version 1"
    own = SummaryNotes(out_of_scope="To set prices.")
    assert summarize_model(credit.id, own, access=LOCAL)["use"].text[0] == "To set prices."


def test_a_run_without_a_model_is_refused(credit):
    run = runs.get(credit.id, access=LOCAL)
    other = runs.add(type(run)(workspace="local", task="check", title="x"), access=LOCAL)
    with pytest.raises(RegistryError, match="does not make a model"):
        summarize_model(other.id, access=LOCAL)

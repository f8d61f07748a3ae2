"""What to try next follows from what a training has shown; nothing is advised where its model is clearly better."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.datasets import Finding
from core.evaluation import Estimate
from core.finetune import FineTuneSummary, next_tries


def summary_of(plain: Any, gain: Estimate | None, **values: Any) -> FineTuneSummary:
    """The summary of a training, as if its model were better than words alone by so much."""
    differences = {} if gain is None else {"tfidf": gain}
    fields = {name: getattr(plain.result, name) for name in FineTuneSummary.__dataclass_fields__}
    return replace(FineTuneSummary(**fields), differences=differences, **values)


UNCLEAR = Estimate(0.01, -0.02, 0.04, 200)


def history(metric: list[float], losses: list[float]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [{"step": 10 * index, "loss": loss} for index, loss in enumerate(losses)]
    return lines + [{"step": 100 * (index + 1), "accuracy": value} for index, value in enumerate(metric)]


def facts(best_step: int) -> dict[str, Any]:
    return {"steps": 300, "best_step": best_step, "trainable": 1_000, "precision": "float32"}


def changes(summary: FineTuneSummary) -> list[dict[str, Any]]:
    return [dict(advice.changes) for advice in next_tries(summary)]


@pytest.mark.parametrize("gain", [Estimate(0.05, 0.01, 0.09, 200), None])
def test_nothing_is_advised_without_need(plain, gain):
    assert next_tries(summary_of(plain, gain)) == []


@pytest.mark.parametrize("gain", [UNCLEAR, Estimate(-0.05, -0.09, -0.01, 200), Estimate(0.1, None, None, 20)])
def test_a_model_that_still_learned_gets_more_epochs(plain, gain):
    values = {"history": history([0.5, 0.6, 0.7], [1.0, 0.7, 0.5, 0.3]), "training": facts(300)}
    first = next_tries(summary_of(plain, gain, **values))[0]
    assert dict(first.changes) == {"epochs": 2 * plain.result.settings.epochs}
    assert "The last of the 3 epochs was the best by Accuracy" in first.reason


def test_a_loss_that_hardly_fell_gets_a_higher_rate(plain):
    settings = plain.result.settings.model_copy(update={"learning_rate": 1e-5})
    values = {"history": history([0.6, 0.5], [0.70, 0.70, 0.69, 0.69]), "training": facts(100), "settings": settings}
    assert {"learning_rate": pytest.approx(3e-5)} in changes(summary_of(plain, UNCLEAR, **values))


def test_the_rate_is_not_raised_beyond_the_highest(plain):
    settings = plain.result.settings.model_copy(update={"learning_rate": 1e-3})
    values = {"history": history([0.6, 0.5], [0.70, 0.70, 0.69, 0.69]), "training": facts(200), "settings": settings}
    assert not any("learning_rate" in change for change in changes(summary_of(plain, UNCLEAR, **values)))


def test_what_learned_by_heart_gets_a_lower_rate(plain):
    values = {"history": history([0.7, 0.6, 0.5], [0.7, 0.3, 0.1, 0.0]), "training": facts(100)}
    rate = plain.result.settings.learning_rate / 2
    assert {"learning_rate": rate} in changes(summary_of(plain, UNCLEAR, **values))


def test_adapters_get_ten_times_the_rate_and_the_other_weights(plain):
    settings = plain.result.settings.model_copy(update={"lora": 8, "learning_rate": 5e-5})
    tries = changes(summary_of(plain, UNCLEAR, settings=settings))
    assert {"learning_rate": pytest.approx(5e-4)} in tries
    assert {"lora": None, "freeze_layers": 0, "learning_rate": 5e-5} in tries


def test_texts_that_are_cut_are_read_further(plain):
    cut = Finding("truncated_text", "alert", "text", "Cut.", values={"share": 0.4})
    assert {"max_length": 96} in changes(summary_of(plain, UNCLEAR, findings=[cut]))
    assert {"max_length": 96} not in changes(summary_of(plain, UNCLEAR, findings=[]))


def test_few_texts_are_named_and_no_training_is_offered_for_that(plain):
    last = next_tries(summary_of(plain, UNCLEAR))[-1]
    assert (last.title, dict(last.changes)) == ("Label more texts", {})
    assert "It learned from 210 texts" in last.reason


def test_each_change_is_a_valid_setting(plain):
    settings = plain.result.settings
    for changed in changes(summary_of(plain, UNCLEAR)):
        assert not changed or settings.model_dump() != settings.model_dump() | changed
        type(settings).model_validate(settings.model_dump() | changed)


def test_few_texts_per_class_are_better_learned_in_pairs(plain):
    rows = {**plain.result.rows, "train": 30}
    first = next_tries(summary_of(plain, UNCLEAR, rows=rows))[0]
    assert dict(first.changes) == {"few_shot": True}
    assert "It had 15 texts per class" in first.reason
    assert {"few_shot": True} not in changes(summary_of(plain, UNCLEAR))
    settings = plain.result.settings.model_copy(update={"few_shot": True})
    assert {"few_shot": True} not in changes(summary_of(plain, UNCLEAR, rows=rows, settings=settings))


def test_texts_without_a_label_can_be_read_first(plain):
    left_out = Finding("missing_label", "notice", "sentiment", "", "", {"rows": 5_000})
    assert {"adaptation_epochs": 1} in changes(summary_of(plain, UNCLEAR, findings=[left_out]))
    few = Finding("missing_label", "notice", "sentiment", "", "", {"rows": 50})
    assert {"adaptation_epochs": 1} not in changes(summary_of(plain, UNCLEAR, findings=[few]))

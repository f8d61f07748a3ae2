"""The class of two that figures are about: asked for, named by a known word, or the last one, and always stated."""

import pandas as pd
import pytest

from core.automl import AutoMLSettings, prepare
from core.automl.data.positive_class import order_labels


@pytest.mark.parametrize(
    ("labels", "positive", "reason"),
    [
        (["invite", "reject"], "invite", "'invite' names an outcome that is good for the person."),
        (["approved", "denied"], "approved", "'approved' names"),
        (["no", "yes"], "yes", "'yes' is the affirmative answer."),
        ([0, 1], 1, "'1' is the affirmative answer."),
        ([False, True], True, "'True' is the affirmative answer."),
        (["<=50K", ">50K"], ">50K", "'>50K' is the last in sorted order, because nobody chose"),
        (["cat", "dog"], "dog", "'dog' is the last in sorted order"),
    ],
)
def test_words_decide_and_else_the_order_does_and_says_so(labels, positive, reason):
    ordered = order_labels(labels, None, "target")
    assert ordered.labels[1] == positive
    assert set(ordered.labels) == set(labels)
    assert ordered.reason.startswith(reason)
    for label in labels:
        asked = order_labels(labels, str(label), "target")
        assert (asked.labels[1], asked.reason) == (label, f"'{label}' was chosen in the settings.")


def test_of_more_classes_none_is_positive():
    assert order_labels(["approved", "denied", "open"], None, "target") == (["approved", "denied", "open"], "")


def test_the_codes_follow_the_order():
    frame = pd.DataFrame({"a": range(60), "panel": ["invite", "reject", "reject"] * 20})
    prepared = prepare(frame, AutoMLSettings(target="panel", max_trials=2))
    assert prepared.labels == ["reject", "invite"]
    assert prepared.positive_reason == "'invite' names an outcome that is good for the person."
    assert prepared.data.y.mean() == pytest.approx(1 / 3, abs=0.02)

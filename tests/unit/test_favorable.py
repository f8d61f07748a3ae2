"""The favorable outcome: known words in several languages decide, and nothing else does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from core.favorable import favorable_outcome, outcome_participle


@pytest.mark.parametrize(
    ("labels", "favorable"),
    [
        (["invite", "reject"], "invite"),
        (["Approved", "Denied"], "Approved"),
        (["accepted", "declined"], "accepted"),
        (["HIRED", "REJECTED"], "HIRED"),
        (["grant", "refuse"], "grant"),
        (["admit", "waitlist", "deny"], "admit"),
        (["pass", "fail"], "pass"),
        (["offer", "no offer"], "offer"),
        (["hired", "not_hired"], "hired"),
        (["not approved", "approved"], "approved"),
        (["Loan approved", "Loan denied"], "Loan approved"),
        (["approved", "pending", "withdrawn"], "approved"),
        (["rejected", "interview"], "interview"),
        (["good", "bad"], "good"),
        (["genehmigt", "abgelehnt"], "genehmigt"),
        (["eingestellt", "abgelehnt"], "eingestellt"),
        (["eingeladen", "nicht eingeladen"], "eingeladen"),
        (["accepté", "refusée"], "accepté"),
        (["rechazado", "aprobado"], "aprobado"),
        (["aprovado", "reprovado"], "aprovado"),
        (["respinto", "ammesso"], "ammesso"),
        (["afgewezen", "uitgenodigd"], "uitgenodigd"),
    ],
)
def test_labels_that_name_the_outcome_decide_in_either_order(labels, favorable):
    for order in (labels, labels[::-1]):
        outcome = favorable_outcome(order)
        assert outcome is not None
        assert outcome.label == favorable
        assert outcome.certain
        assert any(f"'{label}'" in outcome.reason for label in labels)


@pytest.mark.parametrize(
    ("labels", "favorable"),
    [
        (["yes", "no"], "yes"),
        (["Y", "N"], "Y"),
        (["ja", "nein"], "ja"),
        (["sí", "no"], "sí"),
        (["não", "sim"], "sim"),
        ([0, 1], 1),
        ([0.0, 1.0], 1.0),
        (["1.0", "0.0"], "1.0"),
        ([-1, 1], 1),
        ([True, False], True),
        (["FALSE", "TRUE"], "TRUE"),
        (["negative", "positive"], "positive"),
        (np.array(["yes", "no"]), "yes"),
        (pd.Series(["no", "yes", "no"]), "yes"),
    ],
)
def test_affirmative_answers_are_suggested_with_less_certainty(labels, favorable):
    outcome = favorable_outcome(labels)
    assert outcome is not None
    assert outcome.label == favorable
    assert not outcome.certain


@pytest.mark.parametrize(
    "labels",
    [
        [],
        ["a", "b"],
        ["<=50K", ">50K"],
        ["no", "<30", ">30"],
        ["low", "high"],
        ["1", "2", "3"],
        [0, 5],
        ["Yes", "yes", "no"],
        ["approved", "accepted", "rejected"],
        ["rejected", "denied", "other"],
        ["passed over", "kept"],
        ["not denied", "x"],
        ["yes", "rejected", "approved by mistake, then denied"],
        ["admission", "billing", "discharge"],
        ["hospital admission", "clinic"],
        ["y", "x"],
        ["F", "M"],
    ],
)
def test_what_words_do_not_decide_is_left_open(labels):
    assert favorable_outcome(labels) is None


def test_people_get_the_outcome_in_its_own_word():
    assert [outcome_participle(label) for label in ("invite", "Hired", "approval", "passed")] == [
        "invited",
        "hired",
        "approved",
        "passed",
    ]
    assert [outcome_participle(label) for label in ("reject", "genehmigt", 1, "Loan approved")] == [None] * 4

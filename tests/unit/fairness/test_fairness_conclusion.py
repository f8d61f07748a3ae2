"""What a table of groups comes to: the surest gap, in people, and never that of a handful of them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.errors import SettingsError
from core.evaluation import mover, wilson
from core.fairness import (
    CRITERION_QUESTIONS,
    DEFINITIONS,
    conclude,
    group_metrics,
    impact_ratios,
    recommend_definition,
    repeat_finding,
    verdict,
)

APPLICANTS = {"Woman": (269, 1_347), "Man": (493, 1_679), "Non-binary": (13, 38), None: (16, 76)}
"""Invited, and all, by gender: the smallest group has the highest rate, and the missing ones a low one."""


def hiring(counts=None, *, good="invite", bad="reject", **options):
    """Return the metrics of decisions with these counts of good ones."""
    counts = counts or APPLICANTS
    groups = np.repeat(np.array([*counts], dtype=object), [rows for _, rows in counts.values()])
    decided = np.concatenate([[good] * hits + [bad] * (rows - hits) for hits, rows in counts.values()])
    return group_metrics(decided, decided, groups, **options)


def test_the_finding_is_the_surest_gap_and_not_that_of_the_smallest_group():
    metrics = hiring()
    assert metrics.summary.loc["demographic_parity", "highest_group"] == "Non-binary", "the extreme pair"
    conclusion = conclude(metrics)
    assert conclusion.finding.startswith("'Woman': 20 of 100 invited, 'Man': 29 of 100 (gap 9.4 points [")
    assert conclusion.finding.endswith("]), which would be rare by chance alone (p < 0.001).")
    assert (conclusion.lowest, conclusion.highest) == ("Woman", "Man")
    assert conclusion.gap == pytest.approx(493 / 1_679 - 269 / 1_347)
    assert conclusion.ratio == pytest.approx((269 / 1_347) / (493 / 1_679))
    # Wider than the interval of a pair that was chosen before looking, and still far from 0.
    parts = [(hits / rows, tuple(map(float, wilson(hits, rows)))) for hits, rows in ((493, 1_679), (269, 1_347))]
    low, high = mover(*parts[0], *parts[1])
    assert 0 < conclusion.low < float(low) < conclusion.gap < float(high) < conclusion.high
    assert [round(100 * float(bound), 1) for bound in (low, high)] == [6.3, 12.4]
    assert "'Non-binary' (38 rows): no gap to another group is beyond chance." in conclusion.notes
    assert any(note.startswith("Over all 4 groups, ") for note in conclusion.notes)
    assert verdict(metrics) == metrics.verdict == conclusion.text
    json.dumps(conclusion.to_dict())


@pytest.mark.parametrize(("good", "bad"), [("approved", "denied"), ("accept", "decline"), ("hired", "rejected")])
def test_the_outcome_has_its_own_word_whatever_the_alphabet_says(good, bad):
    finding = conclude(hiring(good=good, bad=bad)).finding
    word = {"accept": "accepted"}.get(good, good)
    assert finding.startswith(f"'Woman': 20 of 100 {word}, 'Man': 29 of 100")


def test_other_labels_are_told_as_they_are():
    assert "20 of 100 get '>50K'" in verdict(hiring(good=">50K", bad="<=50K"))
    assert "20 of 100 selected" in verdict(hiring(good=1, bad=0))
    assert "20 of 100 get 'no'" in verdict(hiring(good="no", bad="yes", pos_label="no"))


def test_groups_below_the_minimum_are_named_and_judged_by_nobody():
    conclusion = conclude(hiring({"a": (20, 100), "b": (60, 100), "c": (11, 11), "d": (0, 3)}))
    assert (conclusion.lowest, conclusion.highest) == ("a", "b")
    assert "Too few rows to judge, with 30 needed: 'c' (11 rows) and 'd' (3 rows)." in conclusion.notes


def test_missing_values_are_in_the_finding_only_where_there_are_no_two_others():
    counts = {"a": (50, 100), "b": (52, 100), None: (0, 100)}
    conclusion = conclude(hiring(counts))
    assert {conclusion.lowest, conclusion.highest} == {"a", "b"}
    assert "chance alone can explain" in conclusion.finding
    alone = conclude(hiring({"a": (50, 100), None: (0, 100)}))
    assert {alone.lowest, alone.highest} == {"a", "(missing)"}


def test_missing_values_of_any_column_are_missing():
    sex = ["f", None] * 100 + ["m"] * 200
    age = ["old"] * 200 + ["old", "young"] * 100
    decided = [1, 0] * 100 + [1] * 120 + [0] * 80
    finding = conclude(group_metrics(decided, decided, {"sex": sex, "age": age})).finding
    assert "(missing)" not in finding


def test_the_interval_and_the_p_value_never_contradict_each_other():
    random = np.random.default_rng(0)
    for _ in range(60):
        rows = random.integers(30, 400, random.integers(2, 7))
        hits = random.binomial(rows, random.uniform(0.2, 0.5, len(rows)))
        counts = {f"g{index}": pair for index, pair in enumerate(zip(hits.tolist(), rows.tolist(), strict=True))}
        conclusion = conclude(hiring(counts, n_boot=100))
        if conclusion.lowest is None:
            continue
        assert (conclusion.p_value < 0.05) == (conclusion.low > 0), counts
        assert conclusion.low <= conclusion.gap <= conclusion.high


def test_small_shares_are_told_out_of_more_people():
    said = verdict(hiring({"a": (3, 10_000), "b": (9, 10_000)}))
    assert said.startswith("'a': 3 of 10,000 invited, 'b': 9 of 10,000 (gap 0.1 points [")
    assert "'a': 200 of 1,000 invited, 'b': 204 of 1,000" in verdict(hiring({"a": (200, 1_000), "b": (204, 1_000)}))


def test_of_two_rates_the_surest_one_is_told():
    truth = np.repeat([1, 0], 400)
    group = np.tile(["a", "b"], 400)
    decided = np.where(truth == 1, 1, np.where(group == "a", np.arange(800) % 8 < 2, np.arange(800) % 8 < 5))
    conclusion = conclude(group_metrics(truth, decided, group), "equalized_odds")
    assert conclusion.metric == "false_positive_rate"
    assert conclusion.finding.startswith("Among those without the positive label, 'a': ")


def test_definitions_about_the_truth_name_its_label():
    truth, decided = np.tile(["invite", "reject"], 200), np.repeat(["invite", "reject"], 200)
    group = np.array(["a", "b"]).repeat(200)[np.random.default_rng(0).permutation(400)]
    metrics = group_metrics(truth, decided, group)
    said = {name: conclude(metrics, name).finding for name in DEFINITIONS}
    assert said["equal_opportunity"].startswith("Among those with the true label 'invite', '")
    assert said["predictive_equality"].startswith("Among those without the true label 'invite', '")
    assert said["predictive_parity"].startswith("Among those invited, '")
    assert " decided rightly, '" in said["accuracy_parity"]


def test_the_convention_is_about_all_groups_with_enough_rows():
    metrics = hiring({"a": (900, 1_000), "b": (760, 1_000), "c": (42, 60)})
    conclusion = conclude(metrics, "four_fifths")
    assert (conclusion.lowest, conclusion.highest) == ("b", "a")
    assert conclusion.ratio == pytest.approx(76 / 90), "kept by the two of the finding"
    ratio = 0.7 / 0.9
    said = f"The smallest ratio is {ratio:.2f} ('c' to 'a'), below the 80% of the four-fifths convention"
    assert f"{said} (29 CFR 1607.4 D)." in conclusion.notes


def test_the_same_groups_are_looked_up_on_other_rows():
    conclusion = conclude(hiring())
    more = hiring({"Woman": (1_244, 5_000), "Man": (1_247, 5_000), "Non-binary": (99, 100)})
    assert (
        repeat_finding(conclusion, more)
        == "'Woman': 249 of 1,000 invited, 'Man': 249 of 1,000 (gap 0.1 points [\u22121.6, 1.8])."
    )
    assert repeat_finding(conclusion, hiring({"Man": (30, 100), "other": (30, 100)})) is None
    assert repeat_finding(conclude(hiring({"a": (1, 2)})), more) is None


def test_numbers_are_compared_by_the_surest_pair_too():
    random = np.random.default_rng(0)
    group = np.repeat(["a", "b", "tiny"], [800, 800, 31])
    error = np.where(group == "b", 0.5, 0.0) + np.where(group == "tiny", 0.7, 0.0) + 2 * random.normal(size=len(group))
    truth = random.normal(size=len(group))
    conclusion = conclude(group_metrics(truth, truth + error, group))
    assert (conclusion.lowest, conclusion.highest) == ("a", "b")
    assert conclusion.finding.startswith("Predictions for 'b' are higher, compared with the truth, by ")


def test_every_definition_says_when_it_misleads():
    for definition in DEFINITIONS.values():
        assert definition.misleads.startswith("It misleads ")
        assert definition.help == f"{definition.question} {definition.when} {definition.misleads}"


def test_three_questions_lead_to_each_definition():
    reached = set()
    for rates in CRITERION_QUESTIONS["rates"].answers:
        for labels in CRITERION_QUESTIONS["labels"].answers:
            for harm in CRITERION_QUESTIONS["harm"].answers:
                recommendation = recommend_definition({"rates": rates, "labels": labels, "harm": harm})
                assert recommendation.reason.endswith(".")
                reached.add(recommendation.definition.name)
    assert reached == set(DEFINITIONS)
    assert recommend_definition({}) is None
    assert recommend_definition({"rates": "no", "labels": "yes"}) is None
    with pytest.raises(SettingsError, match="Unknown answer 'wrong_nos'"):
        recommend_definition({"harm": "wrong_nos"})


def test_impact_ratios_are_to_the_highest_rate_of_enough_people():
    table = impact_ratios(hiring({"a": (80, 100), "b": (48, 80), "c": (9, 10), None: (30, 30)})).set_index("group")
    assert table.index.tolist() == ["(missing)", "c", "a", "b"]
    assert table.loc["b", ["applicants", "selected"]].tolist() == [80, 48]
    assert table["impact_ratio"].to_dict() == pytest.approx({"a": 1.0, "b": 0.75, "c": 1.125, "(missing)": 1.25})
    assert table["below_four_fifths"].to_dict() == {"a": False, "b": True, "c": False, "(missing)": False}
    assert table["small"].to_dict() == {"a": False, "b": False, "c": True, "(missing)": False}
    applicants = impact_ratios(hiring()).set_index("group")
    assert applicants.loc["Woman", "impact_ratio"] == pytest.approx((269 / 1_347) / (493 / 1_679))
    assert applicants["small"].to_dict() == {"Non-binary": True, "Man": False, "(missing)": False, "Woman": False}
    nobody = impact_ratios(group_metrics([0, 1] * 50, [0] * 100, ["a"] * 50 + ["b"] * 50))
    assert nobody["impact_ratio"].isna().all()


def test_impact_ratios_are_of_decisions():
    with pytest.raises(SettingsError, match="Impact ratios are about the decisions"):
        impact_ratios(group_metrics([0.5, 1.5], [0.4, 1.4], ["a", "b"]))
    weighted = group_metrics([1, 0] * 50, [1, 0] * 50, ["a"] * 50 + ["b"] * 50, sample_weight=[1.0, 3.0] * 50)
    table = impact_ratios(weighted)
    assert table["selected"].isna().all()
    assert table["selection_rate"].tolist() == pytest.approx([0.25, 0.25])

"""Groups and saved cohorts of batches, counted by hand, before labels and with them."""

from __future__ import annotations

import pytest

from core import alerts, monitored, policies, saved_cohorts
from core.access import LOCAL
from core.catalog import RunState
from core.cohorts import Cohort, NumberCondition
from core.fairness import ThresholdPolicy
from core.monitored import SELECTION_RATE, Batch
from core.monitoring import look_alpha
from tests.unit.monitored.conftest import Watched

LARGE = Cohort((NumberCondition(column="fee", low=150.0),))


def rate(batch: Batch, name: str, group: str, *, labeled: bool = False) -> float | None:
    part = batch.labels.subgroups if labeled and batch.labels is not None else batch.subgroups
    (rate_of_group,) = [item for item in part.rates if (item.rate, item.column, item.group) == (name, "group", group)]
    return rate_of_group.value


def test_rates_gaps_and_cohorts_are_those_of_the_rows(watched: Watched) -> None:
    saved_cohorts.keep(watched.run, LARGE, access=LOCAL)
    rows = watched.people(400, 1)
    batch = watched.bring(rows, "labeled.csv")
    selected = watched.scores(rows) >= 0.5
    by_group = selected.groupby(rows["group"]).mean()
    assert rate(batch, SELECTION_RATE, "a") == pytest.approx(by_group["a"])
    gap, low, high = batch.subgroups.gaps[SELECTION_RATE]["group"]
    assert gap == pytest.approx(abs(by_group["a"] - by_group["b"]))
    assert low is not None
    assert high is not None
    assert low < gap < high
    positive = rows["left"] == "yes"
    for name, of in (("true_positive_rate", positive), ("false_positive_rate", ~positive)):
        expected = selected[of].groupby(rows["group"][of]).mean()
        for group in ("a", "b"):
            assert rate(batch, name, group, labeled=True) == pytest.approx(expected[group]), (name, group)
    (cohort,) = batch.subgroups.cohorts
    inside = rows["fee"] >= 150.0
    assert (cohort.condition, cohort.rows) == (LARGE.text, int(inside.sum()))
    assert cohort.share == pytest.approx(inside.mean())
    assert cohort.reference_share == pytest.approx(0.26, abs=0.1)
    assert cohort.error is None
    assert batch.labels is not None
    (measured,) = batch.labels.subgroups.cohorts
    wrong = selected != positive
    assert measured.error == pytest.approx(wrong[inside].mean())
    assert measured.other_error == pytest.approx(wrong[~inside].mean())


def test_labels_that_came_with_the_rows_and_those_that_come_later_count_together(watched: Watched) -> None:
    saved_cohorts.keep(watched.run, LARGE, access=LOCAL)
    rows = watched.people(300, 2)
    partly = rows.assign(left=rows["left"].where(rows.index < 100))
    first = watched.bring(partly, "partly.csv")
    assert first.labels is not None
    assert first.labels.known == 100
    watched.join(rows.loc[50:219, ["person", "left"]])
    batch = watched.batch("partly.csv")
    assert batch.labels is not None
    assert (batch.labels.known, batch.labels.measured.labeled) == (220, 220)
    assert "120 of 170 rows got their label; 50 had the same one already" in batch.labels.delivery
    known = rows.index < 220
    selected, positive = watched.scores(rows) >= 0.5, rows["left"] == "yes"
    expected = selected[known & positive].groupby(rows["group"]).mean()
    assert rate(batch, "true_positive_rate", "b", labeled=True) == pytest.approx(expected["b"])
    (cohort,) = batch.labels.subgroups.cohorts
    wrong, inside = selected != positive, rows["fee"] >= 150.0
    assert cohort.error == pytest.approx(wrong[known & inside].mean())


def test_the_rule_in_force_selects(watched: Watched) -> None:
    thresholds = {"a": ((0.2, 1.0),), "b": ((0.8, 1.0),)}
    name = policies.keep(
        watched.run, "By group", ThresholdPolicy(thresholds, ("group",), {"positive": "yes"}), access=LOCAL
    )
    rows = watched.people(400, 3).drop(columns="left")
    batch = watched.bring(rows, "decided.csv")
    assert batch.subgroups.rule == name
    scores = watched.scores(rows)
    for group, threshold in (("a", 0.2), ("b", 0.8)):
        expected = (scores[rows["group"] == group] >= threshold).mean()
        assert rate(batch, SELECTION_RATE, group) == pytest.approx(expected)


def test_a_rule_that_lacks_what_it_decides_by_leaves_the_score(watched: Watched) -> None:
    rules = ThresholdPolicy({"north": ((0.2, 1.0),)}, ("region",), {"positive": "yes"})
    policies.keep(watched.run, "By region", rules, access=LOCAL)
    rows = watched.people(300, 6).drop(columns="left")
    without = watched.bring(rows, "without regions.csv")
    assert (without.problem, without.subgroups.rule) == ("", "")
    assert rate(without, SELECTION_RATE, "a") == pytest.approx(
        (watched.scores(rows)[rows["group"] == "a"] >= 0.5).mean()
    )
    elsewhere = rows.assign(region=["north", "south"] * 150)
    batch = watched.bring(elsewhere, "with regions.csv")
    assert batch.subgroups.rule, "rows of a group without a rule are left out"
    chosen = watched.scores(elsewhere)[elsewhere["region"].eq("north") & elsewhere["group"].eq("a")] >= 0.2
    assert rate(batch, SELECTION_RATE, "a") == pytest.approx(chosen.mean())


def test_drawn_decisions_need_ids_that_are_unique(watched: Watched) -> None:
    drawn = {"a": ((0.2, 0.5), (0.8, 0.5)), "b": ((0.5, 1.0),)}
    policies.keep(watched.run, "Drawn", ThresholdPolicy(drawn, ("group",), {"positive": "yes"}), access=LOCAL)
    rows = watched.people(300, 4).drop(columns="left")
    batch = watched.bring(rows, "drawn.csv")
    assert batch.subgroups.rule
    assert rate(batch, SELECTION_RATE, "b") == pytest.approx((watched.scores(rows)[rows["group"] == "b"] >= 0.5).mean())
    twice = watched.bring(rows.assign(person="same", fee=rows["fee"] + 0.01), "twice.csv")
    assert (twice.problem, twice.subgroups.rule) == ("", "")


def test_a_batch_without_a_cohort_s_column_and_with_one_group_alone(watched: Watched) -> None:
    saved_cohorts.keep(watched.run, Cohort((NumberCondition(column="age", low=60.0),)), access=LOCAL)
    batch = watched.bring(watched.people(200, 5, group="a").drop(columns="left"), "alone.csv")
    assert batch.subgroups.rates == ()
    (cohort,) = batch.subgroups.cohorts
    assert cohort.reason == "The batch has no column 'age'."
    again = monitored.Batch.from_dict(batch.to_dict())
    assert again.subgroups.cohorts[0].reason == cohort.reason


@pytest.mark.parametrize(("yes", "no"), [("YES", "No "), ("yes", "maybe")])
def test_labels_are_read_in_the_words_of_the_model(watched: Watched, yes: str, no: str) -> None:
    rows = watched.people(300, 7)
    other = rows.assign(left=rows["left"].map({"yes": yes, "no": no}))
    batch = watched.bring(other, "written otherwise.csv")
    assert batch.labels is not None
    if no == "maybe":
        assert batch.labels.known == int((rows["left"] == "yes").sum())
        assert "rows have a label that the model does not have, such as 'maybe'" in batch.labels.delivery
        return
    assert batch.labels.known == 300
    from sklearn.metrics import roc_auc_score

    expected = roc_auc_score(rows["left"] == "yes", watched.scores(rows))
    assert batch.labels.measured.measured.value == pytest.approx(expected)


def test_labels_that_the_model_does_not_have_are_said_and_not_counted(watched: Watched) -> None:
    rows = watched.people(200, 8).assign(left="perhaps")
    batch = watched.bring(rows, "others.csv")
    assert batch.labels is None
    assert batch.notes == ("The labels in 'left' are not used: The model does not have the label 'perhaps'.",)
    run = watched.join(rows[["person", "left"]])
    assert run.state is RunState.FAILED
    assert run.error_message == "The model does not have the label 'perhaps'."
    assert "'no', 'yes'" in (run.error_hint or "") or "'yes', 'no'" in (run.error_hint or "")


def test_ids_that_are_not_unique_are_said_and_hold_up_no_other_batch(watched: Watched) -> None:
    twice = watched.people(100, 9).drop(columns="left").assign(person="same")
    batch = watched.bring(twice, "twice.csv")
    assert batch.notes == ("Two rows have the id 'same' in 'person', so labels cannot find the rows later.",)
    lacking = watched.bring(twice.assign(person=None, fee=twice["fee"] + 1), "lacking.csv")
    assert lacking.notes[0].startswith("100 rows have no id in 'person'")
    rows = watched.people(150, 10)
    watched.bring(rows.drop(columns="left"), "sound.csv")
    assert watched.join(rows[["person", "left"]]).state is RunState.SUCCEEDED
    sound = watched.batch("sound.csv")
    assert sound.labels is not None
    assert sound.labels.known == 150


def test_labels_in_the_rows_raise_their_alarm_once(watched: Watched) -> None:
    rows = watched.people(600, 14)
    flipped = rows.assign(left=rows["left"].map({"yes": "no", "no": "yes"}))
    batch = watched.bring(flipped, "flipped.csv")
    assert batch.states["performance"].state != "alarm", "the rows alone show nothing"
    assert batch.state.state == "alarm"
    raised = [item for item in alerts.alerts_of(watched.version.model_id, access=LOCAL) if "flipped.csv" in item.title]
    assert [item.facts["batch"] for item in raised] == [batch.key]
    again = watched.join(flipped[["person", "left"]])
    assert again.result is not None
    assert again.result["labeled"] == []


def test_a_group_whose_labels_were_flipped_is_named(watched: Watched) -> None:
    rows = watched.people(3_000, 15)
    inside = (rows["group"] == "b") & (rows["fee"].between(40, 110))
    flipped = rows["left"].map({"yes": "no", "no": "yes"})
    batch = watched.bring(rows.assign(left=rows["left"].where(~inside, flipped)), "a part.csv")
    assert batch.labels is not None
    findings = [finding for finding in batch.labels.measured.findings if finding.check == "concept_drift_group"]
    assert findings, batch.labels.measured.sentence
    assert batch.state.state in ("look", "alarm")


def test_what_a_batch_is_judged_by_shares_the_error_rate_of_the_series(watched: Watched) -> None:
    batch = watched.bring(watched.people(200, 16), "shared.csv")
    expected = look_alpha(batch.look, 0.05 / 4)  # drift, performance estimated and measured, and the gap of one column
    assert set(batch.states) == {"drift", "performance", "gap of group"}
    assert batch.labels is not None
    for state in (*batch.states.values(), batch.labels.state):
        assert state.level == pytest.approx(expected)

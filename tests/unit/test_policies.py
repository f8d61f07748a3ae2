"""Policies that are kept with a search, and how often its test rows were read."""

import json
from dataclasses import replace

import pytest

from core import export_rules, policies
from core.access import LOCAL
from core.catalog import Run, artifacts, runs
from core.edge import ExportRecord, ExportSource, RowCounts
from core.errors import InputError
from core.fairness import ThresholdPolicy
from core.rule_choices import RULE_FILE

POLICY = ThresholdPolicy({"a": ((float("-inf"), 1.0),), "b": ((0.4, 0.25), (0.6, 0.75))}, ("group",))


@pytest.fixture
def run(home) -> Run:
    return runs.add(Run(workspace="local", task="automl", title="a search"), access=LOCAL)


def test_a_policy_comes_back_as_it_was_kept(run):
    name = policies.keep(run, "Equalized odds by group", POLICY, access=LOCAL)
    assert name == "policy-equalized-odds-by-group.json"
    assert policies.kept(run, access=LOCAL) == {name: POLICY}


def test_a_rule_that_was_chosen_on_a_sample_says_so_wherever_it_is_described(run):
    for policy in (ThresholdPolicy.for_all(0.4), ThresholdPolicy({"a": ((0.5, 1.0),)}, ("group",))):
        policies.keep(run, "sampled", policy.chosen_on_sample(100_000, 2_000_000), access=LOCAL)
        rule = policies.in_force(run, access=LOCAL).policy
        assert (
            policies.describe(rule) == f"{policies.describe(policy)}, chosen on a sample of 100,000 of 2,000,000 rows"
        )
        assert rule.rules == policy.rules


def test_a_name_is_never_a_path(run):
    assert policies.keep(run, "../../etc/passwd", POLICY, access=LOCAL) == "policy-etc-passwd.json"
    assert policies.keep(run, "€", POLICY, access=LOCAL) == "policy-policy.json"


def test_the_same_name_is_replaced(run):
    policies.keep(run, "mine", POLICY, access=LOCAL)
    other = ThresholdPolicy({"a": ((0.5, 1.0),)}, ("group",))
    policies.keep(run, "mine", other, access=LOCAL)
    assert list(policies.kept(run, access=LOCAL).values()) == [other]


def test_other_files_of_the_run_are_no_policies(run):
    policies.keep(run, "mine", POLICY, access=LOCAL)
    assert [item.name for item in artifacts.find(run.id, access=LOCAL)] == ["decision-rule.json", "policy-mine.json"]
    assert list(policies.kept(run, access=LOCAL)) == ["policy-mine.json"]


def test_one_rule_is_in_force_and_the_others_can_be_chosen_again(run):
    assert policies.in_force(run, access=LOCAL) == policies.RuleInForce(), "the model's own labels"
    fair = policies.keep(run, "fair", POLICY, access=LOCAL)
    cheap = policies.keep(run, "cheap", ThresholdPolicy.for_all(0.4), access=replace(LOCAL, actor="ann"))
    assert policies.in_force(run, access=LOCAL) == policies.RuleInForce(cheap, ThresholdPolicy.for_all(0.4))
    assert list(policies.kept(run, access=LOCAL)) == [cheap, fair]
    policies.choose(run, fair, access=LOCAL)
    assert policies.in_force(run, access=LOCAL).name == fair
    policies.choose(run, policies.NO_POLICY, access=LOCAL)
    assert policies.in_force(run, access=LOCAL) == policies.RuleInForce()
    made = policies.choices(run, access=LOCAL).choices
    assert [(choice.policy, choice.who) for choice in made] == [(fair, ""), (cheap, "ann"), (fair, ""), ("none", "")]
    with pytest.raises(InputError, match=r"No policy 'policy-other\.json' is kept"):
        policies.choose(run, "policy-other.json", access=LOCAL)


def test_a_run_of_an_earlier_version_has_its_only_policy_in_force(run):
    """These runs have policies, but no file that says which one was chosen."""
    first = policies.keep(run, "first", POLICY, access=LOCAL)
    artifacts.remove(run.id, RULE_FILE, access=LOCAL)
    assert policies.in_force(run, access=LOCAL).name == first
    second = policies.keep(run, "second", POLICY, access=LOCAL)
    artifacts.remove(run.id, RULE_FILE, access=LOCAL)
    assert policies.in_force(run, access=LOCAL).unclear == "This model has 2 policies, and none of them was chosen."
    policies.choose(run, second, access=LOCAL)
    assert policies.in_force(run, access=LOCAL).name == second


def test_a_policy_without_columns_has_one_rule():
    policy = ThresholdPolicy.for_all(0.5)
    assert ThresholdPolicy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    assert policy.predict([0.4, 0.5], None).tolist() == policy.predict([0.4, 0.5], ["a", "b"]).tolist() == [0, 1]
    with pytest.raises(InputError, match="without columns has rules for a, b"):
        ThresholdPolicy(POLICY.rules, ())
    with pytest.raises(InputError, match="decides by group"):
        POLICY.expected_rate([0.4])


def test_reads_count_rules_not_looks(run):
    assert policies.reads(run, access=LOCAL) == 1, "the model's own rule"
    for rule in ({"rules": "first"}, {"rules": "second"}, {"rules": "first"}):
        policies.note_read(run, rule, access=LOCAL)
    assert policies.reads(run, access=LOCAL) == 3


def test_what_the_test_rows_were_used_for_is_told_apart(run):
    assert policies.describe_reads(run, access=LOCAL) == "to check 1 rule"
    cohort = {"cohort": {"conditions": []}}
    for check in (
        {"rules": "first"},
        {"rules": "second"} | cohort,
        cohort,
        cohort,
        {"compared_with": "a"},
        {"compared_with": "b"},
    ):
        policies.note_read(run, check, access=LOCAL)
    assert policies.reads(run, access=LOCAL) == 6
    said = "to check 3 rules, to read 1 cohort and to compare it with 2 models"
    assert policies.describe_reads(run, access=LOCAL) == said
    assert policies.reads_sentence(run, access=LOCAL).startswith(
        f"The test rows of this model were used {said} so far, the model's own"
    )


def test_an_export_says_when_the_rule_in_force_is_another(run):
    def record(policy: str | None, digest: str | None = None) -> ExportRecord:
        source = ExportSource("automl", run=run.id, title=run.title)
        counts = RowCounts(1, 1)
        return ExportRecord(source, "table", "binary", ["a", "b"], "y", None, policy, counts, None, [], None, digest)

    export = Run(workspace="local", task="export", title="its export")
    assert export_rules.rule_difference(export, record(None), access=LOCAL) is None
    mine = policies.keep(run, "mine", POLICY, access=LOCAL)
    made = record(mine, artifacts.get(run.id, mine, access=LOCAL).digest)
    assert export_rules.rule_difference(export, made, access=LOCAL) is None
    assert export_rules.rule_difference(export, record(mine), access=LOCAL) is None, (
        "an export of an earlier version knows the name only"
    )
    said = export_rules.rule_difference(export, record(None), access=LOCAL)
    assert said == (
        "The file decides by the model's own labels; the model's rule in force is now 'policy-mine.json' "
        "(thresholds by 'group', some decisions drawn). Export again to decide by it."
    )
    policies.keep(run, "mine", ThresholdPolicy.for_all(0.4), access=LOCAL)
    assert "decides by an earlier 'policy-mine.json'" in export_rules.rule_difference(export, made, access=LOCAL)
    policies.choose(run, policies.NO_POLICY, access=LOCAL)
    assert "in force is now the model's own labels." in export_rules.rule_difference(export, made, access=LOCAL)
    elsewhere = replace(LOCAL, workspace="other")
    assert export_rules.rule_difference(export, made, access=elsewhere) is None, "a deleted run"
    policies.keep(run, "other", POLICY, access=LOCAL)
    artifacts.remove(run.id, RULE_FILE, access=LOCAL)
    assert "has 2 policies, and none of them was chosen" in export_rules.rule_difference(export, made, access=LOCAL)

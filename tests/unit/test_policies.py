"""Policies that are kept with a search, and how often its test rows were read."""

import json

import pytest

from core import exports, policies
from core.catalog import Run, artifacts, runs
from core.edge import ExportRecord, ExportSource, RowCounts
from core.errors import InputError
from core.fairness import ThresholdPolicy
from core.rule_choices import RULE_FILE

POLICY = ThresholdPolicy({"a": ((float("-inf"), 1.0),), "b": ((0.4, 0.25), (0.6, 0.75))}, ("group",))


@pytest.fixture
def run(home) -> Run:
    return runs.add(Run(workspace="local", task="automl", title="a search"))


def test_a_policy_comes_back_as_it_was_kept(run):
    name = policies.keep(run, "Equalized odds by group", POLICY)
    assert name == "policy-equalized-odds-by-group.json"
    assert policies.kept(run) == {name: POLICY}


def test_a_name_is_never_a_path(run):
    assert policies.keep(run, "../../etc/passwd", POLICY) == "policy-etc-passwd.json"
    assert policies.keep(run, "€", POLICY) == "policy-policy.json"


def test_the_same_name_is_replaced(run):
    policies.keep(run, "mine", POLICY)
    other = ThresholdPolicy({"a": ((0.5, 1.0),)}, ("group",))
    policies.keep(run, "mine", other)
    assert list(policies.kept(run).values()) == [other]


def test_other_files_of_the_run_are_no_policies(run):
    policies.keep(run, "mine", POLICY)
    assert [item.name for item in artifacts.find(run.id, "local")] == ["decision-rule.json", "policy-mine.json"]
    assert list(policies.kept(run)) == ["policy-mine.json"]


def test_one_rule_is_in_force_and_the_others_can_be_chosen_again(run):
    assert policies.in_force(run) == policies.RuleInForce(), "the model's own labels"
    fair = policies.keep(run, "fair", POLICY)
    cheap = policies.keep(run, "cheap", ThresholdPolicy.for_all(0.4), who="ann")
    assert policies.in_force(run) == policies.RuleInForce(cheap, ThresholdPolicy.for_all(0.4))
    assert list(policies.kept(run)) == [cheap, fair]
    policies.choose(run, fair)
    assert policies.in_force(run).name == fair
    policies.choose(run, policies.NO_POLICY)
    assert policies.in_force(run) == policies.RuleInForce()
    made = policies.choices(run).choices
    assert [(choice.policy, choice.who) for choice in made] == [(fair, ""), (cheap, "ann"), (fair, ""), ("none", "")]
    with pytest.raises(InputError, match=r"No policy 'policy-other\.json' is kept"):
        policies.choose(run, "policy-other.json")


def test_a_run_of_an_earlier_version_has_its_only_policy_in_force(run):
    """These runs have policies, but no file that says which one was chosen."""
    first = policies.keep(run, "first", POLICY)
    artifacts.remove(run.id, RULE_FILE, "local")
    assert policies.in_force(run).name == first
    second = policies.keep(run, "second", POLICY)
    artifacts.remove(run.id, RULE_FILE, "local")
    assert policies.in_force(run).unclear == "This model has 2 policies, and none of them was chosen."
    policies.choose(run, second)
    assert policies.in_force(run).name == second


def test_a_policy_without_columns_has_one_rule():
    policy = ThresholdPolicy.for_all(0.5)
    assert ThresholdPolicy.from_dict(json.loads(json.dumps(policy.to_dict()))) == policy
    assert policy.predict([0.4, 0.5], None).tolist() == policy.predict([0.4, 0.5], ["a", "b"]).tolist() == [0, 1]
    with pytest.raises(InputError, match="without columns has rules for a, b"):
        ThresholdPolicy(POLICY.rules, ())
    with pytest.raises(InputError, match="decides by group"):
        POLICY.expected_rate([0.4])


def test_reads_count_rules_not_looks(run):
    assert policies.reads(run) == 1, "the model's own rule"
    for rule in ({"rules": "first"}, {"rules": "second"}, {"rules": "first"}):
        policies.note_read(run, rule)
    assert policies.reads(run) == 3


def test_what_the_test_rows_were_used_for_is_told_apart(run):
    assert policies.describe_reads(run) == "to check 1 rule"
    cohort = {"cohort": {"conditions": []}}
    for check in (
        {"rules": "first"},
        {"rules": "second"} | cohort,
        cohort,
        cohort,
        {"compared_with": "a"},
        {"compared_with": "b"},
    ):
        policies.note_read(run, check)
    assert policies.reads(run) == 6
    said = "to check 3 rules, to read 1 cohort and to compare it with 2 models"
    assert policies.describe_reads(run) == said
    assert policies.reads_sentence(run).startswith(
        f"The test rows of this model were used {said} so far, the model's own"
    )


def test_an_export_says_when_the_rule_in_force_is_another(run):
    def record(policy: str | None, digest: str | None = None) -> ExportRecord:
        source = ExportSource("automl", run=run.id, title=run.title)
        counts = RowCounts(1, 1)
        return ExportRecord(source, "table", "binary", ["a", "b"], "y", None, policy, counts, None, [], None, digest)

    export = Run(workspace="local", task="export", title="its export")
    assert exports.rule_difference(export, record(None)) is None
    mine = policies.keep(run, "mine", POLICY)
    made = record(mine, artifacts.get(run.id, mine, "local").digest)
    assert exports.rule_difference(export, made) is None
    assert exports.rule_difference(export, record(mine)) is None, "an export of an earlier version knows the name only"
    said = exports.rule_difference(export, record(None))
    assert said == (
        "The file decides by the model's own labels; the model's rule in force is now 'policy-mine.json' "
        "(thresholds by 'group', some decisions drawn). Export again to decide by it."
    )
    policies.keep(run, "mine", ThresholdPolicy.for_all(0.4))
    assert "decides by an earlier 'policy-mine.json'" in exports.rule_difference(export, made)
    policies.choose(run, policies.NO_POLICY)
    assert "in force is now the model's own labels." in exports.rule_difference(export, made)
    assert exports.rule_difference(Run(workspace="other", task="export", title="x"), made) is None, "a deleted run"
    policies.keep(run, "other", POLICY)
    artifacts.remove(run.id, RULE_FILE, "local")
    assert "has 2 policies, and none of them was chosen" in exports.rule_difference(export, made)

"""Policies that are kept with a search, and how often its test rows were read."""

import pytest

from core import policies
from core.catalog import Run, artifacts, runs
from core.fairness import ThresholdPolicy

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
    assert [item.name for item in artifacts.find(run.id, "local")] == ["policy-mine.json"]


def test_reads_count_rules_not_looks(run):
    assert policies.reads(run) == 1, "the model's own rule"
    for rule in ({"rules": "first"}, {"rules": "second"}, {"rules": "first"}):
        policies.note_read(run, rule)
    assert policies.reads(run) == 3

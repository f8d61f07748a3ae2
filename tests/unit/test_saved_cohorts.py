"""Cohorts that are saved with a search."""

from dataclasses import replace

import pytest

from core import saved_cohorts
from core.access import LOCAL
from core.catalog import Run, artifacts, runs
from core.cohorts import Cohort, NumberCondition, ValueCondition
from core.errors import NotFoundError
from core.storage import get_store
from tests.collecting import collect

YOUNG = Cohort((NumberCondition(column="age", high=25.0, missing=True),))
TENANTS = Cohort((ValueCondition(column="housing", values=("rent",)), NumberCondition(column="age", low=0.1)))


@pytest.fixture
def run(home) -> Run:
    return runs.add(Run(workspace="local", task="automl", title="a search"), access=LOCAL)


def test_a_cohort_comes_back_as_it_was_kept(run):
    names = [saved_cohorts.keep(run, cohort, access=LOCAL) for cohort in (TENANTS, YOUNG, TENANTS)]
    assert names[0] == names[2]
    assert saved_cohorts.kept(run, access=LOCAL) == {names[1]: YOUNG, names[0]: TENANTS}


def test_a_cohort_is_removed_with_its_content(run):
    name = saved_cohorts.keep(run, YOUNG, access=LOCAL)
    digest = artifacts.get(run.id, name, access=LOCAL).digest
    saved_cohorts.remove(run, name, access=LOCAL)
    assert saved_cohorts.kept(run, access=LOCAL) == {}
    collect(digest)
    assert not get_store().exists(digest)
    with pytest.raises(NotFoundError, match=name):
        saved_cohorts.remove(run, name, access=LOCAL)


def test_content_that_another_run_has_stays(run):
    other = runs.add(Run(workspace="local", task="automl", title="another"), access=LOCAL)
    name = saved_cohorts.keep(run, YOUNG, access=LOCAL)
    saved_cohorts.keep(other, YOUNG, access=LOCAL)
    saved_cohorts.remove(run, name, access=LOCAL)
    assert list(saved_cohorts.kept(other, access=LOCAL).values()) == [YOUNG]


def test_other_files_of_the_run_are_no_cohorts(run):
    saved_cohorts.keep(run, YOUNG, access=LOCAL)
    elsewhere = replace(LOCAL, workspace="elsewhere")
    other = runs.add(Run(workspace="elsewhere", task="automl", title="not ours"), access=elsewhere)
    assert saved_cohorts.kept(other, access=LOCAL) == {}

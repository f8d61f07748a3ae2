"""Workspaces of visitors: made, kept from the last visit on, closed."""

from dataclasses import replace

import pytest

from core.access import EXAMPLES, INSTALLATION, LOCAL, Access, Role
from core.catalog import Workspace, visitors
from core.catalog.engine import reading, writing
from core.errors import NotFoundError

HOUR_S = 3_600.0


@pytest.fixture(scope="module")
def demo(installation, tmp_path_factory):
    with installation(tmp_path_factory.mktemp("demo"), PROFILE="demo", WORKSPACE_KEPT_HOURS="2"):
        yield


def row(workspace):
    with reading(INSTALLATION) as session:
        return session.get(Workspace, workspace)


def test_a_workspace_is_kept_from_the_last_visit_on(demo, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    assert visitors.visit("v-a") == Access("v-a", Role.EDITOR, "") == visitors.visit("v-a")
    assert row("v-a").expires_at == 1_000_000 + 2 * HOUR_S
    monkeypatch.setattr("time.time", lambda: 1_000_000 + HOUR_S)
    visitors.visit("v-a")
    assert row("v-a").expires_at == 1_000_000 + 3 * HOUR_S
    assert visitors.due(1_000_000 + 3 * HOUR_S - 1) == []
    assert visitors.due(1_000_000 + 3 * HOUR_S) == ["v-a"]
    assert not visitors.close("v-a", 1_000_000 + 3 * HOUR_S - 1)
    assert visitors.close("v-a", 1_000_000 + 3 * HOUR_S)
    assert visitors.due(0) == ["v-a"]  # a removal that was interrupted is continued
    with pytest.raises(NotFoundError, match="is being removed"):
        visitors.visit("v-a")


def test_what_is_kept_is_not_kept_for_longer_where_the_clock_was_set_back(demo, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 9_000_000.0)
    visitors.visit("v-b")
    monkeypatch.setattr("time.time", lambda: 2_000_000.0)
    visitors.visit("v-b")
    assert row("v-b").expires_at == 2_000_000 + 2 * HOUR_S


def test_a_visit_at_the_moment_of_the_removal_leads_nowhere(demo, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    visitors.visit("v-c")
    monkeypatch.setattr("time.time", lambda: 1_000_000 + HOUR_S)

    def removed_first(access):
        with writing(INSTALLATION) as session:
            session.get(Workspace, "v-c").kind = "removed"
        return writing(access)

    monkeypatch.setattr(visitors, "writing", removed_first)
    with pytest.raises(NotFoundError, match="is being removed"):
        visitors.visit("v-c")
    assert row("v-c").expires_at == 1_000_000 + 2 * HOUR_S


def test_only_workspaces_of_visitors_are_closed(demo):
    with writing(replace(LOCAL, workspace="sales")) as session:
        session.add(Workspace(workspace="sales", title="Sales", expires_at=1.0))
    assert "sales" not in visitors.due()
    assert not visitors.close("sales")
    assert not visitors.close("nobody")


def test_the_example_is_there_when_it_was_made(demo):
    assert visitors.examples() is None
    visitors.add_examples()
    assert EXAMPLES not in visitors.due(float("inf"))
    assert visitors.examples() == Access(EXAMPLES, Role.VIEWER, "")

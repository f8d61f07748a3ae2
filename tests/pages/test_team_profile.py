"""The team's profile: everyone signs in, has a workspace of their own, and sees those they were invited to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core.access import Role
from core.catalog import Dataset, audit, datasets, invitations, runs, workspaces
from core.errors import SettingsError
from tests.pages.conftest import ROOT
from web.startup import check_sign_in

ADA, BOB = "ada@example.org", "bob@example.org"


@pytest.fixture
def team(installation: Any, tmp_path: Path) -> Iterator[Path]:
    with installation(tmp_path / "home", PROFILE="team") as home:
        yield home


def signed_in(person: str, page: str = "pages/data/page.py", **claims: Any) -> AppTest:
    test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60)
    test.user = {"is_logged_in": True, "email": person, "email_verified": True, "exp": time.time() + 60} | claims
    test.run()
    return test.switch_page(page).run() if test.sidebar.button else test  # without sign-in there are no pages


def add_table(name: str, person: str, workspace: str = "") -> Dataset:
    access = workspaces.enter(workspace, person) if workspace else workspaces.personal(person)
    digests = dict.fromkeys(("fingerprint", "data_digest", "profile_digest"), "d" * 64)
    return datasets.add(
        Dataset(workspace=access.workspace, name=name, rows=1, columns=1, size_bytes=1, **digests), access=access
    )[0]


def shown(test: AppTest) -> str:
    tables = [frame.value.to_string() for frame in test.dataframe]
    return " ".join([*tables, *(item.value for kind in (test.markdown, test.error, test.caption) for item in kind)])


def test_nobody_passes_the_gate_without_sign_in(team: Path) -> None:
    test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60).run()
    assert [button.label for button in test.button] == ["Sign in"]
    late = signed_in(ADA, exp=time.time() - 1)
    assert "Your sign-in has expired." in [item.value for item in late.info]
    assert "Sign in" in [button.label for button in late.button]


def test_people_see_their_own_and_what_is_shared_with_them(team: Path) -> None:
    add_table("Prices of Ada", ADA)
    shared = workspaces.add("Sales", person=ADA)
    add_table("Prices of all", ADA, shared.workspace)
    test = signed_in(ADA)
    assert "Prices of Ada" in shown(test)
    assert "Prices of all" not in shown(test)
    assert "Prices" not in shown(signed_in(BOB))

    invitations.accept(invitations.add(Role.VIEWER, access=shared), BOB)
    test = signed_in(BOB)
    choice = test.sidebar.selectbox(key="app-workspace")
    assert choice.options == ["Your own", "Sales (viewer)"]
    choice.select_index(1).run()
    assert "Prices of all" in shown(test)
    workspaces.remove(BOB, access=shared)
    assert "Prices of all" not in shown(test.run())


def test_a_link_of_another_person_leads_nowhere(team: Path) -> None:
    table = add_table("Prices of Ada", ADA)
    test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60)
    test.user = {"is_logged_in": True, "email": BOB, "email_verified": True}
    test.query_params["dataset"] = table.id
    test.run()
    test.query_params["dataset"] = table.id
    test.switch_page("pages/data/page.py").run()
    assert "Prices of Ada" not in shown(test)


def test_an_address_that_is_not_verified_is_not_the_person(team: Path) -> None:
    add_table("Prices of Ada", ADA)
    claims = {"email_verified": False, "sub": "1", "iss": "https://id.example.org/x"}
    test = signed_in(ADA, **claims)
    assert "Prices of Ada" not in shown(test)
    signed = test.sidebar.caption[0].value.replace("\\", "").replace("\u2060", "")
    assert signed == f"{ADA} (1 of id.example.org/x)"


def test_the_server_does_not_start_without_a_provider(team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as st

    monkeypatch.setattr(st.secrets, "load_if_toml_exists", lambda: False)
    with pytest.raises(SettingsError, match="redirect_uri and cookie_secret under"):
        check_sign_in()


def open_page(person: str, page: str, workspace: str = "", **query: str) -> AppTest:
    """Open an address as a signed-in person; one that navigation does not have is answered by Streamlit."""
    test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60)
    test.user = {"is_logged_in": True, "email": person, "email_verified": True, "exp": time.time() + 60}
    if workspace:
        test.session_state["app-workspace"] = workspace
    for name, value in query.items():
        test.query_params[name] = value
    test._page_hash = calc_hash(page)
    return test.run()


@pytest.mark.nightly
def test_people_are_invited_and_get_roles_on_the_page(team: Path) -> None:
    page = open_page(ADA, "workspace")
    page.button(key="workspace-add").click().run()
    assert "not a usable name" in page.error[0].proto.title
    page.text_input(key="workspace-title").input("a\nb")
    page.button(key="workspace-add").click().run()
    assert page.text_input(key="workspace-title").value == "a\nb", "a refused name stays in the field"
    page.text_input(key="workspace-title").input("Sales")
    page.button(key="workspace-add").click().run()
    assert page.title[0].value == "Sales"
    shared = page.session_state["app-workspace"]
    page.button(key="workspace-invite").click().run()
    token = page.code[0].value.split("?invitation=")[1]
    assert len(token) > 40
    assert not page.run().code, "it is shown once"

    joined = open_page(BOB, "data", invitation=token)
    assert "invitation" not in joined.query_params
    assert "You are in the workspace **Sales** now, as editor." in joined.success[0].value
    assert joined.sidebar.selectbox(key="app-workspace").value == shared
    again = open_page(BOB, "data", invitation=token)
    assert "You are in the workspace **Sales** already, as editor." in again.info[0].value
    late = open_page("eve@example.org", "data", invitation=token)
    assert "This invitation cannot be used" in late.error[0].proto.title

    editor = open_page(BOB, "workspace", shared)
    assert [key for key in ("workspace-change-role", "workspace-invite") if key in [b.key for b in editor.button]] == []
    assert editor.toggle == []
    assert BOB + " (you)" in shown(editor)

    page.run()
    page.segmented_control(key=f"workspace-role-{BOB}-editor").set_value(Role.VIEWER).run()
    page.button(key="workspace-change-role").click().run()
    assert [(row.person, row.role) for row in workspaces.members(access=workspaces.enter(shared, ADA))] == [
        (ADA, "admin"),
        (BOB, "viewer"),
    ]
    page.button(key="workspace-leave-confirm").click().run()
    assert "Nobody would be left as admin" in page.error[0].proto.title

    log = open_page(ADA, "audit", shared)
    table = log.dataframe[0].value
    actions = [f"{who} {action}" for who, action in zip(table["Person"], table["Action"], strict=True)]
    assert [action for action in actions if "Opened" not in action] == [
        f"{ADA} Changed the role of {BOB}",
        f"{BOB} Joined as editor",
        f"{ADA} Invited someone as editor",
        f"{ADA} Made the workspace Sales",
    ]
    assert {action for action in actions if "Opened" in action} == {
        f"{ADA} Opened the workspace",
        f"{BOB} Opened the workspace",
    }
    assert f"{len(actions)} records are an unbroken chain" in log.success[0].value
    log.multiselect(key="audit-actions").set_value(["role"]).run()
    assert len(log.dataframe[0].value) == 1
    log.date_input(key="audit-from").set_value(date(2020, 1, 2))
    log.date_input(key="audit-to").set_value(date(2020, 1, 1)).run()
    assert "no day is in between" in log.warning[0].value
    assert "No records match" in log.info[0].value
    log.button(key="audit-clear").click().run()
    assert not log.warning
    assert len(log.dataframe[0].value) == len(table)

    refused = open_page(BOB, "audit", shared)
    unknown = open_page(BOB, "nothing", shared)
    assert refused.title[0].value == "Plumbline"
    assert [element.type for element in refused.main] == [element.type for element in unknown.main]
    assert shown(refused) == shown(unknown)


@pytest.mark.nightly
def test_what_happens_on_pages_is_recorded(team: Path) -> None:
    table = add_table("Prices", ADA)
    claims = {"iat": 1, "exp": time.time() + 60}
    for _ in range(3):
        signed_in(ADA, **claims).run()
    signed_in(ADA, exp=1, iat=1)
    shared = workspaces.add("Sales", person=BOB)
    invitations.accept(invitations.add(Role.VIEWER, access=shared), ADA)
    viewer = open_page(ADA, "data", shared.workspace)
    for _ in range(2):
        viewer.button(key="data-load-sample").click().run()
    assert "only editors may change this" in viewer.error[0].proto.title
    refusals = [record for record in audit.find(access=shared) if record.action == "refused"]
    assert [(record.who, record.subject) for record in refusals] == [
        (ADA, "You may look at this workspace as viewer; only editors may change this.")
    ]
    for _ in range(3):
        open_page(ADA, "data", dataset=table.id)
    page = open_page(ADA, "audit")
    assert page.session_state["app-workspace"] == workspaces.personal(ADA).workspace
    entries = [(record.action, record.subject) for record in reversed(audit.find(access=workspaces.personal(ADA)))]
    assert entries[:3] == [("make", "Your own"), ("sign in", ""), ("refused", "the sign-in has expired")]
    assert entries.count(("read", "Prices")) == 1
    page = signed_in(ADA, **claims)
    page.sidebar.button(key="app-sign-out").click().run()
    newest = audit.find(limit=1, access=workspaces.personal(ADA))[0]
    assert newest.action == "sign out"


@pytest.mark.nightly
def test_signing_out_ends_the_sign_in_in_all_tabs_and_in_copies_of_the_cookie(team: Path) -> None:
    claims = {"iat": 1_700_000_000, "nonce": "a", "exp": time.time() + 600}
    first, second = signed_in(ADA, **claims), signed_in(ADA, **claims)
    elsewhere = signed_in(ADA, **claims | {"nonce": "b"})  # another browser
    first.sidebar.button(key="app-sign-out").click().run()
    second.button(key="data-load-sample").click().run()  # what is pressed first comes before the gate
    assert "You have signed out." in [item.value for item in second.info]
    assert [button.label for button in second.button] == ["Sign in"]
    assert not [run for run in runs.find(access=workspaces.personal(ADA)) if run.task == "ingest"]
    assert "Sign in" in [button.label for button in signed_in(ADA, **claims).button]
    assert elsewhere.run().sidebar.button(key="app-sign-out")

"""Promotions of a team on the page of the model: asked for by one person, confirmed by another."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core.access import LOCAL, Access, Role
from core.catalog import invitations, models, workspaces
from core.catalog.engine import get_engine
from tests.golden import Golden, copy_home
from tests.pages.conftest import ROOT, labels, texts

pytestmark = pytest.mark.nightly

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
STAYS = ("auditrecord", "audithead", "workspace", "membership", "queueturn")
"""Tables whose rows stay with the workspace that they are about."""


@pytest.fixture
def model(golden: tuple[Path, Golden], installation: Callable[..., Any], tmp_path: Path):
    """The golden installation's model with two versions, as the workspace of a team."""
    home, ids = golden
    copy_home(home, tmp_path / "home")
    with installation(tmp_path / "home", PROFILE="team"):
        ada = workspaces.add("Sales", person=ADA)
        for role, person in ((Role.EDITOR, BOB), (Role.VIEWER, EVE)):
            invitations.accept(invitations.add(role, access=ada), person)
        with get_engine().begin() as connection:
            tables = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
            for table in tables:
                columns = {row[1] for row in connection.execute(text(f"PRAGMA table_info({table})"))}
                if "workspace" in columns and table not in STAYS:
                    moved = text(f"UPDATE {table} SET workspace = :name WHERE workspace = 'local'")
                    connection.execute(moved, {"name": ada.workspace})
        workspaces.set_rules(two_people=True, needs_reason=True, access=ada)
        yield ids.model, ada


def open_model(model_id: str, access: Access, person: str, **query: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60)
    test.user = {"is_logged_in": True, "email": person, "email_verified": True, "exp": time.time() + 60}
    test.session_state["app-workspace"] = access.workspace
    for name, value in {"model": model_id, **query}.items():
        if value:
            test.query_params[name] = value
    test._page_hash = calc_hash("models")
    return test.run()


def test_one_asks_and_another_confirms(model: tuple[str, Access]) -> None:
    model_id, ada = model
    assert LOCAL.workspace != ada.workspace
    champion = models.aliases(model_id, access=ada).get("champion")
    version = next(item for item in models.versions(model_id, access=ada) if item.number != champion)
    page = open_model(model_id, ada, ADA, version=str(version.number))
    assert "Promote to champion" not in labels(page)
    assert "Roll back" not in labels(page)
    page.button(key=f"models-promote-{version.id}").click().run()
    assert "A promotion needs a reason" in texts(page)
    page = open_model(model_id, ada, ADA, version=str(version.number))
    page.text_input(key=f"models-why-{version.id}-0").input("It errs less.")
    page.button(key=f"models-promote-{version.id}").click().run()
    assert f"Version {version.number} waits for a second person" in texts(page)
    assert "Withdraw" in labels(page)
    assert page.button(key=f"models-promote-{version.id}").disabled
    listed = open_model("", ada, BOB)
    next(button for button in listed.button if button.key.startswith("models-waiting-")).click().run()
    assert listed.query_params["version"] == str(version.number)
    assert "Confirm" not in labels(page)

    viewer = open_model(model_id, ada, EVE)
    assert "It errs less." in texts(viewer)
    assert {"Confirm", "Decline", "Withdraw", "Archive", "Save notes"} & set(labels(viewer)) == set()
    assert all(button.disabled for button in viewer.button if button.label == "Delete…")

    elsewhere = open_model(model_id, workspaces.personal(EVE), EVE)
    assert any("choose that one in the sidebar" in item.value for item in elsewhere.caption)

    other = open_model(model_id, ada, BOB)
    next(button for button in other.button if button.label == "Confirm").click().run()
    assert models.aliases(model_id, access=ada)["champion"] == version.number
    assert "waits for a second person" not in texts(other)
    history = open_model(model_id, ada, EVE, tab="History")
    row = history.dataframe[0].value.iloc[0]
    assert (row["Who"], row["Confirmed by"], row["Why"]) == (ADA, BOB, "It errs less.")

"""Alert channels on the page of the workspace: added, tried, changed and removed, by those who may."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core import alerts
from core.access import LOCAL, Role
from core.alerts import CHANNEL_KINDS
from core.catalog import invitations, workspaces
from pages._ui import visitor
from tests.pages.conftest import labels, texts, visit
from tests.unit.alerts.conftest import SECRET, add_model
from tests.unit.alerts.servers import Hooks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(installation: Callable[..., Any], tmp_path: Path) -> Iterator[Path]:
    with installation(tmp_path / "home", SECRET_WEBHOOK_TEST=SECRET) as folder:
        yield folder


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    with Hooks() as server:
        yield server


def opened(test: AppTest, key: str) -> AppTest:
    """Open a popover, which is drawn only then."""
    test.session_state[key] = True
    return test.run()


def errors(test: AppTest) -> str:
    return " ".join(f"{item.proto.title} {item.value}" for item in test.error).replace("\\", "")


def added(test: AppTest, url: str, *, credential: str = "WEBHOOK_TEST") -> AppTest:
    """Fill in the form of a webhook and press Add."""
    opened(test, "workspace-channel-add")
    test.segmented_control(key="workspace-channel-kind").set_value("webhook").run()
    test.text_input(key="workspace-channel-new-webhook-name").input("On call")
    test.text_input(key="workspace-channel-new-webhook-target").input(url)
    test.text_input(key="workspace-channel-new-webhook-credential").input(credential)
    return test.button(key="workspace-channel-new-add").click().run()


def test_a_webhook_is_added_tried_changed_and_removed(home: Path, hooks: Hooks) -> None:
    model = add_model("Churn")
    test = visit("workspace")
    assert test.title[0].value == "Alert channels"
    assert "With a channel they are sent" in texts(test)
    added(test, f"{hooks.url}/secret-path")
    (channel,) = alerts.channels(access=LOCAL)
    assert "On call" in texts(test)
    assert "secret-path" not in texts(test)
    assert "from level warning on" in texts(test)
    assert "No alert was sent yet" in texts(test)
    key = f"workspace-channel-{channel.id}"
    test.button(key=f"{key}-try").click().run()
    assert "The test alert was delivered" in test.success[0].value
    opened(test, f"{key}-edit")
    assert test.text_input(key=f"{key}-target").value == "", "the address may hold a secret"
    test.text_input(key=f"{key}-name").input("Night shift")
    test.selectbox(key=f"{key}-level").set_value("critical")
    test.multiselect(key=f"{key}-models").set_value([model.id])
    test.button(key=f"{key}-save").click().run()
    (changed,) = alerts.channels(access=LOCAL)
    assert (changed.name, changed.min_level, changed.model_ids) == ("Night shift", "critical", [model.id])
    assert changed.target == channel.target
    assert "Alerts of Churn, from level critical on" in texts(test)
    test.button(key=f"{key}-toggle").click().run()
    assert alerts.channels(access=LOCAL)[0].enabled is False
    test.button(key=f"{key}-remove-confirm").click().run()
    assert alerts.channels(access=LOCAL) == []
    assert not test.exception


def test_what_is_wrong_is_a_message(home: Path, hooks: Hooks) -> None:
    test = visit("workspace")
    added(test, hooks.url, credential="WEBHOOK_ABSENT")
    assert "WEBHOOK_ABSENT is not set" in errors(test)
    added(test, "file:///etc/passwd")
    assert "cannot be used" in errors(test)
    assert test.text_input(key="workspace-channel-new-webhook-target").value == "file:///etc/passwd"
    assert alerts.channels(access=LOCAL) == []
    added(test, "http://127.0.0.1:9/x")
    (channel,) = alerts.channels(access=LOCAL)
    test.button(key=f"workspace-channel-{channel.id}-try").click().run()
    assert "The test alert was not delivered" in errors(test)
    assert "127.0.0.1:9 refuses connections" in errors(test)
    assert not test.exception


@pytest.mark.parametrize("name", list(CHANNEL_KINDS))
def test_each_kind_has_its_own_fields(home: Path, name: str) -> None:
    test = opened(visit("workspace"), "workspace-channel-add")
    test.segmented_control(key="workspace-channel-kind").set_value(name).run()
    shown = [item.label for item in test.text_input]
    assert CHANNEL_KINDS[name].target_title in shown
    assert ("Credential" in shown) is CHANNEL_KINDS[name].signs
    test.button(key="workspace-channel-new-add").click().run()
    assert errors(test), "an empty form is refused"
    assert not test.exception


def test_a_demo_says_why_there_are_none(
    installation: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitor, "workspace_of", lambda _token: "v-" + "a" * 32)
    with installation(tmp_path / "home", PROFILE="demo", VISITOR_SECRET="s" * 32):
        test = visit("workspace")
        (said,) = (item for item in test.info if "alert channels" in item.proto.title)
        assert said.proto.title == "There are no alert channels in this demo"
        assert "addresses that strangers name" in said.value
        assert "Add a channel" not in labels(test)
        assert not test.exception


def test_in_a_team_admins_alone_change_channels(
    installation: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: Hooks
) -> None:
    ada, bob = "ada@plumbline.test", "bob@plumbline.test"
    settings = {"PROFILE": "team", "SECRET_WEBHOOK_TEST": SECRET, "OUTBOUND_HOSTS": "127.0.0.1"}
    with installation(tmp_path / "home", **settings):
        shared = workspaces.add("Sales", person=ada)
        invitations.accept(invitations.add(Role.EDITOR, access=shared), person=bob)
        alerts.add_channel("webhook", "On call", hooks.url, credential="WEBHOOK_TEST", access=shared)

        def page(person: str, workspace: str) -> AppTest:
            test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60)
            test.user = {"is_logged_in": True, "email": person, "email_verified": True, "exp": time.time() + 60}
            test.session_state["app-workspace"] = workspace
            test.query_params["tab"] = "Alert channels"
            test._page_hash = calc_hash("workspace")
            return test.run()

        for person, may in ((ada, True), (bob, False)):
            test = page(person, shared.workspace)
            assert "On call" in texts(test)
            assert ("Send a test alert" in labels(test)) is may
            assert not test.exception
        own = page(bob, workspaces.personal(bob).workspace)
        assert "With a channel they are sent" in texts(own)
        assert "On call" not in texts(own)

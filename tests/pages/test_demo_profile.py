"""The demo's profile on pages: who gets no further, what visitors are told, what they are not offered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.catalog import visitors
from pages._ui import visitor

ROOT = Path(__file__).resolve().parents[2]
WORKSPACE = "v-" + "a" * 32


@pytest.fixture(autouse=True)
def demo(installation: Callable[..., Any], tmp_path: Path) -> Iterator[None]:
    with installation(tmp_path / "home", PROFILE="demo", VISITOR_SECRET="s" * 32):
        yield


def page(path: str = "pages/home/page.py") -> AppTest:
    test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60).run()
    return test.switch_page(path).run()


def texts(test: AppTest) -> str:
    alerts = [f"{item.proto.title} {item.value}" for kind in (test.info, test.error) for item in kind]
    return " ".join([*alerts, *(item.value for item in test.markdown)])


def test_nobody_gets_further_without_a_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "workspace_of", lambda _token: None)
    test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60).run()
    assert "Load this page again" in texts(test)
    assert not test.button
    assert visitors.find() == []


def test_visitors_are_told_what_a_demo_is_and_are_not_offered_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "workspace_of", lambda _token: WORKSPACE)
    test = page("pages/edge/page.py")
    assert not test.exception
    assert "removed 24 hours after your last visit" in texts(test)
    assert "Upload an ONNX file" not in [item.value for item in test.subheader]
    assert [row.workspace for row in visitors.find()] == [WORKSPACE]
    assert not [item for item in test.selectbox if item.label == "Workspace"]
    visitors.add_examples()
    test = page("pages/data/page.py")
    (choice,) = (item for item in test.selectbox if item.label == "Workspace")
    assert choice.value == visitor.OWN
    test.button(key="app-demo-example").click().run()
    (choice,) = (item for item in test.selectbox if item.label == "Workspace")
    assert choice.value == "examples"
    assert "This is the example" in texts(test)
    (load,) = (item for item in test.button if item.label == "Load")
    load.click().run()
    assert "You may look at this workspace as viewer" in texts(test).replace("\\", "")
    test.button(key="app-demo-own").click().run()
    assert "This is the example" not in texts(test)

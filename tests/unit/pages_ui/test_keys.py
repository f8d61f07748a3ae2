"""Widget keys are the page's name and the widget's, so that no widget takes over another's state."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[3] / "pages"
FILES = sorted(PAGES.rglob("*.py"))


def _keys(tree: ast.Module) -> list[ast.expr]:
    """Return the expressions that are the keys of widgets: of calls such as ``st.button`` and ``column.selectbox``."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    widgets = [call for call in calls if any(word.arg == "key" for word in call.keywords) and _is_widget(call)]
    return [word.value for call in widgets for word in call.keywords if word.arg == "key"]


def _is_widget(call: ast.Call) -> bool:
    import streamlit as st

    return isinstance(call.func, ast.Attribute) and hasattr(st, call.func.attr)


def _begins_with(key: ast.expr, page: str) -> bool:
    """Tell whether a key names its page. A key in a variable is made elsewhere, where it is checked as well."""
    if isinstance(key, ast.Call):
        return ast.unparse(key.func) == "keys.key"
    if isinstance(key, ast.JoinedStr):
        key = key.values[0]
    if isinstance(key, ast.FormattedValue):
        key = key.value
    if isinstance(key, ast.Name | ast.Attribute):
        return True
    return isinstance(key, ast.Constant) and str(key.value).startswith(f"{page}-")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PAGES)))
def test_keys_of_widgets_begin_with_the_name_of_their_page(path: Path) -> None:
    page = path.parent.name
    wrong = [ast.unparse(key) for key in _keys(ast.parse(path.read_text())) if not _begins_with(key, page)]
    if page == "_ui":
        wrong = [key for key in wrong if not key.removeprefix("f").strip("'\"").startswith(("home-", "app-"))]
    assert not wrong


def test_a_shared_widget_has_the_name_of_the_page_it_is_on() -> None:
    from streamlit.testing.v1 import AppTest

    def script() -> None:
        import streamlit as st

        from pages._ui import keys

        keys.set_page("data", "Data")
        st.button("Download", key=keys.key("download"))

    test = AppTest.from_function(script).run()
    assert test.button(key="data-download")

"""What addresses lead to: objects, tabs, and where there is nothing, a sentence and a way back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import streamlit as st

from core.access import LOCAL
from core.catalog import Run, RunState, runs
from tests.pages.conftest import ROOT, query, texts, visit

NOTHING = "0123456789abcdef"
PARAMETERS = [
    ("data", "dataset", "Dataset"),
    ("data", "import", "Import"),
    ("automl", "run", "Search"),
    ("automl", "dataset", "Dataset"),
    ("federated", "run", "Federated study"),
    ("federated", "dataset", "Dataset"),
    ("federated", "sample", "Sample"),
    ("finetune", "run", "Training"),
    ("finetune", "dataset", "Dataset"),
    ("fairness", "run", "Model or table"),
    ("fairness", "dataset", "Model or table"),
    ("edge", "run", "Run"),
    ("edge", "model", "Model"),
    ("models", "run", "Scored file"),
    ("models", "model", "Model"),
    ("models", "register", "Run"),
    ("runs", "run", "Run"),
    ("pipelines", "run", "Pipeline run"),
    ("pipelines", "pipeline", "Pipeline"),
    ("pipelines", "component", "Component"),
]
OF_RUNS = [(page, name, noun) for page, name, noun in PARAMETERS if name in ("run", "import", "register", "sample")]
OF_RUNS += [("edge", "model", "Model")]


@pytest.mark.parametrize(("page", "parameter", "noun"), PARAMETERS)
def test_an_address_that_leads_to_nothing_says_so_and_leads_back(
    home: Path, page: str, parameter: str, noun: str
) -> None:
    test = visit(page, **{parameter: NOTHING})
    assert not test.exception
    assert [title.value for title in test.title] == [f"{noun} not found"]
    assert len(test.error) == 1
    assert (NOTHING in texts(test)) == (parameter != "component")  # which has a name, not an id
    assert test.error[0].value
    test.button(key=f"{page}-back").click().run()
    assert not test.exception
    assert not test.error
    assert parameter not in test.query_params
    assert test.title[0].value != f"{noun} not found"


@pytest.mark.parametrize(
    ("page", "parameter", "noun"),
    [
        item if item[:2] == ("runs", "run") else pytest.param(*item, marks=pytest.mark.nightly)
        for item in (*PARAMETERS, ("data", "column", "Dataset"), ("pipelines", "step", "Pipeline run"))
    ],
)
@pytest.mark.parametrize("words", ["http://evil.example/ call 555", "0123456789abcdef\nevil"])
def test_words_of_an_address_are_not_repeated(home: Path, page: str, parameter: str, noun: str, words: str) -> None:
    others = {"column": {"dataset": words}, "step": {"run": words}}.get(parameter, {})
    test = visit(page, **others, **{parameter: words})
    assert [title.value for title in test.title] == [f"{noun} not found"]
    assert len(test.error) == 1
    assert "evil" not in texts(test)


@pytest.mark.parametrize(
    ("page", "parameter", "noun"), [item for item in OF_RUNS if item[0] != "runs"], ids=lambda value: str(value)
)
def test_a_run_of_another_kind_is_not_opened(home: Path, page: str, parameter: str, noun: str) -> None:
    run = Run(workspace="local", task="check", title="Checks of a table", state=RunState.SUCCEEDED, settings={})
    runs.add(run, access=LOCAL)
    test = visit(page, **{parameter: run.id})
    assert not test.exception
    assert [title.value for title in test.title] == [f"{noun} not found"]
    assert run.id in texts(test)
    test.button(key=f"{page}-back").click().run()
    assert not test.error


def test_the_browsers_tab_is_titled_by_page_and_object(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(workspace="local", task="check", title="Checks of *a* table", state=RunState.SUCCEEDED, settings={})
    runs.add(run, access=LOCAL)
    titles: list[str] = []
    configure = st.set_page_config

    def record(**options: str) -> None:
        titles.append(options["page_title"])
        configure(**options)

    monkeypatch.setattr(st, "set_page_config", record)
    pages = {"home": "Home", "data": "Data", "automl": "AutoML", "finetune": "Fine-tuning", "fairness": "Fairness"}
    pages |= {"federated": "Federated", "edge": "Edge", "models": "Models", "runs": "Runs"}
    for page, title in pages.items():
        visit(page)
        assert titles[-1] == f"{title} · Plumbline"
    visit("runs", run=run.id)
    assert titles[-1] == "Checks of *a* table · Runs · Plumbline"
    visit("data", dataset=NOTHING)
    assert titles[-1] == "Dataset not found · Data · Plumbline"


def test_a_tab_is_kept_in_the_address_and_opened_by_it(home: Path) -> None:
    run = Run(workspace="local", task="check", title="Checks", state=RunState.SUCCEEDED, settings={"target": "yes"})
    runs.add(run, access=LOCAL)
    test = visit("runs", run=run.id, tab="Files")
    assert "This run has no files." in texts(test)
    test.session_state["runs-tabs"] = "Log"
    test.run()
    assert query(test, "tab") == "Log"
    assert "The log is empty." in texts(test)
    other = visit("runs", run=run.id, tab="Nowhere")
    assert other.session_state["runs-tabs"] == "Facts"


@pytest.mark.parametrize(
    ("call", "module"),
    [
        ("st.tabs", "tabs"),
        ("st.title", "header"),
        ("st.file_uploader", "uploader"),
        ("get_store().read_bytes", "artifacts"),
    ],
)
def test_what_pages_share_is_written_once(call: str, module: str) -> None:
    """Tabs keep their tab in the address, headers title the browser's tab, and so on, because there is one of each."""
    gates = {"_ui/frame.py", "_ui/sign_in.py", "_ui/visitor.py"}
    allowed = gates | {f"_ui/{module}.py", "_ui/tables.py", "finetune/preview.py"}
    files = {
        str(path.relative_to(ROOT / "pages"))
        for path in (ROOT / "pages").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == call
    }
    assert f"_ui/{module}.py" in files
    assert files <= allowed

"""Explain and What-if of a result: what stays at a reload, what can be typed, and what is said of the rows."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.access import LOCAL
from core.errors import LimitError
from core.explain import Explanation, ShapValues
from pages._ui import artifacts
from pages.automl import explain, page_model, whatif
from tests.pages.conftest import World, query, texts, visit


def opened(run_id: str, tab: str, **parameters: str) -> AppTest:
    return visit("automl", run=run_id, **parameters, tab=tab)


def cells_page(table, column_kinds, typed=None) -> None:  # type: ignore[no-untyped-def]
    import streamlit as st

    from core.explain import what_if
    from pages.automl import row_form

    for key, value in (typed or {}).items():  # AppTest itself cannot choose what is not an option yet
        st.session_state.setdefault(key, value)
    edits = row_form.form(table, table.iloc[[0]], list(table), column_kinds, key="automl-cell-form")
    st.session_state["edits"] = edits
    st.session_state["changed"] = what_if(lambda rows: rows.notna().sum(axis=1), table.iloc[[0]], edits).row


CELLS = pd.DataFrame(
    {
        "huge": np.array([2**53, 2**60 + 1, -(2**62)], dtype=np.int64),
        "whole": [1.0, None, 3.0],
        "job": ["cook", "nurse", None],
        "flag": [True, False, True],
        "words": ["good food", "bad food", None],
        "day": pd.to_datetime(["2026-01-01", None, "2026-03-01"]),
        "moment": pd.to_datetime(["2026-01-01T10:00", "2026-01-02T11:30", None]),
        "written": ["2026-01-01", "2026-02-01", None],
    }
)
KINDS = {
    "huge": "number",
    "whole": "number",
    "job": "category",
    "flag": "boolean",
    "words": "text",
    "day": "date",
    "moment": "date",
    "written": "date",
}


@pytest.fixture
def form() -> AppTest:
    test = AppTest.from_function(cells_page, kwargs={"table": CELLS, "column_kinds": KINDS}).run()
    assert not test.exception
    return test


def test_a_form_that_nobody_touched_changes_nothing_whatever_the_numbers(form: AppTest) -> None:
    assert form.session_state["edits"] == {}
    assert form.number_input(key="automl-cell-form-huge").value == float(2**53)


@pytest.mark.parametrize("position", range(3))
def test_every_row_opens_without_a_change(position: int) -> None:
    table = CELLS.iloc[[position, *(other for other in range(3) if other != position)]]
    test = AppTest.from_function(cells_page, kwargs={"table": table, "column_kinds": KINDS}).run()
    assert not test.exception
    assert test.session_state["edits"] == {}


def test_values_that_no_row_has_can_be_given(form: AppTest) -> None:
    form.selectbox(key="automl-cell-form-job").set_value("nurse")
    form.selectbox(key="automl-cell-form-flag").set_value("(missing)")
    form.number_input(key="automl-cell-form-whole").set_value(None)
    form.text_area(key="automl-cell-form-words").set_value("never seen")
    form.date_input(key="automl-cell-form-day").set_value(date(1999, 12, 31))
    form.text_input(key="automl-cell-form-moment").set_value("1999-12-31T08:15")
    form.text_input(key="automl-cell-form-written").set_value("1999-12-31")
    form.run()
    assert not form.exception
    assert form.session_state["edits"] == {
        "job": "nurse",
        "flag": None,
        "whole": None,
        "words": "never seen",
        "day": pd.Timestamp(1999, 12, 31),
        "moment": pd.Timestamp(1999, 12, 31, 8, 15),
        "written": "1999-12-31",
    }
    changed = form.session_state["changed"].iloc[0]
    assert (changed["job"], changed["day"]) == ("nurse", pd.Timestamp(1999, 12, 31))


def test_a_category_that_no_row_has_can_be_typed() -> None:
    page = {"table": CELLS, "column_kinds": KINDS, "typed": {"automl-cell-form-job": "pilot"}}
    form = AppTest.from_function(cells_page, kwargs=page).run()
    assert not form.exception
    assert form.session_state["edits"] == {"job": "pilot"}
    assert form.session_state["changed"].iloc[0]["job"] == "pilot"
    assert form.selectbox(key="automl-cell-form-job").proto.accept_new_options
    assert not form.selectbox(key="automl-cell-form-flag").proto.accept_new_options


def test_what_is_no_date_is_said_and_changes_nothing(form: AppTest) -> None:
    form.text_input(key="automl-cell-form-moment").set_value("soon")
    form.text_input(key="automl-cell-form-written").set_value("9999-01-01").run()
    assert not form.exception
    assert form.session_state["edits"] == {}
    assert texts(form).count("This is not a date") == 2


def test_view_group_and_column_of_the_explanation_are_in_the_address(world: World) -> None:
    test = opened(world.binary, "Explain", view="Effect of one column", column="duration_months")
    assert not test.exception
    assert test.radio(key="automl-explain-view").value == "Effect of one column"
    assert test.selectbox(key="automl-explain-column").value == "duration_months"
    test.radio(key="automl-explain-view").set_value("By group").run()
    test.selectbox(key="automl-explain-group").set_value("sex").run()
    test.radio(key="automl-explain-view").set_value("What pushes predictions up or down").run()
    assert (query(test, "view"), query(test, "run")) == ("What pushes predictions up or down", world.binary)
    assert len(test.get("vega_lite_chart")) == 2  # bars and single rows
    other = opened(world.number, "Explain", view="By group", column="duration_months", row="-1", **{"class": "good"})
    assert not other.exception
    assert not other.error
    assert other.radio(key="automl-explain-view").value == "Importance"  # nobody is sensitive there


def test_rows_and_row_of_what_if_are_in_the_address_and_any_row_can_be_chosen(world: World) -> None:
    rows = pd.read_parquet(jobs.artifact_path(world.binary, "rows.parquet", access=LOCAL)).index
    test = opened(world.binary, "What-if", row=str(rows[-1]))
    assert test.selectbox(key="automl-whatif-row-All").value == rows[-1]
    assert len(test.selectbox(key="automl-whatif-row-All").options) == len(rows)
    assert f"{len(rows)} to choose from, of {len(rows)} test rows" in texts(test)
    test.radio(key="automl-whatif-kind").set_value("Unsure").run()
    options = test.selectbox(key="automl-whatif-row-Unsure").options
    assert len(options) < len(rows)
    wanted = int(options[-1].split(":")[0].removeprefix("Row "))
    test.selectbox(key="automl-whatif-row-Unsure").set_value(wanted).run()
    assert not test.exception
    again = opened(world.binary, "What-if", rows=query(test, "rows"), row=query(test, "row"))
    assert again.selectbox(key="automl-whatif-row-Unsure").value == wanted


def test_more_rows_than_two_hundred_can_be_chosen_and_the_caption_says_of_how_many(world: World) -> None:
    def page(model) -> None:  # type: ignore[no-untyped-def]
        import streamlit as st

        from pages.automl import whatif

        st.session_state["chosen"] = whatif._row(model, {"rows": {"test": 5_000, "train": 9}})

    table = pd.DataFrame({"y": np.arange(1_000.0), "prediction": np.arange(1_000.0)})
    model = SimpleNamespace(test=table, labels=None, target="y", tested=True)
    test = AppTest.from_function(page, kwargs={"model": model}).run()
    test.selectbox(key="automl-whatif-row-All").set_value(999).run()
    assert test.session_state["chosen"] == 999
    assert "1,000 to choose from, of the first 1,000 of 5,000 test rows." in texts(test)
    model.tested = False
    test = AppTest.from_function(page, kwargs={"model": model}).run()
    assert "learned from it, because there was no test" in test.selectbox(key="automl-whatif-row-All").help


def test_a_row_is_explained_for_the_class_that_it_was_given() -> None:
    def page(values) -> None:  # type: ignore[no-untyped-def]
        from pages.automl import whatif

        whatif.explain_charts.waterfall = lambda waterfall: None
        whatif._why(values, 7)

    own = whatif.explain_charts.waterfall
    values = np.zeros((2, 1, 3))
    values[1, 0] = [0.1, 0.2, 0.5]
    shap = ShapValues(
        "exact",
        "probability",
        ["a"],
        ["x", "y", "z"],
        np.full(3, 1 / 3),
        values,
        np.array([4, 7]),
        pd.DataFrame({"a": [1.0, 2.0]}),
        0.0,
    )
    try:
        test = AppTest.from_function(page, kwargs={"values": shap}).run()
    finally:
        whatif.explain_charts.waterfall = own
    assert not test.exception
    assert test.selectbox(key="automl-why-7").value == "z"


def test_an_answer_stands_where_its_reasons_take_too_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(*_: object, **__: object) -> None:
        raise LimitError("The SHAP values of this row take longer than 4 s.", "The prediction is not affected.")

    monkeypatch.setattr(whatif, "explain_row", too_slow)
    whatif._new_values.clear()
    test = opened(world.binary, "What-if")
    index = test.selectbox(key="automl-whatif-row-All").value
    test.number_input(key=f"automl-cell-{world.binary}-{index}-duration_months").set_value(62).run()
    assert not test.exception
    assert not test.error
    assert [item.value for item in test.info if "take longer than 4 s" in item.value]
    assert test.metric
    assert test.button(key=f"automl-nearest-{world.binary}-{index}")  # other answers are searched all the same


def test_answers_stay_until_the_row_changes_and_nothing_is_computed_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("what_if", "explain_row"):
        own = getattr(whatif, name)
        monkeypatch.setattr(whatif, name, lambda *a, _own=own, _name=name, **k: (asked.append(_name), _own(*a, **k))[1])
    whatif._predict.clear()
    whatif._new_values.clear()
    test = opened(world.binary, "What-if")
    index = test.selectbox(key="automl-whatif-row-All").value
    test.number_input(key=f"automl-cell-{world.binary}-{index}-duration_months").set_value(61).run()
    before = list(asked)
    assert before.count("what_if") == 2  # of the row as it is, and of the edited one
    assert before.count("explain_row") in (1, 2)  # the row as it is may have stored values
    test.button(key=f"automl-nearest-{world.binary}-{index}").click().run(timeout=60)
    answer = re.search(r"[\d,]+ rows were tried in|None found among [\d,]+ rows", texts(test))
    assert answer
    test.run()
    assert answer[0] in texts(test)
    assert asked == before
    test.number_input(key=f"automl-cell-{world.binary}-{index}-duration_months").set_value(5).run()
    assert "rows were tried" not in texts(test)
    assert "None found" not in texts(test)
    assert not test.exception
    assert not test.error


def test_a_category_that_the_model_does_not_know_is_answered(world: World) -> None:
    position = pd.read_parquet(jobs.artifact_path(world.binary, "rows.parquet", access=LOCAL)).index[0]
    test = visit("automl", run=world.binary)
    test.session_state["automl-tabs"] = "What-if"
    test.session_state[f"automl-cell-{world.binary}-{position}-purpose"] = "a rocket"
    test.run()
    assert not test.exception
    assert not test.error
    assert "Changed: purpose." in texts(test)


def test_without_test_rows_what_if_says_that_the_model_learned_from_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = jobs.get(world.binary, access=LOCAL)
    digests, read = artifacts.digests(run), artifacts.rows_with_ids
    names = {digests["oof.parquet"]: digests["test.parquet"]}  # as if the shown rows had been among those of the folds
    monkeypatch.setattr(artifacts, "rows_with_ids", lambda digest, ids: read(names.get(digest, digest), ids))
    model = page_model.page_model(run, {"rows": {"test": 0}, "settings": {"target": "credit"}})
    assert model is not None
    assert not model.tested


def test_without_shap_values_curves_have_the_names_of_their_classes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages = explain.explanation(jobs.get(world.binary, access=LOCAL))
    assert messages is not None
    assert messages.shap is not None
    positive = messages.shap.classes
    bare = replace(messages, shap=None, summary=Explanation.no_table("summary"), rows_from="training")
    monkeypatch.setattr(explain, "explanation", lambda run: bare)
    test = opened(world.binary, "Explain", view="Effect of one column")
    assert not test.exception
    (chart,) = test.get("vega_lite_chart")
    assert f"Mean probability of {positive[0]}" in chart.proto.spec
    test.radio(key="automl-explain-view").set_value("Importance").run()
    assert "rows the model was trained on" in test.get("vega_lite_chart")[0].proto.spec


def test_only_views_with_a_class_ask_for_one() -> None:
    def page(view: str) -> None:
        from types import SimpleNamespace

        import pandas as pd

        from pages.automl import explain

        messages = SimpleNamespace(
            shap=None,
            task="multiclass",
            target="t",
            summary=pd.DataFrame({"group": [], "column": []}),
            left_out=[],
            dependence=[SimpleNamespace(feature="a", average=[[0.1, 0.2, 0.7]])],
            elapsed_s=1.0,
            interactions=pd.DataFrame({"strength": [1.0]}),
            interaction_space="margin",
            permutation=pd.DataFrame(),
            metric="roc_auc",
            classes=["x", "y", "z"],
        )
        drawn = []
        explain.explanation, explain.task.later = lambda run: messages, lambda run, access: []
        explain.explain_charts.interactions = lambda pairs, space, label: drawn.append(label)
        explain.dependence_chart.dependence = lambda curve, words, code: drawn.append((words, code))
        import streamlit as st

        st.session_state.setdefault("automl-explain-view", view)
        explain.show(None, {"labels": ["x", "y", "z"]})
        st.session_state["drawn"] = drawn

    saved = (
        explain.explanation,
        explain.task.later,
        explain.explain_charts.interactions,
        explain.dependence_chart.dependence,
    )
    try:
        values = {}
        for view in ("Importance", "Interactions", "Effect of one column"):
            test = AppTest.from_function(page, kwargs={"view": view}).run()
            assert not test.exception
            values[view] = test
        assert [box.label for box in values["Importance"].selectbox] == []
        assert [box.label for box in values["Interactions"].selectbox] == []
        assert values["Interactions"].session_state["drawn"] == [None]
        assert [box.label for box in values["Effect of one column"].selectbox] == ["Class", "Column"]
        values["Effect of one column"].selectbox(key="automl-explain-class").set_value("z").run()
        assert values["Effect of one column"].session_state["drawn"] == [("probability of z", 2)]
        assert query(values["Effect of one column"], "class") == "z"
    finally:
        (
            explain.explanation,
            explain.task.later,
            explain.explain_charts.interactions,
            explain.dependence_chart.dependence,
        ) = saved

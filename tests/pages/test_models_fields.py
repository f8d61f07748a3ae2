"""The widgets of a model's columns: each kind, missing values, and what they return."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.models import Field
from tests.pages.conftest import texts

KNOWN: dict[str, Any] = {"rows": 100}
FIELDS = {
    "whole": Field("n*o*", "number", default=3, minimum=1, maximum=9, integer=True, **KNOWN),
    "share": Field("share", "number", default=0.00123, minimum=0.0, maximum=1.0, missing=4, **KNOWN),
    "huge": Field("huge", "number", default=2**60, minimum=0, maximum=2**61, integer=True, **KNOWN),
    "unknown": Field("unknown", "number", missing=100, **KNOWN),
    "flag": Field("flag", "boolean", default=False, **KNOWN),
    "job": Field("job", "category", default="cook", choices=("cook", "nurse"), missing=1, **KNOWN),
    "many": Field("many", "category", default="a", choices=("a", "b"), complete=False, **KNOWN),
    "day": Field(
        "day",
        "date",
        default="2026-02-01T00:00:00",
        minimum="2026-01-01T00:00:00",
        maximum="2026-03-01T00:00:00",
        **KNOWN,
    ),
    "moment": Field(
        "moment",
        "date",
        default="2026-02-01T10:30:00",
        minimum="2026-01-01T00:00:00",
        maximum="2026-03-01T00:00:00",
        **KNOWN,
    ),
    "text": Field("text", "text", **KNOWN),
    "sex": Field("sex", "category", role="group", choices=("female", "male")),
}


def page(fields_by_name: dict) -> None:
    import streamlit as st

    from core.models import Field
    from pages.models import fields

    st.session_state["row"] = {
        name: fields.draw(Field.from_dict(field), name) for name, field in fields_by_name.items()
    }


@pytest.fixture
def form() -> AppTest:
    test = AppTest.from_function(
        page, kwargs={"fields_by_name": {name: field.to_dict() for name, field in FIELDS.items()}}
    )
    test.run()
    assert not test.exception
    return test


def test_each_column_begins_with_what_is_usual(form: AppTest) -> None:
    assert form.session_state["row"] == {
        "whole": 3,
        "share": 0.00123,
        "huge": float(2**60),
        "unknown": None,
        "flag": False,
        "job": "cook",
        "many": "a",
        "day": date(2026, 2, 1),
        "moment": "2026-02-01T10:30:00",
        "text": None,
        "sex": "female",
    }
    assert form.number_input(key="whole").help == "In training 1 to 9; never missing."
    assert form.number_input(key="share").help == "In training 0 to 1; missing in 4 of 100 rows."
    assert form.number_input(key="whole").label == r"n\*o\*"
    assert "policy decides by it" in form.selectbox(key="sex").label
    assert "Session State" not in texts(form)


def test_values_outside_of_training_can_be_given_and_missing_ones_where_there_were_some(form: AppTest) -> None:
    form.number_input(key="whole").set_value(500)
    form.number_input(key="share").set_value(None)
    form.number_input(key="unknown").set_value(-2.5)
    form.selectbox(key="job").set_value(None)
    form.selectbox(key="flag").set_value(True)
    form.date_input(key="day").set_value(date(1999, 1, 1))
    form.text_input(key="moment").set_value(" ")
    form.text_area(key="text").set_value("good")
    form.run()
    assert not form.exception
    row = form.session_state["row"]
    assert [row[name] for name in ("whole", "share", "unknown", "job", "flag", "day", "moment", "text")] == [
        500,
        None,
        -2.5,
        None,
        True,
        date(1999, 1, 1),
        None,
        "good",
    ]

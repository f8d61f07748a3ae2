"""A selection in a list opens its object once, whatever the browser sends along with the next press."""

from __future__ import annotations

import json
from pathlib import Path

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from core.access import LOCAL
from core.catalog import Run, RunState, runs
from tests.pages.conftest import query, visit


def select_first(test: AppTest) -> WidgetStates:
    """Return what a browser sends when the first row of the first table is selected."""
    states = test._tree.get_widget_states()
    states.widgets.add(
        id=test.dataframe[0].proto.id,
        string_value=json.dumps({"selection": {"rows": [0], "columns": [], "cells": []}}),
    )
    return states


def test_a_selection_that_is_sent_again_opens_nothing(home: Path) -> None:
    run = Run(workspace="local", task="check", title="Checks", state=RunState.SUCCEEDED, settings={"target": "yes"})
    runs.add(run, access=LOCAL)
    test = visit("runs")
    selected = select_first(test)
    test._run(selected)
    assert query(test, "run") == run.id
    back = test.button(key="runs-back").proto.id
    selected.widgets.add(id=back, trigger_value=True)
    test._run(selected)
    assert not test.exception
    assert "run" not in test.query_params
    assert test.title[0].value == "Runs"
    test._run(select_first(test))
    assert query(test, "run") == run.id

"""A viewer changes nothing: every public function that takes an access, with rows that the viewer may see."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.access import LOCAL, Role
from core.errors import DeniedError, PlumblineError
from core.jobs import scheduler
from tests.unit.access import test_isolation
from tests.unit.access.test_isolation import CALLS, FUNCTIONS, IDS, NEEDED, OPTIONS, OTHERS, ROWS, RUNS_OF

known, rows = test_isolation.known, test_isolation.rows  # fixtures
VIEWER = replace(LOCAL, role=Role.VIEWER, actor="eve@example.org")


COUNTED = {"policies.note_read"}
"""Functions that count what was looked at, whoever looks."""


@pytest.mark.nightly
@pytest.mark.parametrize(("key", "subject"), CALLS, ids=[f"{key}-{name}" for key, name in CALLS])
def test_a_viewer_changes_nothing(
    rows: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, key: str, subject: str
) -> None:
    monkeypatch.setattr(scheduler, "_start", lambda run: pytest.fail(f"{run.task} was started"))
    function = FUNCTIONS[key]
    parameters = inspect.signature(function).parameters
    annotation = str(parameters[subject].annotation)
    kind = ROWS[annotation] if annotation in ROWS else IDS[subject]
    if kind == "run":
        kind = next((name for name, keys in RUNS_OF.items() if key.startswith(keys)), kind)
    row = rows[kind]
    if "record" in parameters:
        monkeypatch.setitem(OTHERS, "record", test_isolation.exports.read(row, access=LOCAL))
    arguments = {
        name: test_isolation.others(function, name, str(parameter.annotation), tmp_path)
        for name, parameter in parameters.items()
        if (parameter.default is inspect.Parameter.empty or name in NEEDED)
        and parameter.kind is not inspect.Parameter.VAR_KEYWORD
        and name not in ("access", subject)
    }
    value = row if annotation in ROWS else row.id
    before = rows["changes"]()
    try:
        function(**arguments | OPTIONS.get(key, {}) | {subject: value}, access=VIEWER)
        refused = False
    except DeniedError:
        refused = True
    except (PlumblineError, ValueError, KeyError, TimeoutError):
        refused = False  # before anything was changed, which is what counts
    assert key in COUNTED or rows["changes"]() == before, "a row was changed"
    REFUSED.append(refused)


REFUSED: list[bool] = []


@pytest.mark.nightly
def test_most_changes_were_refused_for_the_role() -> None:
    assert not REFUSED or sum(REFUSED) > 40

"""Deletion on pages: the button is there, a notice offers Undo as long as that is possible, also after a reload."""

from __future__ import annotations

from pathlib import Path

from core import deletion
from core.access import LOCAL
from core.catalog import Run, RunState, runs
from tests.pages.conftest import labels, texts, visit


def test_a_deleted_run_is_not_found_and_can_be_had_back_after_a_reload(home: Path) -> None:
    made = [
        runs.add(Run(workspace="local", task="check", title=title, state=RunState.SUCCEEDED), access=LOCAL)
        for title in ("Check *people*", "b", "c", "d", "e")
    ]
    assert "Delete…" in labels(visit("runs", run=made[0].id))
    for run in made[:-1]:
        deletion.delete("run", run.id, access=LOCAL)
    assert "Run not found" in texts(visit("runs", run=made[0].id))
    test = visit("runs")
    assert labels(test).count("Undo") == 3
    next(button for button in test.button if button.label == "Show 1 more").click().run()
    test.button(key=f"runs-undo-{deletion.undoable(access=LOCAL)[-1].id}").click().run()
    assert not test.exception
    assert {run.title for run in runs.find(access=LOCAL)} == {"Check *people*", "e"}
    assert labels(test).count("Undo") == 3

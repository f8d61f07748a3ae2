"""Versions of datasets that earlier code stored are there, and a model of one scores as it did.

``tests/data/make_old_versions.py`` makes such an installation.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core import deletion, jobs, models, upkeep
from core.access import LOCAL, Role
from core.catalog import RunState, audit, datasets, runs, versions, workspaces
from core.datasets import Recipe
from core.errors import DeniedError, NotFoundError
from core.tasks import prepare

DATA = Path(__file__).parents[1] / "data"
HOMES = sorted(path.name.removesuffix(".tar.xz") for path in DATA.glob("versions-*.tar.xz"))


@pytest.fixture(scope="module", params=HOMES)
def old(
    request: pytest.FixtureRequest, installation: Callable, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Any]]:
    """Unpack one of the installations and use it."""
    folder = tmp_path_factory.mktemp("versions")
    with tarfile.open(DATA / f"{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    with installation(folder / "home"):
        yield json.loads((folder / "home" / "expected.json").read_text(encoding="utf-8"))


def test_versions_history_and_draft_are_there(old: dict[str, Any]) -> None:
    first = datasets.get(old["first"], access=LOCAL)
    assert [version.id for version in versions.find(first, access=LOCAL)] == [old["first"], old["second"]]
    assert versions.head(first, access=LOCAL).id == old["second"]
    assert [change.label for change in versions.changes(first, access=LOCAL)] == ["Prepare the table", "Change roles"]
    assert Recipe(first.draft["steps"]).steps[-1].describe() == "Drop 'number'"
    assert versions.undo(first, access=LOCAL).roles == {}
    assert versions.redo(first, access=LOCAL).roles["target"] == "left"
    stored = runs.find(parents_only=True, access=LOCAL)
    assert len(stored) == 3
    assert {run.parent_id for run in stored} == {""}


def test_its_model_scores_rows_of_the_file(old: dict[str, Any]) -> None:
    scores = models.score(old["model"], pd.DataFrame(old["rows"]), access=LOCAL)["p(yes)"]
    assert scores.tolist() == pytest.approx(old["scores"], abs=1e-6)


@pytest.mark.parametrize("old", HOMES[2:], indirect=True)
def test_people_promotions_and_the_audit_log_are_there_and_what_was_deleted_is_not(old: dict[str, Any]) -> None:
    (_, role) = next(item for item in workspaces.of_person("bob@example.org") if item[0].workspace == old["workspace"])
    assert role is Role.VIEWER
    with pytest.raises(DeniedError):
        workspaces.enter(old["workspace"], "bob@example.org").require(Role.EDITOR)
    admin = workspaces.enter(old["workspace"], "ada@example.org")
    assert workspaces.rules(access=admin) == (True, True)
    assert audit.broken(access=admin) is None
    assert [event.why for event in models.history(old["model"], access=LOCAL) if event.why] == ["It is the first."]
    assert [model.id for model in models.find(access=LOCAL)] == [old["model"]]
    upkeep.purge(after_s=0)
    with pytest.raises(NotFoundError):
        deletion.undo(old["deleted"], access=LOCAL)


def test_its_recipe_is_continued(old: dict[str, Any]) -> None:
    second = datasets.get(old["second"], access=LOCAL)
    steps = [*prepare.recipe_of(second).steps, {"step": "drop", "columns": ["number"]}]
    run = jobs.wait(prepare.submit(second, Recipe(steps), "Drop", access=LOCAL), 60, access=LOCAL)
    assert run.state is RunState.SUCCEEDED, run.error_message
    assert versions.head(second, access=LOCAL).columns == second.columns - 1

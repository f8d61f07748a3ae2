"""A catalog with real tables and runs in every state that pages have to show: a copy of the golden installation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from core import jobs, models
from core.access import LOCAL
from core.catalog import Dataset, Model, Run, RunArtifact, artifacts, datasets, runs
from core.storage import get_store
from tests.golden import Golden, copy_home

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class World:
    """What the catalog holds: datasets, and ids of the runs of the golden installation."""

    credit: Dataset
    diabetes: Dataset
    reviews: Dataset
    decisions: Dataset
    binary: str
    number: str
    rival: str
    failed: str
    cancelled: str
    exported: str
    measured: str
    text_export: str
    smallest: str
    text: str


@pytest.fixture
def world(golden: tuple[Path, Golden], installation: Callable, tmp_path: Path) -> Iterator[World]:
    """Use a copy of the golden installation."""
    home, ids = golden
    copy_home(home, tmp_path / "home")
    with installation(tmp_path / "home", MAX_RUNNING="2"):
        own = {field.name: getattr(ids, field.name) for field in fields(World)}
        tables = {
            name: datasets.get(own[name], access=LOCAL) for name in ("credit", "diabetes", "reviews", "decisions")
        }
        yield World(**own | tables)


@pytest.fixture
def credit_model(world: World, request: pytest.FixtureRequest) -> Model:
    """A model that nobody has answered for: version 1 is champion and has no policy, version 2 has one."""
    name = request.node.name[:100]
    models.register(world.binary, name=name, notes="The first.", access=LOCAL)
    model = models.register(world.rival, name=name, access=LOCAL)
    models.promote(model.id, 1, why="It is all there is.", access=replace(LOCAL, actor="ann"))
    return model


def repeated(
    run_id: str,
    *,
    leave_out: str = "",
    edit: Callable[[dict[str, Any]], None] | None = None,
    edited: str = "result.json",
) -> str:
    """Put a run into the catalog once more, with the same files.

    Files whose name begins with `leave_out` are not among them, and `edit` changes what the file `edited` says.
    """
    run = runs.get(run_id, access=LOCAL)
    again = Run(**run.model_dump(exclude={"id", "created_at"}))
    runs.add(again, access=LOCAL)
    for item in artifacts.find(run.id, access=LOCAL):
        if leave_out and item.name.startswith(leave_out):
            continue
        values = item.model_dump(exclude={"run_id"})
        if edit and item.name == edited:
            result = json.loads(get_store().read_bytes(item.digest))
            edit(result)
            content = json.dumps(result).encode()
            values |= {"digest": get_store().put_bytes(content), "size_bytes": len(content)}
        artifacts.add(RunArtifact(**values, run_id=again.id), access=LOCAL)
    return again.id


@lru_cache(maxsize=1)
def _components() -> BidiComponentManager:
    """Return the components of installed packages, which a server looks for once, and an `AppTest` each time."""
    manager = BidiComponentManager()
    manager.discover_and_register_components(start_file_watching=False)
    return manager


def visit(page: str, **query: str) -> AppTest:
    """Open a page of the app as a browser would, with its frame."""
    test = AppTest.from_file(str(ROOT / "navigation.py"), default_timeout=60)
    test._bidi_component_manager = _components()
    if page != "home":
        test._page_hash = calc_hash(page)  # `switch_page` knows a page's path only after a run of the first page
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def look_at(test: AppTest, name: str, content: bytes) -> Run:
    """Upload a file to the Data page and wait until it was looked at; return the run that did."""
    test.file_uploader[0].upload(name, content, "text/csv").run()
    run = jobs.wait(query(test, "import"), 60, access=LOCAL)
    test.run()
    assert not test.exception
    return run


def import_file(test: AppTest, name: str, content: bytes) -> Run:
    """Upload a file to the Data page, press Import, and wait; return the run. The page shows the dataset then."""
    test.file_uploader[0].upload(name, content, "text/csv").run()  # who is in a hurry need not wait for the preview
    return press_import(test)


def press_import(test: AppTest) -> Run:
    """Import the file that the page shows a preview of, and wait; return the run."""
    if any(button.key == "data-import" for button in test.button):  # what has types of its own is imported at once
        test.button(key="data-import").click().run()
    run = jobs.wait(query(test, "import"), 60, access=LOCAL)
    test.run()
    assert not test.exception
    return run


def query(test: AppTest, name: str) -> str:
    """Return a parameter of the page's address."""
    value = test.query_params[name]
    return value if isinstance(value, str) else value[-1]


def texts(test: AppTest) -> str:
    """Return all that a page says."""
    values = [element.value for kind in ("title", "subheader", "markdown", "caption") for element in test.get(kind)]
    # An alert's title is not among what AppTest tells by name.
    values += [
        f"{element.proto.title} {element.value}"
        for kind in ("error", "info", "warning", "success")
        for element in test.get(kind)
    ]
    return "\n".join(str(text) for text in values).replace("\\", "")


def table_with(test: AppTest, column: str) -> pd.DataFrame:
    """Return the first table of a page that has this column."""
    return next(result.value for result in test.dataframe if column in result.value.columns)


def labels(test: AppTest) -> list[str]:
    """Return the labels of a page's buttons."""
    return [button.label for button in test.button]

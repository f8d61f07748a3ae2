"""Pages show every entry of a registry: its title is offered where people choose, and leads to where it belongs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core import jobs
from core.automl import LEARNERS, METRICS, learner_title, metric_choices
from core.catalog import Run, RunState, runs
from core.datasets import FILE_FORMATS
from core.edge import QUANTIZATION_MODES
from core.fairness import DEFINITIONS
from tests.pages.conftest import World, labels, texts, visit

DOUBLE = """
from core.jobs import TaskSpec

SPEC = TaskSpec(name="double", title="Doubling", help="Doubles a number.", lane="short", page="data")


def run(context):
    return {"doubled": 2 * context.settings["number"]}
"""


def _finished(task: str) -> Run:
    """Put a finished run of a kind into the catalog."""
    spec = jobs.task_spec(task)
    settings = {} if spec.subject is None else {spec.subject: "0123456789abcdef"}
    run = Run(workspace="local", task=task, title=f"A run of {task}", state=RunState.SUCCEEDED, settings=settings)
    runs.add(run)
    return run


def _types(test: AppTest) -> list[str]:
    return list(test.dataframe[0].value["Type"])


def test_every_kind_of_run_is_listed_filtered_and_opened(home: Path) -> None:
    by_task = {task: _finished(task) for task in jobs.TASKS}
    test = visit("runs")
    assert sorted(_types(test)) == sorted(spec.title for spec in jobs.TASKS.values())
    for task, run in by_task.items():
        spec = jobs.TASKS[task]
        test.selectbox(key="runs-task").set_value(task).run()
        assert _types(test) == [spec.title]
        opened = visit("runs", run=run.id)
        assert not opened.exception
        assert not opened.error
        assert opened.title[0].value.replace("\\", "") == spec.title
        assert ("Open the result" in labels(opened)) == (spec.page is not None)


def test_a_kind_of_run_from_outside_is_listed_filtered_and_linked(
    installation: Callable[..., AbstractContextManager[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "outside_tasks"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "double.py").write_text(DOUBLE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    try:
        with installation(tmp_path / "home", TASK_PACKAGES='["core.tasks", "outside_tasks"]'):
            run = jobs.wait(jobs.submit("double", {"number": 21}, workspace="local"), 30, workspace="local")
            assert run.state is RunState.SUCCEEDED, run.error_message
            _finished("check")
            test = visit("runs")
            assert "Doubling" in test.selectbox(key="runs-task").options
            test.selectbox(key="runs-task").set_value("double").run()
            assert _types(test) == ["Doubling"]
            opened = visit("runs", run=run.id)
            assert opened.title[0].value == "Doubling"
            assert "Open the result" in labels(opened)
            assert "Repeat" in labels(opened)
    finally:
        sys.modules.pop("outside_tasks.double", None)


def test_every_file_format_is_named_at_the_upload(home: Path) -> None:
    label = visit("data").file_uploader[0].label.lower()
    for file_format in FILE_FORMATS.values():
        assert file_format.title.lower() in label
        assert file_format.extensions[0] in label


def test_every_metric_and_learner_can_be_chosen(world: World) -> None:
    test = visit("automl", dataset=world.credit.id)
    test.selectbox(key=f"automl-target-{world.credit.id}").set_value("credit").run()
    offered = set()
    for task in ("binary", "multiclass", "regression"):
        test.selectbox(key=f"automl-task-{world.credit.id}-credit").set_value(task).run()
        assert not test.exception
        titles = test.selectbox(key=f"automl-metric-{task}").options
        assert titles == [METRICS[name].title for name in metric_choices(task)]
        offered |= set(titles)
    assert offered == {metric.title for metric in METRICS.values()}
    assert test.multiselect(key="automl-learners").options == [learner_title(name) for name in LEARNERS]


def test_every_definition_of_fairness_is_explained(world: World) -> None:
    test = visit("fairness", run=world.binary)
    test.multiselect(key=f"fairness-columns-{world.binary}").set_value(["sex"]).run()
    for name, definition in DEFINITIONS.items():
        test.selectbox(key="fairness-definition").set_value(name).run()
        assert not test.exception
        assert definition.question.replace("\\", "") in texts(test)


def test_every_variant_can_be_made(world: World) -> None:
    test = visit("edge", model=world.binary)
    assert len(test.multiselect(key="edge-modes").options) == len(QUANTIZATION_MODES)
